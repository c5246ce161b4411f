// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the control law of the congestion control "liteflow": what a flow
 * knows of its path, where delay varies by itself and packets are lost whatever the rate,
 * and how it finds out that there is more.
 */
#include "tcp_liteflow_test.h"

/* -- delay -------------------------------------------------------------------- */

/* @n packets a millisecond apart; their ACKs wait for the next multiple of @every_us. */
static void tlt_batches(struct tlt *t, unsigned int n, u32 every_us)
{
	while (n--) {
		t->sent_us += 1000;
		t->ack.sent_us = t->sent_us;
		t->ack.now_us = roundup(t->sent_us + TLT_RTT, every_us);
		t->ack.rtt_us = t->ack.now_us - t->sent_us;
		t->ack.delivered++;
		tlf_on_ack(&t->hot, &t->flow, &t->ack, t->rule);
	}
}

/* A batch is no sign of more capacity, and those that wait for it are no queue. */
static void tlt_test_batches(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	unsigned int i;

	t->flow.full_bw = TLT_RATE;
	tlt_batches(t, 400, 20000);
	for (i = 0; i < 20; i++) {
		tlt_batches(t, 40, 20000);
		KUNIT_EXPECT_LE(test, tlf_bw_max(&t->flow), TLT_RATE * 12 / 10);
		KUNIT_EXPECT_GE(test, tlf_bw_max(&t->flow), TLT_RATE * 8 / 10);
		KUNIT_EXPECT_LE(test, tlt_newest(t)[1], TLF_ONE * 11 / 10);
	}
	/* 1.15 of the time between two */
	KUNIT_EXPECT_GE(test, t->hot.mi_len_us, 20000);
	KUNIT_EXPECT_LE(test, t->hot.mi_len_us, 30000);
}

/* Packets sent at once whose ACKs come at once: those that came 1 us before are no rate. */
static void tlt_test_at_once(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	unsigned int i, n;

	t->hot.rate = 4 * TLT_RATE;
	for (i = 0; i < 200; i++) {
		t->sent_us += 12500;
		for (n = 0; n < 5; n++) {
			t->ack.sent_us = t->sent_us;
			t->ack.now_us = t->sent_us + TLT_RTT + 20 * (i % 2);
			t->ack.rtt_us = TLT_RTT + 20 * (i % 2);
			t->ack.delivered += 10;
			tlf_on_ack(&t->hot, &t->flow, &t->ack, t->rule);
		}
		/* 4 packets a millisecond; an interval is half an RTT at least, and so is a rate */
		KUNIT_EXPECT_LE(test, t->flow.bw, 50 * 4 * TLT_RATE);
		KUNIT_EXPECT_GT(test, t->flow.bw, 0);
		t->hot.rate = 4 * TLT_RATE;
	}
	KUNIT_EXPECT_GE(test, t->flow.bw, 3 * TLT_RATE);
	KUNIT_EXPECT_LE(test, t->flow.bw, 5 * TLT_RATE);
}

/* The deviation of the RTT, and an interval of four. */
static void tlt_test_spread(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	unsigned int i;

	KUNIT_EXPECT_LT(test, t->flow.spread_us, 100);
	for (i = 0; i < 400; i++)
		tlt_send(t, 1, 1000, i % 2 ? TLT_RTT : TLT_RTT + 10000);
	KUNIT_EXPECT_GE(test, t->flow.spread_us, 4900);
	KUNIT_EXPECT_LE(test, t->flow.spread_us, 5200);
	KUNIT_EXPECT_GE(test, t->hot.mi_len_us, TLF_SPREADS * 4900);
	/* what is late is no queue */
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[1], TLF_ONE);

	/* of hours nothing overflows */
	for (i = 0; i < 100; i++)
		tlt_send(t, 1, 1000, i % 2 ? TLT_RTT : S32_MAX);
	KUNIT_EXPECT_LE(test, t->flow.spread_us, TLF_RTT_MAX_US);
	KUNIT_EXPECT_LE(test, t->hot.mi_len_us, TLF_MI_MAX_US);
}

/* While ACKs wait for a batch, more may be under way. */
static void tlt_test_window_of_batches(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	u32 bdp = tlf_bdp(TLT_RATE, TLT_RTT, 1448);

	t->flow.spread_us = TLT_RTT / TLF_SPREADS;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 0), 2 * bdp);
	/* a batch every 150 ms */
	t->flow.spread_us = 43300;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 0),
			bdp + tlf_bdp(TLT_RATE, 173200, 1448));
}

/* What a model wants less for @n intervals: the rate then, of 1000 */
static unsigned int tlt_wants_less(struct tlt *t, unsigned int n, u32 late_us)
{
	unsigned int i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < 40; j++)
			tlt_send(t, 1, 1000, TLT_RTT + (j % 4 ? late_us : late_us / 4));
		tlf_act(&t->hot, &t->flow, -TLF_ACTION_MAX, 1448, t->rule);
	}
	return div_u64(t->hot.rate * 1000, TLT_RATE);
}

/* Delay that varies is no reason to yield, one that stands is. */
static void tlt_test_least_clear(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);

	t->flow.full_bw = TLT_RATE;
	KUNIT_EXPECT_LE(test, tlt_wants_less(t, 3, 0), 900);

	t = tlt_cruising(test);
	t->flow.full_bw = TLT_RATE;
	tlt_wants_less(t, 1, 8000);
	t->hot.rate = TLT_RATE;
	KUNIT_EXPECT_GE(test, tlt_wants_less(t, 3, 8000), 800);
	KUNIT_EXPECT_LE(test, tlt_wants_less(t, 3, 100000), 760);

	/* Aurora's rule has none of that */
	t = tlt_cruising(test);
	t->rule = TLF_RULE_AURORA;
	tlt_wants_less(t, 1, 8000);
	t->hot.rate = TLT_RATE;
	KUNIT_EXPECT_LE(test, tlt_wants_less(t, 9, 8000), 700);
}

/* -- holding ------------------------------------------------------------------- */

#define TLT_QUEUE	4000		/* us: four packets, less than a quarter of TLT_RTT */

/* @n intervals in a queue, after each of which the model wants @action */
static void tlt_in_queue(struct tlt *t, unsigned int n, u32 gap_us, u32 late_us, s32 action)
{
	while (n--) {
		u32 intervals = t->flow.intervals;

		while (t->flow.intervals == intervals)
			tlt_send(t, 1, gap_us, TLT_RTT + late_us);
		tlf_act(&t->hot, &t->flow, action, 1448, t->rule);
	}
}

/* Two intervals in a queue, at what the path takes */
static struct tlt *tlt_queued(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);

	t->flow.full_bw = TLT_RATE;
	tlt_in_queue(t, 2, 1000, TLT_QUEUE, 0);
	return t;
}

static u32 tlt_window(const struct tlt *t)
{
	return tlf_cwnd(&t->hot, &t->flow, 1448, 0);
}

/* Where a queue stands, no more is under way than what the path holds, and a few packets. */
static void tlt_test_held_window(struct kunit *test)
{
	struct tlt *t = tlt_queued(test);
	u32 bdp = tlf_bdp(TLT_RATE, TLT_RTT, 1448), few = TLF_SLACK_PACKETS;

	KUNIT_EXPECT_EQ(test, tlt_window(t), bdp + few);
	/* those that are sent at once count, and those that an ACK tells of */
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 8), bdp + TLF_SLACK_PACKETS + 8);
	t->flow.per_ack = 5;
	KUNIT_EXPECT_EQ(test, tlt_window(t), bdp + TLF_SLACK_PACKETS + 8);
	t->flow.per_ack = 1;
	/* what is lost was under way as well */
	t->flow.loss = TLF_LOSS_ONE / 2;
	KUNIT_EXPECT_EQ(test, tlt_window(t), bdp + bdp / 2 + few);
	t->flow.loss = 0;
	/* one that is not alone may grow, if as little is a packet */
	t->flow.bw_max[0] = 8 * TLT_RATE;
	t->hot.rate = 8 * TLT_RATE;
	bdp = tlf_bdp(8 * TLT_RATE, TLT_RTT, 1448);
	KUNIT_ASSERT_GT(test, t->flow.shared, 0);
	KUNIT_EXPECT_EQ(test, tlt_window(t), bdp + bdp / 32 + few);
	t->flow.shared = 0;
	KUNIT_EXPECT_EQ(test, tlt_window(t), bdp + few);
	/* a queue that is gone holds nobody: there may be more. But two packets are none, too. */
	tlt_in_queue(t, 2, 1000, TLT_QUEUE, 0);
	tlt_in_queue(t, 2, 1000, 0, TLF_ACTION_ONE);
	KUNIT_EXPECT_TRUE(test, t->flow.held);
	tlt_in_queue(t, 1, 1000, 0, TLF_ACTION_ONE);
	KUNIT_EXPECT_FALSE(test, t->flow.held);
	bdp = tlf_bdp(t->hot.rate, TLT_RTT, 1448);
	KUNIT_EXPECT_EQ(test, tlt_window(t), 2 * bdp);
}

/* Where the delay is not the flow's own, or the queue is asked for, none of that. */
static void tlt_test_not_held(struct kunit *test)
{
	struct tlt *t = tlt_queued(test);

	KUNIT_EXPECT_TRUE(test, tlf_is_held(&t->hot, &t->flow, 1448));
	t->flow.keeps_queue = 1;
	KUNIT_EXPECT_FALSE(test, tlf_is_held(&t->hot, &t->flow, 1448));
	t->flow.keeps_queue = 0;
	t->flow.competing = 1;
	KUNIT_EXPECT_FALSE(test, tlf_is_held(&t->hot, &t->flow, 1448));
	t->flow.competing = 0;
	t->flow.spread_us = TLT_RTT / TLF_SPREADS;
	KUNIT_EXPECT_FALSE(test, tlf_is_held(&t->hot, &t->flow, 1448));
	t->flow.spread_us = 0;
	KUNIT_EXPECT_TRUE(test, tlf_is_held(&t->hot, &t->flow, 1448));
	/* too few packets in a round trip */
	t->flow.bw = TLT_RATE / 2;
	KUNIT_EXPECT_FALSE(test, tlf_is_held(&t->hot, &t->flow, 1448));
	/* a long queue is not made by a rate that is a little too high */
	t = tlt_queued(test);
	tlt_in_queue(t, 2, 1000, TLT_RTT / 3, 0);
	KUNIT_EXPECT_FALSE(test, t->flow.held);
	/* a timeout ends it */
	t = tlt_queued(test);
	KUNIT_EXPECT_TRUE(test, t->flow.held);
	tlf_on_timeout(&t->hot, &t->flow);
	KUNIT_EXPECT_FALSE(test, t->flow.held);
	/* Aurora's rule has no such thing */
	t = tlt_cruising(test);
	t->flow.full_bw = TLT_RATE;
	t->rule = TLF_RULE_AURORA;
	tlt_in_queue(t, 3, 1000, TLT_QUEUE, 0);
	KUNIT_EXPECT_FALSE(test, t->flow.held);
}

/* While the window holds the flow, its rate does not run away from what arrives. */
static void tlt_test_held_rate(struct kunit *test)
{
	struct tlt *t = tlt_queued(test);

	tlt_in_queue(t, 10, 1000, TLT_QUEUE, TLF_ACTION_MAX);
	KUNIT_EXPECT_GE(test, t->hot.rate, TLT_RATE);
	KUNIT_EXPECT_LE(test, t->hot.rate, TLT_RATE * 8 / 7);
}

/* What arrives from a queue is the path's capacity, if it is always the same. */
static void tlt_test_alone(struct kunit *test)
{
	struct tlt *t = tlt_queued(test);

	/* that has to be seen first */
	tlt_in_queue(t, 4, 1000, TLT_QUEUE, -TLF_ACTION_MAX);
	KUNIT_EXPECT_LE(test, t->hot.rate, TLT_RATE * 9 / 10);
	t->hot.rate = TLT_RATE;
	tlt_in_queue(t, 2 * 8, 1000, TLT_QUEUE, 0);
	t->hot.rate = TLT_RATE;
	tlt_in_queue(t, 8, 1000, TLT_QUEUE, -TLF_ACTION_MAX);
	KUNIT_EXPECT_GE(test, t->hot.rate, TLT_RATE * 98 / 100);
	/* somebody comes */
	tlt_in_queue(t, 4, 1200, TLT_QUEUE, -TLF_ACTION_MAX);
	KUNIT_EXPECT_LE(test, t->hot.rate, TLT_RATE * 8 / 10);
}

/* -- loss --------------------------------------------------------------------- */

/* Less was sent for 1000 packets, of which @lost did not arrive. */
static struct tlt *tlt_quiet(struct kunit *test, unsigned int lost)
{
	struct tlt *t = tlt_cruising(test);

	t->flow.full_bw = 100 * TLT_RATE;
	t->flow.startup_peak_us = 2 * TLT_RTT;
	t->flow.quiet = TLF_QUIET_ACKED;
	t->flow.quiet_delivered = t->hot.mi_delivered - (1000 - lost);
	t->flow.quiet_lost = t->hot.mi_lost - lost;
	t->flow.settled_us = t->hot.mi_sent_us;
	return t;
}

static s32 tlt_learns(struct tlt *t, bool queue)
{
	tlf_quiet_ends(&t->hot, &t->flow, queue, 1448);
	return t->flow.path_loss;
}

/* What is lost while less is sent, the path loses; but there must be evidence. */
static void tlt_test_path_loss(struct kunit *test)
{
	struct tlt *t = tlt_quiet(test, 50);
	s32 all = TLF_LOSS_ONE / 20;

	KUNIT_EXPECT_GE(test, tlt_learns(t, false), all * 9 / 10);
	KUNIT_EXPECT_LE(test, t->flow.path_loss, all);
	/* once */
	t->flow.path_loss = 0;
	KUNIT_EXPECT_EQ(test, tlt_learns(t, false), 0);
	/* a queue is there */
	KUNIT_EXPECT_EQ(test, tlt_learns(tlt_quiet(test, 50), true), 0);
	/* start-up has seen none: a policer, or a latecomer */
	t = tlt_quiet(test, 50);
	t->flow.startup_peak_us = TLT_RTT;
	KUNIT_EXPECT_EQ(test, tlt_learns(t, false), 0);
	/* ACKs do not tell of that time */
	t = tlt_quiet(test, 50);
	t->flow.quiet = TLF_QUIET_SENT;
	KUNIT_EXPECT_EQ(test, tlt_learns(t, false), 0);
	/* or it is long ago */
	t = tlt_quiet(test, 50);
	t->flow.settled_us -= 3 * TLT_RTT;
	KUNIT_EXPECT_EQ(test, tlt_learns(t, false), 0);
	/* no path loses more than an eighth */
	KUNIT_EXPECT_LE(test, tlt_learns(tlt_quiet(test, 900), false), TLF_LOSS_ONE / 8);
	/* nor as much, where few packets make up a round trip */
	t = tlt_quiet(test, 900);
	t->flow.full_bw = TLT_RATE / 5;
	KUNIT_EXPECT_LE(test, tlt_learns(t, false), TLF_LOSS_ONE / 8 / 64 * 5);
	/* counters that make no sense */
	t = tlt_quiet(test, 50);
	t->flow.quiet_delivered = t->hot.mi_delivered + 1;
	KUNIT_EXPECT_EQ(test, tlt_learns(t, false), 0);
}

/* Twice what the path loses is no loss, and a packet more is one. */
static void tlt_test_lost_beyond(struct kunit *test)
{
	struct tlf_interval mi = { .delivered = 900, .lost = 100 };
	struct tlt *t = tlt_flow(test, TLT_RATE, TLT_RTT);

	KUNIT_EXPECT_EQ(test, tlf_lost_beyond(&t->flow, &mi), 100);
	t->flow.path_loss = TLF_LOSS_ONE / 20;
	KUNIT_EXPECT_LE(test, tlf_lost_beyond(&t->flow, &mi), 1);
	mi.lost = 110;
	KUNIT_EXPECT_GE(test, tlf_lost_beyond(&t->flow, &mi), 8);
	mi.lost = 0;
	KUNIT_EXPECT_EQ(test, tlf_lost_beyond(&t->flow, &mi), 0);
	mi.delivered = 0;
	mi.lost = U32_MAX;
	KUNIT_EXPECT_GE(test, tlf_lost_beyond(&t->flow, &mi), U32_MAX / 4 * 3);
}

/* No model makes a flow grow that loses more than its path. */
static void tlt_test_no_growth(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	u64 rate = t->hot.rate;

	t->flow.loss = TLF_LOSS_ONE / 40;
	t->flow.lossless = 0;
	tlf_act(&t->hot, &t->flow, TLF_ACTION_MAX, 1448, t->rule);
	KUNIT_EXPECT_EQ(test, t->hot.rate, rate);
	tlf_act(&t->hot, &t->flow, -TLF_ACTION_ONE, 1448, t->rule);
	KUNIT_EXPECT_LT(test, t->hot.rate, rate);
	/* the path loses that */
	rate = t->hot.rate;
	t->flow.path_loss = TLF_LOSS_ONE / 100;
	tlf_act(&t->hot, &t->flow, TLF_ACTION_MAX, 1448, t->rule);
	KUNIT_EXPECT_GT(test, t->hot.rate, rate);
	/* or two intervals have lost nothing */
	t->flow.path_loss = 0;
	rate = t->hot.rate;
	t->flow.lossless = 2;
	tlf_act(&t->hot, &t->flow, TLF_ACTION_MAX, 1448, t->rule);
	KUNIT_EXPECT_GT(test, t->hot.rate, rate);
}

/* With a queue, to 15/16 of what arrives once in a round trip, and no less than Reno. */
static void tlt_test_answer_queue(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	unsigned int i;

	t->hot.rate = 100 * TLT_RATE;
	t->flow.bw = 100 * TLT_RATE;
	t->flow.loss = TLF_LOSS_ONE / 10;
	t->flow.answered_us = t->ack.now_us - TLT_RTT - 1;
	tlf_answer_queue(&t->hot, &t->flow, &t->ack);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 100 * TLT_RATE / 16 * 15);
	tlf_answer_queue(&t->hot, &t->flow, &t->ack);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 100 * TLT_RATE / 16 * 15);
	for (i = 0; i < 200; i++) {
		t->flow.bw = t->hot.rate;
		t->ack.now_us += TLT_RTT + 1;
		tlf_answer_queue(&t->hot, &t->flow, &t->ack);
	}
	/* sqrt(1.5 / 0.1) = 3.9 packets in a round trip, less 40 % for timeouts */
	KUNIT_EXPECT_GE(test, t->hot.rate, TLT_RATE * 39 / 200 * 55 / 100);
	KUNIT_EXPECT_LE(test, t->hot.rate, TLT_RATE * 39 / 200 * 62 / 100);
}

/* A burst that is much for the path: what is lost takes from the second half of the window. */
static void tlt_test_window_near(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	u32 bdp, whole;

	t->hot.rate = 100 * TLT_RATE;
	t->hot.min_rtt_us = 200;
	bdp = tlf_bdp(t->hot.rate, 200, 1448);
	whole = tlf_cwnd(&t->hot, &t->flow, 1448, 40);
	KUNIT_EXPECT_EQ(test, whole, 2 * bdp + 10);
	t->flow.loss = TLF_LOSS_ROOM / 2;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 40), bdp + (whole - bdp) / 2 + 1);
	t->flow.loss = TLF_LOSS_ONE / 200;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 40), bdp);
	t->flow.loss = TLF_LOSS_ONE / 10;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 40), bdp);
	/* the path loses that whatever the window */
	t->flow.path_loss = TLF_LOSS_ONE / 10;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 40), whole);
	t->flow.path_loss = 2 * TLF_LOSS_ONE / 10;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 40), whole);
	/* the burst is not much */
	t->flow.path_loss = 0;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, bdp / 2),
			2 * bdp + min(3 * (bdp / 2), 10U));
}

/* The window let nothing be sent, so an interval delivered next to nothing: half at most. */
static void tlt_test_answer_stalled(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);

	t->hot.rate = 100 * TLT_RATE;
	t->flow.bw = TLT_RATE;
	t->flow.loss = TLF_LOSS_ONE / 10;
	t->flow.answered_us = t->ack.now_us - TLT_RTT - 1;
	tlf_answer_queue(&t->hot, &t->flow, &t->ack);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 50 * TLT_RATE);
}

/* An interval that ends before its second half was sent: the RTT has risen all the same. */
static void tlt_test_rise_of_half(struct kunit *test)
{
	struct tlf_interval mi;
	struct tlt *t = tlt_cruising(test);

	t->flow.rtt_us = TLT_RTT;
	t->hot.rtt_n[0] = 4;
	t->hot.rtt_sum[0] = 4 * 3 * TLT_RTT;
	t->hot.rtt_n[1] = 0;
	t->hot.rtt_sum[1] = 0;
	tlf_measure(&t->hot, &t->flow, &mi);
	KUNIT_EXPECT_EQ(test, mi.rise_us, 2 * TLT_RTT);
	t->hot.rtt_n[1] = 4;
	t->hot.rtt_sum[1] = 4 * 2 * TLT_RTT;
	tlf_measure(&t->hot, &t->flow, &mi);
	KUNIT_EXPECT_EQ(test, mi.rise_us, -TLT_RTT);
}

/* Without one, a probe tells whether less helps. */
static void tlt_test_answer_probe(struct kunit *test)
{
	struct tlt *t = tlt_quiet(test, 10);

	t->flow.loss = TLF_LOSS_ONE / 10;
	t->flow.answered_us = t->ack.now_us - 9 * TLT_RTT;
	/* the average remembers a loss that is over */
	KUNIT_EXPECT_FALSE(test, tlf_answer_probe(&t->hot, &t->flow, &t->ack));
	t->flow.lossless = 1;
	KUNIT_EXPECT_TRUE(test, tlf_answer_probe(&t->hot, &t->flow, &t->ack));
	KUNIT_EXPECT_FALSE(test, tlf_answer_probe(&t->hot, &t->flow, &t->ack));
	/* nor before the model was asked some times, where intervals are long */
	t->ack.now_us += 9 * TLT_RTT;
	t->hot.mi_len_us = TLT_RTT;
	KUNIT_EXPECT_FALSE(test, tlf_answer_probe(&t->hot, &t->flow, &t->ack));
	/* a tenth of it: the rate was too high */
	tlt_learns(t, false);
	KUNIT_EXPECT_EQ(test, t->hot.rate, t->flow.answered_bw - t->flow.answered_bw / 8);

	/* as much as before: it is the path's */
	t = tlt_quiet(test, 100);
	t->flow.loss = TLF_LOSS_ONE / 10;
	t->flow.lossless = 0;
	t->flow.answered_us = t->ack.now_us - 9 * TLT_RTT;
	KUNIT_EXPECT_TRUE(test, tlf_answer_probe(&t->hot, &t->flow, &t->ack));
	tlt_learns(t, false);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE);
	KUNIT_EXPECT_FALSE(test, tlf_is_excess(&t->flow));
}

/* Start-up saw no queue, and half of it loses as much: what did it end for? */
static void tlt_test_start_again(struct kunit *test)
{
	static const struct {
		u32 lost, peak_us;
		u64 rate;
		bool queue, again;
	} cases[] = {
		{ 100, TLT_RTT, 10, false, true },
		/* it helps */
		{ 40, TLT_RTT, 10, false, false },
		{ 100, TLT_RTT, 10, true, false },
		/* start-up saw a queue */
		{ 100, 2 * TLT_RTT, 10, false, false },
		/* it may be one of many */
		{ 100, TLT_RTT, 1, false, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tlt *t = tlt_quiet(test, cases[i].lost);

		t->flow.startup_peak_us = cases[i].peak_us;
		t->flow.answered_loss = TLF_LOSS_ONE / 10;
		t->flow.answered_bw = TLT_RATE * cases[i].rate;
		KUNIT_EXPECT_EQ(test, cases[i].again,
				tlf_quiet_ends(&t->hot, &t->flow, cases[i].queue, 1448));
		/* once */
		KUNIT_EXPECT_FALSE(test, tlf_quiet_ends(&t->hot, &t->flow, false, 1448));
	}
}

/* A path that loses packets loses those that are sent again: a timeout tells nothing. */
static void tlt_test_timeout_of_lossy(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);

	t->flow.loss = TLF_LOSS_ONE / 20;
	t->flow.path_loss = TLF_LOSS_ONE / 20;
	tlf_on_timeout(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE);
	/* it loses more than that */
	t->flow.loss = TLF_LOSS_ONE / 8;
	tlf_on_timeout(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE / 2);
}

/* -- trials ------------------------------------------------------------------- */

#define TLT_FAR		100000		/* us: a hundred packets at TLT_RATE */
#define TLT_UNDERWAY	4096

/**
 * struct tlt_path - a path that is fed as the flow's pace says
 * @sent_us: packets under way were sent then
 * @ack_us: and their ACKs come then
 * @first: the oldest of them
 * @end: behind the newest
 * @next_us: the next is sent then
 * @free_us: the path has passed all that came so far
 */
struct tlt_path {
	u32 sent_us[TLT_UNDERWAY];
	u32 ack_us[TLT_UNDERWAY];
	u32 first;
	u32 end;
	u32 next_us;
	u32 free_us;
};

/* For @us, over a path that takes @rate. */
static void tlt_feed(struct tlt *t, struct tlt_path *p, u32 us, u64 rate)
{
	u32 i, end_us = p->next_us + us;

	while (!tlf_reached(p->next_us, end_us)) {
		i = p->first % TLT_UNDERWAY;
		if (p->first != p->end && tlf_reached(p->next_us, p->ack_us[i])) {
			t->ack.sent_us = p->sent_us[i];
			t->ack.now_us = p->ack_us[i];
			t->ack.rtt_us = p->ack_us[i] - p->sent_us[i];
			t->ack.delivered++;
			t->ack.inflight = p->end - ++p->first;
			tlf_on_ack(&t->hot, &t->flow, &t->ack, t->rule);
			continue;
		}
		i = p->end++ % TLT_UNDERWAY;
		if (tlf_reached(p->next_us, p->free_us))
			p->free_us = p->next_us;
		p->free_us += tlf_packets_us(1, t->ack.mss, rate);
		p->sent_us[i] = p->next_us;
		p->ack_us[i] = p->free_us + TLT_FAR;
		p->next_us += tlf_packets_us(1, t->ack.mss, tlf_pace(&t->hot, &t->flow));
	}
}

/* Start-up was a while ago, and filled a queue. */
static struct tlt *tlt_far(struct kunit *test, struct tlt_path **path)
{
	struct tlt *t = tlt_flow(test, TLT_RATE, TLT_FAR);

	*path = kunit_kzalloc(test, sizeof(**path), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *path);
	(*path)->next_us = t->ack.now_us;
	(*path)->free_us = t->ack.now_us;
	t->flow.full_bw = TLT_RATE;
	t->flow.startup_peak_us = 2 * TLT_FAR;
	t->flow.intervals = 40;
	return t;
}

/* Nobody asks a model: what a path takes more than before, only trials can find. */
static void tlt_test_trial(struct kunit *test)
{
	struct tlt_path *path;
	struct tlt *t = tlt_far(test, &path);
	unsigned int i, trials = 0;

	for (i = 0; i < 300; i++) {
		tlt_feed(t, path, 10000, TLT_RATE * 21 / 20);
		trials += t->flow.trial == TLF_TRIAL_SENT;
		KUNIT_ASSERT_EQ(test, t->hot.rate, TLT_RATE);
	}
	KUNIT_EXPECT_GT(test, trials, 10);
	/* 4 times as much: in a second, ten round trips */
	tlt_feed(t, path, 1000000, 4 * TLT_RATE);
	KUNIT_EXPECT_GT(test, t->hot.rate, 3 * TLT_RATE);
	KUNIT_EXPECT_LE(test, t->hot.rate, 4 * TLT_RATE);
}

/* Faster, slower, and neither more nor less than without. */
static void tlt_test_trial_pace(struct kunit *test)
{
	struct tlt_path *path;
	struct tlt *t = tlt_far(test, &path);
	u32 len_us;

	tlt_feed(t, path, 2 * TLT_FAR, 2 * TLT_RATE);
	t->flow.trial = TLF_NO_TRIAL;
	tlf_try(&t->hot, &t->flow, &t->ack, false);
	KUNIT_ASSERT_EQ(test, t->flow.trial, TLF_TRIAL_SENT);
	len_us = t->flow.trial_len_us;
	KUNIT_EXPECT_GE(test, len_us, TLT_FAR / 24);
	KUNIT_EXPECT_LE(test, len_us, TLT_FAR / 8);
	/* a decision does not change what was begun */
	t->hot.rate = 3 * TLT_RATE;
	t->hot.last_ack_us = t->flow.trial_us;
	KUNIT_EXPECT_EQ(test, tlf_pace(&t->hot, &t->flow), 2 * TLT_RATE);
	t->hot.last_ack_us = t->flow.trial_us + len_us;
	KUNIT_EXPECT_EQ(test, tlf_pace(&t->hot, &t->flow), TLT_RATE * 3 / 4);
	t->hot.last_ack_us = t->flow.trial_us + 5 * len_us;
	KUNIT_EXPECT_EQ(test, tlf_pace(&t->hot, &t->flow), 3 * TLT_RATE);
	/* RTTs of these packets tell nothing of a model's rate */
	KUNIT_EXPECT_FALSE(test, tlf_is_trial(&t->flow, t->flow.trial_us - 1));
	KUNIT_EXPECT_TRUE(test, tlf_is_trial(&t->flow, t->flow.trial_us));
	KUNIT_EXPECT_TRUE(test, tlf_is_trial(&t->flow, t->flow.trial_us + 5 * len_us - 1));
	KUNIT_EXPECT_FALSE(test, tlf_is_trial(&t->flow, t->flow.trial_us + 5 * len_us));
	/* an old one must not set the pace for ever */
	tlf_on_restart(&t->hot, &t->flow, t->ack.now_us + 1000000, 1000000);
	KUNIT_EXPECT_EQ(test, t->flow.trial, TLF_NO_TRIAL);
}

static bool tlt_tries(struct tlt *t)
{
	t->flow.trial = TLF_NO_TRIAL;
	tlf_try(&t->hot, &t->flow, &t->ack, false);
	return t->flow.trial == TLF_TRIAL_SENT;
}

/* Where a trial would tell nothing, or harm. */
static void tlt_test_no_trial(struct kunit *test)
{
	struct tlt_path *path;
	struct tlt *t = tlt_far(test, &path);

	tlt_feed(t, path, 2 * TLT_FAR, 2 * TLT_RATE);
	KUNIT_EXPECT_TRUE(test, tlt_tries(t));
	/* noise that is as long */
	t->flow.spread_us = t->flow.trial_len_us;
	KUNIT_EXPECT_FALSE(test, tlt_tries(t));
	t->flow.spread_us = 0;
	/* a policer: no queue ever */
	t->flow.startup_peak_us = TLT_FAR;
	KUNIT_EXPECT_FALSE(test, tlt_tries(t));
	t->flow.startup_peak_us = 2 * TLT_FAR;
	/* it is not the only one that fills the queue */
	t->flow.competing = 1;
	KUNIT_EXPECT_FALSE(test, tlt_tries(t));
	t->flow.competing = 0;
	/* loss of its own */
	t->flow.loss = TLF_LOSS_ONE / 10;
	t->flow.lossless = 0;
	KUNIT_EXPECT_FALSE(test, tlt_tries(t));
	t->flow.loss = 0;
	/* one of many: few packets in a round trip */
	t->hot.rate = TLT_RATE / 2;
	KUNIT_EXPECT_FALSE(test, tlt_tries(t));
	t->hot.rate = TLT_RATE;
	/* start-up has just looked */
	t->flow.intervals = 39;
	KUNIT_EXPECT_FALSE(test, tlt_tries(t));
	t->flow.intervals = 40;
	KUNIT_EXPECT_TRUE(test, tlt_tries(t));
}

/* The ACKs of a trial at TLT_RATE whose second half takes @late_us longer */
static u64 tlt_shown(struct tlt *t, u32 late_us, u32 lost, bool again)
{
	u32 i, len_us, n;
	u64 shown = 0;

	t->hot.rate = TLT_RATE;
	t->flow.trial = TLF_NO_TRIAL;
	tlf_try(&t->hot, &t->flow, &t->ack, again);
	len_us = t->flow.trial_len_us;
	n = len_us / 500;
	for (i = 0; i <= n; i++) {
		t->ack.sent_us = t->flow.trial_us + i * len_us / n;
		t->ack.rtt_us = TLT_FAR + (i >= n / 2 ? late_us : 0);
		shown = max(shown, tlf_trial_shows(&t->hot, &t->flow, &t->ack));
		t->hot.last_delivered++;
		t->hot.last_lost += i ? 0 : lost;
	}
	return shown;
}

static void tlt_test_trial_shows(struct kunit *test)
{
	struct tlt_path *path;
	struct tlt *t = tlt_far(test, &path);
	u32 len_us;

	tlt_feed(t, path, 2 * TLT_FAR, 2 * TLT_RATE);
	t->hot.min_rtt_us = TLT_FAR;
	KUNIT_EXPECT_EQ(test, tlt_shown(t, 0, 0, false), TLT_RATE * 15 / 8);
	KUNIT_EXPECT_EQ(test, t->flow.trial, TLF_TRIAL_JUDGED);
	len_us = t->flow.trial_len_us;
	/* a queue, even that of one of many flows */
	t->flow.streak = TLF_STREAK_MAX;
	KUNIT_EXPECT_EQ(test, tlt_shown(t, len_us / 64, 0, false), 0);
	KUNIT_EXPECT_EQ(test, t->flow.streak, TLF_STREAK_MAX);
	/* or one so long that growth must not gain any more */
	KUNIT_EXPECT_EQ(test, tlt_shown(t, len_us / 2, 0, false), 0);
	KUNIT_EXPECT_EQ(test, t->flow.streak, 0);
	/* or lost packets */
	KUNIT_EXPECT_EQ(test, tlt_shown(t, 0, 1, false), 0);
	/* after one that was not late: the trial took a quarter longer to arrive */
	KUNIT_EXPECT_EQ(test, tlt_shown(t, len_us / 8, 0, true),
			mul_u64_u32_div(TLT_RATE * 15 / 8, len_us, len_us + 2 * (len_us / 8)));
}

static struct kunit_case tlt_path_cases[] = {
	KUNIT_CASE(tlt_test_batches),
	KUNIT_CASE(tlt_test_at_once),
	KUNIT_CASE(tlt_test_spread),
	KUNIT_CASE(tlt_test_window_of_batches),
	KUNIT_CASE(tlt_test_least_clear),
	KUNIT_CASE(tlt_test_held_window),
	KUNIT_CASE(tlt_test_not_held),
	KUNIT_CASE(tlt_test_held_rate),
	KUNIT_CASE(tlt_test_alone),
	KUNIT_CASE(tlt_test_path_loss),
	KUNIT_CASE(tlt_test_lost_beyond),
	KUNIT_CASE(tlt_test_no_growth),
	KUNIT_CASE(tlt_test_answer_queue),
	KUNIT_CASE(tlt_test_window_near),
	KUNIT_CASE(tlt_test_answer_stalled),
	KUNIT_CASE(tlt_test_rise_of_half),
	KUNIT_CASE(tlt_test_answer_probe),
	KUNIT_CASE(tlt_test_start_again),
	KUNIT_CASE(tlt_test_timeout_of_lossy),
	KUNIT_CASE(tlt_test_trial),
	KUNIT_CASE(tlt_test_trial_pace),
	KUNIT_CASE(tlt_test_no_trial),
	KUNIT_CASE(tlt_test_trial_shows),
	{}
};

static struct kunit_suite tlt_path_suite = {
	.name = "liteflow_cc_path",
	.test_cases = tlt_path_cases,
};

kunit_test_suite(tlt_path_suite);

MODULE_DESCRIPTION("KUnit tests of what liteflow knows of a path");
MODULE_LICENSE("GPL");
