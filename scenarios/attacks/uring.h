/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation through io_uring, by the system calls alone: a ring of a few entries, one
 * submission, one completion.
 */
#ifndef GNT_ATTACK_URING_H
#define GNT_ATTACK_URING_H

#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "replay.h"

#define URING_ENTRIES 4

struct uring {
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
	struct io_uring_params params;
};

/* flags are of io_uring_setup(), 0 or IORING_SETUP_SQPOLL. 0 or -errno. */
static inline int uring_open(struct uring *ring, unsigned flags)
{
	size_t sq_len, cq_len;
	long fd;

	memset(ring, 0, sizeof(*ring));
	ring->params.flags = flags;
	ring->params.sq_thread_idle = 1000;
	fd = syscall(SYS_io_uring_setup, URING_ENTRIES, &ring->params);
	if (fd < 0)
		return -errno;
	ring->fd = (int)fd;
	sq_len = ring->params.sq_off.array + ring->params.sq_entries * sizeof(uint32_t);
	cq_len = ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
	ring->sq = mmap(NULL, sq_len, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			(off_t)IORING_OFF_SQ_RING);
	ring->cq = mmap(NULL, cq_len, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			(off_t)IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, ring->params.sq_entries * sizeof(*ring->sqes),
			  PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, (off_t)IORING_OFF_SQES);
	return ring->sq == MAP_FAILED || ring->cq == MAP_FAILED || ring->sqes == MAP_FAILED ? -errno
											    : 0;
}

static inline uint32_t *uring_word(char *base, uint32_t offset)
{
	return (uint32_t *)(void *)(base + offset);
}

/* The result of the operation: at least 0, or -errno. */
static inline int uring_run(struct uring *ring, const struct io_uring_sqe *sqe)
{
	const struct io_sqring_offsets *sq = &ring->params.sq_off;
	const struct io_cqring_offsets *cq = &ring->params.cq_off;
	uint32_t tail = *uring_word(ring->sq, sq->tail);
	uint32_t mask = *uring_word(ring->sq, sq->ring_mask);
	uint32_t head = *uring_word(ring->cq, cq->head);
	int polled = (ring->params.flags & IORING_SETUP_SQPOLL) != 0;
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(void *)(ring->cq + cq->cqes);
	unsigned flags = IORING_ENTER_GETEVENTS | (polled ? IORING_ENTER_SQ_WAKEUP : 0);
	int result;

	ring->sqes[tail & mask] = *sqe;
	uring_word(ring->sq, sq->array)[tail & mask] = tail & mask;
	__atomic_store_n(uring_word(ring->sq, sq->tail), tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, polled ? 0 : 1, 1, flags, NULL, 0) < 0)
		return -errno;
	if (__atomic_load_n(uring_word(ring->cq, cq->tail), __ATOMIC_ACQUIRE) == head)
		return -EIO;
	result = cqes[head & *uring_word(ring->cq, cq->ring_mask)].res;
	__atomic_store_n(uring_word(ring->cq, cq->head), head + 1, __ATOMIC_RELEASE);
	return result;
}

/* The whole in one: 0 or more, or -errno. ret_setup tells a ring that could not be made. */
static inline int uring_once(unsigned flags, const struct io_uring_sqe *sqe, int *ret_setup)
{
	struct uring ring;

	*ret_setup = uring_open(&ring, flags);
	return *ret_setup ? *ret_setup : uring_run(&ring, sqe);
}

#endif
