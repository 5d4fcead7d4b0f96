/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hooks. Each names the objects that an operation touches and how, and lets
 * judge() decide. The engine attaches the programs of a class only while some
 * ruleset has rules of that class.
 *
 * KERNEL: the trampoline stops at the first program that refuses, so none looks
 * at an earlier program's answer.
 */
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "attribute.h"
#include "capability.h"
#include "descriptor.h"
#include "dns.h"
#include "guard.h"
#include "judge.h"
#include "layer.h"
#include "mapping.h"
#include "mounting.h"
#include "network.h"
#include "syscalls.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline int judge_file(__u32 hook, __u32 access, struct dentry *dentry,
				      struct vfsmount *mnt, __u32 flags)
{
	return judge(hook, PCL_BPF_FILE, access, (__u64)dentry, (__u64)mnt, flags);
}

/* A new name, or the loss of one, under a directory. */
static __always_inline int judge_name(__u32 hook, const struct path *dir, struct dentry *dentry)
{
	return judge_file(hook, PCL_BPF_WRITE, dentry, OF_PATH(dir, mnt), 0);
}

/* The name that an object is about to get, after that which it has was judged. */
static __always_inline int judge_next_name(__u32 hook, const struct path *dir,
					   struct dentry *dentry)
{
	return judge_file(hook, PCL_BPF_WRITE, dentry, OF_PATH(dir, mnt), ASK_MORE);
}

static __always_inline int judge_program(struct file *file)
{
	struct dentry *dentry = file->f_path.dentry;

	return judge(PCL_HOOK_BPRM_CHECK, PCL_BPF_PROCESS, PCL_BPF_EXECUTE, (__u64)dentry,
		     (__u64)file->f_path.mnt, ASK_DELETED | ASK_FAST);
}

/*
 * KERNEL: called for the program, then again for each interpreter of a #! or binfmt_misc chain,
 * with the arguments that it gets.
 */
SEC("lsm/bprm_check_security")
int BPF_PROG(pcl_bprm_check, struct linux_binprm *bprm)
{
	struct pcl_task *state = NULL;
	int error;

	if (resident.control.page_offset_base_at)
		state = task_state(current_task());
	if (state)
		state->args.bprm = (__u64)bprm;
	error = judge_program(bprm->file);
	if (state)
		state->args.bprm = 0;
	return error;
}

/* A function of its own, so that who has no rules saves no registers for it. */
static __noinline int judge_open(unsigned long long *ctx, __u64 live, __u64 domain)
{
	struct pcl_known known = {live, domain};
	struct file *file = (struct file *)ctx[0];
	struct dentry *dentry = file->f_path.dentry;
	__u32 access = PCL_BPF_READ;

	if (is_behind_overlay(file))
		return judge_layer(file);
	if ((file->f_mode & FMODE_WRITE) || (file->f_flags & O_TRUNC))
		access = PCL_BPF_WRITE;
	return judge_known(PCL_HOOK_FILE_OPEN, PCL_BPF_FILE, access, (__u64)dentry,
			   (__u64)file->f_path.mnt, ASK_DELETED | ASK_FAST, &known);
}

SEC("lsm/file_open")
int pcl_file_open(unsigned long long *ctx)
{
	struct file *file = (struct file *)ctx[0];
	struct pcl_known known;

	if (pcl_keeps_files)
		forget_file(file);
	/* Opened to be executed, which is the process class's business. */
	if (GET(file, f_flags) & FMODE_EXEC_FLAG)
		return judge_layer_execution(ctx);
	return is_free(PCL_BPF_FILE, &known) ? 0 : judge_open(ctx, known.live, known.domain);
}

SEC("lsm/path_truncate")
int BPF_PROG(pcl_path_truncate, const struct path *path)
{
	return judge_name(PCL_HOOK_TRUNCATE, path, OF_PATH(path, dentry));
}

SEC("lsm/path_mknod")
int BPF_PROG(pcl_path_mknod, const struct path *dir, struct dentry *dentry, __u16 mode,
	     unsigned int dev)
{
	return judge_name(PCL_HOOK_MKNOD, dir, dentry);
}

SEC("lsm/path_mkdir")
int BPF_PROG(pcl_path_mkdir, const struct path *dir, struct dentry *dentry, __u16 mode)
{
	return judge_name(PCL_HOOK_MKDIR, dir, dentry);
}

SEC("lsm/path_symlink")
int BPF_PROG(pcl_path_symlink, const struct path *dir, struct dentry *dentry, const char *target)
{
	return judge_name(PCL_HOOK_SYMLINK, dir, dentry);
}

SEC("lsm/path_unlink")
int BPF_PROG(pcl_path_unlink, const struct path *dir, struct dentry *dentry)
{
	return judge_name(PCL_HOOK_UNLINK, dir, dentry);
}

SEC("lsm/path_rmdir")
int BPF_PROG(pcl_path_rmdir, const struct path *dir, struct dentry *dentry)
{
	return judge_name(PCL_HOOK_RMDIR, dir, dentry);
}

static __always_inline bool is_dir(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	return inode && (inode->i_mode & S_IFMT) == S_IFDIR;
}

/*
 * An object is about to get another name, under which no rule would know it: refused where a file
 * rule forbids changing it, and where a process rule forbids running it. A directory is also asked
 * for rules below it, since what lies there would leave them.
 */
static __always_inline int judge_move(__u32 hook, struct dentry *dentry, struct vfsmount *mnt,
				      struct dentry *to, struct vfsmount *to_mnt, __u32 more)
{
	__u32 flags = is_dir(dentry) ? ASK_BELOW : 0;
	struct pcl_task *state = flags ? task_state(current_task()) : NULL;
	int error;

	/* Without a state the judgement refuses. */
	if (state) {
		state->to.dentry = (__u64)to;
		state->to.mnt = (__u64)to_mnt;
	}
	error = judge_file(hook, PCL_BPF_WRITE, dentry, mnt, flags | more);
	if (error)
		return error;
	return judge(hook, PCL_BPF_PROCESS, PCL_BPF_EXECUTE, (__u64)dentry, (__u64)mnt,
		     flags | ASK_NAMED | ASK_MOVE | ASK_MORE);
}

/* KERNEL: a hard link stays on its mount, so the old name is judged with the new one's mount. */
SEC("lsm/path_link")
int BPF_PROG(pcl_path_link, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry)
{
	int error =
		judge_move(PCL_HOOK_LINK, old_dentry, new_dir->mnt, new_dentry, new_dir->mnt, 0);

	return error ? error : judge_next_name(PCL_HOOK_LINK, new_dir, new_dentry);
}

#ifdef PCL_OLD_KERNEL
/* KERNEL: before 5.19 the hook is called twice for an exchange, once for each of the names. */
SEC("lsm/path_rename")
int BPF_PROG(pcl_path_rename, const struct path *old_dir, struct dentry *old_dentry,
	     const struct path *new_dir, struct dentry *new_dentry)
{
	int error =
		judge_move(PCL_HOOK_RENAME, old_dentry, old_dir->mnt, new_dentry, new_dir->mnt, 0);

	return error ? error : judge_next_name(PCL_HOOK_RENAME, new_dir, new_dentry);
}
#else
/* KERNEL: from 5.19 the hook has the flags and is called once for an exchange of two names. */
SEC("lsm/path_rename")
int BPF_PROG(pcl_path_rename, const struct path *old_dir, struct dentry *old_dentry,
	     const struct path *new_dir, struct dentry *new_dentry, unsigned int flags)
{
	int error =
		judge_move(PCL_HOOK_RENAME, old_dentry, old_dir->mnt, new_dentry, new_dir->mnt, 0);

	if (error)
		return error;
	if (flags & RENAME_EXCHANGE)
		return judge_move(PCL_HOOK_RENAME, new_dentry, new_dir->mnt, old_dentry,
				  old_dir->mnt, ASK_MORE);
	return judge_next_name(PCL_HOOK_RENAME, new_dir, new_dentry);
}
#endif

SEC("lsm/path_chmod")
int BPF_PROG(pcl_path_chmod, const struct path *path, __u16 mode)
{
	return judge_name(PCL_HOOK_CHMOD, path, OF_PATH(path, dentry));
}

#ifndef PCL_OLD_KERNEL
/* KERNEL: the owner arguments are structs of one word, with which a hook can be used from 6.1. */
SEC("lsm/path_chown")
int BPF_PROG(pcl_path_chown, const struct path *path)
{
	return judge_name(PCL_HOOK_CHOWN, path, OF_PATH(path, dentry));
}
#endif

SEC("lsm/file_permission")
int pcl_file_permission(unsigned long long *ctx)
{
	struct pcl_known known;

	if (pcl_keeps_files && is_kept_file((struct file *)ctx[0]))
		return 0;
	return is_free(PCL_BPF_FILE, &known) ? 0 : judge_use(ctx, known.live, known.domain);
}

SEC("lsm/file_receive")
int BPF_PROG(pcl_file_receive, struct file *file)
{
	return judge_received(file);
}

/* KERNEL: from 6.2; before, ftruncate calls path_truncate. */
SEC("lsm/file_truncate")
int BPF_PROG(pcl_file_truncate, struct file *file)
{
	return judge_descriptor(PCL_HOOK_FILE_TRUNCATE, file, PCL_BPF_WRITE);
}

SEC("lsm/mmap_file")
int BPF_PROG(pcl_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags)
{
	return judge_mapping(file, prot, flags);
}

SEC("lsm/file_mprotect")
int BPF_PROG(pcl_file_mprotect, struct vm_area_struct *vma, unsigned long reqprot,
	     unsigned long prot)
{
	return judge_protection(vma, prot);
}

/* Programs of their own, so that mapping costs nothing where no preset speaks of it. */
SEC("lsm/mmap_file")
int BPF_PROG(pcl_map_anonymous, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags)
{
	return judge_anonymous_mapping(file, prot, flags);
}

SEC("lsm/file_mprotect")
int BPF_PROG(pcl_protect_anonymous, struct vm_area_struct *vma, unsigned long reqprot,
	     unsigned long prot)
{
	return judge_anonymous_protection(vma, prot);
}

SEC("lsm/inode_setxattr")
int pcl_setxattr(unsigned long long *ctx)
{
	return judge_attribute(PCL_HOOK_SETXATTR, second_if(machine.has_xattr_idmap, ctx));
}

SEC("lsm/inode_removexattr")
int pcl_removexattr(unsigned long long *ctx)
{
	return judge_attribute(PCL_HOOK_SETXATTR, second_if(machine.has_xattr_idmap, ctx));
}

SEC("lsm/inode_set_acl")
int pcl_set_acl(unsigned long long *ctx)
{
	return judge_attribute(PCL_HOOK_SETXATTR, ctx[1]);
}

SEC("lsm/inode_remove_acl")
int pcl_remove_acl(unsigned long long *ctx)
{
	return judge_attribute(PCL_HOOK_SETXATTR, ctx[1]);
}

SEC("lsm/inode_setattr")
int pcl_setattr(unsigned long long *ctx)
{
	__u64 dentry = second_if(machine.has_setattr_idmap, ctx);
	__u64 attr = second_if(machine.has_setattr_idmap, ctx + 1);

	if (!is_unseen_change(READ_FIELD(struct iattr, attr, ia_valid)))
		return 0;
	return judge_attribute(PCL_HOOK_SETATTR, dentry);
}

SEC("lsm/inode_file_setattr")
int BPF_PROG(pcl_file_setattr, struct dentry *dentry)
{
	return judge_attribute(PCL_HOOK_SETATTR, (__u64)dentry);
}

SEC("lsm/file_ioctl")
int BPF_PROG(pcl_file_ioctl, struct file *file, unsigned int command)
{
	return judge_control(file, command);
}

SEC("lsm/file_ioctl_compat")
int BPF_PROG(pcl_file_ioctl_compat, struct file *file, unsigned int command)
{
	return judge_control(file, command);
}

SEC("lsm/sb_mount")
int BPF_PROG(pcl_mount, const char *dev_name, const struct path *path, const char *type,
	     unsigned long flags)
{
	return judge_mount(flags);
}

SEC("lsm/move_mount")
int BPF_PROG(pcl_move_mount, const struct path *from, const struct path *to)
{
	return judge_move_mount(from);
}

SEC("lsm/sb_umount")
int BPF_PROG(pcl_umount, struct vfsmount *mnt, int flags)
{
	return is_only_mount((__u64)mnt) ? 0 : judge_unmount(PCL_HOOK_UMOUNT, (__u64)mnt);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(pcl_pivot_root, const struct path *old_path, const struct path *new_path)
{
	return judge_upheaval(PCL_HOOK_PIVOT_ROOT);
}

SEC("lsm/d_instantiate")
int BPF_PROG(pcl_forget, struct dentry *dentry)
{
	forget_dentry(dentry);
	return 0;
}

/*
 * A child of a contained task is contained, wherever it is put; one of the host's is known to have
 * been outside, should it be put into a container.
 */
SEC("lsm/task_alloc")
int BPF_PROG(pcl_task_alloc, struct task_struct *child, unsigned long clone_flags)
{
	struct task_struct *task = current_task();
	struct pcl_task *state, *born;
	__u64 live;

	/* Its memory may have been another task's. */
	forget_asker(child);
	if (!(live = live_now()) || (GET(task, flags) & PF_KTHREAD))
		return 0;
	state = current_state(task, live);
	if (!state)
		return -EACCES;
	born = task_state(child);
	if (!born)
		return -EACCES;
	born->live = state->live;
	born->cgroup_id = state->cgroup_id;
	/* One of the host's may be born into the pid namespace of a domain, so it looks itself. */
	born->mount_ns = state->domain == PCL_BPF_DOMAIN_HOST ? 0 : state->mount_ns;
	born->domain = state->domain;
	born->incarnation = state->incarnation;
	born->entered = state->entered;
	born->active = state->active;
	born->visiting = state->visiting;
	return 0;
}

#ifdef PCL_OLD_KERNEL
/* Also of a task that was never forked to its end. */
SEC("lsm/task_free")
int BPF_PROG(pcl_task_free, struct task_struct *task)
{
	__u64 key = (__u64)task;

	bpf_map_delete_elem(&tasks, &key);
	return 0;
}
#endif

/*
 * The first program that a container executes tells which mount namespace names its objects, where
 * the engine found no task of it to ask. Who came in from outside and may execute is inside from
 * then on. KERNEL: the hook comes when the execution is decided, and is of no consequence to it.
 */
SEC("lsm/bprm_committing_creds")
int BPF_PROG(pcl_settle, struct linux_binprm *bprm)
{
	struct task_struct *task = current_task();
	struct pcl_bpf_home *home;
	struct pcl_task *state;
	__u32 domain;
	__u64 live;

	if (!(live = live_now()))
		return 0;
	state = current_state(task, live);
	if (!state)
		return 0;
	/* Where no rule is about executions, this is the first that is heard of it. */
	end_visit(task, state, live);
	if (state->domain == PCL_BPF_DOMAIN_HOST)
		return 0;
	state->entered = 0;
	domain = state->domain;
	home = bpf_map_lookup_elem(&homes, &domain);
	if (!home || home->incarnation != state->incarnation || home->mnt_ns)
		return 0;
	home->mnt_ns = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	return 0;
}

/* --- our own, which containers leave alone (guard.h) ------------------------------------------ */

SEC("lsm/bpf_map")
int BPF_PROG(pcl_guard_map, struct bpf_map *map)
{
	return guard_map(map);
}

SEC("lsm/bpf_prog")
int BPF_PROG(pcl_guard_prog, struct bpf_prog *program)
{
	return guard_program(program);
}

SEC("lsm/bpf")
int BPF_PROG(pcl_guard_bpf, int command, __u64 attr)
{
	return guard_link(command, attr);
}

SEC("lsm/path_mknod")
int BPF_PROG(pcl_guard_mknod, const struct path *dir, struct dentry *dentry)
{
	return guard_name(dentry);
}

SEC("lsm/path_mkdir")
int BPF_PROG(pcl_guard_mkdir, const struct path *dir, struct dentry *dentry)
{
	return guard_name(dentry);
}

SEC("lsm/path_symlink")
int BPF_PROG(pcl_guard_symlink, const struct path *dir, struct dentry *dentry)
{
	return guard_name(dentry);
}

SEC("lsm/path_unlink")
int BPF_PROG(pcl_guard_unlink, const struct path *dir, struct dentry *dentry)
{
	return guard_name(dentry);
}

SEC("lsm/path_rmdir")
int BPF_PROG(pcl_guard_rmdir, const struct path *dir, struct dentry *dentry)
{
	return guard_name(dentry);
}

SEC("lsm/path_link")
int BPF_PROG(pcl_guard_hardlink, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry)
{
	int error = guard_name(old_dentry);

	return error ? error : guard_name(new_dentry);
}

SEC("lsm/path_rename")
int BPF_PROG(pcl_guard_rename, const struct path *old_dir, struct dentry *old_dentry,
	     const struct path *new_dir, struct dentry *new_dentry)
{
	int error = guard_name(old_dentry);

	return error ? error : guard_name(new_dentry);
}

SEC("lsm/path_chmod")
int BPF_PROG(pcl_guard_chmod, const struct path *path)
{
	return guard_name(OF_PATH(path, dentry));
}

SEC("lsm/sb_umount")
int BPF_PROG(pcl_guard_umount, struct vfsmount *mnt, int flags)
{
	return guard_umount(mnt, flags);
}
