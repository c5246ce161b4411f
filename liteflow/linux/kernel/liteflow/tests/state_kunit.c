// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of LiteFlow's states: whose values they hold, and until when.
 */
#include <linux/bottom_half.h>
#include <linux/capability.h>
#include <linux/slab.h>

#include "core_kunit.h"
#include "testcell.h"

static const struct lf_app_desc state_desc = {
	.name = "state-test",
	.n_in = LF_TESTQUEUE_IN,
	.n_out = LF_TESTQUEUE_OUT,
	.context = LF_CONTEXT_SOFTIRQ,
	.capability = CAP_NET_ADMIN,
	.max_state = 6,
	.units = "test",
};

/* Into the slot, and active. Its version. */
static u32 install_queue(struct kunit *test, u8 slot)
{
	struct lft *t = test->priv;
	size_t len = lf_testqueue(NULL, t->blob, LFT_BLOB_SIZE);
	struct lf_error err;
	u32 version = 0;

	KUNIT_ASSERT_GT(test, len, 0);
	KUNIT_ASSERT_EQ_MSG(test, lf_install(t->app, slot, t->blob, len, &version, &err), 0,
			    "%s", err.msg);
	lft_activate(test, slot);
	return version;
}

/* One that remembers nothing: 42. */
static u32 install_constant(struct kunit *test, u8 slot)
{
	const struct lf_testmodel_spec spec = {
		.n_in = LF_TESTQUEUE_IN, .n_out = LF_TESTQUEUE_OUT, .n_layers = 2, .width = 4,
		.act = LITEFLOW_ACT_RELU, .last = LITEFLOW_ACT_NONE, .weight_bits = 4,
	};
	struct lft *t = test->priv;
	size_t len = lf_testmodel_constant(42, &spec, t->blob, LFT_BLOB_SIZE);
	u32 version = 0;

	KUNIT_ASSERT_GT(test, len, 0);
	KUNIT_ASSERT_EQ(test, lf_install(t->app, slot, t->blob, len, &version, NULL), 0);
	lft_activate(test, slot);
	return version;
}

/* The backlog after another packet of @size, with @sent bytes gone before. */
static s32 packet(struct kunit *test, struct lf_state *state, s32 sent, s32 size)
{
	s32 in[LF_TESTQUEUE_IN] = { sent, size, 0, 5000 }, out[LF_TESTQUEUE_OUT] = {};
	struct lft *t = test->priv;
	int ret = lf_query_state(t->app, state, in, ARRAY_SIZE(in), out, ARRAY_SIZE(out));

	return ret ?: out[0];
}

static struct lf_state *new_state(struct kunit *test)
{
	struct lft *t = test->priv;
	struct lf_state *state = lf_state_alloc(t->app, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, state);
	return state;
}

static void state_test_remembers(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &state_desc);
	struct lf_state *one = new_state(test), *two = new_state(test);
	u32 version;

	KUNIT_EXPECT_GE(test, lf_state_size(app), sizeof(*one) + 6 * sizeof(s32));
	KUNIT_EXPECT_EQ(test, lf_state_version(one), 0);
	KUNIT_EXPECT_EQ(test, lf_app_version(app), 0);
	KUNIT_EXPECT_EQ(test, packet(test, one, 0, 100), -ENODATA);
	KUNIT_EXPECT_EQ(test, lf_state_version(one), 0);
	version = install_queue(test, 0);
	KUNIT_EXPECT_EQ(test, lf_app_version(app), version);
	KUNIT_EXPECT_EQ(test, packet(test, one, 0, 100), 100);
	KUNIT_EXPECT_EQ(test, packet(test, one, 30, 200), 270);
	/* two sequences have nothing to do with each other */
	KUNIT_EXPECT_EQ(test, packet(test, two, 0, 1500), 1500);
	KUNIT_EXPECT_EQ(test, packet(test, one, 0, 0), 270);
	KUNIT_EXPECT_EQ(test, lf_state_version(one), version);
	KUNIT_EXPECT_EQ(test, one->flow.seq, 3);
	lf_state_reset(one);
	KUNIT_EXPECT_EQ(test, lf_state_version(one), version);
	KUNIT_EXPECT_EQ(test, packet(test, one, 0, 7), 7);
	/* softirqs are asked from, too */
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, packet(test, two, 500, 100), 1100);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.queries, 6);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.no_model, 1);
	lf_state_free(one);
	lf_state_free(two);
	lf_state_free(NULL);
}

/* The old model goes on until the caller has replayed its questions in a new state. */
static void state_test_switch(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &state_desc);
	struct lf_state *old = new_state(test), *fresh;
	u32 first = install_queue(test, 0), second;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, packet(test, old, 0, 1000), 1000);
	second = install_queue(test, 1);
	KUNIT_EXPECT_EQ(test, lf_app_version(app), second);
	KUNIT_EXPECT_EQ(test, packet(test, old, 100, 1000), 1900);
	KUNIT_EXPECT_EQ(test, lf_state_version(old), first);
	/* even if it left its slot */
	install_constant(test, 0);
	second = install_queue(test, 1);
	KUNIT_EXPECT_EQ(test, lft_live(test), 3);
	fresh = new_state(test);
	for (i = 0; i < 3; i++)
		packet(test, fresh, 100, 1000);
	KUNIT_EXPECT_EQ(test, lf_state_version(fresh), second);
	KUNIT_EXPECT_EQ(test, packet(test, fresh, 100, 1000), 3700);
	KUNIT_EXPECT_EQ(test, packet(test, old, 0, 1), 1901);
	lf_state_free(old);
	KUNIT_EXPECT_EQ(test, lft_live(test), 2);
	/* an eviction: over to the active model, and from nothing */
	KUNIT_EXPECT_EQ(test, lf_activate(app, 0, NULL, NULL), 0);
	KUNIT_EXPECT_EQ(test, packet(test, fresh, 0, 0), 3700);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 1, LF_REMOVE_EVICT, NULL), 0);
	KUNIT_EXPECT_EQ(test, packet(test, fresh, 0, 9), 42);
	KUNIT_EXPECT_EQ(test, lf_state_version(fresh), lf_app_version(app));
	install_queue(test, 1);
	KUNIT_EXPECT_EQ(test, packet(test, fresh, 0, 9), 42);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 0, LF_REMOVE_EVICT, NULL), 0);
	KUNIT_EXPECT_EQ(test, packet(test, fresh, 0, 9), 9);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.repins, 2);
	lf_state_free(fresh);
}

static void state_test_follow(struct kunit *test)
{
	struct lf_app_desc desc = state_desc;
	struct lf_state *state;
	u32 version;

	desc.policy = LF_POLICY_FOLLOW;
	lft_open(test, &desc);
	state = new_state(test);
	install_queue(test, 0);
	KUNIT_EXPECT_EQ(test, packet(test, state, 0, 1000), 1000);
	version = install_queue(test, 1);
	/* the tag is foreign now */
	KUNIT_EXPECT_EQ(test, packet(test, state, 0, 500), 500);
	KUNIT_EXPECT_EQ(test, lf_state_version(state), version);
	KUNIT_EXPECT_EQ(test, packet(test, state, 0, 500), 1000);
	KUNIT_EXPECT_NULL(test, state->flow.pin);
	/* a failed query leaves everything as it was */
	KUNIT_EXPECT_EQ(test, lf_remove(((struct lft *)test->priv)->app, 1, LF_REMOVE_FORCE,
					NULL), 0);
	KUNIT_EXPECT_EQ(test, packet(test, state, 0, 500), -ENODATA);
	KUNIT_EXPECT_EQ(test, lf_state_version(state), version);
	lf_state_free(state);
}

static void state_test_refused(struct kunit *test)
{
	static const s32 in[LF_TESTQUEUE_IN] = { 1, 2, 3, 4 };
	struct lf_app *app = lft_open(test, &state_desc), *other;
	struct lf_app_desc desc = state_desc;
	struct lf_state *state = new_state(test);
	s32 out[LF_TESTQUEUE_OUT] = { 55 };
	struct lft *t = test->priv;
	struct lf_error err;
	size_t len;

	install_queue(test, 0);
	KUNIT_EXPECT_EQ(test, lf_query(app, NULL, in, 4, out, 3), -EINVAL);
	KUNIT_EXPECT_EQ(test, lf_query_state(app, state, in, 3, out, 3), -EINVAL);
	KUNIT_EXPECT_EQ(test, lf_query_state(app, state, in, 4, out, 2), -EINVAL);
	desc.name = "state-test-2";
	desc.max_state = 0;
	other = lf_app_register(&desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	KUNIT_EXPECT_NULL(test, lf_state_alloc(other, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, lf_state_size(other), 0);
	KUNIT_EXPECT_EQ(test, lf_query_state(other, state, in, 4, out, 3), -EINVAL);
	len = lf_testqueue(NULL, t->blob, LFT_BLOB_SIZE);
	LFT_REFUSED(test, lf_install(other, 0, t->blob, len, NULL, &err), &err, -EINVAL);
	KUNIT_EXPECT_STREQ(test, err.msg,
			   "the model keeps 4 values of state, the app keeps none");
	lf_app_unregister(other);

	desc.max_state = 3;
	other = lf_app_register(&desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	LFT_REFUSED(test, lf_install(other, 0, t->blob, len, NULL, &err), &err, -EINVAL);
	/* another app's state is not used */
	KUNIT_EXPECT_EQ(test, lf_query_state(other, state, in, 4, out, 3), -EINVAL);
	lf_app_unregister(other);
	KUNIT_EXPECT_EQ(test, out[0], 55);

	desc.max_state = LITEFLOW_MAX_STATE + 1;
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(lf_app_register(&desc)), -EINVAL);
	desc.max_state = 4;
	desc.context = LF_CONTEXT_ATOMIC;
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(lf_app_register(&desc)), -EINVAL);
	lf_state_free(state);
}

/* Whoever holds a reference may go on asking: there is just no model any more. */
static void state_test_gone(struct kunit *test)
{
	struct lf_app *app, *held;
	struct lf_state *state;

	app = lft_open(test, &state_desc);
	state = new_state(test);
	install_queue(test, 0);
	KUNIT_EXPECT_EQ(test, packet(test, state, 0, 10), 10);
	held = lf_app_get_by_name(state_desc.name);
	KUNIT_ASSERT_PTR_EQ(test, held, app);
	KUNIT_EXPECT_EQ(test, lf_app_fits(held, &state_desc, NULL), 0);
	lft_close(test);
	((struct lft *)test->priv)->app = held;
	KUNIT_EXPECT_EQ(test, packet(test, state, 0, 10), -ENODATA);
	KUNIT_EXPECT_EQ(test, lf_app_version(held), 0);
	lf_state_free(state);
	((struct lft *)test->priv)->app = NULL;
	lf_app_put(held);
}

static void state_test_fits(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &state_desc);
	struct lf_app_desc want = state_desc;
	struct lf_error err;

	KUNIT_EXPECT_EQ(test, lf_app_fits(app, &want, &err), 0);
	want.max_state = 4;
	want.units = NULL;
	KUNIT_EXPECT_EQ(test, lf_app_fits(app, &want, &err), 0);
	want.max_state = 7;
	LFT_REFUSED(test, lf_app_fits(app, &want, &err), &err, -EINVAL);
	want = state_desc;
	want.n_out = 2;
	LFT_REFUSED(test, lf_app_fits(app, &want, &err), &err, -EINVAL);
	want = state_desc;
	want.units = "else";
	LFT_REFUSED(test, lf_app_fits(app, &want, &err), &err, -EINVAL);
	want = state_desc;
	want.context = LF_CONTEXT_ATOMIC;
	LFT_REFUSED(test, lf_app_fits(app, &want, &err), &err, -EINVAL);
}

/* User space's way: what the model remembers goes out with the answers, and comes back. */
static void state_test_eval(struct kunit *test)
{
	static const s32 in[2][LF_TESTQUEUE_IN] = { { 0, 1000, 0, 5000 }, { 300, 50, 0, 5000 } };
	struct lf_app *app = lft_open(test, &state_desc);
	s32 out[2][LF_TESTQUEUE_OUT], values[6];
	struct lf_sequence seq = { .value = values };
	u32 version = install_queue(test, 0);
	struct lf_error err;

	KUNIT_EXPECT_EQ(test, lf_eval(app, 0, in[0], out[0], 2, NULL), 0);
	KUNIT_EXPECT_EQ(test, out[0][0], 1000);
	KUNIT_EXPECT_EQ(test, out[1][0], 50);
	KUNIT_EXPECT_EQ(test, lf_eval_sequence(app, 0, &seq, in[0], out[0], 2, NULL), 0);
	KUNIT_EXPECT_EQ(test, out[1][0], 750);
	KUNIT_EXPECT_EQ(test, seq.version, version);
	KUNIT_EXPECT_EQ(test, seq.n, 4);
	KUNIT_EXPECT_EQ(test, lf_eval_sequence(app, 0, &seq, in[0], out[0], 1, NULL), 0);
	KUNIT_EXPECT_EQ(test, out[0][0], 1750);

	/* what is no state of this model */
	seq.n = 3;
	LFT_REFUSED(test, lf_eval_sequence(app, 0, &seq, in[0], out[0], 1, &err), &err, -EINVAL);
	seq.n = 4;
	values[1] = -1;
	LFT_REFUSED(test, lf_eval_sequence(app, 0, &seq, in[0], out[0], 1, &err), &err, -EINVAL);
	KUNIT_EXPECT_EQ(test, values[1], -1);
	values[1] = 0;
	seq.version++;
	LFT_REFUSED(test, lf_eval_sequence(app, 0, &seq, in[0], out[0], 1, &err), &err, -ESTALE);
	KUNIT_EXPECT_EQ(test, out[0][0], 1750);
	/* no query, and no state of anybody's, was touched by all that */
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.queries, 0);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(state_test_remembers),
	KUNIT_CASE(state_test_switch),
	KUNIT_CASE(state_test_follow),
	KUNIT_CASE(state_test_refused),
	KUNIT_CASE(state_test_gone),
	KUNIT_CASE(state_test_fits),
	KUNIT_CASE(state_test_eval),
	{}
};

static struct kunit_suite state_suite = {
	.name = "liteflow-state",
	.init = lft_init,
	.exit = lft_exit,
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);

MODULE_DESCRIPTION("KUnit tests of LiteFlow's states");
MODULE_LICENSE("GPL");
