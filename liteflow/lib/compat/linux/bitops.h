/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_BITOPS_H
#define _COMPAT_LINUX_BITOPS_H

#include <linux/bits.h>

/* Number of the highest bit that is set, from 1; 0 if there is none. */
static inline int fls(unsigned int v)
{
	return v ? 32 - __builtin_clz(v) : 0;
}

static inline int fls64(unsigned long long v)
{
	return v ? 64 - __builtin_clzll(v) : 0;
}

#endif
