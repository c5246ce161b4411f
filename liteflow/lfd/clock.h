/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LFD_CLOCK_H
#define _LFD_CLOCK_H

#include <stdint.h>

/*
 * The time that lfd goes by, in ns: CLOCK_MONOTONIC, which nobody sets and which the
 * kernel's records carry. Tests link another one.
 */
uint64_t clock_now(void);

/* How long to wait for a moment of that clock, ms for poll(); at least 0. */
int clock_wait_ms(uint64_t until);

#endif /* _LFD_CLOCK_H */
