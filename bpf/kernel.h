/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's types, as far as the programs touch them. Written by hand and relocated by CO-RE
 * against the running kernel, so the build needs no kernel's BTF; field names are the kernel's, the
 * order and the rest are not. A struct with ___suffix is a variant of other kernel versions.
 */
#ifndef PCL_BPF_KERNEL_H
#define PCL_BPF_KERNEL_H

#define PCL_BPF_PROGRAM 1

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

enum {
	false = 0,
	true = 1,
};

#define NULL ((void *)0)

/* Map types and flags (linux/bpf.h), the few used. */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum {
	BPF_F_NO_PREALLOC = 1U << 0,
	BPF_F_MMAPABLE = 1U << 10,
	BPF_F_INNER_MAP = 1U << 12,
};
enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
};
enum {
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1U << 0,
};

#define EPERM 1
#define EACCES 13
#define PF_KTHREAD 0x00200000
#define O_TRUNC 00001000
#define FMODE_WRITE 0x2
#define FMODE_EXEC_FLAG 0x20 /* __FMODE_EXEC in f_flags: opened by execve, not to be read */
#define MNT_INTERNAL 0x4000
#define RENAME_EXCHANGE 2
#define S_IFMT 00170000
#define S_IFDIR 0040000
#define S_IFSOCK 0140000
#define AF_INET 2
#define AF_INET6 10
#define CAP_OPT_NOAUDIT 2 /* from 5.1 */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
	union {
		struct {
			__u32 hash;
			__u32 len;
		};
		__u64 hash_len;
	};
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
};

struct bpf_map {
	char name[16];
	__u32 id;
};

struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

typedef struct {
	__u32 val;
} kuid_t;

struct inode {
	__u16 i_mode;
	unsigned long i_ino;
	kuid_t i_uid;
	__u32 i_rdev;
};

struct pid;

/* Of proc's file system; pid is NULL where the object is about no process. */
struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
};

/* The first word of every kind of sequence counter: odd while somebody writes. */
struct seqcount {
	unsigned int sequence;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct dentry {
	unsigned int d_flags;
	struct seqcount d_seq;
	struct dentry *d_parent;
	struct hlist_bl_node d_hash;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct dentry___alias {
	union {
		struct hlist_node d_alias;
	} d_u;
};

struct inode___aliases {
	struct hlist_head i_dentry;
};

/* Before 6.15, or backports of it: the short name lies inside the dentry, behind d_inode. */
struct dentry___iname {
	unsigned char d_iname[32];
};

/* Some struct of plain words that every kernel of every machine has, to read a name by words. */
struct sysinfo {
	long uptime;
	unsigned long loads[3];
};

struct vfsmount {
	struct dentry *mnt_root;
	int mnt_flags;
};

struct ns_common {
	unsigned int inum;
};

struct mount;

struct mnt_namespace {
	struct ns_common ns;
	struct mount *root;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

struct task_struct;

struct pid_namespace {
	struct task_struct *child_reaper;
	struct ns_common ns;
	struct pid_namespace *parent;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
	struct list_head mnt_mounts; /* those on it */
	int mnt_group_id;
};

/* Before 6.18: a file system's mounts are a list, the oldest first. */
struct mount___list {
	struct list_head mnt_instance;
};

struct super_block___list {
	struct list_head s_mounts;
};

/* From then on a chain, the newest first. */
struct mount___chain {
	struct mount *mnt_next_for_sb;
};

struct super_block___chain {
	struct mount *s_mounts;
};

/* From 6.8: a number that no other mount ever gets, and that grows. */
struct mount___unique {
	__u64 mnt_id_unique;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
	void *private_data;
};

struct fs_struct {
	struct path pwd;
};

struct mm_struct {
	struct file *exe_file;
	void *pgd;
	unsigned long saved_auxv[32]; /* longer, by how much differs */
};

struct anon_vma;

struct vm_area_struct {
	unsigned long vm_flags;
	struct file *vm_file;
	struct anon_vma *anon_vma; /* set once a private page was written */
};

struct iattr {
	unsigned int ia_valid;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
	int level;
};

/* Before 6.1. */
struct cgroup___ids {
	__u64 ancestor_ids[1];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct hlist_head tasks[4]; /* by enum pid_type, of which a thread's own is the first */
	struct upid numbers[1];
};

struct cred {
	kuid_t uid;
	kuid_t fsuid;
};

struct tty_struct;

struct signal_struct {
	struct tty_struct *tty;
};

struct task_struct {
	unsigned int flags;
	struct mm_struct *mm;
	struct fs_struct *fs;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[4]; /* in pid.tasks */
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	const struct cred *cred;
	struct signal_struct *signal;
	char comm[16];
};

/* KERNEL: on both machines the first member of a task. */
struct thread_info___x86 {
	__u32 status;
};

struct task_struct___x86 {
	struct thread_info___x86 thread_info;
};

struct thread_info___arm64 {
	unsigned long flags;
};

struct task_struct___arm64 {
	struct thread_info___arm64 thread_info;
};

struct cred;
struct user_namespace;

struct linux_binprm {
	struct file *file;
	struct mm_struct *mm; /* of the program to be */
	unsigned long p;      /* where its first argument stands there */
	int argc;
};

struct sock_common {
	unsigned short skc_family;
};

struct sock {
	struct sock_common __sk_common;
	__u8 sk_kern_sock : 1; /* opened by the kernel for itself */
	__u16 sk_type;
	__u16 sk_protocol;
};

struct socket {
	struct sock *sk;
};

struct msghdr {
	void *msg_name; /* a copy in the kernel's memory, or NULL */
	int msg_namelen;
};

#pragma clang attribute pop

/* What the kernel shows of a packet, as user space has it: the verifier translates the offsets. */
struct __sk_buff {
	__u32 len;
	__u32 unused[43];
	__u32 gso_size;
};
_Static_assert(__builtin_offsetof(struct __sk_buff, gso_size) == 176, "as linux/bpf.h has it");

#endif
