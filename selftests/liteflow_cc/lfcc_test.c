// SPDX-License-Identifier: GPL-2.0
/*
 * The congestion control "liteflow" as its users see it: who may choose it, what
 * it tells and takes, and what becomes of a connection when models come and go.
 */
#include <errno.h>
#include <grp.h>
#include <sys/wait.h>

#include "lfcc_fixture.h"

#define SYSCTL		"/proc/sys/net/ipv4/"
#define NOBODY		65534
#define NAME_LEN	16

/* -- helpers ---------------------------------------------------------------- */

static int read_sysctl(const char *name, char *buf, size_t len)
{
	char path[128];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), SYSCTL "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = read(fd, buf, len - 1);
	close(fd);
	if (got < 0)
		return -errno;
	buf[got] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

static int write_sysctl(const char *name, const char *value)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), SYSCTL "%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* A child without rights does this; what it returned, if that is an errno. */
static int as_nobody(int (*fn)(int), int arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			_exit(255);
		_exit(-fn(arg));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static int choose_new(int unused)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)unused;
	return lfcc_choose(fd, LFCC);
}

static int set_remote(int fd)
{
	struct tcp_liteflow_params params = { .flags = TCP_LITEFLOW_REMOTE };

	return set_params(fd, &params, sizeof(params));
}

/* -- who may choose it ------------------------------------------------------ */

TEST_F(cc, socket_option)
{
	char name[NAME_LEN] = "";
	socklen_t len = sizeof(name);

	EXPECT_EQ(getsockopt(self->out, SOL_TCP, TCP_CONGESTION, name, &len), 0);
	EXPECT_STREQ(name, LFCC);
	/* there and back while it is connected */
	EXPECT_EQ(lfcc_choose(self->out, "reno"), 0);
	EXPECT_EQ(lfcc_choose(self->out, LFCC), 0);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, SOME));
	EXPECT_EQ(lfcc_choose(self->out, "reno"), 0);
	EXPECT_TRUE(moves(self, SOME));
	EXPECT_EQ(lfcc_choose(self->out, LFCC), 0);
	EXPECT_TRUE(moves(self, SOME));
}

/* As with any control, what is the default is everybody's to choose. */
TEST_F(cc, sysctl)
{
	char before[64], allowed[256], name[NAME_LEN] = "";
	socklen_t len = sizeof(name);
	int fd;

	ASSERT_EQ(read_sysctl("tcp_congestion_control", before, sizeof(before)), 0);
	ASSERT_EQ(read_sysctl("tcp_allowed_congestion_control", allowed, sizeof(allowed)), 0);
	ASSERT_EQ(write_sysctl("tcp_congestion_control", LFCC), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(write_sysctl("tcp_congestion_control", before), 0);
	EXPECT_EQ(getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len), 0);
	EXPECT_STREQ(name, LFCC);
	close(fd);
	EXPECT_EQ(as_nobody(choose_new, 0), 0);
	EXPECT_EQ(write_sysctl("tcp_allowed_congestion_control", allowed), 0);
}

/* The administrator decides who may. */
TEST_F(cc, restricted)
{
	char before[256], list[300];

	ASSERT_EQ(read_sysctl("tcp_allowed_congestion_control", before, sizeof(before)), 0);
	if (strstr(before, LFCC))
		SKIP(return, LFCC " is allowed to all already");
	EXPECT_EQ(as_nobody(choose_new, 0), -EPERM);
	snprintf(list, sizeof(list), "%s " LFCC, before);
	ASSERT_EQ(write_sysctl("tcp_allowed_congestion_control", list), 0);
	EXPECT_EQ(as_nobody(choose_new, 0), 0);
	EXPECT_EQ(write_sysctl("tcp_allowed_congestion_control", before), 0);
	EXPECT_EQ(as_nobody(choose_new, 0), -EPERM);
}

/* -- without a model -------------------------------------------------------- */

TEST_F(cc, classic)
{
	struct tcp_liteflow_info info;

	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, 4 * SOME));
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_EQ(info.flags, TCP_LITEFLOW_CLASSIC);
	EXPECT_EQ(info.version, 0);
	EXPECT_EQ(info.action, 0);
	EXPECT_GT(info.intervals, 0);
	EXPECT_GT(info.rate, 0);
	EXPECT_GT(info.flow, 0);
	EXPECT_GT(info.min_rtt_us, 0);
	EXPECT_GE(info.rtt_us, info.min_rtt_us);
}

/* -- models ----------------------------------------------------------------- */

TEST_F(cc, model_from_the_start)
{
	struct tcp_liteflow_info info;
	unsigned int first;

	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0) {
		TH_LOG("%s", self->s->why);
	}
	close(self->out);
	close(self->in);
	connect_pair(_metadata, self, LFCC);
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_EQ(info.flags, 0);
	EXPECT_EQ(info.mode, TCP_LITEFLOW_STARTUP);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
	EXPECT_TRUE(moves(self, 4 * SOME));
	first = version(self->out);
	EXPECT_GT(first, 0);
	/* it is asked again and again, and obeyed: the answer is within its limits */
	EXPECT_TRUE(moves(self, 4 * SOME));
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_EQ(info.refused, 0);
	EXPECT_LE(info.action, 32 * LFCC_ONE);
	EXPECT_GE(info.action, -32 * LFCC_ONE);
	EXPECT_EQ(info.version, first);
}

TEST_F(cc, leaves_classic)
{
	struct tcp_liteflow_info info;

	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(moves(self, SOME));
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, TCP_LITEFLOW_CLASSIC, 0));
	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_GT(info.version, 0);
	EXPECT_GT(info.refused, 0);
	EXPECT_TRUE(moves(self, SOME));
}

/* With the policy pin a flow keeps what it began with. */
TEST_F(cc, pinned)
{
	unsigned int first, i;

	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
	EXPECT_TRUE(moves(self, SOME));
	first = version(self->out);
	ASSERT_GT(first, 0);
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 1 + i % 2, i % 2 ? &lfcc_steady :
				       &lfcc_short), 0) {
			TH_LOG("%s", self->s->why);
		}
		ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ACTIVATE, LFCC_APP, 0), 0);
		EXPECT_TRUE(moves(self, SOME));
		EXPECT_EQ(version(self->out), first);
	}
	/* also when it leaves its slot, but not when it is evicted */
	ASSERT_EQ(lf_model_remove(self->s, LFCC_APP, 0, LITEFLOW_REMOVE_FLAGS_FORCE), 0);
	EXPECT_TRUE(moves(self, SOME));
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, first));
}

TEST_F(cc, following)
{
	unsigned int i, last = 0, now;
	double end;

	ASSERT_EQ(lfcc_policy(self->s, LFCC_APP, LITEFLOW_POLICY_FOLLOW), 0);
	ASSERT_EQ(start(self), 0);
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(lfcc_install(self->s, LFCC_APP, i % 2, i % 2 ? &lfcc_steady :
				       &lfcc_short), 0);
		EXPECT_TRUE(moves(self, SOME));
		EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
		end = lfcc_now() + 15 * lfcc_slow();
		do {
			now = version(self->out);
		} while (now == last && lfcc_now() < end);
		EXPECT_GT(now, last);
		last = now;
	}
}

/* The active model goes while it serves: nothing stalls, and a new one takes over. */
TEST_F(cc, removed)
{
	const unsigned int all = LITEFLOW_REMOVE_FLAGS_FORCE | LITEFLOW_REMOVE_FLAGS_EVICT;
	unsigned int i;

	ASSERT_EQ(start(self), 0);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
		EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, 0, 0));
		EXPECT_TRUE(moves(self, SOME));
		EXPECT_EQ(lf_model_remove(self->s, LFCC_APP, 0, LITEFLOW_REMOVE_FLAGS_EVICT),
			  -EBUSY);
		ASSERT_EQ(lf_model_remove(self->s, LFCC_APP, 0, all), 0);
		EXPECT_TRUE(becomes(self, TCP_LITEFLOW_CLASSIC, TCP_LITEFLOW_CLASSIC, 0));
		EXPECT_TRUE(moves(self, SOME));
	}
}

/* -- TCP_CC_PARAMS ---------------------------------------------------------- */

TEST_F(cc, params_refused)
{
	static const struct {
		struct tcp_liteflow_params params;
		socklen_t len;
		int error;
	} cases[] = {
		{ { }, 0, EINVAL },
		{ { }, 1, EINVAL },
		{ { }, sizeof(struct tcp_liteflow_params) - 1, EINVAL },
		{ { }, sizeof(struct tcp_liteflow_params) + 1, EINVAL },
		{ { }, TCP_CC_PARAMS_MAX + 1, EINVAL },
		{ { .pad = 1 }, sizeof(struct tcp_liteflow_params), EINVAL },
		{ { .flags = TCP_LITEFLOW_CLASSIC }, sizeof(struct tcp_liteflow_params), EINVAL },
		{ { .flags = 0x8000 }, sizeof(struct tcp_liteflow_params), EINVAL },
		{ { .flags = TCP_LITEFLOW_ACT }, sizeof(struct tcp_liteflow_params), EINVAL },
		{ { .action = 1 }, sizeof(struct tcp_liteflow_params), EINVAL },
		{ { .flags = TCP_LITEFLOW_REMOTE, .action = 1 },
		  sizeof(struct tcp_liteflow_params), EINVAL },
		{ { .throughput = 999 }, sizeof(struct tcp_liteflow_params), EINVAL },
		{ { .throughput = 500, .latency = 500, .loss = 1 },
		  sizeof(struct tcp_liteflow_params), EINVAL },
		/* the sum is 1000, modulo 2^16 */
		{ { .throughput = 65535, .latency = 1000, .loss = 1 },
		  sizeof(struct tcp_liteflow_params), EINVAL },
	};
	char buf[2 * TCP_CC_PARAMS_MAX] = "";
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(buf, &cases[i].params, sizeof(cases[i].params));
		EXPECT_EQ(set_params(self->out, buf, cases[i].len), -cases[i].error) {
			TH_LOG("case %u", i);
		}
	}
	EXPECT_EQ(set_params(self->out, NULL, sizeof(struct tcp_liteflow_params)), -EFAULT);

	/* not connected yet, and another control */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(lfcc_choose(fd, LFCC), 0);
	EXPECT_EQ(set_preferences(fd), -ENOTCONN);
	ASSERT_EQ(lfcc_choose(fd, "reno"), 0);
	EXPECT_EQ(set_preferences(fd), -EOPNOTSUPP);
	close(fd);
}

TEST_F(cc, params_shown)
{
	struct tcp_liteflow_params params = { .throughput = 700, .latency = 250, .loss = 50 };
	struct tcp_liteflow_info info;

	ASSERT_EQ(set_params(self->out, &params, sizeof(params)), 0);
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_EQ(info.throughput, 700);
	EXPECT_EQ(info.latency, 250);
	EXPECT_EQ(info.loss, 50);
	params = (struct tcp_liteflow_params) { .flags = TCP_LITEFLOW_REMOTE };
	ASSERT_EQ(set_params(self->out, &params, sizeof(params)), 0);
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_EQ(info.throughput + info.latency + info.loss, 0);
	EXPECT_EQ(info.flags, TCP_LITEFLOW_CLASSIC | TCP_LITEFLOW_REMOTE);
}

/* Wishes are everybody's, steering is not. */
TEST_F(cc, params_unprivileged)
{
	EXPECT_EQ(as_nobody(set_preferences, self->out), 0);
	EXPECT_EQ(as_nobody(set_remote, self->out), -EPERM);
}

/* Preferences are told to the model of the other app, and matter. */
TEST_F(cc, preferences)
{
	static const int weights[LFCC_PREFS] = { 256, -256, 0 };
	static const struct lfcc_model model = { .name = "wishes", .prefs = weights };
	struct tcp_liteflow_params params = { .throughput = 750, .latency = 250 };
	struct tcp_liteflow_info info;
	double end;

	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	/* its model does not fit the other app, nor is there any there yet */
	EXPECT_LT(lfcc_install(self->s, LFCC_APP_PREF, 0, &lfcc_steady), 0);
	ASSERT_EQ(set_params(self->out, &params, sizeof(params)), 0);
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_EQ(info.flags & TCP_LITEFLOW_PREFER, 0);

	ASSERT_EQ(lfcc_install(self->s, LFCC_APP_PREF, 0, &model), 0) {
		TH_LOG("%s", self->s->why);
	}
	ASSERT_EQ(set_params(self->out, &params, sizeof(params)), 0);
	ASSERT_EQ(start(self), 0);
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_PREFER | TCP_LITEFLOW_CLASSIC,
			    TCP_LITEFLOW_PREFER, 0));
	end = lfcc_now() + 15 * lfcc_slow();
	do {
		ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	} while (!info.action && lfcc_now() < end);
	EXPECT_GE(info.action, LFCC_ONE / 2 - 256);
	EXPECT_LE(info.action, LFCC_ONE / 2);
	params.throughput = 250;
	params.latency = 750;
	ASSERT_EQ(set_params(self->out, &params, sizeof(params)), 0);
	do {
		ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	} while (info.action > 0 && lfcc_now() < end);
	EXPECT_LE(info.action, 256 - LFCC_ONE / 2);
	/* no preference: the app cc again */
	memset(&params, 0, sizeof(params));
	ASSERT_EQ(set_params(self->out, &params, sizeof(params)), 0);
	EXPECT_TRUE(becomes(self, TCP_LITEFLOW_PREFER | TCP_LITEFLOW_CLASSIC, 0, 0));
	EXPECT_TRUE(moves(self, SOME));
}

/* Steered from user space: the kernel's answers are not done, those that come are. */
TEST_F(cc, remote)
{
	struct tcp_liteflow_params params = { .flags = TCP_LITEFLOW_REMOTE };
	static const struct lfcc_model down = { .name = "down", .constant = -2 * LFCC_ONE };
	struct tcp_liteflow_info info;
	unsigned long long rate;
	double end = lfcc_now() + 20 * lfcc_slow();
	unsigned int i;

	ASSERT_EQ(set_params(self->out, &params, sizeof(params)), 0);
	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &down), 0);
	ASSERT_EQ(start(self), 0);
	do {
		/* a sign of life is due each second */
		ASSERT_EQ(set_params(self->out, &params, sizeof(params)), 0);
		ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
		usleep(1000);
	} while ((info.mode != TCP_LITEFLOW_CRUISE || info.flags & TCP_LITEFLOW_CLASSIC ||
		  self->got < SOME) && lfcc_now() < end);
	EXPECT_EQ(info.mode, TCP_LITEFLOW_CRUISE);
	EXPECT_GE(self->got, SOME);
	EXPECT_EQ(info.action, 0);
	stop(self);

	/* silent now: nothing but the actions changes the rate */
	usleep(200000 * lfcc_slow());
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	if (info.mode != TCP_LITEFLOW_CRUISE)
		SKIP(return, "the flow looks for its minimum RTT just now");
	params.flags = TCP_LITEFLOW_REMOTE | TCP_LITEFLOW_ACT;
	for (i = 0; i < 60; i++) {
		rate = info.rate;
		params.action = i < 20 ? 2 * LFCC_ONE : -2 * LFCC_ONE;
		ASSERT_EQ(set_params(self->out, &params, sizeof(params)), 0);
		ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
		EXPECT_EQ(info.action, params.action);
		if (i < 20) {
			EXPECT_GT(info.rate, rate);
		} else if (i < 30) {
			EXPECT_LT(info.rate, rate);
		} else {
			/* there is a least one */
			EXPECT_LE(info.rate, rate);
		}
	}
	EXPECT_GT(info.rate, 0);
}

/* Nobody acts any more: the kernel's model takes over, after a second. */
TEST_F(cc, remote_dies)
{
	struct tcp_liteflow_params params = { .flags = TCP_LITEFLOW_REMOTE };
	static const struct lfcc_model up = { .name = "up", .constant = LFCC_ONE / 2 };
	struct tcp_liteflow_info info;
	double begin = lfcc_now(), end = begin + 20 * lfcc_slow();

	ASSERT_EQ(set_params(self->out, &params, sizeof(params)), 0);
	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &up), 0);
	ASSERT_EQ(start(self), 0);
	do {
		usleep(1000);
		ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
		if (info.flags & TCP_LITEFLOW_REMOTE)
			EXPECT_EQ(info.action, 0);
	} while (!info.action && lfcc_now() < end);
	EXPECT_FALSE(info.flags & TCP_LITEFLOW_REMOTE);
	EXPECT_EQ(info.action, LFCC_ONE / 2);
	EXPECT_GE(lfcc_now() - begin, 1);
	EXPECT_TRUE(moves(self, SOME));
}

/* -- sock_diag -------------------------------------------------------------- */

/* Ask for the socket itself, with everything: the answer has to have room for it. */
TEST_F(cc, diag)
{
	struct tcp_liteflow_info info, told;
	const struct nlattr *a;
	static struct lf_msg m;
	int ret;

	ret = ask_diag(self->out, 0xff, &m);
	if (ret == -ENOENT)
		SKIP(return, "kernel without CONFIG_INET_DIAG");
	ASSERT_EQ(ret, 0);
	a = diag_attr(&m, INET_DIAG_LITEFLOWINFO);
	ASSERT_NE(a, NULL);
	ASSERT_EQ(a->nla_len, NLA_HDRLEN + sizeof(told));
	memcpy(&told, lf_data(a), sizeof(told));
	ASSERT_EQ(lfcc_info(self->out, &info), sizeof(info));
	EXPECT_EQ(memcmp(&told, &info, sizeof(info)), 0);
}

/* -- nobody holds the socket's lock who asks -------------------------------- */

static void *ask_all(void *arg)
{
	struct _test_data_cc *self = arg;
	struct tcp_liteflow_info info;

	while (!self->stop)
		lfcc_info(self->out, &info);
	return NULL;
}

/* Another control's data lie where its own did, or its state has just been freed. */
TEST_F(cc, info_while_it_changes)
{
	static const char *const names[] = { LFCC, "reno", LFCC, "cubic", LFCC, "bbr" };
	double end = lfcc_now() + 3;
	pthread_t asker[2];
	unsigned int i;

	ASSERT_EQ(lfcc_install(self->s, LFCC_APP, 0, &lfcc_steady), 0);
	for (i = 0; i < ARRAY_SIZE(asker); i++)
		ASSERT_EQ(pthread_create(&asker[i], NULL, ask_all, self), 0);
	/* a slow machine takes longer */
	for (i = 0; lfcc_now() < end || i <= 100; i++) {
		int ret = lfcc_choose(self->out, names[i % ARRAY_SIZE(names)]);

		/* a kernel need not have all of them */
		EXPECT_TRUE(!ret || ret == -ENOENT);
	}
	TH_LOG("%u changes", i);
	self->stop = true;
	for (i = 0; i < ARRAY_SIZE(asker); i++)
		pthread_join(asker[i], NULL);
}

TEST_HARNESS_MAIN
