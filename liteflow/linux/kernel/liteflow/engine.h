/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic that the forward pass and the proofs at load share.
 */
#ifndef _KERNEL_LITEFLOW_ENGINE_H
#define _KERNEL_LITEFLOW_ENGINE_H

#include <linux/compiler.h>
#include <linux/liteflow_engine.h>
#include <linux/string.h>

/* Printable ASCII that ends below LITEFLOW_NAME_LEN: people get to see it in tables. */
static inline bool lf_printable(const char *name)
{
	unsigned int i;

	for (i = 0; i < LITEFLOW_NAME_LEN && name[i]; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return i < LITEFLOW_NAME_LEN;
}

/*
 * How many of the first @len bytes of a UTF-8 text, which was cut behind them, are
 * whole characters.
 */
static inline size_t lf_whole_chars(const char *text, size_t len)
{
	size_t more = 0, need;
	u8 first;

	/* back to the first byte of the last character */
	while (more < 3 && more < len && (text[len - 1 - more] & 0xc0) == 0x80)
		more++;
	if (more == len)
		return len;
	first = text[len - 1 - more];
	need = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
	return more < need ? len - 1 - more : len;
}

/* As much of UTF-8 text as fits @size bytes with a zero, in whole characters. */
static inline void lf_copy_text(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size);

	if (len == size)
		len = lf_whole_chars(from, size - 1);
	memcpy(to, from, len);
	to[len] = 0;
}

/* The sums of the two rows that share an accumulator, see engine.c. */
static __always_inline s64 lf_even(s64 acc)
{
	return (s32)acc;
}

static __always_inline s64 lf_odd(s64 acc)
{
	return (acc - (s32)acc) >> 32;
}

s32 lf_hidden(const struct lf_layer *layer, s64 sum);
s64 lf_value(const struct lf_layer *layer, s64 sum);
void lf_model_finish(const struct lf_model *model, unsigned int nth, s16 *x, s16 *y, s32 *out);

#endif /* _KERNEL_LITEFLOW_ENGINE_H */
