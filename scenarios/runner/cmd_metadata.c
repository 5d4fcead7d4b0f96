/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gauntlet metadata FILE: a metadata server as Google Compute Engine has it, for one connection,
 * which is standard input and output. QEMU starts one for each connection that a guest makes to
 * 169.254.169.254; nothing listens on the host. FILE is the user data. It serves what cloud-init
 * and COS ask for at their first boot, and 404 for the rest.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli.h"
#include "text.h"
#include "verdict.h"

#define BASE "/computeMetadata/v1"
#define USER_DATA_MAX (256u << 10)
#define LINE_MAX_LEN 4096
/* A guest that opens a connection and says nothing. */
#define IDLE_TIMEOUT_S 120

static const struct {
	const char *path;
	const char *text; /* NULL: the user data */
} documents[] = {
	{BASE "/instance/id", "1"},
	{BASE "/instance/hostname", "gauntlet.internal"},
	{BASE "/instance/name", "gauntlet"},
	{BASE "/instance/zone", "projects/1/zones/local-a"},
	{BASE "/instance/attributes/user-data", NULL},
	{BASE "/project/project-id", "gauntlet"},
	{BASE "/project/numeric-project-id", "1"},
};

static int read_file(const char *path, char **ret_text)
{
	FILE *file pcl_autofclose = fopen(path, "re");
	pcl_autofree char *text = calloc(1, USER_DATA_MAX + 1);

	if (!file || !text)
		return -1;
	if (fread(text, 1, USER_DATA_MAX, file) == 0 || ferror(file))
		return -1;
	*ret_text = pcl_take_ptr(text);
	return 0;
}

/* What ?recursive=true of a folder gives: everything in one object; owned. */
static char *whole(const char *path, const char *user_data)
{
	bool project = strncmp(path, BASE "/project", strlen(BASE "/project")) == 0;
	bool attributes = strstr(path, "/attributes") != NULL;
	json_t *object =
		project ? json_pack("{s:{}, s:i, s:s}", "attributes", "numericProjectId", 1,
				    "projectId", "gauntlet")
			: json_pack("{s:{s:s}, s:s, s:i, s:s, s:s}", "attributes", "user-data",
				    user_data, "hostname", "gauntlet.internal", "id", 1, "name",
				    "gauntlet", "zone", "projects/1/zones/local-a");
	char *text = json_dumps(attributes ? json_object_get(object, "attributes") : object,
				JSON_COMPACT);

	json_decref(object);
	return text;
}

/* The document at a path, owned, or NULL. */
static char *find(const char *path, const char *user_data)
{
	size_t len = strcspn(path, "?");

	/* cloud-init writes "True". */
	if (strcasestr(path, "recursive=true") &&
	    (strncmp(path, BASE "/instance", strlen(BASE "/instance")) == 0 ||
	     strncmp(path, BASE "/project", strlen(BASE "/project")) == 0))
		return whole(path, user_data);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(documents); i++) {
		if (strlen(documents[i].path) == len && strncmp(documents[i].path, path, len) == 0)
			return strdup(documents[i].text ? documents[i].text : user_data);
	}
	/* A folder that exists: cloud-init looks whether there is a server at all. */
	if (strncmp(path, BASE "/", len) == 0 && len >= strlen(BASE))
		return strdup("instance/\nproject/\n");
	return NULL;
}

static void answer(int status, const char *word, const char *type, const char *body, bool stay)
{
	printf("HTTP/1.1 %d %s\r\nMetadata-Flavor: Google\r\nServer: Metadata Server for VM\r\n"
	       "Content-Type: %s\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n%s",
	       status, word, type, strlen(body), stay ? "keep-alive" : "close", body);
	(void)fflush(stdout);
}

/* One request; false at the end of the connection. */
static bool serve(const char *user_data)
{
	char line[LINE_MAX_LEN], path[LINE_MAX_LEN];
	pcl_autofree char *body = NULL;
	bool flavor = false, stay = true;

	if (!fgets(line, sizeof(line), stdin))
		return false;
	if (sscanf(line, "GET %4095s HTTP/", path) != 1) {
		answer(405, "Method Not Allowed", "text/plain", "", false);
		return false;
	}
	while (fgets(line, sizeof(line), stdin) && *line != '\r' && *line != '\n') {
		flavor |= strncasecmp(line, "Metadata-Flavor:", 16) == 0;
		stay &= strncasecmp(line, "Connection: close", 17) != 0;
	}
	/* As the real one: what a browser in the guest was tricked into asking is refused. */
	if (!flavor) {
		answer(403, "Forbidden", "text/plain", "", stay);
		return stay;
	}
	body = find(path, user_data);
	if (body)
		answer(200, "OK", *body == '{' ? "application/json" : "application/text", body,
		       stay);
	else
		answer(404, "Not Found", "text/plain", "", stay);
	return stay;
}

int gnt_cmd_metadata(int argc, char **argv)
{
	pcl_autofree char *user_data = NULL;

	if (argc != 2 || read_file(argv[1], &user_data) != 0) {
		fputs("gauntlet: metadata FILE: a metadata server for one connection, started by "
		      "QEMU\n",
		      stderr);
		return GNT_EXIT_USAGE;
	}
	(void)alarm(IDLE_TIMEOUT_S);
	while (serve(user_data))
		(void)alarm(IDLE_TIMEOUT_S);
	return GNT_EXIT_OK;
}
