/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that a model is refused for, as changes to a sound one.
 */
#ifndef _KERNEL_LITEFLOW_REFUSALS_H
#define _KERNEL_LITEFLOW_REFUSALS_H

#include <linux/limits.h>
#include <linux/liteflow_model.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "testmodel.h"

/* Where a field is. */
enum lf_part {
	LF_HEADER,
	LF_INPUT,
	LF_OUTPUT,
	LF_LAYER,
	LF_PARAM,	/* of the first layer */
	LF_PARAM2,	/* of the second */
	LF_TEXT,
};

/* Set @size bytes at @at of a part to the little-endian @value. */
struct lf_edit {
	enum lf_part part;
	u16 at;
	u8 size;
	u64 value;
};

#define LF_EDIT(part, type, nth, field, size, value)				\
	{ part, (nth) * sizeof(struct type) + offsetof(struct type, field), size,	\
	  (u64)(value) }
#define LF_HEADER8(field, value)	LF_EDIT(LF_HEADER, liteflow_blob_header, 0, field, 1, value)
#define LF_HEADER16(field, value)	LF_EDIT(LF_HEADER, liteflow_blob_header, 0, field, 2, value)
#define LF_HEADER32(field, value)	LF_EDIT(LF_HEADER, liteflow_blob_header, 0, field, 4, value)
#define LF_HEADER64(field, value)	LF_EDIT(LF_HEADER, liteflow_blob_header, 0, field, 8, value)
#define LF_INPUT8(n, field, value)	LF_EDIT(LF_INPUT, liteflow_blob_feature, n, field, 1, value)
#define LF_INPUT32(n, field, value)	LF_EDIT(LF_INPUT, liteflow_blob_feature, n, field, 4, value)
#define LF_OUTPUT8(n, field, value)	LF_EDIT(LF_OUTPUT, liteflow_blob_output, n, field, 1, value)
#define LF_OUTPUT32(n, field, value)	LF_EDIT(LF_OUTPUT, liteflow_blob_output, n, field, 4, value)
#define LF_LAYER8(n, field, value)	LF_EDIT(LF_LAYER, liteflow_blob_layer, n, field, 1, value)
#define LF_LAYER16(n, field, value)	LF_EDIT(LF_LAYER, liteflow_blob_layer, n, field, 2, value)

/* Three inputs, five rows of tanh, two outputs. */
#define LF_BIAS(row, value)		{ LF_PARAM, 8 * (row), 8, (u64)(value) }
#define LF_WEIGHT(row, col, value)	{ LF_PARAM, 40 + 2 * (3 * (row) + (col)), 2, (u16)(value) }
#define LF_PADDING(value)		{ LF_PARAM, 40 + 30, 1, value }
#define LF_LAST_BIAS(row, value)	{ LF_PARAM2, 8 * (row), 8, (u64)(value) }

/* 32 bytes: the blob ends where the text does. */
static const char lf_text[] = "made by a test and not by chance";

static const struct lf_testmodel_spec lf_sound = {
	.n_in = 3, .n_out = 2, .n_layers = 2, .width = 5, .act = LITEFLOW_ACT_TANH,
	.last = LITEFLOW_ACT_NONE, .weight_bits = 8, .provenance = lf_text,
};

/* Unless @keep_crc, length and checksum are set after the edits. */
struct lf_damage {
	const char *name;
	const char *reason;
	struct lf_edit edits[5];
	bool keep_crc;
};

#define LF_EIGHT	0x7878787878787878ULL	/* "xxxxxxxx" */

static const struct lf_damage lf_damages[] = {
	{ "magic", "this is no model: magic", { LF_HEADER32(magic, 1) } },
	{ "version", "format version 2, only 1 is known: pack", { LF_HEADER16(version, 2) } },
	{ "header length", "header_len is 95", { LF_HEADER16(header_len, 95) } },
	{ "total length", "the header says 5: is it cut?",
	  { LF_HEADER32(total_len, 5) }, true },
	{ "checksum", "the checksum does not match", { LF_HEADER32(crc, 1) }, true },
	{ "state", "state_len is 1, must be 0", { LF_HEADER16(state_len, 1) } },
	{ "reserved", "the header's reserved field", { LF_HEADER32(reserved, 1) } },
	{ "empty name", "name is not 1 to 31", { LF_HEADER8(name[0], 0) } },
	{ "name with a control character", "name is not 1 to 31",
	  { LF_HEADER8(name[0], '\e') } },
	{ "name with UTF-8", "name is not 1 to 31", { LF_HEADER8(name[0], 0xc3) } },
	{ "name with a second text", "name is not 1 to 31", { LF_HEADER8(name[31], 'x') } },
	{ "name without end", "name is not 1 to 31",
	  { LF_HEADER64(name[8], LF_EIGHT), LF_HEADER64(name[16], LF_EIGHT),
	    LF_HEADER64(name[24], LF_EIGHT) } },
	{ "units with a control character", "units is not 0 to 31",
	  { LF_HEADER8(units[0], 7) } },
	{ "units with a second text", "units is not 0 to 31", { LF_HEADER8(units[20], 'x') } },
	{ "long provenance", "provenance_len is 4097", { LF_HEADER32(provenance_len, 4097) } },
	{ "provenance too short", "32 bytes are left for provenance, must be 24",
	  { LF_HEADER32(provenance_len, 24) } },
	{ "provenance one more byte", "bytes are left for provenance, must be 40",
	  { LF_HEADER32(provenance_len, 33) } },
	{ "provenance with a control character", "provenance is no UTF-8",
	  { { LF_TEXT, 3, 1, 7 } } },
	{ "provenance with DEL", "provenance is no UTF-8", { { LF_TEXT, 3, 1, 0x7f } } },
	{ "provenance with C1", "provenance is no UTF-8", { { LF_TEXT, 3, 2, 0x9bc2 } } },
	{ "provenance too long a form", "provenance is no UTF-8",
	  { { LF_TEXT, 3, 2, 0xafc0 } } },
	{ "provenance with a surrogate", "provenance is no UTF-8",
	  { { LF_TEXT, 3, 4, 0x61a0a0ed } } },
	{ "provenance beyond Unicode", "provenance is no UTF-8",
	  { { LF_TEXT, 3, 4, 0x808094f4 } } },
	{ "provenance with a lone follower", "provenance is no UTF-8",
	  { { LF_TEXT, 3, 1, 0x80 } } },
	{ "provenance with a cut character", "provenance is no UTF-8",
	  { { LF_TEXT, sizeof(lf_text) - 2, 1, 0xe2 } } },
	{ "provenance with padding", "provenance: padding is not 0",
	  { LF_HEADER32(provenance_len, 31) } },
	{ "no inputs", "0 inputs, 1 to 1024", { LF_HEADER16(n_in, 0) } },
	{ "1025 inputs", "1025 inputs, 1 to 1024", { LF_HEADER16(n_in, 1025) } },
	{ "no outputs", "0 outputs, 1 to 1024", { LF_HEADER16(n_out, 0) } },
	{ "1025 outputs", "1025 outputs, 1 to 1024", { LF_HEADER16(n_out, 1025) } },
	{ "no layers", "0 layers, 1 to 16", { LF_HEADER16(n_layers, 0) } },
	{ "17 layers", "17 layers, 1 to 16", { LF_HEADER16(n_layers, 17) } },
	{ "more inputs than bytes", "cut: inputs, outputs, layers need",
	  { LF_HEADER16(n_in, 99) } },
	{ "layer type", "layer 0: type 5 is unknown", { LF_LAYER8(0, type, 5) } },
	{ "activation", "layer 1: activation 5 is unknown", { LF_LAYER8(1, act, 5) } },
	{ "hidden argmax", "layer 0: argmax is only", { LF_LAYER8(0, act, LITEFLOW_ACT_ARGMAX) } },
	{ "layer shift", "layer 0: shift is 63, at most 62", { LF_LAYER8(0, shift, 63) } },
	{ "last shift", "layer 1: shift is 1, must be 0", { LF_LAYER8(1, shift, 1) } },
	{ "layer reserved", "layer 1: the reserved field", { LF_LAYER8(1, reserved, 1) } },
	{ "first layer's inputs", "layer 0: takes 4 inputs, but 3",
	  { LF_LAYER16(0, n_in, 4) } },
	{ "chain", "layer 1: takes 4 inputs, but 5", { LF_LAYER16(1, n_in, 4) } },
	{ "no rows", "layer 0: 0 outputs, 1 to 1024", { LF_LAYER16(0, n_out, 0) } },
	{ "1025 rows", "layer 0: 1025 outputs, 1 to 1024", { LF_LAYER16(0, n_out, 1025) } },
	{ "more rows than bytes", "cut: layer 0 needs", { LF_LAYER16(0, n_out, 1024) } },
	{ "last layer's rows", "the last layer makes 3 outputs, the header says 2",
	  { LF_LAYER16(1, n_out, 3), { LF_TEXT, 14, 2, 0 } } },
	{ "argmax and two outputs", "the last layer makes 1 outputs, the header says 2",
	  { LF_LAYER8(1, act, LITEFLOW_ACT_ARGMAX) } },
	{ "layer padding", "layer 0: padding is not 0", { LF_PADDING(1) } },
	{ "input without name", "input 1: name is not 1 to 31", { LF_INPUT8(1, name[0], 0) } },
	{ "input with bad name", "input 2: name is not 1 to 31",
	  { LF_INPUT8(2, name[1], '\n') } },
	{ "input name twice", "input 2 has the name of 0: x0", { LF_INPUT8(2, name[1], '0') } },
	{ "input range", "input x0: lo 5 is above hi 4",
	  { LF_INPUT32(0, lo, 5), LF_INPUT32(0, hi, 4) } },
	{ "input mult", "input x1: mult -1 is negative", { LF_INPUT32(1, mult, -1) } },
	{ "input shift", "input x1: shift is 63, not up to 62", { LF_INPUT8(1, shift, 63) } },
	{ "input reserved", "input x1: reserved is not 0", { LF_INPUT8(1, reserved[2], 1) } },
	{ "input product", "input x2: range times mult is beyond 2^62",
	  { LF_INPUT32(2, hi, S32_MAX), LF_INPUT32(2, offset, S32_MIN),
	    LF_INPUT32(2, mult, S32_MAX), LF_INPUT8(2, shift, 62) } },
	{ "input product below", "input x2: range times mult is beyond 2^62",
	  { LF_INPUT32(2, lo, S32_MIN), LF_INPUT32(2, offset, S32_MAX),
	    LF_INPUT32(2, mult, S32_MAX), LF_INPUT8(2, shift, 62) } },
	{ "input hi beyond 16 bits", "input x0: hi is beyond 16 bits",
	  { LF_INPUT32(0, lo, 0), LF_INPUT32(0, hi, 32768), LF_INPUT32(0, offset, 0),
	    LF_INPUT32(0, mult, 1), LF_INPUT8(0, shift, 0) } },
	{ "input lo beyond 16 bits", "input x0: lo is beyond 16 bits",
	  { LF_INPUT32(0, lo, -32769), LF_INPUT32(0, hi, 0), LF_INPUT32(0, offset, 0),
	    LF_INPUT32(0, mult, 1), LF_INPUT8(0, shift, 0) } },
	{ "output without name", "output 1: name is not 1 to 31",
	  { LF_OUTPUT8(1, name[0], 0) } },
	{ "output name twice", "output 1 has the name of 0: y0",
	  { LF_OUTPUT8(1, name[1], '0') } },
	{ "output range", "output y0: lo 5 is above hi 4",
	  { LF_OUTPUT32(0, lo, 5), LF_OUTPUT32(0, hi, 4) } },
	{ "output mult", "output y1: mult -1 is negative", { LF_OUTPUT32(1, mult, -1) } },
	{ "output shift", "output y0: shift is 63, not up to 62",
	  { LF_OUTPUT8(0, shift, 63) } },
	{ "output reserved", "output y0: reserved is not 0",
	  { LF_OUTPUT8(0, reserved[0], 1) } },
	{ "output product", "output y1: its value times mult may pass 2^62",
	  { LF_LAST_BIAS(1, 1LL << 60), LF_OUTPUT32(1, mult, 1 << 3) } },
	{ "output product below", "output y0: its value times mult may pass 2^62",
	  { LF_LAST_BIAS(0, -(1LL << 60)), LF_OUTPUT32(0, mult, 1 << 3) } },
	{ "bias", "layer 0: the bias of row 4 is beyond 2^61",
	  { LF_BIAS(4, (1LL << 61) + 1) } },
	{ "bias below", "layer 0: the bias of row 0 is beyond 2^61", { LF_BIAS(0, S64_MIN) } },
};

#endif /* _KERNEL_LITEFLOW_REFUSALS_H */
