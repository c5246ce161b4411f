// SPDX-License-Identifier: GPL-2.0
/*
 * LiteFlow's netlink family: who may do what. Users without rights, sockets that
 * changed hands, user and network namespaces, and one capability without the
 * other.
 */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lf_fixture.h"

#define NOBODY	65534U

/* Every operation that changes something or shows traffic, of one app. */
static const struct {
	int cmd;
	const char *name;
} guarded[] = {
	{ LITEFLOW_CMD_APP_ADD, "app-add" },
	{ LITEFLOW_CMD_APP_DEL, "app-del" },
	{ LITEFLOW_CMD_APP_SET, "app-set" },
	{ LITEFLOW_CMD_MODEL_BEGIN, "model-begin" },
	{ LITEFLOW_CMD_COMPILED_INSTALL, "compiled-install" },
	{ LITEFLOW_CMD_MODEL_ACTIVATE, "model-activate" },
	{ LITEFLOW_CMD_MODEL_ROLLBACK, "model-rollback" },
	{ LITEFLOW_CMD_MODEL_REMOVE, "model-remove" },
	{ LITEFLOW_CMD_EVAL, "eval" },
	{ LITEFLOW_CMD_COLLECT_START, "collect-start" },
};

/* A whole and lawful message, so that only the right to send it is in question. */
static int guarded_call(struct lf_sock *s, int cmd, const char *app, unsigned int capability)
{
	static const __u8 bytes[32];
	struct lf_msg m;

	if (cmd == LITEFLOW_CMD_APP_ADD)
		return lf_app_add(s, APP_NEW, N_IN, capability);
	lf_begin_app(s, &m, cmd, app, -1);
	switch (cmd) {
	case LITEFLOW_CMD_APP_SET:
		lf_put_u32(&m, LITEFLOW_A_APP_SAMPLE_SHIFT, 10);
		break;
	case LITEFLOW_CMD_MODEL_BEGIN:
		lf_put_u32(&m, LITEFLOW_A_MODEL_SLOT, 0);
		lf_put_u32(&m, LITEFLOW_A_MODEL_LENGTH, 100);
		lf_put(&m, LITEFLOW_A_MODEL_DIGEST, bytes, 32);
		break;
	case LITEFLOW_CMD_COMPILED_INSTALL:
		lf_put_u32(&m, LITEFLOW_A_MODEL_SLOT, 0);
		lf_put_str(&m, LITEFLOW_A_MODEL_NAME, "x");
		break;
	case LITEFLOW_CMD_MODEL_ACTIVATE:
	case LITEFLOW_CMD_MODEL_REMOVE:
		lf_put_u32(&m, LITEFLOW_A_MODEL_SLOT, 0);
		break;
	case LITEFLOW_CMD_EVAL:
		lf_put_u32(&m, LITEFLOW_A_EVAL_SLOT, 0);
		lf_put_u32(&m, LITEFLOW_A_EVAL_ROWS, 1);
		lf_put(&m, LITEFLOW_A_EVAL_INPUTS, bytes, N_IN * sizeof(__s32));
		break;
	}
	return lf_call(s, &m);
}

/* How many were not refused for want of rights, with a reason or the plain -EPERM. */
static int allowed(struct lf_sock *s, const char *app, unsigned int capability)
{
	int n = 0, ret;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(guarded); i++) {
		ret = guarded_call(s, guarded[i].cmd, app, capability);
		if (ret == -EPERM)
			continue;
		fprintf(stderr, "# %s: %d, \"%s\"\n", guarded[i].name, ret, s->why);
		n++;
	}
	return n;
}

static int readable(struct lf_sock *s, const char *app)
{
	struct lf_msg m;

	lf_begin(&m, s->family, LITEFLOW_CMD_STATS_GET, NLM_F_DUMP);
	return lf_app_op(s, LITEFLOW_CMD_APP_GET, app, -1) ?: lf_call(s, &m);
}

static int drop_to(unsigned int keep)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	data[CAP_TO_INDEX(keep)].permitted = CAP_TO_MASK(keep);
	data[CAP_TO_INDEX(keep)].effective = CAP_TO_MASK(keep);
	return syscall(SYS_capset, &hdr, data) ? -errno : 0;
}

static int become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	return 0;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* What a child did, as its exit status: 0 good, 1 bad, 4 could not be tried. */
static int wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(liteflow, unprivileged)
{
	pid_t pid = fork();

	if (!pid) {
		struct lf_sock *s;

		if (become_nobody())
			_exit(4);
		s = lf_open();
		if (!s)
			_exit(1);
		_exit(allowed(s, APP, CAP_NET_ADMIN) || allowed(s, APP_SYS, CAP_SYS_ADMIN) ||
		      readable(s, APP));
	}
	EXPECT_EQ(wait_for(pid), 0);
}

/* Rights that a socket's opener had are of no use to who has it now. */
TEST_F(liteflow, inherited_socket)
{
	pid_t pid = fork();

	if (!pid) {
		if (become_nobody())
			_exit(4);
		_exit(allowed(self->s, APP, CAP_NET_ADMIN) ||
		      allowed(self->s, APP_SYS, CAP_SYS_ADMIN));
	}
	EXPECT_EQ(wait_for(pid), 0);
}

/* And the other way round: root writes on a socket that nobody opened. */
TEST_F(liteflow, foreign_socket)
{
	pid_t pid = fork();

	if (!pid) {
		struct lf_sock *s;

		if (setresuid(-1, NOBODY, -1))
			_exit(4);
		s = lf_open();
		if (!s || setresuid(-1, 0, -1))
			_exit(4);
		_exit(!!allowed(s, APP, CAP_NET_ADMIN));
	}
	EXPECT_EQ(wait_for(pid), 0);
}

TEST_F(liteflow, user_namespace)
{
	pid_t pid = fork();

	if (!pid) {
		char map[64];
		struct lf_sock *s;

		/* who may not be dumped may not write its own maps */
		if (become_nobody() || prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER))
			_exit(4);
		/* root in there, with all capabilities */
		snprintf(map, sizeof(map), "0 %u 1", NOBODY);
		if (write_file("/proc/self/setgroups", "deny") ||
		    write_file("/proc/self/uid_map", map) || write_file("/proc/self/gid_map", map))
			_exit(2);
		s = lf_open();
		if (!s)
			_exit(1);
		_exit(allowed(s, APP, CAP_NET_ADMIN) || allowed(s, APP_SYS, CAP_SYS_ADMIN));
	}
	switch (wait_for(pid)) {
	case 4:
		SKIP(return, "user namespaces are not to be had");
	case 0:
		break;
	default:
		EXPECT_TRUE(false);
	}
}

/* Everything is refused there, reading as well, and the reason says why. */
TEST_F(liteflow, net_namespace)
{
	static const char reason[] = "initial network namespace";
	pid_t pid = fork();

	if (!pid) {
		struct lf_sock *s;
		struct lf_msg m;
		unsigned int i;
		int bad = 0;

		if (unshare(CLONE_NEWNET))
			_exit(4);
		s = lf_open();
		if (!s)
			_exit(1);
		for (i = 0; i < ARRAY_SIZE(guarded); i++) {
			int ret = guarded_call(s, guarded[i].cmd, APP, CAP_NET_ADMIN);

			if (ret != -EPERM || !strstr(s->why, reason)) {
				fprintf(stderr, "# %s: %d, \"%s\"\n", guarded[i].name, ret, s->why);
				bad = 1;
			}
		}
		if (lf_app_op(s, LITEFLOW_CMD_APP_GET, APP, -1) != -EPERM ||
		    !strstr(s->why, reason))
			bad = 1;
		lf_begin(&m, s->family, LITEFLOW_CMD_APP_GET, NLM_F_DUMP);
		if (lf_call(s, &m) != -EPERM || !strstr(s->why, reason)) {
			fprintf(stderr, "# dump: \"%s\"\n", s->why);
			bad = 1;
		}
		_exit(bad);
	}
	switch (wait_for(pid)) {
	case 4:
		SKIP(return, "network namespaces are not to be had");
	case 0:
		break;
	default:
		EXPECT_TRUE(false);
	}
}

/* A network admin must not steer the scheduler. */
TEST_F(liteflow, net_admin_only)
{
	pid_t pid = fork();

	if (!pid) {
		struct lf_sock *s;

		if (drop_to(CAP_NET_ADMIN))
			_exit(4);
		s = lf_open();
		if (!s)
			_exit(1);
		if (allowed(s, APP_SYS, CAP_SYS_ADMIN))
			_exit(1);
		/* but of the network's apps */
		_exit(!!install(s, APP, 0, 3));
	}
	EXPECT_EQ(wait_for(pid), 0);
}

/* Records need CAP_NET_ADMIN, whatever the app needs. */
TEST_F(liteflow, sys_admin_only)
{
	pid_t pid = fork();

	if (!pid) {
		struct lf_sock *s;

		if (drop_to(CAP_SYS_ADMIN))
			_exit(4);
		s = lf_open();
		if (!s)
			_exit(1);
		if (lf_app_op(s, LITEFLOW_CMD_COLLECT_START, APP_SYS, -1) != -EPERM)
			_exit(1);
		if (allowed(s, APP, CAP_NET_ADMIN))
			_exit(1);
		_exit(!!install(s, APP_SYS, 0, 3));
	}
	EXPECT_EQ(wait_for(pid), 0);
}

TEST_HARNESS_MAIN
