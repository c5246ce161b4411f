// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: the decision
 *
 * Included into fair.c, before can_migrate_task(), for the sake of struct
 * lb_env and of the stock rule.
 *
 * jc_task_hot() stands in for the pair migrate_degrades_locality() and
 * task_hot(), after all the hard filters. What follows it in
 * can_migrate_task() stays: a refused task is migrated anyway once
 * nr_balance_failed exceeds cache_nice_tries, whatever the network says, and
 * schedstats count what happened.
 */
#include <linux/sched/clock.h>

#include <trace/events/jc_sched.h>

#include "jc_sched.h"

static noinline enum jc_verdict jc_ask_rule(struct task_struct *p, struct lb_env *env)
{
	int hot = migrate_degrades_locality(p, env);

	if (hot == -1)
		hot = task_hot(p, env);
	return hot > 0 ? JC_STAY : JC_MOVE;
}

#ifdef CONFIG_NUMA_BALANCING
/*
 * The same conditions as in migrate_degrades_locality(), but for SD_NUMA and
 * the nodes, which the caller has tested. The fault difference is the one that
 * it compares, task or group weight. Where the rule returns before it gets that
 * far, the weights are not computed either.
 */
static __always_inline void
jc_gather_numa(struct task_struct *p, struct lb_env *env, struct jc_lb_obs *d)
{
	int src_nid = cpu_to_node(env->src_cpu);
	int dst_nid = cpu_to_node(env->dst_cpu);
	int dist;

	if (!static_branch_likely(&sched_numa_balancing) || !p->numa_faults)
		return;

	d->numa_gate = true;
	d->src_preferred_len = env->src_rq->nr_preferred_running;
	d->prefer_src = src_nid == p->numa_preferred_nid;
	d->prefer_dst = dst_nid == p->numa_preferred_nid;
	if (d->prefer_src || d->prefer_dst || d->cpu_idle)
		return;

	dist = node_distance(src_nid, dst_nid);
	if (rcu_access_pointer(p->numa_group))
		d->delta_faults = group_weight(p, dst_nid, dist) -
				  group_weight(p, src_nid, dist);
	else
		d->delta_faults = task_weight(p, dst_nid, dist) -
				  task_weight(p, src_nid, dist);
}

static void jc_gather_numa_columns(struct task_struct *p, struct lb_env *env,
				   struct jc_lb_data *d)
{
	d->src_numa_len = env->src_rq->nr_numa_running;
	d->obs.src_preferred_len = env->src_rq->nr_preferred_running;
	d->total_faults = p->total_numa_faults;
}
#else
static inline void jc_gather_numa(struct task_struct *p, struct lb_env *env,
				  struct jc_lb_obs *d)
{
}

static inline void jc_gather_numa_columns(struct task_struct *p,
					  struct lb_env *env,
					  struct jc_lb_data *d)
{
}
#endif /* CONFIG_NUMA_BALANCING */

/* What the features are made of. */
static __always_inline void
jc_gather(struct task_struct *p, struct lb_env *env, struct jc_lb_obs *d)
{
	struct rq *src = env->src_rq;
	struct rq *dst = env->dst_rq;

	lockdep_assert_rq_held(src);

	/* only the source is locked: the destination's values may be old */
	d->delta = rq_clock_task(src) - p->se.exec_start;
	d->migration_cost = sysctl_sched_migration_cost;
	d->src_len = src->nr_running;
	d->dst_len = READ_ONCE(dst->nr_running);
	d->src_load = src->cfs.avg.load_avg;
	d->dst_load = READ_ONCE(dst->cfs.avg.load_avg);
	d->nr_fails = env->sd->nr_balance_failed;
	d->cache_nice_tries = env->sd->cache_nice_tries;
	d->cpu_idle = env->idle == CPU_IDLE;
	d->cpu_not_idle = env->idle == __CPU_NOT_IDLE;
	d->cpu_newly_idle = env->idle == CPU_NEWLY_IDLE;
	/* below SD_NUMA a domain lies within one node */
	d->same_node = !(env->sd->flags & SD_NUMA) ||
		       cpu_to_node(env->src_cpu) == cpu_to_node(env->dst_cpu);
	d->buddy_hot = sched_feat(CACHE_HOT_BUDDY) && d->dst_len &&
		       &p->se == cfs_rq_of(&p->se)->next;
	d->smt = env->sd->flags & SD_SHARE_CPUCAPACITY;
	d->idle_policy = task_has_idle_policy(p);
	d->cookie_mismatch = !sched_core_cookie_match(dst, p);

	d->src_preferred_len = 0;
	d->delta_faults = 0;
	d->numa_gate = false;
	d->prefer_src = false;
	d->prefer_dst = false;
	if (!d->same_node)
		jc_gather_numa(p, env, d);
}

/*
 * Where the tracepoint finds its data. IRQs are off and decisions do not nest,
 * so one per CPU is enough, and the stack is spared.
 */
static DEFINE_PER_CPU(struct jc_lb_data, jc_lb_scratch);

static noinline void jc_trace(struct task_struct *p, struct lb_env *env,
			      struct jc_lb_data *d)
{
	d->curr_pid = current->pid;
	d->pid = p->pid;
	d->src_cpu = env->src_cpu;
	d->dst_cpu = env->dst_cpu;
	d->imbalance = env->imbalance;
	d->migration_type = env->migration_type;
	d->src_numa_len = 0;
	d->total_faults = 0;
	jc_gather_numa_columns(p, env, d);
	d->throttled = false;
	d->p_running = false;
	d->test_aggressive = true;
	d->sd_level = env->sd->level;
	d->sd_flags = env->sd->flags;
	d->ts = local_clock();
	jc_perf_read(d);

	trace_jc_sched_decision(p, d);
}

static u64 jc_elapsed(u64 start)
{
	u64 ns = local_clock() - start;

	return ns > jc_clock_overhead ? ns - jc_clock_overhead : 0;
}

/**
 * struct jc_decision - one decision, as it comes about
 * @obs: the observations
 * @f: the features made of them
 * @rule: verdict of the stock rule
 * @model: verdict of the network
 * @verdict: the one that holds, before forcing
 * @reason: whose it is
 * @extra_fails: too many balances failed: the task is migrated anyway
 * @flipped: exploration turned @verdict round
 * @timed: how long it takes is to be measured
 * @sampled: and counted
 * @propensity: probability of @verdict, in 1/1000
 * @checksum: of the network that was asked, or 0
 * @ns: time that asking took
 *
 * Lives in registers for the most part: whoever gets a pointer is inlined.
 */
struct jc_decision {
	struct jc_lb_obs obs;
	struct jc_features f;
	enum jc_verdict rule;
	enum jc_verdict model;
	enum jc_verdict verdict;
	enum jc_reason reason;
	bool extra_fails;
	bool flipped;
	bool timed;
	bool sampled;
	unsigned int propensity;
	u32 checksum;
	u64 ns;
};

/* Asks the network, unless the guard forbids it or it cannot run. */
static __always_inline void
jc_ask_network(struct lb_env *env, struct jc_decision *d, u64 start)
{
	const struct jc_mlp *mlp;

	if (unlikely(jc_guard_mode(env->src_rq) == JC_GUARD_TRIPPED)) {
		jc_stat_add(JC_STAT_GUARDED, 1);
		d->reason = JC_REASON_GUARD;
		return;
	}
	/* IRQs are off: a read-side section */
	mlp = rcu_dereference_sched(jc_net.active);
	if (likely(mlp))
		d->model = jc_ask_model(mlp, &d->f);
	if (unlikely(d->model == JC_NOT_ASKED)) {
		jc_stat_add(JC_STAT_FALLBACK, 1);
		d->reason = JC_REASON_FALLBACK;
		return;
	}
	d->checksum = mlp->checksum;
	d->reason = JC_REASON_MODEL;
	if (d->timed)
		d->ns = jc_elapsed(start);
	if (d->sampled) {
		jc_stat_add(JC_STAT_MODEL_TIMED, 1);
		jc_stat_add(JC_STAT_MODEL_NS, d->ns);
	}
}

/*
 * TOGGLE and REPLACE: the network is asked while it is on; the stock rule only if
 * the network cannot run, or the guard has tripped. TEST: the stock rule always,
 * the network, while on, beside it. With the network off, the stock rule is asked
 * for the tracepoint's sake.
 */
static __always_inline void
jc_ask(struct task_struct *p, struct lb_env *env, struct jc_decision *d)
{
	const bool test = IS_ENABLED(CONFIG_JC_SCHED_TEST);
	u64 start = 0;

	if (d->timed)
		start = local_clock();
	jc_gather(p, env, &d->obs);
	jc_features(&d->obs, &d->f);
	d->extra_fails = d->obs.nr_fails > d->obs.cache_nice_tries;

	if (jc_model_on())
		jc_ask_network(env, d, start);
	if (!test && d->model != JC_NOT_ASKED)
		return;

	if (d->timed)
		start = local_clock();
	d->rule = jc_ask_rule(p, env);
	if (d->timed)
		d->ns = jc_elapsed(start);
	if (d->sampled) {
		jc_stat_add(JC_STAT_STOCK_TIMED, 1);
		jc_stat_add(JC_STAT_STOCK_NS, d->ns);
	}
	if (test)
		d->reason = JC_REASON_RULE;
}

/* Whoever was asked; the rule, if both were. TEST: now and then the opposite. */
static __always_inline void jc_decide(struct jc_decision *d)
{
	d->verdict = d->rule == JC_NOT_ASKED ? d->model : d->rule;
	d->flipped = !d->extra_fails && jc_explore(&d->propensity);
	if (d->flipped) {
		jc_stat_add(d->verdict == JC_MOVE ? JC_STAT_FLIPPED_NO :
						    JC_STAT_FLIPPED_YES, 1);
		d->verdict = d->verdict == JC_MOVE ? JC_STAY : JC_MOVE;
	}
}

static noinline void jc_tell_refusal(struct task_struct *p, struct lb_env *env)
{
	if (jc_ask_rule(p, env) == JC_MOVE)
		jc_guard_refused(env->src_rq, env->dst_cpu, p, !env->idle);
}

/* Tells the guard what the network, and nobody else, would have. */
static __always_inline void
jc_tell_guard(struct task_struct *p, struct lb_env *env, const struct jc_decision *d)
{
	if (!IS_ENABLED(CONFIG_JC_SCHED_GUARD) || READ_ONCE(jc_net.guard) == JC_GUARD_OFF)
		return;
	jc_guard_let_go(d->model == JC_MOVE && !d->extra_fails ? p : NULL);
	if (d->model == JC_STAY && !d->extra_fails &&
	    jc_guard_is_news(env->src_cpu, p->pid, !env->idle))
		jc_tell_refusal(p, env);
}

/* Counters, guard, tracepoint. */
static __always_inline void
jc_report(struct task_struct *p, struct lb_env *env, const struct jc_decision *d,
	  const bool traced)
{
	struct jc_lb_data *t;

	jc_stat_answers(d->extra_fails, d->rule, d->model);
	jc_tell_guard(p, env, d);
	if (!traced)
		return;

	t = this_cpu_ptr(&jc_lb_scratch);
	t->obs = d->obs;
	t->f = d->f;
	t->stock = d->rule;
	t->model = d->model;
	t->can_migrate = d->verdict == JC_MOVE || d->extra_fails;
	t->reason = d->verdict == JC_MOVE || !d->extra_fails ? d->reason : JC_REASON_FORCED;
	t->checksum = d->checksum;
	t->ns = d->ns;
	t->flipped = d->flipped;
	t->propensity = d->propensity;
	jc_trace(p, env, t);
}

/*
 * The counters take a fair sample, the trace times every decision. Whether it is
 * traced is a constant in each caller, so that it costs nothing if not.
 *
 * Context: source run queue locked, IRQs off. No allocation, no printk, no lock but
 * that of a timer base for the guard's first mark.
 */
static __always_inline enum jc_verdict
jc_verdict(struct task_struct *p, struct lb_env *env, const bool traced)
{
	/* each field is set below; clearing them all would take its time */
	struct jc_decision d __uninitialized;

	lockdep_assert_rq_held(env->src_rq);

	d.rule = JC_NOT_ASKED;
	d.model = JC_NOT_ASKED;
	d.reason = JC_REASON_RULE;
	d.propensity = 1000;
	d.checksum = 0;
	d.ns = 0;
	d.sampled = jc_sample_this();
	d.timed = traced || d.sampled;
	jc_ask(p, env, &d);
	jc_decide(&d);
	jc_report(p, env, &d, traced);
	return d.verdict;
}

static noinline enum jc_verdict jc_verdict_traced(struct task_struct *p, struct lb_env *env)
{
	return jc_verdict(p, env, true);
}

/**
 * jc_task_hot() - what can_migrate_task() asks in place of the stock rule
 * @p: the task, past every hard filter
 * @env: the balancing pass
 *
 * Context: source run queue locked, IRQs off.
 * Return: 1 if the task had better stay, 0 if it may move, as task_hot().
 */
static noinline int jc_task_hot(struct task_struct *p, struct lb_env *env)
{
	if (trace_jc_sched_decision_enabled())
		return jc_verdict_traced(p, env) == JC_STAY;
	return jc_verdict(p, env, false) == JC_STAY;
}

static noinline void jc_note_detached(struct task_struct *p, struct lb_env *env)
{
	bool back;

	if (env->flags & LBF_ACTIVE_LB || !jc_guard_was_let_go(p))
		return;
	back = jc_guard_goes_back(env->src_rq, env->dst_cpu, p) &&
	       jc_ask_rule(p, env) == JC_STAY;
	jc_guard_moved(env->src_rq, env->dst_cpu, p, back);
}

/**
 * jc_task_detached() - a task is about to leave its run queue
 * @p: the task
 * @env: the balancing pass
 *
 * Many a task that may move is left where it is: only here it is known that it
 * moves, right after the decision about it, if there was one.
 *
 * Context: source run queue locked, IRQs off.
 */
static __always_inline void jc_task_detached(struct task_struct *p, struct lb_env *env)
{
	if (IS_ENABLED(CONFIG_JC_SCHED_GUARD) && jc_sched_enabled())
		jc_note_detached(p, env);
}
