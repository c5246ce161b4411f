// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of LiteFlow's core: apps and slots; and what its tests share.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "core_kunit.h"

struct lft_seen lft_seen;

static int test_prepare(struct lf_app *app, const struct lf_model *model, void **priv,
			struct lf_error *err)
{
	if (lft_seen.refuse) {
		if (lft_seen.gives_reason)
			lf_refuse(err, "not today: come back tomorrow");
		return -EDOM;
	}
	lft_seen.prepared++;
	*priv = (void *)(unsigned long)lft_seen.prepared;
	return 0;
}

static void test_activated(struct lf_app *app, void *priv)
{
	lft_seen.active = priv;
}

static void test_release(struct lf_app *app, void *priv)
{
	lft_seen.released++;
}

static const struct lf_app_ops test_ops = {
	.prepare = test_prepare,
	.activated = test_activated,
	.release = test_release,
};

const struct lf_app_desc lft_desc = {
	.name = "core-test",
	.n_in = 2,
	.n_out = 1,
	.context = LF_CONTEXT_SOFTIRQ,
	.capability = CAP_NET_ADMIN,
	.units = "test",
	.ops = &test_ops,
};

const struct lf_testmodel_spec lft_spec = {
	.n_in = 2,
	.n_out = 1,
	.n_layers = 2,
	.width = 4,
	.act = LITEFLOW_ACT_RELU,
	.last = LITEFLOW_ACT_NONE,
	.weight_bits = 4,
};

void lft_run_sum(const s32 *in, s32 *out)
{
	out[0] = (s32)((u32)in[0] + (u32)in[1]);
}

void lft_run_7(const s32 *in, s32 *out)
{
	out[0] = 7;
}

struct lf_app *lft_open(struct kunit *test, const struct lf_app_desc *desc)
{
	struct lft *t = test->priv;

	t->app = lf_app_register(desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->app);
	return t->app;
}

void lft_close(struct kunit *test)
{
	struct lft *t = test->priv;

	lf_app_unregister(t->app);
	t->app = NULL;
}

/* Constant models; the version that it got. */
u32 lft_install(struct kunit *test, u8 slot, s32 value)
{
	struct lft *t = test->priv;
	struct lf_error err;
	u32 version = 0;
	size_t len;

	len = lf_testmodel_constant(value, &lft_spec, t->blob, LFT_BLOB_SIZE);
	KUNIT_ASSERT_GT(test, len, 0);
	KUNIT_ASSERT_EQ_MSG(test, lf_install(t->app, slot, t->blob, len, &version, &err), 0,
			    "%s", err.msg);
	return version;
}

int lft_try_install(struct kunit *test, u8 slot, s32 value, struct lf_error *err)
{
	struct lft *t = test->priv;
	size_t len = lf_testmodel_constant(value, &lft_spec, t->blob, LFT_BLOB_SIZE);

	KUNIT_ASSERT_GT(test, len, 0);
	return lf_install(t->app, slot, t->blob, len, NULL, err);
}

u32 lft_activate(struct kunit *test, u8 slot)
{
	struct lft *t = test->priv;
	struct lf_error err;
	u32 version = 0;

	KUNIT_ASSERT_EQ_MSG(test, lf_activate(t->app, slot, &version, &err), 0, "%s", err.msg);
	return version;
}

s32 lft_ask(struct kunit *test, struct lf_flow *flow)
{
	struct lft *t = test->priv;
	static const s32 in[2] = { 3, -4 };
	s32 out = 0;
	int ret = lf_query(t->app, flow, in, ARRAY_SIZE(in), &out, 1);

	if (ret == -ENODATA)
		return LFT_NO_MODEL;
	KUNIT_EXPECT_EQ(test, ret, 0);
	return out;
}

/* Snapshots that exist when everything that left is freed. */
int lft_live(struct kunit *test)
{
	struct lft *t = test->priv;

	lf_drain();
	return atomic_read(&t->app->snapshots);
}

const struct lf_app_stats *lft_stats(struct kunit *test)
{
	struct lft *t = test->priv;

	lf_app_stats(t->app, &t->stats);
	return &t->stats;
}

/* The state of a slot, and of its model the flows and version, if asked for. */
enum lf_slot_state lft_state(struct kunit *test, int slot, struct lf_snapshot_info *info)
{
	struct lft *t = test->priv;
	struct lf_snapshot_info mine;
	u64 key;

	info = info ?: &mine;
	for (key = 0; lf_snapshot_next(t->app, &key, info); key++)
		if (info->slot == slot)
			return info->state;
	return LF_SLOT_EMPTY;
}

int lft_init(struct kunit *test)
{
	struct lft *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	t->blob = kunit_kzalloc(test, LFT_BLOB_SIZE, GFP_KERNEL);
	if (!t->blob)
		return -ENOMEM;
	test->priv = t;
	memset(&lft_seen, 0, sizeof(lft_seen));
	return 0;
}

void lft_exit(struct kunit *test)
{
	if (test->priv)
		lft_close(test);
}

/* -- apps --------------------------------------------------------------------- */

static void lf_test_app_names(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc), *other, *found;
	struct lf_app_desc desc = lft_desc;
	u16 id;

	KUNIT_EXPECT_GE(test, lf_app_id(app), LF_FIRST_FREE_ID);
	KUNIT_EXPECT_EQ(test, PTR_ERR(lf_app_register(&desc)), -EEXIST);

	desc.name = "2-3";
	desc.id = lf_app_id(app);
	KUNIT_EXPECT_EQ(test, PTR_ERR(lf_app_register(&desc)), -EEXIST);
	desc.id = 77;
	other = lf_app_register(&desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	KUNIT_EXPECT_EQ(test, lf_app_id(other), 77);

	found = lf_app_get(77);
	KUNIT_EXPECT_PTR_EQ(test, found, other);
	lf_app_put(found);
	found = lf_app_get_by_name("2-3");
	KUNIT_EXPECT_PTR_EQ(test, found, other);
	/* a reference keeps the memory, but not the app */
	lf_app_unregister(other);
	KUNIT_EXPECT_NULL(test, lf_app_get(77));
	KUNIT_EXPECT_NULL(test, lf_app_get_by_name("2-3"));
	KUNIT_EXPECT_EQ(test, lf_activate(found, 0, NULL, NULL), -ENODEV);
	KUNIT_EXPECT_EQ(test, lf_rollback(found, NULL, NULL), -ENODEV);
	KUNIT_EXPECT_EQ(test, lf_remove(found, 0, 0, NULL), -ENODEV);
	KUNIT_EXPECT_EQ(test, lf_app_set(found, -1, -1, -1, 3, NULL), -ENODEV);
	lf_app_put(found);

	id = lf_app_id(app);
	found = lf_app_next(&id, NULL);
	KUNIT_EXPECT_PTR_EQ(test, found, app);
	lf_app_put(found);
	id = lf_app_id(app) + 1;
	found = lf_app_next(&id, NULL);
	KUNIT_EXPECT_PTR_NE(test, found, app);
	if (found)
		lf_app_put(found);
	lf_app_unregister(NULL);
	lf_app_unregister(ERR_PTR(-ENOMEM));
}

struct desc_case {
	const char *what;
	struct lf_app_desc desc;
};

#define DESC(...)	{ .name = "x", .n_in = 2, .n_out = 1,			\
			  .context = LF_CONTEXT_SOFTIRQ,			\
			  .capability = CAP_NET_ADMIN, ##__VA_ARGS__ }

static const struct desc_case desc_cases[] = {
	{ "no name", { .n_in = 2, .n_out = 1, .capability = CAP_NET_ADMIN } },
	{ "empty name", { .name = "", .n_in = 2, .n_out = 1, .capability = CAP_NET_ADMIN } },
	{ "name with a blank",
	  { .name = "a b", .n_in = 2, .n_out = 1, .capability = CAP_NET_ADMIN } },
	{ "name of digits",
	  { .name = "2048", .n_in = 2, .n_out = 1, .context = LF_CONTEXT_SOFTIRQ,
	    .capability = CAP_NET_ADMIN } },
	{ "name of 32 bytes",
	  { .name = "a1234567890123456789012345678901", .n_in = 2, .n_out = 1,
	    .capability = CAP_NET_ADMIN } },
	{ "no input", { .name = "x", .n_out = 1, .capability = CAP_NET_ADMIN } },
	{ "no output", { .name = "x", .n_in = 1, .capability = CAP_NET_ADMIN } },
	{ "wide", { .name = "x", .n_in = LITEFLOW_MAX_WIDTH + 1, .n_out = 1,
		    .context = LF_CONTEXT_SOFTIRQ, .capability = CAP_NET_ADMIN } },
	{ "wide for atomic context", { .name = "x", .n_in = LF_ATOMIC_WIDTH + 1, .n_out = 1,
				       .capability = CAP_NET_ADMIN } },
	{ "multiply-adds for atomic context",
	  { .name = "x", .n_in = 1, .n_out = 1, .max_macs = LF_ATOMIC_MACS + 1,
	    .capability = CAP_NET_ADMIN } },
	{ "one slot", DESC(.n_slots = 1) },
	{ "nine slots", DESC(.n_slots = LF_MAX_SLOTS + 1) },
	{ "no capability", { .name = "x", .n_in = 2, .n_out = 1 } },
	{ "large models", DESC(.max_bytes = LF_MAX_MODEL_BYTES + 1) },
	{ "long units", DESC(.units = "01234567890123456789012345678901") },
	{ "unknown policy", DESC(.policy = LF_POLICY_FOLLOW + 1) },
	{ "unknown rule", DESC(.at_limit = LF_AT_LIMIT_REFUSE + 1) },
};

static void desc_name(const struct desc_case *c, char *name)
{
	strscpy(name, c->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(desc, desc_cases, desc_name);

static void lf_test_app_refused(struct kunit *test)
{
	const struct desc_case *c = test->param_value;
	struct lf_error err = {};
	struct lf_app *app;

	app = lf_app_add(&c->desc, true, &err);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(app), -EINVAL);
	KUNIT_EXPECT_GT(test, strlen(err.msg), 10);
	KUNIT_EXPECT_LT(test, strlen(err.msg), LF_ERROR_LEN - 1);
	if (!IS_ERR(app))
		lf_app_del_user(app, NULL);
}

static void lf_test_app_user(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_app_desc desc = lft_desc;
	struct lf_error err;

	LFT_REFUSED(test, lf_app_del_user(app, &err), &err, -EPERM);
	desc.name = "core-test-user";
	desc.ops = NULL;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, lf_app_add(&desc, true, &err));
	app = lf_app_get_by_name(desc.name);
	KUNIT_ASSERT_NOT_NULL(test, app);
	KUNIT_EXPECT_EQ(test, lf_app_del_user(app, &err), 0);
	LFT_REFUSED(test, lf_app_del_user(app, &err), &err, -ENODEV);
	lf_app_put(app);
	KUNIT_EXPECT_NULL(test, lf_app_get_by_name(desc.name));
}

/* The names of the inputs are the app's own, not its owner's memory. */
static void lf_test_app_features(struct kunit *test)
{
	static const char *const spec_features[] = { "rtt", "loss" };
	struct lf_testmodel_spec spec = lft_spec;
	char rtt[] = "rtt", loss[] = "loss";
	const char *features[2];
	struct lf_app_desc desc = lft_desc;
	struct lft *t = test->priv;
	struct lf_error err;
	size_t len;

	features[0] = rtt;
	features[1] = NULL;
	desc.features = features;
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(lf_app_register(&desc)), -EINVAL);
	features[1] = "line\nfeed";
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(lf_app_register(&desc)), -EINVAL);
	features[1] = "a name of thirty-two characters.";
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(lf_app_register(&desc)), -EINVAL);
	features[1] = loss;
	lft_open(test, &desc);
	memset(rtt, 'x', 3);
	memset(loss, 'x', 4);
	features[0] = NULL;

	LFT_REFUSED(test, lft_try_install(test, 0, 1, &err), &err, -EINVAL);
	KUNIT_EXPECT_NOT_NULL(test, strstr(err.msg, "\"rtt\""));
	spec.features = spec_features;
	len = lf_testmodel_constant(7, &spec, t->blob, LFT_BLOB_SIZE);
	KUNIT_EXPECT_EQ(test, lf_install(t->app, 0, t->blob, len, NULL, &err), 0);
}

static void lf_test_app_set(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_app_desc desc = lft_desc;
	struct lf_app *atomic;
	struct lf_error err;

	LFT_REFUSED(test, lf_app_set(app, 2, -1, -1, -1, &err), &err, -EINVAL);
	LFT_REFUSED(test, lf_app_set(app, -1, 2, -1, -1, &err), &err, -EINVAL);
	LFT_REFUSED(test, lf_app_set(app, -1, -1, 1LL << 32, -1, &err), &err, -EINVAL);
	LFT_REFUSED(test, lf_app_set(app, -1, -1, -1, 31, &err), &err, -EINVAL);
	KUNIT_EXPECT_EQ(test, app->sample_mask, 1023);
	KUNIT_EXPECT_EQ(test, lf_app_set(app, LF_POLICY_FOLLOW, LF_AT_LIMIT_REFUSE, 5000, 3,
					 &err), 0);
	KUNIT_EXPECT_EQ(test, lf_app_set(app, -1, -1, -1, -1, &err), 0);
	KUNIT_EXPECT_EQ(test, app->policy, LF_POLICY_FOLLOW);
	KUNIT_EXPECT_EQ(test, app->at_limit, LF_AT_LIMIT_REFUSE);
	KUNIT_EXPECT_EQ(test, app->max_retired, 5000);
	KUNIT_EXPECT_EQ(test, app->sample_mask, 7);

	desc.name = "core-test-atomic";
	desc.context = LF_CONTEXT_ATOMIC;
	atomic = lf_app_register(&desc);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, atomic);
	LFT_REFUSED(test, lf_app_set(atomic, LF_POLICY_PIN, -1, -1, -1, &err), &err, -EINVAL);
	lf_app_unregister(atomic);
}

/* -- slots -------------------------------------------------------------------- */

static void lf_test_slot_states(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_snapshot_info info;
	struct lf_error err;
	u32 version;

	KUNIT_EXPECT_FALSE(test, lf_app_ready(app));
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), LFT_NO_MODEL);
	KUNIT_EXPECT_EQ(test, lft_state(test, 0, NULL), LF_SLOT_EMPTY);

	/* empty -> standby -> active */
	KUNIT_EXPECT_EQ(test, lft_install(test, 0, 10), 1);
	KUNIT_EXPECT_EQ(test, lft_state(test, 0, NULL), LF_SLOT_STANDBY);
	KUNIT_EXPECT_FALSE(test, lf_app_ready(app));
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), LFT_NO_MODEL);
	KUNIT_EXPECT_EQ(test, lft_activate(test, 0), 1);
	KUNIT_EXPECT_EQ(test, lft_state(test, 0, NULL), LF_SLOT_ACTIVE);
	KUNIT_EXPECT_TRUE(test, lf_app_ready(app));
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 10);
	/* active -> active: nothing */
	KUNIT_EXPECT_EQ(test, lft_activate(test, 0), 1);
	KUNIT_EXPECT_EQ(test, app->activations, 1);

	/* standby -> standby, active -> retired -> active */
	lft_install(test, 1, 20);
	KUNIT_EXPECT_EQ(test, lft_install(test, 1, 21), 3);
	KUNIT_EXPECT_EQ(test, lft_live(test), 2);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 10);
	lft_activate(test, 1);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 21);
	KUNIT_EXPECT_EQ(test, lft_state(test, 0, &info), LF_SLOT_RETIRED);
	KUNIT_EXPECT_EQ(test, info.queries, 2);
	KUNIT_EXPECT_STREQ(test, info.name, "constant-10");
	KUNIT_EXPECT_FALSE(test, info.compiled);
	KUNIT_EXPECT_EQ(test, lft_activate(test, 0), 1);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 10);
	KUNIT_EXPECT_EQ(test, lft_state(test, 1, NULL), LF_SLOT_RETIRED);

	/* retired -> replaced; retired, standby -> removed */
	KUNIT_EXPECT_EQ(test, lft_install(test, 1, 30), 4);
	KUNIT_EXPECT_EQ(test, lft_state(test, 1, NULL), LF_SLOT_STANDBY);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 1, 0, &err), 0);
	KUNIT_EXPECT_EQ(test, lft_state(test, 1, NULL), LF_SLOT_EMPTY);
	KUNIT_EXPECT_EQ(test, lft_live(test), 1);

	/* active -> removed by force */
	KUNIT_EXPECT_EQ(test, lf_remove(app, 0, LF_REMOVE_FORCE, &err), 0);
	KUNIT_EXPECT_FALSE(test, lf_app_ready(app));
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), LFT_NO_MODEL);
	KUNIT_EXPECT_EQ(test, lft_live(test), 0);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.no_model, 3);
	KUNIT_EXPECT_EQ(test, lft_stats(test)->c.queries, 4);

	/* in the last slot, without a place for the version or the reason */
	version = lf_testmodel_constant(5, &lft_spec,
					((struct lft *)test->priv)->blob, LFT_BLOB_SIZE);
	KUNIT_EXPECT_EQ(test, lf_install(app, 3, ((struct lft *)test->priv)->blob,
					 version, NULL, NULL), 0);
	KUNIT_EXPECT_EQ(test, lf_activate(app, 3, NULL, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 5);
}

static void lf_test_slot_refused(struct kunit *test)
{
	struct lf_testmodel_spec spec = lft_spec;
	struct lft *t = test->priv;
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_error err;
	size_t len;

	LFT_REFUSED(test, lf_activate(app, 0, NULL, &err), &err, -ENOENT);
	LFT_REFUSED(test, lf_activate(app, 4, NULL, &err), &err, -EINVAL);
	LFT_REFUSED(test, lf_remove(app, 0, 0, &err), &err, -ENOENT);
	LFT_REFUSED(test, lf_remove(app, 4, 0, &err), &err, -EINVAL);
	LFT_REFUSED(test, lf_remove(app, 0, BIT(2), &err), &err, -EINVAL);
	LFT_REFUSED(test, lf_rollback(app, NULL, &err), &err, -ENOENT);
	LFT_REFUSED(test, lft_try_install(test, 4, 1, &err), &err, -EINVAL);

	lft_install(test, 0, 1);
	lft_activate(test, 0);
	LFT_REFUSED(test, lft_try_install(test, 0, 2, &err), &err, -EBUSY);
	LFT_REFUSED(test, lf_remove(app, 0, 0, &err), &err, -EBUSY);
	LFT_REFUSED(test, lf_remove(app, 0, LF_REMOVE_EVICT, &err), &err, -EBUSY);
	/* nobody was active before */
	lft_install(test, 1, 2);
	LFT_REFUSED(test, lf_rollback(app, NULL, &err), &err, -ENOENT);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 1);

	/* models that the app cannot use, and one that is damaged */
	spec.n_in = 3;
	len = lf_testmodel(1, &spec, t->blob, LFT_BLOB_SIZE);
	LFT_REFUSED(test, lf_install(app, 2, t->blob, len, NULL, &err), &err, -EINVAL);
	spec.n_in = 2;
	spec.units = "furlong";
	len = lf_testmodel(1, &spec, t->blob, LFT_BLOB_SIZE);
	LFT_REFUSED(test, lf_install(app, 2, t->blob, len, NULL, &err), &err, -EINVAL);
	spec.units = NULL;
	len = lf_testmodel(1, &spec, t->blob, LFT_BLOB_SIZE);
	((u8 *)t->blob)[len / 2] ^= 1;
	LFT_REFUSED(test, lf_install(app, 2, t->blob, len, NULL, &err), &err, -EINVAL);

	/* a refusal leaves nothing behind, and takes no version */
	KUNIT_EXPECT_EQ(test, lft_live(test), 2);
	KUNIT_EXPECT_EQ(test, lft_install(test, 2, 3), 3);
}

static void lf_test_rollback(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	u32 version = 0;

	lft_install(test, 0, 1);
	lft_install(test, 1, 2);
	lft_install(test, 2, 3);
	lft_install(test, 3, 4);
	lft_activate(test, 1);
	lft_activate(test, 0);
	lft_activate(test, 2);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 3);

	/* the one before, not the lowest or the latest installed */
	KUNIT_EXPECT_EQ(test, lf_rollback(app, &version, NULL), 0);
	KUNIT_EXPECT_EQ(test, version, 1);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 1);
	/* once more: undone */
	KUNIT_EXPECT_EQ(test, lf_rollback(app, &version, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 3);

	/* without that one's slot, the one before it */
	KUNIT_EXPECT_EQ(test, lf_remove(app, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, lf_rollback(app, &version, NULL), 0);
	KUNIT_EXPECT_EQ(test, version, 2);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 2);

	/* from none at all */
	KUNIT_EXPECT_EQ(test, lf_remove(app, 1, LF_REMOVE_FORCE, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), LFT_NO_MODEL);
	KUNIT_EXPECT_EQ(test, lf_rollback(app, &version, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), 3);
	/* version 4 is standby: never active, so no way back to it */
	KUNIT_EXPECT_EQ(test, lf_rollback(app, &version, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, lft_live(test), 2);
}

static void lf_test_callbacks(struct kunit *test)
{
	struct lf_app *app = lft_open(test, &lft_desc);
	struct lf_error err;
	void *first;

	lft_install(test, 0, 1);
	KUNIT_EXPECT_EQ(test, lft_seen.prepared, 1);
	KUNIT_EXPECT_NULL(test, lft_seen.active);
	lft_activate(test, 0);
	first = lft_seen.active;
	KUNIT_EXPECT_NOT_NULL(test, first);

	lft_seen.refuse = true;
	LFT_REFUSED(test, lft_try_install(test, 1, 2, &err), &err, -EDOM);
	lft_seen.gives_reason = true;
	LFT_REFUSED(test, lft_try_install(test, 1, 2, &err), &err, -EDOM);
	KUNIT_EXPECT_STREQ(test, err.msg, "not today: come back tomorrow");
	lft_seen.refuse = false;
	/* what was refused is not released, and what was there stays */
	KUNIT_EXPECT_EQ(test, lft_live(test), 1);
	KUNIT_EXPECT_EQ(test, lft_seen.released, 0);
	KUNIT_EXPECT_EQ(test, lft_install(test, 1, 2), 2);
	lft_seen.refuse = true;
	KUNIT_EXPECT_EQ(test, lft_try_install(test, 1, 3, NULL), -EDOM);
	lft_seen.refuse = false;
	KUNIT_EXPECT_EQ(test, lft_activate(test, 1), 2);
	KUNIT_EXPECT_PTR_NE(test, lft_seen.active, first);

	KUNIT_EXPECT_EQ(test, lf_rollback(app, NULL, NULL), 0);
	KUNIT_EXPECT_PTR_EQ(test, lft_seen.active, first);
	KUNIT_EXPECT_EQ(test, lf_remove(app, 1, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, lft_live(test), 1);
	KUNIT_EXPECT_EQ(test, lft_seen.released, 1);
	lft_close(test);
	KUNIT_EXPECT_NULL(test, lft_seen.active);
	KUNIT_EXPECT_EQ(test, lft_seen.released, 2);
}

static struct kunit_case lf_core_cases[] = {
	KUNIT_CASE(lf_test_app_names),
	KUNIT_CASE_PARAM(lf_test_app_refused, desc_gen_params),
	KUNIT_CASE(lf_test_app_user),
	KUNIT_CASE(lf_test_app_features),
	KUNIT_CASE(lf_test_app_set),
	KUNIT_CASE(lf_test_slot_states),
	KUNIT_CASE(lf_test_slot_refused),
	KUNIT_CASE(lf_test_rollback),
	KUNIT_CASE(lf_test_callbacks),
	{}
};

static struct kunit_suite lf_core_suite = {
	.name = "liteflow_core",
	.init = lft_init,
	.exit = lft_exit,
	.test_cases = lf_core_cases,
};

kunit_test_suite(lf_core_suite);

MODULE_DESCRIPTION("KUnit tests of LiteFlow's core");
MODULE_LICENSE("GPL");
