/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written down of a change before it is made: what the policy becomes, which labels are
 * given, and which file is where, for events. Private to the backend.
 *
 * The file "next" is there from before the first step of a change until it holds or is undone; then
 * it becomes "applied". Both are synced before the step that they are for.
 */
#ifndef PCL_BACKEND_SELINUX_RECORD_H
#define PCL_BACKEND_SELINUX_RECORD_H

#include <stdint.h>
#include <stdio.h>

#include "backend/selinux_patch.h"

#define PCL_SELINUX_APPLIED "applied"
#define PCL_SELINUX_NEXT "next"

struct pcl_selinux_label {
	char *path;
	char *before;
	char *after;
};

/* A file that has a clone's label. */
struct pcl_selinux_place {
	char *path;
	char *type;
	uint64_t inode;
	bool directory;
	bool link;
};

/* A program that rules name as a source, and what domains that run it are called by. */
struct pcl_selinux_mark {
	char *name;
	char *path;
};

/* A name that a rule is about, with or without a file. */
struct pcl_selinux_coming {
	char *name;
	bool pattern;
};

struct pcl_selinux_record {
	uint64_t generation;
	struct pcl_selinux_changes changes;
	struct pcl_selinux_label *labels;
	size_t label_count;
	struct pcl_selinux_place *places; /* in the order of their paths, bytes compared */
	size_t place_count;
	struct pcl_selinux_mark *marks;
	size_t mark_count;
	struct pcl_selinux_coming *comings;
	size_t coming_count;
	char **awaits; /* directories where names that match patterns may come */
	size_t await_count;
};

void pcl_selinux_record_fini(struct pcl_selinux_record *record);

/* 0 or -ENOMEM; copies. */
int pcl_selinux_record_add_label(struct pcl_selinux_record *record, const char *path,
				 const char *before, const char *after);
int pcl_selinux_record_add_place(struct pcl_selinux_record *record,
				 const struct pcl_selinux_place *place);

int pcl_selinux_record_add_mark(struct pcl_selinux_record *record, const char *name,
				const char *path);
int pcl_selinux_record_add_coming(struct pcl_selinux_record *record, const char *name,
				  bool pattern);

int pcl_selinux_record_save(const char *name, const struct pcl_selinux_record *record,
			    struct pcl_diag *diag);
/* -ENOENT (diag untouched): there is none; -EBADMSG: it is none of these. */
int pcl_selinux_record_load(const char *name, struct pcl_selinux_record *ret_record,
			    struct pcl_diag *diag);
/* next becomes applied. */
int pcl_selinux_record_keep(struct pcl_diag *diag);
void pcl_selinux_record_delete(const char *name);

/* The policy that was loaded before ours, byte for byte. */
int pcl_selinux_original_save(const void *policy, size_t size, struct pcl_diag *diag);
/* -ENOENT (diag untouched): there is none. */
int pcl_selinux_original_load(void **ret_policy, size_t *ret_size, struct pcl_diag *diag);

/* Whether anything is written down; and all of it away. */
bool pcl_selinux_records_exist(void);
void pcl_selinux_records_delete(void);

/* The records are in dir (borrowed) from now on, for tests. */
void pcl_selinux_records_use_dir(const char *dir);

/* As text, a thing a line. text is changed. 0, -EBADMSG, -ENOMEM, -EIO. */
int pcl_selinux_record_print(const struct pcl_selinux_record *record, FILE *out);
int pcl_selinux_record_parse(char *text, struct pcl_selinux_record *ret_record);

#endif
