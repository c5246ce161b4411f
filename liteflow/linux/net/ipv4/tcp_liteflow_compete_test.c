// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the control law of the congestion control "liteflow": when a flow
 * competes with others that fill the queue, and what it takes for a queue then.
 */
#include "tcp_liteflow_test.h"

/* -- what is no queue, no loss ---------------------------------------------- */

/* A few packets of its own are no queue; by Aurora's rule they are. */
static void tlt_test_slack(struct kunit *test)
{
	struct tlf_interval mi = { .delivered = 9, .sent_us = 1, .acked_us = 1, .rtt_us = 40000,
				   .least_us = 40000 };
	struct tlt *t = tlt_flow(test, 100000, 20000);

	t->hot.min_rtt_us = 20000;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_AURORA);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[1], 2 * TLF_ONE);
	/* each takes 10 ms */
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[1], 2 * TLF_ONE * 20 / (20 + 10 * TLF_SLACK_PACKETS));
	/* a quarter of that where it loses more than the path does, half of the rest in between */
	t->flow.loss = TLF_LOSS_ONE / 10;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[1], 2 * TLF_ONE * 40 / (40 + 5 * TLF_SLACK_PACKETS));
	t->flow.loss = TLF_LOSS_ONE / 100;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[1], 2 * TLF_ONE * 160 / (160 + 50 * TLF_SLACK_PACKETS));
	t->flow.path_loss = TLF_LOSS_ONE / 100;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[1], 2 * TLF_ONE * 20 / (20 + 10 * TLF_SLACK_PACKETS));
	/* more of them while it competes */
	mi.least_us = 800000;
	tlf_start_competing(&t->hot, &t->flow, 1000, 1);
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[1],
			40 * TLF_ONE * 20 / (20 + 10 * TLF_COMPETE_PACKETS));
	t->flow.full_bw = 100000000;
	tlf_start_competing(&t->hot, &t->flow, 1000, 1);
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[1], TLF_ONE);
}

/* Who competes takes what a full queue drops for no loss; a lasting one is one. */
static void tlt_test_overflow(struct kunit *test)
{
	struct tlf_interval mi = { .delivered = 800, .lost = 100, .sent_us = 9, .acked_us = 9,
				   .rtt_us = 20000 };
	struct tlt *t = tlt_flow(test, 1000000, 20000);

	t->hot.min_rtt_us = 20000;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE * 9 / 8);
	t->flow.competing = 1;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE);
	t->flow.loss = TLF_LOSS_ONE / TLF_COMPETE_LOSS;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE);
	t->flow.loss++;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE * 9 / 8);
}

/* An average of TLF_LOSS_PACKETS, but of no fewer than TLF_LOSS_INTERVALS */
static void tlt_test_average_loss(struct kunit *test)
{
	struct tlf_interval mi = { .delivered = 4, .lost = 4 };
	struct tlt *t = tlt_flow(test, 1000000, 20000);
	unsigned int i;

	tlf_average_loss(&t->flow, &mi);
	KUNIT_EXPECT_EQ(test, t->flow.loss, TLF_LOSS_ONE / 2 * 8 / (8 + TLF_LOSS_PACKETS));
	for (i = 0; i < 400; i++)
		tlf_average_loss(&t->flow, &mi);
	KUNIT_EXPECT_LE(test, abs(t->flow.loss - TLF_LOSS_ONE / 2), TLF_LOSS_PACKETS);
	mi.lost = 0;
	for (i = 0; i < 800; i++)
		tlf_average_loss(&t->flow, &mi);
	KUNIT_EXPECT_LT(test, t->flow.loss, TLF_LOSS_PACKETS);

	t->flow.loss = 0;
	mi.delivered = 500;
	mi.lost = 500;
	tlf_average_loss(&t->flow, &mi);
	KUNIT_EXPECT_EQ(test, t->flow.loss, TLF_LOSS_ONE / 2 / (1 + TLF_LOSS_INTERVALS));

	/* all of what was sent, and numbers that are large */
	mi.delivered = 1;
	mi.lost = U32_MAX;
	for (i = 0; i < 200; i++)
		tlf_average_loss(&t->flow, &mi);
	KUNIT_EXPECT_GE(test, t->flow.loss, TLF_LOSS_ONE - 2 * TLF_LOSS_INTERVALS);
	KUNIT_EXPECT_LE(test, t->flow.loss, TLF_LOSS_ONE);
}

/* That a queue grows is the others' doing, while that of its own is short. */
static void tlt_test_rise(struct kunit *test)
{
	struct tlf_interval mi = { .delivered = 9, .sent_us = 10000, .acked_us = 10000,
				   .least_us = 40000, .rise_us = 5000 };
	struct tlt *t = tlt_flow(test, 1000000, 20000);

	t->hot.min_rtt_us = 20000;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[0], TLF_ONE / 2);
	t->flow.competing = 1;
	t->flow.room = 32;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[0], 0);
	mi.rise_us = -5000;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[0], -TLF_ONE / 2);
	/* longer than its room, a millisecond for each packet */
	mi.least_us = 60000;
	mi.rise_us = 5000;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[0], TLF_ONE / 2);
}

/* Nor that ACKs come further apart by that; but they may be many flows of one kind. */
static void tlt_test_apart(struct kunit *test)
{
	struct tlf_interval mi = { .delivered = 9, .sent_us = 10000, .acked_us = 15000,
				   .rtt_us = 40000, .least_us = 40000 };
	struct tlt *t = tlt_flow(test, 1000000, 20000);

	t->hot.min_rtt_us = 20000;
	t->flow.loss = 1;
	t->flow.hold = 2 * TLF_COMPETE_HOLD;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE * 3 / 2);
	t->flow.competing = 1;
	t->flow.room = 32;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE);
	/* for the first time */
	t->flow.hold = TLF_COMPETE_HOLD;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE * 3 / 2);
	t->flow.hold = 2 * TLF_COMPETE_HOLD;
	/* a queue that others fill loses packets */
	t->flow.loss = 0;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE * 3 / 2);
	/* it is longer than its room */
	t->flow.loss = 1;
	mi.least_us = 60000;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE * 3 / 2);
	/* the queue is so long that what it did shows too late */
	mi.least_us = 40000;
	mi.rtt_us = TLF_COMPETE_LATE * 20000;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE * 3 / 2);
	mi.rtt_us--;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE);
	/* few packets make up a round trip */
	t->hot.rate = 1000000 * TLF_COMPETE_COARSE / 20 - 1000;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE * 3 / 2);
}

/* Who competes: a burst of losses is the others' doing, most of an interval is not. */
static void tlt_test_collapse_competing(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	unsigned int i;

	t->flow.competing = TLF_COMPETE_PROBED;
	t->hot.rate = 3 * TLT_RATE / 2;
	t->ack.lost += 5;
	KUNIT_EXPECT_GT(test, tlt_intervals(t, 1, TLT_RTT), 0);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 3 * TLT_RATE / 2);
	KUNIT_EXPECT_GT(test, t->flow.loss, 0);

	for (i = 0; i < 2; i++) {
		t->flow.answered_us = t->ack.now_us;	/* no probe for that yet */
		t->ack.lost += 25;
		tlt_end_interval(t);
	}
	KUNIT_EXPECT_EQ(test, t->hot.rate, t->flow.bw);

	/* it leaves the range as little as any rate */
	t->hot.rate = TLF_RATE_MIN;
	for (i = 0; i < 20; i++) {
		t->ack.lost += 4;
		tlt_send(t, 1, 3000000, TLT_RTT);
		KUNIT_EXPECT_GE(test, t->hot.rate, TLF_RATE_MIN);
	}
}

/* -- when ------------------------------------------------------------------- */

#define TLT_FAST	(8 * TLT_RATE)	/* at which a few packets are no queue */

/*
 * Intervals with this RTT, in which the model says @action each time, until the
 * flow competes or probes, or @n of them; how many.
 */
static unsigned int tlt_squeeze(struct tlt *t, unsigned int n, u32 rtt_us, s32 action)
{
	u32 before = t->flow.intervals;

	while (!t->flow.competing && t->hot.mode == TLF_CRUISE &&
	       t->flow.intervals - before < n) {
		if (tlt_send(t, 1, 125, rtt_us))
			tlf_act(&t->hot, &t->flow, action, 1448, t->rule);
		t->hot.rate = TLT_FAST;
	}
	return t->flow.intervals - before;
}

/* Fast, and it has just seen its first interval with this RTT. */
static struct tlt *tlt_fast(struct kunit *test, u32 rtt_us)
{
	struct tlt *t = tlt_cruising(test);

	t->flow.full_bw = TLT_FAST;
	t->hot.rate = TLT_FAST;
	tlt_send(t, 400, 125, TLT_RTT);
	t->hot.rate = TLT_FAST;
	tlt_squeeze(t, 3, rtt_us, 0);
	tlf_stop_competing(&t->flow);
	return t;
}

static struct tlt *tlt_competing(struct kunit *test)
{
	struct tlt *t = tlt_fast(test, TLT_LATE);

	tlt_squeeze(t, 10 * TLF_COMPETE_INTERVALS, TLT_LATE, -TLF_ACTION_ONE);
	KUNIT_ASSERT_EQ(test, t->flow.competing, TLF_COMPETE_HOLD);
	return t;
}

/* It gave way for so many intervals, and the queue stayed. */
static void tlt_test_compete(struct kunit *test)
{
	struct tlt *t = tlt_fast(test, TLT_LATE);
	unsigned int n;

	n = tlt_squeeze(t, 10 * TLF_COMPETE_INTERVALS, TLT_LATE, -TLF_ACTION_ONE);
	KUNIT_EXPECT_EQ(test, t->flow.competing, TLF_COMPETE_HOLD);
	KUNIT_EXPECT_EQ(test, n, TLF_COMPETE_INTERVALS);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);

	/* a short one counts, too */
	t = tlt_fast(test, TLT_RTT * 11 / 10);
	tlt_squeeze(t, 10 * TLF_COMPETE_INTERVALS, TLT_RTT * 11 / 10, -TLF_ACTION_ONE);
	KUNIT_EXPECT_EQ(test, t->flow.competing, TLF_COMPETE_HOLD);

	/* there is none worth the name */
	t = tlt_fast(test, TLT_RTT * 21 / 20);
	tlt_squeeze(t, 10 * TLF_COMPETE_INTERVALS, TLT_RTT * 21 / 20, -TLF_ACTION_ONE);
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);
}

/* It gave way because the path got slower, and the queue goes. */
static void tlt_test_compete_drains(struct kunit *test)
{
	struct tlt *t = tlt_fast(test, 2 * TLT_LATE);
	unsigned int rtt_us;

	/* not by a probe */
	t->flow.probe_start_us = t->ack.now_us;
	tlt_squeeze(t, TLF_COMPETE_INTERVALS / 2, 2 * TLT_LATE, -TLF_ACTION_ONE);
	for (rtt_us = 2 * TLT_LATE; rtt_us > TLT_LATE; rtt_us -= 100)
		tlt_send(t, 1, 125, rtt_us);
	while (t->flow.window_count && !t->flow.competing)
		tlt_squeeze(t, 1, TLT_LATE, -TLF_ACTION_ONE);
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);
	/* of the next window it is all there was: it does not go */
	tlt_squeeze(t, TLF_COMPETE_INTERVALS, TLT_LATE, -TLF_ACTION_ONE);
	KUNIT_EXPECT_EQ(test, t->flow.competing, TLF_COMPETE_HOLD);
}

/* It did not give way: whose queue that is, a probe shows, though not too often. */
static void tlt_test_compete_probe(struct kunit *test)
{
	struct tlt *t = tlt_fast(test, TLT_LATE);
	unsigned int n, i, asked;

	t->flow.probe_start_us = t->ack.now_us;
	n = tlt_squeeze(t, 3 * TLF_COMPETE_INTERVALS, TLT_LATE, TLF_ACTION_ONE);
	KUNIT_EXPECT_EQ(test, n, 3 * TLF_COMPETE_INTERVALS);
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);
	t->flow.probe_start_us = t->ack.now_us - TLF_PROBE_GAP_US;
	for (n = 0, asked = 1; t->hot.mode == TLF_CRUISE && n < 10000; n++) {
		asked = tlt_send(t, 1, 125, TLT_LATE);
		t->hot.rate = TLT_FAST;
	}
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_PROBE);
	KUNIT_EXPECT_EQ(test, asked, 0);

	/* with half of the window it is as before: not its own */
	for (n = 0; t->hot.mode == TLF_PROBE && n < 10000; n++)
		KUNIT_EXPECT_EQ(test, tlt_send(t, 1, 125, TLT_LATE), 0);
	KUNIT_EXPECT_EQ(test, t->flow.competing, TLF_COMPETE_PROBED);
	KUNIT_EXPECT_EQ(test, t->hot.min_rtt_us, TLT_RTT);
	tlt_send(t, 1000 * TLF_COMPETE_HOLD, 125, TLT_LATE);
	KUNIT_EXPECT_EQ(test, t->flow.competing, TLF_COMPETE_PROBED);
	/* they are gone: it takes some probes to believe that */
	for (i = 1; i <= TLF_COMPETE_PROBES; i++) {
		KUNIT_EXPECT_EQ(test, t->flow.competing, TLF_COMPETE_PROBED);
		t->hot.min_rtt_stamp_us = t->ack.now_us - TLF_MIN_RTT_WINDOW_US;
		tlt_send(t, 1, 125, TLT_LATE);
		KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_PROBE);
		for (n = 0; t->hot.mode == TLF_PROBE && n < 10000; n++)
			tlt_send(t, 1, 125, TLT_RTT * 11 / 10);
		KUNIT_EXPECT_EQ(test, t->hot.min_rtt_us, TLT_RTT * 11 / 10);
	}
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);
}

/*
 * A buffer so short that its overflow leaves less of a queue than a few flows of one
 * kind do: what tells is that packets are lost.
 */
static void tlt_test_compete_lossy(struct kunit *test)
{
	const u32 rtt_us = TLT_RTT * 21 / 16;
	unsigned int lossy, n;

	for (lossy = 0; lossy < 2; lossy++) {
		struct tlt *t = tlt_fast(test, rtt_us);

		t->flow.probe_start_us = t->ack.now_us - TLF_PROBE_GAP_US;
		for (n = 0; t->hot.mode == TLF_CRUISE && n < 10000; n++) {
			tlt_send(t, 1, 125, rtt_us);
			t->ack.lost += lossy && n % 1000 == 500;
			t->hot.rate = TLT_FAST;
		}
		KUNIT_ASSERT_EQ(test, t->hot.mode, TLF_PROBE);
		for (n = 0; t->hot.mode == TLF_PROBE && n < 10000; n++)
			tlt_send(t, 1, 125, rtt_us);
		KUNIT_EXPECT_EQ(test, t->flow.competing, lossy ? TLF_COMPETE_HOLD : 0);
	}
}

/* A probe can err: where the queue then is short for long, nobody fills it. */
static void tlt_test_compete_alone(struct kunit *test)
{
	struct tlt *t = tlt_fast(test, TLT_LATE);
	u32 before;
	unsigned int n;

	t->flow.filled = TLF_COMPETE_PROBES;
	t->flow.competing = TLF_COMPETE_PROBED;
	before = t->flow.intervals;
	/* often enough it is long */
	while (t->flow.intervals - before < 3 * TLF_COMPETE_HOLD)
		tlt_send(t, 1, 125, (t->flow.intervals - before) % 4 < 2 ? TLT_RTT : TLT_LATE);
	KUNIT_EXPECT_EQ(test, t->flow.competing, TLF_COMPETE_PROBED);
	KUNIT_EXPECT_EQ(test, t->flow.filled, TLF_COMPETE_PROBES);
	tlf_stop_competing(&t->flow);
	t->flow.competing = TLF_COMPETE_PROBED;
	before = t->flow.intervals;
	for (n = 0; t->flow.competing && n < 100000; n++)
		tlt_send(t, 1, 125, TLT_RTT * 12 / 10);
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);
	KUNIT_EXPECT_EQ(test, t->flow.filled, 0);
	KUNIT_EXPECT_EQ(test, t->flow.intervals - before, TLF_COMPETE_HOLD);
}

/* A queue that goes was nobody's, however it came to be taken for a competitor's. */
static void tlt_test_compete_unqueued(struct kunit *test)
{
	struct tlt *t = tlt_competing(test);
	u32 before = t->flow.intervals;
	unsigned int n;

	for (n = 0; t->flow.competing && n < 100000; n++)
		tlt_send(t, 1, 125, TLT_RTT);
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);
	KUNIT_EXPECT_GE(test, t->flow.intervals - before, TLF_COMPETE_UNQUEUED);
	KUNIT_EXPECT_LE(test, t->flow.intervals - before, TLF_COMPETE_UNQUEUED + 3);
}

/* More room while nothing is lost, less when it is, and never less than the least. */
static void tlt_test_compete_room(struct kunit *test)
{
	struct tlt *t = tlt_competing(test);
	u32 least = tlf_bdp(TLT_FAST, TLT_RTT, 1448) / TLF_COMPETE_BDP, room;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, t->flow.room, least);
	for (i = 1; i <= 20; i++) {
		room = t->flow.room;
		while (t->flow.room == room)
			tlt_send(t, 1, 125, TLT_LATE);
		KUNIT_EXPECT_EQ(test, t->flow.room, room + 1 + room / TLF_ROOM_GAIN);
	}
	room = t->flow.room;
	t->ack.lost++;
	while (t->flow.room == room)
		tlt_send(t, 1, 125, TLT_LATE);
	KUNIT_EXPECT_EQ(test, t->flow.room, room - room / TLF_ROOM_LOSS);
	for (i = 0; i < 50; i++) {
		t->ack.lost++;
		t->flow.competing = TLF_COMPETE_HOLD;
		tlt_send(t, 100, 125, TLT_LATE);
	}
	KUNIT_EXPECT_EQ(test, t->flow.room, least);
	/* a count that makes no sense */
	t->flow.room = U32_MAX;
	tlf_start_competing(&t->hot, &t->flow, 1448, 1);
	KUNIT_EXPECT_EQ(test, t->flow.room, TLF_COUNT_MAX);
}

/* Who is squeezed as soon as it stops holds its own for twice as long. */
static void tlt_test_compete_again(struct kunit *test)
{
	struct tlt *t = tlt_competing(test);
	unsigned int i, hold = TLF_COMPETE_HOLD;

	for (i = 0; i < 5; i++) {
		while (t->flow.competing) {
			t->hot.min_rtt_stamp_us = t->ack.now_us;
			tlt_send(t, 1, 125, TLT_LATE);
		}
		hold = min(2 * hold, TLF_COMPETE_HOLD_MAX);
		t->flow.probe_start_us = t->ack.now_us;
		tlt_squeeze(t, TLF_COMPETE_INTERVALS, TLT_LATE, -TLF_ACTION_ONE);
		KUNIT_EXPECT_EQ(test, t->flow.competing, hold);
	}
	/* once it was not squeezed, for as long as before; then for half of that, and so on */
	while (t->flow.competing) {
		t->hot.min_rtt_stamp_us = t->ack.now_us;
		tlt_send(t, 1, 125, TLT_LATE);
	}
	t->flow.probe_start_us = t->ack.now_us;
	tlt_squeeze(t, TLF_COMPETE_INTERVALS, TLT_LATE, TLF_ACTION_ONE);
	KUNIT_EXPECT_EQ(test, t->flow.hold, TLF_COMPETE_HOLD_MAX / 2);
	t->flow.probe_start_us = t->ack.now_us;
	tlt_squeeze(t, TLF_COMPETE_INTERVALS, TLT_LATE, TLF_ACTION_ONE);
	KUNIT_EXPECT_EQ(test, t->flow.hold, TLF_COMPETE_HOLD_MAX / 4);
	t->flow.probe_start_us = t->ack.now_us;
	tlt_squeeze(t, TLF_COMPETE_INTERVALS, TLT_LATE, -TLF_ACTION_ONE);
	KUNIT_EXPECT_EQ(test, t->flow.competing, TLF_COMPETE_HOLD_MAX / 2);
}

/* Who filled the queue of another path does not matter on this one. */
static void tlt_test_compete_idle(struct kunit *test)
{
	struct tlt *t = tlt_fast(test, TLT_LATE);
	unsigned int n;

	t->flow.filled = TLF_COMPETE_PROBES;
	t->flow.kept = TLF_KEEP_WINDOWS;
	t->flow.competing = TLF_COMPETE_PROBED;
	t->flow.lossy = 1;
	t->flow.loss = 1000;
	tlf_on_restart(&t->hot, &t->flow, t->ack.now_us, TLF_MIN_RTT_WINDOW_US + 1);
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);
	KUNIT_EXPECT_EQ(test, t->flow.kept, 0);
	KUNIT_EXPECT_EQ(test, t->flow.lossy, 0);
	KUNIT_EXPECT_EQ(test, t->flow.loss, 0);
	t->hot.mode = TLF_CRUISE;
	tlt_intervals(t, 2, TLT_RTT);
	t->hot.min_rtt_stamp_us -= TLF_MIN_RTT_WINDOW_US;
	for (n = 0; t->hot.mode == TLF_CRUISE && n < 10000; n++)
		tlt_send(t, 1, 1000, TLT_RTT + 100);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_PROBE);
	for (n = 0; t->hot.mode == TLF_PROBE && n < 10000; n++)
		tlt_send(t, 1, 1000, TLT_RTT + 100);
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);
}

/* For so many intervals, and then it is judged from the beginning. */
static void tlt_test_compete_ends(struct kunit *test)
{
	struct tlt *t = tlt_competing(test);
	u32 before = t->flow.intervals;
	unsigned int n;

	for (n = 0; t->flow.competing && n < 100000; n++) {
		if (tlt_send(t, 1, 125, TLT_LATE))
			tlf_act(&t->hot, &t->flow, -TLF_ACTION_ONE, 1448, t->rule);
		t->hot.rate = TLT_FAST;
	}
	KUNIT_EXPECT_EQ(test, t->flow.intervals - before, TLF_COMPETE_HOLD);
	/* what it wanted meanwhile was the competition's doing */
	t->flow.probe_start_us = t->ack.now_us;
	tlt_squeeze(t, 2 * TLF_COMPETE_INTERVALS, TLT_LATE, TLF_ACTION_ONE);
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);
}

/* A slow flow's own packets are no competitor. */
static void tlt_test_compete_slow(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	unsigned int n;

	t->flow.full_bw = TLT_RATE / 8;
	for (n = 0; n < 2000; n++) {
		t->hot.rate = TLT_RATE / 8;
		if (tlt_send(t, 1, 8000, TLT_LATE))
			tlf_act(&t->hot, &t->flow, -TLF_ACTION_ONE, 1448, t->rule);
		KUNIT_ASSERT_EQ(test, t->flow.competing, 0);
	}
}

/* The window has room for the queue that others keep. */
static void tlt_test_compete_window(struct kunit *test)
{
	struct tlt *t = tlt_competing(test);
	u32 cwnd = tlf_cwnd(&t->hot, &t->flow, 1448, 0);

	KUNIT_EXPECT_GE(test, cwnd, TLT_FAST / 1448 * TLT_LATE / 1000000 * 5 / 4);
	t->flow.competing = 0;
	KUNIT_EXPECT_LT(test, tlf_cwnd(&t->hot, &t->flow, 1448, 0), cwnd);
}

/* The minimum RTT expires: a probe that finds this RTT */
static void tlt_probe(struct tlt *t, u32 rtt_us)
{
	unsigned int n;

	t->hot.min_rtt_stamp_us = t->ack.now_us - TLF_MIN_RTT_WINDOW_US;
	for (n = 0; t->hot.mode == TLF_CRUISE && n < 10; n++)
		tlt_send(t, 1, 125, TLT_LATE);
	for (n = 0; t->hot.mode == TLF_PROBE && n < 10000; n++)
		tlt_send(t, 1, 125, rtt_us);
}

/*
 * A minimum RTT with a queue of the others' in it: what a probe finds is not much longer, and
 * still shows that they are there. Alone, the flow would leave half.
 */
static void tlt_test_compete_still(struct kunit *test)
{
	struct tlt *t = tlt_competing(test);

	t->flow.window_peak_us = TLT_RTT * 3 / 2;
	tlt_send(t, 1000, 125, TLT_RTT * 3 / 2);
	KUNIT_EXPECT_LT(test, t->flow.competing, TLF_COMPETE_HOLD);
	tlt_probe(t, TLT_RTT * 5 / 4);
	KUNIT_EXPECT_EQ(test, t->flow.competing, TLF_COMPETE_HOLD);
	KUNIT_EXPECT_EQ(test, t->hot.min_rtt_us, TLT_RTT);
	KUNIT_EXPECT_EQ(test, t->hot.mode, TLF_CRUISE);
	KUNIT_EXPECT_EQ(test, t->flow.kept, 1);
	/* the same, but the queue was twice as long */
	t->flow.window_peak_us = 2 * TLT_RTT;
	tlt_probe(t, TLT_RTT * 5 / 4 - 1);
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);
	KUNIT_EXPECT_EQ(test, t->hot.min_rtt_us, TLT_RTT * 5 / 4 - 1);

	/* not for ever */
	t = tlt_competing(test);
	t->flow.kept = TLF_KEEP_WINDOWS;
	tlt_probe(t, TLT_RTT * 5 / 4);
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);

	/* many flows of one kind may be the others */
	t = tlt_competing(test);
	t->hot.rate = TLF_COMPETE_COARSE * 1448ULL * 1000000 / TLT_RTT - 1448;
	tlt_probe(t, TLT_RTT * 5 / 4);
	KUNIT_EXPECT_EQ(test, t->flow.competing, 0);
}

/* Nobody can see an empty queue then, so what was seen before counts for longer. */
static void tlt_test_compete_min_rtt(struct kunit *test)
{
	struct tlt *t = tlt_fast(test, TLT_LATE);
	u32 start = t->hot.min_rtt_stamp_us;
	unsigned int n;

	t->flow.kept = 0;
	for (n = 0; n < 1000000 && t->hot.min_rtt_us == TLT_RTT; n++) {
		tlt_send(t, 1, 1000, TLT_LATE);
		t->hot.rate = TLT_FAST;
	}
	KUNIT_EXPECT_EQ(test, t->hot.min_rtt_us, TLT_LATE);
	KUNIT_EXPECT_GE(test, t->ack.now_us - start, 4 * TLF_MIN_RTT_WINDOW_US);
	KUNIT_EXPECT_LE(test, t->ack.now_us - start,
			(TLF_KEEP_WINDOWS + 2) * TLF_MIN_RTT_WINDOW_US);
}

static struct kunit_case tlt_compete_cases[] = {
	KUNIT_CASE(tlt_test_slack),
	KUNIT_CASE(tlt_test_overflow),
	KUNIT_CASE(tlt_test_average_loss),
	KUNIT_CASE(tlt_test_rise),
	KUNIT_CASE(tlt_test_apart),
	KUNIT_CASE(tlt_test_collapse_competing),
	KUNIT_CASE(tlt_test_compete),
	KUNIT_CASE(tlt_test_compete_drains),
	KUNIT_CASE(tlt_test_compete_probe),
	KUNIT_CASE(tlt_test_compete_lossy),
	KUNIT_CASE(tlt_test_compete_ends),
	KUNIT_CASE(tlt_test_compete_alone),
	KUNIT_CASE(tlt_test_compete_unqueued),
	KUNIT_CASE(tlt_test_compete_room),
	KUNIT_CASE(tlt_test_compete_again),
	KUNIT_CASE(tlt_test_compete_idle),
	KUNIT_CASE(tlt_test_compete_slow),
	KUNIT_CASE(tlt_test_compete_window),
	KUNIT_CASE(tlt_test_compete_still),
	KUNIT_CASE(tlt_test_compete_min_rtt),
	{}
};

static struct kunit_suite tlt_compete_suite = {
	.name = "liteflow_cc_compete",
	.test_cases = tlt_compete_cases,
};

kunit_test_suite(tlt_compete_suite);

MODULE_DESCRIPTION("KUnit tests of liteflow beside other controls");
MODULE_LICENSE("GPL");
