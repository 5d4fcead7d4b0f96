/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations near the rules of a set, and what the model says must come of them: the objects that
 * the kernel asks about one after the other, each decided by pcl_decide(); the first refusal ends
 * it.
 */
#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "question.h"

/* --- what the kernel asks ----------------------------------------------------------------------
 */

#define OWN_PROCESS "/proc/self"

static size_t ask_capability(struct model_question *questions, unsigned capability)
{
	questions[0] =
		(struct model_question){.access = PCL_ACCESS_CAPABILITY, .capability = capability};
	return 1;
}

/* An object loses its name or gets another. */
static size_t ask_move(struct model_question *questions, const char *object)
{
	questions[0] = (struct model_question){.access = PCL_ACCESS_WRITE, .object = object};
	questions[1] = (struct model_question){.access = PCL_ACCESS_EXECUTE,
					       .object = object,
					       .named = true};
	return 2;
}

static size_t ask(struct model_question *questions, enum pcl_access access, const char *object)
{
	questions[0] = (struct model_question){.access = access, .object = object};
	return 1;
}

/* A program; script: what it interprets. */
static size_t ask_program(struct model_question *questions, const char *program, const char *script)
{
	questions[0] = (struct model_question){
		.access = PCL_ACCESS_EXECUTE,
		.object = program,
		.script = script,
		.with_args = true,
	};
	return 1;
}

/* KERNEL: that the type is raw needs net_raw for the Internet's families alone. */
static bool needs_net_raw(const struct act_request *request)
{
	bool internet = request->number[0] == AF_INET || request->number[0] == AF_INET6;

	return (internet && request->number[1] == SOCK_RAW) || request->number[0] == AF_PACKET;
}

/* KERNEL: before 5.19 the hook is called twice for an exchange, the new name's turn first. */
static bool exchange_asks_new_first(void)
{
	struct utsname name;
	int major, minor;

	return !uname(&name) && sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
	       (major < 5 || (major == 5 && minor < 19));
}

/* The call as which an operation begins, where it is of those that sets speak of. */
static size_t ask_call(const struct model_operation *operation, struct model_question *questions)
{
	static const char *const calls[ACT_COUNT] = {
		[ACT_UNLINK] = "unlink",   [ACT_MKDIR] = "mkdir", [ACT_RMDIR] = "rmdir",
		[ACT_SYMLINK] = "symlink", [ACT_LINK] = "link",	  [ACT_TRUNCATE] = "truncate",
		[ACT_CHROOT] = "chroot",
	};
	const char *name = calls[operation->request.op];

	if (!name)
		return 0;
	questions[0] = (struct model_question){.access = PCL_ACCESS_SYSCALL, .name = name};
	return 1;
}

static size_t questions_behind(const struct model_operation *operation,
			       struct model_question *questions)
{
	const struct act_request *request = &operation->request;
	const char *first;
	size_t count;

	switch ((enum act_op)request->op) {
	case ACT_READ:
		return ask(questions, PCL_ACCESS_READ, request->a);
	case ACT_RENAME:
	case ACT_REPLACE:
	case ACT_LINK:
		count = ask_move(questions, request->a);
		return count + ask(questions + count, PCL_ACCESS_WRITE, request->b);
	case ACT_EXCHANGE:
		first = exchange_asks_new_first() ? request->b : request->a;
		count = ask_move(questions, first);
		return count +
		       ask_move(questions + count, first == request->a ? request->b : request->a);
	case ACT_EXECUTE:
	case ACT_EXECUTE_AT:
		return ask_program(questions, request->a, NULL);
	case ACT_SCRIPT:
		count = ask_program(questions, request->a, NULL);
		return count + ask_program(questions + count, request->b, request->a);
	case ACT_MEMORY:
		count = ask(questions, PCL_ACCESS_READ, request->a);
		return count + ask(questions + count, PCL_ACCESS_EXECUTE, PCL_OBJECT_NONE);
	case ACT_MAP:
		return ask(questions, PCL_ACCESS_MAP, NULL);
	case ACT_SOCKET:
		count = ask(questions, PCL_ACCESS_SOCKET, NULL);
		/* KERNEL: who does not have the capability at all never gets as far as asking us.
		 */
		if (needs_net_raw(request) && !operation->actor.uid)
			count += ask_capability(questions + count, CAP_NET_RAW);
		return count;
	case ACT_CHROOT:
		return ask_capability(questions, CAP_SYS_CHROOT);
	case ACT_NICE:
		return ask_capability(questions, CAP_SYS_NICE);
	case ACT_BOOT:
		return ask_capability(questions, CAP_SYS_BOOT);
	case ACT_ACCOUNT:
		return ask_capability(questions, CAP_SYS_PACCT);
	default:
		return ask(questions, PCL_ACCESS_WRITE, request->a);
	}
}

size_t model_questions_of(const struct model_operation *operation, struct model_question *questions)
{
	size_t count = ask_call(operation, questions);

	return count + questions_behind(operation, questions + count);
}

/* --- sockets -----------------------------------------------------------------------------------
 */

static const int32_t sockets[][3] = {
	{AF_INET, SOCK_STREAM, 0},
	{AF_INET, SOCK_STREAM, IPPROTO_TCP},
	{AF_INET6, SOCK_STREAM, 0},
	{AF_INET, SOCK_DGRAM, 0},
	{AF_INET6, SOCK_DGRAM, IPPROTO_UDP},
	{AF_INET, SOCK_RAW, IPPROTO_ICMP},
	{AF_INET, SOCK_RAW, IPPROTO_TCP},
	{AF_INET, SOCK_RAW, IPPROTO_RAW},
	{AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
	{AF_UNIX, SOCK_STREAM, 0},
	{AF_UNIX, SOCK_DGRAM, 0},
	{AF_UNIX, SOCK_SEQPACKET, 0},
	{AF_NETLINK, SOCK_RAW, 0},
	{AF_INET, SOCK_STREAM, 132 /* SCTP */},
};
static int socket_errors[PCL_ARRAY_SIZE(sockets)][2];
static int map_error;

size_t model_socket_count(void)
{
	return PCL_ARRAY_SIZE(sockets);
}

void model_socket_request(size_t index, struct act_request *ret_request)
{
	memset(ret_request, 0, sizeof(*ret_request));
	ret_request->op = ACT_SOCKET;
	memcpy(ret_request->number, sockets[index], sizeof(ret_request->number));
}

static size_t socket_index(const struct act_request *request)
{
	size_t index = 0;

	while (memcmp(sockets[index], request->number, sizeof(sockets[index])) != 0)
		index++;
	return index;
}

void model_note_error(const struct act_request *request, uid_t uid, int error)
{
	if (request->op == ACT_MAP)
		map_error = error;
	else
		socket_errors[socket_index(request)][uid != 0] = error;
}

/* --- drawing -----------------------------------------------------------------------------------
 */

static const char *draw_of_kind(struct model_random *random, enum model_kind kind)
{
	size_t index;

	do
		index = model_pick(random, model_object_count);
	while (model_objects[index].kind != kind);
	return model_objects[index].path;
}

/* A path that a rule of the actor's domain is about, if that is of the kind; else any. */
static const char *draw_near(struct model_random *random, const struct model_set *set,
			     enum model_kind kind)
{
	const struct model_rule *rule = &set->rules[model_pick(random, set->rule_count)];
	const struct model_object *object =
		rule->list == MODEL_PROCESS_PATH || rule->list == MODEL_FILE_PATH
			? model_object_find(rule->object)
			: NULL;

	if (object && object->kind == kind && model_pick(random, 3))
		return object->path;
	return draw_of_kind(random, kind);
}

static void put_path(char to[ACT_PATH_MAX], const char *path)
{
	snprintf(to, ACT_PATH_MAX, "%s", path);
}

/* What proc says of process 1, or of the actor itself. */
static void draw_process_file(struct model_random *random, struct model_operation *operation)
{
	bool environment = model_pick(random, 2);

	snprintf(operation->request.a, ACT_PATH_MAX, "%s%s",
		 model_pick(random, 3) ? "/proc/1" : OWN_PROCESS,
		 environment ? "/environ" : "/status");
	/* No other user may read that. */
	if (environment)
		operation->actor.uid = 0;
}

static void draw_names(struct model_random *random, const struct model_set *set,
		       struct model_operation *operation)
{
	static const enum model_kind first[ACT_COUNT] = {
		[ACT_CREATE] = MODEL_ABSENT,   [ACT_SYMLINK] = MODEL_ABSENT,
		[ACT_MKDIR] = MODEL_ABSENT,    [ACT_MKNOD] = MODEL_ABSENT,
		[ACT_RMDIR] = MODEL_EMPTY_DIR, [ACT_SCRIPT] = MODEL_SCRIPT,
	};
	struct act_request *request = &operation->request;

	if (request->op == ACT_READ && !model_pick(random, 4)) {
		draw_process_file(random, operation);
		return;
	}
	put_path(request->a, request->op == ACT_MEMORY
				     ? MODEL_NOP
				     : draw_near(random, set, first[request->op]));
	if (request->op == ACT_RENAME || request->op == ACT_LINK)
		put_path(request->b, draw_near(random, set, MODEL_ABSENT));
	if (request->op == ACT_SCRIPT)
		put_path(request->b, model_object_find(request->a)->interpreter);
	/* Only a file's owner may change these. */
	if (request->op == ACT_CHMOD || request->op == ACT_CHOWN) {
		operation->actor.uid = model_object_find(request->a)->owner;
		request->number[0] =
			request->op == ACT_CHMOD ? 0777 : (int32_t)operation->actor.uid;
	}
	if (request->op != ACT_REPLACE && request->op != ACT_EXCHANGE)
		return;
	do
		put_path(request->b, draw_near(random, set, MODEL_FILE));
	while (!strcmp(request->a, request->b));
}

static const enum act_op preset_ops[] = {ACT_READ, ACT_EXECUTE, ACT_MEMORY, ACT_MAP};

/* An operation of the class of some rule, or any. */
static enum act_op draw_op(struct model_random *random, const struct model_set *set)
{
	const struct model_rule *rule = &set->rules[model_pick(random, set->rule_count)];

	if (!model_pick(random, 6))
		return (enum act_op)model_pick(random, ACT_COUNT);
	if (rule->list <= MODEL_PROCESS_PATTERN)
		return (enum act_op)(ACT_EXECUTE + model_pick(random, 3));
	if (rule->list <= MODEL_FILE_PATTERN)
		return (enum act_op)model_pick(random, ACT_EXECUTE);
	if (rule->list == MODEL_PROTOCOL)
		return ACT_SOCKET;
	if (rule->list == MODEL_SYSCALL)
		return (enum act_op)model_pick(random, ACT_EXECUTE);
	if (rule->list == MODEL_PRESET)
		return preset_ops[model_pick(random, PCL_ARRAY_SIZE(preset_ops))];
	return (enum act_op)(ACT_CHROOT + model_pick(random, ACT_COUNT - ACT_CHROOT));
}

void model_draw_operation(struct model_random *random, const struct model_set *set,
			  struct model_operation *ret_operation)
{
	struct act_request *request = &ret_operation->request;
	struct model_actor *actor = &ret_operation->actor;
	enum act_op op = draw_op(random, set);

	memset(ret_operation, 0, sizeof(*ret_operation));
	actor->domain = model_pick(random, 4)
				? set->domain_of[model_pick(random, set->policy_count)]
				: model_pick(random, MODEL_DOMAINS);
	actor->source = model_pick(random, MODEL_SOURCES);
	actor->uid = model_pick(random, 2) ? MODEL_USER : 0;
	actor->terminal = model_pick(random, 2);
	if (op == ACT_SOCKET)
		model_socket_request(model_pick(random, PCL_ARRAY_SIZE(sockets)), request);
	request->op = op;
	if (op < ACT_SOCKET && op != ACT_MAP)
		draw_names(random, set, ret_operation);
	if (op >= ACT_EXECUTE && op <= ACT_SCRIPT)
		request->number[0] = (int32_t)model_pick(random, 1u << ACT_ARGS);
	if (op >= ACT_CHROOT)
		actor->uid = 0;
}

/* --- deciding ----------------------------------------------------------------------------------
 */

static bool owns(const struct model_operation *operation, const char *path)
{
	const struct model_object *object = path ? model_object_find(path) : NULL;

	/* What is about to be made will be the actor's. */
	return object && (object->kind == MODEL_ABSENT || object->owner == operation->actor.uid);
}

/* A path below /proc/self is one below some number. */
static const char *numbered(const char *path, bool *ret_own, char buffer[ACT_PATH_MAX])
{
	size_t len = strlen(OWN_PROCESS);

	*ret_own = path && !strncmp(path, OWN_PROCESS, len);
	if (!*ret_own)
		return path;
	snprintf(buffer, ACT_PATH_MAX, "/proc/2%s", path + len);
	return buffer;
}

/* KERNEL: an interpreter is given the script's name, and then the script's arguments. */
static size_t args_of(const struct model_operation *operation,
		      const struct model_question *question, const char **args)
{
	size_t count = 0;

	if (question->script)
		args[count++] = question->script;
	for (unsigned i = 0; question->with_args && i < ACT_ARGS; i++)
		if (operation->request.number[0] & 1 << i)
			args[count++] = act_args[i];
	return count;
}

void model_decide(const struct model_rulesets *rulesets, const struct model_operation *operation,
		  const struct model_question *question, struct pcl_verdict *ret_verdict)
{
	const int32_t *number = operation->request.number;
	const char *args[ACT_ARGS + 1];
	size_t arg_count = args_of(operation, question, args);
	char buffer[ACT_PATH_MAX];
	bool own;
	const char *object = numbered(question->object, &own, buffer);
	struct pcl_operation asked = {
		.access = question->access,
		.object = object,
		.own_process = own,
		.source = question->entered ? NULL : model_sources[operation->actor.source],
		.owner = owns(operation, question->owned ? question->owned : question->object),
		.terminal = operation->actor.terminal,
		.socket = {number[0], number[1], number[2]},
		.capability = question->capability,
		.name = question->name,
		.args = question->with_args ? args : NULL,
		.arg_count = arg_count,
	};

	pcl_decide(rulesets->of[operation->actor.domain], &asked, ret_verdict);
}

int model_error_without(const struct model_operation *operation)
{
	if (operation->request.op == ACT_MAP)
		return map_error;
	if (operation->request.op != ACT_SOCKET)
		return 0;
	return socket_errors[socket_index(&operation->request)][operation->actor.uid != 0];
}

void model_expect_alert(struct model_expected *expected, const struct pcl_verdict *verdict,
			bool required)
{
	if (expected->alert_count == MODEL_ALERTS)
		return;
	expected->alerts[expected->alert_count++] =
		(struct model_alert){.rule = verdict->audit_rule ? verdict->audit_rule->id : "",
				     .required = required};
}

static void expect_by_file(const struct model_rulesets *rulesets,
			   const struct model_operation *operation,
			   struct model_expected *ret_expected)
{
	struct model_question questions[MODEL_QUESTIONS];
	size_t count = model_questions_of(operation, questions);

	for (size_t i = 0; i < count; i++) {
		struct pcl_verdict verdict;

		model_decide(rulesets, operation, &questions[i], &verdict);
		if (questions[i].named && !(verdict.refused && verdict.rule))
			continue;
		if (verdict.refused) {
			ret_expected->refused = true;
			ret_expected->told = true;
			ret_expected->error = -verdict.error;
			ret_expected->rule = verdict.rule ? verdict.rule->id : "";
			return;
		}
		if (verdict.alert)
			model_expect_alert(ret_expected, &verdict, true);
	}
	ret_expected->error = model_error_without(operation);
}

void model_expect(const struct model_rulesets *rulesets, const struct model_operation *operation,
		  enum model_judge judge, struct model_expected *ret_expected)
{
	memset(ret_expected, 0, sizeof(*ret_expected));
	if (judge == MODEL_BY_NAME)
		model_expect_by_name(rulesets, operation, ret_expected);
	else if (judge == MODEL_BY_LABEL)
		model_expect_by_label(rulesets, operation, ret_expected);
	else
		expect_by_file(rulesets, operation, ret_expected);
}

/* --- rulesets ----------------------------------------------------------------------------------
 */

static int make_domain(unsigned index, struct pcl_domain **ret_domain, struct pcl_diag *diag)
{
	char labels[16];

	if (!index)
		return pcl_domain_new_host("model", NULL, ret_domain, diag);
	snprintf(labels, sizeof(labels), "app=%s", model_labels[index]);
	return pcl_domain_new(model_domain_names[index], "model", labels, ret_domain, diag);
}

int model_rulesets_make(const char *text, const struct pcl_postures *postures,
			struct model_rulesets *ret_rulesets, struct pcl_diag *diag)
{
	int error = pcl_policy_set_new(&ret_rulesets->set);

	if (!error)
		error = pcl_policy_set_read_memory(ret_rulesets->set, "model.yaml", text,
						   strlen(text), diag);
	for (unsigned i = 0; !error && i < MODEL_DOMAINS; i++) {
		error = make_domain(i, &ret_rulesets->domains[i], diag);
		if (!error)
			error = pcl_resolve(ret_rulesets->set, ret_rulesets->domains[i], postures,
					    &ret_rulesets->of[i]);
	}
	return error;
}

void model_rulesets_fini(struct model_rulesets *rulesets)
{
	for (unsigned i = 0; i < MODEL_DOMAINS; i++) {
		pcl_ruleset_free(&rulesets->of[i]);
		pcl_domain_free(&rulesets->domains[i]);
	}
	pcl_policy_set_free(&rulesets->set);
}

/* --- telling -----------------------------------------------------------------------------------
 */

void model_print_operation(const struct model_operation *operation, FILE *out)
{
	const struct act_request *request = &operation->request;
	const struct model_actor *actor = &operation->actor;

	fprintf(out, "%s", act_words[request->op]);
	if (request->a[0])
		fprintf(out, " \"%s\"", request->a);
	if (request->b[0])
		fprintf(out, " \"%s\"", request->b);
	fprintf(out, " %d %d %d by %s, uid %u, domain %s%s", request->number[0], request->number[1],
		request->number[2], model_sources[actor->source], (unsigned)actor->uid,
		model_domain_names[actor->domain], actor->terminal ? ", at a terminal" : "");
}

static void print_run(const char *words, const char *path, FILE *out)
{
	fprintf(out, "  - {run: [%s, ", words);
	model_print_quoted(path, out);
	fputs("]}\n", out);
}

static bool needs(const struct act_request *request, const struct model_object *object)
{
	return !strcmp(object->path, request->a) || !strcmp(object->path, request->b);
}

/* By the guest's own programs: the agent cannot copy to the longest of the names. */
static void print_object(const struct model_object *object, FILE *out)
{
	char owner[64];

	snprintf(owner, sizeof(owner), "/bin/chown, \"%u:%u\"", (unsigned)object->owner,
		 (unsigned)object->owner);
	if (object->kind == MODEL_SCRIPT)
		fprintf(out, "  - {put: %s, text: \"#!%s\\n\"}\n", object->path,
			object->interpreter);
	else
		print_run("/bin/cp, " MODEL_NOP, object->path, out);
	print_run("/bin/chmod, \"0777\"", object->path, out);
	print_run(owner, object->path, out);
}

/* What the operation needs to be there, each directory before what is in it. */
static void print_setup(const struct model_operation *operation, FILE *out)
{
	fputs("setup:\n", out);
	for (size_t i = 0; i < model_object_count; i++) {
		const struct model_object *object = &model_objects[i];

		if (object->kind == MODEL_DIR || object->kind == MODEL_EMPTY_DIR)
			fprintf(out, "  - {mkdir: %s, mode: \"0777\"}\n", object->path);
		else if (object->kind != MODEL_ABSENT && needs(&operation->request, object))
			print_object(object, out);
	}
	fputs("  - {copy: " MODEL_TOOLS "/attacks/act, to: ", out);
	model_print_quoted(model_sources[operation->actor.source], out);
	fputs(", mode: \"0777\"}\n", out);
}

static void print_attack(const struct model_operation *operation, FILE *out)
{
	const struct act_request *request = &operation->request;
	const struct model_actor *actor = &operation->actor;

	fprintf(out, "attack: {run: [%s%s, %s, ",
		actor->terminal ? MODEL_TOOLS "/attacks/at_terminal, " : "",
		model_sources[actor->source], act_words[request->op]);
	model_print_quoted(request->a, out);
	fputs(", ", out);
	model_print_quoted(request->b, out);
	fprintf(out, ", \"%d\", \"%d\", \"%d\"], uid: %u%s}\n", request->number[0],
		request->number[1], request->number[2], (unsigned)actor->uid,
		actor->domain ? ", in: container" : "");
}

/* Of several alerts, the first. */
static void print_expect(const struct model_expected *expected, FILE *out)
{
	const char *rule = expected->refused	   ? expected->rule
			   : expected->alert_count ? expected->alerts[0].rule
						   : "";

	fprintf(out, "expect:\n  rule: \"%s\"\n", *rule ? rule : PCL_DEFAULT_POSTURE_NAME);
	if (expected->refused)
		fprintf(out, "  errno: %s\n", expected->error == EPERM ? "EPERM" : "EACCES");
	else
		fprintf(out, "  verdict: {none: MISSED, portcullis: %s}\n",
			expected->alert_count ? "DETECT_ONLY" : "MISSED");
}

void model_print_case(const struct model_set *set, const struct model_operation *operation,
		      const struct model_expected *expected, const char *title, FILE *out)
{
	pcl_autofree char *policy = model_print_set(set);
	const char *label = model_labels[operation->actor.domain];

	fprintf(out,
		"# SPDX-License-Identifier: Apache-2.0\ntitle: \"%s\"\n"
		"mitre: {id: T1562.001, version: \"17\"}\nclass: %s\nsource: \"portcullis model\"\n",
		title, operation->request.op == ACT_SOCKET ? "network" : "file");
	if (label)
		fprintf(out,
			"container: {name: first, namespace: model, labels: \"app=%s\", root: "
			"shared}\n",
			label);
	print_setup(operation, out);
	fputs("cleanup: [" MODEL_ROOT "]\ncanary:\n  - {hidden: \"" ACT_DONE
	      "\"}\npolicy:\n  - inline: |\n",
	      out);
	for (const char *line = policy; line && *line;) {
		size_t len = strcspn(line, "\n");

		fprintf(out, "      %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
	if (set->postures.file == PCL_POSTURE_BLOCK)
		fputs("posture: block\n", out);
	print_attack(operation, out);
	fputs("twin: {run: [" MODEL_TOOLS "/attacks/hello, well]}\n", out);
	print_expect(expected, out);
}
