/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic that the forward pass and the proofs at load share.
 */
#ifndef _KERNEL_LITEFLOW_ENGINE_H
#define _KERNEL_LITEFLOW_ENGINE_H

#include <linux/liteflow_engine.h>

/* Printable ASCII that ends below LITEFLOW_NAME_LEN: people get to see it in tables. */
static inline bool lf_printable(const char *name)
{
	unsigned int i;

	for (i = 0; i < LITEFLOW_NAME_LEN && name[i]; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return i < LITEFLOW_NAME_LEN;
}

s32 lf_hidden(const struct lf_layer *layer, s64 sum);
s64 lf_value(const struct lf_layer *layer, s64 sum);

#endif /* _KERNEL_LITEFLOW_ENGINE_H */
