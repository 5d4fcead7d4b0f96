/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AppArmor backend's side of the kernel: profiles in, profiles out.
 *
 * All profiles of a generation and one that marks it are loaded by one write, which the kernel
 * takes whole or not at all; so the mark says which generation holds, and a change that is cut
 * short leaves the old one or the new one. What is left over by it is swept away by the next
 * change. Running tasks follow their profile as it is replaced, so none is free in between.
 *
 * KERNEL: within that write profiles are replaced one after the other. An operation is decided by
 * one profile, and so by one generation; two domains may follow each other by microseconds.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/apparmor_blob.h"
#include "backend/apparmor_compile.h"
#include "backend/apparmor_events.h"
#include "backend/apparmor_fs.h"
#include "backend/apparmor_map.h"
#include "backend/apparmor_plan.h"
#include "backend/backend.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/steps.h"

/* A profile of this name says that the others bind nobody any more and are on their way out. */
#define REMOVED "portcullis.removed"
#define NAME_LEN 64
/* As many as the engine keeps states of, for late records. */
#define MAPS_KEPT 8

/* --- what is loaded ----------------------------------------------------------------------------
 */

struct loaded {
	char **names;
	size_t count;
	uint64_t generation; /* 0: none holds */
	bool removed;	     /* a removal was cut short */
};

static void loaded_fini(struct loaded *loaded)
{
	pcl_strings_free(&loaded->names, &loaded->count);
}

#define autoloaded struct loaded pcl_cleanup(loaded_fini)

static bool is_mark(const char *name)
{
	return !strncmp(name, PCL_APPARMOR_MARK, strlen(PCL_APPARMOR_MARK));
}

static int look(struct loaded *loaded, struct pcl_diag *diag)
{
	const size_t len = strlen(PCL_APPARMOR_GENERATION);
	int error = pcl_apparmor_profiles_list(&loaded->names, &loaded->count, diag);

	for (size_t i = 0; !error && i < loaded->count; i++) {
		const char *name = loaded->names[i];
		uint64_t generation = strncmp(name, PCL_APPARMOR_GENERATION, len)
					      ? 0
					      : strtoull(name + len, NULL, 10);

		if (generation > loaded->generation)
			loaded->generation = generation;
		if (!strcmp(name, REMOVED))
			loaded->removed = true;
	}
	if (loaded->removed)
		loaded->generation = 0;
	return error;
}

static int live(struct pcl_backend_live *ret_live, struct pcl_diag *diag)
{
	autoloaded loaded = {0};
	int error = look(&loaded, diag);

	if (error)
		return error;
	memset(ret_live, 0, sizeof(*ret_live));
	ret_live->generation = loaded.generation;
	if (loaded.generation)
		pcl_apparmor_events_tally(&ret_live->alerts);
	return 0;
}

/* --- tasks ------------------------------------------------------------------------------------ */

/* "NAME (MODE)", "NAME//&OTHER (MODE)" or "unconfined". Empty where it cannot be read. */
static void read_label(pid_t pid, char *ret_label, size_t size)
{
	static const char *const files[] = {"apparmor/current", "current"};
	char path[64];

	*ret_label = '\0';
	for (size_t i = 0; i < PCL_ARRAY_SIZE(files) && !*ret_label; i++) {
		pcl_autofclose FILE *file = NULL;

		snprintf(path, sizeof(path), "/proc/%d/attr/%s", (int)pid, files[i]);
		file = fopen(path, "re");
		if (!file || !fgets(ret_label, (int)size, file))
			*ret_label = '\0';
	}
	ret_label[strcspn(ret_label, "\n")] = '\0';
}

static bool is_inhabited(const char *profile)
{
	pcl_autoclosedir DIR *proc = opendir("/proc");
	const struct dirent *entry;
	char label[4096];

	/* Where nobody can tell, somebody may be in it. */
	if (!proc)
		return true;
	while ((entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0)
			continue;
		read_label(pid, label, sizeof(label));
		if (strstr(label, profile))
			return true;
	}
	return false;
}

/* --- the node ----------------------------------------------------------------------------------
 */

static void autocompiler_fini(struct pcl_apparmor_compiler *compiler)
{
	pcl_apparmor_compiler_fini(compiler);
}

#define autocompiler struct pcl_apparmor_compiler pcl_cleanup(autocompiler_fini)

/* What the kernel mediates, and a compiler for the part of it that plans speak of. */
static int open_compiler(struct pcl_apparmor_features *ret_features,
			 struct pcl_apparmor_compiler *ret_compiler, struct pcl_diag *diag)
{
	pcl_autofree char *text = NULL;
	char *reduced = NULL;
	int error = pcl_apparmor_features_read(&text, diag);

	if (!error)
		error = pcl_apparmor_features_parse(text, ret_features, &reduced, diag);
	return error ? error : pcl_apparmor_compiler_init(reduced, ret_compiler, diag);
}

static int probe(const struct pcl_node *node, struct pcl_diag *diag)
{
	struct pcl_apparmor_features features;
	autocompiler compiler = {0};
	struct pcl_apparmor_blob blob = {0};
	int error;

	if (!node->lsms_known)
		return pcl_diag_set(diag, -EOPNOTSUPP,
				    "apparmor: cannot read %s, is securityfs mounted? (mount -t "
				    "securityfs securityfs /sys/kernel/security)",
				    PCL_SECURITYFS_LSM);
	if (!pcl_node_has_lsm(node, "apparmor"))
		return pcl_diag_set(diag, -EOPNOTSUPP,
				    "apparmor: AppArmor is not among the active LSMs; boot with "
				    "apparmor added to lsm= on the kernel command line");
	if (!node->privileged)
		return pcl_diag_set(diag, -EOPNOTSUPP, "apparmor: this needs root");
	error = open_compiler(&features, &compiler, diag);
	if (error)
		return error == -ENOMEM ? error : -EOPNOTSUPP;
	/* Whether it works at all, for this kernel's features. */
	error = pcl_apparmor_compile(&compiler, "probe", "profile probe {}\n", 0, &blob, diag);
	free(blob.data);
	return error && error != -ENOMEM ? -EOPNOTSUPP : error;
}

static char *describe(void)
{
	struct pcl_apparmor_features features;
	autocompiler compiler = {0};
	pcl_autofree char *version = NULL;
	char *text = NULL;

	if (open_compiler(&features, &compiler, NULL))
		return NULL;
	version = pcl_apparmor_parser_version(&compiler);
	return asprintf(&text, "parser %s%s", version ? version : "of an unknown version",
			features.network ? "" : ", no rules of sockets") < 0
		       ? NULL
		       : text;
}

/* Plans depend on features, which are asked for by themselves. */
static unsigned kernel(void)
{
	return 0;
}

/* --- apply -------------------------------------------------------------------------------------
 */

/* What is to be loaded in one step. */
struct next {
	struct pcl_apparmor_plan *plan;
	struct pcl_apparmor_blob set;
	struct pcl_apparmor_map map;
	char mark[NAME_LEN];
};

static void next_fini(struct next *next)
{
	pcl_apparmor_plan_free(&next->plan);
	free(next->set.data);
	pcl_apparmor_map_fini(&next->map);
}

static int no_memory(struct pcl_diag *diag)
{
	return pcl_diag_set(diag, -ENOMEM, "out of memory");
}

static int add_profiles(struct next *next, struct pcl_apparmor_compiler *compiler,
			struct pcl_diag *diag)
{
	for (size_t i = 0; i < next->plan->count; i++) {
		const struct pcl_apparmor_profile *profile = &next->plan->profiles[i];
		int error = pcl_apparmor_compile(compiler, profile->name, profile->text,
						 profile->hash, &next->set, diag);

		if (error)
			return error;
		if (pcl_apparmor_map_add(&next->map,
					 &(struct pcl_apparmor_place){.profile = profile->name,
								      .source = profile->source,
								      .domain = profile->domain}))
			return no_memory(diag);
	}
	return 0;
}

static const struct pcl_apparmor_profile *own_profile(const struct pcl_apparmor_plan *plan,
						      uint32_t domain)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->profiles[i].domain == domain && !plan->profiles[i].source)
			return &plan->profiles[i];
	return NULL;
}

/*
 * A source that no rule names any more is a program as any other, but tasks may be in its profile,
 * and would be free without it: it gets the rules of the domain's own.
 */
static int keep_profile(struct next *next, const struct pcl_apparmor_place *place,
			struct pcl_apparmor_compiler *compiler, struct pcl_diag *diag)
{
	const struct pcl_apparmor_profile *own = own_profile(next->plan, place->domain);
	struct pcl_apparmor_place kept = *place;
	pcl_autofree char *text = NULL;
	const char *rest;
	int error;

	if (!own)
		return 0;
	/* The same behind the name, and without what it is attached to. */
	rest = strstr(own->text, "flags=");
	if (!rest || asprintf(&text, "profile \"%s\" %s", place->profile, rest) < 0)
		return no_memory(diag);
	error = pcl_apparmor_compile(compiler, place->profile, text,
				     pcl_apparmor_hash(own->hash, place->profile), &next->set,
				     diag);
	kept.kept = true;
	if (!error && pcl_apparmor_map_add(&next->map, &kept))
		error = no_memory(diag);
	return error;
}

/* One that was kept for nobody is let go: since it was kept, none could come into it. */
static int keep_profiles(struct next *next, const struct loaded *loaded,
			 struct pcl_apparmor_compiler *compiler, struct pcl_diag *diag)
{
	struct pcl_apparmor_map map pcl_cleanup(pcl_apparmor_map_fini) = {0};
	int error = 0;

	if (loaded->generation && pcl_apparmor_map_load(loaded->generation, &map))
		return pcl_diag_set(diag, -EBADMSG,
				    "apparmor: what is loaded cannot be read; run \"portcullis "
				    "remove\" and apply the policies again");
	for (size_t i = 0; i < map.count && !error; i++) {
		const struct pcl_apparmor_place *place = &map.places[i];

		if (place->source && !pcl_apparmor_map_find(&next->map, place->profile) &&
		    (!place->kept || is_inhabited(place->profile)))
			error = keep_profile(next, place, compiler, diag);
	}
	return error;
}

static int add_mark(struct next *next, uint64_t generation, struct pcl_diag *diag)
{
	snprintf(next->mark, sizeof(next->mark), PCL_APPARMOR_GENERATION "%" PRIu64, generation);
	return pcl_apparmor_blob_add_profile(&next->set, next->mark, PCL_APPARMOR_CLOSED)
		       ? no_memory(diag)
		       : 0;
}

static int make_next(const struct pcl_backend_input *input, const struct loaded *loaded,
		     struct next *next, struct pcl_diag *diag)
{
	struct pcl_apparmor_features features;
	autocompiler compiler = {0};
	int error = open_compiler(&features, &compiler, diag);

	if (!error)
		error = pcl_apparmor_plan(input, &features, &next->plan, diag);
	pcl_steps_end("apparmor: rules are planned");
	if (!error)
		error = add_profiles(next, &compiler, diag);
	if (!error)
		error = keep_profiles(next, loaded, &compiler, diag);
	if (!error)
		error = add_mark(next, input->generation, diag);
	if (!error)
		pcl_apparmor_cache_prune(&compiler);
	return error;
}

/*
 * What was loaded and is not wanted any more. The new generation holds already, so what cannot be
 * removed now is left to the next change.
 */
static void sweep(const struct loaded *loaded, const struct next *next)
{
	for (size_t i = 0; i < loaded->count; i++) {
		const char *name = loaded->names[i];

		if (pcl_apparmor_map_find(&next->map, name) || !strcmp(name, next->mark))
			continue;
		(void)pcl_apparmor_profile_unload(name, NULL);
		pcl_fault_point("apparmor: a profile is removed");
	}
}

/* Profiles first, then the marks; last the one that says so. */
static int unload_all(const struct loaded *loaded, struct pcl_diag *diag)
{
	int error = 0;

	for (int marks = 0; marks < 2; marks++)
		for (size_t i = 0; i < loaded->count && !error; i++) {
			const char *name = loaded->names[i];

			if (is_mark(name) != marks || !strcmp(name, REMOVED))
				continue;
			error = pcl_apparmor_profile_unload(name, diag);
			pcl_fault_point("apparmor: a free profile is removed");
		}
	return error ? error : pcl_apparmor_profile_unload(REMOVED, diag);
}

static int apply(const struct pcl_backend_input *input, struct pcl_diag *diag)
{
	struct next next pcl_cleanup(next_fini) = {0};
	autoloaded loaded = {0};
	int error = look(&loaded, diag);

	if (!error && loaded.removed) {
		error = unload_all(&loaded, diag);
		pcl_strings_free(&loaded.names, &loaded.count);
	}
	if (!error)
		error = make_next(input, &loaded, &next, diag);
	if (!error)
		error = pcl_apparmor_map_save(&next.map, input->generation, diag);
	if (error)
		return error;
	pcl_fault_point("apparmor: profiles are compiled");
	if (!loaded.generation)
		pcl_apparmor_events_begin();
	error = pcl_apparmor_profiles_load(next.set.data, next.set.len, diag);
	if (error) {
		pcl_apparmor_map_delete(input->generation);
		return error;
	}
	pcl_fault_point("apparmor: profiles are live");
	sweep(&loaded, &next);
	if (input->generation > MAPS_KEPT)
		pcl_apparmor_maps_prune(input->generation - MAPS_KEPT);
	return 0;
}

/* --- remove ------------------------------------------------------------------------------------
 */

/*
 * In one step, everybody is free: each profile is replaced by one that binds nobody. Removing them
 * one by one would leave a part of the ruleset wherever it is cut short.
 */
static int free_all(const struct loaded *loaded, struct pcl_diag *diag)
{
	struct pcl_apparmor_blob set = {0};
	int error = 0;

	for (size_t i = 0; i < loaded->count && !error; i++)
		if (!is_mark(loaded->names[i]))
			error = pcl_apparmor_blob_add_profile(&set, loaded->names[i],
							      PCL_APPARMOR_FREE);
	if (!error)
		error = pcl_apparmor_blob_add_profile(&set, REMOVED, PCL_APPARMOR_CLOSED);
	error = error ? no_memory(diag) : pcl_apparmor_profiles_load(set.data, set.len, diag);
	free(set.data);
	return error;
}

static int remove_live(struct pcl_diag *diag)
{
	autoloaded loaded = {0};
	int error = look(&loaded, diag);

	if (!error && loaded.count && !loaded.removed)
		error = free_all(&loaded, diag);
	pcl_fault_point("apparmor: nobody is bound");
	if (!error && loaded.count)
		error = unload_all(&loaded, diag);
	if (error)
		return error;
	pcl_apparmor_events_forget();
	pcl_apparmor_cache_remove();
	pcl_apparmor_maps_prune(UINT64_MAX);
	return 0;
}

/* --- binding and events
 * ---------------------------------------------------------------------------- */

/* The domain's own profile, or one of its sources'. */
static bool is_of(const char *name, const char *domain)
{
	size_t prefix = strlen(PCL_APPARMOR_PREFIX), len = strlen(domain);
	char after;

	if (strncmp(name, PCL_APPARMOR_PREFIX, prefix) || strncmp(name + prefix, domain, len))
		return false;
	after = name[prefix + len];
	return !after || after == PCL_APPARMOR_SOURCE_MARK || after == ' ' || after == '/';
}

static enum pcl_binding binding(pid_t pid, const struct pcl_domain *domain)
{
	char label[4096];

	read_label(pid, label, sizeof(label));
	for (const char *at = label; at; at = strstr(at, "//&")) {
		at += at != label ? strlen("//&") : 0;
		if (is_of(at, domain->name))
			return PCL_BINDING_NOW;
	}
	if (domain->host && !strcmp(label, "unconfined"))
		return PCL_BINDING_EXEC;
	return PCL_BINDING_START;
}

static int read_events(int timeout_ms, pcl_event_fn fn, void *context, struct pcl_diag *diag)
{
	autoloaded loaded = {0};
	int error = look(&loaded, diag);

	if (error || !loaded.generation)
		return error;
	return pcl_apparmor_events_read(loaded.generation, timeout_ms, fn, context, diag);
}

const struct pcl_backend pcl_backend_apparmor = {
	.name = "apparmor",
	.enforcer = "AppArmor",
	.probe = probe,
	.describe = describe,
	.kernels = pcl_apparmor_kernel_names,
	.kernel = kernel,
	.status = pcl_apparmor_status,
	.guard = pcl_apparmor_guard,
	.apply = apply,
	.remove = remove_live,
	.live = live,
	.binding = binding,
	.events = read_events,
};
