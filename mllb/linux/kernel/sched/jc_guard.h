/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Learned load balancer: the guard against networks that do harm
 */
#ifndef _KERNEL_SCHED_JC_GUARD_H
#define _KERNEL_SCHED_JC_GUARD_H

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "jc_harm.h"

struct root_domain;
struct rq;
struct task_struct;

enum jc_guard_mode {
	JC_GUARD_OFF,
	JC_GUARD_WATCHING,
	JC_GUARD_TRIPPED,	/* the rule decides in the network's place */
	JC_GUARD_BY_DOMAIN,	/* root domains differ: jc_guard_domain_mode() knows */
};

#ifdef CONFIG_JC_SCHED_GUARD

/**
 * struct jc_guard_domain - the guard of one root domain
 * @timer: fires while there is something to look at; deferrable
 * @work: looks
 * @armed: @timer and @work are in use, and have a reference of the root domain
 * @tripped: what decisions read of @guard
 * @due: jiffies when @timer is to fire
 * @period: jiffies between two looks; decisions read it, too
 * @generation: to which reset @guard belongs, see jc_guard_generation
 * @guard: what is remembered of the network here
 * @special: @guard is not as jc_guard_init() leaves it to decisions
 * @rested: nobody looked since @last
 * @last: jiffies of the last look
 * @quiet: looks since the last mark
 *
 * The fields from @generation on belong to jc_guard_lock. @timer is added by who
 * has set @armed or deleted it, and by @work.
 */
struct jc_guard_domain {
	struct timer_list timer;
	struct work_struct work;
	atomic_t armed;
	bool tripped;
	unsigned long due;
	unsigned long period;
	unsigned long generation;
	struct jc_guard guard;
	bool special;
	bool rested;
	unsigned long last;
	unsigned int quiet;
};

/* A task that the network moved is remembered by its new CPU. */
#define JC_GUARD_MOVED	8

/**
 * struct jc_guard_cpu - what decisions tell the guard
 * @refused: jiffies when this CPU, idle, was last refused a task that the rule
 *	would have let go; 0: not since it got one
 * @let_go: the task that the last decision made here let go, by the network's will
 * @kept: tasks of this queue that the network refused to an idle CPU, and not the rule
 * @kept_busy: the same, to a busy CPU
 * @backs: tasks that the network moved straight back from here, and not the rule
 * @backs_seen: how many of these the guard has counted
 * @decisions_seen: how many decisions made here the guard has counted
 * @seen: what the guard saw of this CPU in its last look
 * @moved: tasks that the network moved here, by pid modulo their number
 *
 * @refused is written without a lock, @let_go on its own CPU with IRQs off, @kept,
 * @kept_busy and @backs with this CPU's run queue locked, the "seen" ones by the
 * guard alone. Who writes @moved holds the lock of another run queue, so an
 * entry may be torn: then a move back is missed.
 */
struct jc_guard_cpu {
	unsigned long refused;
	const struct task_struct *let_go;
	struct jc_guard_set kept;
	struct jc_guard_set kept_busy;
	unsigned int backs;
	unsigned int backs_seen;
	unsigned long decisions_seen;
	struct jc_guard_view seen;
	struct {
		pid_t pid;
		int from;
		unsigned long when;
	} moved[JC_GUARD_MOVED];
};

DECLARE_PER_CPU(struct jc_guard_cpu, jc_guard_cpu);

void jc_guard_domain_init(struct root_domain *rd);
enum jc_guard_mode jc_guard_domain_mode(struct rq *src);

void jc_guard_refused(struct rq *src, int dst_cpu, struct task_struct *p, bool busy);
bool jc_guard_goes_back(struct rq *src, int dst_cpu, struct task_struct *p);
void jc_guard_moved(struct rq *src, int dst_cpu, struct task_struct *p, bool back);

/* A refusal is blamed for so long: an idle CPU asks again sooner. */
#define JC_GUARD_FRESH		msecs_to_jiffies(32)
/* A busy CPU asks less often: sd->busy_factor times the domain's interval. */
#define JC_GUARD_FRESH_BUSY	msecs_to_jiffies(128)

/* An epoch is half as long as a mark is fresh: a set holds one or two of them. */
static __always_inline unsigned long jc_guard_epoch(bool busy)
{
	if (busy)
		return jiffies / max(JC_GUARD_FRESH_BUSY / 2, 1UL);
	return jiffies / max(JC_GUARD_FRESH / 2, 1UL);
}

static __always_inline struct jc_guard_set *jc_guard_kept(int src_cpu, bool busy)
{
	struct jc_guard_cpu *c = &per_cpu(jc_guard_cpu, src_cpu);

	return busy ? &c->kept_busy : &c->kept;
}

/**
 * jc_guard_is_news() - is it worth asking the rule about a task that was refused?
 * @src_cpu: the CPU that it is queued on
 * @pid: its number
 * @busy: was it refused to a busy CPU?
 *
 * Once per task and epoch is enough, so the rule is hardly ever asked.
 *
 * Context: the run queue of @src_cpu is locked.
 * Return: true if the mark is not there yet.
 */
static __always_inline bool jc_guard_is_news(int src_cpu, pid_t pid, bool busy)
{
	return !jc_guard_set_has(jc_guard_kept(src_cpu, busy), pid, jc_guard_epoch(busy));
}

/* NULL: nobody, or not by the network's will. Context: IRQs off. */
static __always_inline void jc_guard_let_go(const struct task_struct *p)
{
	__this_cpu_write(jc_guard_cpu.let_go, p);
}

static __always_inline bool jc_guard_was_let_go(const struct task_struct *p)
{
	return __this_cpu_read(jc_guard_cpu.let_go) == p;
}

void jc_guard_reset(void);
void jc_guard_switched(void);
void jc_guard_show(struct seq_file *m);

#else /* !CONFIG_JC_SCHED_GUARD */

static inline void jc_guard_domain_init(struct root_domain *rd) { }

static inline enum jc_guard_mode jc_guard_domain_mode(struct rq *src)
{
	return JC_GUARD_OFF;
}

static inline bool jc_guard_is_news(int src_cpu, pid_t pid, bool busy)
{
	return false;
}

static inline void jc_guard_refused(struct rq *src, int dst_cpu, struct task_struct *p,
				    bool busy)
{
}

static inline bool jc_guard_goes_back(struct rq *src, int dst_cpu, struct task_struct *p)
{
	return false;
}

static inline void jc_guard_moved(struct rq *src, int dst_cpu, struct task_struct *p,
				  bool back)
{
}

static inline void jc_guard_let_go(const struct task_struct *p) { }

static inline bool jc_guard_was_let_go(const struct task_struct *p)
{
	return false;
}

static inline void jc_guard_reset(void) { }
static inline void jc_guard_switched(void) { }

static inline void jc_guard_show(struct seq_file *m)
{
	seq_puts(m, "guard: not built\n");
}

#endif /* CONFIG_JC_SCHED_GUARD */

#endif /* _KERNEL_SCHED_JC_GUARD_H */
