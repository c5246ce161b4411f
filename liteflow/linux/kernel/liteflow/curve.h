/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tanh in integers, for the files whose loops it belongs in.
 */
#ifndef _KERNEL_LITEFLOW_CURVE_H
#define _KERNEL_LITEFLOW_CURVE_H

#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include <linux/liteflow_model.h>

#include "tanh_table.h"

#define LF_TANH_STEP_BITS	8
#define LF_TANH_END		(8 << LITEFLOW_TANH_IN_FRAC)
#define LF_TANH_STEP		(LF_TANH_END / LITEFLOW_TANH_STEPS)

/*
 * tanh is odd and its table ends in S16_MAX, twice: the last angle stands for
 * all beyond. No branch, as the sign of an angle cannot be predicted.
 */
static __always_inline s32 lf_tanh_at(s64 angle)
{
	s64 sign = angle >> 63;
	u64 magnitude = ((u64)angle ^ sign) - sign;
	u32 t = min_t(u64, magnitude, LF_TANH_END - 1);
	const u16 *p = &lf_tanh_table[t >> LF_TANH_STEP_BITS];
	s32 part = t & (LF_TANH_STEP - 1);
	s32 y = p[0];

	y += ((p[1] - y) * part + LF_TANH_STEP / 2) >> LF_TANH_STEP_BITS;
	return (y ^ (s32)sign) - (s32)sign;
}

#endif /* _KERNEL_LITEFLOW_CURVE_H */
