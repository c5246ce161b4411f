// SPDX-License-Identifier: GPL-2.0
/*
 * The switch of JC_SCHED: system call and sysctl, what each sees of the other,
 * bad values, and who may use it.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "../kselftest_harness.h"
#include "jc_switch.h"

#define DEBUGFS		"/sys/kernel/debug"
#define STATE		DEBUGFS "/jc_sched/state"

#define NOBODY		65534U

/* All helpers return a negative errno on failure. */
static int read_int(const char *path, int *val)
{
	char buf[32], *end;
	int err = read_str(path, buf, sizeof(buf));

	if (err < 0)
		return err;
	*val = strtol(buf, &end, 10);
	return end == buf || *end != '\n' ? -EBADMSG : 0;
}

static int read_switch(void)
{
	int val;
	int err = read_int(SWITCH, &val);

	return err ? err : val;
}

/* The mode as the kernel states it; by what setting answers if it does not. */
static bool mode_is_replace(int nr)
{
	char line[128], mode[32];
	bool found = false;
	FILE *f;

	f = fopen(STATE, "r");
	if (!f && !mount("debugfs", DEBUGFS, "debugfs", 0, NULL))
		f = fopen(STATE, "r");
	if (!f)
		return jc_call(nr, jc_call(nr, JC_QUERY)) == -EOPNOTSUPP;
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "mode: %31s", mode) == 1;
	fclose(f);
	return found && !strcmp(mode, "replace");
}

static int drop_cap_sys_admin(void)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	__u32 mask = ~CAP_TO_MASK(CAP_SYS_ADMIN);
	int i = CAP_TO_INDEX(CAP_SYS_ADMIN);

	if (syscall(SYS_capget, &hdr, data))
		return -errno;
	data[i].effective &= mask;
	data[i].permitted &= mask;
	data[i].inheritable &= mask;
	return syscall(SYS_capset, &hdr, data) ? -errno : 0;
}

/* From uid 0 to a plain user the kernel clears every capability. */
static int become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	return 0;
}

FIXTURE(jc) {
	int nr;
	int saved;
	bool replace;
};

FIXTURE_SETUP(jc)
{
	int err;

	if (geteuid())
		SKIP(return, "not root: the switch cannot be set");
	if (access(SWITCH, F_OK))
		SKIP(return, "no " SWITCH ": kernel without CONFIG_JC_SCHED");
	err = read_int(NUMBER, &self->nr);
	if (err == -ENOENT)
		self->nr = JC_NO_CALL;
	else
		ASSERT_EQ(err, 0)
			TH_LOG("%s: %s", NUMBER, strerror(-err));
	ASSERT_TRUE(self->nr > 0 || self->nr == JC_NO_CALL);
	self->replace = mode_is_replace(self->nr);
	self->saved = read_switch();
	ASSERT_GE(self->saved, 0);
	ASSERT_LE(self->saved, 1);
}

/* In the parent: the test itself may have given up the right to restore. */
FIXTURE_TEARDOWN_PARENT(jc)
{
	if (!self->replace)
		EXPECT_EQ(write_str(SWITCH, self->saved ? "1" : "0"), 0);
}

TEST_F(jc, number)
{
	struct stat st;

	ASSERT_EQ(stat(SWITCH, &st), 0);
	EXPECT_EQ(st.st_mode & 07777, 0644U);
	if (self->nr == JC_NO_CALL)
		SKIP(return, "no " NUMBER ": kernel without the system call");
#ifdef __x86_64__
	EXPECT_EQ(self->nr, 345);
#endif
	ASSERT_EQ(stat(NUMBER, &st), 0);
	EXPECT_EQ(st.st_mode & 07777, 0444U);
	EXPECT_EQ(write_str(NUMBER, "345"), -EACCES);
}

TEST_F(jc, query)
{
	EXPECT_EQ(jc_call(self->nr, JC_QUERY), self->saved);
	EXPECT_EQ(read_switch(), self->saved);
	if (self->replace)
		EXPECT_EQ(self->saved, 1);
}

TEST_F(jc, syscall_sets_sysctl_sees)
{
	int i;

	if (self->replace)
		SKIP(return, "mode is replace: there is no switch");
	/* Twice each: setting what already holds is no error. */
	for (i = 0; i < 4; i++) {
		int op = i & 2 ? JC_OFF : JC_ON;

		EXPECT_EQ(jc_call(self->nr, op), op);
		EXPECT_EQ(read_switch(), op);
		EXPECT_EQ(jc_call(self->nr, JC_QUERY), op);
	}
}

TEST_F(jc, sysctl_sets_syscall_sees)
{
	int i;

	if (self->replace)
		SKIP(return, "mode is replace: there is no switch");
	for (i = 0; i < 4; i++) {
		int val = !(i & 2);

		EXPECT_EQ(write_str(SWITCH, val ? "1\n" : "0\n"), 0);
		EXPECT_EQ(jc_call(self->nr, JC_QUERY), val);
		EXPECT_EQ(read_switch(), val);
	}
}

TEST_F(jc, bad_ops)
{
	static const int bad[] = { -1, 3, 4, 256, INT_MAX, INT_MIN };
	size_t i;
	int state;

	if (self->nr == JC_NO_CALL)
		SKIP(return, "no " NUMBER ": kernel without the system call");
	for (state = 0; state <= 1; state++) {
		int holds = self->replace ? 1 : state;

		if (!self->replace)
			ASSERT_EQ(jc_call(self->nr, state), state);
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			EXPECT_EQ(jc_call(self->nr, bad[i]), -EINVAL)
				TH_LOG("op %d", bad[i]);
		EXPECT_EQ(jc_call(self->nr, JC_QUERY), holds);
	}
}

TEST_F(jc, bad_writes)
{
	static const char * const bad[] = {
		"2", "-1", "x", "1x", "2147483648", "99999999999999999999",
	};
	size_t i;
	int state;

	if (self->replace)
		SKIP(return, "mode is replace: every write gives EOPNOTSUPP");
	for (state = 0; state <= 1; state++) {
		ASSERT_EQ(write_str(SWITCH, state ? "1" : "0"), 0);
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			EXPECT_EQ(write_str(SWITCH, bad[i]), -EINVAL)
				TH_LOG("write \"%s\"", bad[i]);
			EXPECT_EQ(read_switch(), state)
				TH_LOG("after write \"%s\"", bad[i]);
		}
	}
}

TEST_F(jc, replace_cannot_be_set)
{
	if (!self->replace)
		SKIP(return, "mode is not replace");
	EXPECT_EQ(jc_call(self->nr, JC_OFF), -EOPNOTSUPP);
	EXPECT_EQ(jc_call(self->nr, JC_ON), -EOPNOTSUPP);
	EXPECT_EQ(write_str(SWITCH, "0"), -EOPNOTSUPP);
	EXPECT_EQ(write_str(SWITCH, "1"), -EOPNOTSUPP);
	EXPECT_EQ(jc_call(self->nr, JC_QUERY), 1);
	EXPECT_EQ(read_switch(), 1);
}

/*
 * Setting is refused both ways, querying is not, and nothing changes.
 * @dac: who is not the owner already fails to open the file (EACCES).
 * In replace the lack of a switch may be found before the lack of a right.
 */
static void check_refused(struct __test_metadata *_metadata, int nr,
			  bool replace, bool dac)
{
	int before = jc_call(nr, JC_QUERY);
	int val, err;

	EXPECT_GE(before, 0);
	for (val = 0; val <= 1; val++) {
		err = jc_call(nr, val);
		if (!replace || err != -EOPNOTSUPP)
			EXPECT_EQ(err, dac && nr == JC_NO_CALL ? -EACCES : -EPERM);
		err = write_str(SWITCH, val ? "1" : "0");
		if (!replace || dac || err != -EOPNOTSUPP)
			EXPECT_EQ(err, dac ? -EACCES : -EPERM);
		EXPECT_EQ(jc_call(nr, JC_QUERY), before);
		EXPECT_EQ(read_switch(), before);
	}
}

TEST_F(jc, unprivileged_user)
{
	ASSERT_EQ(become_nobody(), 0);
	ASSERT_EQ(geteuid(), NOBODY);
	check_refused(_metadata, self->nr, self->replace, true);
}

TEST_F(jc, root_without_cap_sys_admin)
{
	ASSERT_EQ(drop_cap_sys_admin(), 0);
	ASSERT_EQ(geteuid(), 0U);
	check_refused(_metadata, self->nr, self->replace, false);
}

/* Root in a user namespace of its own, mapped to the real root or to nobody. */
static int enter_user_ns(uid_t outer)
{
	char map[32];
	int err;

	if (unshare(CLONE_NEWUSER))
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1", outer);
	err = write_str("/proc/self/uid_map", map);
	if (!err)
		err = write_str("/proc/self/setgroups", "deny");
	if (!err)
		err = write_str("/proc/self/gid_map", map);
	return err;
}

static bool no_user_ns(int err)
{
	return err == -EINVAL || err == -ENOSPC || err == -EPERM;
}

TEST_F(jc, root_of_user_namespace)
{
	int err = enter_user_ns(0);

	if (no_user_ns(err))
		SKIP(return, "no user namespace: %s", strerror(-err));
	ASSERT_EQ(err, 0);
	ASSERT_EQ(geteuid(), 0U);
	check_refused(_metadata, self->nr, self->replace, false);
}

TEST_F(jc, nobody_as_root_of_user_namespace)
{
	int err;

	ASSERT_EQ(become_nobody(), 0);
	/* Without this /proc/self is owned by root and the maps are closed. */
	ASSERT_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
	err = enter_user_ns(NOBODY);
	if (no_user_ns(err))
		SKIP(return, "no unprivileged user namespace: %s",
		     strerror(-err));
	ASSERT_EQ(err, 0);
	ASSERT_EQ(geteuid(), 0U);
	check_refused(_metadata, self->nr, self->replace, true);
}

TEST_HARNESS_MAIN
