/* SPDX-License-Identifier: GPL-2.0 */
/* Models over sequences, as the kernel answers. */
#ifndef LEMU_SEQUENCE_H
#define LEMU_SEQUENCE_H

#include <stddef.h>
#include <stdint.h>

#include <linux/pkt_sched_lemu.h>

#include "link.h"

/**
 * sequence_run() - answers of a packed model to @count traces of @steps packets
 * @blob: the model
 * @rows: [count][steps][LEMU_N_IN], in the app's integers
 * @anew: [count][steps], where the state starts from zeros
 * @answers: filled, [count][steps][LEMU_N_OUT]
 * @why: filled with the reason if the kernel would refuse the model
 *
 * Not for several threads at a time. Returns 0, or -1.
 */
int sequence_run(const void *blob, size_t len, int count, int steps, const int32_t *rows,
		 const uint8_t *anew, int32_t *answers, char *why, size_t room);

/**
 * sequence_batch() - link_batch() with a packed model as the queue
 * @drained: work from which on the state starts from zeros
 * @unit: bytes of the model's backlog
 *
 * Returns 0, or -1; @why is empty without memory.
 */
int sequence_batch(const void *blob, size_t len, int64_t drained, double unit, char *why,
		   size_t room, const struct link_ranges *ranges, uint64_t seed, uint64_t first,
		   int count, int steps, float *work, float *size, float *backlog,
		   uint8_t *dropped, float *capacity, float *limit, double *at);

#endif
