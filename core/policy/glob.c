/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path patterns as a small program over bytes, run by following all its states at once.
 *
 * A pattern of n bytes becomes at most 2n+1 steps. Matching holds the set of steps that the text so
 * far can have reached, so a byte of text costs at most one visit of each step: nothing is tried
 * twice, whatever the pattern repeats or nests. It must not allocate: backends call it while they
 * hold nothing that could fail.
 */
#include "policy/glob.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

/* KERNEL: no path is longer than PATH_MAX with its NUL, so no useful pattern is. */
#define PATTERN_LEN_MAX (PATH_MAX - 1)
#define STEPS_MAX (2 * PATTERN_LEN_MAX + 2)
/* Groups in groups; a person nests two or three. */
#define GROUP_DEPTH_MAX 32

enum step_type {
	STEP_BYTE,	  /* takes this byte */
	STEP_SET,	  /* takes a byte of the set */
	STEP_NAME,	  /* takes any byte but "/" */
	STEP_LOOP_NAME,	  /* goes on by itself, or takes any byte but "/" and stays */
	STEP_LOOP_ANY,	  /* goes on by itself, or takes any byte and stays */
	STEP_ALTERNATIVE, /* goes on by itself, and to the next alternative */
	STEP_JUMP,	  /* to the end of the group */
	STEP_MATCH,
};

struct step {
	uint8_t type; /* enum step_type */
	uint8_t byte;
	uint16_t target; /* of ALTERNATIVE and JUMP: a step, always further on; of SET: a set */
};

struct byte_set {
	uint32_t bits[256 / 32];
};

struct pcl_glob {
	struct step *steps;
	size_t step_count;
	struct byte_set *sets;
	size_t set_count;
	char *prefix;
	size_t prefix_len; /* so many steps at the front take one byte each, these */
};

/* An open "{": the chain of jumps to its end, linked through their targets. */
struct group {
	size_t offset;	      /* of the "{" in the pattern */
	uint16_t alternative; /* the step that leads to the alternative after this one */
	uint16_t jumps;	      /* the latest, or 0: step 0 is never a jump */
	unsigned alternatives;
};

struct compiler {
	struct pcl_glob *glob;
	const char *pattern;
	size_t at; /* offset of the byte that is looked at */
	struct group groups[GROUP_DEPTH_MAX];
	size_t depth;
	const char *reason;
};

static bool set_has(const struct byte_set *set, unsigned char byte)
{
	return set->bits[byte / 32] & 1u << byte % 32;
}

static void set_add(struct byte_set *set, unsigned char byte)
{
	set->bits[byte / 32] |= 1u << byte % 32;
}

static int refuse(struct compiler *compiler, size_t at, const char *reason)
{
	compiler->at = at;
	compiler->reason = reason;
	return -EINVAL;
}

static void emit(struct compiler *compiler, enum step_type type, unsigned char byte, size_t target)
{
	struct pcl_glob *glob = compiler->glob;

	glob->steps[glob->step_count++] = (struct step){
		.type = (uint8_t)type,
		.byte = byte,
		.target = (uint16_t)target,
	};
}

/* "*" or "**". As a whole name it stands for at least one byte, so that "/a/" has no empty entry.
 */
static void compile_star(struct compiler *compiler)
{
	const char *star = compiler->pattern + compiler->at;
	size_t stars = strspn(star, "*");

	if (compiler->at && star[-1] == '/' && (!star[stars] || star[stars] == '/'))
		emit(compiler, STEP_NAME, 0, 0);
	emit(compiler, stars > 1 ? STEP_LOOP_ANY : STEP_LOOP_NAME, 0, 0);
	compiler->at += stars;
}

/* One byte of a set, escaped or not; *byte is written. */
static int set_byte(struct compiler *compiler, unsigned char *byte)
{
	const char *text = compiler->pattern + compiler->at;

	if (*text == '\\')
		text++;
	if (!*text)
		return refuse(compiler, compiler->at, "the set has no end; add \"]\"");
	compiler->at = (size_t)(text - compiler->pattern) + 1;
	*byte = (unsigned char)*text;
	return 0;
}

static int compile_set(struct compiler *compiler)
{
	struct pcl_glob *glob = compiler->glob;
	size_t start = compiler->at++;
	struct byte_set set = {0};
	bool negated = compiler->pattern[compiler->at] == '^';

	compiler->at += negated;
	if (compiler->pattern[compiler->at] == ']')
		return refuse(compiler, start, "the set is empty; write \"\\[\" for the bracket");
	while (compiler->pattern[compiler->at] != ']') {
		unsigned char low = 0, high = 0;
		size_t at = compiler->at;

		if (set_byte(compiler, &low))
			return -EINVAL;
		high = low;
		if (compiler->pattern[compiler->at] == '-' &&
		    compiler->pattern[compiler->at + 1] != ']') {
			compiler->at++;
			if (set_byte(compiler, &high))
				return -EINVAL;
		}
		if (high < low)
			return refuse(compiler, at, "the range runs backwards; swap its ends");
		for (unsigned byte = low; byte <= high; byte++)
			set_add(&set, (unsigned char)byte);
	}
	compiler->at++;
	for (size_t i = 0; negated && i < PCL_ARRAY_SIZE(set.bits); i++)
		set.bits[i] = ~set.bits[i];
	if (negated)
		set.bits['/' / 32] &= ~(1u << '/' % 32);
	if (pcl_array_grow(&glob->sets, glob->set_count, sizeof(*glob->sets)))
		return -ENOMEM;
	glob->sets[glob->set_count] = set;
	emit(compiler, STEP_SET, 0, glob->set_count++);
	return 0;
}

static int open_group(struct compiler *compiler)
{
	struct group *group = &compiler->groups[compiler->depth];

	if (compiler->depth == GROUP_DEPTH_MAX)
		return refuse(compiler, compiler->at,
			      "groups nest more than 32 deep; write several patterns");
	if (compiler->at && compiler->pattern[compiler->at - 1] == '@')
		return refuse(compiler, compiler->at - 1,
			      "AppArmor's variables are not known here; write the paths out");
	*group = (struct group){
		.offset = compiler->at++,
		.alternative = (uint16_t)compiler->glob->step_count,
		.alternatives = 1,
	};
	compiler->depth++;
	emit(compiler, STEP_ALTERNATIVE, 0, 0);
	return 0;
}

static void next_alternative(struct compiler *compiler)
{
	struct group *group = &compiler->groups[compiler->depth - 1];
	struct pcl_glob *glob = compiler->glob;
	uint16_t jump = (uint16_t)glob->step_count;

	emit(compiler, STEP_JUMP, 0, group->jumps);
	group->jumps = jump;
	glob->steps[group->alternative].target = (uint16_t)glob->step_count;
	group->alternative = (uint16_t)glob->step_count;
	emit(compiler, STEP_ALTERNATIVE, 0, 0);
	group->alternatives++;
	compiler->at++;
}

static int close_group(struct compiler *compiler)
{
	struct pcl_glob *glob = compiler->glob;
	const struct group *group;

	if (!compiler->depth)
		return refuse(compiler, compiler->at,
			      "\"}\" ends no group; write \"\\}\" for the brace");
	group = &compiler->groups[--compiler->depth];
	if (group->alternatives < 2)
		return refuse(compiler, group->offset,
			      "a group needs two alternatives or more, as in \"{a,b}\"");
	/* The last alternative has none after it: its step goes on only. */
	glob->steps[group->alternative].target = (uint16_t)(group->alternative + 1);
	for (uint16_t jump = group->jumps; jump;) {
		uint16_t before = glob->steps[jump].target;

		glob->steps[jump].target = (uint16_t)glob->step_count;
		jump = before;
	}
	compiler->at++;
	return 0;
}

static int compile_next(struct compiler *compiler)
{
	const char *text = compiler->pattern + compiler->at;

	switch (*text) {
	case '*':
		compile_star(compiler);
		return 0;
	case '?':
		emit(compiler, STEP_NAME, 0, 0);
		compiler->at++;
		return 0;
	case '[':
		return compile_set(compiler);
	case ']':
		return refuse(compiler, compiler->at,
			      "\"]\" ends no set; write \"\\]\" for the bracket");
	case '{':
		return open_group(compiler);
	case '}':
		return close_group(compiler);
	case ',':
		if (compiler->depth) {
			next_alternative(compiler);
			return 0;
		}
		break;
	case '\\':
		if (!text[1])
			return refuse(compiler, compiler->at,
				      "a backslash ends the pattern; write \"\\\\\" for itself");
		text++;
		compiler->at++;
		break;
	}
	emit(compiler, STEP_BYTE, (unsigned char)*text, 0);
	compiler->at++;
	return 0;
}

static int compile(struct compiler *compiler)
{
	int error = 0;

	while (!error && compiler->pattern[compiler->at])
		error = compile_next(compiler);
	if (!error && compiler->depth)
		error = refuse(compiler, compiler->groups[compiler->depth - 1].offset,
			       "the group has no end; add \"}\"");
	if (!error)
		emit(compiler, STEP_MATCH, 0, 0);
	return error;
}

static int keep_prefix(struct pcl_glob *glob)
{
	while (glob->steps[glob->prefix_len].type == STEP_BYTE)
		glob->prefix_len++;
	glob->prefix = malloc(glob->prefix_len + 1);
	if (!glob->prefix)
		return -ENOMEM;
	for (size_t i = 0; i < glob->prefix_len; i++)
		glob->prefix[i] = (char)glob->steps[i].byte;
	glob->prefix[glob->prefix_len] = '\0';
	return 0;
}

int pcl_glob_new(const char *pattern, struct pcl_glob **ret_glob, const char **ret_reason,
		 size_t *ret_offset)
{
	pcl_cleanup(pcl_glob_free) struct pcl_glob *glob = NULL;
	struct compiler compiler = {.pattern = pattern};
	size_t len = strlen(pattern);
	struct step *steps;
	int error;

	if (!len || len > PATTERN_LEN_MAX) {
		*ret_reason = len ? "it is longer than 4095 bytes, the longest path there is"
				  : "it is empty; write a path with wildcards";
		*ret_offset = 0;
		return -EINVAL;
	}
	glob = calloc(1, sizeof(*glob));
	if (!glob)
		return -ENOMEM;
	glob->steps = calloc(2 * len + 2, sizeof(*glob->steps));
	if (!glob->steps)
		return -ENOMEM;
	compiler.glob = glob;
	error = compile(&compiler);
	if (error) {
		if (error == -EINVAL) {
			*ret_reason = compiler.reason;
			*ret_offset = compiler.at;
		}
		return error;
	}
	steps = reallocarray(glob->steps, glob->step_count, sizeof(*steps));
	if (steps)
		glob->steps = steps;
	error = keep_prefix(glob);
	if (error)
		return error;
	*ret_glob = pcl_take_ptr(glob);
	return 0;
}

void pcl_glob_free(struct pcl_glob **glob)
{
	if (!*glob)
		return;
	free((*glob)->steps);
	free((*glob)->sets);
	free((*glob)->prefix);
	free(*glob);
	*glob = NULL;
}

const char *pcl_glob_prefix(const struct pcl_glob *glob, size_t *ret_len)
{
	*ret_len = glob->prefix_len;
	return glob->prefix;
}

/* The steps that the text so far can have reached. */
struct states {
	uint32_t seen[(STEPS_MAX + 31) / 32];
	uint16_t list[STEPS_MAX];
	size_t count;
};

static void states_clear(struct states *states, const struct pcl_glob *glob)
{
	memset(states->seen, 0, (glob->step_count + 31) / 32 * sizeof(states->seen[0]));
	states->count = 0;
}

static void states_add(struct states *states, size_t step)
{
	if (states->seen[step / 32] & 1u << step % 32)
		return;
	states->seen[step / 32] |= 1u << step % 32;
	states->list[states->count++] = (uint16_t)step;
}

/* Adds what is reached without a byte; the list is its own queue. */
static void states_follow(struct states *states, const struct pcl_glob *glob)
{
	for (size_t i = 0; i < states->count; i++) {
		size_t index = states->list[i];
		const struct step *step = &glob->steps[index];

		switch ((enum step_type)step->type) {
		case STEP_ALTERNATIVE:
			states_add(states, index + 1);
			states_add(states, step->target);
			break;
		case STEP_LOOP_NAME:
		case STEP_LOOP_ANY:
			states_add(states, index + 1);
			break;
		case STEP_JUMP:
			states_add(states, step->target);
			break;
		case STEP_BYTE:
		case STEP_SET:
		case STEP_NAME:
		case STEP_MATCH:
			break;
		}
	}
}

/* Puts into *next what *states reaches by byte. */
static void states_take(const struct states *states, const struct pcl_glob *glob,
			unsigned char byte, struct states *next)
{
	for (size_t i = 0; i < states->count; i++) {
		size_t index = states->list[i];
		const struct step *step = &glob->steps[index];

		switch ((enum step_type)step->type) {
		case STEP_BYTE:
			if (byte == step->byte)
				states_add(next, index + 1);
			break;
		case STEP_SET:
			if (set_has(&glob->sets[step->target], byte))
				states_add(next, index + 1);
			break;
		case STEP_NAME:
			if (byte != '/')
				states_add(next, index + 1);
			break;
		case STEP_LOOP_NAME:
			if (byte != '/')
				states_add(next, index);
			break;
		case STEP_LOOP_ANY:
			states_add(next, index);
			break;
		case STEP_ALTERNATIVE:
		case STEP_JUMP:
		case STEP_MATCH:
			break;
		}
	}
}

bool pcl_glob_match(const struct pcl_glob *glob, const char *text)
{
	struct states one, two, *states = &one, *next = &two;
	size_t last = glob->step_count - 1;
	bool tail = last && glob->steps[last - 1].type == STEP_LOOP_ANY;

	if (strncmp(text, glob->prefix, glob->prefix_len))
		return false;
	text += glob->prefix_len;
	states_clear(states, glob);
	states_add(states, glob->prefix_len);
	for (;;) {
		struct states *held = states;

		states_follow(states, glob);
		/* A "**" at the end takes whatever follows. */
		if (tail && states->seen[(last - 1) / 32] & 1u << (last - 1) % 32)
			return true;
		if (!*text || !states->count)
			return states->count && states->seen[last / 32] & 1u << last % 32;
		states_clear(next, glob);
		states_take(states, glob, (unsigned char)*text++, next);
		states = next;
		next = held;
	}
}

/* A byte of the set that reads well, or any. */
static char example_byte(const struct byte_set *set, unsigned variant)
{
	static const char nice[] = "abcdefghijklmnopqrstuvwxyz0123456789"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-";
	size_t count = 0;

	for (int again = 0; again < 2; again++) {
		size_t wanted = count ? variant % count : 0;

		count = 0;
		for (size_t i = 0; i < sizeof(nice) - 1; i++) {
			if (!set_has(set, (unsigned char)nice[i]))
				continue;
			if (again && count == wanted)
				return nice[i];
			count++;
		}
	}
	for (int byte = 1; byte < 256; byte++)
		if (set_has(set, (unsigned char)byte))
			return (char)byte;
	return '\0';
}

/* What a loop is filled with, by turns; the later ones only where "/" may stand. */
static const char *const loop_fillings[] = {"", "q", "qz", "z/q"};
#define NAME_FILLINGS 3

int pcl_glob_example(const struct pcl_glob *glob, unsigned variant, char **ret_text)
{
	/* A step gives at most three bytes, and no step is passed twice. */
	char *text = malloc(3 * glob->step_count + 1);
	size_t len = 0, index = 0;
	unsigned alternative = variant;

	if (!text)
		return -ENOMEM;
	while (glob->steps[index].type != STEP_MATCH) {
		const struct step *step = &glob->steps[index++];
		const char *filling = "";

		switch ((enum step_type)step->type) {
		case STEP_BYTE:
			text[len++] = (char)step->byte;
			break;
		case STEP_SET:
			text[len++] = example_byte(&glob->sets[step->target], variant);
			break;
		case STEP_NAME:
			text[len++] = (char)('w' + variant % 4);
			break;
		case STEP_LOOP_NAME:
			filling = loop_fillings[variant % NAME_FILLINGS];
			break;
		case STEP_LOOP_ANY:
			filling = loop_fillings[variant % PCL_ARRAY_SIZE(loop_fillings)];
			break;
		case STEP_ALTERNATIVE:
			if (alternative && step->target != index) {
				alternative--;
				index = step->target;
			}
			break;
		case STEP_JUMP:
			index = step->target;
			break;
		case STEP_MATCH:
			break;
		}
		memcpy(text + len, filling, strlen(filling));
		len += strlen(filling);
	}
	text[len] = '\0';
	*ret_text = text;
	return 0;
}

/* --- for automata ---------------------------------------------------------------------------- */

size_t pcl_glob_step_count(const struct pcl_glob *glob)
{
	return glob->step_count;
}

/* Those of the steps that take a byte or are the end: the others lead on by themselves. */
static size_t list_steps(struct states *states, const struct pcl_glob *glob, uint16_t *ret_steps)
{
	size_t count = 0;

	states_follow(states, glob);
	for (size_t i = 0; i < glob->step_count; i++)
		if (states->seen[i / 32] & 1u << i % 32 &&
		    glob->steps[i].type != STEP_ALTERNATIVE && glob->steps[i].type != STEP_JUMP)
			ret_steps[count++] = (uint16_t)i;
	return count;
}

size_t pcl_glob_begin(const struct pcl_glob *glob, uint16_t *ret_steps)
{
	struct states states;

	states_clear(&states, glob);
	states_add(&states, 0);
	return list_steps(&states, glob, ret_steps);
}

size_t pcl_glob_advance(const struct pcl_glob *glob, const uint16_t *steps, size_t count,
			unsigned char byte, uint16_t *ret_steps)
{
	struct states from, to;

	states_clear(&from, glob);
	states_clear(&to, glob);
	for (size_t i = 0; i < count; i++)
		states_add(&from, steps[i]);
	states_take(&from, glob, byte, &to);
	return to.count ? list_steps(&to, glob, ret_steps) : 0;
}

bool pcl_glob_ends(const struct pcl_glob *glob, const uint16_t *steps, size_t count)
{
	return count && (size_t)steps[count - 1] == glob->step_count - 1;
}

/* Takes the bytes of set out of each class that has others too. */
static void split_by(const struct byte_set *set, uint8_t class_of[256], unsigned *count)
{
	/* By class: the class of those inside; 256: not met yet. */
	unsigned inside[256], outside[256] = {0};

	for (unsigned i = 0; i < 256; i++)
		inside[i] = 256;
	for (unsigned byte = 0; byte < 256; byte++)
		outside[class_of[byte]] |= !set_has(set, (unsigned char)byte);
	for (unsigned byte = 0; byte < 256; byte++) {
		unsigned class = class_of[byte];

		if (!set_has(set, (unsigned char)byte) || !outside[class])
			continue;
		if (inside[class] == 256)
			inside[class] = (*count)++;
		class_of[byte] = (uint8_t)inside[class];
	}
}

void pcl_glob_split(const struct pcl_glob *glob, uint8_t class_of[256], unsigned *count)
{
	struct byte_set one = {{0}};

	set_add(&one, '/');
	split_by(&one, class_of, count);
	for (size_t i = 0; i < glob->step_count; i++) {
		const struct step *step = &glob->steps[i];

		if (step->type == STEP_SET) {
			split_by(&glob->sets[step->target], class_of, count);
		} else if (step->type == STEP_BYTE) {
			one = (struct byte_set){{0}};
			set_add(&one, step->byte);
			split_by(&one, class_of, count);
		}
	}
}
