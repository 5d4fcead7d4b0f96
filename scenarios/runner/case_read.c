/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading one case file. Every mapping lists its known keys, so that a slip of the pen is refused
 * with its place and the nearest word; nothing is guessed and nothing is silently ignored.
 */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/yaml.h"
#include "case.h"
#include "case_value.h"
#include "contender.h"
#include "kernel.h"

/* A case without its own limit; long enough for a loaded machine under emulation. */
#define DEFAULT_TIMEOUT_S 30
#define TIMEOUT_MAX_S 3600
#define UID_MAX 65535
#define EVENTS_MAX 1000

static void free_yaml(struct pcl_yaml_file **file)
{
	pcl_yaml_free(file);
}

/* Per operation: the key that names it, which is also the path, and what else it may hold. */
static const struct {
	const char *key;
	const char *const *known;
	int mode;
} step_table[GNT_STEP_OP_COUNT] = {
	[GNT_STEP_PUT] = {"put", (const char *const[]){"put", "text", "mode", "in", NULL}, 0644},
	[GNT_STEP_COPY] = {"copy", (const char *const[]){"copy", "to", "mode", "in", NULL}, -1},
	[GNT_STEP_MKDIR] = {"mkdir", (const char *const[]){"mkdir", "mode", "in", NULL}, 0755},
	[GNT_STEP_RUN] = {"run", (const char *const[]){"run", "in", NULL}, -1},
};

static int read_argv(const struct gnt_case_reader *r, const struct pcl_yaml_node *run,
		     char ***ret_argv, size_t *ret_argc)
{
	int error = gnt_case_words(r, run, "\"run\"", ret_argv, ret_argc);

	if (!error && (*ret_argc == 0 || (*ret_argv)[0][0] != '/'))
		error = pcl_yaml_error(r->file, run, r->diag, -EINVAL,
				       "\"run\" must begin with an absolute path in the guest");
	return error;
}

static int read_step(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		     const struct gnt_case *c, struct gnt_step *step)
{
	const struct pcl_yaml_node *path = NULL, *to;
	int op = 0, error = gnt_case_need(r, node, PCL_YAML_MAPPING, "a setup step");

	if (error)
		return error;
	for (; op < GNT_STEP_OP_COUNT; op++) {
		path = pcl_yaml_get(node, step_table[op].key);
		if (path)
			break;
	}
	if (!path)
		return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
				      "a setup step is one of put, copy, mkdir, run");
	step->op = (enum gnt_step_op)op;
	step->mode = step_table[op].mode;
	error = pcl_yaml_only_keys(r->file, node, step_table[op].known, step_table[op].key,
				   r->diag);
	if (!error && step->op == GNT_STEP_RUN)
		error = read_argv(r, path, &step->argv, &step->argc);
	else if (!error)
		error = gnt_case_path(r, path, &step->path);
	if (!error)
		error = gnt_case_mode(r, node, &step->mode);
	if (!error)
		error = gnt_case_where(r, node, c, &step->in_container);
	if (!error && step->op == GNT_STEP_PUT)
		error = gnt_case_key(r, node, "text", false, &step->text);
	if (error || step->op != GNT_STEP_COPY)
		return error;
	to = pcl_yaml_get(node, "to");
	if (!to)
		return pcl_yaml_error(r->file, node, r->diag, -EINVAL, "\"to\" is missing here");
	return gnt_case_path(r, to, &step->to);
}

static int read_setup(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		      struct gnt_case *c)
{
	int error = gnt_case_need(r, node, PCL_YAML_SEQUENCE, "\"setup\"");

	if (error)
		return error;
	c->setup = calloc(node->count + 1, sizeof(*c->setup));
	if (!c->setup)
		return gnt_case_no_memory(r);
	for (size_t i = 0; i < node->count && !error; i++) {
		c->setup_count = i + 1;
		error = read_step(r, node->items[i], c, &c->setup[i]);
	}
	return error;
}

static int read_policy(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		       struct gnt_policy_ref *policy)
{
	static const char *const known[] = {"corpus", "file", "inline", NULL};
	static const enum gnt_policy_from from[] = {GNT_POLICY_CORPUS, GNT_POLICY_FILE,
						    GNT_POLICY_INLINE};
	int error = gnt_case_need(r, node, PCL_YAML_MAPPING, "a policy");

	if (!error)
		error = pcl_yaml_only_keys(r->file, node, known, "policy", r->diag);
	if (error)
		return error;
	if (node->count != 1)
		return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
				      "a policy is one of corpus: PATH, file: PATH, inline: TEXT");
	for (size_t i = 0; known[i]; i++)
		if (strcmp(node->keys[0]->text, known[i]) == 0)
			policy->from = from[i];
	return gnt_case_string(r, node->items[0], &policy->value);
}

static int read_policies(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
			 struct gnt_case *c)
{
	int error = gnt_case_need(r, node, PCL_YAML_SEQUENCE, "\"policy\"");

	if (error)
		return error;
	c->policies = calloc(node->count + 1, sizeof(*c->policies));
	if (!c->policies)
		return gnt_case_no_memory(r);
	for (size_t i = 0; i < node->count && !error; i++) {
		c->policy_count = i + 1;
		error = read_policy(r, node->items[i], &c->policies[i]);
	}
	return error;
}

static int read_agent_op(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
			 struct gnt_program *program)
{
	static const char *const known[] = {"panic", "hang", "die", "mute", NULL};
	int error = gnt_case_string(r, node, &program->agent_op);

	if (error)
		return error;
	for (size_t i = 0; known[i]; i++)
		if (strcmp(program->agent_op, known[i]) == 0)
			return 0;
	return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
			      "\"agent\" must be panic, hang, die or mute, not \"%s\"",
			      program->agent_op);
}

static int read_program(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
			const struct gnt_case *c, const char *what, struct gnt_program *program)
{
	static const char *const known[] = {"run", "in", "uid", "agent", NULL};
	const struct pcl_yaml_node *run, *uid, *agent;
	int64_t number = 0;
	int error = gnt_case_need(r, node, PCL_YAML_MAPPING, what);

	if (!error)
		error = pcl_yaml_only_keys(r->file, node, known, what, r->diag);
	if (!error)
		error = gnt_case_where(r, node, c, &program->in_container);
	if (error)
		return error;
	uid = pcl_yaml_get(node, "uid");
	if (uid)
		error = pcl_yaml_int(r->file, uid, 0, UID_MAX, &number, r->diag);
	if (error)
		return error;
	program->uid = (int)number;
	run = pcl_yaml_get(node, "run");
	agent = pcl_yaml_get(node, "agent");
	if (!run == !agent)
		return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
				      "%s needs \"run: [PROGRAM, ARGUMENT...]\"", what);
	if (agent)
		return read_agent_op(r, agent, program);
	return read_argv(r, run, &program->argv, &program->argc);
}

static const char *const canary_keys[] = {
	[GNT_CANARY_HIDDEN] = "hidden",
	[GNT_CANARY_UNCHANGED] = "unchanged",
	[GNT_CANARY_ABSENT] = "absent",
	[GNT_CANARY_KIND_COUNT] = "in",
	NULL,
};

static int read_canary(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		       const struct gnt_case *c, struct gnt_canary *canary)
{
	int error = gnt_case_need(r, node, PCL_YAML_MAPPING, "a canary");

	if (!error)
		error = pcl_yaml_only_keys(r->file, node, canary_keys, "canary", r->diag);
	if (!error)
		error = gnt_case_where(r, node, c, &canary->in_container);
	for (int kind = 0; kind < GNT_CANARY_KIND_COUNT && !error; kind++) {
		const struct pcl_yaml_node *value = pcl_yaml_get(node, canary_keys[kind]);

		if (!value)
			continue;
		if (canary->value)
			return pcl_yaml_error(r->file, value, r->diag, -EINVAL,
					      "a canary watches one thing: make it two entries");
		canary->kind = (enum gnt_canary_kind)kind;
		error = kind == GNT_CANARY_HIDDEN ? gnt_case_string(r, value, &canary->value)
						  : gnt_case_path(r, value, &canary->value);
	}
	if (!error && (!canary->value || !*canary->value))
		error = pcl_yaml_error(
			r->file, node, r->diag, -EINVAL,
			"a canary is one of hidden: TEXT, unchanged: PATH, absent: PATH");
	return error;
}

static int read_canaries(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
			 struct gnt_case *c)
{
	int error = gnt_case_need(r, node, PCL_YAML_SEQUENCE, "\"canary\"");

	if (error)
		return error;
	if (node->count == 0)
		return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
				      "a case needs a canary: what the attack must not reach");
	c->canaries = calloc(node->count, sizeof(*c->canaries));
	if (!c->canaries)
		return gnt_case_no_memory(r);
	for (size_t i = 0; i < node->count && !error; i++) {
		c->canary_count = i + 1;
		error = read_canary(r, node->items[i], c, &c->canaries[i]);
	}
	return error;
}

static int read_verdict(const struct gnt_case_reader *r, const struct pcl_yaml_node *key,
			const struct pcl_yaml_node *value, struct gnt_case_verdict *entry)
{
	const char *near, *word;
	int error = pcl_yaml_string(r->file, value, &word, r->diag);

	if (error)
		return error;
	if (!gnt_contender_find(key->text))
		return pcl_yaml_error(r->file, key, r->diag, -EINVAL,
				      "\"%s\" is no contender: see gauntlet list contenders",
				      key->text);
	if (gnt_verdict_parse(word, &entry->verdict) != 0) {
		near = pcl_nearest_word(word, gnt_verdict_names());
		return pcl_yaml_error(r->file, value, r->diag, -EINVAL, "\"%s\" is no verdict%s%s",
				      word, near ? ": did you mean " : "", near ? near : "");
	}
	entry->contender = strdup(key->text);
	return entry->contender ? 0 : gnt_case_no_memory(r);
}

static int read_verdicts(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
			 struct gnt_case *c)
{
	int error = gnt_case_need(r, node, PCL_YAML_MAPPING, "\"verdict\"");

	if (error)
		return error;
	c->verdicts = calloc(node->count + 1, sizeof(*c->verdicts));
	if (!c->verdicts)
		return gnt_case_no_memory(r);
	for (size_t i = 0; i < node->count && !error; i++) {
		error = read_verdict(r, node->keys[i], node->items[i], &c->verdicts[i]);
		if (!error)
			c->verdict_count = i + 1;
	}
	return error;
}

static int read_errno(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		      int *ret_errno)
{
	const char *word;
	int error = pcl_yaml_string(r->file, node, &word, r->diag);
	int number;

	if (error)
		return error;
	number = gnt_errno_parse(word);
	if (number < 0)
		return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
				      "\"%s\" is no errno name that is known here", word);
	*ret_errno = number;
	return 0;
}

static int read_expect(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		       struct gnt_case *c)
{
	static const char *const known[] = {"errno", "rule", "events", "verdict", NULL};
	const struct pcl_yaml_node *value;
	int64_t number = 0;
	int error = gnt_case_need(r, node, PCL_YAML_MAPPING, "\"expect\"");

	if (!error)
		error = pcl_yaml_only_keys(r->file, node, known, "expect", r->diag);
	if (!error)
		error = gnt_case_key(r, node, "rule", false, &c->expect_rule);
	if (error)
		return error;
	value = pcl_yaml_get(node, "errno");
	c->expect.error = EACCES;
	if (value)
		error = read_errno(r, value, &c->expect.error);
	value = pcl_yaml_get(node, "events");
	if (!error && value)
		error = pcl_yaml_int(r->file, value, 1, EVENTS_MAX, &number, r->diag);
	c->expect.events = (int)number;
	value = pcl_yaml_get(node, "verdict");
	if (!error && value)
		error = read_verdicts(r, value, c);
	return error;
}

static int read_container(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
			  struct gnt_case *c)
{
	static const char *const known[] = {"name", "namespace", "labels", "root", NULL};
	const struct pcl_yaml_node *root = pcl_yaml_get(node, "root");
	int error = gnt_case_need(r, node, PCL_YAML_MAPPING, "\"container\"");

	if (!error)
		error = pcl_yaml_only_keys(r->file, node, known, "container", r->diag);
	if (!error)
		error = gnt_case_key(r, node, "name", false, &c->container.name);
	if (!error)
		error = gnt_case_key(r, node, "namespace", true, &c->container.ns);
	if (!error)
		error = gnt_case_key(r, node, "labels", false, &c->container.labels);
	if (!error)
		error = gnt_case_key(r, node, "root", true, &c->container.root);
	if (error)
		return error;
	if (!c->container.root)
		c->container.root = strdup("own");
	if (!c->container.root)
		return gnt_case_no_memory(r);
	if (strcmp(c->container.root, "own") != 0 && strcmp(c->container.root, "shared") != 0)
		return pcl_yaml_error(r->file, root, r->diag, -EINVAL,
				      "\"root\" must be own or shared, not \"%s\"",
				      c->container.root);
	c->has_container = true;
	return 0;
}

static int read_mitre(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		      struct gnt_case *c)
{
	static const char *const known[] = {"id", "version", "aliases", NULL};
	const struct pcl_yaml_node *aliases = pcl_yaml_get(node, "aliases");
	int error = gnt_case_need(r, node, PCL_YAML_MAPPING, "\"mitre\"");

	if (!error)
		error = pcl_yaml_only_keys(r->file, node, known, "mitre", r->diag);
	if (!error)
		error = gnt_case_key(r, node, "id", false, &c->mitre_id);
	if (!error)
		error = gnt_case_key(r, node, "version", false, &c->mitre_version);
	if (!error && aliases)
		error = gnt_case_words(r, aliases, "\"aliases\"", &c->mitre_aliases,
				       &c->mitre_alias_count);
	return error;
}

static int read_requires(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
			 struct gnt_case *c)
{
	static const char *const known[] = {"lsm", "btf", "kernel", "modules", NULL};
	const struct pcl_yaml_node *value = pcl_yaml_get(node, "lsm");
	int error = gnt_case_need(r, node, PCL_YAML_MAPPING, "\"requires\"");

	if (!error)
		error = pcl_yaml_only_keys(r->file, node, known, "requires", r->diag);
	if (!error && value)
		error = gnt_case_words(r, value, "\"lsm\"", &c->requires_lsm,
				       &c->requires_lsm_count);
	value = pcl_yaml_get(node, "btf");
	if (!error && value)
		error = pcl_yaml_bool(r->file, value, &c->requires_btf, r->diag);
	value = pcl_yaml_get(node, "modules");
	if (!error && value)
		error = gnt_case_words(r, value, "\"modules\"", &c->requires_modules,
				       &c->requires_module_count);
	value = pcl_yaml_get(node, "kernel");
	if (!error && value)
		error = gnt_case_string(r, value, &c->requires_kernel);
	if (!error && value && gnt_kernel_number(c->requires_kernel) < 0)
		error = pcl_yaml_error(r->file, value, r->diag, -EINVAL,
				       "\"kernel\" must be a version such as \"6.1\", not \"%s\"",
				       c->requires_kernel);
	return error;
}

static int read_posture(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
			struct gnt_case *c)
{
	return gnt_case_string(r, node, &c->posture);
}

static int read_engine(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		       struct gnt_case *c)
{
	pcl_autofree char *word = NULL;
	int error = gnt_case_string(r, node, &word);

	if (error)
		return error;
	if (strcmp(word, "new") != 0)
		return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
				      "\"engine\" may be new, not \"%s\"", word);
	c->new_engine = true;
	return 0;
}

static int read_best_effort(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
			    struct gnt_case *c)
{
	return pcl_yaml_bool(r->file, node, &c->best_effort, r->diag);
}

static int read_cleanup(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
			struct gnt_case *c)
{
	int error = gnt_case_need(r, node, PCL_YAML_SEQUENCE, "\"cleanup\"");

	if (error)
		return error;
	c->cleanup = calloc(node->count + 1, sizeof(char *));
	if (!c->cleanup)
		return gnt_case_no_memory(r);
	for (size_t i = 0; i < node->count && !error; i++) {
		error = gnt_case_path(r, node->items[i], &c->cleanup[i]);
		if (!error)
			c->cleanup_count = i + 1;
	}
	return error;
}

static int read_attack(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		       struct gnt_case *c)
{
	return read_program(r, node, c, "\"attack\"", &c->attack);
}

static int read_twin(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		     struct gnt_case *c)
{
	return read_program(r, node, c, "\"twin\"", &c->twin);
}

static int read_title(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		      struct gnt_case *c)
{
	return gnt_case_string(r, node, &c->title);
}

static int read_class(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		      struct gnt_case *c)
{
	static const char *const known[] = {"file",	    "process",	"network", "dns",
					    "capabilities", "syscalls", NULL};
	int error = gnt_case_string(r, node, &c->class);

	for (size_t i = 0; known[i] && !error; i++)
		if (strcmp(c->class, known[i]) == 0)
			return 0;
	if (error)
		return error;
	return pcl_yaml_error(r->file, node, r->diag, -EINVAL,
			      "\"class\" must be file, process, network, dns, capabilities or "
			      "syscalls, not \"%s\"",
			      c->class);
}

static int read_source(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		       struct gnt_case *c)
{
	return gnt_case_string(r, node, &c->source);
}

static int read_timeout(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
			struct gnt_case *c)
{
	int64_t number;
	int error = pcl_yaml_int(r->file, node, 1, TIMEOUT_MAX_S, &number, r->diag);

	if (!error)
		c->timeout_s = (int)number;
	return error;
}

/* In the order of reading: "container" comes before what may say "in: container". */
static const struct {
	const char *key;
	bool optional;
	int (*read)(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		    struct gnt_case *c);
} fields[] = {
	{"title", false, read_title},
	{"mitre", false, read_mitre},
	{"class", false, read_class},
	{"source", false, read_source},
	{"requires", true, read_requires},
	{"container", true, read_container},
	{"setup", true, read_setup},
	{"policy", false, read_policies},
	{"posture", true, read_posture},
	{"engine", true, read_engine},
	{"attack", false, read_attack},
	{"canary", false, read_canaries},
	{"twin", false, read_twin},
	{"expect", false, read_expect},
	{"cleanup", true, read_cleanup},
	{"timeout_s", true, read_timeout},
	{"best_effort", true, read_best_effort},
};

static int read_fields(const struct gnt_case_reader *r, const struct pcl_yaml_node *root,
		       struct gnt_case *c)
{
	const char *known[PCL_ARRAY_SIZE(fields) + 1] = {NULL};
	int error;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(fields); i++)
		known[i] = fields[i].key;
	error = gnt_case_need(r, root, PCL_YAML_MAPPING, "a case");
	if (!error)
		error = pcl_yaml_only_keys(r->file, root, known, "case", r->diag);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(fields) && !error; i++) {
		const struct pcl_yaml_node *node = pcl_yaml_get(root, fields[i].key);

		if (node)
			error = fields[i].read(r, node, c);
		else if (!fields[i].optional)
			error = pcl_yaml_error(r->file, root, r->diag, -EINVAL,
					       "the case lacks \"%s\"", fields[i].key);
	}
	return error;
}

int gnt_case_load(const char *path, const char *id, struct gnt_case **ret_case,
		  struct pcl_diag *diag)
{
	struct pcl_yaml_file *file pcl_cleanup(free_yaml) = NULL;
	struct gnt_case *c pcl_cleanup(gnt_case_free) = calloc(1, sizeof(*c));
	pcl_autofree char *path_copy = strdup(path);
	struct gnt_case_reader r = {.diag = diag};
	int error;

	if (!c || !path_copy)
		return pcl_diag_set(diag, -ENOMEM, "%s: no memory", path);
	error = pcl_yaml_load(path, &file, diag);
	if (error)
		return error;
	if (file->document_count != 1)
		return pcl_diag_set(diag, -EINVAL,
				    "%s:1:1: a case file holds one document, not %zu", path,
				    file->document_count);
	r.file = file;
	c->timeout_s = DEFAULT_TIMEOUT_S;
	c->id = strdup(id);
	c->dir = strdup(dirname(path_copy));
	if (!c->id || !c->dir)
		return gnt_case_no_memory(&r);
	error = read_fields(&r, file->documents[0], c);
	if (error)
		return error;
	*ret_case = pcl_take_ptr(c);
	return 0;
}
