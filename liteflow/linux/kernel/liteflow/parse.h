/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A blob on its way to become a model: what model.c and recurrent_check.c share.
 */
#ifndef _KERNEL_LITEFLOW_PARSE_H
#define _KERNEL_LITEFLOW_PARSE_H

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/liteflow_engine.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

/* No sum, product or shift in the forward pass comes beyond this. */
#define LF_BOUND	((s64)BIT_ULL(62))
/* Leaves room for the terms of a row and for rounding. */
#define LF_BIAS_MAX	((s64)BIT_ULL(61))

/* What an activation can be. */
struct lf_range {
	s32 lo;
	s32 hi;
};

/**
 * struct lf_parser - a blob on its way to become a model
 * @limits: what it must keep to
 * @err: where the reason goes, or NULL
 * @in: its struct liteflow_blob_feature
 * @out: its struct liteflow_blob_output
 * @layer: its struct liteflow_blob_layer
 * @param: parameters of the first layer
 * @provenance: its text
 * @end: end of the blob
 * @h: its header
 * @n_cells: recurrent layers, which come first
 * @state_len: values of their state
 * @in_bits: that the model's inputs may have
 * @state_bits: of what leaves the last one of them, 0 if there is none
 * @width: greatest width
 * @macs: multiply-adds
 * @bytes: memory that the model takes
 * @wide: bit per layer: needs sums of 64 bits
 * @x: ranges of a layer's inputs
 * @y: ranges of its outputs
 */
struct lf_parser {
	const struct lf_limits *limits;
	struct lf_error *err;
	const u8 *in;
	const u8 *out;
	const u8 *layer;
	const u8 *param;
	const u8 *provenance;
	const u8 *end;
	struct liteflow_blob_header h;
	unsigned int n_cells;
	unsigned int state_len;
	unsigned int in_bits;
	unsigned int state_bits;
	unsigned int width;
	u32 macs;
	u32 bytes;
	u32 wide;
	struct lf_range *x;
	struct lf_range *y;
};

/* A layer's struct liteflow_blob_layer in the machine's order. */
struct lf_shape {
	unsigned int n_in;
	unsigned int n_out;
	u8 type;
	u8 act;
	u8 shift;
};

#define lf_bad(p, fmt, ...)							\
({										\
	lf_refuse((p)->err, fmt, ##__VA_ARGS__);				\
	-EINVAL;								\
})

static inline size_t lf_left(const struct lf_parser *p, const u8 *from)
{
	return p->end - from;
}

static inline bool lf_zero(const u8 *from, size_t len)
{
	return !memchr_inv(from, 0, len);
}

/* A bias is at @param, weights at @weights. */
static inline s64 lf_read_bias(const u8 *param, unsigned int row)
{
	return (s64)get_unaligned_le64(param + row * sizeof(__le64));
}

static inline s16 lf_read_weight(const u8 *weights, unsigned int col)
{
	return (s16)get_unaligned_le16(weights + col * sizeof(__le16));
}

/* recurrent_check.c: the same steps for a recurrent layer as model.c has for others */
size_t lf_cell_param_len(const struct lf_shape *s);
int lf_cell_check(struct lf_parser *p, unsigned int nth, const struct lf_shape *s,
		  const u8 *param);
int lf_cell_prove(struct lf_parser *p, unsigned int nth, const struct lf_shape *s,
		  const u8 *param);
size_t lf_cell_bytes(const struct lf_shape *s, bool wide);
void lf_cell_fill(const struct lf_shape *s, bool wide, const u8 *param, struct lf_cell *cell,
		  s64 *to);

#endif /* _KERNEL_LITEFLOW_PARSE_H */
