/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DNS queries: packets that a socket sends to port 53, as they leave. What is looked at is what is
 * sent, so a name cannot be another one by then; and the sender of a datagram gets EPERM.
 *
 * The domain is that of the socket's cgroup, which is where the task was that made it: who sends is
 * not known here, and a segment of TCP may go out in anybody's time slice.
 *
 * A name is looked up as it stands in the packet, labels with their lengths and all in lower case:
 * from each label on to its end, the longest first, until a rule speaks of one. KERNEL: a global
 * function may have the packet and numbers for arguments, on every kernel, and is verified once.
 */
#ifndef PCL_BPF_DNS_H
#define PCL_BPF_DNS_H

#include "decide.h"

#include <bpf/bpf_endian.h>

#define EGRESS_DROP 0
#define EGRESS_PASS 1

#define DNS_PORT 53u
#define DNS_HEADER_LEN 12u
#define DNS_QUESTIONS_OFFSET 4u
#define DNS_LABEL_MAX 63u
/* Bytes of a name without the root's label, which ends it, and so labels of one letter. */
#define DNS_NAME_MAX 254u
#define DNS_LABELS_MAX 127u
#define DNS_CHUNKS_MAX 8u
/* Queries in one segment of TCP. */
#define DNS_MESSAGES_MAX 8u

#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define UDP_HEADER_LEN 8u
#define TCP_OFFSET_OFFSET 12u

#define IPV4_FRAGMENT_OFFSET 6u
#define IPV4_PROTOCOL_OFFSET 9u
#define IPV4_PLACE 0x1fff
#define IPV4_MORE 0x2000

#define IPV6_NEXT_OFFSET 6u
#define IPV6_HEADER_LEN 40u
#define IPV6_PLACE 0xfff8
#define IPV6_MORE 0x1
/* Headers between that of IPv6 and that of UDP or TCP. */
#define IPV6_HEADERS_MAX 8u
#define IPV6_HOP_BY_HOP 0
#define IPV6_ROUTING 43
#define IPV6_FRAGMENT 44
#define IPV6_AUTHENTICATION 51
#define IPV6_DESTINATION 60
#define IPV6_MOBILITY 135

/* Levels of cgroups that one loop looks at, and rounds of it. */
#define CGROUP_LEVELS 64u
#define CGROUP_ROUNDS 64u

#define NOT_FOUND (-1)

/*
 * A length from 1 to max, which is a power of two: the compiler knows that it is one, and would
 * leave out what shows the verifier.
 */
#define WITHIN(length, max)                                                                        \
	({                                                                                         \
		__u32 less_ = (length)-1;                                                          \
                                                                                                   \
		barrier_var(less_);                                                                \
		(less_ & ((max)-1)) + 1;                                                           \
	})

/* --- which domain ----------------------------------------------------------------------------- */

/* The domain of the lowest of some cgroups above the socket, or NOT_FOUND. */
__noinline int domain_among(struct __sk_buff *skb, __u32 level, __u64 live)
{
	__u32 i;

	for (i = 0; i < CGROUP_LEVELS; i++) {
		__u64 id = bpf_skb_ancestor_cgroup_id(skb, (int)(level + CGROUP_LEVELS - 1 - i));
		struct pcl_bpf_cgroup *found;
		struct pcl_bpf_domain *entry;

		found = id ? bpf_map_lookup_elem(&cgroups, &id) : NULL;
		entry = found ? domain_entry(live, found->domain) : NULL;
		if (entry && entry->incarnation == found->incarnation)
			return (int)found->domain;
	}
	return NOT_FOUND;
}

/* A function of its own, since the verifier would follow it for each kind of packet. */
__noinline __u32 domain_of_packet(struct __sk_buff *skb, __u64 live)
{
	__u32 domain = PCL_BPF_DOMAIN_HOST, i;

	for (i = 0; i < CGROUP_ROUNDS; i++) {
		int found;

		if (!bpf_skb_ancestor_cgroup_id(skb, (int)(i * CGROUP_LEVELS)))
			break;
		found = domain_among(skb, i * CGROUP_LEVELS, live);
		if (found != NOT_FOUND)
			domain = (__u32)found;
	}
	return domain;
}

/* --- which set -------------------------------------------------------------------------------- */

/*
 * Bytes of the question's name at a message, without the root's label; NOT_FOUND where there is not
 * just one question, or where it has no whole name.
 */
__noinline int name_length(struct __sk_buff *skb, __u32 at)
{
	__u16 questions;
	__u32 i, len = 0;

	if (bpf_skb_load_bytes(skb, at + DNS_QUESTIONS_OFFSET, &questions, sizeof(questions)) ||
	    questions != bpf_htons(1))
		return NOT_FOUND;
	at += DNS_HEADER_LEN;
	for (i = 0; i <= DNS_LABELS_MAX; i++) {
		__u8 label;

		if (bpf_skb_load_bytes(skb, at + len, &label, sizeof(label)))
			return NOT_FOUND;
		if (!label)
			return (int)len;
		/* More is a reference to an earlier name, and there is none. */
		if (label > DNS_LABEL_MAX)
			return NOT_FOUND;
		len += label + 1u;
		if (len > DNS_NAME_MAX)
			return NOT_FOUND;
	}
	return NOT_FOUND;
}

#define EACH_BYTE(byte) ((byte)*0x0101010101010101ULL)

/* All eight letters at once. The lengths of labels are less than any letter. */
static __always_inline __u64 lower_case(__u64 word)
{
	__u64 low = word & EACH_BYTE(0x7f);
	__u64 from_a = low + EACH_BYTE(0x80 - 'A'), beyond_z = low + EACH_BYTE(0x7f - 'Z');

	return word | (from_a & ~beyond_z & ~word & EACH_BYTE(0x80)) >> 2;
}

/* The set of the len bytes of a name at a place, below node, or NOT_FOUND. */
__noinline int find_name(struct __sk_buff *skb, __u32 at, __u32 len, __u64 live, __u32 node)
{
	void *trie = trie_of(live);
	__u32 i, w;

	if (!trie)
		return NOT_FOUND;
	for (i = 0; i < DNS_CHUNKS_MAX; i++) {
		struct pcl_trie_key key = {.node = node};
		__u32 used = len > PCL_CHUNK_LEN ? PCL_CHUNK_LEN : len;
		struct pcl_trie_entry *next;
		__u64 hash;

		if (bpf_skb_load_bytes(skb, at, key.name, WITHIN(used, PCL_CHUNK_LEN)))
			return NOT_FOUND;
		key.len = used | (len > PCL_CHUNK_LEN ? PCL_CHUNK_MORE : 0);
		for (w = 0; w < PCL_CHUNK_WORDS; w++)
			key.name[w] = lower_case(key.name[w]);
		hash = hash_key(&key);
		next = bpf_map_lookup_elem(trie, &hash);
		if (!next || !same_key(&next->key, &key))
			return NOT_FOUND;
		if (!(key.len & PCL_CHUNK_MORE))
			return (int)next->edge.self;
		node = next->edge.node;
		at += PCL_CHUNK_LEN;
		len -= PCL_CHUNK_LEN;
	}
	return NOT_FOUND;
}

/* The set of the longest end of a name that a rule speaks of, or NOT_FOUND. */
__noinline int find_end(struct __sk_buff *skb, __u32 at, __u32 len, __u64 live, __u32 node)
{
	__u32 i;

	for (i = 0; i < DNS_LABELS_MAX && len; i++) {
		int set = find_name(skb, at, len, live, node);
		__u8 label;

		if (set != NOT_FOUND)
			return set;
		if (bpf_skb_load_bytes(skb, at, &label, sizeof(label)) || label >= len)
			return NOT_FOUND;
		at += label + 1u;
		len -= label + 1u;
	}
	return NOT_FOUND;
}

/* --- what it says ----------------------------------------------------------------------------- */

/*
 * Whose time slice it is: the sender's, but for what TCP sends later. Neither program nor directory
 * is told, for which a walk needs a task's state.
 */
static __always_inline void fill_sender(struct pcl_bpf_event *event)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	event->time_ns = bpf_ktime_get_boot_ns();
	event->pid = BPF_CORE_READ(task, pid);
	event->tgid = BPF_CORE_READ(task, tgid);
	event->ppid = BPF_CORE_READ(task, real_parent, tgid);
	event->uid = BPF_CORE_READ(task, cred, uid.val);
	event->pid_in_ns = number_in_ns(task);
	event->ppid_in_ns = number_in_ns(BPF_CORE_READ(task, real_parent));
	bpf_core_read(event->comm, sizeof(event->comm), &task->comm);
	event->source_len = 0;
	event->cwd_len = 0;
}

/* 0, or not where there is no room for it. The name is at a place, without its root's label. */
static __always_inline long write_query(struct __sk_buff *skb, const struct pcl_alert *alert,
					__u32 at, __u32 len, __u32 suppressed)
{
	struct pcl_bpf_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return -1;
	fill_sender(event);
	event->generation = alert->generation;
	event->rule = alert->rule;
	event->domain = alert->domain;
	event->flags = alert->flags | PCL_EVENT_CWD_CUT;
	event->hook = alert->hook;
	event->access = alert->access;
	event->suppressed = suppressed;
	__builtin_memset(&event->detail, 0, sizeof(event->detail));
	event->object_len = 0;
	if (len && !bpf_skb_load_bytes(skb, at, event->object, WITHIN(len, 256)))
		event->object_len = len;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

static __always_inline void tell_query(struct __sk_buff *skb, const struct pcl_alert *alert,
				       __u32 at, __u32 len)
{
	__u32 domain = alert->domain, suppressed = 0;
	struct pcl_bpf_tally *tally = bpf_map_lookup_elem(&tallies, &domain);

	if (!tally)
		return;
	if (!take_token(alert, &suppressed))
		__sync_fetch_and_add(&tally->suppressed, 1);
	else if (!write_query(skb, alert, at, len, suppressed))
		__sync_fetch_and_add(&tally->sent, 1);
	else
		__sync_fetch_and_add(&tally->lost, 1);
}

static __always_inline struct pcl_bpf_outcome *outcome_of_set(__u64 live, __u32 set)
{
	__u32 index = live & 1;
	struct pcl_bpf_set *found;
	void *map = bpf_map_lookup_elem(&sets, &index);

	found = map ? bpf_map_lookup_elem(map, &set) : NULL;
	return found ? &found->access[PCL_BPF_ACCESS_NUMBERED] : NULL;
}

/* The message at a place; 0, which is no place of one: it cannot be read. */
__noinline int judge_message(struct __sk_buff *skb, __u32 at, __u64 live, __u32 domain)
{
	struct pcl_bpf_domain *entry = domain_entry(live, domain);
	struct pcl_alert alert = {
		.generation = live >> 1,
		.domain = domain,
		.hook = PCL_HOOK_EGRESS,
		.access = PCL_BPF_RESOLVE,
	};
	int len = at ? name_length(skb, at) : NOT_FOUND, set = NOT_FOUND;
	struct pcl_bpf_outcome *outcome;
	struct pcl_trie_edge *root;

	if (!entry)
		return EGRESS_DROP;
	root = &entry->numbers[PCL_BPF_DNS - PCL_BPF_CLASS_COUNT];
	at += DNS_HEADER_LEN;
	if (len == NOT_FOUND) {
		set = (int)root->deep;
		alert.flags |= PCL_EVENT_UNKNOWN;
		len = 0;
	} else if (root->node) {
		set = find_end(skb, at, (__u32)len, live, root->node);
	}
	outcome = outcome_of_set(live, set == NOT_FOUND ? root->self : (__u32)set);
	if (!outcome)
		return EGRESS_DROP;
	alert.rule = pcl_outcome_named(outcome);
	if (outcome->flags & PCL_OUTCOME_REFUSE)
		alert.flags |= PCL_EVENT_REFUSED;
	if (outcome->flags & PCL_OUTCOME_ALERT)
		tell_query(skb, &alert, at, (__u32)len);
	return outcome->flags & PCL_OUTCOME_REFUSE ? EGRESS_DROP : EGRESS_PASS;
}

/* The messages of a segment, each behind its length. What is only a part of one cannot be read. */
__noinline int judge_stream(struct __sk_buff *skb, __u32 at, __u64 live, __u32 domain)
{
	__u32 i, end = skb->len;

	for (i = 0; i < DNS_MESSAGES_MAX; i++) {
		__u16 len;

		if (at == end)
			return EGRESS_PASS;
		if (bpf_skb_load_bytes(skb, at, &len, sizeof(len)))
			break;
		at += sizeof(len);
		if (at + bpf_ntohs(len) > end)
			break;
		if (judge_message(skb, at, live, domain) != EGRESS_PASS)
			return EGRESS_DROP;
		at += bpf_ntohs(len);
	}
	return judge_message(skb, 0, live, domain);
}

/* --- the packet ------------------------------------------------------------------------------- */

struct pcl_segment {
	__u32 protocol; /* PROTOCOL_* */
	__u32 at;	/* of its header; 0: the packet cannot be read */
	__u32 part;	/* it goes on in another fragment */
};

static __always_inline bool find_behind_ipv4(struct __sk_buff *skb, __u8 first,
					     struct pcl_segment *segment)
{
	__u16 fragment = 0;
	__u8 protocol = 0;

	if (bpf_skb_load_bytes(skb, IPV4_FRAGMENT_OFFSET, &fragment, sizeof(fragment)) ||
	    bpf_skb_load_bytes(skb, IPV4_PROTOCOL_OFFSET, &protocol, sizeof(protocol)))
		return true;
	fragment = bpf_ntohs(fragment);
	segment->protocol = protocol;
	segment->part = fragment & IPV4_MORE;
	segment->at = (first & 0xfu) * 4;
	return !(fragment & IPV4_PLACE);
}

/* What follows a header, as one number, so that a function may return it. */
#define HEADER_AFTER(protocol, len, flags) ((protocol) | (__u64)(len) << 8 | (flags))
#define HEADER_PROTOCOL(after) ((__u8)(after))
#define HEADER_LEN(after) ((__u16)((after) >> 8))
#define HEADER_ENDS                                                                                \
	(1ULL << 32) /* there is none at that place: what it is called is UDP, TCP, ... */
#define HEADER_CUT (1ULL << 33)	  /* it cannot be read */
#define HEADER_LATER (1ULL << 34) /* of a fragment that is not the first */
#define HEADER_MORE (1ULL << 35)  /* of a fragment that is not the last */

static __always_inline bool is_ipv6_header(__u8 protocol)
{
	return protocol == IPV6_HOP_BY_HOP || protocol == IPV6_ROUTING ||
	       protocol == IPV6_FRAGMENT || protocol == IPV6_AUTHENTICATION ||
	       protocol == IPV6_DESTINATION || protocol == IPV6_MOBILITY;
}

/* A function of its own, since the verifier would follow each kind of header into each of the next.
 */
__noinline __u64 after_ipv6_header(struct __sk_buff *skb, __u32 at, __u8 protocol)
{
	struct {
		__u8 next;
		__u8 len;
		__be16 place;
	} header = {};
	__u64 flags = 0;
	__u32 len;

	if (!is_ipv6_header(protocol))
		return HEADER_ENDS;
	if (bpf_skb_load_bytes(skb, at, &header, sizeof(header)))
		return HEADER_CUT;
	len = protocol == IPV6_AUTHENTICATION ? (header.len + 2u) * 4 : (header.len + 1u) * 8;
	if (protocol == IPV6_FRAGMENT) {
		len = 8;
		if (bpf_ntohs(header.place) & IPV6_PLACE)
			flags |= HEADER_LATER;
		if (bpf_ntohs(header.place) & IPV6_MORE)
			flags |= HEADER_MORE;
	}
	return HEADER_AFTER(header.next, len, flags);
}

static __always_inline bool find_behind_ipv6(struct __sk_buff *skb, struct pcl_segment *segment)
{
	__u32 i, at = IPV6_HEADER_LEN;
	__u8 protocol = 0;

	if (bpf_skb_load_bytes(skb, IPV6_NEXT_OFFSET, &protocol, sizeof(protocol)))
		return true;
	for (i = 0; i < IPV6_HEADERS_MAX; i++) {
		__u64 after = after_ipv6_header(skb, at, protocol);

		if (after & HEADER_ENDS) {
			segment->protocol = protocol;
			segment->at = at;
			return true;
		}
		if (after & HEADER_CUT)
			return true;
		if (after & HEADER_LATER)
			return false;
		if (after & HEADER_MORE)
			segment->part = 1;
		at += HEADER_LEN(after);
		protocol = HEADER_PROTOCOL(after);
	}
	return true;
}

/*
 * Whether the packet may be a query. Of one in fragments the first has the port, and is not let
 * through where that matters.
 */
static __always_inline bool find_segment(struct __sk_buff *skb, struct pcl_segment *segment)
{
	__u16 port = 0;
	__u8 first = 0;

	if (bpf_skb_load_bytes(skb, 0, &first, sizeof(first)))
		return true;
	if (!(first >> 4 == 4 ? find_behind_ipv4(skb, first, segment)
			      : find_behind_ipv6(skb, segment)))
		return false;
	if (!segment->at)
		return true;
	if (segment->protocol != PROTOCOL_UDP && segment->protocol != PROTOCOL_TCP)
		return false;
	if (bpf_skb_load_bytes(skb, segment->at + 2, &port, sizeof(port))) {
		segment->at = 0;
		return true;
	}
	return port == bpf_htons(DNS_PORT);
}

static __always_inline int judge_segment(struct __sk_buff *skb, const struct pcl_segment *segment,
					 __u64 live, __u32 domain)
{
	__u32 payload;
	__u8 words;

	/* One that becomes several datagrams has a query in each. */
	if (!segment->at || segment->part || (segment->protocol == PROTOCOL_UDP && skb->gso_size))
		return judge_message(skb, 0, live, domain);
	if (segment->protocol == PROTOCOL_UDP)
		return judge_message(skb, segment->at + UDP_HEADER_LEN, live, domain);
	if (bpf_skb_load_bytes(skb, segment->at + TCP_OFFSET_OFFSET, &words, sizeof(words)))
		return judge_message(skb, 0, live, domain);
	payload = segment->at + (__u32)(words >> 4) * 4;
	return payload < skb->len ? judge_stream(skb, payload, live, domain) : EGRESS_PASS;
}

SEC("cgroup_skb/egress")
int pcl_egress(struct __sk_buff *skb)
{
	struct pcl_segment segment = {};
	struct pcl_bpf_domain *entry;
	__u32 domain;
	__u64 live;

	if (!(live = live_now()) || !find_segment(skb, &segment))
		return EGRESS_PASS;
	domain = domain_of_packet(skb, live);
	entry = domain_entry(live, domain);
	if (!entry)
		return EGRESS_DROP;
	if (!(entry->active & (1u << PCL_BPF_DNS)))
		return EGRESS_PASS;
	/* The verifier does not know what a function returns. */
	return judge_segment(skb, &segment, live, domain) == EGRESS_PASS ? EGRESS_PASS
									 : EGRESS_DROP;
}

#endif
