// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's traffic generator, for demonstrations.
 *
 * It stands for a congestion control: each flow has ten intervals of three
 * values in thousandths, oldest first, namely how fast the latency rises, how
 * it compares with the lowest one, and how the sending rate compares with the
 * rate of arrival. A queue that fills and drains at random moves them. Whatever
 * the model answers is taken for a change of the rate.
 */
#define pr_fmt(fmt) "lf_torture: " fmt

#include <linux/capability.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "torture.h"

#define LFT_HISTORY	10
#define LFT_VALUES	3
#define LFT_DEMO_IN	(LFT_HISTORY * LFT_VALUES)
#define LFT_MOST_FLOWS	1000000U
/* Queries without a rest, should the machine be too slow for lft_hz. */
#define LFT_BURST	1000U

/**
 * struct lft_stream - a flow of the generator
 * @flow: what ties it to its model
 * @end: when it ends, in jiffies
 * @rate: thousandths of the capacity
 * @queue: delay of the queue, thousandths of the lowest latency
 * @in: the last LFT_HISTORY intervals
 */
struct lft_stream {
	struct lf_flow flow;
	unsigned long end;
	s32 rate;
	s32 queue;
	s32 in[LFT_DEMO_IN];
};

static struct lf_app *lft_app;
static struct task_struct *lft_task;
static struct lft_stream *lft_streams;
static struct rnd_state lft_rnd;

/* Written by the thread alone. */
static unsigned long lft_answered;
static unsigned long lft_refused;
static unsigned long lft_begun;

static void lft_begin_stream(struct lft_stream *s)
{
	unsigned int i;

	lf_flow_release(&s->flow);
	memset(s, 0, sizeof(*s));
	WRITE_ONCE(lft_begun, lft_begun + 1);
	s->flow.id = lft_begun;
	/* Not all at once. */
	s->end = jiffies + msecs_to_jiffies(lft_flow_ms / 2 +
					    prandom_u32_state(&lft_rnd) % (lft_flow_ms + 1));
	s->rate = 500 + prandom_u32_state(&lft_rnd) % 500;
	for (i = 0; i < LFT_DEMO_IN; i++)
		s->in[i] = i % LFT_VALUES ? 1000 : 0;
}

/* One more interval: what does not go through at once waits in the queue. */
static void lft_step(struct lft_stream *s)
{
	s32 capacity = 900 + prandom_u32_state(&lft_rnd) % 200;
	s32 queue = clamp(s->queue + (s->rate - capacity) / 4, 0, 4000);
	s32 *in = s->in;

	memmove(in, in + LFT_VALUES, (LFT_DEMO_IN - LFT_VALUES) * sizeof(*in));
	in += LFT_DEMO_IN - LFT_VALUES;
	in[0] = queue - s->queue;
	in[1] = 1000 + queue;
	in[2] = queue ? max(1000, s->rate * 1000 / capacity) : 1000;
	s->queue = queue;
}

/* 25 thousandths per 1000 of the answer, as Aurora's users do it. */
static void lft_change_rate(struct lft_stream *s, s32 out)
{
	s32 step = clamp(out, -4000, 4000) / 40;

	if (step >= 0)
		s->rate = clamp(s->rate * (1000 + step) / 1000, 10, 2000);
	else
		s->rate = clamp(s->rate * 1000 / (1000 - step), 10, 2000);
}

static void lft_stream_ask(struct lft_stream *s)
{
	u32 seq;
	s32 out;

	if (!s->flow.id || (lft_flow_ms && time_after(jiffies, s->end)))
		lft_begin_stream(s);
	lft_step(s);
	seq = s->flow.seq;
	if (lf_query(lft_app, &s->flow, s->in, ARRAY_SIZE(s->in), &out, 1)) {
		WRITE_ONCE(lft_refused, lft_refused + 1);
		return;
	}
	WRITE_ONCE(lft_answered, lft_answered + 1);
	lft_change_rate(s, out);
	/* As Aurora's: throughput is good, waiting is bad. */
	lf_reward(lft_app, &s->flow, seq, 10 * s->rate - 5 * s->queue);
}

/* Queries that should have been by now. */
static u64 lft_due(ktime_t begin)
{
	return mul_u64_u32_div(ktime_us_delta(ktime_get(), begin), lft_hz, USEC_PER_SEC);
}

static int lft_flows_thread(void *unused)
{
	ktime_t begin = ktime_get();
	unsigned int next = 0, n;
	u64 done = 0, due;

	while (!kthread_should_stop()) {
		due = lft_due(begin);
		for (n = 0; done < due && n < LFT_BURST; n++, done++) {
			lft_stream_ask(&lft_streams[next]);
			next = (next + 1) % lft_flow_count;
		}
		/* Too slow: forget what was missed. */
		if (done < due)
			done = due;
		cond_resched();
		schedule_timeout_interruptible(1);
	}
	for (n = 0; n < lft_flow_count; n++)
		lf_flow_release(&lft_streams[n].flow);
	return 0;
}

static int lft_flows_start(void)
{
	const struct lf_app_desc desc = {
		.name		= lft_app_name,
		.n_in		= LFT_DEMO_IN,
		.n_out		= 1,
		.context	= LF_CONTEXT_SOFTIRQ,
		.policy		= LF_POLICY_PIN,
		.capability	= CAP_NET_ADMIN,
		.units		= "demo",
		.owner		= THIS_MODULE,
	};
	int err;

	if (!lft_flow_count || lft_flow_count > LFT_MOST_FLOWS) {
		pr_err("flows=%u: give 1 to %u\n", lft_flow_count, LFT_MOST_FLOWS);
		return -EINVAL;
	}
	prandom_seed_state(&lft_rnd, get_random_u64());
	lft_streams = kvcalloc(lft_flow_count, sizeof(*lft_streams), GFP_KERNEL);
	if (!lft_streams)
		return -ENOMEM;
	lft_app = lf_app_register(&desc);
	err = PTR_ERR_OR_ZERO(lft_app);
	if (err)
		goto free;
	lft_task = kthread_run(lft_flows_thread, NULL, "lf_torture_flows");
	err = PTR_ERR_OR_ZERO(lft_task);
	if (!err)
		return 0;
	lf_app_unregister(lft_app);
free:
	kvfree(lft_streams);
	return err;
}

static void lft_flows_stop(void)
{
	kthread_stop(lft_task);
	lf_app_unregister(lft_app);
	kvfree(lft_streams);
}

static int lft_flows_show(char *buf, size_t size)
{
	/* The thread counts on. */
	return scnprintf(buf, size, "state running\nanswers %lu\nempty %lu\nflows_begun %lu\n",
			 READ_ONCE(lft_answered), READ_ONCE(lft_refused), READ_ONCE(lft_begun));
}

const struct lft_job lft_flows_job = {
	.name	= "flows",
	.start	= lft_flows_start,
	.stop	= lft_flows_stop,
	.show	= lft_flows_show,
};
