// SPDX-License-Identifier: GPL-2.0
/*
 * Models with recurrent layers for lf_model_parse(): random ones of every kind, the same
 * with weights and biases at their limits, one step beyond a bound, or damaged. See
 * check.c for what is asked of each; shapes.c has the other models.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/liteflow_model.h>
#include "cases.h"
#include "check.h"
#include "judge.h"
#include "testcell.h"
#include "testmodel.h"

static uint8_t *shape_of(const struct judge *j, uint8_t *blob, unsigned int nth)
{
	return blob + J_HEADER + (j->n_in + j->n_out) * J_SCALE + nth * J_SHAPE;
}

/* All weights of a recurrent layer at their ends, or its biases where sums end. */
static void edge(const struct judge *j, uint8_t *blob)
{
	const struct j_layer *l = &j->layers[below(j->n_cells)];
	uint8_t *bias = blob + (l->bias - blob), *w = blob + (l->weights - blob);
	size_t n_bias = (w - bias) / 8, n = (judge_cell_len(l) - J_CELL - 8 * n_bias) / 2;
	int kind = below(4);

	for (size_t i = 0; i < n && kind; i++, w += 2)
		put(w, 2, kind == 1 ? 32767 : kind == 2 ? 0x8000 : below(2) ? 32767 : 0x8001);
	for (size_t i = 0; i < n_bias; i++, bias += 8) {
		int bits = below(62);

		if (!below(3))
			put(bias, 8, below(2) ? 1ULL << bits : -(1ULL << bits));
		else if (!below(3))
			put(bias, 8, below(2) ? INT32_MAX : -(uint64_t)INT32_MAX);
	}
}

/* A row whose partial sums end exactly where 32 bits do, or one beyond. */
static void edge_of_row(const struct judge *j, uint8_t *blob)
{
	unsigned int nth = below(j->n_cells);
	const struct j_layer *l = &j->layers[nth];
	unsigned int gates = l->type == J_RNN ? 1 : l->type == J_GRU ? 3 : 4;
	unsigned int row = below(gates * l->n_out);
	struct j_range r = judge_cell_row(j, nth, row);
	int64_t most = (int64_t)INT32_MAX + below(2);

	/* if another row is wide, this one tells nothing */
	if (j->narrow[nth])
		put(blob + (l->bias - blob) + 8 * (size_t)row, 8,
		    below(2) ? most - (int64_t)r.hi : -most - (int64_t)r.lo);
}

/* All sums of the last layer are equal: argmax has to take the first. */
static void level(const struct judge *j, uint8_t *blob)
{
	const struct j_layer *last = &j->layers[j->n_layers - 1];

	memset(blob + (last->bias - blob), 0,
	       8 * (size_t)last->n_out + 2 * (size_t)last->n_in * last->n_out);
}

/* Returns part of the reason; NULL: there is no place for it. */
static const char *beyond(const struct judge *j, uint8_t *blob)
{
	unsigned int nth = below(j->n_cells);
	const struct j_layer *l = &j->layers[nth];
	uint8_t *shape = shape_of(j, blob, nth), *cell = blob + (l->bias - blob) - J_CELL;

	switch (below(13)) {
	case 0:
		cell[0] = 16;
		return "at most 15 are possible";
	case 1:
		cell[1] = 16;
		return "at most 15 are possible";
	case 2:
		cell[2] = l->act == J_RELU ? 24 : 32;
		return l->act == J_RELU ? "16 and 32 are possible" : "16 is possible";
	case 3:
		cell[3] = l->type == J_LSTM ? below(2) ? 14 : 31 : 1;
		return l->type == J_LSTM ? "must be 15 to 30" : "must be 0";
	case 4:
		cell[4 + below(4)] = 1;
		return "reserved field is not 0";
	case 5:
		shape[0] = 5;
		return "type 5 is unknown";
	case 6:
		shape[1] = J_NONE;
		return "is not for this type";
	case 7:
		shape[1] = J_RELU;
		return l->type == J_RNN ? NULL : "is not for this type";
	case 8:
		shape[2] = l->type == J_RNN ? 63 : 62;
		return l->type == J_RNN ? "at most 62" : "at most 61";
	case 9:
		put(blob + 22, 2, j->state_len + 1);
		return "state_len is";
	case 10:
		put(blob + (l->bias - blob), 8, (1ULL << 61) + 1);
		return "is beyond 2^61";
	case 11:
		if (!nth || j->layers[nth - 1].state_bits != 32)
			return NULL;
		cell[2] = 16;
		return "state of 16 bits behind one of 32";
	default:
		if (l->type != J_GRU)
			return NULL;
		/* n's bias of its state is multiplied by r */
		put(blob + (l->bias - blob) + 8 * 3 * (size_t)l->n_out, 8, 1ULL << 47);
		return "a step may overflow";
	}
}

static void damage(uint8_t *blob, size_t len)
{
	for (int n = 1 + below(3); n; n--) {
		size_t at = below(4) ? J_HEADER + below(len - J_HEADER) : 8 + below(60);

		if (!below(2))
			at = len - 1 - below(len / 2);
		blob[at] = below(2) ? 1 << below(8) : below(256);
	}
}

static struct {
	unsigned long sound, edge, beyond, damaged, accepted;
} count;

static void one_case(uint32_t seed)
{
	static uint8_t blob[LF_TESTCELL_BUF];
	static struct judge j;
	size_t len = lf_testcell(seed, blob, sizeof(blob));
	const char *reason = NULL;
	int kind = below(4);
	uint8_t *exact;
	bool accepted;

	if (judge_read(&j, blob, len))
		fail("a random model is not sound", judge_read(&j, blob, len));
	if (kind == 1 && below(3))
		edge_of_row(&j, blob);
	else if (kind == 1)
		edge(&j, blob);
	else if (kind == 2)
		reason = beyond(&j, blob);
	else if (kind == 3)
		damage(blob, len);
	else if (!below(4))
		level(&j, blob);
	lf_testmodel_fix(blob, len);
	/* not one byte more than that, so a read behind it is seen */
	exact = malloc(len);
	memcpy(exact, blob, len);
	accepted = check(exact, len, reason);
	free(exact);
	count.sound += !kind;
	count.edge += kind == 1;
	count.beyond += !!reason;
	count.damaged += kind == 3;
	count.accepted += accepted;
}

int main(int argc, char **argv)
{
	struct cases cases = { .n = 10000, .seed = 1 };

	if (!cases_parse(&cases, argc, argv, "cells"))
		return 2;
	for (unsigned long i = cases.from; i < cases.from + cases.n; i++) {
		cases_begin(&cases, i);
		one_case(cases.seed * 1000003 + i);
	}
	printf("%lu cases with state: %lu sound, %lu at limits, %lu one step beyond, %lu damaged; "
	       "%lu accepted\n", cases.n, count.sound, count.edge, count.beyond, count.damaged,
	       count.accepted);
	return 0;
}
