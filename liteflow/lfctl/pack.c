// SPDX-License-Identifier: GPL-2.0
/*
 * Makes models: tries ways to quantise, and takes the best. What the kernel's parser
 * would refuse is not written: the same source is linked here.
 */
#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <linux/liteflow_engine.h>
#include "data.h"
#include "net.h"
#include "pack.h"
#include "packblob.h"
#include "quant.h"
#include "quantcell.h"

#define GOOD_ENOUGH	0.0005	/* of the span: no reason for sums of 64 bits */
#define TRIAL_MACS	20000000

/* One way to quantise, and how good it is. */
struct attempt {
	struct quant_options opts;
	void *blob;
	size_t len;
	struct quant *q;
	struct lf_model *model;
	bool from_data;
	double anywhere;	/* errors: see struct pack_estimate */
	double score;
};

static const struct lf_limits any_state = { .max_state = LITEFLOW_MAX_STATE };

static void attempt_free(struct attempt *a)
{
	if (!a)
		return;
	if (a->model)
		lf_model_free(a->model);
	quant_free(a->q);
	free(a->blob);
	free(a);
}

static double score(const struct net *net, const struct pack_error *a, const struct pack_error *b)
{
	if (net->layers[net->n_layers - 1].act == LITEFLOW_ACT_ARGMAX)
		return (double)(a->differ + b->differ) / (a->rows + b->rows) / 10;
	return fmax(a->max_span, b->max_span);
}

/* With data, what counts is how good it is on them. */
static void try_model(const struct net *net, const struct pack_data *data, struct attempt *a)
{
	static const struct pack_error none;
	unsigned int rows = TRIAL_MACS / (a->model->macs + 64);
	struct pack_error uniform, near_zero, seen;

	rows = rows < 50 ? 50 : rows > 1000 ? 1000 : rows;
	pack_compare(net, a->model, PACK_UNIFORM, rows, 1, &uniform);
	pack_compare(net, a->model, PACK_NEAR_ZERO, rows, 2, &near_zero);
	a->anywhere = score(net, &uniform, &near_zero);
	a->score = a->anywhere;
	if (!data)
		return;
	pack_compare_rows(net, a->model, data->rows, data->n, data->n / rows + 1, &seen);
	a->score = score(net, &seen, &none);
}

static struct attempt *attempt(const struct net *net, const struct quant_options *opts,
			       const struct pack_data *data, struct reason *why)
{
	struct attempt *a = calloc(1, sizeof(*a));
	struct lf_error err = { "" };

	if (!a) {
		refuse(why, "out of memory");
		return NULL;
	}
	a->opts = *opts;
	a->q = quant_make(net, opts, why);
	if (!a->q)
		goto out;
	a->len = pack_blob_len(net);
	a->blob = calloc(1, a->len);
	if (!a->blob) {
		refuse(why, "out of memory");
		goto out;
	}
	pack_put_blob(a->q, a->blob, a->len);
	if (lf_model_parse(a->blob, a->len, &any_state, &a->model, &err)) {
		refuse(why, "%s", err.msg[0] ? err.msg : "out of memory");
		goto out;
	}
	try_model(net, data, a);
	return a;
out:
	attempt_free(a);
	return NULL;
}

/*
 * Sums of 64 bits cost time, so only where they more than halve the error, and
 * nobody said how many there have to be: layer by layer, the one that gains most first.
 */
static struct attempt *widen(const struct net *net, const struct pack_data *data, bool fixed,
			     struct attempt *best)
{
	struct attempt *a, *found;
	struct quant_options opts;
	char scrap[8];
	struct reason why = { scrap, sizeof(scrap) };
	unsigned int l;

	while (!fixed && best->score > GOOD_ENOUGH) {
		found = NULL;
		for (l = 0; l < net->n_cells + net->n_layers; l++) {
			opts = best->opts;
			if (l < net->n_cells ? best->model->cells[l].wide :
					       best->model->layers[l - net->n_cells].wide)
				continue;
			if (l < net->n_cells)
				opts.wide_cells |= 1U << l;
			else
				opts.wide |= 1U << (l - net->n_cells);
			a = attempt(net, &opts, data, &why);
			if (a && (!found || a->score < found->score)) {
				attempt_free(found);
				found = a;
			} else {
				attempt_free(a);
			}
		}
		if (!found || found->score > best->score / 2) {
			attempt_free(found);
			break;
		}
		attempt_free(best);
		best = found;
	}
	return best;
}

static bool any_open(const struct net *net)
{
	unsigned int l;

	for (l = 0; l < net->n_layers; l++)
		if (data_decides(net, l))
			return true;
	return false;
}

/* Ranges from data only where they are better: without them no value is lost. */
static struct attempt *from_data(const struct net *net, const struct pack_data *data, bool fixed,
				 struct quant_options *opts, struct attempt *a, struct reason *why)
{
	struct data_ranges *ranges = data_range(net, data, why);
	struct attempt *b = NULL;

	if (!ranges) {
		attempt_free(a);
		return NULL;
	}
	opts->ranges = ranges;
	if (any_open(net))
		b = attempt(net, opts, data, why);
	if (b && (!a || b->score < a->score)) {
		attempt_free(a);
		a = widen(net, data, fixed, b);
		a->from_data = true;
	} else {
		attempt_free(b);
		a = a ? widen(net, data, fixed, a) : NULL;
	}
	if (a)
		a->opts.ranges = NULL;
	free(ranges);
	return a;
}

static struct attempt *make_best(const struct net *net, const struct pack_options *opts,
				 struct reason *why)
{
	int bits = opts->bits ? opts->bits : net->bits;
	struct quant_options how = {
		.wide = bits == 64 ? ~0U : 0, .wide_cells = bits == 64 ? ~0U : 0,
		.sigmas = opts->sigmas,
	};
	struct attempt *a;

	if (quant_state_max(net, opts->data, how.state_max, why))
		return NULL;
	a = attempt(net, &how, opts->data, why);
	if (opts->data)
		return from_data(net, opts->data, bits, &how, a, why);
	return a ? widen(net, NULL, bits, a) : NULL;
}

/* On all rows now; the part held out is judged as the rest is. */
static void judge(const struct net *net, const struct pack_options *opts, struct attempt *a,
		  struct pack_estimate *e)
{
	const struct pack_data *data = opts->data;
	unsigned int n;

	memset(e, 0, sizeof(*e));
	if (data) {
		n = data_fitted(data);
		pack_compare_rows(net, a->model, data->rows, n, 1, &e->data.error[0]);
		pack_compare_rows(net, a->model, data->rows + (size_t)n * net->n_in, data->n - n, 1,
				  &e->data.error[1]);
		data_count(a->q, data, &e->data);
		e->data.decided = a->from_data;
		a->score = score(net, &e->data.error[0], &e->data.error[1]);
	}
	e->seen = a->score;
	e->anywhere = a->anywhere;
	e->rms = a->q->rms;
	e->bound = a->q->bound;
}

static void report_cell(FILE *f, const struct net *net, const struct attempt *a, unsigned int l)
{
	static const char *const names[] = {
		[LITEFLOW_LAYER_RNN] = "rnn", [LITEFLOW_LAYER_GRU] = "gru",
		[LITEFLOW_LAYER_LSTM] = "lstm",
	};
	const struct net_cell *c = &net->cells[l];
	const struct quant_cell *qc = &a->q->cells[l];

	fprintf(f, "  layer %u: %u -> %u %s%s%s, %d-bit sums, state of %d bits", l, c->n_in, c->n,
		names[c->type], c->type == LITEFLOW_LAYER_RNN ? " " : "",
		c->type == LITEFLOW_LAYER_RNN ? act_name(c->act) : "",
		a->model->cells[l].wide ? 64 : 32, c->state_bits);
	if (c->act == LITEFLOW_ACT_RELU || c->type == LITEFLOW_LAYER_LSTM)
		fprintf(f, " up to %.4g", a->opts.state_max[l]);
	fprintf(f, ", fraction bits %.4g, scales %u and %u, shift %u\n", log2(qc->t), qc->shift_x,
		qc->shift_h, qc->shift);
}

static void report(FILE *f, const struct net *net, const struct attempt *a)
{
	const struct lf_model *m = a->model;
	unsigned int l, j;
	double lo, hi;

	fprintf(f, "%s: %u inputs, %u outputs, %u multiply-adds, %zu bytes, %u in memory\n",
		net->name, net->n_in, net->n_out, m->macs, a->len, m->bytes);
	for (l = 0; l < net->n_cells; l++)
		report_cell(f, net, a, l);
	for (l = 0; l < net->n_layers; l++) {
		const struct quant_layer *ql = &a->q->layers[l];

		lo = INFINITY;
		hi = 0;
		for (j = 0; j < net->layers[l].n_out; j++) {
			lo = fmin(lo, ql->t[j]);
			hi = fmax(hi, ql->t[j]);
		}
		fprintf(f, "  layer %u: %u -> %u %s, %d-bit sums (%.1f used), fraction bits ",
			net->n_cells + l, net->layers[l].n_in, net->layers[l].n_out, act_name(net->layers[l].act),
			m->layers[l].wide ? 64 : 32, log2(fmax(ql->acc, 1)) + 1);
		if (lo == hi)
			fprintf(f, "%.4g", log2(lo));
		else
			fprintf(f, "%.1f..%.1f", log2(lo), log2(hi));
		fprintf(f, ", shift %u", ql->shift);
		/* of a sequence it is measured, as nothing is known of the states' errors */
		if (!net->n_cells)
			fprintf(f, ", error of a sum about %.2g, at most %.2g", ql->rms, ql->bound);
		fprintf(f, "\n");
		if (ql->clips > 0)
			fprintf(f, "    saturates: a row may lose up to %.3g\n", ql->clips);
	}
	/* what adds up over a sequence has no bound that would be of use */
	if (net->n_cells || net->layers[net->n_layers - 1].act == LITEFLOW_ACT_ARGMAX)
		return;
	fprintf(f, "  outputs: error about %.2g %% of the span, at most %.2g %%\n",
		100 * a->q->rms, 100 * a->q->bound);
}

void pack_describe_error(const struct net *net, double seen, struct reason *text)
{
	if (net->layers[net->n_layers - 1].act == LITEFLOW_ACT_ARGMAX)
		refuse(text, "%.1f %% of the answers differ from the network's", 1000 * seen);
	else
		refuse(text, "outputs are off by up to %.1f %% of their span", 100 * seen);
}

static int refuse_error(const struct net *net, const struct pack_options *opts,
			const struct attempt *a, struct reason *why)
{
	char text[100];
	struct reason r = { text, sizeof(text) };

	pack_describe_error(net, a->score, &r);
	if (opts->max_error)
		return refuse(why, "%s, above --max-error: see -v", text);
	return refuse(why, "%s: declare narrower ranges, or see -v; --force writes it anyway",
		      text);
}

/* In the terms of pack_estimate::seen; a limit that was asked for is of answers with argmax. */
static bool too_wrong(const struct net *net, const struct pack_options *opts, double seen)
{
	double limit = opts->max_error ? opts->max_error : PACK_MAX_ERROR;

	if (opts->max_error && net->layers[net->n_layers - 1].act == LITEFLOW_ACT_ARGMAX)
		limit /= 10;
	return seen > limit && !opts->force;
}

int lf_pack_net(const struct net *net, const struct pack_options *opts, void **blob,
		size_t *len, char *err, size_t errlen)
{
	struct reason why = { err, errlen };
	struct pack_estimate estimate;
	struct attempt *a;
	uint32_t crc;
	int ret = 0;

	*blob = NULL;
	*len = 0;
	if (pack_blob_len(net) > LITEFLOW_MAX_BLOB)
		return refuse(&why, "the model would take %zu bytes, at most %u are possible",
			      pack_blob_len(net), LITEFLOW_MAX_BLOB);
	a = make_best(net, opts, &why);
	if (!a)
		return -1;
	judge(net, opts, a, &estimate);
	crc = le32toh(((struct liteflow_blob_header *)a->blob)->crc);
	if (net->has_checksum && net->checksum != crc) {
		attempt_free(a);
		return refuse(&why, "\"checksum\" says 0x%08x, but the model made of this is "
			      "0x%08x: edited, packed with other options, or damaged",
			      net->checksum, crc);
	}
	if (opts->report)
		report(opts->report, net, a);
	if (opts->estimate)
		*opts->estimate = estimate;
	if (too_wrong(net, opts, a->score)) {
		ret = refuse_error(net, opts, a, &why);
	} else {
		*blob = a->blob;
		*len = a->len;
		a->blob = NULL;
	}
	attempt_free(a);
	return ret;
}

int lf_pack(struct json_object *json, void **blob, size_t *len, char *err, size_t errlen)
{
	const struct pack_options opts = { 0 };
	struct reason why = { err, errlen };
	struct net *net = net_read(json, &why);
	int ret;

	*blob = NULL;
	*len = 0;
	if (!net)
		return -1;
	ret = lf_pack_net(net, &opts, blob, len, err, errlen);
	net_free(net);
	return ret;
}
