// SPDX-License-Identifier: GPL-2.0
/*
 * Writes models. What the kernel's parser would refuse is not written: the same
 * source is linked here.
 */
#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <linux/crc32.h>
#include <linux/liteflow_engine.h>
#include "data.h"
#include "net.h"
#include "pack.h"
#include "quant.h"

#define GOOD_ENOUGH	0.0005	/* of the span: no reason for sums of 64 bits */
#define TRIAL_MACS	20000000

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

static size_t layer_len(const struct net_layer *layer)
{
	return padded(layer->n_out * sizeof(__le64) +
		      (size_t)layer->n_out * layer->n_in * sizeof(__le16));
}

static size_t blob_len(const struct net *net)
{
	size_t len = sizeof(struct liteflow_blob_header);
	unsigned int l;

	len += net->n_in * sizeof(struct liteflow_blob_feature);
	len += net->n_out * sizeof(struct liteflow_blob_output);
	len += net->n_layers * sizeof(struct liteflow_blob_layer);
	for (l = 0; l < net->n_layers; l++)
		len += layer_len(&net->layers[l]);
	return len + padded(net->provenance ? strlen(net->provenance) : 0);
}

static void put_header(const struct net *net, size_t len, struct liteflow_blob_header *h)
{
	h->magic = htole32(LITEFLOW_BLOB_MAGIC);
	h->version = htole16(LITEFLOW_BLOB_VERSION);
	h->header_len = htole16(sizeof(*h));
	h->total_len = htole32(len);
	h->n_in = htole16(net->n_in);
	h->n_out = htole16(net->n_out);
	h->n_layers = htole16(net->n_layers);
	h->provenance_len = htole32(net->provenance ? strlen(net->provenance) : 0);
	memcpy(h->name, net->name, sizeof(h->name));
	memcpy(h->units, net->units, sizeof(h->units));
}

/* struct liteflow_blob_output has the same fields */
static void put_scale(const struct quant_scale *s, const char *name,
		      struct liteflow_blob_feature *f)
{
	_Static_assert(sizeof(struct liteflow_blob_output) == sizeof(*f), "one form for both");
	memcpy(f->name, name, sizeof(f->name));
	f->lo = htole32(s->lo);
	f->hi = htole32(s->hi);
	f->offset = htole32(s->offset);
	f->mult = htole32(s->mult);
	f->shift = s->shift;
}

/* Parameters need not be aligned. */
static uint8_t *put_params(const struct net_layer *layer, const struct quant_layer *ql,
			   uint8_t *at)
{
	uint8_t *end = at + layer_len(layer);
	unsigned int i;
	__le64 bias;
	__le16 w;

	for (i = 0; i < layer->n_out; i++, at += sizeof(bias)) {
		bias = htole64(ql->b[i]);
		memcpy(at, &bias, sizeof(bias));
	}
	for (i = 0; i < layer->n_out * layer->n_in; i++, at += sizeof(w)) {
		w = htole16(ql->w[i]);
		memcpy(at, &w, sizeof(w));
	}
	return end;
}

static void put_blob(const struct quant *q, uint8_t *blob, size_t len)
{
	const struct net *net = q->net;
	struct liteflow_blob_header *h = (void *)blob;
	struct liteflow_blob_feature *scale = (void *)(h + 1);
	struct liteflow_blob_layer *shape;
	uint8_t *at;
	unsigned int i, l;

	put_header(net, len, h);
	for (i = 0; i < net->n_in; i++)
		put_scale(&q->in[i], net->in[i].name, scale++);
	for (i = 0; i < net->n_out; i++)
		put_scale(&q->out[i], net->out[i].name, scale++);
	shape = (void *)scale;
	at = (void *)(shape + net->n_layers);
	for (l = 0; l < net->n_layers; l++, shape++) {
		const struct net_layer *layer = &net->layers[l];

		shape->type = LITEFLOW_LAYER_DENSE;
		shape->act = layer->act;
		shape->shift = q->layers[l].shift;
		shape->n_in = htole16(layer->n_in);
		shape->n_out = htole16(layer->n_out);
		at = put_params(layer, &q->layers[l], at);
	}
	if (net->provenance)
		memcpy(at, net->provenance, strlen(net->provenance));
	h->crc = htole32(~crc32_le(~0U, blob, len));
}

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
	a->len = blob_len(net);
	a->blob = calloc(1, a->len);
	if (!a->blob) {
		refuse(why, "out of memory");
		goto out;
	}
	put_blob(a->q, a->blob, a->len);
	if (lf_model_parse(a->blob, a->len, NULL, &a->model, &err)) {
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
		for (l = 0; l < net->n_layers; l++) {
			if (best->model->layers[l].wide)
				continue;
			opts = best->opts;
			opts.wide |= 1U << l;
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
		.wide = bits == 64 ? ~0U : 0, .sigmas = opts->sigmas,
	};
	struct attempt *a = attempt(net, &how, opts->data, why);

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

static void report(FILE *f, const struct net *net, const struct attempt *a)
{
	const struct lf_model *m = a->model;
	unsigned int l, j;
	double lo, hi;

	fprintf(f, "%s: %u inputs, %u outputs, %u multiply-adds, %zu bytes, %u in memory\n",
		net->name, net->n_in, net->n_out, m->macs, a->len, m->bytes);
	for (l = 0; l < net->n_layers; l++) {
		const struct quant_layer *ql = &a->q->layers[l];

		lo = INFINITY;
		hi = 0;
		for (j = 0; j < net->layers[l].n_out; j++) {
			lo = fmin(lo, ql->t[j]);
			hi = fmax(hi, ql->t[j]);
		}
		fprintf(f, "  layer %u: %u -> %u %s, %d-bit sums (%.1f used), fraction bits ", l,
			net->layers[l].n_in, net->layers[l].n_out, act_name(net->layers[l].act),
			m->layers[l].wide ? 64 : 32, log2(fmax(ql->acc, 1)) + 1);
		if (lo == hi)
			fprintf(f, "%.4g", log2(lo));
		else
			fprintf(f, "%.1f..%.1f", log2(lo), log2(hi));
		fprintf(f, ", shift %u, error of a sum about %.2g, at most %.2g\n", ql->shift,
			ql->rms, ql->bound);
		if (ql->clips > 0)
			fprintf(f, "    saturates: a row may lose up to %.3g\n", ql->clips);
	}
	if (net->layers[net->n_layers - 1].act == LITEFLOW_ACT_ARGMAX)
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
	if (blob_len(net) > LITEFLOW_MAX_BLOB)
		return refuse(&why, "the model would take %zu bytes, at most %u are possible",
			      blob_len(net), LITEFLOW_MAX_BLOB);
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
