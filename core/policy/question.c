/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words to an operation. The way back is in question_print.c.
 *
 * One table holds the verbs, so that an unknown word gets the nearest known one.
 */
#include "policy/question.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/yaml.h"
#include "policy/names.h"
#include "policy/path.h"

struct parser {
	struct pcl_question *question;
	struct pcl_diag *diag;
	size_t at; /* next word */
	bool has_uid;
	bool has_owner;
	uint64_t uid;
	uint64_t owner;
};

/* --- words ----------------------------------------------------------------------------------- */

/* One word at *text, which is moved behind it. NULL without memory. */
static char *take_word(const char **text)
{
	char *word = malloc(strlen(*text) + 1);
	const char *at = *text;
	bool quoted = false;
	size_t len = 0;

	if (!word)
		return NULL;
	for (; *at && (quoted || *at != ' '); at++) {
		if (*at == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *at == '\\' && at[1])
			at++;
		word[len++] = *at;
	}
	word[len] = '\0';
	*text = at;
	return word;
}

static int split(struct pcl_question *question, const char *text)
{
	text += strspn(text, " ");
	while (*text) {
		if (pcl_array_grow(&question->words, question->word_count, sizeof(char *)))
			return -ENOMEM;
		question->words[question->word_count] = take_word(&text);
		if (!question->words[question->word_count])
			return -ENOMEM;
		question->word_count++;
		text += strspn(text, " ");
	}
	return 0;
}

/* The next word, or NULL with diag where what is missing. */
static char *next(struct parser *parser, const char *what)
{
	if (parser->at < parser->question->word_count)
		return parser->question->words[parser->at++];
	(void)pcl_diag_set(parser->diag, -EINVAL, "the operation ends too early; add %s", what);
	return NULL;
}

static int unknown(const struct parser *parser, const char *what, const char *word,
		   const char *const *known)
{
	const char *near = pcl_nearest_word(word, known);

	if (near)
		return pcl_diag_set(parser->diag, -EINVAL,
				    "unknown %s \"%s\"; did you mean \"%s\"?", what, word, near);
	return pcl_diag_set(parser->diag, -EINVAL,
			    "unknown %s \"%s\"; see portcullis explain --help", what, word);
}

static int take_path(struct parser *parser, const char *what, char **ret_path)
{
	const char *word = next(parser, what), *reason = "out of memory";

	if (!word)
		return -EINVAL;
	if (pcl_path_normalise(word, ret_path, &reason))
		return pcl_diag_set(parser->diag, -EINVAL, "%s \"%s\" cannot be used; %s", what,
				    word, reason);
	return 0;
}

static int take_number(struct parser *parser, const char *what, uint64_t max, uint64_t *ret_number)
{
	const char *word = next(parser, "a number");
	char *end;

	if (!word)
		return -EINVAL;
	errno = 0;
	*ret_number = strtoull(word, &end, 10);
	if (errno || *end || word[0] < '0' || word[0] > '9' || *ret_number > max)
		return pcl_diag_set(parser->diag, -EINVAL,
				    "%s \"%s\" is no number from 0 to %llu; mend it", what, word,
				    (unsigned long long)max);
	return 0;
}

/* --- the operation itself -------------------------------------------------------------------- */

static int take_object(struct parser *parser)
{
	struct pcl_question *question = parser->question;

	if (parser->at < question->word_count &&
	    !strcmp(question->words[parser->at], PCL_QUESTION_NO_PATH)) {
		parser->at++;
		return 0;
	}
	return take_path(parser, "the path", &question->object);
}

static const struct {
	const char *verb;
	enum pcl_access access;
} file_verbs[] = {
	{"read", PCL_ACCESS_READ},	   {"write", PCL_ACCESS_WRITE},
	{"open", PCL_ACCESS_READ},	   {"list", PCL_ACCESS_READ},
	{"stat", PCL_ACCESS_READ},	   {"map", PCL_ACCESS_READ},
	{"readlink", PCL_ACCESS_READ},	   {"append", PCL_ACCESS_WRITE},
	{"create", PCL_ACCESS_WRITE},	   {"truncate", PCL_ACCESS_WRITE},
	{"unlink", PCL_ACCESS_WRITE},	   {"rename", PCL_ACCESS_WRITE},
	{"link", PCL_ACCESS_WRITE},	   {"symlink", PCL_ACCESS_WRITE},
	{"mkdir", PCL_ACCESS_WRITE},	   {"rmdir", PCL_ACCESS_WRITE},
	{"mknod", PCL_ACCESS_WRITE},	   {"chmod", PCL_ACCESS_WRITE},
	{"chown", PCL_ACCESS_WRITE},	   {"setxattr", PCL_ACCESS_WRITE},
	{"removexattr", PCL_ACCESS_WRITE}, {"utimes", PCL_ACCESS_WRITE},
};

static int take_file(struct parser *parser)
{
	const char *known[PCL_ARRAY_SIZE(file_verbs) + 1] = {NULL};
	const char *word = next(parser, "what is done to the file, as read or write");

	if (!word)
		return -EINVAL;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(file_verbs); i++) {
		known[i] = file_verbs[i].verb;
		if (strcmp(word, known[i]) != 0)
			continue;
		parser->question->operation.access = file_verbs[i].access;
		return take_object(parser);
	}
	return unknown(parser, "file operation", word, known);
}

static int take_socket(struct parser *parser)
{
	const char *known[PCL_PROTOCOL_COUNT + 1] = {NULL};
	const char *word = next(parser, "a protocol, as tcp");

	parser->question->operation.access = PCL_ACCESS_SOCKET;
	for (int i = 0; word && i < PCL_PROTOCOL_COUNT; i++) {
		known[i] = pcl_protocol_name((enum pcl_protocol)i);
		if (strcmp(word, known[i]) != 0)
			continue;
		parser->question->operation.socket = *pcl_protocol_example((enum pcl_protocol)i);
		return 0;
	}
	return word ? unknown(parser, "protocol", word, known) : -EINVAL;
}

static int take_resolve(struct parser *parser)
{
	parser->question->operation.access = PCL_ACCESS_RESOLVE;
	parser->question->operation.name = next(parser, "a DNS name");
	return parser->question->operation.name ? 0 : -EINVAL;
}

/* A number for a name that is not known; -1 for what is none, or larger than max. */
static int small_number(const char *word, int base, long max)
{
	char *end;
	long number;

	if (word[0] < '0' || word[0] > '9')
		return -1;
	errno = 0;
	number = strtol(word, &end, base);
	return errno || *end || number > max ? -1 : (int)number;
}

/* KERNEL: a capability set has 64 bits. */
#define CAPABILITY_MAX 63

static int take_capability(struct parser *parser)
{
	const char *word = next(parser, "a capability, as net_raw");
	int number = word ? pcl_capability_number(word) : -1;

	parser->question->operation.access = PCL_ACCESS_CAPABILITY;
	if (word && number < 0)
		number = small_number(word, 10, CAPABILITY_MAX);
	if (number < 0)
		return word ? unknown(parser, "capability", word, pcl_capability_names) : -EINVAL;
	parser->question->operation.capability = (unsigned)number;
	return 0;
}

static int take_syscall(struct parser *parser)
{
	struct pcl_question *question = parser->question;
	const char *word = next(parser, "a system call, as unlink");

	question->operation.access = PCL_ACCESS_SYSCALL;
	if (!word)
		return -EINVAL;
	if (pcl_syscall_check(word))
		return unknown(parser, "system call", word, pcl_syscall_names);
	question->operation.name = word;
	if (parser->at < question->word_count && question->words[parser->at][0] == '/')
		return take_object(parser);
	return 0;
}

static int take_device(struct parser *parser)
{
	const char *word = next(parser, "a device class, as HID");
	struct pcl_device *device = &parser->question->operation.device;

	parser->question->operation.access = PCL_ACCESS_DEVICE;
	if (!word)
		return -EINVAL;
	device->level = 1;
	device->class = pcl_device_class_number(word);
	if (device->class < 0)
		device->class = small_number(word, 0, UINT8_MAX);
	if (device->class < 0)
		return unknown(parser, "device class", word, pcl_device_class_names);
	return 0;
}

static int take_exec(struct parser *parser)
{
	parser->question->operation.access = PCL_ACCESS_EXECUTE;
	return take_object(parser);
}

static int take_map(struct parser *parser)
{
	parser->question->operation.access = PCL_ACCESS_MAP;
	return 0;
}

static const struct {
	const char *word;
	int (*take)(struct parser *parser);
} starts[] = {
	{"exec", take_exec},	   {"execute", take_exec},  {"file", take_file},
	{"connect", take_socket},  {"socket", take_socket}, {"bind", take_socket},
	{"listen", take_socket},   {"accept", take_socket}, {"send", take_socket},
	{"resolve", take_resolve}, {"dns", take_resolve},   {"capability", take_capability},
	{"syscall", take_syscall}, {"device", take_device}, {"map", take_map},
};

/* --- what is said besides --------------------------------------------------------------------- */

static int take_source(struct parser *parser)
{
	struct pcl_question *question = parser->question;
	int error;

	free(question->source);
	question->source = NULL;
	error = take_path(parser, "the source", &question->source);
	question->operation.source = question->source;
	return error;
}

static int take_uid(struct parser *parser)
{
	parser->has_uid = true;
	return take_number(parser, "uid", UINT32_MAX, &parser->uid);
}

static int take_owner(struct parser *parser)
{
	parser->has_owner = true;
	return take_number(parser, "owner", UINT32_MAX, &parser->owner);
}

/* One argument at *text, which is moved behind it; "\\" takes the next byte as it is. */
static char *take_arg(const char **text)
{
	char *arg = malloc(strlen(*text) + 1);
	size_t len = 0;

	if (!arg)
		return NULL;
	for (; **text && **text != ','; (*text)++) {
		if (**text == '\\' && (*text)[1])
			(*text)++;
		arg[len++] = **text;
	}
	arg[len] = '\0';
	return arg;
}

static int take_args(struct parser *parser)
{
	struct pcl_question *question = parser->question;
	const char *text = next(parser, "arguments, as -m,random");

	while (text) {
		char *arg = NULL;

		if (!pcl_array_grow(&question->args, question->arg_count, sizeof(char *)))
			arg = take_arg(&text);
		if (!arg)
			return pcl_diag_set(parser->diag, -ENOMEM, "out of memory");
		question->args[question->arg_count++] = arg;
		if (!*text)
			return 0;
		text++;
	}
	return -EINVAL;
}

static int take_family(struct parser *parser)
{
	const char *word = next(parser, "an address family, as inet6");

	if (!word)
		return -EINVAL;
	parser->question->operation.socket.family = pcl_family_number(word);
	return parser->question->operation.socket.family < 0
		       ? unknown(parser, "address family", word, pcl_family_names)
		       : 0;
}

static int take_type(struct parser *parser)
{
	const char *word = next(parser, "a socket type, as stream");

	if (!word)
		return -EINVAL;
	parser->question->operation.socket.type = pcl_socket_type_number(word);
	return parser->question->operation.socket.type < 0
		       ? unknown(parser, "socket type", word, pcl_socket_type_names)
		       : 0;
}

static int take_device_number(struct parser *parser, const char *what, int *ret_number)
{
	uint64_t number;
	int error = take_number(parser, what, UINT8_MAX, &number);

	if (!error)
		*ret_number = (int)number;
	return error;
}

static int take_sub_class(struct parser *parser)
{
	return take_device_number(parser, "subclass",
				  &parser->question->operation.device.sub_class);
}

static int take_device_protocol(struct parser *parser)
{
	return take_device_number(parser, "protocol", &parser->question->operation.device.protocol);
}

static int take_level(struct parser *parser)
{
	return take_device_number(parser, "level", &parser->question->operation.device.level);
}

static int take_terminal(struct parser *parser)
{
	parser->question->operation.terminal = true;
	return 0;
}

static int take_entered(struct parser *parser)
{
	parser->question->operation.entered = true;
	return 0;
}

static int take_own(struct parser *parser)
{
	parser->question->operation.own_process = true;
	return 0;
}

static int take_unknown(struct parser *parser)
{
	parser->question->operation.object_unknown = true;
	return 0;
}

static const struct {
	const char *word;
	int (*take)(struct parser *parser);
} clauses[] = {
	{"by", take_source},	      {"uid", take_uid},
	{"owner", take_owner},	      {"args", take_args},
	{"family", take_family},      {"type", take_type},
	{"subclass", take_sub_class}, {"protocol", take_device_protocol},
	{"level", take_level},	      {"terminal", take_terminal},
	{"entered", take_entered},    {"own", take_own},
	{"unknown", take_unknown},
};

static int take_clause(struct parser *parser, const char *word)
{
	const char *known[PCL_ARRAY_SIZE(clauses) + 1] = {NULL};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(clauses); i++) {
		known[i] = clauses[i].word;
		if (!strcmp(word, known[i]))
			return clauses[i].take(parser);
	}
	return unknown(parser, "word", word, known);
}

static int take_start(struct parser *parser)
{
	const char *known[PCL_ARRAY_SIZE(starts) + 1] = {NULL};
	const char *word = next(parser, "an operation, as exec PATH");

	for (size_t i = 0; word && i < PCL_ARRAY_SIZE(starts); i++) {
		known[i] = starts[i].word;
		if (!strcmp(word, known[i]))
			return starts[i].take(parser);
	}
	return word ? unknown(parser, "operation", word, known) : -EINVAL;
}

int pcl_question_parse(const char *text, struct pcl_question **ret_question, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_question_free) struct pcl_question *question = calloc(1, sizeof(*question));
	struct parser parser = {.question = question, .diag = diag};
	int error;

	if (!question || split(question, text))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	error = take_start(&parser);
	while (!error && parser.at < question->word_count)
		error = take_clause(&parser, question->words[parser.at++]);
	if (error)
		return error;
	question->operation.object = question->object;
	question->operation.args = (const char *const *)question->args;
	question->operation.arg_count = question->arg_count;
	question->operation.owner =
		parser.has_uid && parser.has_owner && parser.uid == parser.owner;
	*ret_question = pcl_take_ptr(question);
	return 0;
}

void pcl_question_free(struct pcl_question **question)
{
	if (!*question)
		return;
	pcl_strings_free(&(*question)->words, &(*question)->word_count);
	pcl_strings_free(&(*question)->args, &(*question)->arg_count);
	free((*question)->object);
	free((*question)->source);
	free(*question);
	*question = NULL;
}
