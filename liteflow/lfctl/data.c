// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges from data. Of a deep network the worst case is far from what occurs: each
 * layer adds up its inputs' greatest magnitudes, which never come together.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "data.h"
#include "quant.h"

unsigned int data_fitted(const struct pack_data *data)
{
	return data->n - data->n / 4;
}

bool data_decides(const struct net *net, unsigned int l)
{
	int act = net->layers[l].act;

	return l + 1 < net->n_layers && act != LITEFLOW_ACT_TANH && act != LITEFLOW_ACT_SIGMOID;
}

/*
 * Sums of each row of the network's dense layers; visit() gets to see those of one. @state:
 * as for net_run().
 */
static void trace(const struct net *net, const int32_t *in, double *state,
		  void (*visit)(void *priv, unsigned int l, const double *sums), void *priv)
{
	double x[LITEFLOW_MAX_WIDTH], sums[LITEFLOW_MAX_WIDTH];
	unsigned int l, j;

	net_front(net, in, state, x);
	for (l = 0; l + 1 < net->n_layers; l++) {
		const struct net_layer *layer = &net->layers[l];

		for (j = 0; j < layer->n_out; j++)
			sums[j] = net_sum(layer, j, x);
		visit(priv, l, sums);
		for (j = 0; j < layer->n_out; j++)
			x[j] = net_activate(layer->act, sums[j]);
	}
}

struct extremes {
	const struct net *net;
	struct {
		double lo[LITEFLOW_MAX_WIDTH];
		double hi[LITEFLOW_MAX_WIDTH];
	} layers[LITEFLOW_MAX_LAYERS];
};

static void widen(void *priv, unsigned int l, const double *sums)
{
	struct extremes *e = priv;
	unsigned int j;

	for (j = 0; j < e->net->layers[l].n_out; j++) {
		e->layers[l].lo[j] = fmin(e->layers[l].lo[j], sums[j]);
		e->layers[l].hi[j] = fmax(e->layers[l].hi[j], sums[j]);
	}
}

/*
 * A margin of what the sum was seen to move by, on either side, and of its magnitude:
 * a ReLU that the data hardly opened may open further.
 */
static double reach(const struct net_layer *layer, double lo, double hi, double margin)
{
	double more = margin * fmax(hi - lo, fmax(fabs(lo), fabs(hi)));

	if (layer->act == LITEFLOW_ACT_RELU)
		return fmax(hi, 0) + more;
	return fmax(fabs(lo), fabs(hi)) + more;
}

static bool all_equal(const struct pack_data *data, unsigned int n_in)
{
	unsigned int i;

	for (i = 1; i < data->n; i++)
		if (memcmp(data->rows, data->rows + (size_t)i * n_in, n_in * sizeof(*data->rows)))
			return false;
	return true;
}

struct data_ranges *data_range(const struct net *net, const struct pack_data *data,
			       struct reason *why)
{
	struct data_ranges *ranges;
	struct extremes *e;
	unsigned int l, j, i;
	double *state;

	if (data->n < PACK_MIN_ROWS) {
		refuse(why, "%u rows of data are too few to take ranges from: give at least %u",
		       data->n, PACK_MIN_ROWS);
		return NULL;
	}
	if (all_equal(data, net->n_in)) {
		refuse(why, "all %u rows of data are the same: no range can be taken from them",
		       data->n);
		return NULL;
	}
	ranges = calloc(1, sizeof(*ranges));
	e = malloc(sizeof(*e));
	state = calloc(net->state_len + 1, sizeof(*state));
	if (!ranges || !e || !state) {
		refuse(why, "out of memory");
		free(ranges);
		free(e);
		free(state);
		return NULL;
	}
	e->net = net;
	for (l = 0; l < LITEFLOW_MAX_LAYERS; l++)
		for (j = 0; j < LITEFLOW_MAX_WIDTH; j++) {
			e->layers[l].lo[j] = INFINITY;
			e->layers[l].hi[j] = -INFINITY;
		}
	for (i = 0; i < data_fitted(data); i++)
		trace(net, data->rows + (size_t)i * net->n_in, state, widen, e);
	for (l = 0; l + 1 < net->n_layers; l++)
		for (j = 0; j < net->layers[l].n_out; j++)
			ranges->most[l][j] = reach(&net->layers[l], e->layers[l].lo[j],
						   e->layers[l].hi[j], data->margin);
	free(e);
	free(state);
	return ranges;
}

struct count {
	const struct quant *q;
	struct pack_seen *seen;
	bool held;
};

/* The engine's integers saturate where these do, but for its rounding. */
static void count_layer(void *priv, unsigned int l, const double *sums)
{
	struct count *c = priv;
	const struct net_layer *layer = &c->q->net->layers[l];
	const struct quant_layer *ql = &c->q->layers[l];
	unsigned int j, n = 0;
	double y;

	if (!data_decides(c->q->net, l))
		return;
	for (j = 0; j < layer->n_out; j++) {
		y = net_activate(layer->act, sums[j]) * ldexp(ql->t[j], -ql->shift);
		n += y > INT16_MAX + 0.5 || y < INT16_MIN - 0.5;
	}
	c->seen->layers[l].values[c->held] += layer->n_out;
	c->seen->layers[l].saturated[c->held] += n;
}

void data_count(const struct quant *q, const struct pack_data *data, struct pack_seen *seen)
{
	struct count c = { .q = q, .seen = seen };
	const struct net *net = q->net;
	double *state = calloc(net->state_len + 1, sizeof(*state));
	const int32_t *row = data->rows;
	unsigned int i, k;

	for (i = 0; state && i < data->n; i++, row += net->n_in) {
		c.held = i >= data_fitted(data);
		trace(net, row, state, count_layer, &c);
		for (k = 0; k < net->n_in; k++)
			seen->clamped += row[k] < net->in[k].ilo || row[k] > net->in[k].ihi;
	}
	free(state);
}
