/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second opinion on models: reads a blob and answers questions by the formulas
 * of include/uapi/linux/liteflow_model.h, in 128 bits. No code and no constant of
 * the engine is in it; the CRC is the library's.
 */
#ifndef _FUZZ_JUDGE_H
#define _FUZZ_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __int128 wide_t;

#define J_LAYERS	16
#define J_WIDTH		1024
#define J_BLOB		(1 << 20)
#define J_TEXT		4096
#define J_SHIFT		62
#define J_CELLS		4
#define J_STATE		(2 * J_CELLS * J_WIDTH)

/* Where a blob has what. Lengths, bytes. */
#define J_HEADER	96
#define J_SCALE		52
#define J_SHAPE		8
#define J_CELL		8

enum j_type { J_DENSE = 1, J_RNN, J_GRU, J_LSTM };
enum j_act { J_NONE, J_RELU, J_TANH, J_SIGMOID, J_ARGMAX, J_ACTS };

struct j_scale {
	int32_t lo, hi, offset, mult;
	unsigned int shift;
};

/* @w_h and what is behind it: of a recurrent layer, whose @weights are w_x */
struct j_layer {
	unsigned int act, shift, n_in, n_out;
	const uint8_t *bias, *weights;
	const uint8_t *w_h;
	unsigned int type, shift_x, shift_h, state_bits, c_frac;
};

/* Ends of what a number can be. */
struct j_range {
	wide_t lo, hi;
};

/**
 * struct judge - a blob that was read
 * @n_in: inputs
 * @n_out: outputs
 * @n_layers: layers
 * @n_cells: recurrent ones among them, which come first
 * @state_len: values of state
 * @width: greatest width
 * @macs: multiply-adds
 * @narrow: per layer: no partial sum of any row needs more than 32 bits
 * @in: scales of the inputs
 * @out: scales of the outputs
 * @layers: layers
 */
struct judge {
	unsigned int n_in, n_out, n_layers, n_cells, state_len, width, macs;
	bool narrow[J_LAYERS];
	struct j_scale in[J_WIDTH], out[J_WIDTH];
	struct j_layer layers[J_LAYERS];
};

/* NULL if the format allows this blob, or what it breaks. @blob stays in use. */
const char *judge_read(struct judge *j, const uint8_t *blob, size_t len);

/*
 * What the model answers. NULL, or which intermediate value left its bounds;
 * @narrow: per layer: the engine makes its sums in 32 bits. @state: of a model that has
 * recurrent layers: its values, and then the next ones.
 */
const char *judge_run(const struct judge *j, const bool *narrow, int32_t *state,
		      const int32_t *in, int32_t *out);

/* For those who build blobs: ends of inputs, of a row's partial sums, of what follows. */
struct j_range judge_input(const struct j_scale *s);
struct j_range judge_row(const struct j_layer *l, unsigned int row, int64_t bias,
			 const struct j_range *x);
struct j_range judge_act(const struct j_layer *l, bool last, struct j_range sums);
uint32_t judge_crc(const uint8_t *blob, size_t len);

/* The same of a row of recurrent layer @nth, without its bias; a GRU's n: inputs alone. */
struct j_range judge_cell_row(const struct judge *j, unsigned int nth, unsigned int row);

/* judge_cell.c, for judge.c: of a recurrent layer */
size_t judge_cell_len(const struct j_layer *l);
const char *judge_cell_read(struct judge *j, unsigned int nth, const uint8_t *at);
const char *judge_cell_prove(struct judge *j, unsigned int nth, struct j_range *x);
const char *judge_cell_run(const struct j_layer *l, bool narrow, wide_t *x, int32_t *state);
unsigned int judge_values(const struct j_layer *l);	/* of its state */

/* judge.c, for judge_cell.c */
wide_t judge_rshift(wide_t v, unsigned int s);
int judge_curve(wide_t t);

static inline uint64_t j_get(const uint8_t *at, int size)
{
	uint64_t v = 0;

	while (size--)
		v = v << 8 | at[size];
	return v;
}

static inline int32_t j_get32(const uint8_t *at)
{
	return (int32_t)(uint32_t)j_get(at, 4);
}

static inline int64_t j_bias(const struct j_layer *l, unsigned int row)
{
	return (int64_t)j_get(l->bias + 8 * (size_t)row, 8);
}

static inline int j_weight(const struct j_layer *l, unsigned int row, unsigned int col)
{
	const uint8_t *at = l->weights + 2 * ((size_t)row * l->n_in + col);

	return (int16_t)(uint16_t)(at[0] | at[1] << 8);
}

#endif /* _FUZZ_JUDGE_H */
