/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit tests of LiteFlow's core share: one app, and models with a
 * constant answer, which tells which model answered.
 */
#ifndef _KERNEL_LITEFLOW_CORE_KUNIT_H
#define _KERNEL_LITEFLOW_CORE_KUNIT_H

#include <kunit/test.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../internal.h"
#include "testmodel.h"

#define LFT_BLOB_SIZE	SZ_64K
#define LFT_NO_MODEL	S32_MIN		/* of lft_ask(): -ENODATA */

/**
 * struct lft - of a test
 * @app: that the functions below are about; goes with the test
 * @blob: LFT_BLOB_SIZE bytes, for a model
 * @stats: of lft_stats()
 */
struct lft {
	struct lf_app *app;
	void *blob;
	struct lf_app_stats stats;
};

/**
 * struct lft_seen - what the app's callbacks saw in this test
 * @prepared: successful calls
 * @released: calls
 * @active: the last one's argument
 * @refuse: prepare() fails from now on
 * @gives_reason: and says why
 */
struct lft_seen {
	unsigned int prepared;
	unsigned int released;
	void *active;
	bool refuse;
	bool gives_reason;
};

extern struct lft_seen lft_seen;	/* the tests run one by one */
extern const struct lf_app_desc lft_desc;
extern const struct lf_testmodel_spec lft_spec;

/* Compiled models: the sum of both inputs; 7 */
void lft_run_sum(const s32 *in, s32 *out);
void lft_run_7(const s32 *in, s32 *out);

#define LFT_COMPILED(_name, _uuid, _run)						\
	{ .name = _name, .uuid = _uuid, .n_in = 2, .n_out = 1, .width = 2,	\
	  .macs = 2, .run = _run }

int lft_init(struct kunit *test);
void lft_exit(struct kunit *test);
struct lf_app *lft_open(struct kunit *test, const struct lf_app_desc *desc);
void lft_close(struct kunit *test);
u32 lft_install(struct kunit *test, u8 slot, s32 value);
int lft_try_install(struct kunit *test, u8 slot, s32 value, struct lf_error *err);
u32 lft_activate(struct kunit *test, u8 slot);
s32 lft_ask(struct kunit *test, struct lf_flow *flow);
int lft_live(struct kunit *test);
const struct lf_app_stats *lft_stats(struct kunit *test);
enum lf_slot_state lft_state(struct kunit *test, int slot, struct lf_snapshot_info *info);

/* @call must fail with @code, and leave a reason in @err. */
#define LFT_REFUSED(test, call, err, code)					\
do {										\
	struct kunit *_test = (test);						\
	struct lf_error *_err = (err);						\
										\
	_err->msg[0] = 0;							\
	KUNIT_EXPECT_EQ(_test, call, code);					\
	KUNIT_EXPECT_GT_MSG(_test, strlen(_err->msg), 10, "no reason");	\
} while (0)

#endif /* _KERNEL_LITEFLOW_CORE_KUNIT_H */
