// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's torture test: its two jobs, and their verdict.
 *
 * torture:	models of several apps are changed at random while every CPU asks
 * consistency:	so many switches while pinned flows ask; nobody may be served by
 *		another model below the limit of retired bytes, and at the limit
 *		everybody who is has to be counted
 */
#define pr_fmt(fmt) "lf_torture: " fmt

#include <linux/capability.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "../core.h"
#include "torture.h"

enum lft_state { LFT_IDLE, LFT_RUNNING, LFT_SUCCESS, LFT_FAILURE };

static const char *const lft_states[] = {
	[LFT_IDLE]	= "idle",
	[LFT_RUNNING]	= "running",
	[LFT_SUCCESS]	= "SUCCESS",
	[LFT_FAILURE]	= "FAILURE",
};

/* What is left when all is torn down. */
struct lft_result {
	enum lft_state state;
	unsigned int cycles;
	unsigned int write_errors;
	unsigned int mismatches;
	struct lft_counts sum;
	unsigned long repins;
	unsigned long evictions;
};

/* Keeps lft_show() away from what is torn down. */
static DEFINE_MUTEX(lft_result_lock);
static struct lft_result lft_result;
static struct task_struct *lft_task;

/* Of the first part that failed: its name and what was wrong; NULL: none failed. */
static const char *lft_failed;
static const char *lft_why;

static const struct lf_app_desc lft_atomic = {
	.name		= "lf-torture-atomic",
	.n_in		= LFT_N_IN,
	.n_out		= 1,
	.context	= LF_CONTEXT_ATOMIC,
	.policy		= LF_POLICY_FOLLOW,
	.n_slots	= LFT_SLOTS,
	.capability	= CAP_SYS_ADMIN,
	.units		= LFT_UNITS,
	.owner		= THIS_MODULE,
};

static const struct lf_app_desc lft_pin = {
	.name		= "lf-torture-pin",
	.n_in		= LFT_N_IN,
	.n_out		= 1,
	.context	= LF_CONTEXT_SOFTIRQ,
	.policy		= LF_POLICY_PIN,
	.n_slots	= LFT_SLOTS,
	.capability	= CAP_NET_ADMIN,
	.units		= LFT_UNITS,
	.owner		= THIS_MODULE,
};

static const struct lf_app_desc lft_follow = {
	.name		= "lf-torture-follow",
	.n_in		= LFT_N_IN,
	.n_out		= 1,
	.context	= LF_CONTEXT_SOFTIRQ,
	.policy		= LF_POLICY_FOLLOW,
	.n_slots	= LFT_SLOTS,
	.capability	= CAP_NET_ADMIN,
	.units		= LFT_UNITS,
	.owner		= THIS_MODULE,
};

/* Room for a handful of retired models. */
static const struct lf_app_desc lft_limit = {
	.name		= "lf-torture-limit",
	.n_in		= LFT_N_IN,
	.n_out		= 1,
	.context	= LF_CONTEXT_SOFTIRQ,
	.policy		= LF_POLICY_PIN,
	.at_limit	= LF_AT_LIMIT_REPIN,
	.n_slots	= LFT_SLOTS,
	.capability	= CAP_NET_ADMIN,
	.max_retired	= 8 << 10,
	.units		= LFT_UNITS,
	.owner		= THIS_MODULE,
};

/* Its models are modules that user space loads and unloads. */
static const struct lf_app_desc lft_module = {
	.name		= "lf-torture-module",
	.n_in		= LFT_N_IN,
	.n_out		= 1,
	.context	= LF_CONTEXT_SOFTIRQ,
	.policy		= LF_POLICY_PIN,
	.n_slots	= LFT_SLOTS,
	.capability	= CAP_NET_ADMIN,
	.units		= LFT_UNITS,
	.owner		= THIS_MODULE,
};

/* --- the verdict ------------------------------------------------------------- */

static void lft_collect(struct lft_result *r)
{
	unsigned int i, n;

	memset(&r->sum, 0, sizeof(r->sum));
	for (i = 0; i < lft_n_targets; i++) {
		struct lft_counts c;

		lft_sum(i, &c);
		r->sum.answers += c.answers;
		r->sum.empty += c.empty;
		r->sum.context += c.context;
		r->sum.moves += c.moves;
		r->sum.unchecked += c.unchecked;
		for (n = 0; n < LFT_N_ERRORS; n++)
			r->sum.errors[n] += c.errors[n];
	}
	r->cycles = atomic_read(&lft_cycles_done);
	r->write_errors = atomic_read(&lft_write_errors);
}

static unsigned int lft_differ(const struct lft_target *t, const char *what,
			       unsigned long kernel, unsigned long ours)
{
	if (kernel == ours)
		return 0;
	pr_err("app %u: %s: the kernel counted %lu, the test %lu\n", lf_app_id(t->app), what,
	       kernel, ours);
	return 1;
}

/*
 * The kernel's own counters, when nobody asks any more. Queries that user space
 * had the kernel answer are not among them.
 */
static void lft_compare(struct lft_result *r)
{
	struct lf_app_stats stats;
	struct lft_counts c;
	unsigned int i;

	r->repins = 0;
	r->evictions = 0;
	for (i = 0; i < lft_n_targets; i++) {
		const struct lft_target *t = &lft_targets[i];

		lft_sum(i, &c);
		lf_app_stats(t->app, &stats);
		r->mismatches += lft_differ(t, "queries", stats.c.queries, c.answers);
		r->mismatches += lft_differ(t, "no model", stats.c.no_model, c.empty);
		r->mismatches += lft_differ(t, "context", stats.c.context, c.context);
		r->mismatches += lft_differ(t, "repins", stats.c.repins, c.moves);
		r->repins += stats.c.repins;
		r->evictions += stats.c.evictions;
	}
}

static unsigned long lft_error_sum(const struct lft_result *r)
{
	unsigned long sum = (unsigned long)r->write_errors + r->mismatches;
	unsigned int i;

	for (i = 0; i < LFT_N_ERRORS; i++)
		sum += r->sum.errors[i];
	return sum;
}

static int lft_print(char *buf, size_t size, const struct lft_result *r, const char *eol)
{
	unsigned int i;
	int len;

	len = scnprintf(buf, size,
			"cycles %u%sanswers %lu%sempty %lu%smoves %lu%srepins %lu%sevictions %lu%sunchecked %lu%s",
			r->cycles, eol, r->sum.answers, eol, r->sum.empty, eol, r->sum.moves, eol,
			r->repins, eol, r->evictions, eol, r->sum.unchecked, eol);
	for (i = 0; i < LFT_N_ERRORS; i++)
		len += scnprintf(buf + len, size - len, "%s %lu%s", lft_errors[i],
				 r->sum.errors[i], eol);
	len += scnprintf(buf + len, size - len, "writer_errors %u%smismatches %u",
			 r->write_errors, eol, r->mismatches);
	return len;
}

static void lft_fail(const char *name, const char *why)
{
	if (lft_failed)
		return;
	lft_failed = name;
	lft_why = why;
}

/* Of a part of the job, which lacks something or NULL; the job is over with the @last one. */
static void lft_verdict(const char *name, const char *lacks, bool last)
{
	struct lft_result *r = &lft_result;
	enum lft_state state;
	char line[512];

	if (lft_error_sum(r))
		lacks = "errors were counted";
	state = lacks ? LFT_FAILURE : LFT_SUCCESS;
	lft_print(line, sizeof(line), r, " ");
	pr_info("End of %s: %s: %s%s%s\n", name, lft_states[state], line,
		lacks ? ", because " : "", lacks ?: "");
	if (lacks)
		lft_fail(name, lacks);
	if (last)
		r->state = lft_failed ? LFT_FAILURE : LFT_SUCCESS;
}

static int lft_show(char *buf, size_t size)
{
	int len;

	mutex_lock(&lft_result_lock);
	if (lft_result.state == LFT_RUNNING)
		lft_collect(&lft_result);
	len = scnprintf(buf, size, "state %s\n", lft_states[lft_result.state]);
	len += lft_print(buf + len, size - len, &lft_result, "\n");
	len += scnprintf(buf + len, size - len, "\n");
	if (lft_failed)
		len += scnprintf(buf + len, size - len, "reason %s, in %s\n", lft_why, lft_failed);
	mutex_unlock(&lft_result_lock);
	return len;
}

/* --- both jobs ---------------------------------------------------------------- */

/* Nobody asks or writes any more: judge, and leave nothing behind. */
static void lft_finish(const char *name, const char *(*lacks)(const struct lft_result *r),
		       bool last)
{
	lft_stop_writing();
	lft_stop_asking();
	mutex_lock(&lft_result_lock);
	lft_collect(&lft_result);
	lft_compare(&lft_result);
	lft_verdict(name, lacks(&lft_result), last);
	lft_end_flows();
	mutex_unlock(&lft_result_lock);
	lft_del_targets();
}

static int lft_begin(const struct lf_app_desc *const *descs, unsigned int n, u32 versions,
		     int (*start_writing)(void))
{
	unsigned int i;
	int err = 0;

	mutex_lock(&lft_result_lock);
	memset(&lft_result, 0, sizeof(lft_result));
	lft_result.state = LFT_RUNNING;
	for (i = 0; i < n && !err; i++)
		err = lft_add_target(descs[i], descs[i] == &lft_module, versions);
	if (!err)
		err = lft_start_asking();
	if (!err) {
		err = start_writing();
		if (err) {
			lft_stop_asking();
			lft_end_flows();
		}
	}
	if (err)
		lft_del_targets();
	mutex_unlock(&lft_result_lock);
	return err;
}

static int lft_run(int (*thread)(void *arg))
{
	struct task_struct *task = kthread_run(thread, NULL, "lf_torture_main");

	if (IS_ERR(task))
		return PTR_ERR(task);
	lft_task = task;
	return 0;
}

static void lft_stop(void)
{
	kthread_stop(lft_task);
}

static void lft_idle(void)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 10);
}

/* --- torture -------------------------------------------------------------------- */

/* What it lacks for success; NULL: nothing. */
static const char *lft_torture_lacks(const struct lft_result *r)
{
	if (r->cycles < lft_cycles)
		return "it ended before its last cycle";
	return r->sum.answers ? NULL : "no query was answered";
}

static int lft_torture_thread(void *unused)
{
	while (!kthread_should_stop() && (lft_writing() || READ_ONCE(lft_hold)))
		schedule_timeout_interruptible(HZ / 10);
	lft_finish("torture", lft_torture_lacks, true);
	lft_idle();
	return 0;
}

static int lft_torture_start(void)
{
	static const struct lf_app_desc *const descs[] = {
		&lft_atomic, &lft_pin, &lft_follow, &lft_limit, &lft_module,
	};
	u32 versions = lft_cycles ?: LFT_COMPILED - 1;
	int err;

	BUILD_BUG_ON(ARRAY_SIZE(descs) > LFT_TARGETS);
	err = lft_begin(descs, ARRAY_SIZE(descs), versions, lft_start_writing);
	if (err)
		return err;
	err = lft_run(lft_torture_thread);
	if (err)
		lft_finish("torture", lft_torture_lacks, true);
	return err;
}

const struct lft_job lft_torture_job = {
	.name	= "torture",
	.start	= lft_torture_start,
	.stop	= lft_stop,
	.show	= lft_show,
};

/* --- consistency ------------------------------------------------------------------ */

static unsigned long lft_answers(void)
{
	unsigned long sum = 0;
	struct lft_counts c;
	unsigned int i;

	for (i = 0; i < lft_n_targets; i++) {
		lft_sum(i, &c);
		sum += c.answers;
	}
	return sum;
}

/* What both parts lack for success; NULL: nothing. */
static const char *lft_consistency_lacks(const struct lft_result *r)
{
	if (r->cycles < lft_switches)
		return "it ended before its last switch";
	return r->sum.answers < lft_queries ? "it ended before its last query" : NULL;
}

static const char *lft_below_lacks(const struct lft_result *r)
{
	if (r->sum.moves)
		return "flows were moved";
	return r->evictions ? "models were evicted" : lft_consistency_lacks(r);
}

/* The counts were compared; there must have been something to count. */
static const char *lft_limit_lacks(const struct lft_result *r)
{
	const char *lacks = lft_consistency_lacks(r);

	if (lacks)
		return lacks;
	if (!r->evictions)
		return "no model was evicted";
	return r->sum.moves ? NULL : "no flow was moved";
}

/*
 * Queries between any two switches, so that flows come to hold each model. A share
 * of all queries would not do: who wakes late would switch several times in a row.
 */
static void lft_switches_run(void)
{
	unsigned long share = DIV_ROUND_UP(lft_queries, lft_switches), due = 0;
	unsigned int n;

	for (n = 0; n < lft_switches && !kthread_should_stop(); n++) {
		while (lft_answers() < due && !kthread_should_stop())
			usleep_range(100, 1000);
		lft_switch(0);
		due = lft_answers() + share;
	}
	while (lft_answers() < lft_queries && !kthread_should_stop())
		usleep_range(1000, 10000);
}

static int lft_consistency_phase(const struct lf_app_desc *desc)
{
	return lft_begin(&desc, 1, lft_switches, lft_prepare_switches);
}

static int lft_consistency_thread(void *unused)
{
	int err;

	lft_switches_run();
	lft_finish("consistency below the limit", lft_below_lacks, false);
	if (kthread_should_stop())
		return 0;
	err = lft_consistency_phase(&lft_limit);
	if (err) {
		pr_err("End of consistency at the limit: FAILURE: it could not begin: %d\n", err);
		mutex_lock(&lft_result_lock);
		lft_fail("consistency at the limit", "it could not begin");
		lft_result.state = LFT_FAILURE;
		mutex_unlock(&lft_result_lock);
	} else {
		lft_switches_run();
		lft_finish("consistency at the limit", lft_limit_lacks, true);
	}
	lft_idle();
	return 0;
}

static int lft_consistency_start(void)
{
	int err;

	if (!lft_switches || !lft_queries) {
		pr_err("switches and queries must not be 0\n");
		return -EINVAL;
	}
	err = lft_consistency_phase(&lft_pin);
	if (err)
		return err;
	err = lft_run(lft_consistency_thread);
	if (err)
		lft_finish("consistency below the limit", lft_below_lacks, true);
	return err;
}

const struct lft_job lft_consistency_job = {
	.name	= "consistency",
	.start	= lft_consistency_start,
	.stop	= lft_stop,
	.show	= lft_show,
};
