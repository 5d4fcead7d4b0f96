/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy's part of a view is asked of libsepol, the files' of the kernel.
 *
 * KERNEL: a file system whose files can be given labels says "seclabel" in the mount table; where
 * it does not, or is read-only, the view has no context for its files, and what rules say of them
 * is told as missed. A label of ours that lies on a read-only one stays, and the policy knows it.
 */
#include "backend/selinux_policy.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "backend/selinux_fs.h"
#include "backend/selinux_look.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/steps.h"

#define MOUNT_TABLE "/proc/self/mountinfo"

/* --- mounts ------------------------------------------------------------------------------------
 */

struct disk {
	dev_t device;
	bool skipped;
	bool labels;
	bool readonly;
};

struct disks {
	struct disk *items;
	size_t count;
};

static void disks_fini(struct disks *disks)
{
	free(disks->items);
}

/* The kernel's own, whose files come and go and which no rule can hold by a label; those of other
 * machines; and overlays, where a new label would copy the file up. */
static bool is_skipped(const char *type)
{
	static const char *const types[] = {
		"proc",	  "sysfs",	"cgroup",    "cgroup2", "debugfs",  "tracefs",
		"bpf",	  "securityfs", "selinuxfs", "pstore",	"efivarfs", "configfs",
		"mqueue", "hugetlbfs",	"fusectl",   "devpts",	"nsfs",	    "binfmt_misc",
		"autofs", "rpc_pipefs", "nfs",	     "nfs4",	"cifs",	    "smb3",
		"9p",	  "ceph",	"overlay",
	};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return !strncmp(type, "fuse", strlen("fuse"));
}

static bool has_option(const char *options, const char *wanted)
{
	size_t len = strlen(wanted);

	for (const char *at = options; *at; at += strcspn(at, ",")) {
		at += *at == ',';
		if (!strncmp(at, wanted, len) && (!at[len] || at[len] == ','))
			return true;
	}
	return false;
}

/* "ID PARENT MAJOR:MINOR ROOT PLACE OPTIONS [FIELDS...] - TYPE SOURCE OPTIONS" */
static int read_mount(char *line, struct disks *disks)
{
	char *rest = strstr(line, " - "), *type, *options;
	unsigned major, minor;
	struct disk disk = {0};

	line[strcspn(line, "\n")] = '\0';
	if (!rest || sscanf(line, "%*d %*d %u:%u", &major, &minor) != 2)
		return 0;
	rest += strlen(" - ");
	type = strsep(&rest, " ");
	(void)strsep(&rest, " ");
	options = rest ? rest : "";
	disk.device = makedev(major, minor);
	disk.skipped = is_skipped(type);
	disk.labels = has_option(options, "seclabel");
	disk.readonly = has_option(options, "ro");
	if (pcl_array_grow(&disks->items, disks->count, sizeof(disk)))
		return -ENOMEM;
	disks->items[disks->count++] = disk;
	return 0;
}

static int read_mounts(struct disks *disks, struct pcl_diag *diag)
{
	pcl_autofclose FILE *file = fopen(MOUNT_TABLE, "re");
	pcl_autofree char *line = NULL;
	size_t size = 0;

	if (!file)
		return pcl_diag_errno(diag, -errno, "selinux: cannot read " MOUNT_TABLE);
	while (getline(&line, &size, file) >= 0)
		if (read_mount(line, disks))
			return pcl_diag_set(diag, -ENOMEM, "out of memory");
	return 0;
}

/* NULL: a part of another that has a number of its own, as subvolumes do. */
static const struct disk *disk_of(const struct disks *disks, dev_t device)
{
	for (size_t i = 0; i < disks->count; i++)
		if (disks->items[i].device == device)
			return &disks->items[i];
	return NULL;
}

bool pcl_selinux_is_looked_at(dev_t device)
{
	struct disks disks pcl_cleanup(disks_fini) = {0};
	const struct disk *disk = read_mounts(&disks, NULL) ? NULL : disk_of(&disks, device);

	return !disk || (disk->labels && !disk->skipped);
}

/* --- files -------------------------------------------------------------------------------------
 */

static void close_fts(FTS **walk)
{
	if (*walk)
		(void)fts_close(*walk);
}

/* What is at a name: a file's status, and the file system that it lies on. */
typedef int (*visit_fn)(const FTSENT *entry, const struct disk *disk, void *context);

/* A file that goes away meanwhile is none. */
static bool is_there(const FTSENT *entry)
{
	switch (entry->fts_info) {
	case FTS_D:
	case FTS_F:
	case FTS_SL:
	case FTS_SLNONE:
	case FTS_DEFAULT:
		return true;
	default:
		return false;
	}
}

/* What lies in a directory that may not be read would be taken for not there. */
static int check_readable(const FTSENT *entry, const struct disks *disks, struct pcl_diag *diag)
{
	const struct disk *disk;

	if (entry->fts_info != FTS_DNR || (entry->fts_errno != EACCES && entry->fts_errno != EPERM))
		return 0;
	disk = disk_of(disks, entry->fts_statp->st_dev);
	return !disk || !disk->labels || disk->skipped
		       ? 0
		       : pcl_diag_errno(diag, -EACCES, "selinux: cannot look through %s",
					entry->fts_path);
}

static int visit_all(visit_fn fn, void *context, struct pcl_diag *diag)
{
	char root[] = "/", *const roots[] = {root, NULL};
	struct disks disks pcl_cleanup(disks_fini) = {0};
	pcl_cleanup(close_fts) FTS *walk = NULL;
	const struct disk *disk = NULL;
	FTSENT *entry;
	int error = read_mounts(&disks, diag);

	if (error)
		return error;
	walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	while ((entry = fts_read(walk))) {
		error = check_readable(entry, &disks, diag);
		if (error)
			return error;
		if (!is_there(entry))
			continue;
		disk = disk_of(&disks, entry->fts_statp->st_dev);
		if (!disk && entry->fts_parent)
			disk = entry->fts_parent->fts_pointer;
		/* What lies in it finds it here. */
		entry->fts_pointer = (void *)disk;
		if (disk && disk->skipped)
			(void)fts_set(walk, entry, FTS_SKIP);
		error = fn(entry, disk, context);
		if (error)
			return error == -ENOMEM ? pcl_diag_set(diag, error, "out of memory")
						: error;
	}
	return errno ? pcl_diag_errno(diag, -errno, "selinux: cannot look through the files") : 0;
}

static char kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	default:
		return 'f';
	}
}

struct looker {
	struct pcl_selinux_view *view;
	char **kernels; /* the types of file systems that are passed over */
	size_t kernel_count;
};

static void looker_fini(struct looker *looker)
{
	pcl_strings_free(&looker->kernels, &looker->kernel_count);
}

static bool is_clone(const char *type)
{
	return !strncmp(type, PCL_SELINUX_PREFIX, strlen(PCL_SELINUX_PREFIX));
}

static int note_kernel(struct looker *looker, const char *path)
{
	pcl_autofree char *context = pcl_selinux_label_get(path);
	size_t len = 0;
	const char *type = context ? pcl_selinux_type_in(context, &len) : NULL;
	pcl_autofree char *copy = type ? strndup(type, len) : NULL;

	if (!type)
		return 0;
	return copy ? pcl_strings_add(&looker->kernels, &looker->kernel_count, copy) : -ENOMEM;
}

static void add_label(const char *path, const struct disk *disk, struct pcl_selinux_entry *entry)
{
	pcl_autofree char *label = pcl_selinux_label_get(path);
	size_t len = 0;
	const char *type = label ? pcl_selinux_type_in(label, &len) : NULL;

	entry->stays = disk->readonly && type && is_clone(type);
	if (!disk->readonly || entry->stays)
		entry->context = pcl_take_ptr(label);
}

static int look_at(const FTSENT *entry, const struct disk *disk, void *context)
{
	struct looker *looker = context;
	struct pcl_selinux_view *view = looker->view;
	struct pcl_selinux_entry *added;

	if (disk && disk->skipped && note_kernel(looker, entry->fts_path))
		return -ENOMEM;
	if (pcl_array_grow(&view->entries, view->entry_count, sizeof(*added)))
		return -ENOMEM;
	added = &view->entries[view->entry_count++];
	*added = (struct pcl_selinux_entry){
		.path = strdup(entry->fts_path),
		.kind = kind_of(entry->fts_statp->st_mode),
		.device = entry->fts_statp->st_dev,
		.inode = entry->fts_statp->st_ino,
	};
	if (disk && disk->labels && !disk->skipped)
		add_label(entry->fts_path, disk, added);
	return added->path ? 0 : -ENOMEM;
}

struct walker {
	pcl_selinux_file_fn fn;
	void *context;
};

static int walk_at(const FTSENT *entry, const struct disk *disk, void *context)
{
	const struct walker *walker = context;

	return disk && disk->labels && !disk->skipped ? walker->fn(entry->fts_path, walker->context)
						      : 0;
}

int pcl_selinux_walk(pcl_selinux_file_fn fn, void *context, struct pcl_diag *diag)
{
	struct walker walker = {fn, context};

	return visit_all(walk_at, &walker, diag);
}

/* --- the policy --------------------------------------------------------------------------------
 */

/* KERNEL: every policy has it as its first, and files have it whatever its types are. */
#define OBJECT_ROLE 1

/* Types of processes: those that a role other than that of files may have. */
static int find_domains(const policydb_t *db, ebitmap_t *domains)
{
	for (uint32_t i = 0; i < db->p_roles.nprim; i++) {
		const role_datum_t *role = db->role_val_to_struct[i];

		if (role && role->s.value != OBJECT_ROLE &&
		    ebitmap_union(domains, &role->types.types))
			return -ENOMEM;
	}
	return 0;
}

static bool is_among(char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static int add_types(const policydb_t *db, const ebitmap_t *domains, struct looker *looker)
{
	struct pcl_selinux_view *view = looker->view;

	for (uint32_t i = 0; i < db->p_types.nprim; i++) {
		const char *name = db->p_type_val_to_name[i];

		if (!db->type_val_to_struct[i] || pcl_selinux_is_attribute(db, i + 1) ||
		    ebitmap_get_bit(domains, i) || is_clone(name) ||
		    is_among(looker->kernels, looker->kernel_count, name))
			continue;
		if (pcl_strings_add(&view->types, &view->type_count, name))
			return -ENOMEM;
	}
	return 0;
}

/* An attribute that has just the domains, which most policies have, or each of them. */
static int add_domains(const policydb_t *db, const ebitmap_t *domains,
		       struct pcl_selinux_view *view)
{
	ebitmap_node_t *node;
	unsigned bit;

	for (uint32_t i = 0; i < db->p_types.nprim; i++)
		if (db->type_val_to_struct[i] && pcl_selinux_is_attribute(db, i + 1) &&
		    ebitmap_cmp(&db->attr_type_map[i], domains))
			return pcl_strings_add(&view->domains, &view->domain_count,
					       db->p_type_val_to_name[i]);
	ebitmap_for_each_positive_bit(domains, node, bit)
	{
		if (pcl_strings_add(&view->domains, &view->domain_count,
				    db->p_type_val_to_name[bit]))
			return -ENOMEM;
	}
	return 0;
}

static int add_classes(const policydb_t *db, struct pcl_selinux_view *view)
{
	static const char suffix[] = "socket";

	for (uint32_t i = 0; i < db->p_classes.nprim; i++) {
		const char *name = db->p_class_val_to_name[i];
		size_t len = name ? strlen(name) : 0;

		if (len >= strlen(suffix) && !strcmp(name + len - strlen(suffix), suffix) &&
		    pcl_strings_add(&view->classes, &view->class_count, name))
			return -ENOMEM;
	}
	return 0;
}

static bool is_of_files(const char *class_name)
{
	static const char *const names[] = {"file",	"dir",	     "lnk_file", "chr_file",
					    "blk_file", "sock_file", "fifo_file"};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(names); i++)
		if (!strcmp(class_name, names[i]))
			return true;
	return false;
}

struct makings {
	const policydb_t *db;
	struct pcl_selinux_view *view;
};

static int add_making(avtab_key_t *key, avtab_datum_t *datum, void *context)
{
	struct makings *makings = context;
	char **names = makings->db->p_type_val_to_name;
	const char *class_name = makings->db->p_class_val_to_name[key->target_class - 1];
	struct pcl_selinux_making *making;

	if (!(key->specified & AVTAB_TRANSITION) || !is_of_files(class_name))
		return 0;
	if (pcl_array_grow(&makings->view->makings, makings->view->making_count, sizeof(*making)))
		return -ENOMEM;
	making = &makings->view->makings[makings->view->making_count++];
	*making = (struct pcl_selinux_making){strdup(names[key->source_type - 1]),
					      strdup(names[key->target_type - 1]),
					      strdup(class_name), strdup(names[datum->data - 1])};
	return making->source && making->target && making->class_name && making->result ? 0
											: -ENOMEM;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct pcl_selinux_entry *)a)->path,
		      ((const struct pcl_selinux_entry *)b)->path);
}

/* --- programs ----------------------------------------------------------------------------------
 */

static bool has_executors(const struct pcl_selinux_view *view, const char *type)
{
	for (size_t i = 0; i < view->executor_count; i++)
		if (!strcmp(view->executors[i].type, type))
			return true;
	return false;
}

static int add_executor(struct pcl_selinux_view *view, const char *type,
			const struct pcl_selinux_executor *executor)
{
	struct pcl_selinux_execution *added;

	if (pcl_array_grow(&view->executors, view->executor_count, sizeof(*added)))
		return -ENOMEM;
	added = &view->executors[view->executor_count++];
	*added = (struct pcl_selinux_execution){strdup(type), strdup(executor->domain),
						executor->enters ? strdup(executor->enters) : NULL};
	return added->type && added->domain && (added->enters || !executor->enters) ? 0 : -ENOMEM;
}

/* Of a type that the policy does not know, which is told as missed, nobody. */
static int add_executors(const struct pcl_selinux_policy *policy, struct pcl_selinux_view *view,
			 const char *type)
{
	pcl_autofree struct pcl_selinux_executor *executors = NULL;
	size_t count = 0;
	int error = pcl_selinux_policy_executors(policy, type, &executors, &count, NULL);

	for (size_t i = 0; i < count && !error; i++)
		error = add_executor(view, type, &executors[i]);
	return error == -ENOMEM ? error : 0;
}

struct program_looker {
	const struct pcl_selinux_policy *policy;
	struct pcl_selinux_view *view;
};

static int look_at_program(void *context, const char *path)
{
	const struct program_looker *looker = context;
	const struct pcl_selinux_entry key = {.path = (char *)path}, *entry;
	pcl_autofree char *type = NULL;
	const char *found;
	size_t len = 0;

	entry = bsearch(&key, looker->view->entries, looker->view->entry_count, sizeof(key),
			compare_entries);
	found = entry && entry->context ? pcl_selinux_type_in(entry->context, &len) : NULL;
	if (!found || entry->kind != 'f')
		return 0;
	type = strndup(found, len);
	if (!type)
		return -ENOMEM;
	return has_executors(looker->view, pcl_selinux_base(type))
		       ? 0
		       : add_executors(looker->policy, looker->view, pcl_selinux_base(type));
}

/* Of a sorted view. */
static int look_at_programs(const struct pcl_backend_input *input,
			    const struct pcl_selinux_policy *policy, struct pcl_selinux_view *view)
{
	struct program_looker looker = {policy, view};
	int error = 0;

	for (size_t i = 0; i < input->domain_count && !error; i++)
		if (!input->domains[i].id)
			error = pcl_selinux_sources_each(&input->domains[i], look_at_program,
							 &looker);
	return error;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static int ask_policy(policydb_t *db, struct looker *looker)
{
	struct makings makings = {db, looker->view};
	ebitmap_t domains;
	int error;

	ebitmap_init(&domains);
	error = find_domains(db, &domains) || add_types(db, &domains, looker) ||
				add_domains(db, &domains, looker->view) ||
				add_classes(db, looker->view) ||
				avtab_map(&db->te_avtab, add_making, &makings) ||
				avtab_map(&db->te_cond_avtab, add_making, &makings)
			? -ENOMEM
			: 0;
	ebitmap_destroy(&domains);
	return error;
}

static void sort_view(struct pcl_selinux_view *view)
{
	if (view->type_count)
		qsort((void *)view->types, view->type_count, sizeof(*view->types), compare_names);
	if (view->class_count)
		qsort((void *)view->classes, view->class_count, sizeof(*view->classes),
		      compare_names);
	if (view->entry_count)
		qsort(view->entries, view->entry_count, sizeof(*view->entries), compare_entries);
}

int pcl_selinux_look(const struct pcl_backend_input *input, struct pcl_selinux_policy *policy,
		     struct pcl_selinux_view **ret_view, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_selinux_view_free) struct pcl_selinux_view *view = calloc(1, sizeof(*view));
	struct looker looker pcl_cleanup(looker_fini) = {.view = view};
	int error = view ? visit_all(look_at, &looker, diag)
			 : pcl_diag_set(diag, -ENOMEM, "out of memory");

	pcl_steps_end("selinux: files are looked for");
	if (!error && ask_policy(&policy->db, &looker))
		error = pcl_diag_set(diag, -ENOMEM, "out of memory");
	if (error)
		return error;
	sort_view(view);
	if (look_at_programs(input, policy, view))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	*ret_view = pcl_take_ptr(view);
	pcl_steps_end("selinux: the policy is asked about files");
	return 0;
}

int pcl_selinux_clones_of(const void *policy, size_t size, struct pcl_selinux_changes *changes,
			  struct pcl_diag *diag)
{
	pcl_cleanup(pcl_selinux_policy_free) struct pcl_selinux_policy *read = NULL;
	int error = pcl_selinux_policy_read(policy, size, &read, diag);

	for (uint32_t i = 0; !error && i < read->db.p_types.nprim; i++) {
		const char *name = read->db.p_type_val_to_name[i];
		const char *base = name ? pcl_selinux_base(name) : NULL;
		struct pcl_selinux_clone *clone;

		if (!name || pcl_selinux_is_attribute(&read->db, i + 1) || base == name ||
		    !pcl_selinux_find(&read->db, base))
			continue;
		if (pcl_array_grow(&changes->clones, changes->clones_count, sizeof(*clone)))
			return pcl_diag_set(diag, -ENOMEM, "out of memory");
		clone = &changes->clones[changes->clones_count++];
		*clone = (struct pcl_selinux_clone){.name = strdup(name), .base = strdup(base)};
		if (!clone->name || !clone->base)
			error = pcl_diag_set(diag, -ENOMEM, "out of memory");
	}
	return error;
}
