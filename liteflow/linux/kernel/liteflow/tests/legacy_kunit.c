// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the original LiteFlow's five names.
 */
#include <linux/err.h>
#include <linux/liteflow_legacy.h>
#include <linux/preempt.h>

#include "core_kunit.h"

/* Kernel code that asks by number knows the shape of its own app only. */
static void lf_test_user_app(struct kunit *test)
{
	struct lf_app_desc desc = lft_desc;
	struct lft *t = test->priv;
	s32 in[2] = {}, out = 55;
	struct lf_error err;
	struct lf_app *app;
	size_t len;

	desc.name = "core-test-user";
	desc.ops = NULL;
	desc.id = LF_FIRST_FREE_ID - 1;
	LFT_REFUSED(test, PTR_ERR_OR_ZERO(lf_app_add(&desc, true, &err)), &err, -EINVAL);
	desc.id = 40000;
	app = lf_app_add(&desc, true, &err);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, app);
	len = lf_testmodel_constant(7, &lft_spec, t->blob, LFT_BLOB_SIZE);
	KUNIT_EXPECT_EQ(test, lf_install(app, 0, t->blob, len, NULL, &err), 0);
	KUNIT_EXPECT_EQ(test, lf_activate(app, 0, NULL, &err), 0);
	KUNIT_EXPECT_EQ(test, lf_query_model(40000, in, 2, &out, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, out, 55);
	KUNIT_EXPECT_EQ(test, lf_unregister_app(40000), -EPERM);
	KUNIT_EXPECT_EQ(test, lf_app_del_user(app, &err), 0);
}

static void lf_test_legacy(struct kunit *test)
{
	struct lf_compiled_model sum = LFT_COMPILED("sum", 1, lft_run_sum);
	struct lf_compiled_model seven = LFT_COMPILED("seven", 2, lft_run_7);
	struct lf_compiled_model nameless = LFT_COMPILED("none", 0, lft_run_7);
	struct lf_app_desc desc = lft_desc;
	static const s32 in[2] = { 20, 22 };
	s32 out = 0;
	int nmi;

	KUNIT_EXPECT_EQ(test, lf_register_app(&desc), -EINVAL);
	desc.id = 33;
	KUNIT_ASSERT_EQ(test, lf_register_app(&desc), 0);
	KUNIT_EXPECT_EQ(test, lf_register_app(&desc), -EEXIST);
	KUNIT_EXPECT_EQ(test, lf_query_model(33, in, 2, &out, 1), -ENODATA);
	KUNIT_EXPECT_EQ(test, lf_query_model(33, in, 1, &out, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, lf_query_model(33, in, 2, &out, 2), -EINVAL);
	preempt_count_add(NMI_OFFSET);
	nmi = lf_query_model(33, in, 2, &out, 1);
	preempt_count_sub(NMI_OFFSET);
	KUNIT_EXPECT_EQ(test, nmi, -EPERM);
	KUNIT_EXPECT_EQ(test, lf_query_model(34, in, 2, &out, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, lf_register_model(34, &sum), -ENOENT);
	KUNIT_EXPECT_EQ(test, lf_register_model(33, &nameless), -EINVAL);
	KUNIT_EXPECT_EQ(test, lf_register_model(33, &sum), 0);
	KUNIT_EXPECT_EQ(test, lf_query_model(33, in, 2, &out, 1), 0);
	KUNIT_EXPECT_EQ(test, out, 42);
	KUNIT_EXPECT_EQ(test, lf_register_model(33, &seven), 0);
	KUNIT_EXPECT_EQ(test, lf_query_model(33, in, 2, &out, 1), 0);
	KUNIT_EXPECT_EQ(test, out, 7);
	KUNIT_EXPECT_EQ(test, lf_unregister_model(33, 3), -ENOENT);
	KUNIT_EXPECT_EQ(test, lf_unregister_model(33, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, lf_unregister_model(34, 2), -ENOENT);
	KUNIT_EXPECT_EQ(test, lf_unregister_model(33, 2), 0);
	KUNIT_EXPECT_EQ(test, lf_query_model(33, in, 2, &out, 1), 0);
	KUNIT_EXPECT_EQ(test, out, 42);
	KUNIT_EXPECT_EQ(test, lf_unregister_app(34), -ENOENT);
	KUNIT_EXPECT_EQ(test, lf_unregister_app(33), 0);
	KUNIT_EXPECT_EQ(test, lf_unregister_app(33), -ENOENT);
	KUNIT_EXPECT_EQ(test, lf_query_model(33, in, 2, &out, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, lf_unregister_model(33, 1), -ENOENT);
}

/* More models than slots: the one that was active least recently leaves. */
static void lf_test_legacy_slots(struct kunit *test)
{
	struct lf_compiled_model model[] = {
		LFT_COMPILED("m0", 1, lft_run_7), LFT_COMPILED("m1", 2, lft_run_7),
		LFT_COMPILED("m2", 3, lft_run_7), LFT_COMPILED("m3", 4, lft_run_sum),
	};
	struct lf_app_desc desc = lft_desc;
	struct lf_snapshot_info info;
	unsigned int i;

	desc.n_slots = 3;
	desc.id = 33;
	lft_open(test, &desc);
	for (i = 0; i < ARRAY_SIZE(model); i++)
		KUNIT_EXPECT_EQ(test, lf_register_model(33, &model[i]), 0);
	KUNIT_EXPECT_EQ(test, lft_ask(test, NULL), -1);
	KUNIT_EXPECT_EQ(test, lft_live(test), 3);
	KUNIT_EXPECT_EQ(test, lft_state(test, 0, &info), LF_SLOT_ACTIVE);
	KUNIT_EXPECT_STREQ(test, info.name, "m3");
	KUNIT_EXPECT_EQ(test, lft_state(test, 1, &info), LF_SLOT_RETIRED);
	KUNIT_EXPECT_STREQ(test, info.name, "m1");
	KUNIT_EXPECT_EQ(test, lft_state(test, 2, &info), LF_SLOT_RETIRED);
	KUNIT_EXPECT_STREQ(test, info.name, "m2");
	for (i = 0; i < ARRAY_SIZE(model); i++)
		lf_compiled_unregister(&model[i]);
	KUNIT_EXPECT_EQ(test, lft_live(test), 0);
}

static struct kunit_case lf_legacy_cases[] = {
	KUNIT_CASE(lf_test_user_app),
	KUNIT_CASE(lf_test_legacy),
	KUNIT_CASE(lf_test_legacy_slots),
	{}
};

static struct kunit_suite lf_legacy_suite = {
	.name = "liteflow_legacy",
	.init = lft_init,
	.exit = lft_exit,
	.test_cases = lf_legacy_cases,
};

kunit_test_suite(lf_legacy_suite);
