/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML text to a tree with places, by libyaml's event parser.
 *
 * The tree is built with an explicit stack, so that hostile nesting costs no C stack, and every
 * limit is checked before the memory is spent. It must not know what the words mean: typed reads
 * are in yaml_read.c, the meaning is its callers' business.
 */
#include "base/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/array.h"
#include "base/cleanup.h"

/* The policy of a whole cluster is far below a megabyte; 16 MiB is read in a blink. */
#define INPUT_BYTES_MAX ((size_t)16 << 20)
/* A policy nests 8 deep, a case 10. */
#define DEPTH_MAX 64
/* About 130 MiB of tree at worst, and some 150,000 rules. */
#define NODES_MAX 1000000
#define READ_CHUNK ((size_t)64 << 10)
#define CORE_TAG_PREFIX "tag:yaml.org,2002:"

struct builder {
	struct pcl_yaml_file *file;
	struct pcl_diag *diag;
	struct pcl_yaml_node *stack[DEPTH_MAX]; /* open collections */
	struct pcl_yaml_node *key[DEPTH_MAX];	/* key read, its value awaited */
	size_t depth;
	size_t node_count;
};

void pcl_yaml_free(struct pcl_yaml_file **file)
{
	if (!*file)
		return;
	pcl_arena_fini(&(*file)->arena);
	free((*file)->name);
	free(*file);
	*file = NULL;
}

static void builder_fini(struct builder *builder)
{
	pcl_yaml_free(&builder->file);
}

/* As pcl_yaml_error(), where there is no node. */
__attribute__((format(printf, 6, 7))) static int error_at(const struct builder *builder, int error,
							  size_t line, size_t column,
							  const char *subject, const char *format,
							  ...)
{
	pcl_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	(void)pcl_diag_set(builder->diag, error, "%s:%zu:%zu: %s", builder->file->name, line,
			   column, text ? text : strerror(-error));
	pcl_diag_set_place(builder->diag, builder->file->name, (unsigned)line, (unsigned)column,
			   subject);
	return error;
}

static int out_of_memory(struct builder *builder)
{
	return pcl_diag_set(builder->diag, -ENOMEM, "%s: out of memory", builder->file->name);
}

static bool is_null(const struct pcl_yaml_node *node)
{
	return node->type == PCL_YAML_SCALAR && !node->quoted &&
	       (!node->text_len || !strcmp(node->text, "~") || !strcasecmp(node->text, "null"));
}

/* Adds a finished or just opened node where it belongs. */
static int attach(struct builder *builder, struct pcl_yaml_node *node)
{
	struct pcl_yaml_file *file = builder->file;
	struct pcl_yaml_node *parent, **key;

	if (!builder->depth) {
		if (is_null(node))
			return 0;
		if (pcl_arena_grow(&file->arena, &file->documents, file->document_count,
				   sizeof(*file->documents)))
			return out_of_memory(builder);
		file->documents[file->document_count++] = node;
		return 0;
	}
	parent = builder->stack[builder->depth - 1];
	key = &builder->key[builder->depth - 1];
	if (parent->type == PCL_YAML_MAPPING && !*key) {
		if (node->type != PCL_YAML_SCALAR)
			return pcl_yaml_error(file, node, builder->diag, -EINVAL,
					      "a key must be a plain word, not a list or "
					      "mapping; quote it or remove it");
		*key = node;
		return 0;
	}
	if ((parent->type == PCL_YAML_MAPPING &&
	     pcl_arena_grow(&file->arena, &parent->keys, parent->count, sizeof(*parent->keys))) ||
	    pcl_arena_grow(&file->arena, &parent->items, parent->count, sizeof(*parent->items)))
		return out_of_memory(builder);
	if (parent->type == PCL_YAML_MAPPING)
		parent->keys[parent->count] = pcl_take_ptr(*key);
	parent->items[parent->count++] = node;
	return 0;
}

static int node_new(struct builder *builder, enum pcl_yaml_type type, const yaml_mark_t *mark,
		    struct pcl_yaml_node **ret_node)
{
	struct pcl_yaml_node *node;

	/* Places fit 32 bits because the input is below INPUT_BYTES_MAX. */
	if (builder->node_count >= NODES_MAX)
		return error_at(builder, -E2BIG, mark->line + 1, mark->column + 1, NULL,
				"more than %d YAML values in one file; split it", NODES_MAX);
	node = pcl_arena_alloc(&builder->file->arena, sizeof(*node));
	if (!node)
		return out_of_memory(builder);
	builder->node_count++;
	node->type = type;
	node->place.line = (uint32_t)mark->line + 1;
	node->place.column = (uint32_t)mark->column + 1;
	*ret_node = node;
	return 0;
}

/* Anchors and tags carry hidden meaning that a reviewer of a policy cannot see: refused. */
static int check_properties(struct builder *builder, const yaml_event_t *event,
			    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	static const char *const core_tags[] = {"str",	 "int", "bool", "null",
						"float", "map", "seq"};
	size_t line = event->start_mark.line + 1, column = event->start_mark.column + 1;

	if (anchor)
		return error_at(builder, -EINVAL, line, column, (const char *)anchor,
				"anchors (&%s) are not allowed here; write the value out",
				(const char *)anchor);
	if (!tag)
		return 0;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(core_tags); i++)
		if (!strncmp((const char *)tag, CORE_TAG_PREFIX, strlen(CORE_TAG_PREFIX)) &&
		    !strcmp((const char *)tag + strlen(CORE_TAG_PREFIX), core_tags[i]))
			return 0;
	return error_at(builder, -EINVAL, line, column, (const char *)tag,
			"the tag %s is not allowed here; remove it", (const char *)tag);
}

static int add_scalar(struct builder *builder, const yaml_event_t *event)
{
	struct pcl_yaml_node *node = NULL;
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	int error;

	error = check_properties(builder, event, event->data.scalar.anchor, event->data.scalar.tag);
	if (error)
		return error;
	error = node_new(builder, PCL_YAML_SCALAR, &event->start_mark, &node);
	if (error)
		return error;
	if (memchr(value, '\0', len))
		return pcl_yaml_error(builder->file, node, builder->diag, -EINVAL,
				      "a zero byte inside a value; remove it");
	node->text = pcl_arena_alloc(&builder->file->arena, len + 1);
	if (!node->text)
		return out_of_memory(builder);
	memcpy(node->text, value, len);
	node->text_len = len;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
		       (event->data.scalar.tag &&
			!strcmp((const char *)event->data.scalar.tag, CORE_TAG_PREFIX "str"));
	return attach(builder, node);
}

static int open_collection(struct builder *builder, const yaml_event_t *event)
{
	bool mapping = event->type == YAML_MAPPING_START_EVENT;
	struct pcl_yaml_node *node = NULL;
	int error;

	error = mapping ? check_properties(builder, event, event->data.mapping_start.anchor,
					   event->data.mapping_start.tag)
			: check_properties(builder, event, event->data.sequence_start.anchor,
					   event->data.sequence_start.tag);
	if (error)
		return error;
	if (builder->depth == DEPTH_MAX)
		return error_at(builder, -E2BIG, event->start_mark.line + 1,
				event->start_mark.column + 1, NULL,
				"nested deeper than %d levels; flatten it", DEPTH_MAX);
	error = node_new(builder, mapping ? PCL_YAML_MAPPING : PCL_YAML_SEQUENCE,
			 &event->start_mark, &node);
	if (error)
		return error;
	error = attach(builder, node);
	if (error)
		return error;
	builder->stack[builder->depth++] = node;
	return 0;
}

/* By text, then by place, so that of two equal keys the later one stands second. */
static int compare_keys(const void *a, const void *b)
{
	const struct pcl_yaml_node *left = *(struct pcl_yaml_node *const *)a;
	const struct pcl_yaml_node *right = *(struct pcl_yaml_node *const *)b;
	int order = strcmp(left->text, right->text);

	if (order)
		return order;
	if (left->place.line != right->place.line)
		return left->place.line < right->place.line ? -1 : 1;
	return left->place.column < right->place.column ? -1 : 1;
}

/* Sorting a copy keeps a mapping of half a million keys affordable. */
static int check_duplicates(struct builder *builder, const struct pcl_yaml_node *mapping)
{
	pcl_autofree struct pcl_yaml_node **sorted = NULL;

	if (mapping->count < 2)
		return 0;
	sorted = reallocarray(NULL, mapping->count, sizeof(*sorted));
	if (!sorted)
		return out_of_memory(builder);
	memcpy(sorted, mapping->keys, mapping->count * sizeof(*sorted));
	qsort(sorted, mapping->count, sizeof(*sorted), compare_keys);
	for (size_t i = 1; i < mapping->count; i++)
		if (!strcmp(sorted[i - 1]->text, sorted[i]->text))
			return pcl_yaml_error(builder->file, sorted[i], builder->diag, -EINVAL,
					      "\"%s\" is given twice, first in line %u; keep one",
					      sorted[i]->text, sorted[i - 1]->place.line);
	return 0;
}

static int close_collection(struct builder *builder)
{
	const struct pcl_yaml_node *node = builder->stack[--builder->depth];

	return node->type == PCL_YAML_MAPPING ? check_duplicates(builder, node) : 0;
}

static int take_event(struct builder *builder, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return add_scalar(builder, event);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return open_collection(builder, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_collection(builder);
	case YAML_ALIAS_EVENT:
		return error_at(builder, -EINVAL, event->start_mark.line + 1,
				event->start_mark.column + 1,
				(const char *)event->data.alias.anchor,
				"aliases (*%s) are not allowed here; write the value out",
				(const char *)event->data.alias.anchor);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	}
	return 0;
}

/* Line and column of a byte offset, for errors that libyaml reports without a mark. */
static struct pcl_place place_of_offset(const char *data, size_t data_len, size_t offset)
{
	struct pcl_place place = {.line = 1, .column = 1};

	for (size_t i = 0; i < offset && i < data_len; i++) {
		if (data[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)data[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

static int explain_parser(const struct builder *builder, const yaml_parser_t *parser,
			  const char *data, size_t data_len)
{
	const char *name = builder->file->name;
	const char *problem = parser->problem ? parser->problem : "not valid YAML";
	size_t at = parser->problem_mark.index;
	const char *hint = "mend the YAML here";
	struct pcl_place place;

	if (parser->error == YAML_MEMORY_ERROR)
		return pcl_diag_set(builder->diag, -ENOMEM, "%s: out of memory", name);
	if (parser->error == YAML_READER_ERROR) {
		place = place_of_offset(data, data_len, parser->problem_offset);
		return error_at(builder, -EINVAL, place.line, place.column, NULL,
				"%s; the file must be UTF-8 text", problem);
	}
	if (at < data_len && data[at] == '\t')
		hint = "indent with spaces, not tabs";
	if (parser->context)
		return error_at(builder, -EINVAL, parser->problem_mark.line + 1,
				parser->problem_mark.column + 1, NULL,
				"%s, %s that begins in line %zu; %s", problem, parser->context,
				parser->context_mark.line + 1, hint);
	return error_at(builder, -EINVAL, parser->problem_mark.line + 1,
			parser->problem_mark.column + 1, NULL, "%s; %s", problem, hint);
}

static int build(struct builder *builder, const char *data, size_t data_len)
{
	pcl_cleanup(yaml_parser_delete) yaml_parser_t parser;
	bool end = false;
	int error = 0;

	if (!yaml_parser_initialize(&parser))
		return out_of_memory(builder);
	yaml_parser_set_input_string(&parser, (const unsigned char *)data, data_len);
	while (!end && !error) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event))
			return explain_parser(builder, &parser, data, data_len);
		end = event.type == YAML_STREAM_END_EVENT;
		error = take_event(builder, &event);
		yaml_event_delete(&event);
	}
	return error;
}

int pcl_yaml_load_memory(const char *name, const char *data, size_t data_len,
			 struct pcl_yaml_file **ret_file, struct pcl_diag *diag)
{
	pcl_cleanup(builder_fini) struct builder builder = {.diag = diag};
	int error;

	builder.file = calloc(1, sizeof(*builder.file));
	if (builder.file)
		builder.file->name = strdup(name);
	if (!builder.file || !builder.file->name)
		return pcl_diag_set(diag, -ENOMEM, "%s: out of memory", name);
	if (data_len > INPUT_BYTES_MAX)
		return pcl_diag_set(diag, -E2BIG, "%s: larger than %zu MiB; split it", name,
				    INPUT_BYTES_MAX >> 20);
	error = build(&builder, data, data_len);
	if (error)
		return error;
	*ret_file = pcl_take_ptr(builder.file);
	return 0;
}

/* Reads until the end or one byte over the limit, so an endless input ends too. */
static int read_all(int fd, char **ret_data, size_t *ret_len)
{
	pcl_autofree char *data = NULL;
	size_t len = 0, size = 0;

	for (;;) {
		ssize_t got;

		if (len == size) {
			char *bigger = realloc(data, size += READ_CHUNK + size / 2);

			if (!bigger)
				return -ENOMEM;
			data = bigger;
		}
		got = read(fd, data + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		len += (size_t)got;
		if (!got || len > INPUT_BYTES_MAX)
			break;
	}
	*ret_data = pcl_take_ptr(data);
	*ret_len = len;
	return 0;
}

int pcl_yaml_load(const char *path, struct pcl_yaml_file **ret_file, struct pcl_diag *diag)
{
	pcl_autofree char *data = NULL;
	pcl_autoclose int owned_fd = -1;
	int fd = STDIN_FILENO, error;
	size_t len = 0;

	if (strcmp(path, "-")) {
		owned_fd = open(path, O_RDONLY | O_CLOEXEC);
		if (owned_fd < 0)
			return pcl_diag_errno(diag, -errno, "%s: cannot open", path);
		fd = owned_fd;
	}
	error = read_all(fd, &data, &len);
	if (error)
		return pcl_diag_errno(diag, error, "%s: cannot read", path);
	return pcl_yaml_load_memory(path, data, len, ret_file, diag);
}
