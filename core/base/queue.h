/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queue: bounded, blocking, of pointers, for any number of threads on both
 * sides; a mutex and two condition variables. At the rates here (a pointer is
 * a whole frame) a lock-free ring would save nothing and cost TSan's trust.
 * The queue does not own what the pointers point to.
 */
#ifndef TALLY_CORE_BASE_QUEUE_H
#define TALLY_CORE_BASE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

enum { QUEUE_CAPACITY_MAX = 1 << 20 };

struct queue;

struct queue_stats {
	size_t length, capacity;
	size_t high_water; /* most pointers at once, since it was made */
	uint64_t pushed, popped;
	uint64_t refused; /* ERR_BUSY answers */
};

/* capacity: 1 to QUEUE_CAPACITY_MAX (assert). */
int queue_new(struct queue **out, size_t capacity) MUST_USE;
/* Nobody may be in a call. What is left inside is forgotten: pop it first. */
void queue_free(struct queue *q);

/* At once: 0, ERR_BUSY (full) or ERR_CLOSED. item is not NULL (assert). */
int queue_push(struct queue *q, void *item) MUST_USE;
/* Waits for room up to timeout_ms; negative: for ever. ERR_TIMEOUT too. */
int queue_push_wait(struct queue *q, void *item, int timeout_ms) MUST_USE;
/* The oldest. Waits up to timeout_ms (0: not at all; negative: for ever).
 * ERR_TIMEOUT; ERR_CLOSED: closed, and everything was popped. */
int queue_pop(struct queue *q, void **item, int timeout_ms) MUST_USE;
/* Up to max of the oldest with one lock; waits for the first as pop does.
 * *n is how many; 0 on an error. */
int queue_pop_many(struct queue *q, void **items, size_t max, size_t *n,
		   int timeout_ms) MUST_USE;
/* No more pushes; pops give what is left. Wakes everybody. */
void queue_close(struct queue *q);
void queue_stats(struct queue *q, struct queue_stats *out);

#endif
