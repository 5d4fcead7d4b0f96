/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SELinux is to come to: the model's decision on what has a label, for whoever acts, and where
 * a status of that backend names something that it misses or refuses besides, exactly that. So
 * whatever no status names is a difference.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backend/selinux_plan.h"
#include "base/cleanup.h"
#include "labels.h"
#include "question.h"

struct asked {
	const struct model_rulesets *rulesets;
	struct model_operation operation; /* as one of the host's */
	bool known;			  /* its label says which program the actor runs */
	struct model_expected *expected;
};

static void decide_as(const struct asked *asked, bool known, enum pcl_access access,
		      const char *object, struct pcl_verdict *ret_verdict)
{
	const struct model_question question = {.access = access,
						.object = object,
						.entered = !known};

	model_decide(asked->rulesets, &asked->operation, &question, ret_verdict);
}

static void decide(const struct asked *asked, enum pcl_access access, const char *object,
		   struct pcl_verdict *ret_verdict)
{
	decide_as(asked, asked->known, access, object, ret_verdict);
}

/* Always false: nothing is asked behind a refusal. */
static bool refuse(const struct asked *asked, int error, const char *rule)
{
	asked->expected->refused = true;
	asked->expected->told = true;
	asked->expected->error = error;
	asked->expected->rule = rule;
	return false;
}

static void expect_told(const struct asked *asked, const char *rule)
{
	struct model_expected *expected = asked->expected;

	if (expected->alert_count < MODEL_ALERTS)
		expected->alerts[expected->alert_count++] =
			(struct model_alert){.rule = rule, .required = true};
}

/* Alerts of what an audited list leaves out are missed. */
static bool ask(const struct asked *asked, enum pcl_access access, const char *object)
{
	struct pcl_verdict verdict;

	decide(asked, access, object, &verdict);
	if (verdict.refused)
		return refuse(asked, -verdict.error, verdict.rule ? verdict.rule->id : "");
	if (verdict.audit_rule)
		expect_told(asked, verdict.audit_rule->id);
	return true;
}

/* KERNEL: reading and writing are asked for at once, and what was asked for is one record. */
static bool ask_both(const struct asked *asked, const char *object, int error)
{
	struct pcl_verdict read, write;

	decide(asked, PCL_ACCESS_READ, object, &read);
	decide(asked, PCL_ACCESS_WRITE, object, &write);
	if (write.refused)
		return refuse(asked, error, write.rule ? write.rule->id : "");
	if (write.audit_rule)
		expect_told(asked, write.audit_rule->id);
	else if (read.audit_rule)
		expect_told(asked, read.audit_rule->id);
	return true;
}

/* --- what is made ------------------------------------------------------------------------------
 */

/* A name that no rule has by chance: what it gets, all that is made there gets. */
#define SOME_NAME "some-name-that-no-rule-has"

static char *directory_of(const char *path)
{
	return strndup(path, (size_t)(strrchr(path, '/') - path));
}

static char *below(const char *directory, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static const char *label_of(const char *directory)
{
	size_t count;
	const struct model_directory *directories = model_labels_directories(&count);

	for (size_t i = 0; i < count; i++)
		if (!strcmp(directories[i].path, directory))
			return directories[i].label;
	return "";
}

/* NULL: the verdict is not one of a refusal, or of what is told of. */
static const char *rule_named(const struct pcl_verdict *verdict, bool refused)
{
	if (verdict->refused != refused)
		return NULL;
	if (refused)
		return verdict->rule ? verdict->rule->id : "";
	return verdict->audit_rule ? verdict->audit_rule->id : NULL;
}

/*
 * Which rule an event names of what is not there yet: it has the directory's type and the name, so
 * that of which all directories of the type say the same. NULL: it is not told, for there is one
 * such directory, and no rule asks for it.
 */
static const char *rule_of_entry(const struct asked *asked, const char *path, const char *entry,
				 bool refused)
{
	pcl_autofree char *parent = directory_of(path);
	const char *label = parent ? label_of(parent) : "", *rule = NULL;
	size_t count, found = 0;
	const struct model_directory *directories = model_labels_directories(&count);
	bool same = true;

	for (size_t i = 0; i < count; i++) {
		pcl_autofree char *name = NULL;
		struct pcl_verdict verdict = {0};
		const char *named;

		if (strcmp(directories[i].label, label) != 0)
			continue;
		name = below(directories[i].path, entry);
		if (name)
			decide(asked, PCL_ACCESS_WRITE, name, &verdict);
		named = rule_named(&verdict, refused);
		same = same && named && (!found || !strcmp(rule, named));
		rule = named;
		found++;
	}
	return same && found ? rule : found == 1 ? NULL : MODEL_NO_RULE;
}

static const char *rule_of_new(const struct asked *asked, const char *path, bool refused)
{
	return rule_of_entry(asked, path, strrchr(path, '/') + 1, refused);
}

/* What all that is made beside path gets: without it, that path is ruled is missed. */
static void decide_made(const struct asked *asked, const char *path,
			struct pcl_verdict *ret_verdict)
{
	pcl_autofree char *parent = directory_of(path);
	pcl_autofree char *made = parent ? below(parent, SOME_NAME) : NULL;

	if (made)
		decide(asked, PCL_ACCESS_WRITE, made, ret_verdict);
	else
		*ret_verdict = (struct pcl_verdict){0};
}

/* A name is added to a directory. there: of a file that is there. */
static bool ask_entry(const struct asked *asked, const char *path, bool there)
{
	struct pcl_verdict made, verdict;
	const char *rule;

	decide_made(asked, path, &made);
	if (!made.refused)
		return true;
	decide(asked, PCL_ACCESS_WRITE, path, &verdict);
	rule = there ? rule_named(&verdict, true) : rule_of_new(asked, path, true);
	return refuse(asked, EACCES, rule ? rule : MODEL_NO_RULE);
}

/* KERNEL: a file that is made is opened then, which has its path; a directory has its name only. */
static bool ask_new(const struct asked *asked)
{
	const struct act_request *request = &asked->operation.request;
	struct pcl_verdict made, verdict;
	const char *rule;

	if (!ask_entry(asked, request->a, false))
		return false;
	decide_made(asked, request->a, &made);
	/* Of links and pipes nothing is told. */
	if (!made.audit_rule || (request->op != ACT_CREATE && request->op != ACT_MKDIR))
		return true;
	decide(asked, PCL_ACCESS_WRITE, request->a, &verdict);
	/* Which directories a file's type may be of, the node's own policy says. */
	asked->expected->unnamed = request->op == ACT_CREATE;
	rule = request->op == ACT_CREATE ? rule_named(&verdict, false)
					 : rule_of_new(asked, request->a, false);
	if (rule)
		expect_told(asked, rule);
	return true;
}

/* --- what is moved -----------------------------------------------------------------------------
 */

enum taking {
	MOVED,	  /* to another name */
	REPLACED, /* or gone */
	LINKED,	  /* it gets one more */
};

/* What a rule on a directory blocks may be taken away: what comes in its place is blocked. */
static bool keeps(const struct pcl_verdict *verdict)
{
	return verdict->refused && verdict->rule && verdict->rule->match != PCL_MATCH_DIR &&
	       verdict->rule->match != PCL_MATCH_DIR_RECURSIVE;
}

/* A program that is refused to whoever runs one of the sources keeps its name, whoever acts. */
static bool is_kept(const struct asked *asked, const char *path)
{
	struct asked other = *asked;
	struct pcl_verdict verdict;

	decide_as(asked, false, PCL_ACCESS_EXECUTE, path, &verdict);
	for (unsigned s = 0; s < MODEL_SOURCES && !keeps(&verdict); s++) {
		other.operation.actor.source = s;
		decide_as(&other, true, PCL_ACCESS_EXECUTE, path, &verdict);
	}
	return keeps(&verdict);
}

/* The first rule that blocks the program, to whomever. */
static const char *rule_of_kept(const struct asked *asked, const char *path)
{
	const struct pcl_ruleset *ruleset = asked->rulesets->of[0];
	const struct pcl_operation change = {.access = PCL_ACCESS_WRITE, .object = path};
	const struct pcl_rule *rule = pcl_selinux_guard(ruleset, &change);

	return rule ? rule->id : MODEL_NO_RULE;
}

/* A program that a rule blocks keeps its name. */
static bool ask_kept(const struct asked *asked, const char *path, enum taking taking)
{
	struct pcl_verdict verdict;
	bool blocked;

	decide(asked, PCL_ACCESS_EXECUTE, path, &verdict);
	blocked = verdict.refused && verdict.rule;
	if (blocked && (taking != REPLACED || keeps(&verdict)))
		return refuse(asked, EACCES, verdict.rule->id);
	if (taking == LINKED || !is_kept(asked, path))
		return true;
	return refuse(asked, EACCES, blocked ? verdict.rule->id : rule_of_kept(asked, path));
}

/* KERNEL: that is one question of the kernel's, which is refused or told of. */
static bool ask_taken(const struct asked *asked, const char *path, enum taking taking)
{
	struct pcl_verdict verdict;

	decide(asked, PCL_ACCESS_WRITE, path, &verdict);
	return (verdict.refused || ask_kept(asked, path, taking)) &&
	       ask(asked, PCL_ACCESS_WRITE, path);
}

static bool ask_move(const struct asked *asked, const char *from, const char *to, bool replaces)
{
	return ask_taken(asked, from, MOVED) && ask_entry(asked, to, replaces) &&
	       (!replaces || ask_taken(asked, to, REPLACED));
}

static bool have_same_label(const char *a, const char *b)
{
	pcl_autofree char *of_a = directory_of(a), *of_b = directory_of(b);

	return of_a && of_b && !strcmp(label_of(of_a), label_of(of_b));
}

/* KERNEL: a directory that gets a link is told of with the name that the file has elsewhere. */
static const char *rule_of_link(const struct asked *asked, const char *from, const char *to)
{
	struct pcl_verdict verdict;

	decide(asked, PCL_ACCESS_WRITE, from, &verdict);
	return have_same_label(from, to) ? rule_named(&verdict, true)
					 : rule_of_entry(asked, to, SOME_NAME, true);
}

/*
 * KERNEL: it is looked first whether who makes a link may read and write the file, which who does
 * not own it must (protected_hardlinks); then at the new name.
 */
static bool ask_link(const struct asked *asked, const char *from, const char *to)
{
	uid_t uid = asked->operation.actor.uid;
	struct pcl_verdict write, made;
	const char *rule;

	decide(asked, PCL_ACCESS_WRITE, from, &write);
	decide_made(asked, to, &made);
	if (!write.refused || (uid && model_object_find(from)->owner != uid)) {
		if (!ask_both(asked, from, EPERM))
			return false;
	} else {
		asked->expected->also = write.rule ? write.rule->id : "";
	}
	if (made.refused) {
		rule = rule_of_link(asked, from, to);
		return refuse(asked, EACCES, rule ? rule : MODEL_NO_RULE);
	}
	return ask_taken(asked, from, LINKED);
}

/* --- programs ----------------------------------------------------------------------------------
 */

/*
 * KERNEL: what is executed is opened to be read, too; an interpreter that a script names is opened
 * so, and it is not told of as a program.
 */
static bool ask_program(const struct asked *asked, const char *path, bool interpreter)
{
	struct pcl_verdict verdict;

	decide(asked, PCL_ACCESS_EXECUTE, path, &verdict);
	if (verdict.refused)
		return refuse(asked, EACCES, verdict.rule ? verdict.rule->id : "");
	if (!ask(asked, PCL_ACCESS_READ, path))
		return false;
	if (verdict.audit_rule && !interpreter)
		expect_told(asked, verdict.audit_rule->id);
	return true;
}

/* KERNEL: it is mapped, and so read once more, by what the actor has become: none of the sources.
 */
static bool ask_mapping(const struct asked *asked, const char *path)
{
	struct asked entered = *asked;

	entered.known = false;
	return !asked->known || ask(&entered, PCL_ACCESS_READ, path);
}

/* --- the whole ---------------------------------------------------------------------------------
 */

#define PROTOCOL_RESERVED 255

/* Of raw sockets it is missed which protocol they are of. */
static bool ask_socket(const struct asked *asked)
{
	struct asked seen = *asked;
	struct pcl_verdict verdict;

	if (asked->operation.request.number[1] == SOCK_RAW)
		seen.operation.request.number[2] = PROTOCOL_RESERVED;
	decide(&seen, PCL_ACCESS_SOCKET, NULL, &verdict);
	if (!verdict.refused)
		return true;
	return refuse(asked, -verdict.error, verdict.rule ? verdict.rule->id : "");
}

static bool ask_capability(const struct asked *asked)
{
	struct model_question questions[MODEL_QUESTIONS];
	size_t count = model_questions_of(&asked->operation, questions);
	struct pcl_verdict verdict;

	model_decide(asked->rulesets, &asked->operation, &questions[count - 1], &verdict);
	return !verdict.refused ||
	       refuse(asked, -verdict.error, verdict.rule ? verdict.rule->id : "");
}

static bool ask_all(const struct asked *asked)
{
	const struct act_request *request = &asked->operation.request;

	switch ((enum act_op)request->op) {
	case ACT_READ:
		return ask(asked, PCL_ACCESS_READ, request->a);
	case ACT_BOTH:
		return ask_both(asked, request->a, EACCES);
	case ACT_CREATE:
	case ACT_MKDIR:
	case ACT_SYMLINK:
	case ACT_MKNOD:
		return ask_new(asked);
	case ACT_UNLINK:
		return ask_taken(asked, request->a, REPLACED);
	case ACT_RENAME:
		return ask_move(asked, request->a, request->b, false);
	case ACT_REPLACE:
		return ask_move(asked, request->a, request->b, true);
	case ACT_EXCHANGE:
		/* KERNEL: that is two renames, of the second name first. */
		return ask_move(asked, request->b, request->a, true) &&
		       ask_move(asked, request->a, request->b, true);
	case ACT_LINK:
		return ask_link(asked, request->a, request->b);
	case ACT_EXECUTE:
	case ACT_EXECUTE_AT:
		return ask_program(asked, request->a, false) && ask_mapping(asked, request->a);
	case ACT_SCRIPT:
		return ask_program(asked, request->a, false) &&
		       ask_program(asked, request->b, true) && ask_mapping(asked, request->b);
	case ACT_MEMORY:
	case ACT_MAP:
		return true;
	case ACT_SOCKET:
		return ask_socket(asked);
	case ACT_CHROOT:
	case ACT_NICE:
	case ACT_BOOT:
	case ACT_ACCOUNT:
		return ask_capability(asked);
	default:
		return ask(asked, PCL_ACCESS_WRITE, request->a);
	}
}

/* Of a directory that was made again the backend knows the label, and not the name. */
static void expect_unnamed(struct model_expected *expected)
{
	expected->told = false;
	for (size_t i = 0; i < expected->alert_count; i++)
		expected->alerts[i].required = false;
	expected->unnamed = true;
}

void model_expect_by_label(const struct model_rulesets *rulesets,
			   const struct model_operation *operation,
			   struct model_expected *ret_expected)
{
	struct asked asked = {rulesets, *operation, model_actor_is_known(&operation->actor),
			      ret_expected};

	/* Containers are refused what the host is. */
	asked.operation.actor.domain = 0;
	if (ask_all(&asked))
		ret_expected->error = model_error_without(operation);
	if (operation->request.op == ACT_RMDIR && model_labels_are_old(operation->request.a))
		expect_unnamed(ret_expected);
}

/* --- how actors start --------------------------------------------------------------------------
 */

static bool is_source(const struct pcl_ruleset *ruleset, const char *path)
{
	for (size_t i = 0; i < ruleset->rule_count; i++)
		if (ruleset->rules[i]->source_count &&
		    pcl_rule_matches_source(ruleset->rules[i], path))
			return true;
	return false;
}

static bool is_refused(const struct asked *asked, bool known, enum pcl_access access)
{
	struct pcl_verdict verdict;

	decide_as(asked, known, access, model_sources[asked->operation.actor.source], &verdict);
	return verdict.refused;
}

/*
 * A source is not known by a script's label, nor where no_new_privs stands against what it would
 * become. KERNEL: it is executed and read by who starts it, and mapped by what it becomes, which is
 * killed where it may not read or execute it.
 */
void model_expect_start(const struct model_rulesets *rulesets, const struct model_actor *actor,
			enum model_start how, struct model_started *ret_started)
{
	struct asked asked = {.rulesets = rulesets, .operation = {.actor = *actor}};
	bool known = how != MODEL_SCRIPTED &&
		     is_source(rulesets->of[0], model_sources[actor->source]) &&
		     (!actor->uid || model_labels_pass_no_new_privs());

	asked.operation.actor.domain = 0;
	*ret_started = (struct model_started){.known = known};
	if (is_refused(&asked, false, PCL_ACCESS_EXECUTE) ||
	    is_refused(&asked, false, PCL_ACCESS_READ))
		ret_started->error = EACCES;
	else if (is_refused(&asked, known, PCL_ACCESS_EXECUTE) ||
		 is_refused(&asked, known, PCL_ACCESS_READ))
		ret_started->error = ECHILD;
}
