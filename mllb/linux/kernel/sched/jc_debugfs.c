// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: /sys/kernel/debug/jc_sched
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/mmu_context.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#include "sched.h"
#include "jc_sched.h"

static const char *jc_mode(void)
{
	if (IS_ENABLED(CONFIG_JC_SCHED_REPLACE))
		return "replace";
	return IS_ENABLED(CONFIG_JC_SCHED_TEST) ? "test" : "toggle";
}

/* While a sched_ext scheduler has all tasks, none is left to decide about. */
static const char *jc_scx_state(void)
{
	if (!IS_ENABLED(CONFIG_SCHED_CLASS_EXT))
		return "not built";
	if (scx_switched_all())
		return "active: inert";
	return scx_enabled() ? "active: partly inert" : "inactive";
}

static int jc_state_show(struct seq_file *m, void *v)
{
	const struct jc_mlp *mlp;

	seq_printf(m, "mode: %s\n", jc_mode());
	seq_printf(m, "enabled: %d\n", jc_sched_query());
	seq_printf(m, "arithmetic: %s\n",
		   IS_ENABLED(CONFIG_JC_SCHED_FXDPT) ? "fixed" : "float");

	scoped_guard(rcu) {
		mlp = rcu_dereference(jc_net.active);
		seq_printf(m, "model: %s\n", mlp ? mlp->name : "none");
		seq_printf(m, "model_from: %s\n", !mlp ? "none" :
			   mlp == &jc_net.builtin ? "kernel" : "slot");
		seq_printf(m, "model_checksum: %#010x\n",
			   mlp ? mlp->checksum : 0);
	}

	jc_guard_show(m);
	jc_perf_show(m);

	seq_printf(m, "sched_ext: %s\n", jc_scx_state());
	seq_printf(m, "clock_overhead_ns: %llu\n", jc_clock_overhead);
	seq_printf(m, "sample_every: %d\n", JC_SAMPLE_EVERY);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(jc_state);

/*
 * A CPU's counters belong to its run-queue code: a reset only moves the
 * baseline that is subtracted when they are read.
 */
static struct jc_stats jc_stats_base;
static DEFINE_MUTEX(jc_stats_mutex);

static void jc_stats_sum(struct jc_stats *sum)
{
	unsigned long *to = (unsigned long *)sum;
	int cpu, i;

	/* nothing but unsigned long in there */
	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const unsigned long *from =
			(const unsigned long *)per_cpu_ptr(&jc_stats, cpu);

		for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
			to[i] += READ_ONCE(from[i]);
	}
}

/* What is shown of the decisions. */
struct jc_totals {
	unsigned long decisions, accepted, refused, forced;
	unsigned long model_asked, stock_asked;
	unsigned long both[2][2];	/* unforced, by verdict of rule and model */
};

static void jc_totals_add(struct jc_totals *t, unsigned long n, bool extra,
			  enum jc_verdict rule, enum jc_verdict model)
{
	/* whoever decided: the rule, wherever it was asked */
	bool may = (rule == JC_NOT_ASKED ? model : rule) == JC_MOVE;

	t->decisions += n;
	if (may || extra)
		t->accepted += n;
	else
		t->refused += n;
	if (!may && extra)
		t->forced += n;
	if (model != JC_NOT_ASKED)
		t->model_asked += n;
	if (rule != JC_NOT_ASKED)
		t->stock_asked += n;
	if (!extra && model != JC_NOT_ASKED && rule != JC_NOT_ASKED)
		t->both[rule][model] += n;
}

static void jc_stats_total(const struct jc_stats *sum, struct jc_totals *t)
{
	int i, n = sizeof(sum->answers) / sizeof(sum->answers[0][0][0]);
	const unsigned long *base = &jc_stats_base.answers[0][0][0];
	const unsigned long *v = &sum->answers[0][0][0];

	memset(t, 0, sizeof(*t));
	for (i = 0; i < n; i++)
		jc_totals_add(t, v[i] - base[i], i / 9, i / 3 % 3 - 1, i % 3 - 1);
}

static int jc_stats_show(struct seq_file *m, void *v)
{
	struct jc_stats sum;
	struct jc_totals t;
	unsigned long flips;
	int i;

	guard(mutex)(&jc_stats_mutex);

	jc_stats_sum(&sum);
	jc_stats_total(&sum, &t);
	for (i = 0; i < JC_NR_STATS; i++)
		sum.count[i] -= jc_stats_base.count[i];

	/* the totals are of verdicts before they were turned round */
	flips = sum.count[JC_STAT_FLIPPED_YES] - sum.count[JC_STAT_FLIPPED_NO];

	seq_printf(m, "decisions %lu\n", t.decisions);
	seq_printf(m, "accepted %lu\n", t.accepted + flips);
	seq_printf(m, "refused %lu\n", t.refused - flips);
	seq_printf(m, "forced %lu\n", t.forced);
	seq_printf(m, "fallback %lu\n", sum.count[JC_STAT_FALLBACK]);
	seq_printf(m, "guarded %lu\n", sum.count[JC_STAT_GUARDED]);
	seq_printf(m, "guard_trips %lu\n", sum.count[JC_STAT_GUARD_TRIPS]);
	seq_printf(m, "model_asked %lu\n", t.model_asked);
	seq_printf(m, "stock_asked %lu\n", t.stock_asked);
	seq_printf(m, "both_refuse %lu\n", t.both[0][0]);
	seq_printf(m, "only_model %lu\n", t.both[0][1]);
	seq_printf(m, "only_stock %lu\n", t.both[1][0]);
	seq_printf(m, "both_migrate %lu\n", t.both[1][1]);
	seq_printf(m, "flipped %lu\n", sum.count[JC_STAT_FLIPPED_YES] +
		   sum.count[JC_STAT_FLIPPED_NO]);
	seq_printf(m, "model_timed %lu\n", sum.count[JC_STAT_MODEL_TIMED]);
	seq_printf(m, "model_ns %lu\n", sum.count[JC_STAT_MODEL_NS]);
	seq_printf(m, "stock_timed %lu\n", sum.count[JC_STAT_STOCK_TIMED]);
	seq_printf(m, "stock_ns %lu\n", sum.count[JC_STAT_STOCK_NS]);
	return 0;
}

static ssize_t jc_stats_write(struct file *file, const char __user *ubuf,
			      size_t count, loff_t *ppos)
{
	unsigned int val;
	int err;

	err = kstrtouint_from_user(ubuf, count, 0, &val);
	if (err)
		return err;
	if (val)
		return -EINVAL;

	guard(mutex)(&jc_stats_mutex);

	jc_stats_sum(&jc_stats_base);
	return count;
}

DEFINE_SHOW_STORE_ATTRIBUTE(jc_stats);

static int __init jc_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("jc_sched", NULL);

	debugfs_create_file("state", 0444, dir, NULL, &jc_state_fops);
	debugfs_create_file("stats", 0644, dir, NULL, &jc_stats_fops);
	return 0;
}
late_initcall(jc_debugfs_init);
