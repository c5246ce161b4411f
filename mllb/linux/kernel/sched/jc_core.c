// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: the switch, the network in use, the counters
 *
 * Everything here runs in process context; the decision itself is in jc_lb.c,
 * the arithmetic in jc_mlp.c.
 */
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched/clock.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/sysctl.h>

#include "jc_sched.h"

DEFINE_STATIC_KEY_FALSE(jc_sched_key);
DEFINE_STATIC_KEY_FALSE(jc_model_key);

DEFINE_PER_CPU(struct jc_stats, jc_stats);

/* ns that an empty interval takes by local_clock(); written once, at boot */
u64 jc_clock_overhead __ro_after_init;

/* Serialises the switches. */
static DEFINE_MUTEX(jc_mutex);

/*
 * The balancer runs rarely, and then finds no TLB entry: one is enough if this lies
 * in one page, whatever the size of a page. So it is aligned to its own size, rounded
 * up, and not to PAGE_SIZE, which would cost 64 KB where pages are that large.
 */
#define JC_NET_ALIGN	SZ_4K
static_assert(sizeof(struct jc_net) <= JC_NET_ALIGN);

struct jc_net jc_net __aligned(JC_NET_ALIGN);

/**
 * jc_mlp_prepare() - fill the tables for the arithmetic that is configured
 * @mlp: result
 * @model: a model that jc_mlp_check() accepted
 *
 * Context: process context.
 */
void jc_mlp_prepare(struct jc_mlp *mlp, const struct lf_model *model)
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
 * jc_sched_query() - is the network on: does it decide, or in TEST mode, is it asked?
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
	jc_guard_switched();
	return on;
}

/**
 * jc_sched_set() - switch the network on or off
 * @on: 1 or 0
 *
 * Decisions under way end as they began.
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

/**
 * jc_net_load() - put a network in place of the built-in one
 * @mlp: the network; NULL: the built-in one again. The caller keeps it until a
 *	grace period after it was replaced
 *
 * Context: process context; one at a time, as LiteFlow's mutex has it.
 */
void jc_net_load(struct jc_mlp *mlp)
{
	struct jc_mlp *builtin = jc_net.builtin.name[0] ? &jc_net.builtin : NULL;

	rcu_assign_pointer(jc_net.active, mlp ?: builtin);
	jc_guard_reset();
}

#ifdef CONFIG_JC_SCHED_TEST
/* 1/1000 of the verdicts that are turned round; read by decisions. */
unsigned int jc_explore_permille;

DEFINE_PER_CPU(u32, jc_explore_state);
#endif /* CONFIG_JC_SCHED_TEST */

#ifdef CONFIG_SYSCTL
/**
 * jc_sysctl_int() - what the handlers of the scheduler's sysctls have in common
 * @table: the entry, without data
 * @write: shall it be written?
 * @buffer: text
 * @lenp: its length
 * @ppos: position in it
 * @val: what holds; result: what shall hold
 *
 * Context: process context.
 * Return: 0; -EPERM without CAP_SYS_ADMIN in the initial user namespace; or what
 * else is wrong with the text.
 */
int jc_sysctl_int(const struct ctl_table *table, int write, void *buffer,
		  size_t *lenp, loff_t *ppos, int *val)
{
	struct ctl_table t = *table;

	if (write && !capable(CAP_SYS_ADMIN))
		return -EPERM;

	t.data = val;
	return proc_dointvec_minmax(&t, write, buffer, lenp, ppos);
}

static int jc_sched_sysctl(const struct ctl_table *table, int write,
			   void *buffer, size_t *lenp, loff_t *ppos)
{
	int val, ret;

	guard(mutex)(&jc_mutex);

	val = jc_sched_query();
	ret = jc_sysctl_int(table, write, buffer, lenp, ppos, &val);
	if (ret || !write)
		return ret;

	ret = jc_sched_set_locked(val);
	return min(ret, 0);
}

#ifdef CONFIG_JC_SCHED_TEST
static void jc_explore_set(unsigned int permille)
{
	unsigned int old = jc_explore_permille;
	int cpu;

	lockdep_assert_held(&jc_mutex);

	if (!old && permille) {
		/* xorshift32 must not start at 0, where it would stay */
		for_each_possible_cpu(cpu)
			WRITE_ONCE(per_cpu(jc_explore_state, cpu), get_random_u32() | 1);
		static_branch_inc(&jc_sched_key);
	}
	/* Pairs with the acquire in jc_explore(): the states are there. */
	smp_store_release(&jc_explore_permille, permille);
	if (old && !permille)
		static_branch_dec(&jc_sched_key);
}

static int jc_explore_most = JC_EXPLORE_MAX;

static int jc_explore_sysctl(const struct ctl_table *table, int write,
			     void *buffer, size_t *lenp, loff_t *ppos)
{
	int val, ret;

	guard(mutex)(&jc_mutex);

	val = jc_explore_permille;
	ret = jc_sysctl_int(table, write, buffer, lenp, ppos, &val);
	if (!ret && write)
		jc_explore_set(val);
	return ret;
}
#endif /* CONFIG_JC_SCHED_TEST */

static struct ctl_table jc_sched_sysctls[] = {
	{
		.procname	= "sched_jc",
		.maxlen		= sizeof(int),
		.mode		= 0644,
		.proc_handler	= jc_sched_sysctl,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE,
	},
#ifdef CONFIG_JC_SCHED_TEST
	{
		.procname	= "sched_jc_explore",
		.maxlen		= sizeof(int),
		.mode		= 0644,
		.proc_handler	= jc_explore_sysctl,
		.extra1		= SYSCTL_ZERO,
		.extra2		= &jc_explore_most,
	},
#endif
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

/* The network that is there before any slot has one. */
static int __init jc_prepare_builtin(void)
{
	struct lf_model *model;
	struct lf_error why;
	int err;

	err = lf_model_parse(jc_builtin_blob, jc_builtin_len, &jc_limits, &model, &why);
	if (!err) {
		err = jc_mlp_check(model, &why);
		if (!err)
			jc_mlp_prepare(&jc_net.builtin, model);
		lf_model_free(model);
	}
	if (err)
		pr_err("jc_sched: built-in model: %s: the stock rule decides\n", why.msg);
	return err;
}

/* Before the other CPUs come up, and so before anything is balanced. */
static int __init jc_sched_init(void)
{
	int err = jc_prepare_builtin();

	jc_net_load(NULL);
	return err;
}
early_initcall(jc_sched_init);
