// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the control law of the congestion control "liteflow": start-up,
 * draining, the minimum RTT, and what ECN, a timeout and silence do.
 */
#include "tcp_liteflow_test.h"

static struct tlt *tlt_starting(struct kunit *test)
{
	struct tlt *t = tlt_flow(test, TLT_RATE, TLT_RTT);

	t->hot.mode = TLF_STARTUP;
	return t;
}

/* -- the beginning ---------------------------------------------------------- */

/* The first window in half an RTT, as far as limits allow. */
static void tlt_test_first_rate(struct kunit *test)
{
	struct tlf_ack ack = { .rtt_us = -1, .mss = 1000 };
	struct tlf_flow flow;
	struct tlf_hot hot;

	tlf_init(&hot, &flow, &ack, 20000, 10);
	KUNIT_EXPECT_EQ(test, hot.rate, 1000000);
	KUNIT_EXPECT_EQ(test, hot.mode, TLF_STARTUP);
	tlf_init(&hot, &flow, &ack, 0, 10);
	KUNIT_EXPECT_EQ(test, hot.rate, 20000000);
	tlf_init(&hot, &flow, &ack, U32_MAX, 1);
	KUNIT_EXPECT_EQ(test, hot.rate, TLF_RATE_MIN);
	ack.mss = U16_MAX;
	tlf_init(&hot, &flow, &ack, 1, 1000000);
	KUNIT_EXPECT_EQ(test, hot.rate, TLF_RATE_MAX);
	/* nothing is known of the path, and the window is one of the handshake's RTT */
	tlf_init(&hot, &flow, &ack, 20000, 10);
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&hot, &flow, 1000, 0),
			2 * (hot.rate * 20 / 1000 / 1000 + 1));
}

/* The handshake gave no RTT: what is guessed holds until there is one. */
static void tlt_test_guessed_rate(struct kunit *test)
{
	struct tlt *t = tlt_starting(test);

	tlf_init(&t->hot, &t->flow, &t->ack, 0, 10);
	KUNIT_EXPECT_GE(test, t->hot.rate, 10000000);
	tlt_send(t, 1, 1000, 300000);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 2 * 10 * (u64)t->ack.mss * 10 / 3);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_STARTUP);
	/* a path so short that the guess was too low: as before */
	tlf_init(&t->hot, &t->flow, &t->ack, 0, 10);
	tlt_send(t, 1, 1000, 100);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 2 * 10 * (u64)t->ack.mss * 1000);
	/* one that the handshake measured stays */
	tlf_init(&t->hot, &t->flow, &t->ack, 20000, 10);
	tlt_send(t, 1, 1000, 300000);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 2 * 10 * (u64)t->ack.mss * 50);
}

/* ACKs tell of what was sent one and a half round trips ago. */
static void tlt_test_startup_doubles(struct kunit *test)
{
	struct tlt *t = tlt_starting(test);
	u32 gap_us;

	tlt_send(t, 15, 1000, TLT_RTT);
	for (gap_us = 1000; gap_us >= 125; gap_us /= 2) {
		u64 arrives = 1448000000ULL / gap_us;

		/* no more than a round trip, as doubling takes that long */
		KUNIT_EXPECT_EQ(test, tlt_send(t, TLT_RTT / gap_us, gap_us, TLT_RTT), 0);
		KUNIT_EXPECT_GE(test, t->hot.rate, 2828 * arrives / 1000 * 98 / 100);
		KUNIT_EXPECT_LE(test, t->hot.rate, 2828 * arrives / 1000 * 102 / 100);
	}
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_STARTUP);
}

/* An interval with a queue ends it, one that is no more than noise does not. */
static void tlt_test_startup_queue(struct kunit *test)
{
	struct tlt *t = tlt_starting(test);
	unsigned int n;

	tlt_intervals(t, 2, TLT_RTT);
	tlt_end_interval(t);
	tlt_send(t, 20, 700, TLT_RTT * 12 / 10);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_STARTUP);
	tlt_send(t, 20, 500, TLT_RTT);
	tlt_end_interval(t);
	t->ack.inflight = 1000;
	for (n = 0; n < 50 && t->hot.mode == TLF_STARTUP; n++)
		tlt_send(t, 1, 500, TLT_RTT * 13 / 10);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_DRAIN);
	KUNIT_EXPECT_LE(test, n, 45);
	/* half of what arrived of the 2000 packets a second */
	KUNIT_EXPECT_EQ(test, t->hot.rate, t->flow.bw / 2);
	KUNIT_EXPECT_GE(test, t->hot.rate, TLT_RATE / 4);
	KUNIT_EXPECT_LE(test, t->hot.rate, TLT_RATE * 105 / 100);
}

/* Three round trips without more, but not if there was nothing more to send. */
static void tlt_test_startup_plateau(struct kunit *test)
{
	struct tlt *t = tlt_starting(test);
	unsigned int n;

	t->ack.inflight = 1000;
	tlt_intervals(t, 2 * TLF_STARTUP_ROUNDS, TLT_RTT);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_STARTUP);
	tlt_intervals(t, 6, TLT_RTT);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_DRAIN);

	/* where packets are lost and sent again, more */
	t = tlt_starting(test);
	t->ack.inflight = 1000;
	for (n = 0; n < 60 && t->hot.mode == TLF_STARTUP; n++) {
		t->ack.lost += 2;
		tlt_end_interval(t);
	}
	KUNIT_EXPECT_GE(test, n, 20);
	KUNIT_EXPECT_LE(test, n, 35);

	t = tlt_starting(test);
	t->ack.app_limited = true;
	tlt_intervals(t, 100, TLT_RTT);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_STARTUP);
	/* nor has it a queue to look through */
	t->ack.app_limited = false;
	t->hot.min_rtt_stamp_us -= TLF_MIN_RTT_WINDOW_US + 1000000;
	tlt_send(t, 1, 1000, TLT_RTT + 1);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_STARTUP);
}

/* Start-up loses @lost packets beside some ten in each of @n intervals. */
static struct tlt *tlt_startup_loses(struct kunit *test, unsigned int lost, unsigned int n)
{
	struct tlt *t = tlt_starting(test);

	tlt_intervals(t, 2, TLT_RTT);
	tlt_end_interval(t);
	while (n--) {
		t->ack.lost += lost;
		tlt_send(t, 1, 500, TLT_RTT);
		tlt_end_interval(t);
	}
	return t;
}

static void tlt_test_startup_loss(struct kunit *test)
{
	struct tlt *t;
	u64 rate;

	KUNIT_EXPECT_EQ(test, tlt_startup_loses(test, 3, 2)->hot.mode, TLF_STARTUP);
	/* more than a quarter may be by chance, once, and goes no faster */
	t = tlt_startup_loses(test, 0, 1);
	rate = t->hot.rate;
	t = tlt_startup_loses(test, 12, 1);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_STARTUP);
	KUNIT_EXPECT_LT(test, t->hot.rate, rate);
	/* twice in a row is not */
	KUNIT_EXPECT_EQ(test, tlt_startup_loses(test, 12, 2)->hot.mode, TLF_DRAIN);
	/* nor more than a sixth three times; it goes on growing until then */
	KUNIT_EXPECT_EQ(test, tlt_startup_loses(test, 3, 3)->hot.mode, TLF_DRAIN);
	KUNIT_EXPECT_GE(test, tlt_startup_loses(test, 3, 1)->hot.rate, rate);
	t = tlt_startup_loses(test, 3, 2);
	tlt_end_interval(t);
	t->ack.lost += 3;
	tlt_end_interval(t);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_STARTUP);
	/* a path that loses a tenth */
	KUNIT_EXPECT_EQ(test, tlt_startup_loses(test, 1, 8)->hot.mode, TLF_STARTUP);
}

static struct tlt *tlt_draining(struct kunit *test)
{
	struct tlt *t = tlt_starting(test);

	tlt_intervals(t, 2, TLT_RTT);
	t->hot.mode = TLF_DRAIN;
	t->flow.full_bw = 3 * TLT_RATE;
	t->flow.drain_count = 0;
	t->hot.rate = TLT_RATE / 2;
	tlf_remember(&t->hot, &t->flow, &(struct tlf_interval) {
		.delivered = 1, .sent_us = 9, .acked_us = 99, .rtt_us = TLT_RTT }, 1448, t->rule);
	return t;
}

/* Until no more is under way than the path holds, then at the rate that it has. */
static void tlt_test_drain(struct kunit *test)
{
	struct tlt *t = tlt_draining(test);
	u32 holds = 3 * TLT_RATE / 1448 * TLT_RTT / 1000000, intervals;
	unsigned int n;

	t->ack.inflight = 2 * holds;
	tlt_intervals(t, 2, TLT_RTT);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_DRAIN);
	t->ack.inflight = holds;
	/* half the rate, so that intervals may take twice as long */
	KUNIT_EXPECT_EQ(test, tlt_intervals(t, 3, TLT_RTT), 0);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 3 * TLT_RATE);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE);

	t = tlt_draining(test);
	t->ack.inflight = 1000;
	intervals = t->flow.intervals;
	for (n = 0; t->hot.mode == TLF_DRAIN && n < 1000; n++)
		tlt_send(t, 1, 1000, TLT_RTT);
	KUNIT_EXPECT_EQ(test, t->flow.intervals - intervals, TLF_DRAIN_INTERVALS);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);
}

/* The model is not told of what was sent before its time. */
static void tlt_test_settle(struct kunit *test)
{
	struct tlt *t = tlt_draining(test);
	unsigned int n = 0;
	u32 begin;

	while (t->hot.mode == TLF_DRAIN && n++ < 1000)
		tlt_send(t, 1, 1000, TLT_RTT);
	KUNIT_ASSERT_EQ(test, t->hot.mode, TLF_CRUISE);
	begin = t->ack.now_us;
	for (n = 0; n < 1000; n++) {
		u32 sent = t->hot.mi_sent_us;

		if (!tlt_send(t, 1, 1000, TLT_RTT))
			continue;
		KUNIT_EXPECT_GE(test, (s32)(sent - begin), 0);
		break;
	}
	KUNIT_EXPECT_LT(test, n, 60);
}

/* -- the rate between the model's answers ----------------------------------- */

/* It was asked for more than is sent: it must not grow where nothing limits it. */
static void tlt_test_not_used(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);

	t->hot.rate = 10 * TLT_RATE;
	tlt_end_interval(t);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 5 * TLT_RATE);
	tlt_intervals(t, 6, TLT_RTT);
	KUNIT_EXPECT_GE(test, t->hot.rate, 2 * TLT_RATE * 95 / 100);
	KUNIT_EXPECT_LE(test, t->hot.rate, 2 * TLT_RATE * 115 / 100);
}

/* ACKs that come closer than their packets were sent: more did not leave. */
static void tlt_test_compressed(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	unsigned int i;
	u32 intervals;

	tlt_intervals(t, 2, TLT_RTT + 6000);
	tlt_end_interval(t);
	intervals = t->flow.intervals;
	t->hot.rate = 3 * TLT_RATE;
	for (i = 0; t->flow.intervals == intervals && i < 12; i++)
		tlt_send(t, 1, 1000, TLT_RTT + 6000 - 500 * i);
	KUNIT_EXPECT_GE(test, t->flow.bw, TLT_RATE * 95 / 100);
	KUNIT_EXPECT_LE(test, t->flow.bw, TLT_RATE);
	KUNIT_EXPECT_LE(test, t->hot.rate, 2 * TLT_RATE);
}

/* More than half is lost, and there is a queue, or it is so again: no model is needed. */
static void tlt_test_collapse(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);

	/* where start-up met a full queue, nothing else tells of it: two that lose a third */
	t->flow.full_bw = TLT_RATE;
	t->flow.answered_us = t->ack.now_us;
	t->hot.rate = 2 * TLT_RATE;
	t->ack.lost += 5;
	tlt_end_interval(t);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 2 * TLT_RATE);
	t->ack.lost += 5;
	tlt_end_interval(t);
	KUNIT_EXPECT_EQ(test, t->hot.rate, t->flow.bw);
	t = tlt_cruising(test);
	t->flow.startup_peak_us = 2 * TLT_RTT;
	t->flow.full_bw = TLT_RATE;
	t->flow.answered_us = t->ack.now_us;
	t->hot.rate = 2 * TLT_RATE;
	t->ack.lost += 5;
	tlt_end_interval(t);
	t->ack.lost += 5;
	tlt_end_interval(t);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 2 * TLT_RATE);

	t = tlt_cruising(test);
	t->flow.startup_peak_us = 2 * TLT_RTT;
	t->flow.full_bw = TLT_RATE;
	t->flow.answered_us = t->ack.now_us;	/* nor is a probe due */
	t->hot.rate = 2 * TLT_RATE;
	t->ack.lost += 15;
	tlt_end_interval(t);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 2 * TLT_RATE);
	t->ack.lost += 15;
	tlt_end_interval(t);
	KUNIT_EXPECT_EQ(test, t->hot.rate, t->flow.bw);
	KUNIT_EXPECT_LE(test, t->hot.rate, TLT_RATE);
	/* once in a round trip */
	t->hot.rate = 2 * TLT_RATE;
	t->ack.lost += 15;
	tlt_end_interval(t);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 2 * TLT_RATE);

	/* with a queue at once; however bad it is, to no less than half */
	t = tlt_cruising(test);
	t->flow.full_bw = TLT_RATE;
	t->ack.rtt_us = 2 * TLT_RTT;
	tlt_end_interval(t);
	t->flow.answered_us = t->ack.now_us;
	t->hot.rate = 8 * TLT_RATE;
	t->ack.lost += 500;
	tlt_end_interval(t);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 4 * TLT_RATE);

	/* two of five may be lost by chance */
	t = tlt_cruising(test);
	t->ack.lost += TLF_FEW_LOST - 1;
	tlt_send(t, 3, 4000, TLT_RTT);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE);
}

/*
 * The network delivers a third of what is sent: no need to wait until the ACKs of all
 * of an interval have come, nor for a model.
 */
static void tlt_test_capacity_falls(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	u32 rtt_us = TLT_RTT, intervals = 0;
	unsigned int n, asked = 0;
	u64 rate = t->hot.rate;

	for (n = 0; n < 60 && t->hot.rate == rate; n++) {
		intervals = t->flow.intervals;
		rtt_us += 2000;
		asked = tlt_send(t, 1, 1000, rtt_us);
	}
	KUNIT_EXPECT_EQ(test, t->flow.intervals, intervals + 1);
	KUNIT_EXPECT_EQ(test, asked, 0);
	KUNIT_EXPECT_EQ(test, t->hot.rate, rate / 2);
	/* within 2.5 round trips of the first packet that was late */
	KUNIT_EXPECT_LE(test, n * 3000, TLT_RTT * 5 / 2);
}

/* An interval of which not half a dozen packets came back is waited for. */
static void tlt_test_early_end(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	u32 intervals = t->flow.intervals;
	unsigned int n;

	/* those that are under way came 4 ms apart, and were sent 1 ms apart */
	for (n = 1; n < TLF_MI_PACKETS; n++) {
		tlt_send(t, 1, 1000, TLT_RTT + 3000 * n);
		KUNIT_EXPECT_EQ(test, t->flow.intervals, intervals);
	}
	tlt_send(t, 1, 1000, TLT_RTT + 3000 * n);
	KUNIT_EXPECT_EQ(test, t->flow.intervals, intervals + 1);
}

static void tlt_test_window(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	u32 bdp = TLT_RATE / 1448 * TLT_RTT / 1000000 + 1;

	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 0), 2 * bdp);
	t->hot.mode = TLF_PROBE;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 0), bdp / 2);
	/* less than those that have the least otherwise */
	t->hot.rate = TLF_RATE_MIN;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 0), TLF_PROBE_CWND);
	t->hot.mode = TLF_CRUISE;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1448, 0), TLF_CWND_MIN);
	/* as much as can be, and no more than 32 bits hold */
	t->hot.rate = TLF_RATE_MAX;
	t->hot.min_rtt_us = U32_MAX - 1;
	KUNIT_EXPECT_EQ(test, tlf_cwnd(&t->hot, &t->flow, 1, 0),
			2 * TLF_COUNT_MAX);
}

/* -- the minimum RTT -------------------------------------------------------- */

static void tlt_test_min_rtt(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);

	tlt_send(t, 1, 1000, TLT_RTT + 1000);
	KUNIT_EXPECT_EQ(test, t->hot.min_rtt_us, TLT_RTT);
	tlt_send(t, 1, 3000, TLT_RTT - 1000);
	KUNIT_EXPECT_EQ(test, t->hot.min_rtt_us, TLT_RTT - 1000);
}

/* After ten seconds it looks through its own queue, for two round trips. */
static void tlt_test_probe(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	u32 later = TLT_RTT * 11 / 10, start;
	unsigned int n = 0;

	start = t->ack.now_us;
	while (t->hot.mode == TLF_CRUISE && n++ < 20000)
		tlt_send(t, 1, 1000, later);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_PROBE);
	KUNIT_EXPECT_GT(test, t->ack.now_us - start, TLF_MIN_RTT_WINDOW_US);
	KUNIT_EXPECT_LT(test, t->ack.now_us - start, TLF_MIN_RTT_WINDOW_US + 100000);
	KUNIT_EXPECT_EQ(test, t->hot.min_rtt_us, TLT_RTT);

	start = t->ack.now_us;
	later -= 500;
	for (n = 0; t->hot.mode == TLF_PROBE && n < 1000; n++)
		KUNIT_EXPECT_EQ(test, tlt_send(t, 1, 1000, later), 0);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);
	KUNIT_EXPECT_GE(test, t->ack.now_us - start, 2 * TLT_RTT);
	KUNIT_EXPECT_LE(test, t->ack.now_us - start, 3 * TLT_RTT);
	KUNIT_EXPECT_EQ(test, t->hot.min_rtt_us, later);
	/* and it is asked again, after those sent meanwhile */
	KUNIT_EXPECT_GT(test, tlt_intervals(t, 8, later), 0);
}

/* No queue of its own: what it measures is what there is. */
static void tlt_test_probe_app_limited(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	unsigned int n;

	t->ack.app_limited = true;
	for (n = 0; n < 11000; n++) {
		tlt_send(t, 1, 1000, TLT_RTT + 2000);
		KUNIT_ASSERT_EQ(test, t->hot.mode, TLF_CRUISE);
	}
	KUNIT_EXPECT_EQ(test, t->hot.min_rtt_us, TLT_RTT + 2000);
}

/* -- what happens to flows -------------------------------------------------- */

/*
 * A mark halves the rate; the next one counts a round trip later. The receiver repeats it
 * until a packet has come that says so, which is the first one after those under way.
 */
static void tlt_test_ecn(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);

	t->ack.inflight = 20;
	t->flow.streak = TLF_STREAK_MAX;
	tlf_on_ecn(&t->hot, &t->flow, &t->ack);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE / 2);
	KUNIT_EXPECT_EQ(test, t->flow.streak, 0);
	tlf_on_ecn(&t->hot, &t->flow, &t->ack);
	t->ack.delivered += 20;
	tlf_on_ecn(&t->hot, &t->flow, &t->ack);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE / 2);
	t->ack.delivered++;
	tlf_on_ecn(&t->hot, &t->flow, &t->ack);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE / 4);

	/* the one before was answered half of the counter's range ago, and more */
	t->hot.rate = TLT_RATE;
	tlt_send(t, 100, 1000, TLT_RTT);
	t->ack.delivered += 1U << 31;
	t->hot.last_delivered = t->ack.delivered;
	t->hot.rate = TLT_RATE;
	tlf_on_ecn(&t->hot, &t->flow, &t->ack);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE / 2);

	/* the least: two packets in a round trip; but never up */
	t->hot.rate = 3 * TLT_RATE / 20;
	t->hot.mode = TLF_STARTUP;
	t->ack.delivered += t->ack.inflight + 1;
	tlf_on_ecn(&t->hot, &t->flow, &t->ack);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 2 * TLT_RATE / 20);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);
	t->hot.rate = TLF_RATE_MIN + 1;
	t->ack.delivered += t->ack.inflight + 1;
	tlf_on_ecn(&t->hot, &t->flow, &t->ack);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLF_RATE_MIN + 1);
}

static void tlt_test_timeout(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	s32 in[TLF_N_IN];
	unsigned int i;

	tlt_intervals(t, 12, TLT_RTT * 12 / 10);
	t->hot.rate = TLT_RATE;
	t->flow.streak = TLF_STREAK_MAX;
	tlf_on_timeout(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE / 2);
	KUNIT_EXPECT_EQ(test, t->flow.streak, 0);
	tlf_inputs(&t->flow, in);
	for (i = 0; i < TLF_N_IN; i++)
		KUNIT_EXPECT_EQ(test, in[i], i % TLF_FEATURES ? TLF_ACTION_ONE : 0);
	/* what was under way does not count as half of an interval */
	KUNIT_EXPECT_FALSE(test, t->hot.open);
	t->hot.mode = TLF_STARTUP;
	for (i = 0; i < 64; i++)
		tlf_on_timeout(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLF_RATE_MIN);
	/* start-up goes on, unless much was lost */
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_STARTUP);
	t->flow.collapsed = 3;
	tlf_on_timeout(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);
}

/* It was spurious: all that it took comes back, once. */
static void tlt_test_undo(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	s32 before[TLF_N_IN], after[TLF_N_IN];

	tlt_intervals(t, 12, TLT_RTT * 12 / 10);
	t->hot.rate = TLT_RATE;
	/* of a recovery, not of a timeout */
	tlf_on_undo(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE);
	tlf_inputs(&t->flow, before);
	t->flow.loss = TLF_LOSS_ONE / 100;
	tlf_on_timeout(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE / 2);
	t->ack.lost += 5;
	tlt_intervals(t, 1, TLT_RTT);
	tlf_on_undo(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE);
	KUNIT_EXPECT_EQ(test, t->flow.loss, TLF_LOSS_ONE / 100);
	tlf_inputs(&t->flow, after);
	KUNIT_EXPECT_MEMEQ(test, before, after, sizeof(before));
	t->hot.rate = TLT_RATE / 2;
	tlf_on_undo(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE / 2);

	/* start-up goes on */
	t->hot.mode = TLF_STARTUP;
	t->flow.collapsed = 3;
	tlf_on_timeout(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);
	tlf_on_undo(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_STARTUP);

	/* a real one: nothing is left to take back */
	t->hot.rate = TLT_RATE;
	tlf_on_timeout(&t->hot, &t->flow);
	tlf_on_mended(&t->flow);
	tlf_on_undo(&t->hot, &t->flow);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE / 2);
}

/* Silence, then the application sends again: the ACKs of the first say so. */
static void tlt_silence(struct tlt *t, u32 idle_us, u32 rtt_us)
{
	t->sent_us = t->ack.now_us + idle_us;
	tlf_on_restart(&t->hot, &t->flow, t->sent_us, idle_us);
	t->ack.app_limited = true;
	tlt_send(t, 3, 1000, rtt_us);
	t->ack.app_limited = false;
}

/* Silence drains as well, and leaves no interval that could end the draining. */
static void tlt_test_pause_drains(struct kunit *test)
{
	struct tlt *t = tlt_draining(test);
	unsigned int i;

	t->ack.inflight = 1000;
	for (i = 0; i < 10; i++)
		tlt_silence(t, 2 * TLT_RTT, TLT_RTT);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 3 * TLT_RATE);
}

/* A pause: the rate holds, and the pause is nobody's rate. */
static void tlt_test_pause(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);

	tlt_silence(t, TLF_MIN_RTT_WINDOW_US - 1000, TLT_RTT);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLT_RATE);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);
	tlt_send(t, 50, 1000, TLT_RTT);
	KUNIT_EXPECT_GE(test, t->hot.rate, TLT_RATE * 95 / 100);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE);
}

/* Longer, also than half of the clock's 71 minutes: from the start. */
static void tlt_test_idle(struct kunit *test)
{
	static const u32 minutes[] = { 1, 30, 36, 40, 60, 71 };
	unsigned int i;
	u32 intervals;

	for (i = 0; i < ARRAY_SIZE(minutes); i++) {
		struct tlt *t = tlt_cruising(test);

		intervals = t->flow.intervals;
		tlt_silence(t, minutes[i] * 60000000, TLT_LATE);
		KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_STARTUP);
		KUNIT_EXPECT_GE(test, t->hot.rate, TLT_RATE / 2);
		/* the path may be another one */
		KUNIT_EXPECT_EQ(test, t->hot.min_rtt_us, TLT_LATE);
		tlt_end_interval(t);
		KUNIT_EXPECT_GE(test, t->flow.bw, TLT_RATE / 10);
		tlt_intervals(t, 80, TLT_LATE);
		KUNIT_EXPECT_GE_MSG(test, t->flow.intervals - intervals, 20,
				    "after %u minutes", minutes[i]);
		KUNIT_EXPECT_NE(test, t->hot.mode, TLF_STARTUP);
	}
}

/* All that is under way may be lost: the first retransmission does not wait for it. */
static void tlt_test_probe_repairs(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tlf_probe_cwnd(5, 4, 4, true), 5);
	KUNIT_EXPECT_EQ(test, tlf_probe_cwnd(20, 4, 17, true), 18);
	/* not beyond the window, nor the next ones */
	KUNIT_EXPECT_EQ(test, tlf_probe_cwnd(10, 4, 17, true), 10);
	KUNIT_EXPECT_EQ(test, tlf_probe_cwnd(20, 4, 17, false), 4);
	KUNIT_EXPECT_EQ(test, tlf_probe_cwnd(20, 4, 1, true), 4);
}

static struct kunit_case tlt_mode_cases[] = {
	KUNIT_CASE(tlt_test_first_rate),
	KUNIT_CASE(tlt_test_guessed_rate),
	KUNIT_CASE(tlt_test_startup_doubles),
	KUNIT_CASE(tlt_test_startup_queue),
	KUNIT_CASE(tlt_test_startup_plateau),
	KUNIT_CASE(tlt_test_startup_loss),
	KUNIT_CASE(tlt_test_probe_repairs),
	KUNIT_CASE(tlt_test_drain),
	KUNIT_CASE(tlt_test_settle),
	KUNIT_CASE(tlt_test_not_used),
	KUNIT_CASE(tlt_test_compressed),
	KUNIT_CASE(tlt_test_collapse),
	KUNIT_CASE(tlt_test_capacity_falls),
	KUNIT_CASE(tlt_test_early_end),
	KUNIT_CASE(tlt_test_window),
	KUNIT_CASE(tlt_test_min_rtt),
	KUNIT_CASE(tlt_test_probe),
	KUNIT_CASE(tlt_test_probe_app_limited),
	KUNIT_CASE(tlt_test_ecn),
	KUNIT_CASE(tlt_test_timeout),
	KUNIT_CASE(tlt_test_undo),
	KUNIT_CASE(tlt_test_pause_drains),
	KUNIT_CASE(tlt_test_pause),
	KUNIT_CASE(tlt_test_idle),
	{}
};

static struct kunit_suite tlt_mode_suite = {
	.name = "liteflow_cc_modes",
	.test_cases = tlt_mode_cases,
};

kunit_test_suite(tlt_mode_suite);

MODULE_DESCRIPTION("KUnit tests of liteflow's modes");
MODULE_LICENSE("GPL");
