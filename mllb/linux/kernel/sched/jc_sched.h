/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Internals of the learned load balancer (CONFIG_JC_SCHED)
 */
#ifndef _KERNEL_SCHED_JC_SCHED_H
#define _KERNEL_SCHED_JC_SCHED_H

struct lb_env;
struct task_struct;

#ifdef CONFIG_JC_SCHED

#include <linux/jump_label.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>

#ifndef CONFIG_JC_SCHED_FXDPT
#include <asm/fpu/api.h>
#endif

#include "jc_guard.h"
#include "jc_mlp.h"

/*
 * What jc_sched_key and jc_model_key say:
 *
 * jc_sched_key counts those who need the hook in can_migrate_task(): the
 * switch while it is on, and each user of the tracepoint. At zero the stock
 * code runs alone behind one patched-out jump. In REPLACE mode the hook is
 * unconditional.
 *
 * jc_model_key is the switch itself.
 */
DECLARE_STATIC_KEY_FALSE(jc_sched_key);
DECLARE_STATIC_KEY_FALSE(jc_model_key);

static __always_inline bool jc_sched_enabled(void)
{
	if (IS_ENABLED(CONFIG_JC_SCHED_REPLACE))
		return true;
	return static_branch_unlikely(&jc_sched_key);
}

static __always_inline bool jc_model_on(void)
{
	if (IS_ENABLED(CONFIG_JC_SCHED_REPLACE))
		return true;
	return static_branch_unlikely(&jc_model_key);
}

/* Counters beside those of the answers. */
enum jc_stat {
	JC_STAT_FALLBACK,	/* the network could not run */
	JC_STAT_MODEL_TIMED,
	JC_STAT_MODEL_NS,
	JC_STAT_STOCK_TIMED,
	JC_STAT_STOCK_NS,
	JC_STAT_FLIPPED_YES,	/* refused, then turned round */
	JC_STAT_FLIPPED_NO,
	JC_STAT_GUARDED,	/* the guard had tripped: the rule decided */
	JC_STAT_GUARD_TRIPS,
	JC_NR_STATS
};

/**
 * struct jc_stats - one CPU's counters; they wrap modulo the machine word
 * @count: by enum jc_stat; read first, so that no flip is seen before its answer
 * @answers: decisions, by whether too many balances had failed, and by the
 *	verdicts of the rule and of the network plus one: all that is shown of
 *	a decision follows from these, so that one addition is enough for it
 * @tick: decisions, to choose those that are timed
 */
struct jc_stats {
	unsigned long count[JC_NR_STATS];
	unsigned long answers[2][3][3];
	unsigned long tick;
};

DECLARE_PER_CPU(struct jc_stats, jc_stats);

/* Callers hold a run-queue lock with IRQs off: nobody else counts here. */
static __always_inline void jc_stat_add(enum jc_stat stat, unsigned long n)
{
	__this_cpu_add(jc_stats.count[stat], n);
}

static __always_inline void jc_stat_answers(bool extra_fails, enum jc_verdict rule,
					    enum jc_verdict model)
{
	__this_cpu_inc(jc_stats.answers[extra_fails][rule + 1][model + 1]);
}

/* One decision of a CPU in this many is timed; a power of two. */
#define JC_SAMPLE_EVERY	64

static __always_inline bool jc_sample_this(void)
{
	return !(__this_cpu_inc_return(jc_stats.tick) % JC_SAMPLE_EVERY);
}

extern u64 jc_clock_overhead;

/**
 * struct jc_net - the network in use
 * @active: the one that is asked; NULL before early_initcall or if none is sane
 * @guard: enum jc_guard_mode, beside @active for decisions that read both
 * @builtin: the one that is built in, in the same page as @active
 */
struct jc_net {
	struct jc_mlp __rcu *active;
	u8 guard;
	struct jc_mlp builtin;
};

extern struct jc_net jc_net;

/**
 * jc_guard_mode() - may the network decide about tasks of a run queue?
 * @src: the run queue, locked
 *
 * Context: run-queue lock held, IRQs off.
 * Return: JC_GUARD_OFF, JC_GUARD_WATCHING or JC_GUARD_TRIPPED.
 */
static __always_inline enum jc_guard_mode jc_guard_mode(struct rq *src)
{
	enum jc_guard_mode mode;

	if (!IS_ENABLED(CONFIG_JC_SCHED_GUARD))
		return JC_GUARD_OFF;
	/* jc_guard_publish() */
	mode = READ_ONCE(jc_net.guard);
	return likely(mode != JC_GUARD_BY_DOMAIN) ? mode : jc_guard_domain_mode(src);
}

/**
 * jc_ask_model() - ask a network
 * @mlp: the network, prepared for the arithmetic that is configured
 * @f: its inputs
 *
 * Context: run-queue lock held, IRQs off.
 * Return: JC_MOVE or JC_STAY; JC_NOT_ASKED if the FPU may not be used here (float
 * arithmetic only), so that the rule must decide.
 */
static __always_inline enum jc_verdict jc_ask_model(const struct jc_mlp *mlp,
						    const struct jc_features *f)
{
	bool move;

#ifdef CONFIG_JC_SCHED_FXDPT
	move = jc_mlp_ask_fixed(mlp, f) > JC_THRESHOLD;
#else
	if (!irq_fpu_usable())
		return JC_NOT_ASKED;

	kernel_fpu_begin();
	move = jc_mlp_forward_float(mlp, f);
	kernel_fpu_end();
#endif
	return move ? JC_MOVE : JC_STAY;
}

/* Most that may be explored, in 1/1000: above one half it is another policy. */
#define JC_EXPLORE_MAX	500

#ifdef CONFIG_JC_SCHED_TEST
extern unsigned int jc_explore_permille;
DECLARE_PER_CPU(u32, jc_explore_state);

/**
 * jc_explore() - shall this verdict be turned round, to see what comes of it?
 * @propensity: result: probability of the verdict that is given, in 1/1000
 *
 * Context: run-queue lock held, IRQs off.
 * Return: true if so.
 */
static __always_inline bool jc_explore(unsigned int *propensity)
{
	/* Pairs with the release in jc_explore_set(). */
	unsigned int permille = smp_load_acquire(&jc_explore_permille);
	bool flip;
	u32 x;

	if (!permille)
		return false;
	x = __this_cpu_read(jc_explore_state);
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	__this_cpu_write(jc_explore_state, x);
	flip = reciprocal_scale(x, 1000) < permille;
	*propensity = flip ? permille : 1000 - permille;
	return flip;
}
#else
static __always_inline bool jc_explore(unsigned int *propensity)
{
	return false;
}
#endif /* CONFIG_JC_SCHED_TEST */

int jc_sched_query(void);
int jc_sched_set(int on);

void jc_mlp_prepare(struct jc_mlp *mlp, const struct lf_model *model);
void jc_net_load(struct jc_mlp *mlp);

struct ctl_table;
int jc_sysctl_int(const struct ctl_table *table, int write, void *buffer,
		  size_t *lenp, loff_t *ppos, int *val);

#ifdef CONFIG_JC_SCHED_PERF
void jc_perf_sample(void);
void jc_perf_read(struct jc_lb_data *d);
void jc_perf_show(struct seq_file *m);
#else
static inline void jc_perf_sample(void) { }

static inline void jc_perf_read(struct jc_lb_data *d)
{
	d->pc[0] = U64_MAX;
	d->pc[1] = U64_MAX;
	d->pc_cpu = -1;
	d->pc_age = 0;
}

static inline void jc_perf_show(struct seq_file *m)
{
	seq_puts(m, "perf: not built\n");
}
#endif /* CONFIG_JC_SCHED_PERF */

#else /* !CONFIG_JC_SCHED */

static inline bool jc_sched_enabled(void)
{
	return false;
}

static inline int jc_task_hot(struct task_struct *p, struct lb_env *env)
{
	return 0;
}

static inline void jc_task_detached(struct task_struct *p, struct lb_env *env) { }

static inline void jc_perf_sample(void) { }

#endif /* CONFIG_JC_SCHED */

#endif /* _KERNEL_SCHED_JC_SCHED_H */
