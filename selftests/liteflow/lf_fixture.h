/* SPDX-License-Identifier: GPL-2.0 */
/*
 * LiteFlow's tests: two apps of user space, for the network and for the
 * scheduler, and a model for them. Nothing else in the kernel is touched.
 */
#ifndef _LF_FIXTURE_H
#define _LF_FIXTURE_H

#include <linux/capability.h>

#include "../kselftest_harness.h"
#include "lf_nl.h"

#define APP	"kselftest"
#define APP_SYS	"kselftest-sys"
#define APP_NEW	"kselftest-new"
#define N_IN	4

/* Refused, with an error and a reason that says this. */
#define EXPECT_REFUSED(call, error, text)					\
do {										\
	const char *_text = text;						\
										\
	EXPECT_EQ(call, -(error)) {						\
		TH_LOG("reason: \"%s\"", self->s->why);				\
	}									\
	EXPECT_NE(strstr(self->s->why, _text), NULL) {				\
		TH_LOG("reason: \"%s\", not \"%s\"", self->s->why, _text);	\
	}									\
} while (0)

/* A model that answers with @number plus the sum of the inputs. */
static inline int install(struct lf_sock *s, const char *app, int slot, int number)
{
	static char blob[LF_BLOB_ROOM];

	return lf_model_send(s, app, slot, blob, lf_blob_make(blob, number, N_IN, ""));
}

FIXTURE(liteflow) {
	struct lf_sock *s;
};

FIXTURE_SETUP(liteflow)
{
	if (geteuid())
		SKIP(return, "not root: apps cannot be added");
	self->s = lf_open();
	if (!self->s && errno == ENOENT)
		SKIP(return, "kernel without CONFIG_LITEFLOW_NETLINK");
	ASSERT_NE(self->s, NULL) {
		TH_LOG("%s", strerror(errno));
	}
	/* An interrupted run may have left them. */
	lf_app_op(self->s, LITEFLOW_CMD_APP_DEL, APP, -1);
	lf_app_op(self->s, LITEFLOW_CMD_APP_DEL, APP_SYS, -1);
	lf_app_op(self->s, LITEFLOW_CMD_APP_DEL, APP_NEW, -1);
	ASSERT_EQ(lf_app_add(self->s, APP, N_IN, CAP_NET_ADMIN), 0) {
		TH_LOG("%s", self->s->why);
	}
	ASSERT_EQ(lf_app_add(self->s, APP_SYS, N_IN, CAP_SYS_ADMIN), 0);
}

FIXTURE_TEARDOWN(liteflow)
{
	if (!self->s)
		return;
	EXPECT_EQ(lf_app_op(self->s, LITEFLOW_CMD_APP_DEL, APP, -1), 0);
	EXPECT_EQ(lf_app_op(self->s, LITEFLOW_CMD_APP_DEL, APP_SYS, -1), 0);
	lf_app_op(self->s, LITEFLOW_CMD_APP_DEL, APP_NEW, -1);
	lf_close(self->s);
}

#endif /* _LF_FIXTURE_H */
