/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic that the forward pass and the proofs at load share.
 */
#ifndef _KERNEL_LITEFLOW_ENGINE_H
#define _KERNEL_LITEFLOW_ENGINE_H

#include <linux/liteflow_engine.h>
#include <linux/minmax.h>

/* v / 2^shift, rounded to the nearest, halves up; shift at most LF_MAX_SHIFT. */
static inline s64 lf_rshift(s64 v, unsigned int shift)
{
	return (v + (1LL << shift >> 1)) >> shift;
}

/* What the network gets to see of an input that is within its range. */
static inline s64 lf_quantise(const struct lf_scale *scale, s32 in)
{
	return lf_rshift(((s64)in - scale->offset) * scale->mult, scale->shift);
}

/* Printable ASCII that ends below LF_NAME_LEN: people get to see it in tables. */
static inline bool lf_printable(const char *name)
{
	unsigned int i;

	for (i = 0; i < LF_NAME_LEN && name[i]; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return i < LF_NAME_LEN;
}

s32 lf_hidden(const struct lf_layer *layer, s64 sum);
s64 lf_value(const struct lf_layer *layer, s64 sum);

#endif /* _KERNEL_LITEFLOW_ENGINE_H */
