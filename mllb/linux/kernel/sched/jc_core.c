// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: the switch, the network in use, the counters
 *
 * Everything here runs in process context; the judgement itself is in jc_lb.c,
 * the arithmetic in jc_mlp.c.
 */
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched/clock.h>
#include <linux/sysctl.h>

#include "jc_sched.h"

DEFINE_STATIC_KEY_FALSE(jc_sched_key);
DEFINE_STATIC_KEY_FALSE(jc_model_key);

DEFINE_PER_CPU(struct jc_stats, jc_stats);

/* ns that an empty interval takes by local_clock(); written once, at boot */
u64 jc_clock_overhead __ro_after_init;

/* Serialises the switch and the choice of the network. */
static DEFINE_MUTEX(jc_mutex);

struct jc_net jc_net __aligned(PAGE_SIZE);

static void jc_prepare(struct jc_mlp *mlp, const struct jc_mlp_model *model)
{
#ifdef CONFIG_JC_SCHED_FXDPT
	jc_mlp_prepare_fixed(mlp, model);
#else
	kernel_fpu_begin();
	jc_mlp_prepare_float(mlp, model);
	kernel_fpu_end();
#endif
}

/**
 * jc_sched_query() - does the network decide, or in TEST mode: judge?
 *
 * Context: any.
 * Return: 1 or 0.
 */
int jc_sched_query(void)
{
	return jc_model_on();
}

static int jc_sched_set_locked(int on)
{
	lockdep_assert_held(&jc_mutex);

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (IS_ENABLED(CONFIG_JC_SCHED_REPLACE))
		return -EOPNOTSUPP;

	if (on == jc_sched_query())
		return on;

	if (on) {
		static_branch_enable(&jc_model_key);
		static_branch_inc(&jc_sched_key);
	} else {
		static_branch_dec(&jc_sched_key);
		static_branch_disable(&jc_model_key);
	}
	return on;
}

/**
 * jc_sched_set() - switch the network on or off
 * @on: 1 or 0
 *
 * Judgements under way end as they began.
 *
 * Context: process context; takes jc_mutex and the CPU hotplug lock.
 * Return: the state that now holds, 0 or 1; -EPERM without CAP_SYS_ADMIN in
 * the initial user namespace; -EOPNOTSUPP in REPLACE mode.
 */
int jc_sched_set(int on)
{
	guard(mutex)(&jc_mutex);

	return jc_sched_set_locked(on);
}

#ifdef CONFIG_JC_SCHED_DEBUG
/*
 * Constant networks for tests: every weight is 0, the output is the bias. They
 * go through the same publication and the same forward pass as a real one.
 */
static const struct jc_mlp_model jc_constant_model[2] = {
	{ .name = "always-no", .b2 = 0 },
	{ .name = "always-yes", .b2 = 1 << JC_W_SHIFT },
};

static struct jc_mlp jc_mlp_constant[2];

/**
 * jc_sched_force_answer() - put a constant network in place of the real one
 * @answer: 0 always no, 1 always yes, -1 the real one again
 *
 * Context: process context; takes jc_mutex.
 * Return: 0, or -EINVAL.
 */
int jc_sched_force_answer(int answer)
{
	struct jc_mlp *mlp;

	guard(mutex)(&jc_mutex);

	switch (answer) {
	case 0:
	case 1:
		mlp = &jc_mlp_constant[answer];
		break;
	case -1:
		mlp = jc_net.builtin.name ? &jc_net.builtin : NULL;
		break;
	default:
		return -EINVAL;
	}
	/* all are static and prepared at boot: nothing to free, no grace period */
	rcu_assign_pointer(jc_net.active, mlp);
	return 0;
}

/**
 * jc_sched_forced_answer() - which constant network is in place
 *
 * Context: any.
 * Return: as the argument of jc_sched_force_answer().
 */
int jc_sched_forced_answer(void)
{
	const struct jc_mlp *mlp = rcu_access_pointer(jc_net.active);

	if (mlp == &jc_mlp_constant[0])
		return 0;
	return mlp == &jc_mlp_constant[1] ? 1 : -1;
}

static void __init jc_prepare_constants(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		jc_prepare(&jc_mlp_constant[i], &jc_constant_model[i]);
		jc_mlp_constant[i].checksum =
			jc_mlp_checksum(&jc_constant_model[i]);
	}
}
#else
static inline void jc_prepare_constants(void) { }
#endif /* CONFIG_JC_SCHED_DEBUG */

#ifdef CONFIG_SYSCTL
static int jc_sched_sysctl(const struct ctl_table *table, int write,
			   void *buffer, size_t *lenp, loff_t *ppos)
{
	struct ctl_table t = *table;
	int val, ret;

	if (write && !capable(CAP_SYS_ADMIN))
		return -EPERM;

	guard(mutex)(&jc_mutex);

	val = jc_sched_query();
	t.data = &val;
	ret = proc_dointvec_minmax(&t, write, buffer, lenp, ppos);
	if (ret || !write)
		return ret;

	ret = jc_sched_set_locked(val);
	return min(ret, 0);
}

static struct ctl_table jc_sched_sysctls[] = {
	{
		.procname	= "sched_jc",
		.maxlen		= sizeof(int),
		.mode		= 0644,
		.proc_handler	= jc_sched_sysctl,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE,
	},
};

static int __init jc_sched_sysctl_init(void)
{
	register_sysctl_init("kernel", jc_sched_sysctls);
	return 0;
}
late_initcall(jc_sched_sysctl_init);
#endif /* CONFIG_SYSCTL */

/* The least of some tries: anything above is an interrupt or a cold cache. */
static int __init jc_measure_clock(void)
{
	u64 least = U64_MAX;
	int i;

	for (i = 0; i < 64; i++) {
		u64 start = local_clock();

		least = min(least, local_clock() - start);
	}
	jc_clock_overhead = least;
	return 0;
}

/* after sched_clock_init_late(): local_clock() has another path before */
late_initcall(jc_measure_clock);

/* Before the other CPUs come up, and so before anything is balanced. */
static int __init jc_sched_init(void)
{
	int err = jc_mlp_check(&jc_mlp_default);

	jc_prepare_constants();
	if (err) {
		pr_err("jc_sched: built-in weights are unusable (%d): the stock judgement stays\n",
		       err);
		return err;
	}
	jc_prepare(&jc_net.builtin, &jc_mlp_default);
	rcu_assign_pointer(jc_net.active, &jc_net.builtin);
	return 0;
}
early_initcall(jc_sched_init);
