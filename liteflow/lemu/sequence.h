/* SPDX-License-Identifier: GPL-2.0 */
/* Models over sequences, as the kernel answers. */
#ifndef LEMU_SEQUENCE_H
#define LEMU_SEQUENCE_H

#include <stddef.h>
#include <stdint.h>

#define LINK_INPUTS 4
#define LINK_OUTPUTS 3

/**
 * sequence_run() - answers of a packed model to @count traces of @steps packets
 * @blob: the model
 * @rows: [count][steps][LINK_INPUTS], in the app's integers
 * @anew: [count][steps], where the state starts from zeros
 * @answers: filled, [count][steps][LINK_OUTPUTS]
 * @why: filled with the reason if the kernel would refuse the model
 *
 * Not for several threads at a time. Returns 0, or -1.
 */
int sequence_run(const void *blob, size_t len, int count, int steps, const int32_t *rows,
		 const uint8_t *anew, int32_t *answers, char *why, size_t room);

#endif
