// SPDX-License-Identifier: GPL-2.0
/*
 * Quantisation of recurrent layers.
 *
 * All rows of a layer share T, what 1.0 is in their sums, as the gates' angles need a
 * power of two, and a ReLU's sums become its state by a shift. w_x and w_h each have a
 * scale of their own besides, a power of two, so that both use their 16 bits. With G for
 * 1.0 in an input or in the state, a weight is w * T / (G * 2^scale).
 *
 * State of 32 bits has powers of two throughout, so whole numbers stay exact.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "choose.h"
#include "pack.h"
#include "quantcell.h"

#define SUM_MAX		0x1p59	/* of the engine's 2^62 */
#define GATED_MAX	0x1p45	/* of a sum that r is multiplied with: 2^46 */
#define ENOUGH		0x1p13	/* of a weight: its rounding does not matter */
#define CELL_T_MAX	0x1p56
#define LONG_MAX	2147483647.0
#define LONG_STEPS	0x1p26	/* of the state up to "state_max": the rest saturates later */
#define LONG_INPUT	0x1p30
#define SEQUENCES	16
#define SEQUENCE	PACK_SEQUENCE

static bool is_long(const struct net_cell *c)
{
	return c->state_bits == 32;
}

static bool is_relu(const struct net_cell *c)
{
	return c->act == LITEFLOW_ACT_RELU;
}

/* -- what the state reaches ---------------------------------------------- */

static int widen_states(const struct net *net, const double *state, double *most,
			struct reason *why)
{
	unsigned int l, j;

	for (l = 0; l < net->n_cells; l++) {
		const struct net_cell *c = &net->cells[l];
		bool lstm = c->type == LITEFLOW_LAYER_LSTM;
		const double *v = lstm ? state + c->n : state;

		for (j = 0; j < c->n; j++)
			most[l] = fmax(most[l], fabs(v[j]));
		/* not "> NET_MAX_NUMBER": that lets NaN pass */
		if (!c->state_max && !(most[l] <= NET_MAX_NUMBER))
			return refuse(why, "layers[%u]: its state grows without bound: give its "
				      "\"state_max\", or --data with a sequence", l);
		state += lstm ? 2 * c->n : c->n;
	}
	return 0;
}

int quant_state_max(const struct net *net, const struct pack_data *data, double *most,
		    struct reason *why)
{
	unsigned int n = data ? data->n - data->n / 4 : SEQUENCES * SEQUENCE, i, l;
	double *state = calloc(net->state_len + 1, sizeof(*state));
	double x[LITEFLOW_MAX_WIDTH];
	int32_t in[LITEFLOW_MAX_WIDTH];
	uint64_t random = 1;
	int err = 0;

	if (!state)
		return refuse(why, "out of memory");
	for (l = 0; l < net->n_cells; l++)
		most[l] = 0;
	for (i = 0; i < n && !err; i++) {
		if (!data && !(i % SEQUENCE))
			memset(state, 0, net->state_len * sizeof(*state));
		if (!data)
			pack_draw(net, i / SEQUENCE & 1 ? PACK_NEAR_ZERO : PACK_UNIFORM, &random, in);
		net_front(net, data ? data->rows + (size_t)i * net->n_in : in, state, x);
		err = widen_states(net, state, most, why);
	}
	for (l = 0; l < net->n_cells; l++) {
		most[l] *= 1 + (data ? data->margin : PACK_MARGIN);
		if (net->cells[l].state_max)
			most[l] = net->cells[l].state_max;
		else if (!most[l])
			most[l] = 1;
	}
	free(state);
	return err;
}

/* -- one layer ----------------------------------------------------------- */

/**
 * struct work - a layer on its way into integers
 * @c: the layer
 * @qc: result
 * @in: what goes in, with one G for each
 * @bias: [gates * n] of the inputs' side, the inputs' offsets in it
 * @g: 1.0 in the state
 * @most: greatest integer of the state
 */
struct work {
	const struct net_cell *c;
	struct quant_cell *qc;
	struct values *in;
	double *bias;
	double g;
	double most;
};

static bool split(const struct net_cell *c, unsigned int row)
{
	return c->type == LITEFLOW_LAYER_GRU && row >= 2 * c->n;
}

/* Greatest magnitude of a row's sums: inputs' side, state's side; 1.0 = 1. */
static void reaches(const struct work *w, unsigned int row, double *x, double *h)
{
	const double *w_x = w->c->w_x + (size_t)row * w->c->n_in;
	const double *w_h = w->c->w_h + (size_t)row * w->c->n;
	unsigned int i;

	*x = fabs(w->bias[row]);
	*h = fabs(w->c->b_h[row]);
	for (i = 0; i < w->c->n_in; i++)
		*x += fabs(w_x[i]) * w->in->v[i].x / fabs(w->in->v[i].g);
	for (i = 0; i < w->c->n; i++)
		*h += fabs(w_h[i]) * w->most / w->g;
}

/* The greatest |w| / G of a column, or of all of w_h. */
static double column(const struct work *w, unsigned int col)
{
	unsigned int rows = net_gates(w->c) * w->c->n, row;
	double most = 0;

	for (row = 0; row < rows; row++)
		most = fmax(most, fabs(w->c->w_x[(size_t)row * w->c->n_in + col]));
	return most / fabs(w->in->v[col].g);
}

static double columns(const struct work *w)
{
	double most = 0;
	unsigned int i;

	for (i = 0; i < w->c->n_in; i++)
		most = fmax(most, column(w, i));
	return most;
}

static double of_state(const struct work *w)
{
	size_t n = (size_t)net_gates(w->c) * w->c->n * w->c->n, i;
	double most = 0;

	for (i = 0; i < n; i++)
		most = fmax(most, fabs(w->c->w_h[i]));
	return most / w->g;
}

/* The greatest T that sums allow, for the given most of them. */
static double sums_allow(const struct work *w, double most)
{
	unsigned int rows = net_gates(w->c) * w->c->n, row;
	double t = CELL_T_MAX, x, h;

	for (row = 0; row < rows; row++) {
		reaches(w, row, &x, &h);
		if (split(w->c, row)) {
			t = fmin(t, most / fmax(fmax(x, h), 1e-30));
			t = fmin(t, GATED_MAX / fmax(h, 1e-30));
		}
		t = fmin(t, (split(w->c, row) ? SUM_MAX : most) / fmax(x + h, 1e-30));
	}
	return t;
}

/* What weights of their greatest magnitude, @most, need as their scale; -1: too much. */
static int scale_for(double most)
{
	int s = 0;

	while (most > W_MAX * ldexp(1, s))
		s++;
	return s <= LITEFLOW_MAX_SHIFT_UP ? s : -1;
}

/*
 * Inputs of 32 bits are whole numbers already. Where T gives a column more than 16 bits
 * they are shifted up instead, as far as there is room.
 */
static void shift_inputs(struct quant *q, struct work *w, double t)
{
	unsigned int i;

	for (i = 0; i < w->c->n_in; i++) {
		struct quant_scale *s = &q->in[i];
		struct value *v = &w->in->v[i];
		double most = column(w, i) * t;

		while (most > W_MAX && v->x * 2 <= LONG_INPUT && s->mult < 1 << 30) {
			s->mult *= 2;
			v->g *= 2;
			v->x *= 2;
			most /= 2;
		}
	}
}

/* T, but for the power of two that sums of 32 bits take away; below 0: there is none. */
static double choose_long_t(const struct work *w)
{
	double h = of_state(w), t = CELL_T_MAX, raised;
	unsigned int i;

	if (h)
		t = pow2_floor(W_MAX / h);
	else if (columns(w))
		t = pow2_floor(W_MAX / columns(w));
	raised = t;
	for (i = 0; i < w->c->n_in && h; i++)
		while (column(w, i) && column(w, i) * raised < ENOUGH &&
		       raised < ldexp(t, LITEFLOW_MAX_SHIFT_UP))
			raised *= 2;
	return fmin(raised, pow2_floor(sums_allow(w, SUM_MAX)));
}

static double choose_cell_t(const struct work *w, bool wide)
{
	double x = columns(w), h = of_state(w), least = fmin(x ? x : h, h ? h : x), full;

	/* both have all their bits then */
	full = least ? W_MAX / least : CELL_T_MAX;
	/* as the greater one has to do with a scale of 15 bits */
	if (fmax(x, h) > 0)
		full = fmin(full, ldexp(W_MAX, LITEFLOW_MAX_SHIFT_UP) / fmax(x, h));
	return fmin(full, sums_allow(w, wide ? SUM_MAX : NARROW - 0x1p24));
}

static int round_weights(const double *w, size_t n, const struct value *v, unsigned int cols,
			 double t, int16_t *to)
{
	double q;
	size_t i;

	for (i = 0; i < n; i++) {
		q = round(w[i] * t / v[i % cols].g);
		if (!(fabs(q) <= W_MAX))
			return -1;
		to[i] = (int16_t)q;
	}
	return 0;
}

static void round_biases(const struct work *w, double t)
{
	const struct net_cell *c = w->c;
	unsigned int rows = net_gates(c) * c->n, row;

	for (row = 0; row < rows; row++) {
		if (split(c, row)) {
			w->qc->b[row] = llround(w->bias[row] * t);
			w->qc->b[row + c->n] = llround(c->b_h[row] * t);
		} else {
			w->qc->b[row] = llround((w->bias[row] + c->b_h[row]) * t);
		}
	}
}

/* Weights so small that all of a matrix became 0: that would be another network. */
static bool all_lost(const double *w, const int16_t *q, size_t n)
{
	bool any = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (q[i])
			return false;
		any |= w[i] != 0;
	}
	return any;
}

static int round_cell(struct work *w, unsigned int nth, double t, struct reason *why)
{
	const struct net_cell *c = w->c;
	size_t rows = (size_t)net_gates(c) * c->n;
	struct value h = { .g = w->g };
	int up_x = scale_for(columns(w) * t), up_h = scale_for(of_state(w) * t);

	if (up_x < 0 || up_h < 0)
		return refuse(why, "layers[%u]: its weights differ by too much to quantise", nth);
	w->qc->shift_x = up_x;
	w->qc->shift_h = up_h;
	w->qc->t = t;
	round_biases(w, t);
	if (round_weights(c->w_x, rows * c->n_in, w->in->v, c->n_in, ldexp(t, -up_x), w->qc->w_x) ||
	    round_weights(c->w_h, rows * c->n, &h, 1, ldexp(t, -up_h), w->qc->w_h))
		return refuse(why, "layers[%u]: a weight does not fit 16 bits", nth);
	if (all_lost(c->w_x, w->qc->w_x, rows * c->n_in) || all_lost(c->w_h, w->qc->w_h, rows * c->n))
		return refuse(why, "layers[%u]: its weights are too small to quantise beside the "
			      "others", nth);
	return 0;
}

/* What leaves a layer. Errors are those of its own rounding: what adds up is measured. */
static void leave(const struct work *w, struct values *out)
{
	unsigned int j;

	out->n = w->c->n;
	for (j = 0; j < out->n; j++)
		out->v[j] = (struct value) {
			.lo = is_relu(w->c) ? 0 : -1,
			.hi = is_relu(w->c) ? w->most / w->g : 1,
			.most = w->most / w->g,
			.g = w->g,
			.x = w->most,
			.var = 1 / (12 * w->g * w->g),
			.err = 1 / w->g,
			.mean = is_relu(w->c) ? w->most / w->g / 4 : 0,
			.spread = pow(w->most / w->g, 2) / 3,
		};
}

/* Whole numbers stay whole as long as there is room for them. */
static double long_steps(double state_max)
{
	return fmax(pow2_floor(LONG_STEPS / state_max),
		    fmin(pow2_floor(LONG_MAX / state_max), 1));
}

static int quantise_cell(struct quant *q, unsigned int l, struct work *w, bool wide,
			 double state_max, struct reason *why)
{
	const struct net_cell *c = w->c;
	double base = ldexp(1, LITEFLOW_TANH_IN_FRAC), t;
	int frac;

	w->g = Y_ONE;
	w->most = X_MAX;
	if (is_long(c)) {
		w->most = LONG_MAX;
		w->g = long_steps(state_max);
	} else if (is_relu(c)) {
		w->g = X_MAX / state_max;
	}
	if (is_relu(c))
		base = w->g;
	t = is_long(c) ? choose_long_t(w) : choose_cell_t(w, wide);
	if (!(t >= base))
		return is_long(c) || wide ?
		       refuse(why, "layers[%u]: its weights are too large to quantise", l) : 1;
	w->qc->shift = ilogb(t / base);
	t = ldexp(base, w->qc->shift);
	if (is_long(c) && !l)
		shift_inputs(q, w, t);
	if (c->type == LITEFLOW_LAYER_LSTM) {
		frac = ilogb(LONG_MAX / state_max);
		if (frac < LITEFLOW_TANH_OUT_FRAC)
			return refuse(why, "layers[%u]: \"state_max\" is %g, at most %d is possible",
				      l, state_max, 1 << (31 - LITEFLOW_TANH_OUT_FRAC));
		w->qc->c_frac = frac > 30 ? 30 : frac;
	}
	w->qc->wide = wide || is_long(c);
	return round_cell(w, l, t, why);
}

/* -- all of them --------------------------------------------------------- */

/* How the model's inputs become those of the first layer, centred. */
static int quantise_cell_inputs(struct quant *q, struct values *in, double *bias,
				struct reason *why)
{
	const struct net *net = q->net;
	const struct net_cell *c = &net->cells[0];
	unsigned int rows = net_gates(c) * c->n, i, row;

	memcpy(bias, c->b_x, rows * sizeof(*bias));
	in->n = net->n_in;
	for (i = 0; i < net->n_in; i++) {
		const struct net_io *io = &net->in[i];
		struct quant_scale *s = &q->in[i];
		struct value *v = &in->v[i];
		double steps, x;

		s->lo = io->ilo;
		s->hi = io->ihi;
		s->offset = io->ilo + (int32_t)(((int64_t)io->ihi - io->ilo) / 2);
		steps = fmax((double)s->hi - s->offset, 1);
		x = steps;
		s->mult = 1;
		s->shift = 0;
		if (is_long(c) ? steps > LONG_INPUT : steps > X_MAX / 2) {
			/* rounded up it still has to fit */
			x = is_long(c) ? LONG_INPUT : X_MAX;
			if (quant_ratio(x / steps * (1 - 1e-6), steps, &s->mult, &s->shift))
				return refuse(why, "inputs[%u]: its range is too wide to quantise",
					      i);
		} else if (!is_long(c)) {
			/* a whole number per step is exact */
			s->mult = floor(X_MAX / steps);
		}
		v->g = ldexp(s->mult, -s->shift) / (io->unit * io->scale);
		v->x = floor(ldexp(s->mult, -s->shift) * steps + 0.5);
		for (row = 0; row < rows; row++)
			bias[row] += c->w_x[(size_t)row * net->n_in + i] *
				     (s->offset * io->unit - io->offset) * io->scale;
	}
	return 0;
}

static int cell_alloc(const struct net_cell *c, struct quant_cell *qc)
{
	size_t rows = (size_t)net_gates(c) * c->n;

	qc->w_x = calloc(rows * c->n_in, sizeof(*qc->w_x));
	qc->w_h = calloc(rows * c->n, sizeof(*qc->w_h));
	qc->b = calloc(rows + c->n, sizeof(*qc->b));
	return qc->w_x && qc->w_h && qc->b ? 0 : -1;
}

void quant_free_cells(struct quant *q)
{
	unsigned int l;

	for (l = 0; l < q->net->n_cells; l++) {
		free(q->cells[l].w_x);
		free(q->cells[l].w_h);
		free(q->cells[l].b);
	}
}

int quant_cells(struct quant *q, const struct quant_options *opts, struct values *top,
		struct reason *why)
{
	const struct net *net = q->net;
	struct values *in = calloc(1, sizeof(*in));
	double *bias = calloc(4 * LITEFLOW_MAX_WIDTH, sizeof(*bias));
	unsigned int l;
	int err;

	err = in && bias ? quantise_cell_inputs(q, in, bias, why) : refuse(why, "out of memory");
	for (l = 0; l < net->n_cells && !err; l++) {
		const struct net_cell *c = &net->cells[l];
		struct work w = { .c = c, .qc = &q->cells[l], .in = in, .bias = l ? c->b_x : bias };
		bool wide = opts->wide_cells >> l & 1;

		err = cell_alloc(c, w.qc) ? refuse(why, "out of memory") :
		      quantise_cell(q, l, &w, wide, opts->state_max[l], why);
		if (err > 0)
			err = quantise_cell(q, l, &w, true, opts->state_max[l], why);
		if (!err)
			leave(&w, in);
	}
	if (!err)
		*top = *in;
	free(in);
	free(bias);
	return err;
}
