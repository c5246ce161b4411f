// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's torture test, traffic generator and benchmark: the module.
 *
 * insmod lf_torture.ko				torture until "cycles" are done
 * insmod lf_torture.ko mode=consistency	pinned flows against switches
 * insmod lf_torture.ko mode=flows app=demo	flows, for demonstrations
 * insmod lf_torture.ko mode=bench app=bench	then write to "run", read "results"
 *
 * The verdict goes into the kernel's log; "stats" shows where it stands. It can
 * be removed at any time.
 */
#define pr_fmt(fmt) "lf_torture: " fmt

#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "torture.h"

static char *lft_mode = "torture";
module_param_named(mode, lft_mode, charp, 0444);
MODULE_PARM_DESC(mode, "torture, consistency, flows or bench");

static bool lft_bench;
module_param_named(bench, lft_bench, bool, 0444);
MODULE_PARM_DESC(bench, "the same as mode=bench");

unsigned int lft_cycles = 10000;
module_param_named(cycles, lft_cycles, uint, 0444);
MODULE_PARM_DESC(cycles, "torture: installs and what follows them, all apps together; 0: until rmmod");

unsigned int lft_per_cycle = 64;
module_param_named(per_cycle, lft_per_cycle, uint, 0444);
MODULE_PARM_DESC(per_cycle, "torture: least number of queries of an app between two cycles of it");

bool lft_hold;
module_param_named(hold, lft_hold, bool, 0644);
MODULE_PARM_DESC(hold, "torture: go on asking when the cycles are done, until this is cleared");

unsigned int lft_irq_us = 2000;
module_param_named(irq_us, lft_irq_us, uint, 0444);
MODULE_PARM_DESC(irq_us, "torture, consistency: microseconds between hard interrupts on each CPU");

unsigned int lft_switches = 1000;
module_param_named(switches, lft_switches, uint, 0444);
MODULE_PARM_DESC(switches, "consistency: number of switches");

unsigned int lft_queries = 1000000;
module_param_named(queries, lft_queries, uint, 0444);
MODULE_PARM_DESC(queries, "consistency: least number of queries");

char *lft_app_name = "demo";
module_param_named(app, lft_app_name, charp, 0444);
MODULE_PARM_DESC(app, "flows, bench: name of the app");

unsigned int lft_flow_count = 8;
module_param_named(flows, lft_flow_count, uint, 0444);
MODULE_PARM_DESC(flows, "flows: how many at a time");

unsigned int lft_hz = 1000;
module_param_named(hz, lft_hz, uint, 0444);
MODULE_PARM_DESC(hz, "flows: queries per second, all flows together");

unsigned int lft_flow_ms = 10000;
module_param_named(flow_ms, lft_flow_ms, uint, 0444);
MODULE_PARM_DESC(flow_ms, "flows: lifetime of a flow, milliseconds; 0: for ever");

unsigned int lft_n_in = 30;
module_param_named(n_in, lft_n_in, uint, 0444);
MODULE_PARM_DESC(n_in, "bench: inputs");

unsigned int lft_n_out = 1;
module_param_named(n_out, lft_n_out, uint, 0444);
MODULE_PARM_DESC(n_out, "bench: outputs");

unsigned int lft_max_state;
module_param_named(max_state, lft_max_state, uint, 0444);
MODULE_PARM_DESC(max_state, "bench: values of state that models may keep");

char *lft_units;
module_param_named(units, lft_units, charp, 0444);
MODULE_PARM_DESC(units, "bench: units tag of the models; none: any");

unsigned int lft_evict_mb = 64;
module_param_named(evict_mb, lft_evict_mb, uint, 0444);
MODULE_PARM_DESC(evict_mb, "bench: memory to walk so that the caches are cold, MiB");

/* Reading and writing parameters may come before and after the job. */
static DEFINE_MUTEX(lft_lock);
static const struct lft_job *lft_job;

static int lft_get_stats(char *buffer, const struct kernel_param *kp)
{
	int len = 0;

	mutex_lock(&lft_lock);
	if (lft_job)
		len = lft_job->show(buffer, PAGE_SIZE);
	mutex_unlock(&lft_lock);
	return len;
}

static const struct kernel_param_ops lft_stats_ops = {
	.get = lft_get_stats,
};
module_param_cb(stats, &lft_stats_ops, NULL, 0444);
MODULE_PARM_DESC(stats, "where it stands: lines of a name and a value");

static int lft_set_run(const char *val, const struct kernel_param *kp)
{
	int err = -EINVAL;

	mutex_lock(&lft_lock);
	if (lft_job == &lft_bench_job)
		err = lft_bench_run();
	mutex_unlock(&lft_lock);
	return err;
}

static const struct kernel_param_ops lft_run_ops = {
	.set = lft_set_run,
};
module_param_cb(run, &lft_run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "bench: write anything to measure");

static int lft_get_results(char *buffer, const struct kernel_param *kp)
{
	int len = 0;

	mutex_lock(&lft_lock);
	if (lft_job == &lft_bench_job)
		len = lft_bench_job.show(buffer, PAGE_SIZE);
	mutex_unlock(&lft_lock);
	return len;
}

static const struct kernel_param_ops lft_results_ops = {
	.get = lft_get_results,
};
module_param_cb(results, &lft_results_ops, NULL, 0444);
MODULE_PARM_DESC(results, "bench: lines of a name, a value and a unit");

static const struct lft_job *lft_find_job(void)
{
	static const struct lft_job *const jobs[] = {
		&lft_torture_job, &lft_consistency_job, &lft_flows_job, &lft_bench_job,
	};
	unsigned int i;

	if (lft_bench)
		return &lft_bench_job;
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		if (!strcmp(lft_mode, jobs[i]->name))
			return jobs[i];
	}
	return NULL;
}

static int __init lft_init(void)
{
	const struct lft_job *job = lft_find_job();
	int err;

	if (!job) {
		pr_err("mode \"%s\" is unknown: give torture, consistency, flows or bench\n",
		       lft_mode);
		return -EINVAL;
	}
	if (lft_cycles > LFT_COMPILED || lft_switches > LFT_COMPILED) {
		pr_err("cycles and switches go up to %lu\n", LFT_COMPILED);
		return -EINVAL;
	}
	lft_irq_us = max(lft_irq_us, 50U);
	err = job->start();
	if (err)
		return err;
	mutex_lock(&lft_lock);
	lft_job = job;
	mutex_unlock(&lft_lock);
	return 0;
}

static void __exit lft_exit(void)
{
	const struct lft_job *job;

	mutex_lock(&lft_lock);
	job = lft_job;
	lft_job = NULL;
	mutex_unlock(&lft_lock);
	job->stop();
}

module_init(lft_init);
module_exit(lft_exit);

MODULE_DESCRIPTION("Torture test, traffic generator and benchmark of LiteFlow");
MODULE_LICENSE("GPL");
