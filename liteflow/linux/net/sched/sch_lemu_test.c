// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the qdisc "lemu": its arithmetic, and packets through the qdisc at
 * times of the test's choice, against the same queue in plain arithmetic.
 */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/math64.h>
#include <linux/netdevice.h>
#include <linux/prandom.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>

#include "sch_lemu_test.h"

static void test_clock(struct kunit *test)
{
	struct lemu_clock clock = {};

	KUNIT_EXPECT_EQ(test, lemu_clock_read(&clock, 1000), 1000);
	KUNIT_EXPECT_EQ(test, lemu_clock_read(&clock, 1500), 1500);
	/* back: it stands still for a moment, and goes on */
	KUNIT_EXPECT_EQ(test, lemu_clock_read(&clock, 200), 1500);
	KUNIT_EXPECT_EQ(test, lemu_clock_read(&clock, 300), 1600);
	KUNIT_EXPECT_EQ(test, lemu_clock_raw(&clock, 2000), 700);
	/* forward, by 500 years */
	KUNIT_EXPECT_EQ(test, lemu_clock_read(&clock, 1ULL << 62), (1ULL << 62) + 1300);
	KUNIT_EXPECT_EQ(test, lemu_clock_read(&clock, 0), (1ULL << 62) + 1300);
	KUNIT_EXPECT_EQ(test, lemu_clock_read(&clock, 1), (1ULL << 62) + 1301);
}

/* What is taken adds up to the whole, however it is cut. */
static void test_pace(struct kunit *test)
{
	static const u64 capacities[] = {
		LEMU_MIN_CAPACITY, 1001, 250000, 125000000, 999999937, 12345678901ULL,
		LEMU_MAX_CAPACITY,
	};
	struct rnd_state rnd;
	unsigned int i, n;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < ARRAY_SIZE(capacities); i++) {
		u64 capacity = capacities[i], begin = prandom_u32_state(&rnd), now = begin;
		/* so that neither a step nor the sum is beyond what is counted */
		u64 most = div64_u64(LEMU_MAX_WORK * 900000000ULL, capacity);
		struct lemu_pace pace = {};
		u64 sum = 0;

		KUNIT_EXPECT_EQ(test, lemu_pace_take(&pace, capacity, now), 0);
		for (n = 0; n < 1000; n++) {
			now += div_u64(most, 1 + prandom_u32_state(&rnd) % 5000);
			if (n % 3 == 0)
				lemu_pace_advance(&pace, capacity, now - 1);
			sum += lemu_pace_take(&pace, capacity, now);
		}
		KUNIT_EXPECT_EQ(test, sum,
				mul_u64_u64_div_u64(capacity, now - begin, NSEC_PER_SEC));
	}
}

/* However long nothing came: no overflow, and the fraction is right afterwards. */
static void test_pace_long(struct kunit *test)
{
	static const u64 gaps[] = { 1, NSEC_PER_SEC, 1ULL << 40, 1ULL << 50, 3600ULL << 33 };
	struct lemu_pace pace = {};
	unsigned int i, n;
	u64 now = 12345;

	for (n = 0; n < 20; n++) {
		u64 capacity = 1000003ULL * (n + 1), begin = now, before, whole;

		pace = (struct lemu_pace) {};
		lemu_pace_take(&pace, capacity, now);
		for (i = 0; i < ARRAY_SIZE(gaps); i++) {
			before = mul_u64_u64_div_u64(capacity, now - begin, NSEC_PER_SEC);
			now += gaps[i] + n;
			whole = mul_u64_u64_div_u64(capacity, now - begin, NSEC_PER_SEC);
			KUNIT_EXPECT_EQ(test, lemu_pace_take(&pace, capacity, now),
					min_t(u64, whole - before, LEMU_MAX_WORK));
		}
	}
}

static void test_departure(struct kunit *test)
{
	struct lemu_link link = { .capacity = 250000, .delay = 10 * NSEC_PER_MSEC };

	/* 5,000 bytes at 2 Mbit/s are 20 ms */
	KUNIT_EXPECT_EQ(test, lemu_departure(&link, 0, 1000, 5000), 30 * NSEC_PER_MSEC + 1000);
	/* never before the previous packet */
	KUNIT_EXPECT_EQ(test, lemu_departure(&link, 1ULL << 40, 1000, 5000), 1ULL << 40);
	/* the last bit has to be out */
	link.capacity = 3000;
	KUNIT_EXPECT_EQ(test, lemu_departure(&link, 0, 0, 1), 10 * NSEC_PER_MSEC + 333334);
	/* the most that options and models allow, after centuries */
	link = (struct lemu_link) { .capacity = LEMU_MIN_CAPACITY, .delay = LEMU_MAX_DELAY };
	KUNIT_EXPECT_EQ(test, lemu_departure(&link, 0, 1ULL << 62, 1U << 31),
			(1ULL << 62) + LEMU_MAX_DELAY + (1ULL << 31) * 1000000);
}

static void test_limit(struct kunit *test)
{
	struct lemu_link link = { .capacity = 250000, .queue = 5120 };

	KUNIT_EXPECT_EQ(test, lemu_default_limit(&link), 5120 / LEMU_SMALLEST + 1);
	link.delay = 100 * NSEC_PER_MSEC;
	KUNIT_EXPECT_EQ(test, lemu_default_limit(&link), (5120 + 25000) / LEMU_SMALLEST + 1);
	link = (struct lemu_link) {
		.capacity = LEMU_MAX_CAPACITY, .queue = LEMU_MAX_QUEUE, .delay = LEMU_MAX_DELAY,
	};
	KUNIT_EXPECT_EQ(test, lemu_default_limit(&link), U32_MAX);
	KUNIT_EXPECT_EQ(test, lemu_per_ms(250000), 250);
	KUNIT_EXPECT_EQ(test, lemu_per_ms(LEMU_MIN_CAPACITY), 1);
	KUNIT_EXPECT_EQ(test, lemu_per_ms(1500), 2);
}

/* Packets of one link; false after the first that differs. */
static bool run_link(struct kunit *test, struct lemu_test *t, struct rnd_state *rnd,
		     const struct lemu_link *link, unsigned int n)
{
	/* loads from a tenth to ten times the capacity, pauses, bursts */
	u32 most = 40 + prandom_u32_state(rnd) % 1475;
	u64 mean = div64_u64((u64)most * NSEC_PER_SEC / 2, link->capacity);

	mean = div_u64(mean, 1 + prandom_u32_state(rnd) % 10) * (prandom_u32_state(rnd) % 10 + 1);
	while (n--) {
		u32 dice = prandom_u32_state(rnd);
		u64 gap = mean * (prandom_u32_state(rnd) % 64) / 32;

		if (dice % 16 == 0)
			gap = 0;
		else if (dice % 1024 == 1)
			gap = 10 * NSEC_PER_SEC;
		else if (dice % 65536 == 2)
			gap = 180ULL * 86400 * NSEC_PER_SEC;
		if (!lemu_test_packet(test, t, gap, 40 + prandom_u32_state(rnd) % (most - 39)))
			return false;
	}
	return lemu_test_drain(test, t);
}

/* A million packets over 100 links: losses and departures, to the nanosecond. */
static void test_byte_queue(struct kunit *test)
{
	struct rnd_state rnd;
	struct lemu_test t;
	unsigned int i;
	u64 lost = 0, packets = 0;

	prandom_seed_state(&rnd, 2);
	for (i = 0; i < 100; i++) {
		struct lemu_link link = {
			.capacity = LEMU_MIN_CAPACITY << prandom_u32_state(&rnd) % 20,
			.delay = prandom_u32_state(&rnd) % 3 * (NSEC_PER_MSEC + 7),
			.queue = 1514 + prandom_u32_state(&rnd) % 30000,
			.limit = 1000000,
		};

		link.capacity += prandom_u32_state(&rnd) % 1000;
		lemu_test_begin(test, &t, &link);
		if (!run_link(test, &t, &rnd, &link, 10000))
			i = 100;
		lost += t.lost;
		packets += t.packets;
		KUNIT_EXPECT_EQ(test, t.q->stats.lost, t.lost);
		KUNIT_EXPECT_EQ(test, t.q->stats.packets, t.packets);
		KUNIT_EXPECT_EQ(test, t.sch->qstats.drops, t.lost);
		lemu_test_end(&t);
	}
	kunit_info(test, "%llu packets, %llu of them lost", packets, lost);
	KUNIT_EXPECT_EQ(test, packets, 1000000);
	/* both happen, often */
	KUNIT_EXPECT_GT(test, lost, 50000);
	KUNIT_EXPECT_LT(test, lost, 900000);
}

/* The clock goes back in the midst of it: nobody waits for it to catch up. */
static void test_clock_back(struct kunit *test)
{
	struct lemu_link link = { .capacity = 1000000, .queue = 15140, .limit = 100 };
	struct lemu_test t;
	unsigned int i;

	lemu_test_begin(test, &t, &link);
	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_TRUE(test, lemu_test_packet(test, &t, 1000, 1000));
	t.shift = -(s64)(t.now - 5);	/* it shows 5 ns again */
	KUNIT_EXPECT_TRUE(test, lemu_test_packet(test, &t, 0, 1000));
	KUNIT_EXPECT_TRUE(test, lemu_test_drain(test, &t));
	lemu_test_end(&t);
}

static void test_over_limit(struct kunit *test)
{
	struct lemu_link link = { .capacity = 1000000, .queue = 15140, .limit = 3 };
	struct lemu_test t;
	unsigned int i;

	lemu_test_begin(test, &t, &link);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_TRUE(test, lemu_test_packet(test, &t, 0, 100));
	KUNIT_EXPECT_EQ(test, lemu_test_enqueue(test, &t, 100), NET_XMIT_DROP);
	KUNIT_EXPECT_EQ(test, t.q->stats.over_limit, 1);
	KUNIT_EXPECT_EQ(test, t.q->stats.lost, 0);
	KUNIT_EXPECT_EQ(test, t.sch->qstats.drops, 1);
	/* it was never on the link */
	KUNIT_EXPECT_EQ(test, t.q->backlog, 300);
	KUNIT_EXPECT_TRUE(test, lemu_test_drain(test, &t));
	lemu_test_end(&t);
}

/* In a change, what is left out stays; what is wrong changes nothing; packets stay. */
static void test_change(struct kunit *test)
{
	struct lemu_link link = { .capacity = 1000000, .queue = 15140, .delay = 5000 };
	struct lemu_link wrong = { .capacity = 999, .queue = 30000 }, slow = { .capacity = 1000 };
	struct lemu_test t;

	lemu_test_begin(test, &t, &link);
	KUNIT_EXPECT_EQ(test, t.sch->limit, lemu_default_limit(&link));
	KUNIT_ASSERT_TRUE(test, lemu_test_packet(test, &t, 0, 1000));
	KUNIT_EXPECT_EQ(test, lemu_test_change(test, &t, &wrong), -ERANGE);
	KUNIT_EXPECT_EQ(test, t.q->link.queue, 15140);
	KUNIT_EXPECT_EQ(test, t.sch->q.qlen, 1);
	KUNIT_EXPECT_EQ(test, lemu_test_change(test, &t, &slow), 0);
	KUNIT_EXPECT_EQ(test, t.q->link.capacity, 1000);
	KUNIT_EXPECT_EQ(test, t.q->link.delay, 5000);
	KUNIT_EXPECT_EQ(test, t.sch->q.qlen, 1);
	KUNIT_EXPECT_EQ(test, t.q->backlog, 1000);
	KUNIT_EXPECT_TRUE(test, lemu_test_drain(test, &t));
	lemu_test_end(&t);
}

static struct kunit_case lemu_cases[] = {
	KUNIT_CASE(test_clock),
	KUNIT_CASE(test_pace),
	KUNIT_CASE(test_pace_long),
	KUNIT_CASE(test_departure),
	KUNIT_CASE(test_limit),
	KUNIT_CASE_SLOW(test_byte_queue),
	KUNIT_CASE(test_clock_back),
	KUNIT_CASE(test_over_limit),
	KUNIT_CASE(test_change),
	{}
};

static struct kunit_suite lemu_suite = {
	.name		= "liteflow_lemu",
	.test_cases	= lemu_cases,
};

kunit_test_suite(lemu_suite);

MODULE_LICENSE("GPL");
