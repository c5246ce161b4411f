// SPDX-License-Identifier: GPL-2.0
/*
 * A model as C: the tables.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "code.h"
#include "recurrent.h"
#include "tanh_table.h"

#define COLUMNS	96

/* A list of values, broken into lines. */
struct list {
	FILE *f;
	unsigned int column;
};

static void item(struct list *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void item(struct list *l, const char *fmt, ...)
{
	char text[64];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (l->column && l->column + len + 2 <= COLUMNS) {
		l->column += fprintf(l->f, " %s,", text);
		return;
	}
	fprintf(l->f, "%s\t%s,", l->column ? "\n" : "", text);
	l->column = 8 + len + 1;
}

static void begin(struct list *l, const struct code *c, const char *type, const char *what,
		  unsigned int nth, size_t n)
{
	l->f = c->f;
	l->column = 0;
	fprintf(c->f, "static const %s %s_%s%u[%zu] = {\n", type, c->prefix, what, nth, n);
}

static void end(struct list *l)
{
	l->column = 0;
	fprintf(l->f, "\n};\n\n");
}

static void put_cell_value(struct list *l, const struct code *c, const struct lf_cell *cell, s64 v)
{
	if (cell->wide)
		item(l, "%" PRId64, (int64_t)v);
	else
		item(l, "%s_PAIR(%d, %d)", c->prefix, (s32)v, (int)((v - (s32)v) >> 32));
}

/* The greatest absolute value of input @i of a layer. */
static s64 reach(const struct lf_model *model, unsigned int nth, unsigned int i)
{
	const struct lf_scale *s = &model->in[i];
	s64 lo, hi;

	if (nth)
		return model->layers[nth - 1].act == LITEFLOW_ACT_NONE ? -INT16_MIN : INT16_MAX;
	if (model->n_cells)
		return -INT16_MIN;
	lo = llabs(lf_input(s, s->lo));
	hi = llabs(lf_input(s, s->hi));
	return lo > hi ? lo : hi;
}

/* What the shift rounds with. */
static s64 half(const struct lf_layer *layer)
{
	return 1LL << layer->shift >> 1;
}

/* If anything is shifted, and no sum needs more than 32 bits even so. */
bool code_rounds(const struct code *c, unsigned int nth)
{
	const struct lf_layer *layer = &c->model->layers[nth];
	bool last = nth + 1U == c->model->n_layers;
	unsigned int row, i;
	s64 most;

	if (!code_is_modular(c, layer) || (last && !code_is_curve(layer)))
		return false;
	for (row = 0; row < layer->n_out; row++) {
		most = llabs(lf_layer_bias(layer, row)) + half(layer);
		for (i = 0; i < layer->n_in; i++)
			most += llabs(lf_layer_weight(layer, row, i)) * reach(c->model, nth, i);
		if (most > INT32_MAX)
			return false;
	}
	return true;
}

/*
 * A bias of two rows modulo 2^64: 2^31 more, so that the lower half is never negative,
 * maybe rounded, and without the products of weights if inputs go in pairs.
 */
static uint64_t modular_bias(const struct code *c, unsigned int nth, unsigned int sum)
{
	const struct lf_layer *layer = &c->model->layers[nth];
	const s64 *pair = layer->pair + (size_t)sum * layer->n_in;
	uint64_t bias = (uint64_t)layer->bias[sum] + (1ULL << 31);
	unsigned int i;

	if (code_rounds(c, nth))
		bias += (uint64_t)half(layer) * ((1ULL << 32) + 1);
	if (code_halves(c, layer))
		for (i = 0; i + 1 < layer->n_in; i += 2)
			bias -= (uint64_t)pair[i] * (uint64_t)pair[i + 1];
	return bias;
}

/* In the order in which they are used: [block][input][sum of the block]. */
void code_put_layer_tables(const struct code *c, unsigned int nth)
{
	const struct lf_layer *layer = &c->model->layers[nth];
	unsigned int n = code_sums(layer), first, sum, i;
	struct list l;

	if (code_is_modular(c, layer))
		fprintf(c->f, "/* With 2^31%s%s */\n",
			code_rounds(c, nth) ? " and half a unit of what is shifted out" : "",
			code_halves(c, layer) ? ", less the products of weights" : "");
	begin(&l, c, code_sum_type(c, layer), "bias", nth, n);
	for (sum = 0; sum < n; sum++) {
		if (code_is_modular(c, layer))
			item(&l, "0x%016" PRIx64, modular_bias(c, nth, sum));
		else if (layer->wide)
			item(&l, "%" PRId64, (int64_t)lf_layer_bias(layer, sum));
		else
			item(&l, "%s_PAIR(%d, %d)", c->prefix, (int)lf_layer_bias(layer, 2 * sum),
			     2 * sum + 1 < layer->n_out ?
			     (int)lf_layer_bias(layer, 2 * sum + 1) : 0);
	}
	end(&l);
	begin(&l, c, layer->wide ? "s16" : "s64", "weight", nth, (size_t)n * layer->n_in);
	for (first = 0; first < n; first += CODE_BLOCK)
		for (i = 0; i < layer->n_in; i++)
			for (sum = first; sum < n && sum < first + CODE_BLOCK; sum++) {
				if (layer->wide)
					item(&l, "%d", lf_layer_weight(layer, sum, i));
				else
					item(&l, "%s_PAIR(%d, %d)", c->prefix,
					     lf_layer_weight(layer, 2 * sum, i),
					     2 * sum + 1 < layer->n_out ?
					     lf_layer_weight(layer, 2 * sum + 1, i) : 0);
			}
	end(&l);
}

/* As they lie in memory, which is the order in which they are used. */
void code_put_cell_tables(const struct code *c, unsigned int nth)
{
	const struct lf_cell *cell = &c->model->cells[nth];
	size_t n = LF_BLOCK * code_cell_blocks(cell), i;
	struct list l;

	begin(&l, c, "s64", "cell_bias", nth, n);
	for (i = 0; i < n; i++)
		put_cell_value(&l, c, cell, cell->bias[i]);
	end(&l);
	n = code_cell_weights(cell);
	begin(&l, c, cell->wide ? "s32" : "s64", "cell_weight", nth, n);
	for (i = 0; i < n; i++)
		put_cell_value(&l, c, cell, cell->weight[i]);
	end(&l);
}

void code_put_tanh_table(const struct code *c)
{
	struct list l = { .f = c->f };
	unsigned int i, n = sizeof(lf_tanh_table) / sizeof(lf_tanh_table[0]);

	fprintf(c->f, "/* tanh at %u points of [0, 8), %d bits after the point; the end twice */\n",
		LITEFLOW_TANH_STEPS, LITEFLOW_TANH_OUT_FRAC);
	fprintf(c->f, "static const u16 %s_tanh_table[%u] = {\n", c->prefix, n);
	for (i = 0; i < n; i++)
		item(&l, "%u", lf_tanh_table[i]);
	end(&l);
}

unsigned int code_tanh_end(void)
{
	unsigned int end = LITEFLOW_TANH_STEPS;

	while (lf_tanh_table[end - 1] == lf_tanh_table[LITEFLOW_TANH_STEPS])
		end--;
	return end + 1;
}

/*
 * From one point of the table to the next, tanh is a line, to be shifted right by 8: with
 * what rounds halves away from zero on both sides, as the engine has it.
 */
void code_put_tanh_lines(const struct code *c)
{
	struct list l = { .f = c->f };
	int half = code_tanh_end(), i;

	fprintf(c->f, "/* tanh in %d lines from -%.2f to %.2f: their begin, and how they rise */\n",
		2 * half, half / 64.0, half / 64.0);
	fprintf(c->f, "static const s32 %s_tanh_base[%d] = {\n", c->prefix, 2 * half);
	for (i = -half; i < half; i++)
		item(&l, "%d", i < 0 ? 127 - 256 * lf_tanh_table[-i] :
				       128 + 256 * lf_tanh_table[i]);
	end(&l);
	fprintf(c->f, "static const u16 %s_tanh_slope[%d] = {\n", c->prefix, 2 * half);
	for (i = -half; i < half; i++)
		item(&l, "%d", i < 0 ? lf_tanh_table[-i] - lf_tanh_table[-i - 1] :
				       lf_tanh_table[i + 1] - lf_tanh_table[i]);
	end(&l);
}

static size_t tanh_bytes(const struct code *c)
{
	if (c->target == CODE_BPF)
		return sizeof(lf_tanh_table);
	return 2 * code_tanh_end() * (sizeof(s32) + sizeof(u16));
}

size_t code_table_bytes(const struct code *c)
{
	const struct lf_model *model = c->model;
	size_t bytes = 0;
	bool curve = false;
	unsigned int l;

	for (l = 0; l < model->n_layers; l++) {
		const struct lf_layer *layer = &model->layers[l];

		bytes += code_sums(layer) * sizeof(s64) +
			 (size_t)code_sums(layer) * layer->n_in * (layer->wide ? 2 : 8);
		curve |= code_is_curve(layer);
	}
	for (l = 0; l < model->n_cells; l++) {
		const struct lf_cell *cell = &model->cells[l];

		bytes += code_cell_blocks(cell) * LF_BLOCK * sizeof(s64) +
			 code_cell_weights(cell) * (cell->wide ? 4 : 8);
		curve |= code_cell_curve(cell);
	}
	bytes += (size_t)(model->n_in + model->n_out) * sizeof(struct lf_scale);
	return bytes + (curve ? tanh_bytes(c) : 0);
}

/*
 * About what gcc 12 makes of random models on x86-64 at -O2: bytes of a multiplication
 * with its load and its addition, of one for two inputs, of the sum of their products, of
 * what becomes of a sum, of an input. test_code.py compares.
 */
#define SUM_TEXT	26
#define PAIR_TEXT	40
#define HALVED_TEXT	120
#define LINE_TEXT	25
#define CURVE_TEXT	70
#define INPUT_TEXT	49
#define LOOP_TEXT	60

/* Once more than this, what cold caches cost to fetch it is what the engine takes longer. */
#define MUCH_TEXT	6000

/* How often a loop of @n rounds is in the code. */
static unsigned int rounds_text(unsigned int n, unsigned int whole)
{
	unsigned int by = code_unroll(n, whole);

	return by + n % by;
}

/* One block in a loop, with the inputs and then with the state. */
static size_t cell_text(const struct lf_cell *cell)
{
	unsigned int loops = rounds_text(cell->n_in, CODE_WHOLE) +
			     rounds_text(cell->n_out, CODE_WHOLE);
	unsigned int lines = lf_block_units(cell->type, cell->wide) * lf_biases(cell->type);

	return lf_block_weights(cell->type) * loops * SUM_TEXT +
	       lines * (code_cell_curve(cell) ? CURVE_TEXT : LINE_TEXT);
}

/* Copies of a layer's inner loop, and of what follows it: of full blocks and of the rest. */
static size_t layer_text(const struct code *c, const struct lf_layer *layer)
{
	unsigned int sums = code_sums(layer);
	unsigned int copies = (sums >= CODE_BLOCK ? CODE_BLOCK : 0) + sums % CODE_BLOCK;
	bool halved = code_halves(c, layer);
	size_t loop = halved ? rounds_text(layer->n_in / 2, CODE_WHOLE_PAIRS) * PAIR_TEXT +
			       layer->n_in % 2 * SUM_TEXT :
			       rounds_text(layer->n_in, CODE_WHOLE) * SUM_TEXT;

	/* the last one of full blocks may lack its odd row */
	if (!layer->wide && layer->n_out % 2 && sums > CODE_BLOCK && !(sums % CODE_BLOCK))
		copies += CODE_BLOCK;
	return (halved ? HALVED_TEXT : 0) + copies * (loop + (layer->wide ? 1 : 2) *
			 (code_is_curve(layer) ? CURVE_TEXT : LINE_TEXT));
}

size_t code_text_bytes(const struct code *c)
{
	const struct lf_model *model = c->model;
	size_t bytes = model->n_in <= CODE_INPUTS ? model->n_in * INPUT_TEXT : LOOP_TEXT;
	unsigned int l;

	for (l = 0; l < model->n_cells; l++)
		bytes += cell_text(&model->cells[l]);
	for (l = 0; l < model->n_layers; l++)
		bytes += layer_text(c, &model->layers[l]);
	return bytes;
}

bool code_data_as_good(const struct code *c)
{
	return code_text_bytes(c) > MUCH_TEXT;
}
