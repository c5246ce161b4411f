// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the control law of the congestion control "liteflow": what it
 * measures, against a second count over a list of all ACKs. tcp_liteflow_change_test.c
 * has what it makes of a model's answers, tcp_liteflow_modes_test.c start-up, probing and
 * the rest, tcp_liteflow_compete_test.c what is done beside others.
 */
#include <linux/prandom.h>

#include "tcp_liteflow_test.h"

/* -- intervals -------------------------------------------------------------- */

#define TLT_ACKS	3000

/**
 * struct tlt_list - ACKs, and what a model was asked
 * @ack: in the order in which they came
 * @len_us: length of the interval that was open after that ACK
 * @begins: an interval began with that ACK
 * @asked: an interval ended before that ACK
 * @seen: and the features of it
 * @none_us: an RTT that is no queue, when it ended
 */
struct tlt_list {
	struct tlf_ack ack[TLT_ACKS];
	u32 len_us[TLT_ACKS];
	bool begins[TLT_ACKS];
	bool asked[TLT_ACKS];
	s16 seen[TLT_ACKS][TLF_FEATURES];
	u32 none_us[TLT_ACKS];
};

/**
 * struct tlt_base - where the clock and the counters begin
 * @name: of the case
 * @now_us: the clock
 * @delivered: &tlf_ack.delivered
 * @lost: &tlf_ack.lost
 */
struct tlt_base {
	const char *name;
	u32 now_us;
	u32 delivered;
	u32 lost;
};

static const struct tlt_base tlt_bases[] = {
	{ "from zero", 0, 0, 0 },
	{ "the clock wraps", -2000000, 5, 7 },
	{ "half of the clock's range", S32_MAX - 2000000, 5, 7 },
	{ "the counters wrap", 12345, -1500, -20 },
};

static void tlt_base_name(const struct tlt_base *base, char *desc)
{
	strscpy(desc, base->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(tlt_base, tlt_bases, tlt_base_name);

/*
 * What a network might do: packets in bursts, a queue that swings, one of 40 ACKs
 * lost or late, one of 30 packets lost, one of 50 overtaken by others, one of 25
 * without an RTT.
 */
static void tlt_make_acks(struct tlt_list *list, const struct tlt_base *base, u64 seed)
{
	u32 sent_us = base->now_us, now_us = sent_us + 20000, merged = 1;
	u32 delivered = base->delivered, lost = base->lost;
	struct rnd_state rnd;
	unsigned int i = 0, n;

	prandom_seed_state(&rnd, seed);
	for (n = 0; i < TLT_ACKS; n++) {
		u32 queue_us = abs((int)(n % 800) - 400) * 50 + prandom_u32_state(&rnd) % 300;
		struct tlf_ack *ack = &list->ack[i];

		sent_us += prandom_u32_state(&rnd) % 4 ? 40 : 2500;
		if (!(prandom_u32_state(&rnd) % 30)) {
			lost++;
			continue;
		}
		if (!(prandom_u32_state(&rnd) % 40)) {
			merged++;
			continue;
		}
		delivered += merged;
		merged = 1;
		*ack = (struct tlf_ack) {
			.sent_us = sent_us,
			.rtt_us = 20000 + queue_us,
			.delivered = delivered,
			.lost = lost,
			.mss = 1448,
		};
		if (!(prandom_u32_state(&rnd) % 50))
			ack->sent_us -= 3000;
		if ((s32)(ack->sent_us + ack->rtt_us - now_us) > 0)
			now_us = ack->sent_us + ack->rtt_us;
		else
			ack->rtt_us = now_us - ack->sent_us;
		ack->now_us = now_us;
		if (!(prandom_u32_state(&rnd) % 25))
			ack->rtt_us = -1;
		i++;
	}
}

static void tlt_run(struct kunit *test, struct tlt_list *list, const struct tlt_base *base,
		    enum tlf_rule rule)
{
	struct tlt *t = tlt_flow(test, 1000000, 20000);
	unsigned int i, last;

	tlt_begin_at(t, base->now_us, base->delivered, base->lost);
	for (i = 0; i < TLT_ACKS; i++) {
		bool was_open = t->hot.open;
		u32 before = t->flow.intervals;

		list->asked[i] = tlf_on_ack(&t->hot, &t->flow, &list->ack[i], rule);
		list->begins[i] = !was_open || t->flow.intervals != before;
		list->len_us[i] = t->hot.mi_len_us;
		list->none_us[i] = t->hot.min_rtt_us;
		if (rule == TLF_RULE_PULL) {
			u32 slack_us = div64_u64(TLF_SLACK_PACKETS * 1448000000ULL, t->hot.rate);
			u32 part_us = slack_us / 4 * TLF_SLACK_LOSS;

			list->none_us[i] += slack_us - part_us +
					    tlf_less_by_loss(&t->flow, part_us, TLF_LOSS_ALLOWED);
		}
		/* the rate is to change, and with it the length */
		t->hot.rate = 500000 + i * 300;
		/* nor is a probe due for so much loss */
		t->flow.answered_us = list->ack[i].now_us;
		last = (t->flow.next + TLF_HISTORY - 1) % TLF_HISTORY;
		memcpy(list->seen[i], t->flow.history[last], sizeof(list->seen[i]));
		KUNIT_ASSERT_EQ(test, t->hot.mode, TLF_CRUISE);
	}
}

/* @got is @dividend / @divisor, but for what roundings lose */
static void tlt_expect_ratio(struct kunit *test, s16 got, s64 dividend, s64 divisor,
			     const char *what, unsigned int i)
{
	s64 exact = div64_s64(dividend * TLF_ONE, divisor);

	exact = clamp_t(s64, exact, S16_MIN, S16_MAX);
	KUNIT_EXPECT_LE_MSG(test, abs(got - exact), 2, "%s before ACK %u: %d, not %lld", what, i,
			    got, exact);
}

/* The ACKs from @from up to @to, without it, were one interval: count again. */
static void tlt_check_interval(struct kunit *test, const struct tlt_list *list,
			       unsigned int from, unsigned int to, enum tlf_rule rule)
{
	const struct tlf_ack *before = &list->ack[from - 1], *last = &list->ack[to - 1];
	const u32 base = list->ack[0].sent_us - 100000;
	s64 sum[2] = {}, n[2] = {}, least = S64_MAX, sent, acked;
	u32 begin = 0, end = 0;
	unsigned int i;

	for (i = 0; i < to; i++) {
		if (i < from)
			begin = max(begin, list->ack[i].sent_us - base);
		end = max(end, list->ack[i].sent_us - base);
	}
	for (i = from; i < to; i++) {
		u32 since = list->ack[i].sent_us - base - begin;
		bool second = (s32)since >= 0 && since >= list->len_us[from] / 2;

		if (list->ack[i].rtt_us <= 0)
			continue;
		sum[second] += list->ack[i].rtt_us;
		least = min_t(s64, least, list->ack[i].rtt_us);
		n[second]++;
		/* only the last one may be later than that */
		KUNIT_EXPECT_LT(test, (s32)since, (s32)list->len_us[from]);
	}
	/* unless the ACKs of what was sent took too long to be waited for */
	if (last->now_us - before->now_us < list->len_us[from] * 3 / 2)
		KUNIT_EXPECT_GE(test, list->ack[to].sent_us - base - begin, list->len_us[from]);

	sent = end - begin;
	acked = last->now_us - before->now_us;
	if (n[0] && n[1])
		/* (sum1 / n1 - sum0 / n0) / sent */
		tlt_expect_ratio(test, list->seen[to][0], sum[1] * n[0] - sum[0] * n[1],
				 n[0] * n[1] * sent, "inflation", to);
	else
		KUNIT_EXPECT_EQ(test, list->seen[to][0], 0);
	/* not below 1; Aurora's is of the mean */
	if (rule == TLF_RULE_AURORA)
		tlt_expect_ratio(test, list->seen[to][1],
				 max(sum[0] + sum[1], (n[0] + n[1]) * list->none_us[to]),
				 (n[0] + n[1]) * list->none_us[to], "ratio", to);
	else
		tlt_expect_ratio(test, list->seen[to][1], max(least, list->none_us[to]),
				 list->none_us[to], "ratio", to);
	tlt_expect_ratio(test, list->seen[to][2],
			 (s64)(last->delivered - before->delivered + last->lost - before->lost) *
			 acked, (s64)(last->delivered - before->delivered) * sent, "send", to);
}

static void tlt_test_features(struct kunit *test)
{
	struct tlt_list *list = kunit_kzalloc(test, sizeof(*list), GFP_KERNEL);
	const struct tlt_base *base = test->param_value;
	unsigned int seed, i, from, asked = 0;

	KUNIT_ASSERT_NOT_NULL(test, list);
	for (seed = 1; seed <= 3; seed++) {
		enum tlf_rule rule = seed % 2 ? TLF_RULE_PULL : TLF_RULE_AURORA;

		tlt_make_acks(list, base, seed);
		tlt_run(test, list, base, rule);
		for (i = 1, from = 0; i < TLT_ACKS; i++) {
			if (list->asked[i]) {
				asked++;
				if (from)
					tlt_check_interval(test, list, from, i, rule);
			}
			if (list->begins[i])
				from = i;
		}
	}
	KUNIT_EXPECT_GT(test, asked, 200);
}

/* Where the clock and the counters stand changes nothing. */
static void tlt_test_wrap(struct kunit *test)
{
	struct tlt_list *zero = kunit_kzalloc(test, sizeof(*zero), GFP_KERNEL);
	struct tlt_list *list = kunit_kzalloc(test, sizeof(*list), GFP_KERNEL);
	const struct tlt_base *base = test->param_value;

	KUNIT_ASSERT_NOT_NULL(test, zero);
	KUNIT_ASSERT_NOT_NULL(test, list);
	tlt_make_acks(zero, &tlt_bases[0], 4);
	tlt_run(test, zero, &tlt_bases[0], TLF_RULE_PULL);
	tlt_make_acks(list, base, 4);
	tlt_run(test, list, base, TLF_RULE_PULL);
	KUNIT_EXPECT_MEMEQ(test, list->asked, zero->asked, sizeof(zero->asked));
	KUNIT_EXPECT_MEMEQ(test, list->seen, zero->seen, sizeof(zero->seen));
}

/*
 * The longer of half an RTT and five packets, within limits; of a long RTT no more
 * than three quarters of the minimum count.
 */
static void tlt_test_length(struct kunit *test)
{
	static const struct {
		u64 rate;
		u32 mss;
		u32 rtt_us;
		u32 min_us;
		u32 len_us;
	} cases[] = {
		{ 1000000, 1000, 40000, 40000, 20000 },
		{ 1000000, 1000, 40000, 30000, 20000 },
		{ 1000000, 1000, 40000, 20000, 15000 },
		{ 1000000, 1000, 4000, 4000, 5000 },
		{ 100000, 1000, 40000, 40000, 50000 },
		{ TLF_RATE_MAX, 1448, 1, 1, TLF_MI_MIN_US },
		{ TLF_RATE_MAX, 1448, 300000, 300000, 150000 },
		{ TLF_RATE_MIN, 1000, 40000, 40000, 2500000 },
		{ TLF_RATE_MIN, 65535, 40000, 40000, TLF_MI_MAX_US },
		{ 1000000, 1000, U32_MAX, S32_MAX, TLF_MI_MAX_US },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tlt *t = tlt_flow(test, cases[i].rate, cases[i].rtt_us);

		t->ack.mss = cases[i].mss;
		tlt_send(t, 1, 10, cases[i].min_us);
		KUNIT_EXPECT_EQ_MSG(test, t->hot.mi_len_us, cases[i].len_us, "case %u", i);
	}
}

/* ACKs of many packets each: what arrives counts, not how often it is said. */
static void tlt_test_stretch(struct kunit *test)
{
	struct tlt *t = tlt_flow(test, 1448000, 20000);
	unsigned int i, asked = 0;

	for (i = 0; i < 20; i++) {
		t->ack.delivered += 15;
		asked += tlt_send(t, 1, 16000, 20000);
	}
	KUNIT_EXPECT_GE(test, asked, 15);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], TLF_ONE);
	KUNIT_EXPECT_EQ(test, t->flow.bw, 1448000);
}

/* What was overtaken neither ends an interval nor moves its end. */
static void tlt_test_reordered(struct kunit *test)
{
	struct tlt *t = tlt_flow(test, 1448000, 20000);
	u32 last_us, intervals;

	tlt_send(t, 25, 1000, 20000);
	last_us = t->hot.last_sent_us;
	intervals = t->flow.intervals;
	t->sent_us -= 5000;
	KUNIT_EXPECT_EQ(test, tlt_send(t, 4, 1000, 24000), 0);
	KUNIT_EXPECT_EQ(test, t->hot.last_sent_us, last_us);
	KUNIT_EXPECT_EQ(test, t->flow.intervals, intervals);
	KUNIT_EXPECT_GE(test, tlt_send(t, 40, 1000, 20000), 3);
}

/* 20 % are lost: what was sent is 5/4 of what arrives. */
static void tlt_test_lost(struct kunit *test)
{
	struct tlt *t = tlt_flow(test, 1448000, 20000);
	unsigned int i;

	for (i = 0; i < 50; i++) {
		tlt_send(t, 3, 1000, 20000);
		t->ack.lost++;
		tlt_send(t, 1, 2000, 20000);
	}
	KUNIT_EXPECT_GT(test, tlt_newest(t)[2], TLF_ONE * 115 / 100);
	KUNIT_EXPECT_LT(test, tlt_newest(t)[2], TLF_ONE * 135 / 100);
}

/* An interval that nobody measured goes on. */
static void tlt_test_unmeasured(struct kunit *test)
{
	struct tlt *t = tlt_flow(test, 1448000, 20000);
	unsigned int i, asked = 0;
	u32 intervals;

	tlt_send(t, 30, 1000, 20000);
	tlt_end_interval(t);
	intervals = t->flow.intervals;
	for (i = 0; i < 50; i++) {
		t->sent_us += 1000;
		t->ack.sent_us = t->sent_us;
		t->ack.now_us = t->sent_us + 20000;
		t->ack.rtt_us = -1;
		t->ack.delivered++;
		asked += tlf_on_ack(&t->hot, &t->flow, &t->ack, t->rule);
	}
	KUNIT_EXPECT_LE(test, asked, 1);
	KUNIT_EXPECT_LE(test, t->flow.intervals, intervals + 1);
	KUNIT_EXPECT_GE(test, tlt_send(t, 2, 1000, 20000), 1);

	/* nor if nothing arrived */
	tlt_end_interval(t);
	intervals = t->flow.intervals;
	for (i = 0; i < 50; i++) {
		t->ack.delivered--;
		tlt_send(t, 1, 1000, 20000);
	}
	KUNIT_EXPECT_EQ(test, t->flow.intervals, intervals + 1);
}

/* An interval that the application left half empty is not shown to the model. */
static void tlt_test_app_limited(struct kunit *test)
{
	struct tlt *t = tlt_flow(test, 1448000, 20000);
	u64 rate = t->hot.rate;
	u8 next;

	tlt_send(t, 30, 1000, 20000);
	tlt_end_interval(t);
	next = t->flow.next;
	t->ack.app_limited = true;
	tlt_send(t, 1, 2000, 20000);
	t->ack.app_limited = false;
	KUNIT_EXPECT_EQ(test, tlt_send(t, 6, 2000, 20000), 0);
	KUNIT_EXPECT_EQ(test, t->flow.next, next);
	KUNIT_EXPECT_EQ(test, t->hot.rate, rate);
	/* the next one is */
	tlt_end_interval(t);
	KUNIT_EXPECT_NE(test, t->flow.next, next);
	/* and one in which most of the rate was made use of */
	next = t->flow.next;
	t->ack.app_limited = true;
	tlt_send(t, 1, 1000, 20000);
	t->ack.app_limited = false;
	KUNIT_EXPECT_EQ(test, tlt_send(t, 11, 1000, 20000), 1);
	KUNIT_EXPECT_NE(test, t->flow.next, next);
}

/* Features at the ends of what their 16 bits hold. */
static void tlt_test_clamped(struct kunit *test)
{
	struct tlf_interval mi = { .delivered = 1, .sent_us = 1, .acked_us = 1, .rtt_us = 1 };
	struct tlt *t = tlt_flow(test, 1000000, 20000);

	t->hot.min_rtt_us = 1;
	mi.rtt_us = S32_MAX;
	mi.rise_us = S32_MAX;
	mi.acked_us = TLF_TIME_MAX_US;
	mi.lost = U32_MAX - 1;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_AURORA);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[0], S16_MAX);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[1], S16_MAX);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], S16_MAX);

	t->hot.min_rtt_us = S32_MAX;
	mi.rtt_us = 1;
	mi.rise_us = S32_MIN;
	mi.lost = 0;
	mi.acked_us = 1;
	mi.sent_us = TLF_TIME_MAX_US;
	mi.delivered = U32_MAX;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_AURORA);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[0], -10995);	/* -2^31 / 2 * 10^8 */
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[1], TLF_ONE);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[2], 0);
	mi.sent_us = 1;
	tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_AURORA);
	KUNIT_EXPECT_EQ(test, tlt_newest(t)[0], S16_MIN);
}

/* -- history ---------------------------------------------------------------- */

static void tlt_test_no_history(struct kunit *test)
{
	struct tlt *t = tlt_flow(test, 1000000, 20000);
	s32 in[TLF_N_IN];
	unsigned int i;

	tlf_inputs(&t->flow, in);
	for (i = 0; i < TLF_N_IN; i++)
		KUNIT_EXPECT_EQ(test, in[i], i % TLF_FEATURES ? TLF_ACTION_ONE : 0);
}

/* The oldest of ten first, however many there were. */
static void tlt_test_history(struct kunit *test)
{
	struct tlf_interval mi = { .delivered = 100, .sent_us = 1000, .acked_us = 1000 };
	struct tlt *t = tlt_flow(test, 1000000, 20000);
	s32 in[TLF_N_IN], want;
	int n, i;

	t->hot.min_rtt_us = 1000;
	for (n = 1; n <= 3 * TLF_HISTORY + 4; n++) {
		mi.rise_us = -n;
		mi.rtt_us = 1000 * n;
		mi.lost = n;
		tlf_remember(&t->hot, &t->flow, &mi, 1000, TLF_RULE_AURORA);
		tlf_inputs(&t->flow, in);
		for (i = 0; i < TLF_HISTORY; i++) {
			int k = n - TLF_HISTORY + 1 + i;	/* the k-th of them, if > 0 */
			s32 *f = in + i * TLF_FEATURES;

			want = k > 0 ? -k * TLF_ONE / 1000 * 64 : 0;
			KUNIT_EXPECT_EQ(test, f[0], want);
			want = k > 0 ? min(k * TLF_ACTION_ONE, S16_MAX * 64) : TLF_ACTION_ONE;
			KUNIT_EXPECT_EQ(test, f[1], want);
			want = k > 0 ? (100 + k) * TLF_ONE / 100 * 64 : TLF_ACTION_ONE;
			KUNIT_EXPECT_EQ(test, f[2], want);
		}
	}
}

static struct kunit_case tlt_interval_cases[] = {
	KUNIT_CASE_PARAM(tlt_test_features, tlt_base_gen_params),
	KUNIT_CASE_PARAM(tlt_test_wrap, tlt_base_gen_params),
	KUNIT_CASE(tlt_test_length),
	KUNIT_CASE(tlt_test_stretch),
	KUNIT_CASE(tlt_test_reordered),
	KUNIT_CASE(tlt_test_lost),
	KUNIT_CASE(tlt_test_unmeasured),
	KUNIT_CASE(tlt_test_app_limited),
	KUNIT_CASE(tlt_test_clamped),
	KUNIT_CASE(tlt_test_no_history),
	KUNIT_CASE(tlt_test_history),
	{}
};

static struct kunit_suite tlt_interval_suite = {
	.name = "liteflow_cc_intervals",
	.test_cases = tlt_interval_cases,
};

kunit_test_suite(tlt_interval_suite);

MODULE_DESCRIPTION("KUnit tests of what liteflow measures");
MODULE_LICENSE("GPL");
