// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the qdisc "lemu" with a model: a recurrent layer of four units that is
 * the byte queue with its limit, exactly.
 *
 * From the backlog y = h1 + h2 - h3 + h4 of the packet before it makes
 *
 *	h1 = relu(y - work)		h3 = relu(K * over)
 *	h2 = relu(size)			h4 = relu(K * over - size)
 *
 * with over = y - work + size - queue. With whole bytes and packets of at most K bytes,
 * h3 - h4 is the whole size as soon as the packet is a byte too large, and 0 before.
 */
#include <kunit/test.h>
#include <linux/crc32.h>
#include <linux/prandom.h>
#include <linux/rtnetlink.h>

#include "sch_lemu_test.h"

#define K		2048
#define UNITS		4
#define BLOB_ROOM	2048
#define QUEUE_MOST	32000

/* What is to be written next. */
struct writer {
	u8 *buf;
	size_t len;
};

static void *room(struct writer *w, size_t len)
{
	void *at = w->buf + w->len;

	w->len += len;
	return at;
}

static void put_rows(struct writer *w, const s16 *weights, unsigned int n)
{
	__le16 *at = room(w, n * sizeof(*at));
	unsigned int i;

	for (i = 0; i < n; i++)
		at[i] = cpu_to_le16(weights[i]);
}

static void put_features(struct writer *w)
{
	static const char *const inputs[] = { "work", "size", "capacity", "queue" };
	static const char *const outputs[] = { "backlog", "keep", "drop" };
	static const s32 most[] = { QUEUE_MOST + K, K, S32_MAX, QUEUE_MOST };
	unsigned int i;

	for (i = 0; i < LEMU_N_IN; i++) {
		struct liteflow_blob_feature *f = room(w, sizeof(*f));

		strscpy(f->name, inputs[i]);
		f->hi = cpu_to_le32(most[i]);
		f->mult = cpu_to_le32(1);
	}
	for (i = 0; i < LEMU_N_OUT; i++) {
		struct liteflow_blob_output *o = room(w, sizeof(*o));

		strscpy(o->name, outputs[i]);
		o->lo = cpu_to_le32(S32_MIN);
		o->hi = cpu_to_le32(S32_MAX);
		o->mult = cpu_to_le32(1);
	}
}

static void put_layer(struct writer *w, u8 type, u8 act, u16 n_in, u16 n_out)
{
	struct liteflow_blob_layer *layer = room(w, sizeof(*layer));

	layer->type = type;
	layer->act = act;
	layer->n_in = cpu_to_le16(n_in);
	layer->n_out = cpu_to_le16(n_out);
}

/* The model, in @buf of BLOB_ROOM bytes; its length. */
static size_t byte_queue(u8 *buf)
{
	/* of work, size, capacity, queue */
	static const s16 w_x[UNITS * LEMU_N_IN] = {
		-1, 0, 0, 0,
		0, 1, 0, 0,
		-K, K, 0, -K,
		-K, K - 1, 0, -K,
	};
	static const s16 w_h[UNITS * UNITS] = {
		1, 1, -1, 1,
		0, 0, 0, 0,
		K, K, -K, K,
		K, K, -K, K,
	};
	/* backlog, keep, drop */
	static const s16 out[LEMU_N_OUT * UNITS] = {
		1, 1, -1, 1,
		0, 0, 0, 1,
		0, 0, 1, 0,
	};
	struct liteflow_blob_header *header;
	struct liteflow_blob_cell *cell;
	struct writer w = { .buf = buf };

	memset(buf, 0, BLOB_ROOM);
	header = room(&w, sizeof(*header));
	put_features(&w);
	put_layer(&w, LITEFLOW_LAYER_RNN, LITEFLOW_ACT_RELU, LEMU_N_IN, UNITS);
	put_layer(&w, LITEFLOW_LAYER_DENSE, LITEFLOW_ACT_NONE, UNITS, LEMU_N_OUT);
	cell = room(&w, sizeof(*cell));
	cell->state_bits = 32;
	room(&w, UNITS * sizeof(__le64));
	put_rows(&w, w_x, ARRAY_SIZE(w_x));
	put_rows(&w, w_h, ARRAY_SIZE(w_h));
	/* both layers' parameters are multiples of 8 bytes long */
	room(&w, LEMU_N_OUT * sizeof(__le64));
	put_rows(&w, out, ARRAY_SIZE(out));

	header->magic = cpu_to_le32(LITEFLOW_BLOB_MAGIC);
	header->version = cpu_to_le16(LITEFLOW_BLOB_VERSION);
	header->header_len = cpu_to_le16(sizeof(*header));
	header->total_len = cpu_to_le32(w.len);
	header->n_in = cpu_to_le16(LEMU_N_IN);
	header->n_out = cpu_to_le16(LEMU_N_OUT);
	header->n_layers = cpu_to_le16(2);
	header->state_len = cpu_to_le16(UNITS);
	strscpy(header->name, "byte-queue");
	strscpy(header->units, LEMU_UNITS);
	header->crc = cpu_to_le32(crc32_le(~0, buf, w.len) ^ ~0);
	return w.len;
}

static void install(struct kunit *test, struct lf_app *app, u8 slot)
{
	u8 *buf = kunit_kzalloc(test, BLOB_ROOM, GFP_KERNEL);
	struct lf_error err = {};

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_EQ_MSG(test, lf_install(app, slot, buf, byte_queue(buf), NULL, &err), 0,
			    "%s", err.msg);
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

static struct kunit_case lemu_model_cases[] = {
	KUNIT_CASE_SLOW(test_oracle),
	KUNIT_CASE_SLOW(test_switch),
	KUNIT_CASE(test_to_and_fro),
	KUNIT_CASE(test_reset),
	{}
};

static struct kunit_suite lemu_model_suite = {
	.name		= "liteflow_lemu_model",
	.test_cases	= lemu_model_cases,
};

kunit_test_suite(lemu_model_suite);

MODULE_LICENSE("GPL");
