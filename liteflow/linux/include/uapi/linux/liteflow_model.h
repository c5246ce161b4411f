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
 *	per layer: __le64 bias[n_out], then __le16 weight[n_out][n_in], then
 *	zero bytes up to a multiple of 8
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

#define LITEFLOW_TANH_IN_FRAC		14
#define LITEFLOW_TANH_OUT_FRAC	15
#define LITEFLOW_TANH_STEPS		512

/* what a layer is */
enum {
	LITEFLOW_LAYER_DENSE = 1,
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
 * @state_len: values of state that a caller keeps between queries; 0, as no
 *	layer of this version has any
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
 * @type: LITEFLOW_LAYER_DENSE
 * @act: LITEFLOW_ACT_*
 * @shift: at most LITEFLOW_MAX_SHIFT
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

#endif /* _UAPI_LINUX_LITEFLOW_MODEL_H */
