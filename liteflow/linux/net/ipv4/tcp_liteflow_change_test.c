// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the control law of the congestion control "liteflow": what it makes of
 * a model's answers
 */
#include "tcp_liteflow_test.h"

static void tlt_clear(struct tlt *t, unsigned int n, u32 rtt_us)
{
	struct tlf_interval mi = { .delivered = 9, .sent_us = 9, .acked_us = 9, .rtt_us = rtt_us,
				   .least_us = rtt_us };

	while (n--) {
		tlf_remember(&t->hot, &t->flow, &mi, 1448, t->rule);
		tlf_count_clear(&t->flow);
	}
}

#define TLT_MANY	100	/* packets of a round trip */
#define TLT_GAIN	39	/* 5 / 8 of a sixteenth, thousandths */

/* By how many thousandths does an action of 1 change the rate? */
static unsigned int tlt_gain(struct tlt *t)
{
	t->hot.rate = TLF_RATE_REF;
	tlf_act(&t->hot, &t->flow, TLF_ACTION_ONE, 1448, t->rule);
	return div_u64((t->hot.rate - TLF_RATE_REF) * 1000, TLF_RATE_REF);
}

/* Growth gains after some intervals without a queue, until there is one. */
static void tlt_test_streak(struct kunit *test)
{
	struct tlt *t = tlt_flow(test, TLF_RATE_REF, TLF_RTT_REF_US);
	unsigned int i;

	t->hot.min_rtt_us = TLF_RTT_REF_US;
	for (i = 0; i < TLF_STREAK_MIN; i++) {
		tlt_clear(t, 1, TLF_RTT_REF_US);
		KUNIT_EXPECT_EQ(test, tlt_gain(t), TLT_GAIN);
	}
	for (i = 1; i <= TLF_STREAK_AGAIN; i++) {
		tlt_clear(t, 1, TLF_RTT_REF_US);
		KUNIT_EXPECT_EQ(test, tlt_gain(t), (625 + 625 * i / TLF_STREAK_AGAIN) / 16);
		/* intervals count, not actions */
		KUNIT_EXPECT_EQ(test, tlt_gain(t), (625 + 625 * i / TLF_STREAK_AGAIN) / 16);
	}
	/* however long */
	tlt_clear(t, 1000, TLF_RTT_REF_US);
	KUNIT_EXPECT_EQ(test, t->flow.streak, TLF_STREAK_MAX);
	KUNIT_EXPECT_EQ(test, tlf_accelerate(&t->flow, 1000), 1000 + 1000 *
			(TLF_STREAK_MAX - TLF_STREAK_MIN) / TLF_STREAK_AGAIN);
	KUNIT_EXPECT_EQ(test, tlt_gain(t), 250);
	/* Aurora has none */
	t->rule = TLF_RULE_AURORA;
	KUNIT_EXPECT_EQ(test, tlt_gain(t), 1000 / TLF_AURORA_STEP - 1);
	t->rule = TLF_RULE_PULL;

	/* a queue ends it, as does less */
	tlt_clear(t, 1, 2 * TLF_RTT_REF_US);
	KUNIT_EXPECT_EQ(test, t->flow.streak, 0);
	tlt_clear(t, 10, TLF_RTT_REF_US);
	KUNIT_EXPECT_GT(test, tlt_gain(t), TLT_GAIN);
	KUNIT_EXPECT_EQ(test, tlf_accelerate(&t->flow, -1000), -1000);
	KUNIT_EXPECT_EQ(test, tlt_gain(t), TLT_GAIN);
	/* also where a slow flow is pulled up by more than that */
	tlt_clear(t, 10, TLF_RTT_REF_US);
	t->hot.rate = TLF_RATE_REF / 16;
	tlf_act(&t->hot, &t->flow, -TLF_ACTION_ONE / 100, 1448, t->rule);
	KUNIT_EXPECT_GT(test, t->hot.rate, TLF_RATE_REF / 16);
	KUNIT_EXPECT_LE(test, t->hot.rate, TLF_RATE_REF / 16 + (TLF_RATE_REF / 16) / 64);
	KUNIT_EXPECT_EQ(test, t->flow.streak, 0);
	/* who competes does not see the queue */
	t->flow.competing = 1;
	tlt_clear(t, 20, TLF_RTT_REF_US);
	KUNIT_EXPECT_EQ(test, t->flow.streak, 0);
}

/* log2() of a number, computed in floating point, with 16 fractional bits */
static const struct {
	u64 v;
	s32 log2;
} tlt_logs[] = {
	{ 1, 0 }, { 2, 65536 }, { 3, 103872 }, { 5, 152170 }, { 7, 183983 },
	{ 1000, 653118 }, { 2000, 718654 }, { 65535, 1048575 }, { 65537, 1048577 },
	{ 123456, 1108452 }, { 1000000, 1306235 }, { 16000000, 1568379 },
	{ 125000000, 1762745 }, { 4294967295, 2097152 }, { 1000000000000, 2612471 },
	{ 1ULL << 63, 4128768 }, { U64_MAX, 4194304 },
};

static void tlt_test_log2(struct kunit *test)
{
	unsigned int i;
	s32 last = -1;
	u64 v;

	for (i = 0; i < ARRAY_SIZE(tlt_logs); i++) {
		s32 got = tlf_log2(tlt_logs[i].v);

		/* 0.0861 too low at most, and one for roundings */
		KUNIT_EXPECT_LE_MSG(test, got, tlt_logs[i].log2 + 1, "of %llu", tlt_logs[i].v);
		KUNIT_EXPECT_GE_MSG(test, got, tlt_logs[i].log2 - 5643, "of %llu", tlt_logs[i].v);
	}
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, tlf_log2(1ULL << i), i << 16);
	for (v = 1; v < 1ULL << 62; v += v / 5 + 1) {
		KUNIT_EXPECT_GE_MSG(test, tlf_log2(v), last, "of %llu", v);
		last = tlf_log2(v);
	}
}

static u64 tlt_after(u64 rate, s32 action, enum tlf_rule rule)
{
	return tlf_rate_after(rate, tlf_change(rate, TLF_RTT_REF_US, TLT_MANY, action, rule));
}

static const s32 tlt_actions[] = {
	S32_MIN, S32_MIN + 1, -11 * TLF_ACTION_ONE, -10 * TLF_ACTION_ONE, -3 * TLF_ACTION_ONE,
	-2 * TLF_ACTION_ONE, -TLF_ACTION_ONE, -TLF_ACTION_ONE / 2, -1000, -1, 0, 1, 1000,
	TLF_ACTION_ONE / 2, TLF_ACTION_ONE, 2 * TLF_ACTION_ONE, 3 * TLF_ACTION_ONE,
	10 * TLF_ACTION_ONE, 11 * TLF_ACTION_ONE, S32_MAX - 1, S32_MAX,
};

static const u64 tlt_rates[] = {
	TLF_RATE_MIN, TLF_RATE_MIN + 1, 10000, 125000, 6250000, TLF_RATE_REF, 125000000,
	10000000000, TLF_RATE_MAX - 1, TLF_RATE_MAX,
};

/* Any answer at any rate: limits hold, and a greater answer is no smaller rate. */
static void tlt_test_rate_extremes(struct kunit *test)
{
	enum tlf_rule rule;
	unsigned int i, k;

	for (rule = 0; rule < TLF_RULES; rule++) {
		u64 above[ARRAY_SIZE(tlt_actions)] = {};

		for (i = 0; i < ARRAY_SIZE(tlt_rates); i++) {
			u64 last = 0;

			for (k = 0; k < ARRAY_SIZE(tlt_actions); k++) {
				u64 got = tlt_after(tlt_rates[i], tlt_actions[k], rule);

				KUNIT_EXPECT_GE(test, got, TLF_RATE_MIN);
				KUNIT_EXPECT_LE(test, got, TLF_RATE_MAX);
				KUNIT_EXPECT_GE(test, got, last);
				/* nor is it for a greater rate */
				KUNIT_EXPECT_GE(test, got, above[k]);
				/* nothing more than halves or doubles it in an interval */
				KUNIT_EXPECT_LE(test, got, 2 * tlt_rates[i]);
				KUNIT_EXPECT_GE(test, got, tlt_rates[i] / 2);
				last = got;
				above[k] = got;
			}
		}
	}
}

/* What goes up comes down by the same. */
static void tlt_test_up_down(struct kunit *test)
{
	unsigned int i;
	s32 change;

	for (i = 1; i + 2 < ARRAY_SIZE(tlt_rates); i++) {
		for (change = 1; change < TLF_CHANGE_MAX; change *= 2) {
			u64 rate = tlf_rate_after(tlt_rates[i], change);

			rate = tlf_rate_after(rate, -change);
			KUNIT_EXPECT_LE(test, tlt_rates[i] - rate, 1);
		}
	}
}

/* As Aurora has it: a fortieth for an action of 1, up and down. */
static void tlt_test_aurora(struct kunit *test)
{
	const u64 rate = 41000000;
	u64 got;

	got = tlt_after(rate, TLF_ACTION_ONE, TLF_RULE_AURORA);
	KUNIT_EXPECT_GE(test, got, 42025000 - 500);
	KUNIT_EXPECT_LE(test, got, 42025000);
	got = tlt_after(rate, -TLF_ACTION_ONE, TLF_RULE_AURORA);
	KUNIT_EXPECT_GE(test, got, 40000000);
	KUNIT_EXPECT_LE(test, got, 40000000 + 500);
	KUNIT_EXPECT_EQ(test, tlt_after(rate, 0, TLF_RULE_AURORA), rate);
	KUNIT_EXPECT_EQ(test, tlt_after(rate, S32_MAX, TLF_RULE_AURORA), rate * 5 / 4);
	KUNIT_EXPECT_EQ(test, tlt_after(rate, S32_MIN, TLF_RULE_AURORA), rate * 4 / 5);
}

/* Up by a step where there is no pull; towards the reference where there is. */
static void tlt_test_pull(struct kunit *test)
{
	const u64 step = TLF_RATE_REF * 5 / 8 >> TLF_STEP_SHIFT;
	u64 rate;

	KUNIT_EXPECT_EQ(test, tlt_after(TLF_RATE_REF, 0, TLF_RULE_PULL), TLF_RATE_REF);
	KUNIT_EXPECT_EQ(test, tlt_after(TLF_RATE_REF, TLF_ACTION_ONE, TLF_RULE_PULL),
			TLF_RATE_REF + step);
	KUNIT_EXPECT_EQ(test, tlt_after(TLF_RATE_REF, S32_MAX, TLF_RULE_PULL),
			TLF_RATE_REF + TLF_RATE_REF / 4);
	KUNIT_EXPECT_LT(test, tlt_after(2 * TLF_RATE_REF, 0, TLF_RULE_PULL),
			2 * TLF_RATE_REF);
	KUNIT_EXPECT_GT(test, tlt_after(TLF_RATE_REF / 2, 0, TLF_RULE_PULL),
			TLF_RATE_REF / 2);
	/* a doubling pulls by 1 / 2^TLF_PULL_SHIFT, down as a division */
	rate = tlt_after(2 * TLF_RATE_REF, 0, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, rate, div_u64(2ULL * TLF_RATE_REF << TLF_PULL_SHIFT,
					    (1 << TLF_PULL_SHIFT) + 1));
}

/* Of a flow with many packets in a round trip */
static s32 tlt_change(u64 rate, u32 rtt_us, s32 action)
{
	return tlf_change(rate, rtt_us, TLT_MANY, action, TLF_RULE_PULL);
}

/* A small action counts half of what it would as a part of the largest. */
static void tlt_test_small_actions(struct kunit *test)
{
	s32 largest = tlt_change(TLF_RATE_REF, TLF_RTT_REF_US, TLF_ACTION_MAX);
	s32 action, last = -1;

	KUNIT_EXPECT_EQ(test, largest, TLF_CHANGE_MAX);
	KUNIT_EXPECT_EQ(test, tlt_change(TLF_RATE_REF, TLF_RTT_REF_US, TLF_ACTION_MAX / 1024),
			largest / 2048 * 1025 / 1024);
	for (action = 0; action <= TLF_ACTION_MAX; action += TLF_ACTION_ONE / 16) {
		s32 up = tlt_change(TLF_RATE_REF, TLF_RTT_REF_US, action);

		KUNIT_EXPECT_GT(test, up, last);
		KUNIT_EXPECT_EQ(test, tlt_change(TLF_RATE_REF, TLF_RTT_REF_US, -action), -up);
		last = up;
	}
	/* where a round trip has few packets, it counts as much */
	KUNIT_EXPECT_EQ(test, tlf_change(TLF_RATE_REF, TLF_RTT_REF_US, TLF_COARSE_PACKETS - 1,
					 TLF_ACTION_MAX / 1024, TLF_RULE_PULL), largest / 1024);
	KUNIT_EXPECT_EQ(test, tlf_change(TLF_RATE_REF, TLF_RTT_REF_US, TLF_COARSE_PACKETS - 1,
					 -TLF_ACTION_MAX, TLF_RULE_PULL), -largest);
}

/*
 * Beside a queue, the longer RTT pulls a rate down as twice the same factor of the rate
 * does; without one, it does not.
 */
static void tlt_test_pull_rtt(struct kunit *test)
{
	struct tlt *t = tlt_flow(test, TLF_RATE_REF, TLF_RTT_REF_US);
	s32 of_rate = tlt_change(2 * TLF_RATE_REF, TLF_RTT_REF_US, 0);

	KUNIT_EXPECT_LT(test, of_rate, 0);
	KUNIT_EXPECT_EQ(test, tlt_change(TLF_RATE_REF, 2 * TLF_RTT_REF_US, 0), 2 * of_rate);
	KUNIT_EXPECT_EQ(test, tlt_change(TLF_RATE_REF, TLF_RTT_REF_US / 2, 0), -2 * of_rate);
	/* any RTT keeps the limits, and Aurora knows none */
	KUNIT_EXPECT_LE(test, tlt_change(TLF_RATE_MIN, 1, S32_MAX), TLF_CHANGE_MAX);
	KUNIT_EXPECT_GE(test, tlt_change(TLF_RATE_MAX, U32_MAX, S32_MIN), -TLF_CHANGE_MAX);
	KUNIT_EXPECT_EQ(test, tlf_change(TLF_RATE_REF, 1, TLT_MANY, 0, TLF_RULE_AURORA), 0);

	t->hot.min_rtt_us = 4 * TLF_RTT_REF_US;
	tlt_clear(t, 1, 4 * TLF_RTT_REF_US);
	KUNIT_EXPECT_EQ(test, tlf_pull_us(&t->hot, &t->flow), TLF_RTT_REF_US);
	tlt_clear(t, 1, 8 * TLF_RTT_REF_US);
	KUNIT_EXPECT_EQ(test, tlf_pull_us(&t->hot, &t->flow), 4 * TLF_RTT_REF_US);
	t->hot.min_rtt_us = TLF_RTT_LEAST_US + 1;
	tlt_clear(t, 1, TLF_RTT_LEAST_US);
	KUNIT_EXPECT_EQ(test, tlf_pull_us(&t->hot, &t->flow), TLF_RTT_LEAST_US + 1);
	t->hot.min_rtt_us = 100;
	tlt_clear(t, 1, 200);
	KUNIT_EXPECT_EQ(test, tlf_pull_us(&t->hot, &t->flow), TLF_RTT_LEAST_US);
}

/*
 * Two flows that are told the same. What their rates' logarithms differ by shrinks
 * to exp(-1 / ln 2) = 0.236 in 2^TLF_PULL_SHIFT intervals; Aurora's rule keeps it.
 */
static void tlt_test_converge(struct kunit *test)
{
	enum tlf_rule rule;
	unsigned int i;

	for (rule = 0; rule < TLF_RULES; rule++) {
		u64 a = 300000, b = 40000000;
		s32 far = tlf_log2(b) - tlf_log2(a), near;
		s32 action = TLF_ACTION_ONE / 4;

		for (i = 0; i < 1 << TLF_PULL_SHIFT; i++) {
			a = tlt_after(a, action, rule);
			b = tlt_after(b, action, rule);
			action = -action;
		}
		near = tlf_log2(b) - tlf_log2(a);
		if (rule == TLF_RULE_PULL) {
			KUNIT_EXPECT_GT(test, near, far * 18 / 100);
			KUNIT_EXPECT_LT(test, near, far * 30 / 100);
		} else {
			KUNIT_EXPECT_GT(test, near, far * 98 / 100);
		}
	}
}

/* However small the answer: so many packets that the flow can be measured. */
static void tlt_test_least(struct kunit *test)
{
	struct tlt *t = tlt_flow(test, 1000000, 100000);
	unsigned int i;

	for (i = 0; i < 200; i++)
		tlf_act(&t->hot, &t->flow, S32_MIN, 1448, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLF_LEAST_PACKETS * 14480);
	for (i = 0; i < 2000; i++)
		tlf_act(&t->hot, &t->flow, S32_MAX, 1448, TLF_RULE_AURORA);
	KUNIT_EXPECT_EQ(test, t->hot.rate, TLF_RATE_MAX);

	/* what arrives shows that it can be: most of it remains */
	t->flow.bw = 800000;
	for (i = 0; i < 200; i++)
		tlf_act(&t->hot, &t->flow, S32_MIN, 1448, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 500000);
	/* but nothing is raised for that */
	t->hot.rate = 100000;
	tlf_act(&t->hot, &t->flow, S32_MIN, 1448, TLF_RULE_PULL);
	KUNIT_EXPECT_EQ(test, t->hot.rate, 100000);
}

static struct kunit_case tlt_rate_cases[] = {
	KUNIT_CASE(tlt_test_streak),
	KUNIT_CASE(tlt_test_log2),
	KUNIT_CASE(tlt_test_rate_extremes),
	KUNIT_CASE(tlt_test_up_down),
	KUNIT_CASE(tlt_test_aurora),
	KUNIT_CASE(tlt_test_pull),
	KUNIT_CASE(tlt_test_small_actions),
	KUNIT_CASE(tlt_test_pull_rtt),
	KUNIT_CASE(tlt_test_converge),
	KUNIT_CASE(tlt_test_least),
	{}
};

static struct kunit_suite tlt_rate_suite = {
	.name = "liteflow_cc_rates",
	.test_cases = tlt_rate_cases,
};

kunit_test_suite(tlt_rate_suite);

MODULE_DESCRIPTION("KUnit tests of what liteflow makes of answers");
MODULE_LICENSE("GPL");
