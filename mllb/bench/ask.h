/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's headers of the network, in user space
 */
#ifndef ASK_H
#define ASK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;

#ifndef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#endif
#define S32_MAX		INT32_MAX
#define min_t(t, a, b)	((t)(a) < (t)(b) ? (t)(a) : (t)(b))
#define max_t(t, a, b)	((t)(a) > (t)(b) ? (t)(a) : (t)(b))
#define clamp_t(t, v, lo, hi)	min_t(t, max_t(t, v, lo), hi)
#define clamp(v, lo, hi)	clamp_t(s32, v, lo, hi)

/* the kernel's <linux/minmax.h>, which user space does not have */
#include "jc_mlp.h"

extern struct jc_mlp fixed, dense, fl;

unsigned int nothing(const struct jc_lb_obs *d);
unsigned int ask_fixed(const struct jc_lb_obs *d);
unsigned int ask_dense(const struct jc_lb_obs *d);
unsigned int ask_float(const struct jc_lb_obs *d);
unsigned int ask_float_fpu(const struct jc_lb_obs *d);

#endif /* ASK_H */
