/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit tests of the congestion control "liteflow" share: a flow, and
 * packets that are sent evenly.
 */
#ifndef _TCP_LITEFLOW_TEST_H
#define _TCP_LITEFLOW_TEST_H

#include <kunit/test.h>
#include <linux/string.h>

#include "tcp_liteflow_law.h"
#include "tcp_liteflow_parts.h"

#define TLT_RTT		20000		/* us */
#define TLT_RATE	1448000		/* bytes per second: a packet each ms */
#define TLT_LATE	(2 * TLT_RTT)	/* RTT where somebody fills the queue */

/**
 * struct tlt - a flow under test
 * @hot: the flow
 * @flow: its other half
 * @ack: the last ACK
 * @sent_us: the last packet was sent then
 * @rule: what is done with answers
 */
struct tlt {
	struct tlf_hot hot;
	struct tlf_flow flow;
	struct tlf_ack ack;
	u32 sent_us;
	enum tlf_rule rule;
};

/* Cruising at once, at the rate that it has. */
static inline void tlt_begin_at(struct tlt *t, u32 now_us, u32 delivered, u32 lost)
{
	u32 rtt_us = t->flow.rtt_us;
	u64 rate = t->hot.rate;

	t->ack = (struct tlf_ack) {
		.now_us = now_us, .sent_us = now_us, .rtt_us = -1, .delivered = delivered,
		.lost = lost, .mss = 1448,
	};
	t->sent_us = now_us;
	tlf_init(&t->hot, &t->flow, &t->ack, rtt_us, 10);
	t->hot.mode = TLF_CRUISE;
	t->hot.rate = rate;
}

static inline struct tlt *tlt_flow(struct kunit *test, u64 rate, u32 rtt_us)
{
	struct tlt *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->hot.rate = rate;
	t->flow.rtt_us = rtt_us;
	tlt_begin_at(t, 1000000, 0, 0);
	return t;
}

/* @n packets; how often the model was to be asked */
static inline unsigned int tlt_send(struct tlt *t, unsigned int n, u32 gap_us, u32 rtt_us)
{
	unsigned int asked = 0;

	while (n--) {
		t->sent_us += gap_us;
		t->ack.sent_us = t->sent_us;
		t->ack.now_us = t->sent_us + rtt_us;
		t->ack.rtt_us = rtt_us;
		t->ack.delivered++;
		asked += tlf_on_ack(&t->hot, &t->flow, &t->ack, t->rule);
	}
	return asked;
}

/* The interval under way ends, and the next begins. */
static inline void tlt_end_interval(struct tlt *t)
{
	u32 intervals = t->flow.intervals;
	unsigned int i;

	for (i = 0; i < 100000 && t->flow.intervals == intervals; i++)
		tlt_send(t, 1, 1000, t->ack.rtt_us > 0 ? t->ack.rtt_us : 20000);
}

static inline const s16 *tlt_newest(const struct tlt *t)
{
	return t->flow.history[(t->flow.next + TLF_HISTORY - 1) % TLF_HISTORY];
}

/* @n intervals of ten packets, the path has TLT_RTT; how often it was to be asked */
static inline unsigned int tlt_intervals(struct tlt *t, unsigned int n, u32 rtt_us)
{
	return tlt_send(t, 10 * n, 1000, rtt_us);
}

/* A new interval has begun, with nothing lost so far. */
static inline struct tlt *tlt_cruising(struct kunit *test)
{
	struct tlt *t = tlt_flow(test, TLT_RATE, TLT_RTT);

	tlt_intervals(t, 3, TLT_RTT);
	tlt_end_interval(t);
	KUNIT_ASSERT_EQ(test, t->hot.mode, TLF_CRUISE);
	KUNIT_ASSERT_EQ(test, t->hot.min_rtt_us, TLT_RTT);
	return t;
}

#endif /* _TCP_LITEFLOW_TEST_H */
