/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_MATH_H
#define _COMPAT_LINUX_MATH_H

#include <linux/types.h>

/* Digit by digit: exact, and without libm */
static inline u32 int_sqrt64(u64 x)
{
	u64 root = 0, bit = 1ULL << 62;

	while (bit > x)
		bit >>= 2;
	for (; bit; bit >>= 2) {
		if (x >= root + bit) {
			x -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	return root;
}

#endif
