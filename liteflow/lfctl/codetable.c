// SPDX-License-Identifier: GPL-2.0
/*
 * A model as C: the tables.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
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
	fprintf(l->f, "\n};\n\n");
}

static void put_cell_value(struct list *l, const struct code *c, const struct lf_cell *cell, s64 v)
{
	if (cell->wide)
		item(l, "%" PRId64, (int64_t)v);
	else
		item(l, "%s_PAIR(%d, %d)", c->prefix, (s32)v, (int)((v - (s32)v) >> 32));
}

/* In the order in which they are used: [block][input][sum of the block]. */
void code_put_layer_tables(const struct code *c, unsigned int nth)
{
	const struct lf_layer *layer = &c->model->layers[nth];
	unsigned int n = code_sums(layer), first, sum, i;
	struct list l;

	begin(&l, c, "s64", "bias", nth, n);
	for (sum = 0; sum < n; sum++) {
		if (layer->wide)
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

size_t code_table_bytes(const struct lf_model *model)
{
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
	return bytes + (curve ? sizeof(lf_tanh_table) : 0);
}

/*
 * About what gcc 12 makes of random models on x86-64 at -O2: bytes of a multiplication
 * with its load and its addition, of what becomes of a sum, of an input.
 * test_code.py compares.
 */
#define SUM_TEXT	26
#define LINE_TEXT	20
#define CURVE_TEXT	73
#define INPUT_TEXT	49
#define LOOP_TEXT	60

/* Once more than this, what cold caches cost to fetch it is what the engine takes longer. */
#define MUCH_TEXT	6000

/* Copies of a layer's inner loop, and of what follows it: of full blocks and of the rest. */
static size_t layer_text(const struct lf_layer *layer)
{
	unsigned int sums = code_sums(layer), by = code_unroll(layer->n_in);
	unsigned int copies = (sums >= CODE_BLOCK ? CODE_BLOCK : 0) + sums % CODE_BLOCK;

	return copies * ((by + layer->n_in % by) * SUM_TEXT +
			 (layer->wide ? 1 : 2) * (code_is_curve(layer) ? CURVE_TEXT : LINE_TEXT));
}

/* One block in a loop, with the inputs and then with the state. */
static size_t cell_text(const struct lf_cell *cell)
{
	unsigned int x = code_unroll(cell->n_in), h = code_unroll(cell->n_out);
	unsigned int lines = lf_block_units(cell->type, cell->wide) * lf_biases(cell->type);

	return lf_block_weights(cell->type) * (x + cell->n_in % x + h + cell->n_out % h) * SUM_TEXT +
	       lines * (code_cell_curve(cell) ? CURVE_TEXT : LINE_TEXT);
}

size_t code_text_bytes(const struct lf_model *model)
{
	size_t bytes = model->n_in <= CODE_INPUTS ? model->n_in * INPUT_TEXT : LOOP_TEXT;
	unsigned int l;

	for (l = 0; l < model->n_cells; l++)
		bytes += cell_text(&model->cells[l]);
	for (l = 0; l < model->n_layers; l++)
		bytes += layer_text(&model->layers[l]);
	return bytes;
}

bool code_data_as_good(const struct lf_model *model)
{
	return code_text_bytes(model) > MUCH_TEXT;
}
