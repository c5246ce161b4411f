// SPDX-License-Identifier: GPL-2.0
/*
 * From a quantised network to the bytes of a model.
 */
#include <endian.h>
#include <string.h>
#include <linux/crc32.h>
#include "net.h"
#include "packblob.h"
#include "quant.h"

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

static size_t cell_len(const struct net_cell *c)
{
	unsigned int gates = net_gates(c), biases = gates == 1 ? 1 : 4;

	return padded(sizeof(struct liteflow_blob_cell) + biases * c->n * sizeof(__le64) +
		      (size_t)gates * c->n * (c->n_in + c->n) * sizeof(__le16));
}

static size_t layer_len(const struct net_layer *layer)
{
	return padded(layer->n_out * sizeof(__le64) +
		      (size_t)layer->n_out * layer->n_in * sizeof(__le16));
}

size_t pack_blob_len(const struct net *net)
{
	size_t len = sizeof(struct liteflow_blob_header);
	unsigned int l;

	len += net->n_in * sizeof(struct liteflow_blob_feature);
	len += net->n_out * sizeof(struct liteflow_blob_output);
	len += (net->n_cells + net->n_layers) * sizeof(struct liteflow_blob_layer);
	for (l = 0; l < net->n_cells; l++)
		len += cell_len(&net->cells[l]);
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
	h->n_layers = htole16(net->n_cells + net->n_layers);
	h->state_len = htole16(net->state_len);
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
static uint8_t *put_biases(const int64_t *b, size_t n, uint8_t *at)
{
	__le64 bias;
	size_t i;

	for (i = 0; i < n; i++, at += sizeof(bias)) {
		bias = htole64(b[i]);
		memcpy(at, &bias, sizeof(bias));
	}
	return at;
}

static uint8_t *put_weights(const int16_t *weights, size_t n, uint8_t *at)
{
	__le16 w;
	size_t i;

	for (i = 0; i < n; i++, at += sizeof(w)) {
		w = htole16(weights[i]);
		memcpy(at, &w, sizeof(w));
	}
	return at;
}

static uint8_t *put_params(const struct net_layer *layer, const struct quant_layer *ql,
			   uint8_t *at)
{
	uint8_t *end = at + layer_len(layer);

	at = put_biases(ql->b, layer->n_out, at);
	put_weights(ql->w, (size_t)layer->n_out * layer->n_in, at);
	return end;
}

static uint8_t *put_cell(const struct net_cell *c, const struct quant_cell *qc,
			 struct liteflow_blob_layer *shape, uint8_t *at)
{
	const struct liteflow_blob_cell b = {
		.shift_x = qc->shift_x, .shift_h = qc->shift_h,
		.state_bits = c->state_bits, .c_frac = qc->c_frac,
	};
	uint8_t *end = at + cell_len(c);
	unsigned int gates = net_gates(c);
	size_t rows = (size_t)gates * c->n;

	shape->type = c->type;
	shape->act = c->act;
	shape->shift = qc->shift;
	shape->n_in = htole16(c->n_in);
	shape->n_out = htole16(c->n);
	memcpy(at, &b, sizeof(b));
	at = put_biases(qc->b, (gates == 1 ? 1 : 4) * c->n, at + sizeof(b));
	at = put_weights(qc->w_x, rows * c->n_in, at);
	put_weights(qc->w_h, rows * c->n, at);
	return end;
}

void pack_put_blob(const struct quant *q, uint8_t *blob, size_t len)
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
	at = (void *)(shape + net->n_cells + net->n_layers);
	for (l = 0; l < net->n_cells; l++)
		at = put_cell(&net->cells[l], &q->cells[l], shape++, at);
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
