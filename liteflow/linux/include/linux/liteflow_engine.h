/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LiteFlow's engine: from a blob to a model that can be asked.
 *
 * It knows no app, no slot and no flow, and takes no lock. The same source is
 * built in user space, where compat/ stands for the kernel's headers, so tools
 * and kernel give the same bits.
 */
#ifndef _LINUX_LITEFLOW_ENGINE_H
#define _LINUX_LITEFLOW_ENGINE_H

#include <linux/types.h>
#include <linux/liteflow_model.h>

/* Up to this width the activations of a query lie on the caller's stack. */
#define LF_STACK_WIDTH	64

/* Length of the explanation of a refusal; what an extack can carry. */
#define LF_ERROR_LEN	80

/**
 * struct lf_error - why something was refused
 * @msg: one line for people, without a newline; empty if there is no error
 */
struct lf_error {
	char msg[LF_ERROR_LEN];
};

/**
 * struct lf_limits - what a model must keep to
 * @n_in: inputs that it must have; 0: any
 * @n_out: outputs that it must have; 0: any
 * @max_width: greatest width of a layer, inputs and outputs included; 0: any
 * @max_macs: most multiply-adds of one query; 0: any
 * @max_bytes: most bytes of memory, see lf_model::bytes; 0: any
 * @max_state: most values of state; 0: none, as whoever does not know of state cannot
 *	keep it
 * @units: tag that it must carry; NULL: any
 * @features: names that its inputs must have, @n_in of them; NULL: any
 */
struct lf_limits {
	u16 n_in;
	u16 n_out;
	u16 max_width;
	u32 max_macs;
	u32 max_bytes;
	u32 max_state;
	const char *units;
	const char *const *features;
};

/* How one input is quantised, or one output made: struct liteflow_blob_feature. */
struct lf_scale {
	s32 lo;
	s32 hi;
	s32 offset;
	s32 mult;
	u8 shift;
};

/**
 * struct lf_layer - a layer, ready to run
 * @n_in: inputs
 * @n_out: outputs
 * @act: LITEFLOW_ACT_*
 * @shift: of its sums
 * @wide: sums may need more than 32 bits, so they are made one by one in s64;
 *	otherwise two rows share a 64-bit accumulator
 * @bias: a bias per row, or per pair of rows, in the form of the accumulator
 * @weight: wide: s16 [n_out][n_in]
 * @pair: not wide: [DIV_ROUND_UP(n_out, 2)][n_in], the weight of the even row
 *	plus that of the odd row times 2^32
 */
struct lf_layer {
	u16 n_in;
	u16 n_out;
	u8 act;
	u8 shift;
	bool wide;
	const s64 *bias;
	union {
		const s16 *weight;
		const s64 *pair;
	};
};

/**
 * struct lf_cell - a recurrent layer, ready to run
 * @n_in: inputs
 * @n_out: units
 * @type: LITEFLOW_LAYER_RNN, GRU or LSTM
 * @act: of an RNN: LITEFLOW_ACT_RELU or LITEFLOW_ACT_TANH
 * @shift: of its sums
 * @state_bits: of a value of h: 16 or 32
 * @c_frac: LSTM: bits after the point of a value of c
 * @wide: sums may need more than 32 bits, so an accumulator has one row; otherwise two
 * @bias: four per block, in the form of the accumulators
 * @weight: per block first [n_in], then [n_out] times four weights, three in a GRU:
 *	one for each accumulator, with their scale in them. recurrent.h says which rows
 *	a block has
 */
struct lf_cell {
	u16 n_in;
	u16 n_out;
	u8 type;
	u8 act;
	u8 shift;
	u8 state_bits;
	u8 c_frac;
	bool wide;
	const s64 *bias;
	const s64 *weight;
};

/**
 * struct lf_model - a model that was proved sound; immutable
 * @n_in: inputs
 * @n_out: outputs
 * @n_layers: dense layers
 * @n_cells: recurrent layers, which come before those
 * @state_len: values that the caller keeps from query to query; 0: none
 * @width: greatest number of inputs or outputs of a layer
 * @macs: multiply-adds of one query
 * @bytes: memory that it takes
 * @crc: of its blob
 * @in: @n_in scales
 * @out: @n_out scales
 * @name: from the blob
 * @units: from the blob
 * @provenance: text; "" if there is none
 * @in_names: @n_in names
 * @out_names: @n_out names
 * @cells: @n_cells recurrent layers
 * @layers: @n_layers dense layers
 *
 * One allocation holds all of it.
 */
struct lf_model {
	u16 n_in;
	u16 n_out;
	u16 n_layers;
	u16 n_cells;
	u16 state_len;
	u16 width;
	u32 macs;
	u32 bytes;
	u32 crc;
	const struct lf_scale *in;
	const struct lf_scale *out;
	char name[LITEFLOW_NAME_LEN];
	char units[LITEFLOW_NAME_LEN];
	const char *provenance;
	const char (*in_names)[LITEFLOW_NAME_LEN];
	const char (*out_names)[LITEFLOW_NAME_LEN];
	const struct lf_cell *cells;
	struct lf_layer layers[];
};

/* v / 2^shift, rounded to the nearest, halves up; shift at most LITEFLOW_MAX_SHIFT. */
static inline s64 lf_rshift(s64 v, unsigned int shift)
{
	return (v + (1LL << shift >> 1)) >> shift;
}

/* What the network gets to see of an input that is within its range. */
static inline s64 lf_quantise(const struct lf_scale *scale, s32 in)
{
	return lf_rshift(((s64)in - scale->offset) * scale->mult, scale->shift);
}

/* The same of any input. Not clamp(): it branches, and inputs cannot be predicted. */
static inline s64 lf_input(const struct lf_scale *scale, s32 in)
{
	in = in < scale->lo ? scale->lo : in;
	in = in > scale->hi ? scale->hi : in;
	return lf_quantise(scale, in);
}

/* What the app gets to see of a value of the last layer. */
static inline s32 lf_output(const struct lf_scale *scale, s64 v)
{
	v = lf_rshift(v * scale->mult, scale->shift) + scale->offset;
	v = v < scale->lo ? scale->lo : v;
	return v > scale->hi ? scale->hi : v;
}

__printf(2, 3) void lf_refuse(struct lf_error *err, const char *fmt, ...);
int lf_model_parse(const void *blob, size_t len, const struct lf_limits *limits,
		   struct lf_model **model, struct lf_error *err);
void lf_model_free(const struct lf_model *model);
void lf_model_run(const struct lf_model *model, const s32 *in, s32 *out, s16 *scratch);
void lf_model_step(const struct lf_model *model, const s32 *in, s32 *out, s32 *state,
		   s32 *scratch);
bool lf_state_sound(const struct lf_model *model, const s32 *state);
s32 lf_tanh(s64 angle);
s16 lf_layer_weight(const struct lf_layer *layer, unsigned int row, unsigned int col);
s64 lf_layer_bias(const struct lf_layer *layer, unsigned int row);

#endif /* _LINUX_LITEFLOW_ENGINE_H */
