// SPDX-License-Identifier: GPL-2.0-only
/*
 * Models for tests, made from a number: the same bytes in kernel and user space.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/liteflow_engine.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "testmodel.h"
#include "testwrite.h"

static void lf_put_input(struct lf_writer *w, unsigned int nth, const char *name)
{
	struct liteflow_blob_feature *f = lf_room(w, sizeof(*f));
	unsigned int bits, mult_bits, shift;
	s32 a, b, offset;
	u32 reach;

	/* ranges from a few units to all of 32 bits */
	bits = lf_between(&w->random, 1, 31);
	a = (s32)lf_random(&w->random) >> (31 - bits);
	b = (s32)lf_random(&w->random) >> (31 - bits);
	if (a > b)
		swap(a, b);
	offset = lf_random(&w->random) & 1 ? a / 2 + b / 2 : 0;

	/* |in - offset| is below 2^bits; with mult and shift below 2^14 */
	reach = max(abs((s64)a - offset), abs((s64)b - offset));
	bits = fls(reach);
	mult_bits = lf_between(&w->random, 1, 30);
	shift = max((int)(bits + mult_bits) - 14, 0) + lf_between(&w->random, 0, 3);
	if (!f)
		return;
	if (name)
		strscpy(f->name, name, sizeof(f->name));
	else
		snprintf(f->name, sizeof(f->name), "x%u", nth);
	f->lo = cpu_to_le32(a);
	f->hi = cpu_to_le32(b);
	f->offset = cpu_to_le32(offset);
	f->mult = cpu_to_le32(BIT(mult_bits - 1) |
			      (lf_random(&w->random) & (BIT(mult_bits - 1) - 1)));
	f->shift = shift;
}

static void lf_put_output(struct lf_writer *w, unsigned int nth, const s32 *constant,
			  unsigned int bits)
{
	struct liteflow_blob_output *o = lf_room(w, sizeof(*o));
	s32 a = lf_between(&w->random, -1000000, 1000000);
	s32 b = lf_between(&w->random, -1000000, 1000000);

	if (a > b)
		swap(a, b);
	if (!o)
		return;
	snprintf(o->name, sizeof(o->name), "y%u", nth);
	if (constant) {
		o->lo = cpu_to_le32(S32_MIN);
		o->hi = cpu_to_le32(S32_MAX);
		o->offset = cpu_to_le32(*constant);
		return;
	}
	o->lo = cpu_to_le32(a);
	o->hi = cpu_to_le32(b);
	o->offset = cpu_to_le32(a / 2 + b / 2);
	/* values have about @bits bits, spans 20: few answers are at an end */
	o->mult = cpu_to_le32(lf_between(&w->random, BIT(17), BIT(20)));
	o->shift = bits + lf_between(&w->random, 0, 3);
}

static void lf_put_params(struct lf_writer *w, unsigned int n_in, unsigned int n_out,
			  unsigned int weight_bits)
{
	size_t len = n_out * sizeof(__le64) + (size_t)n_in * n_out * sizeof(__le16);
	u8 *at = lf_room(w, ALIGN(len, 8));
	unsigned int i;

	if (!at)
		return;
	for (i = 0; i < n_out; i++, at += sizeof(__le64)) {
		s64 bias = (s32)lf_random(&w->random) >> (16 - weight_bits);

		put_unaligned_le64(bias, at);
	}
	for (i = 0; i < n_in * n_out; i++, at += sizeof(__le16))
		put_unaligned_le16((s32)lf_random(&w->random) >> (31 - weight_bits), at);
}

static size_t lf_make(u32 seed, const s32 *constant, const struct lf_testmodel_spec *spec,
		      void *buf, size_t size)
{
	static const struct lf_testmodel_spec any = {
		.act = LF_TESTMODEL_ANY,
		.last = LF_TESTMODEL_ANY,
	};
	struct lf_writer w = { .buf = buf, .size = size, .random = lf_seed(seed) };
	u16 width[LITEFLOW_MAX_LAYERS + 1];
	u8 weight_bits[LITEFLOW_MAX_LAYERS], sum_bits[LITEFLOW_MAX_LAYERS];
	struct liteflow_blob_header *h;
	unsigned int n_in, n_out, n_layers, last, text, i;
	void *provenance;

	if (!spec)
		spec = &any;
	h = lf_room(&w, sizeof(*h));
	n_in = spec->n_in ?: lf_between(&w.random, 1, 32);
	n_out = spec->n_out ?: lf_between(&w.random, 1, 8);
	n_layers = spec->n_layers ?: lf_between(&w.random, 1, 4);
	last = spec->last;
	if (last == LF_TESTMODEL_ANY)
		last = lf_between(&w.random, LITEFLOW_ACT_NONE,
				  n_out == 1 ? LITEFLOW_ACT_ARGMAX : LITEFLOW_ACT_SIGMOID);
	if (n_layers > LITEFLOW_MAX_LAYERS || (last == LITEFLOW_ACT_ARGMAX && n_out != 1))
		return 0;

	width[0] = n_in;
	for (i = 1; i <= n_layers; i++)
		width[i] = spec->widths ? spec->widths[i - 1] :
			   spec->width ?: lf_between(&w.random, 1, 48);
	if (last != LITEFLOW_ACT_ARGMAX)
		width[n_layers] = n_out;
	for (i = 0; i < n_layers; i++) {
		weight_bits[i] = spec->weight_bits ?: lf_between(&w.random, 4, 15);
		sum_bits[i] = weight_bits[i] + 14 + fls(width[i]) / 2;
	}

	for (i = 0; i < n_in; i++)
		lf_put_input(&w, i, spec->features ? spec->features[i] : NULL);
	for (i = 0; i < n_out; i++)
		lf_put_output(&w, i, constant, last == LITEFLOW_ACT_ARGMAX ? 6 :
			      last >= LITEFLOW_ACT_TANH ? LITEFLOW_TANH_OUT_FRAC :
			      sum_bits[n_layers - 1]);
	for (i = 0; i < n_layers; i++) {
		struct liteflow_blob_layer *l = lf_room(&w, sizeof(*l));
		unsigned int act = spec->act;
		int shift;

		if (act == LF_TESTMODEL_ANY)
			act = lf_between(&w.random, LITEFLOW_ACT_NONE, LITEFLOW_ACT_SIGMOID);
		if (i == n_layers - 1)
			act = last;
		/* activations somewhat below and somewhat above what saturates */
		shift = sum_bits[i] - 15 + lf_between(&w.random, -3, 2);
		if (act == LITEFLOW_ACT_TANH || act == LITEFLOW_ACT_SIGMOID)
			shift -= 2;
		else if (i == n_layers - 1)
			shift = 0;
		if (!l)
			continue;
		l->type = LITEFLOW_LAYER_DENSE;
		l->act = act;
		l->shift = max(shift, 0);
		l->n_in = cpu_to_le16(width[i]);
		l->n_out = cpu_to_le16(width[i + 1]);
	}
	for (i = 0; i < n_layers; i++)
		lf_put_params(&w, width[i], width[i + 1], weight_bits[i]);
	text = spec->provenance ? strlen(spec->provenance) : 0;
	provenance = lf_room(&w, ALIGN(text, 8));
	if (w.len > size)
		return 0;
	if (text)
		memcpy(provenance, spec->provenance, text);

	h->magic = cpu_to_le32(LITEFLOW_BLOB_MAGIC);
	h->version = cpu_to_le16(LITEFLOW_BLOB_VERSION);
	h->header_len = cpu_to_le16(sizeof(*h));
	h->n_in = cpu_to_le16(n_in);
	h->n_out = cpu_to_le16(n_out);
	h->n_layers = cpu_to_le16(n_layers);
	h->provenance_len = cpu_to_le32(text);
	if (constant)
		snprintf(h->name, sizeof(h->name), "constant-%d", *constant);
	else
		snprintf(h->name, sizeof(h->name), "random-%u", seed);
	strscpy(h->units, spec->units ?: "test", sizeof(h->units));
	lf_testmodel_fix(buf, w.len);
	return w.len;
}

/**
 * lf_testmodel() - make a random model
 * @seed: which
 * @spec: what it is like; NULL: any
 * @buf: result: a blob that lf_model_parse() accepts
 * @size: of @buf
 *
 * Context: any.
 * Return: length of the blob; 0 if @buf is too small or @spec contradicts
 * itself.
 */
size_t lf_testmodel(u32 seed, const struct lf_testmodel_spec *spec, void *buf, size_t size)
{
	return lf_make(seed, NULL, spec, buf, size);
}

/**
 * lf_testmodel_constant() - make a model that has one answer to all questions
 * @value: the answer, all outputs
 * @spec: what it is like otherwise, its weights are random; NULL: any
 * @buf: result: a blob that lf_model_parse() accepts
 * @size: of @buf
 *
 * Context: any.
 * Return: length of the blob; 0 if @buf is too small or @spec contradicts
 * itself.
 */
size_t lf_testmodel_constant(s32 value, const struct lf_testmodel_spec *spec, void *buf,
			     size_t size)
{
	return lf_make(value, &value, spec, buf, size);
}

/**
 * lf_testmodel_fix() - set a blob's length and checksum after a change
 * @blob: the blob
 * @len: its length, at least that of the header
 *
 * Context: any.
 */
void lf_testmodel_fix(void *blob, size_t len)
{
	u8 *crc = blob + offsetof(struct liteflow_blob_header, crc);

	put_unaligned_le32(len, blob + offsetof(struct liteflow_blob_header, total_len));
	put_unaligned_le32(0, crc);
	put_unaligned_le32(~crc32_le(~0, blob, len), crc);
}

/**
 * lf_testmodel_inputs() - make inputs for a model
 * @seed: which
 * @blob: a blob of lf_testmodel()
 * @in: result: its inputs; most within the range, some at its ends or beyond
 *
 * Context: any.
 */
void lf_testmodel_inputs(u32 seed, const void *blob, s32 *in)
{
	const struct liteflow_blob_header *h = blob;
	unsigned int n = get_unaligned_le16(&h->n_in), i;
	const struct liteflow_blob_feature *f = blob + sizeof(*h);
	u32 state = lf_seed(seed);

	for (i = 0; i < n; i++, f++) {
		s32 lo = get_unaligned_le32(&f->lo), hi = get_unaligned_le32(&f->hi);
		u32 kind = lf_random(&state) % 16;

		if (kind == 0)
			in[i] = lo;
		else if (kind == 1)
			in[i] = hi;
		else if (kind == 2)
			in[i] = lf_random(&state);
		else if (kind == 3)
			in[i] = lf_random(&state) & 1 ? S32_MIN : S32_MAX;
		else
			in[i] = lf_between(&state, lo, hi);
	}
}

/**
 * lf_testmodel_digest() - ask random models, and make one number of all answers
 * @n: models, three questions to each
 * @buf: room for a blob
 * @size: of @buf; models that are too large for it are left out
 * @digest: result
 *
 * Context: process; may sleep.
 * Return: 0, or the error of lf_model_parse().
 */
int lf_testmodel_digest(u32 n, void *buf, size_t size, u32 *digest)
{
	struct lf_model *model;
	s16 scratch[2 * 64];
	unsigned int i;
	size_t len;
	s32 in[32];
	s32 out[8];
	u32 seed;
	int err;

	*digest = ~0;
	for (seed = 0; seed < n; seed++) {
		len = lf_testmodel(seed, NULL, buf, size);
		if (!len)
			continue;
		err = lf_model_parse(buf, len, NULL, &model, NULL);
		if (err)
			return err;
		for (i = 0; i < 3; i++) {
			lf_testmodel_inputs(3 * seed + i, buf, in);
			lf_model_run(model, in, out, scratch);
			*digest = lf_digest(*digest, out, model->n_out);
		}
		lf_model_free(model);
	}
	return 0;
}
