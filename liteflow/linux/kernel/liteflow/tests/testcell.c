// SPDX-License-Identifier: GPL-2.0-only
/*
 * Models that remember, for tests: the same bytes in kernel and user space.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/liteflow_engine.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "testcell.h"
#include "testmodel.h"
#include "testwrite.h"

#define LF_CELLS	LITEFLOW_MAX_RECURRENT
#define LF_DENSE	2

/* What a random model is before it is bytes. */
struct lf_testcell_plan {
	unsigned int n_in;
	unsigned int n_cells;
	unsigned int n_dense;
	unsigned int n_out;
	u8 type[LF_CELLS];
	u8 act[LF_CELLS + LF_DENSE];
	u8 bits[LF_CELLS];	/* of the state */
	u8 up[2][LF_CELLS];	/* scales of the weights */
	u8 weight_bits[LF_CELLS + LF_DENSE];
	u8 n[LF_CELLS + LF_DENSE];
	u16 state_len;
};

static void lf_plan_cell(struct lf_testcell_plan *p, unsigned int i, u32 *random)
{
	bool above_long = i && p->bits[i - 1] == 32;

	p->type[i] = lf_between(random, LITEFLOW_LAYER_RNN, LITEFLOW_LAYER_LSTM);
	p->act[i] = LITEFLOW_ACT_TANH;
	p->bits[i] = 16;
	if (above_long)
		p->type[i] = LITEFLOW_LAYER_RNN;
	if (p->type[i] == LITEFLOW_LAYER_RNN && (above_long || lf_random(random) & 1)) {
		p->act[i] = LITEFLOW_ACT_RELU;
		p->bits[i] = above_long || lf_random(random) & 1 ? 32 : 16;
	}
	p->n[i] = lf_between(random, 1, lf_random(random) & 1 ? 9 : 33);
	p->up[0][i] = lf_random(random) & 1 ? 0 : lf_between(random, 0, 8);
	p->up[1][i] = lf_random(random) & 1 ? 0 : lf_between(random, 0, 8);
	p->state_len += p->n[i] * (p->type[i] == LITEFLOW_LAYER_LSTM ? 2 : 1);
}

static void lf_plan(struct lf_testcell_plan *p, u32 *random)
{
	unsigned int i, last;

	memset(p, 0, sizeof(*p));
	p->n_in = lf_between(random, 1, LF_TESTCELL_IN);
	p->n_out = lf_between(random, 1, LF_TESTCELL_OUT);
	p->n_cells = lf_between(random, 1, LF_CELLS);
	p->n_dense = lf_between(random, 1, LF_DENSE);
	for (i = 0; i < p->n_cells; i++)
		lf_plan_cell(p, i, random);
	last = p->n_cells + p->n_dense - 1;
	for (; i <= last; i++) {
		p->act[i] = lf_between(random, LITEFLOW_ACT_NONE, LITEFLOW_ACT_SIGMOID);
		p->n[i] = i < last ? lf_between(random, 1, 20) : p->n_out;
	}
	if (p->n_out == 1 && lf_random(random) & 1) {
		p->act[last] = LITEFLOW_ACT_ARGMAX;
		p->n[last] = lf_between(random, 1, 6);
	}
	/* few bits: narrow sums */
	for (i = 0; i <= last; i++)
		p->weight_bits[i] = lf_random(random) & 1 ? lf_between(random, 4, 11) :
				    lf_between(random, 12, 15);
}

/* Quantised values have about @bits bits. */
static void lf_put_any_input(struct lf_writer *w, unsigned int nth, unsigned int bits)
{
	struct liteflow_blob_feature *f = lf_room(w, sizeof(*f));
	unsigned int range = lf_between(&w->random, 2, 30);
	unsigned int mult = lf_between(&w->random, 1, 30);

	if (!f)
		return;
	snprintf(f->name, sizeof(f->name), "x%u", nth);
	f->lo = cpu_to_le32(-(s32)BIT(range - 1));
	f->hi = cpu_to_le32(lf_between(&w->random, 0, BIT(range - 1)));
	f->mult = cpu_to_le32(BIT(mult - 1) + 1);
	f->shift = max((int)(range + mult) - (int)bits, 0) + 1;
}

static void lf_put_any_output(struct lf_writer *w, unsigned int nth, unsigned int bits)
{
	struct liteflow_blob_output *o = lf_room(w, sizeof(*o));
	u32 mult = lf_between(&w->random, BIT(7), BIT(9));

	if (!o)
		return;
	snprintf(o->name, sizeof(o->name), "y%u", nth);
	o->lo = cpu_to_le32(-1000000);
	o->hi = cpu_to_le32(1000000);
	o->mult = cpu_to_le32(mult);
	/* spans have about 20 bits, mult has 9 */
	o->shift = max((int)bits - 11, 0) + lf_between(&w->random, 0, 2);
}

static void lf_put_biases(struct lf_writer *w, unsigned int n, unsigned int bits)
{
	u8 *at = lf_room(w, n * sizeof(__le64));

	for (; at && n; n--, at += sizeof(__le64))
		put_unaligned_le64((s64)(s32)lf_random(&w->random) >> (31 - bits), at);
}

static void lf_put_weights(struct lf_writer *w, size_t n, unsigned int bits)
{
	u8 *at = lf_room(w, n * sizeof(__le16));

	for (; at && n; n--, at += sizeof(__le16))
		put_unaligned_le16((s32)lf_random(&w->random) >> (31 - bits), at);
}

static void lf_align(struct lf_writer *w, size_t start)
{
	size_t len = w->len - start;

	lf_room(w, ALIGN(len, 8) - len);
}

/* What a row's sums have, about. */
static unsigned int lf_sum_bits(const struct lf_testcell_plan *p, unsigned int i)
{
	unsigned int n_in = i ? p->n[i - 1] : p->n_in, bits, n;

	if (i < p->n_cells)
		return p->weight_bits[i] + p->bits[i] - 2 + fls(n_in + p->n[i]) / 2 +
		       max(p->up[0][i], p->up[1][i]);
	n = i == p->n_cells ? p->bits[i - 1] : 16;
	bits = p->weight_bits[i] + n - 2 + fls(n_in) / 2;
	return bits;
}

static void lf_put_shape(struct lf_writer *w, const struct lf_testcell_plan *p, unsigned int i)
{
	struct liteflow_blob_layer *l = lf_room(w, sizeof(*l));
	bool cell = i < p->n_cells, last = i + 1 == p->n_cells + p->n_dense;
	bool curve = p->act[i] == LITEFLOW_ACT_TANH || p->act[i] == LITEFLOW_ACT_SIGMOID;
	int shift = (int)lf_sum_bits(p, i) + lf_between(&w->random, -3, 3);

	if (!l)
		return;
	l->type = cell ? p->type[i] : LITEFLOW_LAYER_DENSE;
	l->act = p->act[i];
	/* angles near 1, activations of most of their bits */
	if (curve)
		shift -= LITEFLOW_TANH_IN_FRAC;
	else if (last)
		shift = 0;
	else
		shift -= cell ? p->bits[i] - 1 : 15;
	l->shift = max(shift, 0);
	l->n_in = cpu_to_le16(i ? p->n[i - 1] : p->n_in);
	l->n_out = cpu_to_le16(p->n[i]);
}

static void lf_put_cell(struct lf_writer *w, const struct lf_testcell_plan *p, unsigned int i)
{
	unsigned int n_in = i ? p->n[i - 1] : p->n_in, n = p->n[i];
	unsigned int gates = p->type[i] == LITEFLOW_LAYER_RNN ? 1 :
			     p->type[i] == LITEFLOW_LAYER_GRU ? 3 : 4;
	size_t start = w->len;
	struct liteflow_blob_cell *c = lf_room(w, sizeof(*c));
	unsigned int frac = lf_between(&w->random, 15, 30);

	if (c) {
		c->shift_x = p->up[0][i];
		c->shift_h = p->up[1][i];
		c->state_bits = p->bits[i];
		c->c_frac = p->type[i] == LITEFLOW_LAYER_LSTM ? frac : 0;
	}
	lf_put_biases(w, (gates == 3 ? 4 : gates) * n, min(lf_sum_bits(p, i), 31));
	lf_put_weights(w, (size_t)gates * n * n_in, p->weight_bits[i]);
	lf_put_weights(w, (size_t)gates * n * n, p->weight_bits[i]);
	lf_align(w, start);
}

static void lf_put_header(struct liteflow_blob_header *h, unsigned int n_in, unsigned int n_out,
			  unsigned int n_layers, unsigned int state_len)
{
	h->magic = cpu_to_le32(LITEFLOW_BLOB_MAGIC);
	h->version = cpu_to_le16(LITEFLOW_BLOB_VERSION);
	h->header_len = cpu_to_le16(sizeof(*h));
	h->n_in = cpu_to_le16(n_in);
	h->n_out = cpu_to_le16(n_out);
	h->n_layers = cpu_to_le16(n_layers);
	h->state_len = cpu_to_le16(state_len);
	strscpy(h->units, "test", sizeof(h->units));
}

/**
 * lf_testcell() - make a random model that remembers
 * @seed: which
 * @buf: result: a blob that lf_model_parse() accepts
 * @size: of @buf
 *
 * Context: any.
 * Return: length of the blob; 0 if @buf is too small.
 */
size_t lf_testcell(u32 seed, void *buf, size_t size)
{
	struct lf_writer w = { .buf = buf, .size = size, .random = lf_seed(seed) };
	struct liteflow_blob_header *h = lf_room(&w, sizeof(*h));
	struct lf_testcell_plan p;
	unsigned int i, n, bits;
	size_t start;

	lf_plan(&p, &w.random);
	n = p.n_cells + p.n_dense;
	bits = lf_sum_bits(&p, n - 1);
	if (p.act[n - 1] == LITEFLOW_ACT_TANH || p.act[n - 1] == LITEFLOW_ACT_SIGMOID)
		bits = LITEFLOW_TANH_OUT_FRAC;
	else if (p.act[n - 1] == LITEFLOW_ACT_ARGMAX)
		bits = 3;
	for (i = 0; i < p.n_in; i++)
		lf_put_any_input(&w, i, p.bits[0]);
	for (i = 0; i < p.n_out; i++)
		lf_put_any_output(&w, i, bits);
	for (i = 0; i < n; i++)
		lf_put_shape(&w, &p, i);
	for (i = 0; i < p.n_cells; i++)
		lf_put_cell(&w, &p, i);
	for (; i < n; i++) {
		start = w.len;
		lf_put_biases(&w, p.n[i], min(lf_sum_bits(&p, i), 31));
		lf_put_weights(&w, (size_t)p.n[i] * p.n[i - 1], p.weight_bits[i]);
		lf_align(&w, start);
	}
	if (w.len > size)
		return 0;
	lf_put_header(h, p.n_in, p.n_out, n, p.state_len);
	snprintf(h->name, sizeof(h->name), "cell-%u", seed);
	lf_testmodel_fix(buf, w.len);
	return w.len;
}

/* A sequence of 64 to 4096 questions; most are short. */
static int lf_digest_sequence(const struct lf_model *model, const void *blob, u32 seed,
			      u32 *digest, u32 *answers)
{
	static s32 state[LF_TESTCELL_STATE], scratch[LF_TESTCELL_SCRATCH];
	s32 in[LF_TESTCELL_IN], out[LF_TESTCELL_OUT];
	u32 random = lf_seed(seed), i;
	u32 steps = 64 << min(lf_between(&random, 0, 6), lf_between(&random, 0, 9));

	memset(state, 0, sizeof(state));
	for (i = 0; i < steps; i++) {
		lf_testmodel_inputs(seed * 4096 + i, blob, in);
		lf_model_step(model, in, out, state, scratch);
		*digest = lf_digest(*digest, out, model->n_out);
	}
	*digest = lf_digest(*digest, state, model->state_len);
	*answers += steps;
	return lf_state_sound(model, state) ? 0 : -EDOM;
}

/**
 * lf_testcell_digest() - ask random models, and make one number of all answers
 * @n: models, a sequence of 64 to 4,096 questions to each
 * @buf: room for a blob
 * @size: of @buf, at least LF_TESTCELL_BUF
 * @digest: result
 * @answers: result: how many they were
 *
 * Context: process; may sleep. One at a time.
 * Return: 0, or the error of lf_model_parse(); -EDOM: a state left its format; -ENOSPC:
 * @buf is too small.
 */
int lf_testcell_digest(u32 n, void *buf, size_t size, u32 *digest, u32 *answers)
{
	static const struct lf_limits limits = { .max_state = LF_TESTCELL_STATE };
	struct lf_model *model;
	size_t len;
	u32 seed;
	int err;

	*digest = ~0;
	*answers = 0;
	for (seed = 0; seed < n; seed++) {
		len = lf_testcell(seed, buf, size);
		if (!len)
			return -ENOSPC;
		err = lf_model_parse(buf, len, &limits, &model, NULL);
		if (err)
			return err;
		err = lf_digest_sequence(model, buf, seed, digest, answers);
		lf_model_free(model);
		if (err)
			return err;
	}
	return 0;
}

/* -- the queue ----------------------------------------------------------- */

static const struct lf_testqueue_names lf_queue_names = {
	.units	= "test",
	.in	= { "b", "s", "c", "q" },
	.out	= { "backlog", "kept", "dropped" },
};

static void lf_put_queue_scales(struct lf_writer *w, const struct lf_testqueue_names *names)
{
	struct liteflow_blob_feature *f;
	unsigned int i;

	for (i = 0; i < LF_TESTQUEUE_IN + LF_TESTQUEUE_OUT; i++) {
		bool in = i < LF_TESTQUEUE_IN;

		f = lf_room(w, sizeof(*f));
		if (!f)
			return;
		strscpy(f->name, in ? names->in[i] : names->out[i - LF_TESTQUEUE_IN],
			sizeof(f->name));
		f->lo = cpu_to_le32(in ? 0 : S32_MIN);
		f->hi = cpu_to_le32(!in ? S32_MAX : i == 1 ? LF_TESTQUEUE_SIZE :
				    LF_TESTQUEUE_MOST);
		f->mult = cpu_to_le32(1);
	}
}

static void lf_put_queue_weights(struct lf_writer *w, const s16 *weights, unsigned int n)
{
	u8 *at = lf_room(w, n * sizeof(__le16));
	unsigned int i;

	for (i = 0; at && i < n; i++)
		put_unaligned_le16(weights[i], at + i * sizeof(__le16));
}

/**
 * lf_testqueue() - a byte queue with a limit, as a layer of four ReLU units
 * @names: of its inputs and outputs; NULL: any
 * @buf: result: the blob
 * @size: of @buf
 *
 * From backlog y = h1 + h2 - h3 + h4, b bytes sent, a packet of s and the limit q
 *
 *	h1 = relu(y - b)		h2 = relu(s)
 *	h3 = relu(K * e)		h4 = relu(K * e - s)	where e = y - b + s - q
 *
 * If the packet fits, e <= 0 and y becomes h1 + s. If not, K * e >= K >= s, so that
 * h3 - h4 = s takes the packet away again.
 *
 * Context: any.
 * Return: length of the blob; 0 if @buf is too small.
 */
size_t lf_testqueue(const struct lf_testqueue_names *names, void *buf, size_t size)
{
	enum { K = LF_TESTQUEUE_SIZE, UNITS = 4 };
	static const s16 w_x[UNITS * LF_TESTQUEUE_IN] = {
		-1, 0, 0, 0,
		0, 1, 0, 0,
		-K, K, 0, -K,
		-K, K - 1, 0, -K,
	};
	static const s16 w_h[UNITS * UNITS] = {
		1, 1, -1, 1,
		0, 0, 0, 0,
		K, K, -K, K,
		K, K, -K, K,
	};
	static const s16 top[LF_TESTQUEUE_OUT * UNITS] = {
		1, 1, -1, 1,
		0, 0, 0, 0,
		0, 0, 1, -1,
	};
	struct lf_writer w = { .buf = buf, .size = size };
	struct liteflow_blob_header *h = lf_room(&w, sizeof(*h));
	struct liteflow_blob_layer *l;
	struct liteflow_blob_cell *c;

	names = names ?: &lf_queue_names;
	lf_put_queue_scales(&w, names);
	l = lf_room(&w, 2 * sizeof(*l));
	c = lf_room(&w, sizeof(*c));
	lf_room(&w, UNITS * sizeof(__le64));
	lf_put_queue_weights(&w, w_x, ARRAY_SIZE(w_x));
	lf_put_queue_weights(&w, w_h, ARRAY_SIZE(w_h));
	lf_room(&w, LF_TESTQUEUE_OUT * sizeof(__le64));
	lf_put_queue_weights(&w, top, ARRAY_SIZE(top));
	if (w.len > size)
		return 0;
	l[0].type = LITEFLOW_LAYER_RNN;
	l[0].act = LITEFLOW_ACT_RELU;
	l[0].n_in = cpu_to_le16(LF_TESTQUEUE_IN);
	l[0].n_out = cpu_to_le16(UNITS);
	l[1].type = LITEFLOW_LAYER_DENSE;
	l[1].n_in = cpu_to_le16(UNITS);
	l[1].n_out = cpu_to_le16(LF_TESTQUEUE_OUT);
	c->state_bits = 32;
	lf_put_header(h, LF_TESTQUEUE_IN, LF_TESTQUEUE_OUT, 2, UNITS);
	strscpy(h->name, "queue", sizeof(h->name));
	strscpy(h->units, names->units, sizeof(h->units));
	lf_testmodel_fix(buf, w.len);
	return w.len;
}

/* Load and limits change now and then, so that queues run empty and overflow. */
static void lf_queue_input(u32 *random, u32 nth, s32 *in)
{
	static u32 rate;

	if (!(nth % 256)) {
		rate = lf_between(random, 200, 1500);
		in[3] = lf_between(random, LF_TESTQUEUE_SIZE,
				   lf_random(random) & 1 ? 10000 : LF_TESTQUEUE_MOST / 4);
	}
	in[0] = lf_between(random, 0, lf_random(random) % 64 ? rate : LF_TESTQUEUE_MOST);
	in[1] = lf_between(random, 1, lf_random(random) % 8 ? 1500 : LF_TESTQUEUE_SIZE);
	in[2] = lf_random(random);
}

/**
 * lf_testqueue_run() - the layer against the queue in plain arithmetic
 * @seed: of the packets
 * @packets: how many
 * @buf: room for a blob
 * @size: of @buf
 * @drops: result: packets that the queue dropped
 * @wrong: result: packets after which backlog or verdict differed
 *
 * Context: process; may sleep. One at a time.
 * Return: 0, or an error of lf_model_parse(); -ENOSPC: @buf is too small.
 */
int lf_testqueue_run(u32 seed, u32 packets, void *buf, size_t size, u32 *drops, u32 *wrong)
{
	static const struct lf_limits limits = { .max_state = LF_TESTCELL_STATE };
	s32 in[LF_TESTQUEUE_IN] = {}, out[LF_TESTQUEUE_OUT], state[4] = {};
	s32 scratch[LF_TESTCELL_SCRATCH], queue = 0;
	u32 random = lf_seed(seed), i;
	struct lf_model *model;
	size_t len = lf_testqueue(NULL, buf, size);
	bool drop;
	int err;

	*drops = 0;
	*wrong = 0;
	if (!len)
		return -ENOSPC;
	err = lf_model_parse(buf, len, &limits, &model, NULL);
	if (err)
		return err;
	for (i = 0; i < packets; i++) {
		lf_queue_input(&random, i, in);
		lf_model_step(model, in, out, state, scratch);
		queue = max(queue - in[0], 0);
		drop = queue + in[1] > in[3];
		if (!drop)
			queue += in[1];
		*drops += drop;
		*wrong += out[0] != queue || (out[2] > out[1]) != drop;
	}
	lf_model_free(model);
	return 0;
}
