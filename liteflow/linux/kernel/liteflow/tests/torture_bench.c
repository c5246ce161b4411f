// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's benchmark: what one query costs.
 *
 * An app is registered, user space installs and activates a model, and a write
 * to the parameter "run" measures: the whole of lf_query() with warm and with
 * cold caches, and for comparison the same network as a plain loop over
 * s64, which has to give the same answers. Of a model that remembers, with the
 * parameter "max_state", it is lf_query_state() alone, in one sequence.
 */
#define pr_fmt(fmt) "lf_torture: " fmt

#include <linux/capability.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include "torture.h"

#define LFT_BATCHES	201	/* of them the median */
#define LFT_BATCH	1000	/* queries */
#define LFT_COLD	201	/* queries with cold caches */
#define LFT_ROWS	16	/* inputs, in turn */
#define LFT_LINE	64	/* bytes; at most what a cache line has */

/**
 * struct lft_plain_layer - a layer as a plain loop wants it
 * @n_in: inputs
 * @n_out: outputs
 * @act: LITEFLOW_ACT_*
 * @shift: of its sums
 * @bias: @n_out
 * @weight: @n_out rows of @n_in
 */
struct lft_plain_layer {
	unsigned int n_in;
	unsigned int n_out;
	u8 act;
	u8 shift;
	s64 *bias;
	s64 *weight;
};

/**
 * struct lft_plain - a network as a plain loop wants it
 * @n_in: inputs
 * @n_out: outputs
 * @n_layers: layers
 * @in: how inputs are quantised
 * @out: how outputs are made
 * @x: room for activations
 * @y: the same
 * @layers: the layers
 */
struct lft_plain {
	unsigned int n_in;
	unsigned int n_out;
	unsigned int n_layers;
	struct lf_scale *in;
	struct lf_scale *out;
	s64 *x;
	s64 *y;
	struct lft_plain_layer layers[];
};

/**
 * struct lft_figures - what came out, picoseconds
 * @warm: median
 * @warm_min: of the fastest batch
 * @cold: mean of the middle half
 * @plain: median
 * @valid: there is something to show
 * @compared: @plain, too
 */
struct lft_figures {
	u64 warm;
	u64 warm_min;
	u64 cold;
	u64 plain;
	bool valid;
	bool compared;
};

static struct lf_app *lft_app;
static struct lf_state *lft_state;	/* NULL: the app keeps none */
static struct lft_figures lft_figures;

/* The active model; the lock keeps it while it is measured. */
static DEFINE_MUTEX(lft_plain_lock);
static struct lft_plain *lft_active;

/* --- the plain loop ---------------------------------------------------------- */

static s64 lft_rshift(s64 v, unsigned int shift)
{
	return shift ? (v + (1LL << (shift - 1))) >> shift : v;
}

static s64 lft_act(const struct lft_plain_layer *layer, s64 sum)
{
	s64 v = lft_rshift(sum, layer->shift);

	switch (layer->act) {
	case LITEFLOW_ACT_RELU:
		return clamp_t(s64, v, 0, S16_MAX);
	case LITEFLOW_ACT_TANH:
		return lf_tanh(v);
	case LITEFLOW_ACT_SIGMOID:
		return ((1 << LITEFLOW_TANH_OUT_FRAC) + lf_tanh(v)) >> 1;
	default:
		return clamp_t(s64, v, S16_MIN, S16_MAX);
	}
}

static s64 lft_last_act(const struct lft_plain_layer *layer, s64 sum)
{
	switch (layer->act) {
	case LITEFLOW_ACT_NONE:
	case LITEFLOW_ACT_ARGMAX:
		return sum;
	case LITEFLOW_ACT_RELU:
		return max_t(s64, sum, 0);
	default:
		return lft_act(layer, sum);
	}
}

static s32 lft_output(const struct lf_scale *scale, s64 v)
{
	v = lft_rshift(v * scale->mult, scale->shift) + scale->offset;
	return clamp_t(s64, v, scale->lo, scale->hi);
}

static noinline void lft_plain_run(const struct lft_plain *p, const s32 *in, s32 *out)
{
	const struct lft_plain_layer *layer = p->layers;
	const struct lft_plain_layer *last = layer + p->n_layers - 1;
	s64 *x = p->x, *y = p->y;
	unsigned int i, row, largest = 0;

	for (i = 0; i < p->n_in; i++) {
		const struct lf_scale *s = &p->in[i];

		x[i] = lft_rshift(((s64)clamp(in[i], s->lo, s->hi) - s->offset) * s->mult,
				  s->shift);
	}
	for (; layer <= last; layer++) {
		for (row = 0; row < layer->n_out; row++) {
			const s64 *weight = layer->weight + (size_t)row * layer->n_in;
			s64 sum = layer->bias[row];

			for (i = 0; i < layer->n_in; i++)
				sum += weight[i] * x[i];
			y[row] = layer == last ? lft_last_act(layer, sum) : lft_act(layer, sum);
		}
		swap(x, y);
	}
	if (last->act == LITEFLOW_ACT_ARGMAX) {
		for (row = 1; row < last->n_out; row++) {
			if (x[row] > x[largest])
				largest = row;
		}
		x[0] = largest;
	}
	for (i = 0; i < p->n_out; i++)
		out[i] = lft_output(&p->out[i], x[i]);
}

static void lft_plain_free(struct lft_plain *p)
{
	unsigned int i;

	if (!p)
		return;
	for (i = 0; i < p->n_layers; i++) {
		kvfree(p->layers[i].bias);
		kvfree(p->layers[i].weight);
	}
	kfree(p->in);
	kfree(p->out);
	kfree(p->x);
	kfree(p->y);
	kfree(p);
}

static int lft_plain_layer(struct lft_plain_layer *to, const struct lf_layer *from)
{
	unsigned int row, col;

	to->n_in = from->n_in;
	to->n_out = from->n_out;
	to->act = from->act;
	to->shift = from->shift;
	to->bias = kvcalloc(to->n_out, sizeof(*to->bias), GFP_KERNEL);
	to->weight = kvcalloc((size_t)to->n_out * to->n_in, sizeof(*to->weight), GFP_KERNEL);
	if (!to->bias || !to->weight)
		return -ENOMEM;
	for (row = 0; row < to->n_out; row++) {
		to->bias[row] = lf_layer_bias(from, row);
		for (col = 0; col < to->n_in; col++)
			to->weight[(size_t)row * to->n_in + col] =
				lf_layer_weight(from, row, col);
	}
	return 0;
}

static struct lft_plain *lft_plain_make(const struct lf_model *model)
{
	struct lft_plain *p;
	unsigned int i;
	int err = 0;

	p = kzalloc(struct_size(p, layers, model->n_layers), GFP_KERNEL);
	if (!p)
		return NULL;
	p->n_in = model->n_in;
	p->n_out = model->n_out;
	p->n_layers = model->n_layers;
	p->in = kmemdup_array(model->in, p->n_in, sizeof(*p->in), GFP_KERNEL);
	p->out = kmemdup_array(model->out, p->n_out, sizeof(*p->out), GFP_KERNEL);
	p->x = kcalloc(model->width, sizeof(*p->x), GFP_KERNEL);
	p->y = kcalloc(model->width, sizeof(*p->y), GFP_KERNEL);
	for (i = 0; i < p->n_layers && !err; i++)
		err = lft_plain_layer(&p->layers[i], &model->layers[i]);
	if (err || !p->in || !p->out || !p->x || !p->y) {
		lft_plain_free(p);
		return NULL;
	}
	return p;
}

/* --- which model is active ----------------------------------------------------- */

static int lft_prepare(struct lf_app *app, const struct lf_model *model, void **priv,
		       struct lf_error *err)
{
	/* Of a compiled one nothing is known, and the loop has no memory: measured alone. */
	if (!model || model->n_cells)
		return 0;
	*priv = lft_plain_make(model);
	if (*priv)
		return 0;
	lf_refuse(err, "no memory for the plain loop: use a smaller model");
	return -ENOMEM;
}

static void lft_activated(struct lf_app *app, void *priv)
{
	mutex_lock(&lft_plain_lock);
	lft_active = priv;
	mutex_unlock(&lft_plain_lock);
}

static void lft_release(struct lf_app *app, void *priv)
{
	lft_plain_free(priv);
}

static const struct lf_app_ops lft_ops = {
	.prepare	= lft_prepare,
	.activated	= lft_activated,
	.release	= lft_release,
};

/* --- measuring ------------------------------------------------------------------ */

static int lft_compare_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* The clock may tick coarsely; a mean sees finer than it. */
static u64 lft_middle(u64 *values, unsigned int n)
{
	unsigned int i, from = n / 4, to = n - n / 4;
	u64 sum = 0;

	sort(values, n, sizeof(*values), lft_compare_u64, NULL);
	for (i = from; i < to; i++)
		sum += values[i];
	return div_u64(sum * 1000, to - from);
}

static int lft_query(const s32 *in, s32 *out)
{
	if (lft_state)
		return lf_query_state(lft_app, lft_state, in, lft_n_in, out, lft_n_out);
	return lf_query(lft_app, NULL, in, lft_n_in, out, lft_n_out);
}

static int lft_warm(const s32 *in, s32 *out, u64 *times)
{
	unsigned int batch, i;
	int err = 0;
	u64 begin;

	for (batch = 0; batch < LFT_BATCHES; batch++) {
		begin = ktime_get_ns();
		for (i = 0; i < LFT_BATCH; i++)
			err |= lft_query(in + (i % LFT_ROWS) * lft_n_in, out);
		times[batch] = ktime_get_ns() - begin;
		if (err)
			return -ENODATA;
		cond_resched();
	}
	sort(times, LFT_BATCHES, sizeof(*times), lft_compare_u64, NULL);
	lft_figures.warm = times[LFT_BATCHES / 2];
	lft_figures.warm_min = times[0];
	return 0;
}

static void lft_plain_warm(const struct lft_plain *p, const s32 *in, s32 *out, u64 *times)
{
	unsigned int batch, i;
	u64 begin;

	for (batch = 0; batch < LFT_BATCHES; batch++) {
		begin = ktime_get_ns();
		for (i = 0; i < LFT_BATCH; i++)
			lft_plain_run(p, in + (i % LFT_ROWS) * lft_n_in, out);
		times[batch] = ktime_get_ns() - begin;
		cond_resched();
	}
	sort(times, LFT_BATCHES, sizeof(*times), lft_compare_u64, NULL);
	lft_figures.plain = times[LFT_BATCHES / 2];
}

static unsigned int lft_walk(const u8 *memory, size_t size)
{
	unsigned int sum = 0;
	size_t i;

	for (i = 0; i < size; i += LFT_LINE) {
		sum += READ_ONCE(memory[i]);
		if (!(i % SZ_8M))
			cond_resched();
	}
	return sum;
}

/* One query, or none, between two looks at the clock, which is warm itself. */
static int lft_time_one(const s32 *in, s32 *out, u64 *time)
{
	int err = 0;
	u64 begin;

	preempt_disable();
	ktime_get_ns();
	begin = ktime_get_ns();
	if (in)
		err = lft_query(in, out);
	*time = ktime_get_ns() - begin;
	preempt_enable();
	return err;
}

static int lft_cold(const s32 *in, s32 *out, u64 *times)
{
	size_t size = (size_t)lft_evict_mb << 20;
	unsigned int i;
	u64 clock;
	u8 *memory;
	int err = 0;

	memory = vmalloc(size);
	if (!memory)
		return -ENOMEM;
	/* Pages of its own, not the zero page over and over. */
	memset(memory, 1, size);
	for (i = 0; i < LFT_COLD; i++)
		lft_time_one(NULL, NULL, &times[i]);
	clock = lft_middle(times, LFT_COLD);
	for (i = 0; i < LFT_COLD && !err; i++) {
		lft_walk(memory, size);
		err = lft_time_one(in + (i % LFT_ROWS) * lft_n_in, out, &times[i]);
		cond_resched();
	}
	vfree(memory);
	if (!err)
		lft_figures.cold = lft_middle(times, LFT_COLD) - clock;
	return err;
}

/* Inputs within the range that the model knows, if it is known itself. */
static void lft_fill(const struct lft_plain *p, s32 *in)
{
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < LFT_ROWS * lft_n_in; i++) {
		u32 r = prandom_u32_state(&rnd);

		if (p) {
			const struct lf_scale *s = &p->in[i % lft_n_in];

			in[i] = s->lo + (s64)(r * ((u64)((s64)s->hi - s->lo) + 1) >> 32);
		} else {
			in[i] = r % 1000;
		}
	}
}

/* The plain loop has to do the same work. */
static int lft_check_plain(const struct lft_plain *p, const s32 *in, s32 *out)
{
	unsigned int row, i;
	int err;

	for (row = 0; row < LFT_ROWS; row++) {
		err = lft_query(in + row * lft_n_in, out);
		if (err)
			return err;
		lft_plain_run(p, in + row * lft_n_in, out + lft_n_out);
		for (i = 0; i < lft_n_out; i++) {
			if (out[i] == out[lft_n_out + i])
				continue;
			pr_err("row %u, output %u: the query says %d, the plain loop %d\n", row,
			       i, out[i], out[lft_n_out + i]);
			return -EBADMSG;
		}
	}
	return 0;
}

static int lft_measure(const struct lft_plain *p, s32 *in, s32 *out, u64 *times)
{
	int err;

	if (!lf_app_version(lft_app))
		return -ENODATA;
	if (lft_state)
		lf_state_reset(lft_state);
	lft_fill(p, in);
	if (p) {
		err = lft_check_plain(p, in, out);
		if (err)
			return err;
		lft_plain_warm(p, in, out, times);
	}
	err = lft_warm(in, out, times);
	if (!err)
		err = lft_cold(in, out, times);
	if (!err) {
		lft_figures.valid = true;
		lft_figures.compared = p;
	}
	return err;
}

/**
 * lft_bench_run - measure the active model
 *
 * Context: Process context, takes seconds.
 * Return: 0, -ENODATA if no model is active, or another negative error.
 */
int lft_bench_run(void)
{
	u64 *times = kcalloc(max(LFT_BATCHES, LFT_COLD), sizeof(*times), GFP_KERNEL);
	s32 *in = kcalloc(LFT_ROWS * lft_n_in, sizeof(*in), GFP_KERNEL);
	s32 *out = kcalloc(2 * lft_n_out, sizeof(*out), GFP_KERNEL);
	int err = -ENOMEM;

	mutex_lock(&lft_plain_lock);
	memset(&lft_figures, 0, sizeof(lft_figures));
	if (times && in && out)
		err = lft_measure(lft_active, in, out, times);
	mutex_unlock(&lft_plain_lock);
	kfree(times);
	kfree(in);
	kfree(out);
	return err;
}

/* --- the job ---------------------------------------------------------------------- */

static int lft_bench_start(void)
{
	const struct lf_app_desc desc = {
		.name		= lft_app_name,
		.n_in		= min(lft_n_in, U16_MAX),
		.n_out		= min(lft_n_out, U16_MAX),
		.context	= LF_CONTEXT_SOFTIRQ,
		.policy		= LF_POLICY_FOLLOW,
		.capability	= CAP_NET_ADMIN,
		.max_state	= lft_max_state,
		.units		= lft_units,
		.ops		= &lft_ops,
		.owner		= THIS_MODULE,
	};

	if (lft_evict_mb < 1 || lft_evict_mb > 1024) {
		pr_err("evict_mb=%u: give 1 to 1024\n", lft_evict_mb);
		return -EINVAL;
	}
	lft_app = lf_app_register(&desc);
	if (IS_ERR(lft_app))
		return PTR_ERR(lft_app);
	/* who looks at the app finds what was asked for */
	if (!lf_app_fits(lft_app, &desc, NULL) && lft_max_state)
		lft_state = lf_state_alloc(lft_app, GFP_KERNEL);
	if (!lft_max_state || lft_state)
		return 0;
	lf_app_unregister(lft_app);
	return -ENOMEM;
}

static void lft_bench_stop(void)
{
	lf_state_free(lft_state);
	lf_app_unregister(lft_app);
}

/* @ps: picoseconds */
static int lft_show_ns(char *buf, size_t size, const char *name, u64 ps)
{
	return scnprintf(buf, size, "%s %llu.%llu ns\n", name, div_u64(ps, 1000),
			 div_u64(ps, 100) % 10);
}

static int lft_bench_show(char *buf, size_t size)
{
	const struct lft_figures *f = &lft_figures;
	u64 ratio;
	int len;

	if (!f->valid)
		return 0;
	len = lft_show_ns(buf, size, "lf_query_aurora", f->warm);
	len += lft_show_ns(buf + len, size - len, "lf_query_aurora_min", f->warm_min);
	len += lft_show_ns(buf + len, size - len, "lf_query_aurora_cold", f->cold);
	if (!f->compared)
		return len;
	len += lft_show_ns(buf + len, size - len, "lf_query_s64", f->plain);
	ratio = div64_u64(f->plain * 100, max(f->warm, 1ULL));
	len += scnprintf(buf + len, size - len, "lf_query_ratio_s64 %llu.%02llu x\n",
			 div_u64(ratio, 100), ratio % 100);
	return len;
}

const struct lft_job lft_bench_job = {
	.name	= "bench",
	.start	= lft_bench_start,
	.stop	= lft_bench_stop,
	.show	= lft_bench_show,
};
