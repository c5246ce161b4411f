// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of LiteFlow's records.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/liteflow_record.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "../internal.h"

#define N_IN	3
#define N_OUT	2
#define SIZE	LITEFLOW_RECORD_SIZE(N_IN, N_OUT)
#define PLACE	(SIZE + sizeof(unsigned long))
#define PLACES	64		/* of one CPU */
#define NEVER	(60 * 1000)	/* ms; the interval when stopping is to deliver */

/**
 * struct reader - what deliver() got
 * @test: the test
 * @app: a bare app: records need no more of it
 * @got: the records
 * @max: room in @got, records
 * @n: records in @got
 * @calls: of deliver()
 * @lost: as the last call said
 * @refuse: records of the next call that it does not take
 * @stopped: no more calls are allowed
 */
struct reader {
	struct kunit *test;
	struct lf_app *app;
	u8 *got;
	unsigned int max;
	unsigned int n;
	unsigned int calls;
	u64 lost;
	unsigned int refuse;
	bool stopped;
};

static unsigned int deliver(void *priv, const struct lf_app *app, const void *records,
			    unsigned int n, u64 lost)
{
	struct reader *r = priv;
	unsigned int refused = min(r->refuse, n);

	KUNIT_EXPECT_FALSE(r->test, READ_ONCE(r->stopped));
	KUNIT_EXPECT_PTR_EQ(r->test, app, (const struct lf_app *)r->app);
	KUNIT_EXPECT_GE(r->test, lost, r->lost);
	KUNIT_EXPECT_LE(r->test, r->n + n - refused, r->max);
	if (r->n + n - refused <= r->max && n > refused)
		memcpy(r->got + r->n * SIZE, records, (n - refused) * SIZE);
	r->lost = lost;
	r->n += n - refused;
	r->refuse -= refused;
	WRITE_ONCE(r->calls, r->calls + 1);
	return refused;
}

static const struct liteflow_record *got(const struct reader *r, unsigned int i)
{
	return (const void *)(r->got + i * SIZE);
}

static struct reader *reader_new(struct kunit *test, unsigned int max)
{
	struct reader *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	r->app = kunit_kzalloc(test, sizeof(*r->app), GFP_KERNEL);
	r->got = kunit_kzalloc(test, max * SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r->app);
	KUNIT_ASSERT_NOT_NULL(test, r->got);
	r->test = test;
	r->max = max;
	strscpy(r->app->name, "kunit");
	mutex_init(&r->app->collect_mutex);
	r->app->n_in = N_IN;
	r->app->n_out = N_OUT;
	return r;
}

/* Rings of PLACES records. */
static int start(struct reader *r, u32 every, u32 interval_ms, struct lf_error *err)
{
	const struct lf_collect_desc desc = {
		.every = every,
		.bytes = num_online_cpus() * PLACES * PLACE,
		.interval_ms = interval_ms,
		.deliver = deliver,
		.priv = r,
	};

	return lf_collect_start(r->app, &desc, err);
}

/* Query number @i of @flow, with inputs and outputs that show it. */
static void ask(struct reader *r, struct lf_flow *flow, unsigned int i)
{
	const s32 in[N_IN] = { i, -i, i + 7 };
	const s32 out[N_OUT] = { 2 * i, -3 * i };

	if (flow) {
		flow->seq++;
		flow->version = 5;
	}
	rcu_read_lock();
	lf_collect_query(r->app, flow, 5, i, in, out);
	rcu_read_unlock();
}

static void expect_query(struct kunit *test, const struct liteflow_record *rec, u64 flow, u32 seq,
			 s32 i)
{
	KUNIT_EXPECT_EQ(test, rec->flow, flow);
	KUNIT_EXPECT_EQ(test, rec->seq, seq);
	KUNIT_EXPECT_EQ(test, rec->version, 5);
	KUNIT_EXPECT_EQ(test, rec->kind, LITEFLOW_RECORD_QUERY);
	KUNIT_EXPECT_EQ(test, rec->reward, 0);
	KUNIT_EXPECT_EQ(test, rec->values[0], i);
	KUNIT_EXPECT_EQ(test, rec->values[1], -i);
	KUNIT_EXPECT_EQ(test, rec->values[2], i + 7);
	KUNIT_EXPECT_EQ(test, rec->values[N_IN], 2 * i);
	KUNIT_EXPECT_EQ(test, rec->values[N_IN + 1], -3 * i);
}

static void test_layout(struct kunit *test)
{
	static const struct lf_app odd = { .n_in = 2, .n_out = 1 };
	static const struct lf_app even = { .n_in = 30, .n_out = 2 };

	KUNIT_EXPECT_EQ(test, sizeof(struct liteflow_record), 32);
	KUNIT_EXPECT_EQ(test, lf_record_size(&odd), 48);
	KUNIT_EXPECT_EQ(test, lf_record_size(&even), 32 + 4 * 32);
}

static void test_nobody_reads(struct kunit *test)
{
	struct reader *r = reader_new(test, 1);
	struct lf_flow flow = {};

	ask(r, &flow, 0);
	lf_reward(r->app, &flow, 0, 1);
	lf_reward(r->app, NULL, 0, 1);
	lf_collect_stop(r->app, r);
	lf_collect_stop(r->app, NULL);
	KUNIT_EXPECT_EQ(test, r->calls, 0);
}

static void test_order(struct kunit *test)
{
	struct reader *r = reader_new(test, PLACES);
	struct lf_flow flow = { .id = 0x123456789abcULL };
	struct lf_error err = {};
	unsigned int i;
	u64 before = ktime_get_mono_fast_ns();

	KUNIT_ASSERT_EQ(test, start(r, 1, NEVER, &err), 0);
	for (i = 0; i < 20; i++)
		ask(r, &flow, i);
	ask(r, NULL, 20);
	lf_collect_stop(r->app, r);
	KUNIT_ASSERT_EQ(test, r->n, 21);
	KUNIT_EXPECT_EQ(test, r->lost, 0);
	for (i = 0; i < 20; i++) {
		expect_query(test, got(r, i), flow.id, i, i);
		KUNIT_EXPECT_GE(test, got(r, i)->time_ns, before);
		before = got(r, i)->time_ns;
	}
	expect_query(test, got(r, 20), 0, 0, 20);
}

/* More than the ring takes: what comes is the beginning, the rest is counted. */
static void test_overflow(struct kunit *test)
{
	struct reader *r = reader_new(test, 2 * PLACES);
	struct lf_flow flow = { .id = 1 };
	struct lf_error err = {};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, start(r, 1, NEVER, &err), 0);
	/* nothing drains meanwhile, and it stays on one ring */
	preempt_disable();
	local_irq_disable();
	for (i = 0; i < PLACES + 37; i++)
		ask(r, &flow, i);
	local_irq_enable();
	preempt_enable();
	lf_collect_stop(r->app, r);
	KUNIT_ASSERT_EQ(test, r->n, PLACES);
	KUNIT_EXPECT_EQ(test, r->lost, 37);
	for (i = 0; i < PLACES; i++)
		expect_query(test, got(r, i), 1, i, i);
}

/* The ring goes round: many times its size, delivered in between. */
static void test_wrap(struct kunit *test)
{
	const unsigned int total = 10 * PLACES;
	struct reader *r = reader_new(test, total);
	struct lf_flow flow = { .id = 1 };
	struct lf_error err = {};
	unsigned int i, patience;

	KUNIT_ASSERT_EQ(test, start(r, 1, 1, &err), 0);
	for (i = 0; i < total; i++) {
		ask(r, &flow, i);
		if (i % 29)
			continue;
		for (patience = 0; patience < 1000 && READ_ONCE(r->n) <= i; patience++)
			fsleep(1000);
	}
	lf_collect_stop(r->app, r);
	KUNIT_ASSERT_EQ(test, r->n, total);
	KUNIT_EXPECT_EQ(test, r->lost, 0);
	for (i = 0; i < total; i++)
		expect_query(test, got(r, i), 1, i, i);
}

/* Half full: delivered long before the interval is over. */
static void test_half_full(struct kunit *test)
{
	/* all that is asked may come at once, where the worker has to wait */
	struct reader *r = reader_new(test, num_online_cpus() * PLACES);
	struct lf_error err = {};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, start(r, 1, NEVER, &err), 0);
	for (i = 0; i < PLACES / 2 - 2; i++)
		ask(r, NULL, i);
	msleep(50);
	/* on any number of CPUs, no ring is half full yet */
	KUNIT_EXPECT_EQ(test, READ_ONCE(r->calls), 0);
	for (; i < num_online_cpus() * PLACES; i++) {
		ask(r, NULL, i);
		if (i == PLACES / 2)
			msleep(50);
		if (READ_ONCE(r->calls))
			break;
	}
	for (i = 0; i < 2000 && !READ_ONCE(r->calls); i++)
		fsleep(1000);
	KUNIT_EXPECT_GT(test, READ_ONCE(r->calls), 0);
	lf_collect_stop(r->app, r);
}

/* Without a flow, by the number of the query. */
static void test_sampling(struct kunit *test)
{
	struct reader *r = reader_new(test, PLACES);
	struct lf_error err = {};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, start(r, 8, NEVER, &err), 0);
	for (i = 1; i <= 100; i++)
		ask(r, NULL, i);
	lf_collect_stop(r->app, r);
	KUNIT_ASSERT_EQ(test, r->n, 12);
	KUNIT_EXPECT_EQ(test, r->lost, 0);
	for (i = 0; i < 12; i++)
		expect_query(test, got(r, i), 0, 0, 8 * (i + 1));
}

/* With one, by the flow's own count; rewards are chosen as their queries are. */
static void test_sampling_flows(struct kunit *test)
{
	struct reader *r = reader_new(test, 16 * PLACES);
	unsigned int i, k, first = 0;
	struct lf_error err = {};
	u32 seq;

	for (k = 0; k < 16; k++) {
		struct lf_flow flow = { .id = 1000 + k };

		r->n = 0;
		KUNIT_ASSERT_EQ(test, start(r, 8, NEVER, &err), 0);
		for (i = 0; i < 80; i++) {
			ask(r, &flow, i);
			lf_reward(r->app, &flow, i, i);
		}
		lf_collect_stop(r->app, r);
		KUNIT_EXPECT_EQ(test, r->lost, 0);
		KUNIT_ASSERT_EQ(test, r->n, 20);
		seq = got(r, 0)->seq;
		KUNIT_EXPECT_LT(test, seq, 8);
		first |= BIT(seq);
		for (i = 0; i < 10; i++) {
			expect_query(test, got(r, 2 * i), flow.id, seq + 8 * i, seq + 8 * i);
			KUNIT_EXPECT_EQ(test, got(r, 2 * i + 1)->kind, LITEFLOW_RECORD_REWARD);
			KUNIT_EXPECT_EQ(test, got(r, 2 * i + 1)->seq, seq + 8 * i);
			KUNIT_EXPECT_EQ(test, got(r, 2 * i + 1)->reward, seq + 8 * i);
		}
	}
	/* flows that began together are not recorded together */
	KUNIT_EXPECT_GT(test, hweight32(first), 3);
}

/* Rewards of every other query, out of order: the reader finds their queries. */
static void test_reward(struct kunit *test)
{
	struct reader *r = reader_new(test, PLACES);
	struct lf_flow flows[2] = { { .id = 77 }, { .id = 78 } };
	struct lf_error err = {};
	unsigned int i, k, joined = 0;

	KUNIT_ASSERT_EQ(test, start(r, 1, NEVER, &err), 0);
	for (i = 0; i < 20; i++)
		ask(r, &flows[i & 1], i);
	for (i = 20; i > 0; i -= 2)
		lf_reward(r->app, &flows[i / 2 & 1], (i - 1) / 2, -(int)i);
	lf_reward(r->app, NULL, 0, 1);
	lf_collect_stop(r->app, r);
	KUNIT_ASSERT_EQ(test, r->n, 30);
	for (i = 20; i < 30; i++) {
		const struct liteflow_record *rew = got(r, i);

		KUNIT_EXPECT_EQ(test, rew->kind, LITEFLOW_RECORD_REWARD);
		KUNIT_EXPECT_EQ(test, rew->version, 5);
		for (k = 0; k < N_IN + N_OUT; k++)
			KUNIT_EXPECT_EQ(test, rew->values[k], 0);
		for (k = 0; k < 20; k++) {
			const struct liteflow_record *rec = got(r, k);

			if (rec->flow != rew->flow || rec->seq != rew->seq)
				continue;
			KUNIT_EXPECT_EQ(test, rew->seq, (-rew->reward - 1) / 2);
			joined++;
		}
	}
	KUNIT_EXPECT_EQ(test, joined, 10);
}

/* A ring is memory that held something else: its padding must not tell. */
static void test_padding(struct kunit *test)
{
	struct reader *r = reader_new(test, PLACES);
	struct lf_error err = {};
	unsigned int i;

	static_assert(SIZE - sizeof(struct liteflow_record) == 4 * (N_IN + N_OUT + 1));
	KUNIT_ASSERT_EQ(test, start(r, 1, NEVER, &err), 0);
	memset(r->got, 0xa5, PLACES * SIZE);
	for (i = 0; i < 10; i++)
		ask(r, NULL, i);
	lf_collect_stop(r->app, r);
	KUNIT_ASSERT_EQ(test, r->n, 10);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, got(r, i)->values[N_IN + N_OUT], 0);
}

/* What deliver() does not take is told with the next delivery, once. */
static void test_refused(struct kunit *test)
{
	struct reader *r = reader_new(test, PLACES);
	struct lf_error err = {};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, start(r, 1, NEVER, &err), 0);
	r->refuse = 9;
	for (i = 0; i < 10; i++)
		ask(r, NULL, i);
	lf_collect_stop(r->app, r);
	KUNIT_EXPECT_EQ(test, r->n, 1);
	KUNIT_EXPECT_EQ(test, r->lost, 9);
	KUNIT_EXPECT_EQ(test, r->calls, 2);
}

static void test_refusals(struct kunit *test)
{
	struct reader *r = reader_new(test, 1);
	struct reader *other = reader_new(test, 1);
	struct lf_collect_desc desc = {
		.every = 1,
		.bytes = num_online_cpus() * 7 * PLACE,
		.deliver = deliver,
		.priv = r,
	};
	struct lf_error err = {};

	KUNIT_EXPECT_EQ(test, lf_collect_start(r->app, &desc, &err), -EINVAL);
	KUNIT_EXPECT_NOT_NULL(test, strstr(err.msg, "too few"));
	KUNIT_EXPECT_EQ(test, start(r, 3, NEVER, &err), -EINVAL);
	KUNIT_EXPECT_NOT_NULL(test, strstr(err.msg, "power of two"));
	KUNIT_EXPECT_EQ(test, start(r, 0, NEVER, &err), -EINVAL);
	r->app->dead = true;
	KUNIT_EXPECT_EQ(test, start(r, 1, NEVER, &err), -ENODEV);
	KUNIT_EXPECT_NOT_NULL(test, strstr(err.msg, "removed"));
	r->app->dead = false;

	KUNIT_ASSERT_EQ(test, start(r, 1, NEVER, &err), 0);
	KUNIT_EXPECT_EQ(test, start(r, 1, NEVER, &err), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, strstr(err.msg, "reader"));
	/* somebody else's stop is none */
	lf_collect_stop(r->app, other);
	KUNIT_EXPECT_EQ(test, start(r, 1, NEVER, &err), -EBUSY);
	lf_collect_stop(r->app, NULL);
	KUNIT_EXPECT_EQ(test, start(r, 1, NEVER, &err), 0);
	lf_collect_stop(r->app, r);
}

struct producer {
	struct reader *reader;
	struct lf_flow flow;
};

static int produce(void *arg)
{
	struct producer *p = arg;

	while (!kthread_should_stop()) {
		ask(p->reader, &p->flow, p->flow.seq);
		lf_reward(p->reader->app, &p->flow, p->flow.seq - 1, 1);
		if (!(p->flow.seq % 16))
			cond_resched();
		if (!(p->flow.seq % 128))
			usleep_range(50, 100);
	}
	return 0;
}

#define PRODUCERS	3
#define ROUNDS		40

/* Each flow's records come in order, and no gap is left out of the count. */
static void check_round(struct kunit *test, const struct reader *r)
{
	s64 last[PRODUCERS] = { -1, -1, -1 };
	u64 gaps = 0;
	unsigned int i;

	for (i = 0; i < r->n; i++) {
		const struct liteflow_record *rec = got(r, i);
		s64 now = 2 * (s64)rec->seq + (rec->kind == LITEFLOW_RECORD_REWARD);

		KUNIT_ASSERT_LT(test, rec->flow, PRODUCERS);
		/* several CPUs have several rings */
		if (num_online_cpus() > 1)
			continue;
		KUNIT_EXPECT_GT(test, now, last[rec->flow]);
		if (last[rec->flow] >= 0)
			gaps += now - last[rec->flow] - 1;
		last[rec->flow] = now;
		if (rec->kind == LITEFLOW_RECORD_QUERY)
			expect_query(test, rec, rec->flow, rec->seq, rec->seq);
	}
	/* losses before a flow's first record and after its last are no gaps */
	KUNIT_EXPECT_LE(test, gaps, r->lost);
	if (!r->lost)
		KUNIT_EXPECT_EQ(test, gaps, 0);
}

static void test_stop_under_production(struct kunit *test)
{
	const unsigned int max = 20000;
	struct reader *r = reader_new(test, max);
	struct producer p[PRODUCERS] = {};
	struct task_struct *tasks[PRODUCERS];
	struct lf_error err = {};
	unsigned int i, round, calls, total = 0;

	for (i = 0; i < PRODUCERS; i++) {
		p[i].reader = r;
		p[i].flow.id = i;
		tasks[i] = kthread_run(produce, &p[i], "lf-kunit/%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(tasks[i]));
	}
	for (round = 0; round < ROUNDS; round++) {
		r->n = 0;
		r->lost = 0;
		WRITE_ONCE(r->stopped, false);
		KUNIT_EXPECT_EQ(test, start(r, 1, 1, &err), 0);
		msleep(round % 7);
		lf_collect_stop(r->app, r);
		WRITE_ONCE(r->stopped, true);
		calls = READ_ONCE(r->calls);
		fsleep(2000);
		KUNIT_EXPECT_EQ(test, READ_ONCE(r->calls), calls);
		total += r->n;
		if (r->n <= max)
			check_round(test, r);
	}
	for (i = 0; i < PRODUCERS; i++)
		kthread_stop(tasks[i]);
	KUNIT_EXPECT_GT(test, total, ROUNDS);
}

static struct kunit_case collect_cases[] = {
	KUNIT_CASE(test_layout),
	KUNIT_CASE(test_nobody_reads),
	KUNIT_CASE(test_order),
	KUNIT_CASE(test_overflow),
	KUNIT_CASE(test_wrap),
	KUNIT_CASE(test_half_full),
	KUNIT_CASE(test_sampling),
	KUNIT_CASE(test_sampling_flows),
	KUNIT_CASE(test_reward),
	KUNIT_CASE(test_padding),
	KUNIT_CASE(test_refused),
	KUNIT_CASE(test_refusals),
	KUNIT_CASE(test_stop_under_production),
	{}
};

static struct kunit_suite collect_suite = {
	.name = "liteflow_collect",
	.test_cases = collect_cases,
};

kunit_test_suite(collect_suite);
