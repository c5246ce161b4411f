// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the rewards of the congestion control "liteflow": their arithmetic,
 * against figures computed in floating point, and whose answer an interval is
 */
#include "tcp_liteflow_reward.h"
#include "tcp_liteflow_test.h"

static const u32 tlt_equal[TLF_WEIGHTS] = {
	TLF_WORTH_ONE / 3, TLF_WORTH_ONE / 3, TLF_WORTH_ONE / 3,
};

static const struct {
	u64 v;
	s32 ln;
} tlt_lns[] = {
	{ 1, 0 }, { 2, 45426 }, { 3, 71999 }, { 10, 150902 }, { 1000, 452707 },
	{ 65537, 726818 }, { 1000000, 905413 }, { 16000000, 1087118 },
	{ 1000000000000, 1810827 }, { 1ULL << 63, 2861844 }, { U64_MAX, 2907270 },
};

static void tlt_test_ln(struct kunit *test)
{
	unsigned int i;
	s32 last = -1;
	u64 v;

	for (i = 0; i < ARRAY_SIZE(tlt_lns); i++) {
		s32 got = tlf_ln(tlt_lns[i].v);

		KUNIT_EXPECT_LE_MSG(test, got, tlt_lns[i].ln + 1, "of %llu", tlt_lns[i].v);
		KUNIT_EXPECT_GE_MSG(test, got, tlt_lns[i].ln - 2, "of %llu", tlt_lns[i].v);
	}
	for (v = 1; v < 1ULL << 62; v += v / 50 + 1) {
		KUNIT_EXPECT_GE_MSG(test, tlf_ln(v), last, "of %llu", v);
		last = tlf_ln(v);
	}
}

/* @got is @want, but for some of the last of its 16 fractional bits */
static void tlt_expect_near(struct kunit *test, s32 got, s32 want)
{
	KUNIT_EXPECT_GE(test, got, want - 8);
	KUNIT_EXPECT_LE(test, got, want + 8);
}

static void tlt_test_terms(struct kunit *test)
{
	struct tlf_worth worth = { .utility = -1000, .delay = 200, .loss = 30 };
	const u32 only_delay[TLF_WEIGHTS] = { 0, TLF_WORTH_ONE, 0 };

	KUNIT_EXPECT_EQ(test, tlf_utility(16000000, 16000000, 2000), 0);
	tlt_expect_near(test, tlf_utility(500, 1000, 20), -44154);	/* ln(520 / 1020) */
	tlt_expect_near(test, tlf_utility(0, 1000, 20), -257676);	/* ln(20 / 1020) */
	tlt_expect_near(test, tlf_utility(TLF_RATE_MAX, TLF_RATE_REF, TLF_RATE_MIN), 723701);
	KUNIT_EXPECT_EQ(test, tlf_delay_cost(0, 0), 0);
	/* (ln 1.5 + ln 2) / 10 */
	tlt_expect_near(test, tlf_delay_cost(TLF_WORTH_ONE / 2, TLF_WORTH_ONE), 7200);
	KUNIT_EXPECT_GT(test, tlf_delay_cost(U32_MAX, U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, tlf_loss_cost(TLF_WORTH_ONE / 4), TLF_WORTH_ONE / 2);
	KUNIT_EXPECT_EQ(test, tlf_loss_cost(U32_MAX), 2 * TLF_WORTH_ONE);
	tlt_expect_near(test, tlf_score(&worth, tlt_equal), -1230);
	KUNIT_EXPECT_EQ(test, tlf_score(&worth, only_delay), -600);
}

/* Half a rate less, a queue, a loss: each is worse, by what the definition says. */
static void tlt_test_interval(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);
	s32 clear, got;

	KUNIT_ASSERT_TRUE(test, t->flow.seen);
	KUNIT_EXPECT_EQ(test, t->flow.seen_lost, 0);
	KUNIT_EXPECT_GT(test, t->flow.seen_known, 0);
	t->flow.bw = TLT_RATE;
	clear = tlf_reward(&t->hot, &t->flow, 1448, tlt_equal);
	/* ln(1450000 / 16002000) */
	tlt_expect_near(test, clear, -157362);
	t->flow.bw = TLT_RATE / 2;
	got = tlf_reward(&t->hot, &t->flow, 1448, tlt_equal);
	/* ln(726000 / 16002000) */
	tlt_expect_near(test, got, -202698);
	t->flow.bw = TLT_RATE;

	/* a queue of the RTT and five packets, without any deviation */
	t->flow.full_bw = TLT_RATE;
	t->flow.rtt_us = t->hot.min_rtt_us + tlf_base_us(&t->hot, &t->flow, TLF_SMALL_QUEUE, 1448);
	got = tlf_reward(&t->hot, &t->flow, 1448, tlt_equal);
	tlt_expect_near(test, got, clear - 2 * 45426 / 10);
	/* which makes the tail longer */
	t->flow.spread_us = TLT_RTT;
	KUNIT_EXPECT_LT(test, tlf_reward(&t->hot, &t->flow, 1448, tlt_equal), got);
	t->flow.spread_us = 0;
	t->flow.rtt_us = t->hot.min_rtt_us;

	t->flow.seen_lost = 1;
	t->flow.seen_known = 10;
	got = tlf_reward(&t->hot, &t->flow, 1448, tlt_equal);
	tlt_expect_near(test, got, clear - TLF_WORTH_ONE / 5);
}

/* Losses count beyond what the path loses; and only intervals at the model's rate. */
static void tlt_test_seen(struct kunit *test)
{
	struct tlt *t = tlt_cruising(test);

	t->flow.seen = false;
	tlt_send(t, 3, 1000, TLT_RTT);
	KUNIT_EXPECT_FALSE(test, t->flow.seen);
	t->ack.lost += 2;
	tlt_end_interval(t);
	KUNIT_EXPECT_TRUE(test, t->flow.seen);
	KUNIT_EXPECT_EQ(test, t->flow.seen_lost, 2);
	KUNIT_EXPECT_LT(test, t->flow.seen_us, t->hot.mi_sent_us);

	t->flow.path_loss = TLF_LOSS_ONE / 2;
	t->ack.lost += 2;
	tlt_end_interval(t);
	KUNIT_EXPECT_EQ(test, t->flow.seen_lost, 0);

	t->flow.seen = false;
	tlf_start_probe(&t->hot, &t->flow, t->ack.now_us);
	t->flow.probe_start_us = t->ack.now_us;
	tlt_end_interval(t);
	KUNIT_EXPECT_FALSE(test, t->flow.seen);
}

static void tlt_claim(struct tlf_claims *claims, u32 seq, u32 from_us)
{
	tlf_claim(claims, &(struct tlf_claim){ seq, seq + 100, from_us });
}

/* An interval is the newest answer's that all of it was sent after. */
static void tlt_test_claims(struct kunit *test)
{
	struct tlf_claims claims = {};
	struct tlf_claim got = {};
	u32 i;

	KUNIT_EXPECT_FALSE(test, tlf_redeem(&claims, 0, &got));
	for (i = 0; i < 3; i++)
		tlt_claim(&claims, i, 1000 * i - 500);
	/* the clock is about to wrap */
	KUNIT_EXPECT_FALSE(test, tlf_redeem(&claims, -501, &got));
	KUNIT_EXPECT_TRUE(test, tlf_redeem(&claims, -500, &got));
	KUNIT_EXPECT_EQ(test, got.seq, 0);
	KUNIT_EXPECT_EQ(test, got.version, 100);
	KUNIT_EXPECT_FALSE(test, tlf_redeem(&claims, 499, &got));
	/* the one before had no interval */
	KUNIT_EXPECT_TRUE(test, tlf_redeem(&claims, 9999, &got));
	KUNIT_EXPECT_EQ(test, got.seq, 2);
	KUNIT_EXPECT_FALSE(test, tlf_redeem(&claims, 9999, &got));

	/* more than there is room for: the first ones stay */
	for (i = 0; i < TLF_CLAIMS + 3; i++)
		tlt_claim(&claims, i, 1000 * i);
	KUNIT_EXPECT_EQ(test, claims.n, TLF_CLAIMS);
	KUNIT_EXPECT_TRUE(test, tlf_redeem(&claims, 1000 * TLF_CLAIMS, &got));
	KUNIT_EXPECT_EQ(test, got.seq, TLF_CLAIMS - 1);

	/* what is very old is nobody's */
	tlt_claim(&claims, 1, 0);
	tlt_claim(&claims, 2, TLF_TIME_MAX_US + 1);
	KUNIT_EXPECT_EQ(test, claims.n, 1);
	KUNIT_EXPECT_EQ(test, claims.claim[0].seq, 2);
}

static struct kunit_case tlt_reward_cases[] = {
	KUNIT_CASE(tlt_test_ln),
	KUNIT_CASE(tlt_test_terms),
	KUNIT_CASE(tlt_test_interval),
	KUNIT_CASE(tlt_test_seen),
	KUNIT_CASE(tlt_test_claims),
	{}
};

static struct kunit_suite tlt_reward_suite = {
	.name = "liteflow_cc_rewards",
	.test_cases = tlt_reward_cases,
};

kunit_test_suite(tlt_reward_suite);

MODULE_DESCRIPTION("KUnit tests of liteflow's rewards");
MODULE_LICENSE("GPL");
