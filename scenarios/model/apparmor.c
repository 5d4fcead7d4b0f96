/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What AppArmor is to come to: the model's decision, and where a status of that backend names
 * something that it misses or refuses besides, exactly that. So whatever no status names is a
 * difference.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "backend/apparmor_plan.h"
#include "question.h"

struct asked {
	const struct model_rulesets *rulesets;
	const struct model_operation *operation;
	struct model_expected *expected;
};

/* Always false: nothing is asked behind a refusal. */
static bool refuse(const struct asked *asked, int error, const struct pcl_rule *rule)
{
	asked->expected->refused = true;
	asked->expected->told = true;
	asked->expected->error = error;
	asked->expected->rule = rule ? rule->id : "";
	/* KERNEL: a hard link is one question, and has one record. */
	if (asked->operation->request.op == ACT_LINK)
		asked->expected->alert_count = 0;
	return false;
}

/* The rule for whose sake more is refused than rules say. */
static const struct pcl_rule *guard_of(const struct asked *asked, enum pcl_access access,
				       const char *object)
{
	const uint32_t op = asked->operation->request.op;
	const struct model_actor *actor = &asked->operation->actor;
	const int32_t *number = asked->operation->request.number;
	const struct pcl_operation guarded = {
		.access = access,
		.object = object,
		.directory = op == ACT_MKDIR || op == ACT_RMDIR,
		.source = model_sources[actor->source],
		.socket = {number[0], number[1], number[2]},
	};

	return pcl_apparmor_guard(asked->rulesets->of[actor->domain], &guarded);
}

static void decide_execute(const struct asked *asked, const char *object, const char *owned,
			   struct pcl_verdict *ret_verdict)
{
	const struct model_question question = {.access = PCL_ACCESS_EXECUTE,
						.object = object,
						.owned = owned};

	model_decide(asked->rulesets, asked->operation, &question, ret_verdict);
}

/* --- sockets -----------------------------------------------------------------------------------
 */

/* KERNEL: AppArmor's hooks are not told the protocol, so it is the one of its own of the type. */
static bool ask_socket(const struct asked *asked, const struct model_question *question)
{
	const struct pcl_rule *guard = guard_of(asked, PCL_ACCESS_SOCKET, NULL);
	struct model_operation plain = *asked->operation;
	struct pcl_verdict verdict, seen;

	plain.request.number[2] = 0;
	model_decide(asked->rulesets, asked->operation, question, &verdict);
	model_decide(asked->rulesets, &plain, question, &seen);
	if (seen.refused)
		return refuse(asked, -seen.error, verdict.refused ? verdict.rule : seen.rule);
	if (guard)
		return refuse(asked, EACCES, verdict.refused ? verdict.rule : guard);
	if (!verdict.refused && verdict.alert)
		model_expect_alert(asked->expected, &verdict, verdict.audit_rule || seen.alert);
	return true;
}

/* --- files -------------------------------------------------------------------------------------
 */

static bool is_move(const struct model_operation *operation)
{
	return operation->request.op == ACT_RENAME || operation->request.op == ACT_REPLACE ||
	       operation->request.op == ACT_EXCHANGE;
}

/* A change that rules permit may be refused for the sake of one's name. */
static bool ask_guard(const struct asked *asked, const struct model_question *question)
{
	const struct pcl_rule *guard = guard_of(asked, PCL_ACCESS_WRITE, question->object);
	struct pcl_verdict verdict;

	if (!guard)
		return true;
	decide_execute(asked, question->object, question->owned, &verdict);
	return refuse(asked, EACCES,
		      is_move(asked->operation) && verdict.refused ? verdict.rule : guard);
}

static bool ask(const struct asked *asked, const struct model_question *question)
{
	bool is_link = asked->operation->request.op == ACT_LINK;
	struct pcl_verdict verdict;

	if (question->access == PCL_ACCESS_SOCKET)
		return ask_socket(asked, question);
	model_decide(asked->rulesets, asked->operation, question, &verdict);
	if (question->named && !(verdict.refused && verdict.rule))
		return true;
	if (question->access == PCL_ACCESS_CAPABILITY)
		asked->expected->capability = question->capability;
	if (verdict.refused)
		return refuse(asked, -verdict.error, verdict.rule);
	if (question->access == PCL_ACCESS_WRITE && !is_link && !ask_guard(asked, question))
		return false;
	if (verdict.alert)
		model_expect_alert(asked->expected, &verdict,
				   !is_link || !asked->expected->alert_count);
	return true;
}

/* KERNEL: both names are judged by the owner of what is moved. */
static size_t ask_rename(const char *from, const char *to, const char *owned,
			 struct model_question *questions)
{
	questions[0] =
		(struct model_question){.access = PCL_ACCESS_WRITE, .object = from, .owned = owned};
	questions[1] =
		(struct model_question){.access = PCL_ACCESS_WRITE, .object = to, .owned = owned};
	return 2;
}

/* KERNEL: an exchange is two renames, that of the second name first. */
static size_t questions_of_move(const struct act_request *request, struct model_question *questions)
{
	size_t count = 0;

	if (request->op == ACT_EXCHANGE)
		count = ask_rename(request->b, request->a, request->b, questions);
	return count + ask_rename(request->a, request->b, request->a, questions + count);
}

/* KERNEL: so it is with a hard link, whose new name is looked at first. */
static size_t questions_of_link(const struct act_request *request, struct model_question *questions)
{
	questions[0] = (struct model_question){.access = PCL_ACCESS_WRITE,
					       .object = request->b,
					       .owned = request->a};
	questions[1] = (struct model_question){.access = PCL_ACCESS_WRITE, .object = request->a};
	questions[2] = (struct model_question){.access = PCL_ACCESS_EXECUTE,
					       .object = request->a,
					       .named = true};
	return 3;
}

/* What a script names as its interpreter is not asked about, nor who may execute what is moved. */
static size_t questions_by_name(const struct model_operation *operation,
				struct model_question *questions)
{
	size_t count, kept = 0;

	if (is_move(operation))
		return questions_of_move(&operation->request, questions);
	if (operation->request.op == ACT_LINK)
		return questions_of_link(&operation->request, questions);
	count = model_questions_of(operation, questions);
	for (size_t i = 0; i < count; i++)
		if (!questions[i].named && !questions[i].script)
			questions[kept++] = questions[i];
	return kept;
}

/* --- programs ----------------------------------------------------------------------------------
 */

static bool is_source(const struct asked *asked, const char *path)
{
	const struct pcl_ruleset *ruleset = asked->rulesets->of[asked->operation->actor.domain];

	for (size_t r = 0; r < ruleset->rule_count; r++)
		for (size_t i = 0; i < ruleset->rules[r]->source_count; i++)
			if (!strcmp(ruleset->rules[r]->sources[i], path))
				return true;
	return false;
}

/*
 * KERNEL: what is executed out of one profile into another must be readable in that one, to be
 * mapped; else the kernel kills the process in the midst of it.
 */
static void ask_mapping(const struct asked *asked)
{
	const struct act_request *request = &asked->operation->request;
	struct model_question question = {.access = PCL_ACCESS_READ,
					  .object = request->a,
					  .entered = true};
	struct pcl_verdict verdict;

	if (request->op < ACT_EXECUTE || request->op > ACT_MEMORY ||
	    !is_source(asked, model_sources[asked->operation->actor.source]))
		return;
	if (request->op == ACT_SCRIPT)
		question.object = request->b;
	else if (request->op == ACT_MEMORY)
		question.object = PCL_OBJECT_NONE;
	model_decide(asked->rulesets, asked->operation, &question, &verdict);
	if (verdict.refused)
		(void)refuse(asked, ECHILD, verdict.rule);
	else if (verdict.alert)
		model_expect_alert(asked->expected, &verdict, false);
}

/* KERNEL: of what is opened to read and to write, the record tells what is to be told of. */
static void ask_reading(const struct asked *asked)
{
	const struct act_request *request = &asked->operation->request;
	const struct model_question question = {.access = PCL_ACCESS_READ, .object = request->a};
	struct pcl_verdict verdict;

	if (request->op != ACT_BOTH)
		return;
	model_decide(asked->rulesets, asked->operation, &question, &verdict);
	if (!verdict.refused && verdict.alert)
		model_expect_alert(asked->expected, &verdict, false);
}

bool model_is_of_two_owners(const struct act_request *request)
{
	const struct model_object *a = model_object_find(request->a);
	const struct model_object *b = model_object_find(request->b);

	return request->op == ACT_EXCHANGE && a && b && a->owner != b->owner;
}

void model_expect_by_name(const struct model_rulesets *rulesets,
			  const struct model_operation *operation,
			  struct model_expected *ret_expected)
{
	const struct asked asked = {rulesets, operation, ret_expected};
	struct model_question questions[MODEL_QUESTIONS];
	size_t count = questions_by_name(operation, questions);

	for (size_t i = 0; i < count; i++)
		if (!ask(&asked, &questions[i]))
			return;
	ret_expected->error = model_error_without(operation);
	ask_mapping(&asked);
	ask_reading(&asked);
}
