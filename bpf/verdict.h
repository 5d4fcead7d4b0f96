/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What was permitted without a word, kept by the object's dentry, so that the next open, execution
 * or use of a descriptor ends before the walk (docs/cache.md). Kept is only what the same question
 * is answered again as long as the name is the same: no rule with a source or a condition, no
 * alert, no refusal. Refusals are found anew each time, since each is told.
 *
 * An entry is valid for the very dentry, mount, domain, ruleset and both sequence numbers. KERNEL:
 * the address of a dentry becomes another object's only by security_d_instantiate(), before anybody
 * can open it; and who opens an object holds its dentry, so it is not forgotten before it is kept.
 */
#ifndef PCL_BPF_VERDICT_H
#define PCL_BPF_VERDICT_H

#include "cache.h"

static __always_inline struct pcl_verdict *verdict_entry(__u64 dentry)
{
	__u32 slot = table_slot(dentry, PCL_VERDICTS_BITS);

	return &resident.verdicts[slot];
}

static __always_inline __u64 verdict_moment(const struct pcl_moment *moment)
{
	return (__u64)moment->rename_seq << 32 | moment->mount_seq;
}

/*
 * Odd factors, so that one word of another writer always shows, and several do but for one chance
 * in 2^59. It guards against a mixture only: every word is compared as well.
 */
static __always_inline __u64 verdict_check(__u64 dentry, __u64 mnt, __u64 live, __u64 domain,
					   __u64 moment, __u64 permits)
{
	return dentry * 0x9E3779B97F4A7C15ULL + mnt * 0xBF58476D1CE4E5B9ULL +
	       live * 0x94D049BB133111EBULL + domain * 0xD6E8FEB86659FD93ULL +
	       moment * 0xA0761D6478BD642FULL + permits;
}

/*
 * Of accesses, all if they were permitted to domain and would be again, or 0; with
 * PCL_VERDICT_NAMED where that is only as long as the object has a name, as it has now. The other
 * names are those of ret_moment. The object may be told by pointers: what they equal is a number.
 */
static __always_inline __u64 verdict_stands(__u64 dentry, __u64 mnt, __u64 live, __u64 domain,
					    __u64 accesses, struct pcl_moment *ret_moment)
{
	struct pcl_verdict *kept = verdict_entry(dentry);
	__u64 kept_dentry, kept_mnt, permits, moment, differs;

	kept_dentry = *(volatile __u64 *)&kept->dentry;
	kept_mnt = *(volatile __u64 *)&kept->mnt;
	if (hidden(kept_dentry) != dentry || hidden(kept_mnt) != mnt)
		return 0;
	moment_take(ret_moment);
	moment = verdict_moment(ret_moment);
	permits = *(volatile __u64 *)&kept->permits;
	differs = (kept->live ^ live) | (kept->moment ^ moment) | (kept->domain ^ domain) |
		  (~permits & accesses);
	differs |=
		kept->check ^ verdict_check(kept_dentry, kept_mnt, live, domain, moment, permits);
	/* KERNEL: d_unhashed(). */
	if (differs ||
	    ((permits & PCL_VERDICT_NAMED) && !READ_FIELD(struct dentry, dentry, d_hash.pprev)))
		return 0;
	return permits & (accesses | PCL_VERDICT_NAMED);
}

/*
 * Keeps that accesses (with PCL_VERDICT_NAMED) are permitted to domain. Everything that was looked
 * at, was so since moment.
 */
static __always_inline void verdict_keep(const struct pcl_object *object,
					 const struct pcl_task *state, __u64 domain, __u64 live,
					 __u64 accesses, const struct pcl_moment *moment)
{
	__u64 permits = accesses, old;
	struct pcl_verdict *kept;

	/* Until its home is known a domain's names may still change. */
	if (!moments_exist() || !object->mnt || !home_of(state) || !moment_holds(moment))
		return;
	kept = verdict_entry(object->dentry);
	old = *(volatile __u64 *)&kept->permits;
	if (kept->dentry == object->dentry && kept->mnt == object->mnt && kept->live == live &&
	    kept->domain == domain && kept->moment == verdict_moment(moment) &&
	    kept->check == verdict_check(object->dentry, object->mnt, live, domain,
					 verdict_moment(moment), old))
		permits |= old;
	kept->dentry = object->dentry;
	kept->mnt = object->mnt;
	kept->live = live;
	kept->domain = domain;
	kept->moment = verdict_moment(moment);
	kept->permits = permits;
	kept->check = verdict_check(object->dentry, object->mnt, live, domain,
				    verdict_moment(moment), permits);
}

/* The dentry is about to become another object's. */
static __always_inline void forget_dentry(const struct dentry *pointer)
{
	__u64 dentry = (__u64)pointer;
	struct pcl_verdict *kept = verdict_entry(dentry);
	struct pcl_dir *dir = dir_entry(dentry);

	if (kept->dentry == dentry)
		kept->dentry = 0;
	if (dir && dir->dentry == dentry)
		dir->dentry = 0;
}

#endif
