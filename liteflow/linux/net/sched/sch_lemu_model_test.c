// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the qdisc "lemu" with a model: a recurrent layer of four units that is
 * the byte queue with its limit, exactly. lf_testqueue() tells how.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/rtnetlink.h>

#include "../../kernel/liteflow/tests/testcell.h"
#include "sch_lemu_test.h"

#define BLOB_ROOM	2048
#define QUEUE_MOST	32000

static const struct lf_testqueue_names names = {
	.units	= LEMU_UNITS,
	.in	= { "work", "size", "capacity", "queue" },
	.out	= { "backlog", "keep", "drop" },
};

static void install(struct kunit *test, struct lf_app *app, u8 slot)
{
	u8 *buf = kunit_kzalloc(test, BLOB_ROOM, GFP_KERNEL);
	struct lf_error err = {};
	size_t len;

	BUILD_BUG_ON(LF_TESTQUEUE_IN != LEMU_N_IN || LF_TESTQUEUE_OUT != LEMU_N_OUT);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	len = lf_testqueue(&names, buf, BLOB_ROOM);
	KUNIT_ASSERT_GT(test, len, 0);
	KUNIT_ASSERT_EQ_MSG(test, lf_install(app, slot, buf, len, NULL, &err), 0, "%s", err.msg);
	KUNIT_ASSERT_EQ_MSG(test, lf_activate(app, slot, NULL, &err), 0, "%s", err.msg);
}

static struct lf_app *begin(struct kunit *test, struct lemu_test *t, const struct lemu_link *link)
{
	struct lf_app *app = lf_app_get_by_name(LEMU_APP);

	KUNIT_ASSERT_NOT_NULL(test, app);
	lemu_test_begin(test, t, link);
	install(test, app, 0);
	KUNIT_ASSERT_EQ(test, lemu_test_app(test, t, LEMU_APP), 0);
	KUNIT_ASSERT_NOT_NULL(test, t->q->model.state);
	return app;
}

static void end(struct lf_app *app, struct lemu_test *t)
{
	u8 slot;

	lemu_test_end(t);
	for (slot = 0; slot < 3; slot++)
		lf_remove(app, slot, LF_REMOVE_FORCE | LF_REMOVE_EVICT, NULL);
	lf_app_put(app);
}

/* Slow, so that the slowest debug kernel is quick enough for it. */
static void random_link(struct rnd_state *rnd, struct lemu_link *link)
{
	*link = (struct lemu_link) {
		.capacity = LEMU_MIN_CAPACITY << prandom_u32_state(rnd) % 9,
		.delay = prandom_u32_state(rnd) % 3 * (NSEC_PER_MSEC + 7),
		.queue = 1514 + prandom_u32_state(rnd) % (QUEUE_MOST - 1514),
		.limit = 1000000,
	};
}

static u64 random_gap(struct rnd_state *rnd, u64 mean)
{
	u32 dice = prandom_u32_state(rnd);

	if (dice % 16 == 0)
		return 0;
	if (dice % 1024 == 1)
		return 100 * NSEC_PER_SEC;
	return mean * (prandom_u32_state(rnd) % 64) / 32;
}

/* The network is the byte queue: a million packets, to the byte and the nanosecond. */
static void test_oracle(struct kunit *test)
{
	u64 lost = 0, packets = 0;
	struct lemu_link link;
	struct rnd_state rnd;
	struct lemu_test t;
	struct lf_app *app;
	unsigned int i, n;
	bool ok = true;

	prandom_seed_state(&rnd, 3);
	for (i = 0; i < 50 && ok; i++) {
		u32 most = 40 + prandom_u32_state(&rnd) % 1475;
		u64 mean;

		random_link(&rnd, &link);
		mean = div64_u64((u64)most * NSEC_PER_SEC, link.capacity);
		mean = mean * (1 + prandom_u32_state(&rnd) % 10) / 8;
		app = begin(test, &t, &link);
		for (n = 0; n < 20000 && ok; n++)
			ok = lemu_test_packet(test, &t, random_gap(&rnd, mean),
					      40 + prandom_u32_state(&rnd) % (most - 39));
		ok = ok && lemu_test_drain(test, &t);
		KUNIT_EXPECT_EQ(test, t.q->stats.fallback, 0);
		KUNIT_EXPECT_EQ(test, t.q->stats.clamped, 0);
		KUNIT_EXPECT_EQ(test, t.q->stats.lost, t.lost);
		lost += t.lost;
		packets += t.packets;
		end(app, &t);
	}
	kunit_info(test, "%llu packets, %llu of them lost", packets, lost);
	KUNIT_EXPECT_EQ(test, packets, 1000000);
	KUNIT_EXPECT_GT(test, lost, 50000);
	KUNIT_EXPECT_LT(test, lost, 900000);
}

/*
 * Another model of the same weights takes over each time: as the queue is empty once in a
 * while, the last packets tell all there is to know.
 */
static void test_switch(struct kunit *test)
{
	struct lemu_link link = { .capacity = 100000, .queue = 10000, .limit = 10000 };
	struct lemu_test t;
	struct lf_app *app = begin(test, &t, &link);
	struct rnd_state rnd;
	unsigned int i, n;
	bool ok = true;

	prandom_seed_state(&rnd, 4);
	for (i = 0; i < 100 && ok; i++) {
		for (n = 0; n < 40 && ok; n++)
			ok = lemu_test_packet(test, &t, n ? 8 * NSEC_PER_MSEC : 10 * NSEC_PER_SEC,
					      40 + prandom_u32_state(&rnd) % 1475);
		install(test, app, (i + 1) % 2);
		ok = ok && lemu_test_packet(test, &t, 1000, 100);
		flush_work(&t.q->model.work);
		KUNIT_EXPECT_EQ(test, t.q->model.version, lf_app_version(app));
		KUNIT_EXPECT_EQ(test, t.q->stats.jump, 0);
	}
	KUNIT_EXPECT_EQ(test, t.q->stats.switches, 101);
	KUNIT_EXPECT_EQ(test, t.q->stats.fallback, 0);
	KUNIT_EXPECT_TRUE(test, lemu_test_drain(test, &t));
	end(app, &t);
}

/* The byte queue goes on where the model was, and the model where the byte queue was. */
static void test_to_and_fro(struct kunit *test)
{
	struct lemu_link link = { .capacity = 100000, .queue = 10000, .limit = 10000 };
	struct lemu_test t;
	struct lf_app *app = begin(test, &t, &link);
	unsigned int i, n;

	for (i = 0; i < 20; i++) {
		for (n = 0; n < 40; n++)
			KUNIT_ASSERT_TRUE(test, lemu_test_packet(test, &t, 9 * NSEC_PER_MSEC,
								 1000));
		if (i % 2)
			install(test, app, 0);
		else
			lf_remove(app, 0, LF_REMOVE_FORCE | LF_REMOVE_EVICT, NULL);
		KUNIT_ASSERT_TRUE(test, lemu_test_packet(test, &t, 9 * NSEC_PER_MSEC, 1000));
		flush_work(&t.q->model.work);
		KUNIT_EXPECT_EQ(test, !t.q->model.state, i % 2 == 0);
		/* empty it, so that the last packets tell all */
		KUNIT_ASSERT_TRUE(test, lemu_test_packet(test, &t, 10 * NSEC_PER_SEC, 1000));
	}
	KUNIT_EXPECT_GT(test, t.q->stats.fallback, 400);
	KUNIT_EXPECT_LT(test, t.q->stats.fallback, 460);
	KUNIT_EXPECT_TRUE(test, lemu_test_drain(test, &t));
	end(app, &t);
}

/* What was on the link is forgotten by the model, too: now, and by the next one. */
static void test_reset(struct kunit *test)
{
	struct lemu_link link = { .capacity = 100000, .queue = 10000, .limit = 10000 };
	struct lemu_test t;
	struct lf_app *app = begin(test, &t, &link);
	unsigned int i, n;

	for (i = 0; i < 10; i++) {
		for (n = 0; n < 20; n++)
			KUNIT_ASSERT_TRUE(test, lemu_test_packet(test, &t, NSEC_PER_MSEC, 1000));
		lemu_test_reset(&t);
		KUNIT_EXPECT_EQ(test, t.sch->q.qlen, 0);
		if (i % 2) {
			install(test, app, (i / 2 + 1) % 2);
			KUNIT_ASSERT_TRUE(test, lemu_test_packet(test, &t, 1000, 100));
			flush_work(&t.q->model.work);
			KUNIT_EXPECT_EQ(test, t.q->stats.jump, 0);
		}
	}
	KUNIT_EXPECT_EQ(test, t.q->stats.fallback, 0);
	KUNIT_EXPECT_TRUE(test, lemu_test_drain(test, &t));
	end(app, &t);
}

/* Packets larger than any the model knows, and than any piece of them. */
static void test_pieces(struct kunit *test)
{
	struct lemu_link link = { .capacity = 100000, .queue = 30000, .limit = 10000 };
	struct lemu_test t;
	struct lf_app *app = begin(test, &t, &link);
	struct rnd_state rnd;
	unsigned int n;
	bool ok = true;

	prandom_seed_state(&rnd, 5);
	/* what is not lost is the byte queue, to the byte: 90 ms are 9000 bytes */
	for (n = 0; n < 1000 && ok; n++)
		ok = lemu_test_packet(test, &t, 90 * NSEC_PER_MSEC,
				      prandom_u32_state(&rnd) % 9000 + 1);
	install(test, app, 1);
	ok = ok && lemu_test_packet(test, &t, 90 * NSEC_PER_MSEC, 9000);
	flush_work(&t.q->model.work);
	KUNIT_EXPECT_EQ(test, t.q->stats.switches, 2);
	KUNIT_EXPECT_EQ(test, t.q->stats.jump, 0);
	ok = ok && lemu_test_packet(test, &t, 90 * NSEC_PER_MSEC, 9000);
	KUNIT_EXPECT_EQ(test, t.q->stats.lost, 0);
	KUNIT_EXPECT_EQ(test, t.q->stats.clamped, 0);
	KUNIT_EXPECT_TRUE(test, ok && lemu_test_drain(test, &t));

	/* 3 * 9000 fit; of the fourth one piece, and so it is lost */
	lemu_test_reset(&t);
	for (n = 1; n <= 4; n++) {
		KUNIT_EXPECT_EQ(test, lemu_test_enqueue(test, &t, 9000),
				n < 4 ? NET_XMIT_SUCCESS : NET_XMIT_SUCCESS | __NET_XMIT_BYPASS);
		KUNIT_EXPECT_EQ(test, t.q->backlog,
				n < 4 ? n * 9000 : 3 * 9000 + LF_TESTQUEUE_SIZE);
	}
	KUNIT_EXPECT_EQ(test, t.q->stats.lost, 1);
	KUNIT_EXPECT_EQ(test, t.q->stats.fallback, 0);
	lemu_test_reset(&t);
	end(app, &t);
}

static struct kunit_case lemu_model_cases[] = {
	KUNIT_CASE_SLOW(test_oracle),
	KUNIT_CASE_SLOW(test_switch),
	KUNIT_CASE(test_to_and_fro),
	KUNIT_CASE(test_reset),
	KUNIT_CASE(test_pieces),
	{}
};

static struct kunit_suite lemu_model_suite = {
	.name		= "liteflow_lemu_model",
	.test_cases	= lemu_model_cases,
};

kunit_test_suite(lemu_model_suite);

MODULE_LICENSE("GPL");
