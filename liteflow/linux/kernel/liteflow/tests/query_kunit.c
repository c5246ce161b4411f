// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of LiteFlow's queries: contexts, sampling, evaluation, compiled
 * models.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include <linux/sched/clock.h>
#include <linux/time64.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "core_kunit.h"

/* -- queries ------------------------------------------------------------------ */

/* An array of another size than the app's is never written to, nor read. */
static void lf_test_sizes(struct kunit *test)
{
	static const s32 in[3] = { 1, 2, 3 };
	struct lf_app *app = lft_open(test, &lft_desc);
	s32 out[2] = { 55, 66 };

	KUNIT_EXPECT_EQ(test, lf_query(app, NULL, in, 1, out, 1), -EINVAL);
	lft_install(test, 0, 1);
	lft_activate(test, 0);
	KUNIT_EXPECT_EQ(test, lf_query(app, NULL, in, 1, out, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, lf_query(app, NULL, in, 3, out, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, lf_query(app, NULL, in, 2, out, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, lf_query(app, NULL, in, 2, out, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, lf_query(app, NULL, in, 0, out, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, lf_query(app, NULL, in, 2 + BIT(16), out, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, out[0], 55);
	KUNIT_EXPECT_EQ(test, lf_query(app, NULL, in, 2, out, 1), 0);
	KUNIT_EXPECT_EQ(test, out[0], 1);
	KUNIT_EXPECT_EQ(test, out[1], 66);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.queries, 1);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.context, 0);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.no_model, 0);
}

static void lf_test_context(struct kunit *test)
{
	static const s32 in[2] = { 1, 2 };
	struct lf_app *app = lft_open(test, &lft_desc), *atomic;
	struct lf_app_desc desc = lft_desc;
	struct lf_flow flow = { .id = 7 };
	struct lft *t = test->priv;
	unsigned long flags;
	s32 out = 123;
	size_t len;
	int ret[2];

	desc.name = "core-test-atomic";
	desc.context = LF_CONTEXT_ATOMIC;
	atomic = lf_app_register(&desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, atomic);
	lft_install(test, 0, 1);
	lft_activate(test, 0);
	len = lf_testmodel_constant(2, &lft_spec, t->blob, LFT_BLOB_SIZE);
	KUNIT_EXPECT_EQ(test, lf_install(atomic, 0, t->blob, len, NULL, NULL), 0);
	KUNIT_EXPECT_EQ(test, lf_activate(atomic, 0, NULL, NULL), 0);

	local_irq_save(flags);
	preempt_count_add(HARDIRQ_OFFSET);
	ret[0] = lf_query(app, NULL, in, 2, &out, 1);
	preempt_count_sub(HARDIRQ_OFFSET);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, ret[0], -EPERM);
	KUNIT_EXPECT_EQ(test, out, 123);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.context, 1);

	local_irq_save(flags);
	preempt_count_add(HARDIRQ_OFFSET);
	ret[0] = lf_query(atomic, &flow, in, 2, &out, 1);
	preempt_count_sub(HARDIRQ_OFFSET);
	preempt_count_add(NMI_OFFSET);
	ret[1] = lf_query(atomic, NULL, in, 2, &out, 1);
	preempt_count_sub(NMI_OFFSET);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, ret[0], 0);
	KUNIT_EXPECT_EQ(test, out, 2);
	KUNIT_EXPECT_EQ(test, ret[1], -EPERM);
	/* flows are tags here */
	KUNIT_EXPECT_NULL(test, flow.pin);
	KUNIT_EXPECT_EQ(test, flow.seq, 1);
	KUNIT_EXPECT_EQ(test, flow.version, 1);
	lf_app_unregister(atomic);
}

struct softirq_query {
	struct timer_list timer;
	struct completion done;
	struct lf_app *app;
	const s32 *in;
	s32 *out;
	int ret;
};

static void softirq_query(struct timer_list *timer)
{
	struct softirq_query *q = from_timer(q, timer, timer);

	q->ret = lf_query(q->app, NULL, q->in, 2, q->out, 4);
	complete(&q->done);
}

/* Wider than the stack allows: the same answers in each context. */
static void lf_test_wide(struct kunit *test)
{
	static const u16 widths[] = { 300, LITEFLOW_MAX_WIDTH, 4 };
	const struct lf_testmodel_spec spec = {
		.n_in = 2, .n_out = 4, .n_layers = 3, .widths = widths,
		.act = LITEFLOW_ACT_TANH, .last = LITEFLOW_ACT_NONE, .weight_bits = 8,
	};
	struct lf_app_desc desc = lft_desc;
	s32 in[2], want[4], process[4], evaluated[4], softirq[4];
	struct softirq_query q = { .in = in, .out = softirq };
	struct lf_model *model;
	void *blob, *scratch;
	size_t len;

	desc.n_out = 4;
	q.app = lft_open(test, &desc);
	blob = kunit_kzalloc(test, SZ_1M, GFP_KERNEL);
	scratch = kunit_kzalloc(test, 2 * LITEFLOW_MAX_WIDTH * sizeof(s16), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, blob);
	KUNIT_ASSERT_NOT_NULL(test, scratch);
	len = lf_testmodel(1, &spec, blob, SZ_1M);
	KUNIT_ASSERT_GT(test, len, 0);
	lf_testmodel_inputs(1, blob, in);
	KUNIT_ASSERT_EQ(test, lf_model_parse(blob, len, &q.app->limits, &model, NULL), 0);
	KUNIT_ASSERT_EQ(test, model->width, LITEFLOW_MAX_WIDTH);
	lf_model_run(model, in, want, scratch);
	lf_model_free(model);

	KUNIT_ASSERT_EQ(test, lf_install(q.app, 0, blob, len, NULL, NULL), 0);
	KUNIT_ASSERT_EQ(test, lf_eval(q.app, 0, in, evaluated, 1, NULL), 0);
	KUNIT_EXPECT_MEMEQ(test, evaluated, want, sizeof(want));
	lft_activate(test, 0);
	KUNIT_EXPECT_EQ(test, lf_query(q.app, NULL, in, 2, process, 4), 0);
	KUNIT_EXPECT_MEMEQ(test, process, want, sizeof(want));

	init_completion(&q.done);
	timer_setup_on_stack(&q.timer, softirq_query, 0);
	mod_timer(&q.timer, jiffies);
	wait_for_completion(&q.done);
	timer_shutdown_sync(&q.timer);
	destroy_timer_on_stack(&q.timer);
	KUNIT_EXPECT_EQ(test, q.ret, 0);
	KUNIT_EXPECT_MEMEQ(test, softirq, want, sizeof(want));
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.queries, 2);
}

static void lf_test_sampling(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_app_stats s;
	unsigned long sum = 0;
	unsigned int i;

	lft_install(test, 0, 1);
	lft_activate(test, 0);
	for (i = 0; i < 2048; i++)
		lft_ask(test, NULL);
	/* on each CPU it was, of course */
	KUNIT_EXPECT_LE(test, lft_stats(test)->c.samples, 2);
	if (num_possible_cpus() == 1)
		KUNIT_EXPECT_EQ(test, lft_stats(test)->c.samples, 2);
	KUNIT_EXPECT_EQ(test, lf_app_set(app, -1, -1, -1, 0, NULL), 0);
	sum = lft_stats(test)->c.samples;
	for (i = 0; i < 100; i++)
		lft_ask(test, NULL);
	s = *lft_stats(test);
	KUNIT_EXPECT_EQ(test, s.c.samples, sum + 100);
	KUNIT_EXPECT_EQ(test, s.c.queries, 2148);
	for (i = 0, sum = 0; i < LF_HIST_BUCKETS; i++)
		sum += s.c.hist[i];
	KUNIT_EXPECT_EQ(test, sum, s.c.samples);
}

static void lf_test_eval(struct kunit *test)
{
	s32 in[20] = {}, out[11] = {};
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_error err;
	unsigned int i;

	LFT_REFUSED(test, lf_eval(app, 0, in, out, 1, &err), &err, -ENOENT);
	LFT_REFUSED(test, lf_eval(app, 9, in, out, 1, &err), &err, -EINVAL);
	lft_install(test, 0, 1);
	LFT_REFUSED(test, lf_eval(app, 0, in, out, LF_MAX_EVAL_MACS, &err), &err, -E2BIG);
	lft_install(test, 1, 2);
	lft_activate(test, 0);
	out[10] = 55;
	KUNIT_EXPECT_EQ(test, lf_eval(app, 1, in, out, 10, &err), 0);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, out[i], 2);
	KUNIT_EXPECT_EQ(test, out[10], 55);
	KUNIT_EXPECT_EQ(test, lf_eval(app, 0, in, out, 1, &err), 0);
	KUNIT_EXPECT_EQ(test, out[0], 1);
	KUNIT_EXPECT_EQ(test, lf_eval(app, 0, in, out, 0, &err), 0);
	/* neither counted nor held on to */
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.queries, 0);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 1, 0, &err), 0);
	KUNIT_EXPECT_EQ(test, lft_live(test), 1);
}

/* -- compiled models ---------------------------------------------------------- */

/* Set by run_slowly(), awaited by evict_work(). */
static bool slow_began;

static void run_slowly(const s32 *in, s32 *out)
{
	u64 end = local_clock() + 20 * NSEC_PER_USEC;

	WRITE_ONCE(slow_began, true);
	while (local_clock() < end)
		cpu_relax();
	out[0] = 1;
}

struct eviction {
	struct work_struct work;
	struct lf_app *app;
	int ret;
};

static void evict_work(struct work_struct *work)
{
	struct eviction *e = container_of(work, struct eviction, work);
	unsigned int i;

	/* another CPU may come here before the evaluation begins */
	for (i = 0; i < 10000 && !READ_ONCE(slow_began); i++)
		fsleep(100);
	e->ret = lf_remove(e->app, 0, LF_REMOVE_EVICT, NULL);
}

/* The model is evicted while it is evaluated: that ends, and nothing is left. */
static void lf_test_eval_evicted(struct kunit *test)
{
	struct lf_compiled_model slow = LFT_COMPILED("slow", 1, run_slowly);
	const u32 rows = 10000;
	struct eviction e = { .ret = 1 };
	struct lf_error err = {};
	s32 *in, *out;

	in = kunit_kcalloc(test, rows, 2 * sizeof(*in), GFP_KERNEL);
	out = kunit_kcalloc(test, rows, sizeof(*out), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, in);
	KUNIT_ASSERT_NOT_NULL(test, out);
	e.app = lft_open(test, &lft_desc);
	KUNIT_ASSERT_EQ(test, lf_compiled_register(e.app, &slow), 0);
	KUNIT_ASSERT_EQ(test, lf_install_compiled(e.app, 0, "slow", NULL, NULL), 0);
	WRITE_ONCE(slow_began, false);
	INIT_WORK_ONSTACK(&e.work, evict_work);
	schedule_work(&e.work);
	KUNIT_EXPECT_EQ(test, lf_eval(e.app, 0, in, out, rows, &err), -ESTALE);
	KUNIT_EXPECT_GT(test, strlen(err.msg), 10);
	flush_work(&e.work);
	destroy_work_on_stack(&e.work);
	KUNIT_EXPECT_EQ(test, e.ret, 0);
	KUNIT_EXPECT_EQ(test, out[0], 1);
	KUNIT_EXPECT_EQ(test, out[rows - 1], 0);
	KUNIT_EXPECT_EQ(test, lft_live(test), 0);
	lf_compiled_unregister(&slow);
}

/* The work that a compiled model says it is counts; none is as much as the least. */
static void lf_test_eval_compiled(struct kunit *test)
{
	struct lf_compiled_model big = LFT_COMPILED("big", 1, lft_run_7);
	struct lf_compiled_model free = LFT_COMPILED("free", 2, lft_run_7);
	struct lf_app *app = lft_open(test, &lft_desc);
	s32 in[8] = {}, out[4] = {};
	struct lf_error err;

	big.macs = LF_MAX_EVAL_MACS / 3;
	app->limits.max_macs = big.macs;
	free.macs = 0;
	KUNIT_ASSERT_EQ(test, lf_compiled_register(app, &big), 0);
	KUNIT_ASSERT_EQ(test, lf_compiled_register(app, &free), 0);
	KUNIT_ASSERT_EQ(test, lf_install_compiled(app, 0, "big", NULL, &err), 0);
	KUNIT_ASSERT_EQ(test, lf_install_compiled(app, 1, "free", NULL, &err), 0);
	LFT_REFUSED(test, lf_eval(app, 0, in, out, 4, &err), &err, -E2BIG);
	KUNIT_EXPECT_EQ(test, out[0], 0);
	KUNIT_EXPECT_EQ(test, lf_eval(app, 0, in, out, 3, &err), 0);
	KUNIT_EXPECT_EQ(test, out[2], 7);
	LFT_REFUSED(test, lf_eval(app, 1, in, out, LF_MAX_EVAL_MACS + 1, &err), &err, -E2BIG);
	/* what was refused holds nothing */
	KUNIT_EXPECT_EQ(test, lf_remove(app, 0, 0, &err), 0);
	KUNIT_EXPECT_EQ(test, lft_live(test), 1);
	lf_compiled_unregister(&big);
	lf_compiled_unregister(&free);
}

/* A model knows its app: nobody can give a wrong one, nor one that is gone. */
static void lf_test_compiled_apps(struct kunit *test)
{
	struct lf_compiled_model sum = LFT_COMPILED("sum", 1, lft_run_sum);
	struct lf_app *app = lft_open(test, &lft_desc), *other;
	struct lf_app_desc desc = lft_desc;

	desc.name = "core-test-other";
	other = lf_app_register(&desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	KUNIT_EXPECT_EQ(test, lf_compiled_register(other, &sum), 0);
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &sum), -EEXIST);
	KUNIT_EXPECT_EQ(test, lf_install_compiled(app, 0, "sum", NULL, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, lf_install_compiled(other, 0, "sum", NULL, NULL), 0);
	lf_compiled_unregister(&sum);
	KUNIT_EXPECT_EQ(test, atomic_read(&other->snapshots), 0);
	/* free again, for another app */
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &sum), 0);
	lf_app_unregister(other);
	KUNIT_EXPECT_EQ(test, lf_install_compiled(app, 0, "sum", NULL, NULL), 0);
	lft_close(test);
	lf_compiled_unregister(&sum);
	lf_compiled_unregister(&sum);
}

static void lf_test_compiled(struct kunit *test)
{
	struct lf_compiled_model sum = LFT_COMPILED("sum", 1, lft_run_sum);
	struct lf_compiled_model seven = LFT_COMPILED("seven", 0, lft_run_7), bad;
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_snapshot_info info;
	struct lf_flow flow = {};
	char name[LITEFLOW_NAME_LEN];
	struct lf_error err;
	u32 key;

	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &sum), 0);
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &sum), -EEXIST);
	bad = (struct lf_compiled_model)LFT_COMPILED("sum", 2, lft_run_7);
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &bad), -EEXIST);
	bad = (struct lf_compiled_model)LFT_COMPILED("other", 1, lft_run_7);
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &bad), -EEXIST);
	bad = (struct lf_compiled_model)LFT_COMPILED("", 2, lft_run_7);
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &bad), -EINVAL);
	bad = (struct lf_compiled_model)LFT_COMPILED("other", 2, NULL);
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &bad), -EINVAL);
	bad.run = lft_run_7;
	bad.n_in = 3;
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &bad), -EINVAL);
	bad.n_in = 2;
	bad.macs = U32_MAX;
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &bad), -EINVAL);
	lf_compiled_unregister(&bad);
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &seven), 0);
	key = 0;
	KUNIT_EXPECT_TRUE(test, lf_compiled_next(app, &key, name, NULL));
	KUNIT_EXPECT_STREQ(test, name, "sum");
	key++;
	KUNIT_EXPECT_TRUE(test, lf_compiled_next(app, &key, name, NULL));
	KUNIT_EXPECT_STREQ(test, name, "seven");
	key++;
	KUNIT_EXPECT_FALSE(test, lf_compiled_next(app, &key, name, NULL));

	LFT_REFUSED(test, lf_install_compiled(app, 0, "eight", NULL, &err), &err, -ENOENT);
	KUNIT_EXPECT_EQ(test, lf_install_compiled(app, 0, "sum", NULL, &err), 0);
	KUNIT_EXPECT_EQ(test, lft_state(test, 0, &info), LF_SLOT_STANDBY);
	KUNIT_EXPECT_TRUE(test, info.compiled);
	KUNIT_EXPECT_STREQ(test, info.name, "sum");
	KUNIT_EXPECT_EQ(test, info.macs, 2);
	lft_activate(test, 0);
	LFT_REFUSED(test, lf_install_compiled(app, 0, "seven", NULL, &err), &err, -EBUSY);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow), -1);
	KUNIT_EXPECT_EQ(test, lf_install_compiled(app, 1, "seven", NULL, &err), 0);
	lft_activate(test, 1);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 7);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow), -1);

	/* withdrawn while active: the one before takes over, and then none */
	lf_compiled_unregister(&seven);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), -1);
	KUNIT_EXPECT_EQ(test, atomic_read(&app->snapshots), 1);
	lf_compiled_unregister(&sum);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), LFT_NO_MODEL);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow), LFT_NO_MODEL);
	KUNIT_EXPECT_EQ(test, atomic_read(&app->snapshots), 0);
	key = 0;
	KUNIT_EXPECT_FALSE(test, lf_compiled_next(app, &key, name, NULL));
	lf_flow_release(&flow);

	/* held by a flow alone, when app and model go, in this order */
	KUNIT_EXPECT_EQ(test, lf_compiled_register(app, &sum), 0);
	KUNIT_EXPECT_EQ(test, lf_install_compiled(app, 0, "sum", NULL, &err), 0);
	lft_activate(test, 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow), -1);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 0, LF_REMOVE_FORCE, &err), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, &flow), -1);
	lft_close(test);
	lf_compiled_unregister(&sum);
	lf_flow_release(&flow);
}

static struct kunit_case lf_query_cases[] = {
	KUNIT_CASE(lf_test_sizes),
	KUNIT_CASE(lf_test_context),
	KUNIT_CASE(lf_test_wide),
	KUNIT_CASE(lf_test_sampling),
	KUNIT_CASE(lf_test_eval),
	KUNIT_CASE(lf_test_eval_evicted),
	KUNIT_CASE(lf_test_eval_compiled),
	KUNIT_CASE(lf_test_compiled_apps),
	KUNIT_CASE(lf_test_compiled),
	{}
};

static struct kunit_suite lf_query_suite = {
	.name = "liteflow_query",
	.init = lft_init,
	.exit = lft_exit,
	.test_cases = lf_query_cases,
};

kunit_test_suite(lf_query_suite);
