/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * LiteFlow: a neural network as data.
 *
 * A model is one blob of little-endian fields, in this order and with nothing
 * between them:
 *
 *	struct liteflow_blob_header
 *	struct liteflow_blob_feature	[n_in]		how each input is quantised
 *	struct liteflow_blob_output	[n_out]		how each output is made
 *	struct liteflow_blob_layer	[n_layers]
 *	per layer its parameters, then zero bytes up to a multiple of 8:
 *	dense:		__le64 bias[n_out], then __le16 weight[n_out][n_in]
 *	recurrent:	struct liteflow_blob_cell, then __le64 bias[B * n_out], then
 *			__le16 w_x[G * n_out][n_in], then __le16 w_h[G * n_out][n_out]
 *	provenance: provenance_len bytes of UTF-8 text, then zero bytes up to a
 *	multiple of 8
 *
 * The multiples of 8 are those of the part's own length: a layer's parameters,
 * the provenance. Where a part starts does not matter, nothing has to be
 * aligned. Every length follows from the header and the layers, and must add up
 * to total_len. All reserved fields and all padding are zero.
 *
 * Arithmetic. Activations are 16-bit integers, weights are 16-bit integers,
 * sums are exact. With rshift(v, s) = (v + (1 << (s - 1))) >> s for s > 0, and
 * v for s = 0 (arithmetic shift, so halves round up):
 *
 *	input i:	x = rshift((clamp(in, lo, hi) - offset) * mult, shift)
 *	dense layer:	a = bias + sum of weight * x
 *	  none:		y = rshift(a, shift), saturated to 16 bits
 *	  ReLU:		y = the same of max(a, 0)
 *	  tanh:		t = rshift(a, shift), an angle with LITEFLOW_TANH_IN_FRAC bits
 *			after the point; y = tanh(t), LITEFLOW_TANH_OUT_FRAC bits after
 *			the point, at most S16_MAX
 *	  sigmoid:	t as for tanh, but of half the angle:
 *			y = ((1 << LITEFLOW_TANH_OUT_FRAC) + tanh(t)) >> 1
 *	last layer:	none, ReLU: shift is 0 and v = a (or max(a, 0));
 *			tanh, sigmoid: v = y; argmax: v = the index of the largest
 *			a, the lowest one of equals, and shift is 0
 *	output o:	out = clamp(rshift(v * mult, shift) + offset, lo, hi)
 *
 * Recurrent layers. Up to LITEFLOW_MAX_RECURRENT of them may come first, before at least
 * one dense layer. A layer of n_out units has n_out values h, the state that it takes
 * from the query before and leaves for the next one; what leaves it is the new h. An
 * LSTM also has n_out values c. G is the number of its gates: 1 (RNN), 3 (GRU: r, z, n),
 * 4 (LSTM: i, f, g, o); the rows of the first gate come first. B is G, or 4 for a GRU,
 * which has one bias for n's inputs and then one for its state. Each row has two sums,
 *
 *	X = (sum of w_x * x) << shift_x		H = (sum of w_h * h) << shift_h
 *
 * and with S = bias + X + H, sat(v, n) saturating to n bits, tanh() and
 * sigmoid(a) = ((1 << LITEFLOW_TANH_OUT_FRAC) + tanh(rshift(a, shift + 1))) >> 1:
 *
 *	RNN, ReLU:	h = sat(rshift(max(S, 0), shift), state_bits)
 *	RNN, tanh:	h = tanh(rshift(S, shift))
 *	GRU:		r = sigmoid(S), z = sigmoid(S) of their rows; of n's rows
 *			n = tanh(rshift(bias + X + rshift(r * (bias' + H), 15), shift))
 *			h = rshift(((1 << 15) - z) * n + z * h, 15)
 *	LSTM:		i, f, o = sigmoid(S), g = tanh(rshift(S, shift))
 *			c = sat(rshift(f * c + (i * g << (c_frac - 15)), 15), 32)
 *			h = rshift(o * tanh(rshift(c, c_frac - 14)), 15)
 *
 * All rows take the old h. Values are at first 0. A ReLU layer with state_bits 32 takes
 * inputs of 32 bits, so do inputs above, and the dense layer behind it; any other takes
 * 16 bits. state_len counts the values: h of the first layer, then its c, then those of
 * the next one. They stay within their format: 0 to S16_MAX or S32_MAX in a ReLU layer,
 * +-S16_MAX in h of others, 32 bits in c.
 *
 * tanh is interpolated between LITEFLOW_TANH_STEPS equidistant points of [0, 8) and
 * odd; kernel/liteflow/engine.c has the details.
 */
#ifndef _UAPI_LINUX_LITEFLOW_MODEL_H
#define _UAPI_LINUX_LITEFLOW_MODEL_H

#include <linux/types.h>

#define LITEFLOW_BLOB_MAGIC		0x4e4e464c	/* "LFNN" */
#define LITEFLOW_BLOB_VERSION		1

#define LITEFLOW_NAME_LEN		32	/* with its terminating zero byte */
#define LITEFLOW_DIGEST_LEN		32	/* SHA-256 */

#define LITEFLOW_MAX_BLOB		(1U << 20)
#define LITEFLOW_MAX_LAYERS		16
#define LITEFLOW_MAX_WIDTH		1024	/* of any layer, inputs and outputs included */
#define LITEFLOW_MAX_PROVENANCE	4096
#define LITEFLOW_MAX_SHIFT		62
#define LITEFLOW_MAX_SHIFT_UP		15	/* of the sums of a recurrent layer's weights */
#define LITEFLOW_MAX_RECURRENT		4
#define LITEFLOW_MAX_STATE		(2 * LITEFLOW_MAX_RECURRENT * LITEFLOW_MAX_WIDTH)

#define LITEFLOW_TANH_IN_FRAC		14
#define LITEFLOW_TANH_OUT_FRAC	15
#define LITEFLOW_TANH_STEPS		512

/* what a layer is */
enum {
	LITEFLOW_LAYER_DENSE = 1,
	LITEFLOW_LAYER_RNN = 2,
	LITEFLOW_LAYER_GRU = 3,
	LITEFLOW_LAYER_LSTM = 4,
};

/* what becomes of its sums */
enum {
	LITEFLOW_ACT_NONE = 0,
	LITEFLOW_ACT_RELU = 1,
	LITEFLOW_ACT_TANH = 2,
	LITEFLOW_ACT_SIGMOID = 3,
	LITEFLOW_ACT_ARGMAX = 4,	/* last layer only; the model has one output */
};

/**
 * struct liteflow_blob_header - the start of a model
 * @magic: LITEFLOW_BLOB_MAGIC
 * @version: LITEFLOW_BLOB_VERSION
 * @header_len: sizeof(struct liteflow_blob_header)
 * @total_len: length of the whole blob, bytes
 * @crc: CRC-32 (IEEE 802.3, as zlib's) of the whole blob with this field zero
 * @n_in: number of inputs
 * @n_out: number of outputs
 * @n_layers: number of layers
 * @state_len: values of state that a caller keeps between queries, all layers
 *	together; 0: none is recurrent
 * @provenance_len: bytes of provenance, 0 if there is none
 * @reserved: 0
 * @name: what people call the model
 * @units: tag of the units of inputs and outputs; has to equal the app's
 */
struct liteflow_blob_header {
	__le32 magic;
	__le16 version;
	__le16 header_len;
	__le32 total_len;
	__le32 crc;
	__le16 n_in;
	__le16 n_out;
	__le16 n_layers;
	__le16 state_len;
	__le32 provenance_len;
	__le32 reserved;
	char name[LITEFLOW_NAME_LEN];
	char units[LITEFLOW_NAME_LEN];
};

/**
 * struct liteflow_blob_feature - one input
 * @name: its name; the app may insist on names and order
 * @lo: lower end of the range that the model was trained on, the app's units
 * @hi: upper end, inclusive
 * @offset: see the formula above; within [@lo, @hi] or not
 * @mult: factor, not negative
 * @shift: at most LITEFLOW_MAX_SHIFT
 * @reserved: 0
 */
struct liteflow_blob_feature {
	char name[LITEFLOW_NAME_LEN];
	__le32 lo;
	__le32 hi;
	__le32 offset;
	__le32 mult;
	__u8 shift;
	__u8 reserved[3];
};

/**
 * struct liteflow_blob_output - one output
 * @name: its name
 * @lo: the least value, the app's units
 * @hi: the greatest value; @hi - @lo is the output span
 * @offset: see the formula above
 * @mult: factor, not negative
 * @shift: at most LITEFLOW_MAX_SHIFT
 * @reserved: 0
 */
struct liteflow_blob_output {
	char name[LITEFLOW_NAME_LEN];
	__le32 lo;
	__le32 hi;
	__le32 offset;
	__le32 mult;
	__u8 shift;
	__u8 reserved[3];
};

/**
 * struct liteflow_blob_layer - one layer
 * @type: LITEFLOW_LAYER_*
 * @act: LITEFLOW_ACT_*; of an RNN ReLU or tanh, of a GRU or an LSTM tanh
 * @shift: at most LITEFLOW_MAX_SHIFT, and one less in a GRU or an LSTM
 * @reserved: 0
 * @n_in: inputs; those of the first layer are the model's, those of any other
 *	the outputs of the one before
 * @n_out: outputs
 */
struct liteflow_blob_layer {
	__u8 type;
	__u8 act;
	__u8 shift;
	__u8 reserved;
	__le16 n_in;
	__le16 n_out;
};

/**
 * struct liteflow_blob_cell - what a recurrent layer has besides
 * @shift_x: scale of w_x: its sums are shifted up by that, at most
 *	LITEFLOW_MAX_SHIFT_UP
 * @shift_h: scale of w_h, in the same way
 * @state_bits: of a value of h: 32 or 16 with ReLU, 16 otherwise
 * @c_frac: LSTM: bits after the point of a value of c, 15 to 30; otherwise 0
 * @reserved: 0
 */
struct liteflow_blob_cell {
	__u8 shift_x;
	__u8 shift_h;
	__u8 state_bits;
	__u8 c_frac;
	__u8 reserved[4];
};

#endif /* _UAPI_LINUX_LITEFLOW_MODEL_H */
