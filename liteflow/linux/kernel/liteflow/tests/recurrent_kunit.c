// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of LiteFlow's recurrent layers: the arithmetic against a queue, and
 * against user space.
 */
#include <kunit/test.h>
#include <linux/liteflow_engine.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "testcell.h"
#include "testmodel.h"

/* With KASAN a packet takes some microseconds. */
#define LF_QUEUE_PACKETS	(IS_ENABLED(CONFIG_KASAN) ? 1000000 : 20000000)

static const struct lf_limits lf_any = { .max_state = LF_TESTCELL_STATE };

static int lf_recurrent_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, LF_TESTCELL_BUF, GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

/* A layer of four units is the byte queue with its limit, to the byte and the packet. */
static void lf_recurrent_test_queue(struct kunit *test)
{
	u32 drops, wrong;

	KUNIT_ASSERT_EQ(test, lf_testqueue_run(2, LF_QUEUE_PACKETS, test->priv, LF_TESTCELL_BUF,
					       &drops, &wrong), 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, drops, LF_QUEUE_PACKETS / 50);
	KUNIT_EXPECT_LT(test, drops, LF_QUEUE_PACKETS / 2);
}

/* User space has the same answers and the same states. */
static void lf_recurrent_test_digest(struct kunit *test)
{
	u32 digest, answers;

	KUNIT_ASSERT_EQ(test, lf_testcell_digest(200, test->priv, LF_TESTCELL_BUF, &digest,
						 &answers), 0);
	KUNIT_EXPECT_EQ(test, digest, LF_TESTCELL_DIGEST_200);
	KUNIT_EXPECT_GT(test, answers, 100000);
}

static void lf_refused(struct kunit *test, const struct lf_limits *limits, const char *reason)
{
	struct liteflow_blob_header *h = test->priv;
	struct lf_model *m;
	struct lf_error err;

	lf_testmodel_fix(h, le32_to_cpu(h->total_len));
	KUNIT_EXPECT_EQ(test, lf_model_parse(h, le32_to_cpu(h->total_len), limits, &m, &err),
			-EINVAL);
	KUNIT_EXPECT_NULL(test, m);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(err.msg, reason), "\"%s\", not \"%s\"", err.msg,
				  reason);
}

/* Where the first recurrent layer of the queue has its fields. */
static struct liteflow_blob_layer *lf_shape_of(struct kunit *test)
{
	return test->priv + sizeof(struct liteflow_blob_header) +
	       (LF_TESTQUEUE_IN + LF_TESTQUEUE_OUT) * sizeof(struct liteflow_blob_feature);
}

static struct liteflow_blob_cell *lf_cell_of(struct kunit *test)
{
	return (void *)(lf_shape_of(test) + 2);
}

struct lf_cell_damage {
	const char *reason;
	u8 at;		/* in the layer, or behind 64 in struct liteflow_blob_cell */
	u8 value;
};

static const struct lf_cell_damage lf_cell_damages[] = {
	{ "type 5 is unknown", 0, 5 },
	{ "activation 0 is not for this type", 1, LITEFLOW_ACT_NONE },
	{ "activation 3 is not for this type", 1, LITEFLOW_ACT_SIGMOID },
	{ "state of 32 bits, 16 is possible", 1, LITEFLOW_ACT_TANH },
	{ "shift is 63", 2, 63 },
	{ "at most 15 are possible", 64, 16 },
	{ "at most 15 are possible", 65, 255 },
	{ "state of 64 bits, 16 and 32 are possible", 66, 64 },
	{ "hi is beyond 16 bits", 66, 16 },
	{ "c_frac is 15, must be 0", 67, 15 },
	{ "the reserved field is not 0", 68, 1 },
	{ "the last layer must be a dense one", 8, LITEFLOW_LAYER_RNN },
};

static void lf_cell_damage_name(const struct lf_cell_damage *d, char *name)
{
	strscpy(name, d->reason, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(lf_cell_damage, lf_cell_damages, lf_cell_damage_name);

static void lf_recurrent_test_refusals(struct kunit *test)
{
	const struct lf_cell_damage *d = test->param_value;
	u8 *layer, *cell;

	KUNIT_ASSERT_GT(test, lf_testqueue(NULL, test->priv, LF_TESTCELL_BUF), 0);
	layer = (u8 *)lf_shape_of(test);
	cell = (u8 *)lf_cell_of(test);
	*(d->at < 64 ? layer + d->at : cell + d->at - 64) = d->value;
	lf_refused(test, &lf_any, d->reason);
}

static void lf_recurrent_test_limits(struct kunit *test)
{
	struct liteflow_blob_header *h = test->priv;
	struct lf_limits limits = {};
	struct lf_model *m;
	u8 *bias;

	KUNIT_ASSERT_GT(test, lf_testqueue(NULL, h, LF_TESTCELL_BUF), 0);
	lf_refused(test, NULL, "the model keeps 4 values of state, the app keeps none");
	lf_refused(test, &limits, "the model keeps 4 values of state, the app keeps none");
	limits.max_state = 3;
	lf_refused(test, &limits, "the model keeps 4 values of state, the app allows 3");
	limits.max_state = 4;
	/* 4 x (4 + 4) and 3 x 4 */
	limits.max_macs = 43;
	lf_refused(test, &limits, "44 multiply-adds, the app allows 43");
	limits.max_macs = 44;
	KUNIT_ASSERT_EQ(test, lf_model_parse(h, le32_to_cpu(h->total_len), &limits, &m, NULL), 0);
	KUNIT_EXPECT_EQ(test, m->n_cells, 1);
	KUNIT_EXPECT_EQ(test, m->n_layers, 1);
	KUNIT_EXPECT_EQ(test, m->state_len, 4);
	lf_model_free(m);

	h->state_len = cpu_to_le16(5);
	lf_refused(test, &limits, "state_len is 5, must be 4");
	h->state_len = cpu_to_le16(4);
	bias = (u8 *)(lf_cell_of(test) + 1);
	put_unaligned_le64(BIT_ULL(61) + 1, bias);
	lf_refused(test, &limits, "a bias of row 0 is beyond 2^61");
	KUNIT_ASSERT_GT(test, lf_testqueue(NULL, h, LF_TESTCELL_BUF), 0);
	/* row 2 has four weights of 2048 on values of 31 bits: 44 bits, and the scale */
	lf_cell_of(test)->shift_h = LITEFLOW_MAX_SHIFT_UP;
	put_unaligned_le64(BIT_ULL(61), bias + 16);
	limits.max_macs = 0;
	lf_testmodel_fix(h, le32_to_cpu(h->total_len));
	KUNIT_EXPECT_EQ(test, lf_model_parse(h, le32_to_cpu(h->total_len), &limits, &m, NULL), 0);
	lf_model_free(m);
	/* with the largest ones it is too much */
	memset(bias + 4 * sizeof(__le64) + 16 * sizeof(__le16), 0x7f, 16 * sizeof(__le16));
	put_unaligned_le64(BIT_ULL(61), bias);
	lf_refused(test, &limits, "a step may overflow in row 0");
}

/* A state is only what its format has. */
static void lf_recurrent_test_sound(struct kunit *test)
{
	struct liteflow_blob_header *h = test->priv;
	s32 state[4] = { S32_MAX, 0, 1, 0 };
	struct lf_model *m;

	KUNIT_ASSERT_GT(test, lf_testqueue(NULL, h, LF_TESTCELL_BUF), 0);
	KUNIT_ASSERT_EQ(test, lf_model_parse(h, le32_to_cpu(h->total_len), &lf_any, &m, NULL), 0);
	KUNIT_EXPECT_TRUE(test, lf_state_sound(m, state));
	state[3] = -1;
	KUNIT_EXPECT_FALSE(test, lf_state_sound(m, state));
	lf_model_free(m);
}

static struct kunit_case lf_recurrent_cases[] = {
	KUNIT_CASE_SLOW(lf_recurrent_test_queue),
	KUNIT_CASE(lf_recurrent_test_digest),
	KUNIT_CASE_PARAM(lf_recurrent_test_refusals, lf_cell_damage_gen_params),
	KUNIT_CASE(lf_recurrent_test_limits),
	KUNIT_CASE(lf_recurrent_test_sound),
	{}
};

static struct kunit_suite lf_recurrent_suite = {
	.name = "liteflow-recurrent",
	.init = lf_recurrent_init,
	.test_cases = lf_recurrent_cases,
};

kunit_test_suite(lf_recurrent_suite);

MODULE_DESCRIPTION("KUnit tests of LiteFlow's recurrent layers");
MODULE_LICENSE("GPL");
