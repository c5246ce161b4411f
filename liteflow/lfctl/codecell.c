// SPDX-License-Identifier: GPL-2.0
/*
 * A model as C: its recurrent layers. They do what kernel/liteflow/recurrent.c does,
 * whose comments say why it is right; the layout of blocks is that of recurrent.h.
 */
#include <stdio.h>
#include <string.h>
#include "code.h"
#include "recurrent.h"

bool code_is_long(const struct lf_model *model)
{
	return model->n_cells && model->cells[model->n_cells - 1].state_bits == 32;
}

bool code_cell_has(const struct lf_model *model, bool (*is)(const struct lf_cell *cell))
{
	const struct lf_cell *cell = model->cells, *end = cell + model->n_cells;

	for (; cell < end; cell++)
		if (is(cell))
			return true;
	return false;
}

bool code_cell_narrow(const struct lf_cell *cell)
{
	return !cell->wide;
}

bool code_cell_curve(const struct lf_cell *cell)
{
	return cell->act == LITEFLOW_ACT_TANH;
}

bool code_cell_gated(const struct lf_cell *cell)
{
	return cell->type != LITEFLOW_LAYER_RNN;
}

unsigned int code_cell_blocks(const struct lf_cell *cell)
{
	unsigned int units = lf_block_units(cell->type, cell->wide);

	return (cell->n_out + units - 1) / units;
}

size_t code_cell_weights(const struct lf_cell *cell)
{
	return (size_t)code_cell_blocks(cell) * lf_block_weights(cell->type) *
	       (cell->n_in + cell->n_out);
}

unsigned int code_cell_room(const struct lf_model *model)
{
	const struct lf_cell *cell = model->cells, *end = cell + model->n_cells;
	unsigned int room = 0, n;

	for (; cell < end; cell++) {
		n = code_cell_blocks(cell) * lf_block_units(cell->type, cell->wide);
		room = n > room ? n : room;
	}
	return room;
}

static bool is_gru(const struct lf_cell *cell)
{
	return cell->type == LITEFLOW_LAYER_GRU;
}

static bool is_lstm(const struct lf_cell *cell)
{
	return cell->type == LITEFLOW_LAYER_LSTM;
}

static void put_gru_unit(const struct code *c)
{
	code_put(c, "@_INLINE s32 @_gru(s64 r, s64 z, s64 n_x, s64 n_h, s64 h, unsigned int shift)\n"
		 "{\n"
		 "\ts64 n;\n\n"
		 "\tr = @_gate(r, shift);\n"
		 "\tz = @_gate(z, shift);\n"
		 "\tn = @_tanh(@_rshift(n_x + @_rshift(r * n_h, %d), shift));\n"
		 "\treturn @_rshift(((1LL << %d) - z) * n + z * h, %d);\n"
		 "}\n\n", LITEFLOW_TANH_OUT_FRAC, LITEFLOW_TANH_OUT_FRAC, LITEFLOW_TANH_OUT_FRAC);
}

static void put_lstm_unit(const struct code *c)
{
	code_put(c, "/* frac: bits after the point of *c, which saturates */\n"
		 "@_INLINE s32 @_lstm(s64 i, s64 f, s64 g, s64 o, unsigned int shift, unsigned int frac,\n"
		 "\t\t\ts32 *c)\n"
		 "{\n"
		 "\ts64 v;\n\n"
		 "\ti = @_gate(i, shift);\n"
		 "\tf = @_gate(f, shift);\n"
		 "\tg = @_tanh(@_rshift(g, shift));\n"
		 "\to = @_gate(o, shift);\n"
		 "\tv = @_rshift(f * *c + i * g * (1LL << (frac - %d)), %d);\n"
		 "\t*c = @_min(@_max(v, -2147483647 - 1), 2147483647);\n"
		 "\treturn @_rshift(o * @_tanh(@_rshift(*c, frac - %d)), %d);\n"
		 "}\n\n", LITEFLOW_TANH_OUT_FRAC, LITEFLOW_TANH_OUT_FRAC, LITEFLOW_TANH_IN_FRAC,
		 LITEFLOW_TANH_OUT_FRAC);
}

/* Those that are used: compilers complain of others. */
void code_put_cell_helpers(const struct code *c)
{
	if (!code_cell_has(c->model, code_cell_gated))
		return;
	code_put(c, "/* A gate, of a sum */\n"
		 "@_INLINE s64 @_gate(s64 sum, unsigned int shift)\n"
		 "{\n"
		 "\treturn @_sigmoid(@_rshift(sum, shift + 1));\n"
		 "}\n\n");
	if (code_cell_has(c->model, is_gru))
		put_gru_unit(c);
	if (code_cell_has(c->model, is_lstm))
		put_lstm_unit(c);
}

/* The sums of a block with the @n values of @from; @sums: numbers of the accumulators. */
static void put_sums(const struct code *c, const char *from, unsigned int n, const char *sums)
{
	unsigned int k;

	code_put(c, "@_UNROLL(%u)\n\t\tfor (i = 0; i < %u; i++, weight += %zu) {\n"
		 "\t\t\ts64 v = %s[i];\n\n", code_unroll(n, CODE_WHOLE), n, strlen(sums),
		 from);
	for (k = 0; sums[k]; k++)
		code_put(c, "\t\t\ta%c += weight[%u] * v;\n", sums[k], k);
	code_put(c, "\t\t}\n");
}

static void put_rnn(const struct code *c, const struct lf_cell *cell)
{
	static const char *const halves[] = { "@_even(a%u)", "@_odd(a%u)" };
	unsigned int unit, units = lf_block_units(cell->type, cell->wide);
	char sum[32];

	for (unit = 0; unit < units; unit++) {
		snprintf(sum, sizeof(sum), cell->wide ? "a%u" : halves[unit & 1],
			 cell->wide ? unit : unit / 2);
		if (cell->act == LITEFLOW_ACT_TANH)
			code_put(c, "\t\tnext[unit + %u] = @_tanh(@_rshift(%s, %u));\n", unit, sum,
				 cell->shift);
		else
			code_put(c, "\t\tnext[unit + %u] = @_min(@_max(@_rshift(%s, %u), 0), %d);\n", unit,
				 sum, cell->shift, lf_h_max(cell->state_bits));
	}
}

/* An odd last block has one unit; its neighbour has no state. */
static void put_second(const struct code *c, const struct lf_cell *cell, const char *sums)
{
	if (cell->n_out & 1)
		code_put(c, "\t\tif (unit + 1 < %u)\n\t", cell->n_out);
	code_put(c, "\t\tnext[unit + 1] = ");
	if (is_gru(cell))
		code_put(c, "@_gru(%s, h[unit + 1], %u);\n", sums, cell->shift);
	else
		code_put(c, "@_lstm(%s, %u, %u,\n\t\t\t\t\t &h[%u + unit]);\n", sums, cell->shift,
			 cell->c_frac, cell->n_out + 1);
}

static void put_gru(const struct code *c, const struct lf_cell *cell)
{
	code_put(c, "\t\tnext[unit] = @_gru(%s, h[unit], %u);\n", cell->wide ? "a0, a1, a2, a3" :
		 "@_even(a0), @_odd(a0), @_even(a2), @_even(a3)", cell->shift);
	if (!cell->wide)
		put_second(c, cell, "@_even(a1), @_odd(a1), @_odd(a2), @_odd(a3)");
}

static void put_lstm(const struct code *c, const struct lf_cell *cell)
{
	code_put(c, "\t\tnext[unit] = @_lstm(%s, %u, %u,\n\t\t\t\t     &h[%u + unit]);\n",
		 cell->wide ? "a0, a1, a2, a3" : "@_even(a0), @_odd(a0), @_even(a1), @_odd(a1)",
		 cell->shift, cell->c_frac, cell->n_out);
	if (!cell->wide)
		put_second(c, cell, "@_even(a2), @_odd(a2), @_even(a3), @_odd(a3)");
}

void code_put_cell(const struct code *c, unsigned int nth)
{
	const struct lf_cell *cell = &c->model->cells[nth];
	const char *type = is_gru(cell) ? "GRU" : is_lstm(cell) ? "LSTM" : "RNN";
	bool gru = is_gru(cell);

	code_put(c, "/* -- recurrent layer %u: %u inputs, %u units, %s, state of %u bits, %s -- */\n\n",
		 nth, cell->n_in, cell->n_out, type, cell->state_bits,
		 cell->wide ? "64-bit sums" : "32-bit sums, of two rows at a time");
	code_put_cell_tables(c, nth);
	code_put(c, "@_INLINE void @_cell%u(const s32 *x, s32 *h, s32 *next)\n"
		 "{\n"
		 "\tconst %s *weight = @_cell_weight%u;\n"
		 "\tconst s64 *bias = @_cell_bias%u;\n"
		 "\tunsigned int unit, i;\n\n"
		 "\tfor (unit = 0; unit < %u; unit += %u, bias += %u) {\n"
		 "\t\ts64 a0 = bias[0], a1 = bias[1], a2 = bias[2], a3 = bias[3];\n\n",
		 nth, cell->wide ? "s32" : "s64", nth, nth, cell->n_out,
		 lf_block_units(cell->type, cell->wide), LF_BLOCK);
	put_sums(c, "x", cell->n_in, gru ? "012" : "0123");
	put_sums(c, "h", cell->n_out, gru ? "013" : "0123");
	if (gru)
		put_gru(c, cell);
	else if (is_lstm(cell))
		put_lstm(c, cell);
	else
		put_rnn(c, cell);
	code_put(c, "\t}\n"
		 "\t/* all rows took the old ones */\n"
		 "\tfor (i = 0; i < %u; i++)\n"
		 "\t\th[i] = next[i];\n"
		 "}\n\n", cell->n_out);
}

/* Up to the first dense layer, whose inputs are left in x, or in h if they have 32 bits. */
void code_put_front(const struct code *c)
{
	const struct lf_model *m = c->model;
	unsigned int l, at = 0, x = 0;

	for (l = 0; l < m->n_cells; l++) {
		const struct lf_cell *cell = &m->cells[l];

		if (l)
			code_put(c, "\t@_cell%u(state + %u, state + %u, next);\n", l, x, at);
		else
			code_put(c, "\t@_cell%u(seen, state, next);\n", l);
		x = at;
		at += cell->n_out * lf_values(cell->type);
	}
	if (code_is_long(m))
		code_put(c, "\th = state + %u;\n", x);
	else
		code_put(c, "\tfor (i = 0; i < %u; i++)\n\t\tx[i] = state[%u + i];\n",
			 m->cells[l - 1].n_out, x);
}
