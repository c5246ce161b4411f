/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the learned load balancer: the guard's arithmetic
 *
 * Samples are made up; nothing here needs SMP or a scheduler.
 */
#ifdef CONFIG_JC_SCHED_KUNIT_TEST

#ifndef _JC_HARM_KUNIT_H
#define _JC_HARM_KUNIT_H

#include <kunit/test.h>

#include <linux/bitops.h>

/* Half of the CPUs idle, though as many tasks wait for them. */
static const struct jc_guard_sample jc_starving = {
	.cpus = 8, .busy = 4, .starved = 4, .waiting = 4, .runnable = 8,
	.decisions = 9, .ms = 4,
};

/* As many tasks waiting, but every CPU has work. */
static const struct jc_guard_sample jc_fine = {
	.cpus = 8, .busy = 8, .waiting = 4, .runnable = 12, .decisions = 9, .ms = 4,
};

/* Nobody asks. */
static const struct jc_guard_sample jc_nobody = { .cpus = 8, .ms = 4 };

static unsigned int jc_share(const struct jc_guard_sample *s, enum jc_harm harm)
{
	unsigned int share[JC_NR_HARMS];

	jc_guard_shares(s, share);
	return share[harm];
}

static void jc_guard_test_shares(struct kunit *test)
{
	struct jc_guard_sample s = jc_starving;

	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_IDLE), 500);
	/* nobody waits: an idle CPU is no harm */
	s.waiting = 0;
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_IDLE), 0);
	/* one waits: one CPU is lost, not four */
	s.waiting = 1;
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_IDLE), 200);
	s.starved = 0;
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_IDLE), 0);

	s = jc_fine;
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_WAIT), 0);
	s.excess = 3;
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_WAIT), 250);
	/* the counts are of different moments */
	s.excess = 100;
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_WAIT), 1000);

	s = jc_fine;
	s.cost_ns = 500000;
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_BACK), 0);
	/* 32 ms of CPU time, 2 of them lost */
	s.backs = 2;
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_BACK), 62);
	s.cost_ns = 0;
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_BACK), 0);
	/* migration_cost_ns of -1 */
	s.cost_ns = U32_MAX;
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_BACK), 1000);
}

/* No sample may divide by zero or exceed the scale. */
static void jc_guard_test_extremes(struct kunit *test)
{
	static const unsigned int values[] = { 0, 1, 1000, U32_MAX };
	unsigned int share[JC_NR_HARMS];
	struct jc_guard_sample s;
	unsigned int i, j, n = 0;

	for (i = 0; i < 4 * 4 * 4 * 4; i++) {
		s = (struct jc_guard_sample){
			.busy = values[i & 3], .starved = values[i >> 2 & 3],
			.waiting = values[i >> 4 & 3], .runnable = values[i >> 6 & 3],
			.excess = values[i & 3], .backs = values[i >> 2 & 3],
			.cost_ns = values[i >> 4 & 3], .ms = i & 1 ? 0 : JC_GUARD_MAX_MS,
		};
		jc_guard_shares(&s, share);
		for (j = 0; j < JC_NR_HARMS; j++) {
			KUNIT_EXPECT_LE(test, share[j], JC_GUARD_SCALE);
			n += share[j] > 0;
		}
	}
	KUNIT_EXPECT_GT(test, n, 0);

	KUNIT_EXPECT_EQ(test, jc_guard_level(U32_MAX, 32000, 0), U32_MAX);
	KUNIT_EXPECT_EQ(test, jc_guard_level(100, 0, 960), 0);
	KUNIT_EXPECT_EQ(test, jc_guard_level(100, 0, 250ULL * U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, jc_guard_level(0, 2000, 120), 1880);
	KUNIT_EXPECT_EQ(test, jc_guard_level(1000, 40, 120), 920);
}

/* Feeds samples until something comes of it; returns the ms that this took. */
static unsigned int jc_until(struct jc_guard *g, const struct jc_guard_sample *s,
			     enum jc_guard_event want, unsigned int most)
{
	enum jc_guard_event event;
	unsigned int ms = 0;

	while (ms < most) {
		ms += s->ms;
		event = jc_guard_step(g, s, s->ms);
		if (event != JC_GUARD_NOTHING)
			return event == want ? ms : 0;
	}
	return 0;
}

static void jc_guard_test_trips(struct kunit *test)
{
	struct jc_guard g;
	unsigned int ms;

	jc_guard_init(&g);
	ms = jc_until(&g, &jc_starving, JC_GUARD_TRIPS, 1000);
	/* 15 ms of the whole machine, half of which is lost */
	KUNIT_EXPECT_EQ(test, ms, 32);
	KUNIT_EXPECT_TRUE(test, g.tripped);
	KUNIT_EXPECT_EQ(test, g.harm, JC_HARM_IDLE);
	KUNIT_EXPECT_EQ(test, g.trips, 1);
	KUNIT_EXPECT_EQ(test, g.left_ms, JC_GUARD_BACKOFF_MS);
	/* what was lost until then is hardly more than the limit */
	KUNIT_EXPECT_LE(test, g.total[JC_HARM_IDLE], JC_GUARD_SCALE * JC_GUARD_LIMIT_MS * 11 / 10);
}

static void jc_guard_test_each_harm(struct kunit *test)
{
	struct jc_guard_sample s = jc_fine;
	struct jc_guard g;

	s.excess = 6;
	jc_guard_init(&g);
	KUNIT_EXPECT_GT(test, jc_until(&g, &s, JC_GUARD_TRIPS, 10000), 0);
	KUNIT_EXPECT_EQ(test, g.harm, JC_HARM_WAIT);

	s = jc_fine;
	s.backs = 2;
	s.cost_ns = 500000;
	jc_guard_init(&g);
	KUNIT_EXPECT_GT(test, jc_until(&g, &s, JC_GUARD_TRIPS, 10000), 0);
	KUNIT_EXPECT_EQ(test, g.harm, JC_HARM_BACK);
}

/* What is tolerated, and harm that comes in spots, never trips. */
static void jc_guard_test_tolerates(struct kunit *test)
{
	struct jc_guard_sample s = jc_starving;
	struct jc_guard g;
	int i;

	jc_guard_init(&g);
	KUNIT_EXPECT_EQ(test, jc_until(&g, &jc_fine, JC_GUARD_TRIPS, 100000), 0);
	KUNIT_EXPECT_EQ(test, jc_until(&g, &jc_nobody, JC_GUARD_TRIPS, 100000), 0);
	/* the time in which there were decisions */
	KUNIT_EXPECT_EQ(test, g.watched_ms, 100000);

	/* one CPU in 64 */
	s.busy = 63;
	s.starved = 1;
	KUNIT_EXPECT_EQ(test, jc_until(&g, &s, JC_GUARD_TRIPS, 100000), 0);
	KUNIT_EXPECT_EQ(test, g.level[JC_HARM_IDLE], 0);

	/* 8 ms of it in 200 */
	for (i = 0; i < 1000; i++) {
		KUNIT_EXPECT_EQ(test, jc_until(&g, &jc_starving, JC_GUARD_TRIPS, 8), 0);
		KUNIT_EXPECT_EQ(test, jc_until(&g, &jc_fine, JC_GUARD_TRIPS, 192), 0);
	}
	KUNIT_EXPECT_FALSE(test, g.tripped);
	KUNIT_EXPECT_EQ(test, g.trips, 0);
}

static void jc_guard_test_comes_back(struct kunit *test)
{
	unsigned int backoff = JC_GUARD_BACKOFF_MS, first, again, i;
	struct jc_guard g;

	jc_guard_init(&g);
	first = jc_until(&g, &jc_starving, JC_GUARD_TRIPS, 1000);
	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_EQ(test, jc_until(&g, &jc_starving, JC_GUARD_CHANCE, 1000000),
				backoff);
		KUNIT_EXPECT_FALSE(test, g.tripped);
		again = jc_until(&g, &jc_starving, JC_GUARD_TRIPS, 1000);
		/* on half the limit */
		KUNIT_EXPECT_GT(test, again, 0);
		KUNIT_EXPECT_LE(test, again, first / 2 + jc_starving.ms);
		backoff = min(2 * backoff, JC_GUARD_BACKOFF_MAX);
	}
	KUNIT_EXPECT_EQ(test, backoff, JC_GUARD_BACKOFF_MAX);
	KUNIT_EXPECT_EQ(test, g.trips, 11);
}

static void jc_guard_test_trusts_again(struct kunit *test)
{
	struct jc_guard g;

	jc_guard_init(&g);
	KUNIT_EXPECT_GT(test, jc_until(&g, &jc_starving, JC_GUARD_TRIPS, 1000), 0);
	KUNIT_EXPECT_EQ(test, jc_until(&g, &jc_fine, JC_GUARD_CHANCE, 10000),
			JC_GUARD_BACKOFF_MS);
	KUNIT_EXPECT_TRUE(test, g.again);
	/* time in which nothing is to be done proves nothing */
	KUNIT_EXPECT_EQ(test, jc_until(&g, &jc_nobody, JC_GUARD_TRUSTED, 100000), 0);
	KUNIT_EXPECT_EQ(test, jc_until(&g, &jc_fine, JC_GUARD_TRUSTED, 10000),
			JC_GUARD_BACKOFF_MS);
	KUNIT_EXPECT_FALSE(test, g.again);
	KUNIT_EXPECT_EQ(test, g.backoff_ms, JC_GUARD_BACKOFF_MS);
	/* and then the whole limit again */
	KUNIT_EXPECT_EQ(test, jc_until(&g, &jc_starving, JC_GUARD_TRIPS, 1000), 32);
}

/*
 * A sample that comes late stands for a short time, but harm wears off, and the
 * back-off goes on, for as long as it took.
 */
static void jc_guard_test_late(struct kunit *test)
{
	struct jc_guard_sample s = jc_starving;
	struct jc_guard g;
	unsigned int i;

	jc_guard_init(&g);
	for (i = 0; i < 7; i++)
		KUNIT_EXPECT_EQ(test, jc_guard_step(&g, &s, s.ms), JC_GUARD_NOTHING);
	KUNIT_EXPECT_EQ(test, jc_guard_step(&g, &s, 60000), JC_GUARD_NOTHING);
	KUNIT_EXPECT_EQ(test, g.level[JC_HARM_IDLE], 0);
	KUNIT_EXPECT_EQ(test, g.watched_ms, 7 * 4 + JC_GUARD_MAX_TRUST_MS);
	KUNIT_EXPECT_EQ(test, jc_until(&g, &s, JC_GUARD_TRIPS, 1000), 32);
	KUNIT_EXPECT_EQ(test, jc_guard_step(&g, &s, 60000), JC_GUARD_CHANCE);
}

/* A set holds one or two epochs, and forgets them. */
static void jc_guard_test_set(struct kunit *test)
{
	struct jc_guard_set set = {};
	unsigned int pid;

	KUNIT_EXPECT_EQ(test, hweight_long(jc_guard_set_recent(&set, 5)), 0);
	jc_guard_set_add(&set, 70, 5);
	jc_guard_set_add(&set, 71, 5);
	jc_guard_set_add(&set, 71, 5);
	KUNIT_EXPECT_TRUE(test, jc_guard_set_has(&set, 70, 5));
	KUNIT_EXPECT_FALSE(test, jc_guard_set_has(&set, 72, 5));
	KUNIT_EXPECT_FALSE(test, jc_guard_set_has(&set, 70, 6));
	KUNIT_EXPECT_EQ(test, hweight_long(jc_guard_set_recent(&set, 5)), 2);
	KUNIT_EXPECT_EQ(test, hweight_long(jc_guard_set_recent(&set, 6)), 2);
	KUNIT_EXPECT_EQ(test, hweight_long(jc_guard_set_recent(&set, 7)), 0);
	/* the epoch before counts as well, an older one does not */
	jc_guard_set_add(&set, 72, 6);
	KUNIT_EXPECT_EQ(test, hweight_long(jc_guard_set_recent(&set, 6)), 3);
	KUNIT_EXPECT_EQ(test, hweight_long(jc_guard_set_recent(&set, 7)), 1);
	jc_guard_set_add(&set, 73, 9);
	KUNIT_EXPECT_EQ(test, hweight_long(jc_guard_set_recent(&set, 9)), 1);
	/* the number of an epoch wraps */
	jc_guard_set_add(&set, 1, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, hweight_long(jc_guard_set_recent(&set, ULONG_MAX)), 1);
	KUNIT_EXPECT_EQ(test, hweight_long(jc_guard_set_recent(&set, 0)), 1);
	jc_guard_set_add(&set, 2, 0);
	KUNIT_EXPECT_EQ(test, hweight_long(jc_guard_set_recent(&set, 0)), 2);
	for (pid = 0; pid < 1000; pid++)
		jc_guard_set_add(&set, pid, 0);
	KUNIT_EXPECT_EQ(test, hweight_long(jc_guard_set_recent(&set, 0)), BITS_PER_LONG);
}

/*
 * A machine of 64 CPUs, 40 of them busy; on the first one wait 20 tasks more, of
 * which @kept were refused, as were the first @refused of the idle CPUs.
 */
static void jc_see_machine(struct jc_guard_sample *s, unsigned int refused, unsigned int kept)
{
	unsigned int cpu;

	memset(s, 0, sizeof(*s));
	for (cpu = 0; cpu < 64; cpu++) {
		struct jc_guard_view v = {
			.busy = cpu < 40,
			.refused = cpu >= 40 && cpu < 40 + refused,
			.nr = cpu ? cpu < 40 : 21,
			.kept = cpu ? 0 : kept,
		};

		jc_guard_see(s, &v);
	}
	s->decisions = 100;
	s->ms = 4;
}

/*
 * Only CPUs that were themselves refused are starved, and only tasks that were
 * refused are waiting: 23 CPUs of the same node, isolated ones or ones of another
 * partition could not have helped, and nor would pinned tasks have moved.
 */
static void jc_guard_test_blames_no_others(struct kunit *test)
{
	struct jc_guard_sample s;
	struct jc_guard g;

	jc_guard_init(&g);
	jc_see_machine(&s, 1, 20);
	KUNIT_EXPECT_EQ(test, s.cpus, 64);
	KUNIT_EXPECT_EQ(test, s.busy, 40);
	KUNIT_EXPECT_EQ(test, s.starved, 1);
	KUNIT_EXPECT_EQ(test, s.waiting, 20);
	KUNIT_EXPECT_EQ(test, s.runnable, 60);
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_IDLE), 24);
	KUNIT_EXPECT_EQ(test, jc_until(&g, &s, JC_GUARD_TRIPS, 100000), 0);

	/* all of them were refused, but the tasks are pinned */
	jc_see_machine(&s, 24, 0);
	KUNIT_EXPECT_EQ(test, s.starved, 24);
	KUNIT_EXPECT_EQ(test, s.waiting, 0);
	KUNIT_EXPECT_EQ(test, jc_until(&g, &s, JC_GUARD_TRIPS, 100000), 0);

	/* all but one of the tasks are */
	jc_see_machine(&s, 24, 1);
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_IDLE), 24);
	KUNIT_EXPECT_EQ(test, jc_until(&g, &s, JC_GUARD_TRIPS, 100000), 0);

	/* a third of the machine, by the network's doing */
	jc_see_machine(&s, 24, 20);
	KUNIT_EXPECT_EQ(test, jc_share(&s, JC_HARM_IDLE), 333);
	KUNIT_EXPECT_EQ(test, jc_until(&g, &s, JC_GUARD_TRIPS, 1000), 52);
	KUNIT_EXPECT_EQ(test, g.harm, JC_HARM_IDLE);
}

/* More tasks were refused than still wait, and some of them run by now. */
static void jc_guard_test_see(struct kunit *test)
{
	struct jc_guard_view v = { .busy = true, .nr = 3, .kept = 9, .kept_busy = 9 };
	struct jc_guard_view idle = { .refused = true };
	struct jc_guard_sample s = {};

	jc_guard_see(&s, &v);
	KUNIT_EXPECT_EQ(test, s.waiting, 2);
	v.nr = 1;
	jc_guard_see(&s, &v);
	v.nr = 0;
	jc_guard_see(&s, &v);
	KUNIT_EXPECT_EQ(test, s.waiting, 2);
	/* busy with a task of another class */
	v.refused = true;
	jc_guard_see(&s, &v);
	KUNIT_EXPECT_EQ(test, s.starved, 0);
	jc_guard_see(&s, &idle);
	KUNIT_EXPECT_EQ(test, s.starved, 1);
	KUNIT_EXPECT_EQ(test, s.cpus, 5);
	KUNIT_EXPECT_EQ(test, s.runnable, 4);

	/* the average is 1: of 3 tasks, 2 are above it; refused were 9, then 1 */
	v.nr = 3;
	jc_guard_see_excess(&s, &v);
	KUNIT_EXPECT_EQ(test, s.excess, 2);
	v.kept_busy = 1;
	jc_guard_see_excess(&s, &v);
	KUNIT_EXPECT_EQ(test, s.excess, 3);
	jc_guard_see_excess(&s, &idle);
	KUNIT_EXPECT_EQ(test, s.excess, 3);
	/* no CPU was seen: no division by 0 */
	s = (struct jc_guard_sample){};
	jc_guard_see_excess(&s, &v);
	KUNIT_EXPECT_EQ(test, s.excess, 1);
}

static struct kunit_case jc_guard_cases[] = {
	KUNIT_CASE(jc_guard_test_shares),
	KUNIT_CASE(jc_guard_test_extremes),
	KUNIT_CASE(jc_guard_test_trips),
	KUNIT_CASE(jc_guard_test_each_harm),
	KUNIT_CASE(jc_guard_test_tolerates),
	KUNIT_CASE(jc_guard_test_comes_back),
	KUNIT_CASE(jc_guard_test_trusts_again),
	KUNIT_CASE(jc_guard_test_late),
	KUNIT_CASE(jc_guard_test_set),
	KUNIT_CASE(jc_guard_test_see),
	KUNIT_CASE(jc_guard_test_blames_no_others),
	{}
};

static struct kunit_suite jc_guard_suite = {
	.name = "jc_guard",
	.test_cases = jc_guard_cases,
};

kunit_test_suite(jc_guard_suite);

#endif /* _JC_HARM_KUNIT_H */

#endif /* CONFIG_JC_SCHED_KUNIT_TEST */
