// SPDX-License-Identifier: GPL-2.0
/*
 * The queries that query.c times, built with the kernel's flags
 */
#include "ask.h"

s32 nothing(const s32 *in)
{
	return in[0];
}

s32 ask_engine(const struct lf_model *model, const s32 *in)
{
	s16 scratch[2 * LF_STACK_WIDTH];
	s32 out[LF_STACK_WIDTH];

	lf_model_run(model, in, out, scratch);
	return out[0];
}

static s64 rshift(s64 v, unsigned int shift)
{
	return (v + (1LL << shift >> 1)) >> shift;
}

static s64 within(s64 v, s64 lo, s64 hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* The first thing that comes to mind. The layers of the net that is timed only. */
s32 ask_plain(const struct plain *plain, const s32 *in)
{
	const struct lf_model *m = plain->model;
	s64 act[2][LF_STACK_WIDTH];
	s64 *x = act[0], *y = act[1], *t;
	unsigned int i, k, row;

	for (i = 0; i < m->n_in; i++) {
		const struct lf_scale *s = &m->in[i];

		x[i] = rshift((within(in[i], s->lo, s->hi) - s->offset) * s->mult, s->shift);
	}
	for (k = 0; k < m->n_layers; k++) {
		const struct lf_layer *l = &m->layers[k];
		const s64 *w = plain->weight[k];

		for (row = 0; row < l->n_out; row++, w += l->n_in) {
			s64 a = plain->bias[k][row];

			for (i = 0; i < l->n_in; i++)
				a += w[i] * x[i];
			y[row] = l->act == LF_ACT_TANH ? lf_tanh(rshift(a, l->shift)) : a;
		}
		t = x;
		x = y;
		y = t;
	}
	return within(rshift(x[0] * m->out->mult, m->out->shift) + m->out->offset,
		      m->out->lo, m->out->hi);
}
