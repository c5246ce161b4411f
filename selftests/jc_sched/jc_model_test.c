// SPDX-License-Identifier: GPL-2.0
/*
 * The scheduler's networks in LiteFlow's slots: what is refused, who may change
 * them, and 10,000 that come and go while the balancer asks.
 */
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "../kselftest_harness.h"
#include "jc_blob.h"

#define STATE		"/sys/kernel/debug/jc_sched/state"
#define STATS		"/sys/kernel/debug/jc_sched/stats"
#define SWITCH		"/proc/sys/kernel/sched_jc"
#define GUARD		"/proc/sys/kernel/sched_jc_guard"

#define SWAPS		10000
#define SWAPS_FEWER	1000	/* where it is no switch's doing, or all is slow */
#define TASKS_PER_CPU	3

/* The value of a line "NAME VALUE" or "NAME: VALUE", or "". */
static void line(const char *path, const char *name, char *value, size_t size)
{
	size_t len = strlen(name);
	char buf[256];
	FILE *f;

	*value = 0;
	f = fopen(path, "r");
	if (!f)
		return;
	while (fgets(buf, sizeof(buf), f)) {
		if (strncmp(buf, name, len) || (buf[len] != ' ' && buf[len] != ':'))
			continue;
		snprintf(value, size, "%s", buf + len + 1 + (buf[len] == ':'));
		value[strcspn(value, "\n")] = 0;
	}
	fclose(f);
}

static unsigned long counter(const char *name)
{
	char value[64];

	line(STATS, name, value, sizeof(value));
	return strtoul(value, NULL, 10);
}

/* Of one moment: all follow from the same numbers in the kernel. */
static void totals(unsigned long *accepted, unsigned long *refused, unsigned long *forced)
{
	FILE *f = fopen(STATS, "r");
	unsigned long value;
	char name[64];

	*accepted = *refused = *forced = 0;
	while (f && fscanf(f, "%63s %lu", name, &value) == 2) {
		if (!strcmp(name, "accepted"))
			*accepted = value;
		else if (!strcmp(name, "refused"))
			*refused = value;
		else if (!strcmp(name, "forced"))
			*forced = value;
	}
	if (f)
		fclose(f);
}

static int write_int(const char *path, int val)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -errno;
	fprintf(f, "%d\n", val);
	return fclose(f) ? -errno : 0;
}

static unsigned long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Without CAP_SYS_ADMIN, the others kept. */
static int drop_sys_admin(void)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &hdr, data))
		return -errno;
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	data[0].permitted &= ~(1U << CAP_SYS_ADMIN);
	return syscall(SYS_capset, &hdr, data) ? -errno : 0;
}

FIXTURE(model) {
	struct lf_sock *s;
	char was[64];
};

FIXTURE_SETUP(model)
{
	if (geteuid())
		SKIP(return, "not root");
	line(STATE, "model", self->was, sizeof(self->was));
	if (!*self->was)
		SKIP(return, "no " STATE ": kernel without CONFIG_JC_SCHED, or no debugfs");
	self->s = lf_open();
	if (!self->s && errno == ENOENT)
		SKIP(return, "kernel without CONFIG_LITEFLOW_NETLINK");
	ASSERT_NE(self->s, NULL) {
		TH_LOG("%s", strerror(errno));
	}
	line(STATE, "model_from", self->was, sizeof(self->was));
	if (strcmp(self->was, "kernel"))
		SKIP(return, "a model is loaded: remove it first");
	line(STATE, "model", self->was, sizeof(self->was));
}

FIXTURE_TEARDOWN(model)
{
	char value[64];
	int slot;

	if (!self->s)
		return;
	for (slot = 0; slot < 2; slot++)
		lf_model_remove(self->s, JC_APP, slot, LITEFLOW_REMOVE_FLAGS_FORCE);
	line(STATE, "model_from", value, sizeof(value));
	EXPECT_STREQ(value, "kernel");
	lf_close(self->s);
}

/* A model is seen where the network is, and the built-in one comes back. */
TEST_F(model, comes_and_goes)
{
	char value[64];

	ASSERT_EQ(jc_load(self->s, 0, &jc_good, 7), 0) {
		TH_LOG("%s", self->s->why);
	}
	line(STATE, "model", value, sizeof(value));
	EXPECT_STREQ(value, self->was);
	ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ACTIVATE, JC_APP, 0), 0);
	line(STATE, "model", value, sizeof(value));
	EXPECT_STREQ(value, "kselftest-7");
	line(STATE, "model_from", value, sizeof(value));
	EXPECT_STREQ(value, "slot");
	ASSERT_EQ(lf_model_remove(self->s, JC_APP, 0, LITEFLOW_REMOVE_FLAGS_FORCE), 0);
	line(STATE, "model", value, sizeof(value));
	EXPECT_STREQ(value, self->was);
}

/* What the scheduler cannot use is refused with a reason; the old one stays. */
TEST_F(model, refusals)
{
	static const struct {
		struct jc_shape shape;
		const char *why;
	} bad[] = {
		{ { .layers = 1 }, "two layers" },
		{ { .layers = 3, .hidden = 4 }, "two layers" },
		{ { .layers = 2, .hidden = 11 }, "hidden units" },
		{ { .layers = 2, .hidden = 1, .units = "jc-2" }, "units" },
		{ { .layers = 2, .hidden = 1, .reversed = true }, "src_non_pref" },
	};
	char value[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_LT(jc_load(self->s, 0, &bad[i].shape, 1), 0) {
			TH_LOG("model %u was taken", i);
		}
		EXPECT_NE(strstr(self->s->why, bad[i].why), NULL) {
			TH_LOG("reason: \"%s\", not \"%s\"", self->s->why, bad[i].why);
		}
	}
	line(STATE, "model", value, sizeof(value));
	EXPECT_STREQ(value, self->was);
}

/* An administrator of the network does not steer the scheduler. */
TEST_F(model, needs_sys_admin)
{
	int status;
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid) {
		struct lf_sock *s;

		if (drop_sys_admin())
			_exit(2);
		s = lf_open();
		if (!s)
			_exit(3);
		_exit(jc_load(s, 0, &jc_good, JC_ONE) != -EPERM);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

/* Run for a moment, wait for a moment: something to balance. */
static void busy_task(unsigned int n)
{
	unsigned long long until;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		until = now_ns() + 1000000 + n % 7 * 300000;
		while (now_ns() < until)
			;
		usleep(200 + n % 5 * 400);
	}
}

static int by_value(const void *a, const void *b)
{
	unsigned long long x = *(const unsigned long long *)a;
	unsigned long long y = *(const unsigned long long *)b;

	return (x > y) - (x < y);
}

/*
 * Models that say yes and models that say no, each installed and activated while
 * the balancer asks: every decision is one of a model's. What is timed begins
 * before the first piece of a model is sent and ends when it is active.
 */
TEST_F_TIMEOUT(model, swaps_under_load, 900)
{
	static unsigned long long took[SWAPS];
	unsigned long asked, decisions, fallback, accepted, refused, forced;
	unsigned long accepted_then, refused_then, forced_then;
	const struct sched_param first = { .sched_priority = 1 };
	const char *slow = getenv("KSFT_MACHINE_SLOW");
	int tasks = TASKS_PER_CPU * sysconf(_SC_NPROCESSORS_ONLN), i, switched, swaps;
	char mode[16], arithmetic[16];
	pid_t *pid;

	line(STATE, "mode", mode, sizeof(mode));
	line(STATE, "arithmetic", arithmetic, sizeof(arithmetic));
	/* a debug kernel's says a number, as it takes ten times as long */
	swaps = strcmp(mode, "toggle") || (slow && atoi(slow) > 2) ? SWAPS_FEWER : SWAPS;
	pid = calloc(tasks, sizeof(*pid));
	ASSERT_NE(pid, NULL);
	for (i = 0; i < tasks; i++) {
		pid[i] = fork();
		ASSERT_GE(pid[i], 0);
		if (!pid[i])
			busy_task(i);
	}
	/* it would rightly stop a model that only says no */
	write_int(GUARD, 0);
	/* what is timed is the swap, not the wait for a CPU */
	ASSERT_EQ(sched_setscheduler(0, SCHED_FIFO, &first), 0);
	decisions = counter("decisions");
	asked = counter("model_asked");
	fallback = counter("fallback");
	switched = write_int(SWITCH, 1);
	EXPECT_EQ(switched, strcmp(mode, "replace") ? 0 : -EOPNOTSUPP);
	for (i = 0; i < swaps; i++) {
		unsigned long long begin = now_ns();

		ASSERT_EQ(jc_load(self->s, i & 1, &jc_good, i & 2 ? JC_ONE : 0), 0) {
			TH_LOG("swap %d: %s", i, self->s->why);
		}
		ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ACTIVATE, JC_APP, i & 1), 0) {
			TH_LOG("swap %d: %s", i, self->s->why);
		}
		took[i] = now_ns() - begin;
	}
	for (i = 0; i < 2 && strcmp(mode, "test"); i++) {
		ASSERT_EQ(jc_load(self->s, i, &jc_good, i ? JC_ONE : 0), 0);
		ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ACTIVATE, JC_APP, i), 0);
		/* decisions that began before end within a grace period */
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
			sleep(1);
		totals(&accepted, &refused, &forced);
		sleep(2);
		totals(&accepted_then, &refused_then, &forced_then);
		TH_LOG("a model that says %s: %lu accepted, %lu of them forced, %lu refused",
		       i ? "yes" : "no", accepted_then - accepted, forced_then - forced,
		       refused_then - refused);
		EXPECT_TRUE(i ? refused_then == refused :
			    accepted_then - accepted == forced_then - forced);
	}
	EXPECT_EQ(write_int(SWITCH, 0), switched);
	write_int(GUARD, 1);
	asked = counter("model_asked") - asked;
	decisions = counter("decisions") - decisions;
	fallback = counter("fallback") - fallback;
	for (i = 0; i < tasks; i++)
		kill(pid[i], SIGKILL);
	for (i = 0; i < tasks; i++)
		waitpid(pid[i], NULL, 0);
	free(pid);
	qsort(took, swaps, sizeof(took[0]), by_value);
	TH_LOG("%d swaps, %lu decisions; us from the first byte of a model to its activation:",
	       swaps, decisions);
	TH_LOG("jc_swap_p50 %.1f us, p99 %.1f us, most %.1f us", took[swaps / 2] / 1e3,
	       took[swaps * 99 / 100] / 1e3, took[swaps - 1] / 1e3);
	EXPECT_GT(decisions, 100);
	EXPECT_LT(took[swaps / 2], 50000000);
	/* with floats the FPU may be in use, and then the rule answers */
	EXPECT_TRUE(!fallback || strcmp(arithmetic, "fixed"));
	/* nobody asks while it is off; without a switch, the counters move on */
	EXPECT_LE(decisions, asked + fallback + (switched ? 20 + decisions / 100 : 0));
}

TEST_HARNESS_MAIN
