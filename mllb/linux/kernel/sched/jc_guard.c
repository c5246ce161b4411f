// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: the guard
 *
 * While the network judges, a timer looks at every CPU a few hundred times a
 * second: is it idle although the network was asked for a task for it, and are
 * tasks waiting meanwhile? The judgements leave the marks that tell harm done by
 * the network from what would be so anyway: a mark is set only where the stock
 * rule had answered otherwise, so that a network that answers like the rule is
 * never blamed. jc_guard.h makes the verdict of it.
 *
 * The verdict is a byte beside the pointer to the network, which judgements read;
 * a static key could be flipped neither in a timer nor with a run queue locked.
 */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/mmu_context.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/spinlock.h>
#include <linux/sysctl.h>
#include <linux/timer.h>

#include <trace/events/jc_sched.h>

#include "sched.h"
#include "jc_sched.h"

DEFINE_PER_CPU(struct jc_guard_cpu, jc_guard_cpu);

/* Each 4 ms; less often on large machines, as all CPUs are looked at. */
#define JC_GUARD_PERIOD		msecs_to_jiffies(4)
#define JC_GUARD_PERIOD_CPUS	64
/* After so many in which nobody waited, less often as well. */
#define JC_GUARD_QUIET		64
#define JC_GUARD_QUIET_PERIOD	msecs_to_jiffies(64)
/* A refusal is blamed for so long: an idle CPU asks again sooner. */
#define JC_GUARD_FRESH		msecs_to_jiffies(32)

/* Serialises who starts and stops the guard; inside jc_mutex. */
static DEFINE_MUTEX(jc_guard_mutex);
/* 1: it was not forbidden by kernel.sched_jc_guard */
static int jc_guard_allowed = 1;

/* Protects what follows, and writes of jc_net.guard. Innermost. */
static DEFINE_SPINLOCK(jc_guard_lock);
static struct jc_guard jc_guard;
static bool jc_guard_runs;
static unsigned long jc_guard_last;	/* jiffies of the last sample */
static unsigned int jc_guard_quiet;	/* samples since somebody waited */

static void jc_guard_timer_fn(struct timer_list *t);
static DEFINE_TIMER(jc_guard_timer, jc_guard_timer_fn);

/* Marks are jiffies, 0 is none. */
static bool jc_guard_is_fresh(unsigned long mark)
{
	return mark && jiffies - mark < JC_GUARD_FRESH;
}

/* Above the average: what the network could have let go. */
static unsigned int jc_guard_excess(unsigned int average)
{
	unsigned int excess = 0;
	int cpu;

	for_each_online_cpu(cpu) {
		/* jc_guard_refused() */
		unsigned long mark = READ_ONCE(per_cpu(jc_guard_cpu, cpu).refused_src);
		unsigned int nr = READ_ONCE(cpu_rq(cpu)->cfs.h_nr_runnable);

		if (nr > average && jc_guard_is_fresh(mark))
			excess += nr - average;
	}
	return excess;
}

/* Idle, and refused a task. */
static unsigned int jc_guard_starved(const nodemask_t *refused)
{
	unsigned int starved = 0;
	int cpu;

	for_each_online_cpu(cpu) {
		if (READ_ONCE(cpu_rq(cpu)->nr_running))
			continue;
		/* jc_guard_refused() */
		if (node_isset(cpu_to_node(cpu), *refused) ||
		    jc_guard_is_fresh(READ_ONCE(per_cpu(jc_guard_cpu, cpu).refused_dst)))
			starved++;
	}
	return starved;
}

static void jc_guard_look(struct jc_guard_sample *s)
{
	nodemask_t refused = NODE_MASK_NONE;
	int cpu;

	memset(s, 0, sizeof(*s));
	for_each_online_cpu(cpu) {
		struct jc_guard_cpu *c = &per_cpu(jc_guard_cpu, cpu);
		/* jc_guard_let_go() */
		unsigned long backs = READ_ONCE(c->backs);
		struct rq *rq = cpu_rq(cpu);
		/* somebody else's run queue: a moment's view, no more */
		unsigned int nr = READ_ONCE(rq->cfs.h_nr_runnable);

		s->cpus++;
		if (READ_ONCE(rq->nr_running))
			s->busy++;
		else if (jc_guard_is_fresh(READ_ONCE(c->refused_node)))
			node_set(cpu_to_node(cpu), refused);
		if (nr > 1)
			s->waiting += nr - 1;
		s->runnable += nr;
		s->backs += backs - c->backs_seen;
		c->backs_seen = backs;
	}
	if (s->waiting) {
		s->starved = jc_guard_starved(&refused);
		s->excess = jc_guard_excess(DIV_ROUND_UP(s->runnable, s->cpus));
	}

	s->cost_ns = READ_ONCE(sysctl_sched_migration_cost);
}

static void jc_guard_publish(void)
{
	lockdep_assert_held(&jc_guard_lock);

	/* jc_guard_mode() */
	WRITE_ONCE(jc_net.guard, !jc_guard_runs ? JC_GUARD_OFF :
		   jc_guard.tripped ? JC_GUARD_TRIPPED : JC_GUARD_WATCHING);
}

/* Looks, and decides; returns the jiffies until the next time. */
static unsigned long jc_guard_tick(void)
{
	unsigned long period = JC_GUARD_PERIOD *
			       DIV_ROUND_UP(num_online_cpus(), JC_GUARD_PERIOD_CPUS);
	enum jc_guard_event event;
	struct jc_guard_sample s;
	unsigned int elapsed;

	lockdep_assert_held(&jc_guard_lock);

	elapsed = jiffies_to_msecs(jiffies - jc_guard_last);
	jc_guard_last = jiffies;
	jc_guard_look(&s);
	/* what was seen once may not stand for a long time */
	s.ms = min(elapsed, jc_guard_quiet > JC_GUARD_QUIET ?
		   jiffies_to_msecs(period) : JC_GUARD_MAX_MS);

	event = jc_guard_step(&jc_guard, &s, elapsed);
	if (event != JC_GUARD_NOTHING) {
		jc_guard_publish();
		if (event == JC_GUARD_TRIPS)
			this_cpu_inc(jc_stats.count[JC_STAT_GUARD_TRIPS]);
		trace_jc_sched_guard(event, &jc_guard, &s);
	}

	jc_guard_quiet = s.waiting ? 0 : jc_guard_quiet + 1;
	if (jc_guard_quiet > JC_GUARD_QUIET)
		period = max(period, JC_GUARD_QUIET_PERIOD);
	return period;
}

static void jc_guard_timer_fn(struct timer_list *t)
{
	spin_lock(&jc_guard_lock);
	if (jc_guard_runs)
		mod_timer(&jc_guard_timer, jiffies + jc_guard_tick());
	spin_unlock(&jc_guard_lock);
}

/* Begin anew, or stop. */
static void jc_guard_begin(void)
{
	lockdep_assert_held(&jc_guard_lock);

	jc_guard_init(&jc_guard);
	jc_guard_last = jiffies;
	jc_guard_quiet = 0;
	jc_guard_publish();
}

/**
 * jc_guard_reset() - forget what was: another network, or another chance
 *
 * Context: process context; takes jc_guard_lock.
 */
void jc_guard_reset(void)
{
	spin_lock_bh(&jc_guard_lock);
	if (jc_guard_runs) {
		jc_guard_begin();
		trace_jc_sched_guard(JC_GUARD_RESET, &jc_guard, NULL);
	}
	spin_unlock_bh(&jc_guard_lock);
}

static void jc_guard_update(void)
{
	bool run = jc_guard_allowed && jc_sched_query();

	lockdep_assert_held(&jc_guard_mutex);

	scoped_guard(spinlock_bh, &jc_guard_lock) {
		jc_guard_runs = run;
		jc_guard_begin();
		if (run)
			mod_timer(&jc_guard_timer, jiffies + 1);
	}
	/* it does not start itself any more */
	if (!run)
		timer_delete_sync(&jc_guard_timer);
}

/**
 * jc_guard_switched() - the network was switched on or off
 *
 * Context: process context, after the switch; takes jc_guard_mutex.
 */
void jc_guard_switched(void)
{
	guard(mutex)(&jc_guard_mutex);

	jc_guard_update();
}

static const char *jc_guard_harm_name(enum jc_harm harm)
{
	static const char *const name[JC_NR_HARMS] = {
		[JC_HARM_IDLE] = "idle",
		[JC_HARM_WAIT] = "wait",
		[JC_HARM_BACK] = "back",
	};

	return name[harm];
}

/* Lines of the state file. */
void jc_guard_show(struct seq_file *m)
{
	struct jc_guard g;
	int allowed, i;
	bool runs;

	scoped_guard(mutex, &jc_guard_mutex)
		allowed = jc_guard_allowed;
	scoped_guard(spinlock_bh, &jc_guard_lock) {
		g = jc_guard;
		runs = jc_guard_runs;
	}

	seq_printf(m, "guard: %s\n", !allowed ? "off" : runs && g.tripped ? "tripped" : "on");
	if (!runs)
		return;
	seq_printf(m, "guard_trips: %u\n", g.trips);
	seq_printf(m, "guard_last: %s\n", g.trips ? jc_guard_harm_name(g.harm) : "none");
	seq_printf(m, "guard_next_ms: %u\n", g.tripped ? g.left_ms : 0);
	seq_printf(m, "guard_backoff_ms: %u\n", g.backoff_ms);
	seq_printf(m, "guard_watched_ms: %llu\n", g.watched_ms);
	for (i = 0; i < JC_NR_HARMS; i++)
		seq_printf(m, "guard_%s: %u of %u ms, %llu in all\n", jc_guard_harm_name(i),
			   g.level[i] / JC_GUARD_SCALE,
			   jc_guard_limit(&g, i) / JC_GUARD_SCALE,
			   div_u64(g.total[i], JC_GUARD_SCALE));
}

#ifdef CONFIG_SYSCTL
static int jc_guard_sysctl(const struct ctl_table *table, int write, void *buffer,
			   size_t *lenp, loff_t *ppos)
{
	int val, ret;

	guard(mutex)(&jc_guard_mutex);

	val = jc_guard_allowed;
	ret = jc_sysctl_int(table, write, buffer, lenp, ppos, &val);
	if (!ret && write) {
		/* also if it was 1 before: that is the way back by hand */
		jc_guard_allowed = val;
		jc_guard_update();
	}
	return ret;
}

static struct ctl_table jc_guard_sysctls[] = {
	{
		.procname	= "sched_jc_guard",
		.maxlen		= sizeof(int),
		.mode		= 0644,
		.proc_handler	= jc_guard_sysctl,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE,
	},
};
#endif /* CONFIG_SYSCTL */

static int __init jc_guard_late_init(void)
{
#ifdef CONFIG_SYSCTL
	register_sysctl_init("kernel", jc_guard_sysctls);
#endif
	/* REPLACE: the network is on from the beginning */
	jc_guard_switched();
	return 0;
}
late_initcall(jc_guard_late_init);
