/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What makers of test models share: numbers from a seed, and room in a blob.
 */
#ifndef _KERNEL_LITEFLOW_TESTWRITE_H
#define _KERNEL_LITEFLOW_TESTWRITE_H

#include <linux/crc32.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

/* Where a blob is being written; nothing is once it does not fit. */
struct lf_writer {
	u8 *buf;
	size_t size;
	size_t len;
	u32 random;
};

/* xorshift32: any number but 0. */
static inline u32 lf_random(u32 *state)
{
	u32 x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*state = x;
	return x;
}

static inline u32 lf_seed(u32 seed)
{
	u32 state = seed * 2654435761U + 0x9e3779b9;

	if (!state)
		state = 1;
	lf_random(&state);
	return state;
}

/* From lo to hi, both included. */
static inline s32 lf_between(u32 *state, s32 lo, s32 hi)
{
	u64 n = (s64)hi - lo + 1;

	return lo + (s64)(lf_random(state) * n >> 32);
}

static inline void *lf_room(struct lf_writer *w, size_t len)
{
	u8 *at = w->buf + w->len;

	w->len += len;
	if (w->len > w->size)
		return NULL;
	memset(at, 0, len);
	return at;
}

/* The same bits on any machine. */
static inline u32 lf_digest(u32 digest, const s32 *out, unsigned int n)
{
	u8 le[sizeof(__le32)];

	for (; n; n--, out++) {
		put_unaligned_le32(*out, le);
		digest = crc32_le(digest, le, sizeof(le));
	}
	return digest;
}

#endif /* _KERNEL_LITEFLOW_TESTWRITE_H */
