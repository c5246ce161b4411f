// SPDX-License-Identifier: GPL-2.0
/*
 * The qdisc "lemu" and rtnetlink: options that are right, wrong, cut and random, from
 * the host and from a user namespace, and namespaces that come and go.
 */
#include <arpa/inet.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "lemu_nl.h"

/* Refused with this error, and a reason that names the option; what ran goes on. */
#define EXPECT_REFUSED(m, error, option)					\
do {										\
	const char *_option = option;						\
										\
	EXPECT_EQ(lf_call(self->s, m), -(error)) {				\
		TH_LOG("%s: \"%s\"", _option, self->s->why);			\
	}									\
	EXPECT_NE(strstr(self->s->why, _option), NULL) {			\
		TH_LOG("reason: \"%s\", not of \"%s\"", self->s->why, _option);	\
	}									\
	EXPECT_TRUE(same(self->s, self->before, self->len));			\
} while (0)

/* Its options are those. */
static bool same(struct lf_sock *s, const void *before, int before_len)
{
	char now[512];
	int len = lemu_options(s, now, sizeof(now));

	return len == before_len && !memcmp(now, before, len);
}

FIXTURE(lemu) {
	struct lf_sock *s;
	char before[512];
	int len;
};

FIXTURE_SETUP(lemu)
{
	int ret;

	if (geteuid())
		SKIP(return, "not root");
	ASSERT_EQ(lemu_netns(0), 0);
	self->s = lemu_open();
	ASSERT_NE(self->s, NULL);
	ret = lemu_add(self->s, NULL);
	if (ret == -ENOENT && lf_insmod("sch_lemu"))
		ret = lemu_add(self->s, NULL);
	if (ret == -ENOENT)
		SKIP(return, "no qdisc lemu: CONFIG_NET_SCH_LEMU, or set LF_MODULES");
	ASSERT_EQ(ret, 0) {
		TH_LOG("%s", self->s->why);
	}
	self->len = lemu_options(self->s, self->before, sizeof(self->before));
	ASSERT_GT(self->len, 0);
}

FIXTURE_TEARDOWN(lemu)
{
	lf_close(self->s);
}

/* A change of one option, with data of that length. */
static void change(struct lf_msg *m, int type, const void *data, size_t len)
{
	struct nlattr *nest;

	lemu_begin(m, RTM_NEWQDISC, 0);
	nest = lemu_nest(m);
	lf_put(m, type, data, len);
	lemu_end(m, nest);
}

static void change_u64(struct lf_msg *m, int type, __u64 value)
{
	change(m, type, &value, sizeof(value));
}

static void change_u32(struct lf_msg *m, int type, __u32 value)
{
	change(m, type, &value, sizeof(value));
}

TEST_F(lemu, ranges)
{
	struct lf_msg m;
	__u8 two = 2;

	change_u64(&m, TCA_LEMU_CAPACITY, 0);
	EXPECT_REFUSED(&m, ERANGE, "capacity");
	change_u64(&m, TCA_LEMU_CAPACITY, LEMU_MIN_CAPACITY - 1);
	EXPECT_REFUSED(&m, ERANGE, "capacity");
	change_u64(&m, TCA_LEMU_CAPACITY, LEMU_MAX_CAPACITY + 1);
	EXPECT_REFUSED(&m, ERANGE, "capacity");
	change_u64(&m, TCA_LEMU_CAPACITY, ~0ULL);
	EXPECT_REFUSED(&m, ERANGE, "capacity");
	change_u32(&m, TCA_LEMU_QUEUE, 0);
	EXPECT_REFUSED(&m, ERANGE, "queue");
	change_u32(&m, TCA_LEMU_QUEUE, LEMU_PACKET - 1);
	EXPECT_REFUSED(&m, ERANGE, "queue");
	change_u32(&m, TCA_LEMU_QUEUE, LEMU_MAX_QUEUE + 1);
	EXPECT_REFUSED(&m, ERANGE, "queue");
	change_u64(&m, TCA_LEMU_DELAY, LEMU_MAX_DELAY + 1);
	EXPECT_REFUSED(&m, ERANGE, "delay");
	change(&m, TCA_LEMU_ECN, &two, sizeof(two));
	EXPECT_REFUSED(&m, ERANGE, "");
}

TEST_F(lemu, ends_of_ranges)
{
	struct nlattr *nest;
	struct lf_msg m;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		lemu_begin(&m, RTM_NEWQDISC, 0);
		nest = lemu_nest(&m);
		lf_put_u64(&m, TCA_LEMU_CAPACITY, i ? LEMU_MAX_CAPACITY : LEMU_MIN_CAPACITY);
		lf_put_u32(&m, TCA_LEMU_QUEUE, i ? LEMU_MAX_QUEUE : LEMU_PACKET);
		lf_put_u64(&m, TCA_LEMU_DELAY, i ? LEMU_MAX_DELAY : 0);
		lf_put_u32(&m, TCA_LEMU_LIMIT, i ? ~0U : 1);
		lemu_end(&m, nest);
		EXPECT_EQ(lf_call(self->s, &m), 0) {
			TH_LOG("%s", self->s->why);
		}
	}
}

/* Every option with every length but its own. */
TEST_F_TIMEOUT(lemu, truncated, 300)
{
	static const struct {
		int type;
		size_t len;
		const char *name;
	} options[] = {
		{ TCA_LEMU_CAPACITY, 8, "capacity" },
		{ TCA_LEMU_QUEUE, 4, "queue" },
		{ TCA_LEMU_DELAY, 8, "delay" },
		{ TCA_LEMU_LIMIT, 4, "limit" },
		{ TCA_LEMU_ECN, 1, "ecn" },
	};
	static const char zeroes[64];
	struct lf_msg m;
	size_t i, len;

	for (i = 0; i < sizeof(options) / sizeof(*options); i++)
		for (len = 0; len < 20; len++) {
			if (len == options[i].len)
				continue;
			change(&m, options[i].type, zeroes, len);
			EXPECT_REFUSED(&m, EINVAL, options[i].name);
		}
}

TEST_F(lemu, names)
{
	char name[64];
	struct lf_msg m;
	size_t len;

	memset(name, 'x', sizeof(name));
	for (len = 0; len < sizeof(name); len++) {
		/* without its end */
		change(&m, TCA_LEMU_APP, name, len);
		EXPECT_REFUSED(&m, EINVAL, "app");
	}
	name[32] = '\0';
	change(&m, TCA_LEMU_APP, name, 33);
	EXPECT_REFUSED(&m, EINVAL, "app");
	name[31] = '\0';
	change(&m, TCA_LEMU_APP, name, 32);
	EXPECT_REFUSED(&m, ENOENT, "app");
}

TEST_F(lemu, unknown_and_missing)
{
	struct nlattr *nest;
	struct lf_msg m;

	change_u32(&m, TCA_LEMU_MAX + 1, 1);
	EXPECT_REFUSED(&m, EINVAL, "");
	change_u32(&m, TCA_LEMU_PAD, 1);
	EXPECT_REFUSED(&m, EINVAL, "");
	/* half an attribute behind the last one */
	change_u32(&m, TCA_LEMU_LIMIT, 1);
	nest = (void *)(m.buf + NLMSG_SPACE(sizeof(struct tcmsg)) + NLA_ALIGN(NLA_HDRLEN + 5));
	nest->nla_len += 2;
	m.n.nlmsg_len += 4;
	EXPECT_NE(lf_call(self->s, &m), 0);
	EXPECT_TRUE(same(self->s, self->before, self->len));

	EXPECT_EQ(lemu_del(self->s), 0);
	lemu_begin(&m, RTM_NEWQDISC, NLM_F_CREATE);
	EXPECT_EQ(lf_call(self->s, &m), -EINVAL);
	EXPECT_NE(strstr(self->s->why, "capacity"), NULL);
	lemu_begin(&m, RTM_NEWQDISC, NLM_F_CREATE);
	nest = lemu_nest(&m);
	lf_put_u64(&m, TCA_LEMU_CAPACITY, 250000);
	lemu_end(&m, nest);
	EXPECT_EQ(lf_call(self->s, &m), -EINVAL);
	EXPECT_NE(strstr(self->s->why, "queue"), NULL);
}

/* Whatever the bytes are: taken as a whole, or not at all. */
TEST_F_TIMEOUT(lemu, random_bytes, 300)
{
	const unsigned int n = 1000;
	unsigned int i, taken = 0;
	struct nlattr *nest;
	struct lf_msg m;

	srand(1);
	for (i = 0; i < n; i++) {
		char data[40];
		int parts = rand() % 4, ret;

		lemu_begin(&m, RTM_NEWQDISC, 0);
		nest = lemu_nest(&m);
		while (parts--) {
			int type = rand() % (TCA_LEMU_MAX + 3), j;
			static const int lens[] = { 0, 1, 4, 8, 8, 4, 12 };

			for (j = 0; j < (int)sizeof(data); j++)
				data[j] = rand() % 3 ? 0 : rand();
			lf_put(&m, type, data, rand() % 2 ? lens[rand() % 7] : rand() % 40);
		}
		lemu_end(&m, nest);
		if (rand() % 4 == 0)
			nest->nla_len += rand() % 16 - 8;
		ret = lf_call(self->s, &m);
		if (ret) {
			ASSERT_TRUE(same(self->s, self->before, self->len)) {
				TH_LOG("message %u: %s", i, self->s->why);
			}
		} else {
			taken++;
			self->len = lemu_options(self->s, self->before, sizeof(self->before));
			ASSERT_GT(self->len, 0);
		}
	}
	EXPECT_GT(taken, 10);
	EXPECT_GT(n - taken, 200);
}

static void write_map(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(3);
	close(fd);
}

/* 0: the byte queue may be had there, a model may not; another status says what failed. */
static int in_user_namespace(void)
{
	struct lf_sock *s;
	int ret = 1;

	if (unshare(CLONE_NEWUSER))
		return 2;
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", "0 0 1");
	write_map("/proc/self/gid_map", "0 0 1");
	if (lemu_netns(0))
		return 4;
	s = lemu_open();
	if (!s)
		return 5;
	if (!lemu_add(s, NULL))
		ret = lemu_add(s, LEMU_APP) == -EPERM && strstr(s->why, "app") ? 0 : 6;
	lf_close(s);
	return ret;
}

TEST_F(lemu, user_namespace)
{
	pid_t pid = fork();
	int status;

	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(in_user_namespace());
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_TRUE(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		SKIP(return, "no user namespaces");
	EXPECT_EQ(WEXITSTATUS(status), 0);
}

/* Packets that wait when the namespace goes. */
static int send_some(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), i, n = 0;
	static const char data[1000];

	for (i = 0; i < 8; i++)
		n += sendto(fd, data, sizeof(data), 0, (void *)&to, sizeof(to)) > 0;
	close(fd);
	return n;
}

TEST_F_TIMEOUT(lemu, namespaces, 3000)
{
	const char *text = getenv("LEMU_NAMESPACES");
	int i, n = text ? atoi(text) : 100;
	struct lf_sock *s;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(lemu_netns(0), 0);
		s = lemu_open();
		ASSERT_NE(s, NULL);
		ASSERT_EQ(lemu_add(s, i % 2 ? LEMU_APP : NULL), 0) {
			TH_LOG("%s", s->why);
		}
		ASSERT_EQ(send_some(), 8);
		lf_close(s);
	}
	TH_LOG("%d namespaces", n);
}

TEST_HARNESS_MAIN
