// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: the guard
 *
 * Decisions leave marks where the network refuses a task that the rule would have
 * let go. The first mark in a root domain arms a timer there, and a work item looks
 * at the CPUs of that domain a few hundred times a second: which of those that were
 * refused a task are idle, and which of the refused tasks still wait? A network that
 * answers like the rule leaves no marks, so it is never blamed and never watched.
 * Some time after the last mark the timer stops. jc_harm.c draws the conclusions.
 *
 * The timer is deferrable, so it fires on a CPU that has work: the one whose tasks
 * wait. Looking is done by an unbound work item that any CPU may run. It locks one
 * queue at a time, and only those with marks, to see who of the marked still waits.
 *
 * Whether a root domain's guard has tripped is one of its fields. Decisions read it
 * only where a byte beside the pointer to the network says that some guard has
 * tripped of late. A static key cannot be flipped from a decision or a timer.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/mmu_context.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/sysctl.h>

#include <trace/events/jc_sched.h>

#include "sched.h"
#include "jc_sched.h"

DEFINE_PER_CPU(struct jc_guard_cpu, jc_guard_cpu);

/* Every 4 ms; less often in large domains, as all their CPUs are looked at. */
#define JC_GUARD_PERIOD		max(msecs_to_jiffies(4), 1UL)
#define JC_GUARD_PERIOD_CPUS	64
/* After so many looks without a mark: at rest, or this often after a trip. */
#define JC_GUARD_QUIET		32
#define JC_GUARD_QUIET_PERIOD	msecs_to_jiffies(64)
/* A move by the network is remembered for so long. */
#define JC_GUARD_BACK		msecs_to_jiffies(20)

/* Serialises who starts and stops the guard; inside jc_mutex. */
static DEFINE_MUTEX(jc_guard_mutex);
/* 1: kernel.sched_jc_guard does not forbid it */
static int jc_guard_allowed = 1;

/*
 * Protects what follows, jc_guard_domain from its generation on, and writes of
 * jc_net.guard. Innermost; process context only.
 */
static DEFINE_SPINLOCK(jc_guard_lock);
static bool jc_guard_runs;
/* Number of resets: a domain's guard of an older one counts as new. */
static unsigned long jc_guard_generation;
/* Domains of this generation whose guard is special. */
static unsigned int jc_guard_specials;

/* Context: @d is armed, its timer not pending, and @cpu online. */
static void jc_guard_add_timer(struct jc_guard_domain *d, int cpu, unsigned long period)
{
	/* jc_guard_hurry() */
	WRITE_ONCE(d->due, jiffies + period);
	d->timer.expires = jiffies + period;
	add_timer_on(&d->timer, cpu);
}

/* Lets the timer fire soon on a CPU that has work, unless it does so anyway. */
static void jc_guard_hurry(struct jc_guard_domain *d, int cpu, unsigned long latest)
{
	unsigned long due = READ_ONCE(d->due);
	unsigned long now = jiffies;

	/* in time, or late because an idle CPU has deferred it? */
	if (time_before_eq(due, latest) && time_before_eq(now, due + 2 * JC_GUARD_PERIOD))
		return;
	/* whoever deletes it adds it again; not pending: the work does */
	if (!timer_delete(&d->timer))
		return;
	jc_guard_add_timer(d, cpu, READ_ONCE(d->period));
}

/* Context: @src locked, which also keeps its root domain. */
static void jc_guard_arm(struct rq *src)
{
	struct jc_guard_domain *d = &src->rd->jc_guard;
	unsigned long period = READ_ONCE(d->period);

	if (atomic_read(&d->armed) || atomic_xchg(&d->armed, 1)) {
		jc_guard_hurry(d, cpu_of(src), jiffies + period);
		return;
	}
	/* pairs with sched_put_rd() in jc_guard_work_fn() */
	sched_get_rd(src->rd);
	jc_guard_add_timer(d, cpu_of(src), period);
}

/**
 * jc_guard_domain_mode() - may the network decide in this root domain?
 * @src: run queue of the task in question
 *
 * Context: @src locked.
 * Return: JC_GUARD_TRIPPED or JC_GUARD_WATCHING.
 */
enum jc_guard_mode jc_guard_domain_mode(struct rq *src)
{
	struct jc_guard_domain *d = &src->rd->jc_guard;

	lockdep_assert_rq_held(src);

	/* jc_guard_reset(), jc_guard_publish() */
	if (READ_ONCE(d->generation) != READ_ONCE(jc_guard_generation))
		return JC_GUARD_WATCHING;
	if (!READ_ONCE(d->tripped))
		return JC_GUARD_WATCHING;
	/* the chance is not to be deferred for ever */
	jc_guard_hurry(d, cpu_of(src), READ_ONCE(d->due));
	return JC_GUARD_TRIPPED;
}

/**
 * jc_guard_refused() - the network refused a task that the rule would have let go
 * @src: its run queue
 * @dst_cpu: the CPU that asked for it, and on which it may run
 * @p: the task
 * @busy: @dst_cpu has work
 *
 * Context: @src locked.
 */
void jc_guard_refused(struct rq *src, int dst_cpu, struct task_struct *p, bool busy)
{
	lockdep_assert_rq_held(src);

	jc_guard_set_add(jc_guard_kept(cpu_of(src), busy), p->pid, jc_guard_epoch(busy));
	/* jc_guard_view() */
	if (!busy)
		WRITE_ONCE(per_cpu(jc_guard_cpu, dst_cpu).refused, jiffies ?: 1);
	jc_guard_arm(src);
}

/**
 * jc_guard_goes_back() - did the network just move this task from where it goes now?
 * @src: run queue that it leaves
 * @dst_cpu: where it goes
 * @p: the task
 *
 * Context: @src locked.
 * Return: true if so.
 */
bool jc_guard_goes_back(struct rq *src, int dst_cpu, struct task_struct *p)
{
	struct jc_guard_cpu *c = &per_cpu(jc_guard_cpu, cpu_of(src));
	unsigned int i = p->pid % JC_GUARD_MOVED;

	/* jc_guard_moved() */
	return READ_ONCE(c->moved[i].pid) == p->pid &&
	       READ_ONCE(c->moved[i].from) == dst_cpu &&
	       jiffies - READ_ONCE(c->moved[i].when) < JC_GUARD_BACK;
}

/**
 * jc_guard_moved() - a task leaves its run queue because the network let it go
 * @src: run queue that it leaves
 * @dst_cpu: where it goes
 * @p: the task
 * @back: it goes straight back, and the rule would have kept it
 *
 * Context: @src locked.
 */
void jc_guard_moved(struct rq *src, int dst_cpu, struct task_struct *p, bool back)
{
	struct jc_guard_cpu *c = &per_cpu(jc_guard_cpu, dst_cpu);
	unsigned int i = p->pid % JC_GUARD_MOVED;

	lockdep_assert_rq_held(src);

	/* jc_guard_goes_back() */
	WRITE_ONCE(c->moved[i].pid, p->pid);
	WRITE_ONCE(c->moved[i].from, cpu_of(src));
	WRITE_ONCE(c->moved[i].when, jiffies);
	/* jc_guard_view(): it has what it was refused */
	WRITE_ONCE(c->refused, 0);
	if (!back)
		return;
	/* jc_guard_look() */
	c = &per_cpu(jc_guard_cpu, cpu_of(src));
	WRITE_ONCE(c->backs, c->backs + 1);
	jc_guard_arm(src);
}

/*
 * Which of the marked tasks still wait in this queue? One that was refused may have
 * left since, and one that may run nowhere else wait in its place.
 */
static void jc_guard_view_queue(struct rq *rq, unsigned long kept, unsigned long kept_busy,
				struct jc_guard_view *v)
{
	/* as many as a balancing pass looks at with the lock held */
	unsigned int left = SCHED_NR_MIGRATE_BREAK;
	struct task_struct *p;

	guard(rq_lock_irqsave)(rq);

	list_for_each_entry(p, &rq->cfs_tasks, se.group_node) {
		unsigned long bit = BIT(p->pid % BITS_PER_LONG);

		if (!left--)
			break;
		if (task_on_cpu(rq, p) || p->se.sched_delayed || p->nr_cpus_allowed == 1)
			continue;
		v->kept += !!(kept & bit);
		v->kept_busy += !!(kept_busy & bit);
	}
}

/* A moment's view of somebody else's run queue. Returns whether there are marks. */
static bool jc_guard_view(int cpu, struct jc_guard_view *v)
{
	const struct jc_guard_cpu *c = &per_cpu(jc_guard_cpu, cpu);
	unsigned long kept = jc_guard_set_recent(&c->kept, jc_guard_epoch(false));
	unsigned long kept_busy = jc_guard_set_recent(&c->kept_busy, jc_guard_epoch(true));
	/* jc_guard_refused(), jc_guard_moved() */
	unsigned long refused = READ_ONCE(c->refused);
	struct rq *rq = cpu_rq(cpu);

	v->busy = READ_ONCE(rq->nr_running);
	v->refused = refused && jiffies - refused < JC_GUARD_FRESH;
	v->nr = READ_ONCE(rq->cfs.h_nr_runnable);
	v->kept = 0;
	v->kept_busy = 0;
	/* the running one does not wait */
	if (v->nr > 1 && (kept || kept_busy))
		jc_guard_view_queue(rq, kept, kept_busy, v);
	return v->refused || kept || kept_busy;
}

/*
 * Fills a sample. Returns a CPU that has work, or -1, and in @marks whether
 * there is anything to look at.
 */
static int jc_guard_look(const struct root_domain *rd, struct jc_guard_sample *s, bool *marks)
{
	int cpu, busy = -1;

	memset(s, 0, sizeof(*s));
	*marks = false;
	for_each_cpu_and(cpu, rd->span, cpu_online_mask) {
		struct jc_guard_cpu *c = &per_cpu(jc_guard_cpu, cpu);
		/* jc_guard_moved() */
		unsigned int backs = READ_ONCE(c->backs);
		unsigned long decisions = READ_ONCE(per_cpu(jc_stats, cpu).tick);

		*marks |= jc_guard_view(cpu, &c->seen);
		jc_guard_see(s, &c->seen);
		s->backs += backs - c->backs_seen;
		c->backs_seen = backs;
		s->decisions += decisions - c->decisions_seen;
		c->decisions_seen = decisions;
		if (c->seen.busy && (busy < 0 || c->seen.kept))
			busy = cpu;
	}
	*marks |= s->backs;
	if (*marks) {
		for_each_cpu_and(cpu, rd->span, cpu_online_mask)
			jc_guard_see_excess(s, &per_cpu(jc_guard_cpu, cpu).seen);
	}
	s->cost_ns = READ_ONCE(sysctl_sched_migration_cost);
	return busy;
}

static void jc_guard_publish(void)
{
	lockdep_assert_held(&jc_guard_lock);

	/* jc_guard_mode() */
	WRITE_ONCE(jc_net.guard, !jc_guard_runs ? JC_GUARD_OFF :
		   jc_guard_specials ? JC_GUARD_BY_DOMAIN : JC_GUARD_WATCHING);
}

static void jc_guard_set_special(struct jc_guard_domain *d, bool special)
{
	lockdep_assert_held(&jc_guard_lock);

	jc_guard_specials += special - d->special;
	d->special = special;
	/* jc_guard_domain_mode() */
	WRITE_ONCE(d->tripped, d->guard.tripped);
	jc_guard_publish();
}

/* Somebody has reset the guard since this domain was looked at last. */
static void jc_guard_catch_up(struct jc_guard_domain *d)
{
	lockdep_assert_held(&jc_guard_lock);

	if (d->generation == jc_guard_generation)
		return;
	jc_guard_init(&d->guard);
	d->special = false;
	d->last = jiffies;
	WRITE_ONCE(d->tripped, false);
	/* jc_guard_domain_mode() */
	WRITE_ONCE(d->generation, jc_guard_generation);
}

static void jc_guard_note_event(struct jc_guard_domain *d, enum jc_guard_event event,
				const struct jc_guard_sample *s)
{
	lockdep_assert_held(&jc_guard_lock);

	if (event == JC_GUARD_NOTHING)
		return;
	jc_guard_set_special(d, d->guard.again);
	if (event == JC_GUARD_TRIPS)
		this_cpu_inc(jc_stats.count[JC_STAT_GUARD_TRIPS]);
	trace_jc_sched_guard(event, &d->guard, s);
}

/* A chance that is due comes, even if no CPU has had work to fire the timer. */
static void jc_guard_expire(struct jc_guard_domain *d)
{
	unsigned int elapsed = jiffies_to_msecs(jiffies - d->last);

	lockdep_assert_held(&jc_guard_lock);

	if (!d->guard.tripped || d->guard.left_ms > elapsed)
		return;
	d->last = jiffies;
	jc_guard_note_event(d, jc_guard_step(&d->guard, NULL, elapsed), NULL);
}

/* Decides what follows; returns the jiffies until the next look, 0 for none. */
static unsigned long jc_guard_tick(struct jc_guard_domain *d, struct jc_guard_sample *s,
				   bool marks)
{
	unsigned int elapsed, longest;

	lockdep_assert_held(&jc_guard_lock);

	/* jc_guard_arm() */
	WRITE_ONCE(d->period, JC_GUARD_PERIOD * DIV_ROUND_UP(max(s->cpus, 1U),
							     JC_GUARD_PERIOD_CPUS));
	jc_guard_catch_up(d);
	elapsed = jiffies_to_msecs(jiffies - d->last);
	d->last = jiffies;
	/* the first sample after a rest says nothing of the time before */
	longest = d->rested ? jiffies_to_msecs(d->period) : JC_GUARD_MAX_MS;
	s->ms = min(elapsed, longest);
	d->rested = false;

	if (!jc_guard_runs || !s->cpus) {
		/* switched off; or the domain is no more */
		jc_guard_init(&d->guard);
		jc_guard_set_special(d, false);
		goto rest;
	}
	jc_guard_note_event(d, jc_guard_step(&d->guard, s, elapsed), s);
	if (d->guard.tripped)
		return max(msecs_to_jiffies(d->guard.left_ms), 1UL);

	d->quiet = marks ? 0 : d->quiet + 1;
	if (d->quiet <= JC_GUARD_QUIET)
		return d->period;
	if (d->special)
		return max(d->period, JC_GUARD_QUIET_PERIOD);
rest:
	d->quiet = 0;
	d->rested = true;
	return 0;
}

static void jc_guard_work_fn(struct work_struct *work)
{
	struct jc_guard_domain *d = container_of(work, struct jc_guard_domain, work);
	struct root_domain *rd = container_of(d, struct root_domain, jc_guard);
	struct jc_guard_sample s;
	unsigned long next;
	bool marks;
	int busy;

	busy = jc_guard_look(rd, &s, &marks);
	scoped_guard(spinlock, &jc_guard_lock)
		next = jc_guard_tick(d, &s, marks);
	if (!next) {
		/* a mark that comes now arms it again */
		atomic_set_release(&d->armed, 0);
		sched_put_rd(rd);
		return;
	}
	/* a CPU that is not there fires no timer */
	guard(cpus_read_lock)();
	if (busy < 0 || !cpu_online(busy))
		busy = raw_smp_processor_id();
	jc_guard_add_timer(d, busy, next);
}

static void jc_guard_timer_fn(struct timer_list *t)
{
	struct jc_guard_domain *d = from_timer(d, t, timer);

	queue_work(system_unbound_wq, &d->work);
}

/**
 * jc_guard_domain_init() - make the guard of a new root domain ready
 * @rd: the domain, zeroed
 *
 * Nothing has to be undone: while the guard is armed it has a reference of @rd.
 *
 * Context: any.
 */
void jc_guard_domain_init(struct root_domain *rd)
{
	struct jc_guard_domain *d = &rd->jc_guard;

	timer_setup(&d->timer, jc_guard_timer_fn, TIMER_DEFERRABLE);
	INIT_WORK(&d->work, jc_guard_work_fn);
	d->period = JC_GUARD_PERIOD;
	d->rested = true;
	jc_guard_init(&d->guard);
}

/* Begin anew everywhere. */
static void jc_guard_begin(void)
{
	lockdep_assert_held(&jc_guard_lock);

	/* jc_guard_domain_mode() */
	WRITE_ONCE(jc_guard_generation, jc_guard_generation + 1);
	jc_guard_specials = 0;
	jc_guard_publish();
}

/**
 * jc_guard_reset() - forget the past: another network, or another chance
 *
 * Context: process context; takes jc_guard_lock.
 */
void jc_guard_reset(void)
{
	spin_lock(&jc_guard_lock);
	if (jc_guard_runs) {
		struct jc_guard none;

		jc_guard_begin();
		jc_guard_init(&none);
		trace_jc_sched_guard(JC_GUARD_RESET, &none, NULL);
	}
	spin_unlock(&jc_guard_lock);
}

static void jc_guard_update(void)
{
	lockdep_assert_held(&jc_guard_mutex);

	spin_lock(&jc_guard_lock);
	/* what is armed sees it, and rests */
	jc_guard_runs = jc_guard_allowed && jc_sched_query();
	jc_guard_begin();
	spin_unlock(&jc_guard_lock);
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

/*
 * The guard to show: of the root domain that tripped most, or has the most harm
 * if none did. Returns one of its CPUs, whose domain it is.
 */
static int jc_guard_worst(struct jc_guard *worst, cpumask_var_t span, unsigned int *tripped)
{
	const struct root_domain *seen = NULL;
	u64 most = 0;
	int cpu, found = -1;

	*tripped = 0;
	for_each_online_cpu(cpu) {
		struct root_domain *rd;
		unsigned int age;
		struct jc_guard g;
		u64 harm;

		/* a run queue's old root domain is freed after a grace period */
		guard(rcu)();

		rd = READ_ONCE(cpu_rq(cpu)->rd);
		if (!rd || rd == seen)
			continue;
		seen = rd;
		scoped_guard(spinlock, &jc_guard_lock) {
			jc_guard_catch_up(&rd->jc_guard);
			jc_guard_expire(&rd->jc_guard);
			g = rd->jc_guard.guard;
			age = jiffies_to_msecs(jiffies - rd->jc_guard.last);
		}
		/* one long timer runs until the next chance */
		g.left_ms -= g.tripped ? min(g.left_ms, age) : 0;
		*tripped += g.tripped;
		harm = ((u64)g.trips << 32) + g.total[JC_HARM_IDLE] +
		       g.total[JC_HARM_WAIT] + g.total[JC_HARM_BACK];
		if (found >= 0 && harm <= most)
			continue;
		most = harm;
		found = cpu;
		*worst = g;
		cpumask_copy(span, rd->span);
	}
	return found;
}

/**
 * jc_guard_show() - lines of the state file
 * @m: where to
 *
 * Context: process context; takes the CPU hotplug lock.
 */
void jc_guard_show(struct seq_file *m)
{
	cpumask_var_t span;
	unsigned int tripped;
	struct jc_guard g;
	int allowed, i;
	bool runs;

	scoped_guard(mutex, &jc_guard_mutex)
		allowed = jc_guard_allowed;
	scoped_guard(spinlock, &jc_guard_lock)
		runs = jc_guard_runs;
	if (!runs) {
		seq_printf(m, "guard: %s\n", allowed ? "on" : "off");
		return;
	}
	if (!alloc_cpumask_var(&span, GFP_KERNEL)) {
		seq_puts(m, "guard: on\n");
		return;
	}

	scoped_guard(cpus_read_lock)
		jc_guard_worst(&g, span, &tripped);
	seq_printf(m, "guard: %s\n", tripped ? "tripped" : "on");
	seq_printf(m, "guard_cpus: %*pbl\n", cpumask_pr_args(span));
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
	free_cpumask_var(span);
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
