// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: the judgement
 *
 * Included into fair.c, before can_migrate_task(), for the sake of struct
 * lb_env and of the stock rule.
 *
 * jc_task_hot() stands in for the pair migrate_degrades_locality() and
 * task_hot(), after all the hard filters. What follows it in
 * can_migrate_task() stays: a task that is refused moves all the same once
 * nr_balance_failed exceeds cache_nice_tries, whatever the network says, and
 * schedstats count what happened.
 */
#include <linux/sched/clock.h>

#include <trace/events/jc_sched.h>

#include "jc_sched.h"

/*
 * Both have a second caller here. Keep them inline in can_migrate_task(), as
 * they are without it, so that the way past the hook costs one jump.
 */
static __always_inline int task_hot(struct task_struct *p, struct lb_env *env);
static __always_inline int migrate_degrades_locality(struct task_struct *p,
						     struct lb_env *env);

static int jc_stock_hot(struct task_struct *p, struct lb_env *env)
{
	int hot = migrate_degrades_locality(p, env);

	return hot == -1 ? task_hot(p, env) : hot;
}

#ifdef CONFIG_NUMA_BALANCING
/*
 * The same conditions as in migrate_degrades_locality(), but for SD_NUMA and
 * the nodes, which the caller has tested. The fault difference is the one that
 * it compares, task or group weight; it is gathered also where the rule would
 * not get that far.
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
 * Where the tracepoint finds its data. IRQs are off and judgements do not nest,
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
 * jc_judge() - should this task stay where it is?
 * @p: the task, past every hard filter of can_migrate_task()
 * @env: the balancing pass
 * @traced: is the tracepoint enabled? A constant, so that it costs nothing if not
 *
 * TOGGLE and REPLACE: the network answers while it is on; the stock rule only
 * if the network cannot run. TEST: the stock rule answers, the network, while
 * on, beside it, and some answers are turned round if that was asked for. With
 * the network off, the stock rule answers for the tracepoint's sake.
 *
 * Context: source run queue locked, IRQs off. No allocation, no lock, no
 * printk.
 * Return: 1 if the task had better stay, 0 if it may move.
 */
static __always_inline int
jc_judge(struct task_struct *p, struct lb_env *env, const bool traced)
{
	const bool test = IS_ENABLED(CONFIG_JC_SCHED_TEST);
	enum jc_reason reason = JC_REASON_RULE;
	int stock = JC_NOT_ASKED, model = JC_NOT_ASKED;
	bool extra_fails, sampled, timed, flipped;
	unsigned int propensity = 1000;
	u64 start = 0, ns = 0;
	struct jc_features f;
	struct jc_lb_obs obs;
	u32 checksum = 0;
	int may;

	lockdep_assert_rq_held(env->src_rq);

	/* the counters take a fair sample, the trace times every judgement */
	sampled = jc_sample_this();
	timed = traced || sampled;
	if (timed)
		start = local_clock();

	jc_gather(p, env, &obs);
	jc_features(&obs, &f);
	extra_fails = obs.nr_fails > obs.cache_nice_tries;

	if (jc_model_on()) {
		/* IRQs are off: a read-side section */
		const struct jc_mlp *mlp = rcu_dereference_sched(jc_net.active);
		int answer = likely(mlp) ? jc_ask_model(mlp, &f) : -ENODEV;

		if (likely(answer >= 0)) {
			model = answer;
			checksum = mlp->checksum;
			reason = JC_REASON_MODEL;
			if (timed)
				ns = jc_elapsed(start);
			if (sampled) {
				jc_stat_add(JC_STAT_MODEL_TIMED, 1);
				jc_stat_add(JC_STAT_MODEL_NS, ns);
			}
		} else {
			jc_stat_add(JC_STAT_FALLBACK, 1);
			reason = JC_REASON_FALLBACK;
		}
	}

	if (test || model == JC_NOT_ASKED) {
		if (timed)
			start = local_clock();
		stock = jc_stock_hot(p, env) <= 0;
		if (timed)
			ns = jc_elapsed(start);
		if (sampled) {
			jc_stat_add(JC_STAT_STOCK_TIMED, 1);
			jc_stat_add(JC_STAT_STOCK_NS, ns);
		}
		if (test)
			reason = JC_REASON_RULE;
	}

	may = stock == JC_NOT_ASKED ? model : stock;
	jc_stat_verdict(extra_fails, stock, model);

	flipped = !extra_fails && jc_explore(&propensity);
	if (flipped) {
		jc_stat_add(may ? JC_STAT_FLIPPED_NO : JC_STAT_FLIPPED_YES, 1);
		may = !may;
	}

	if (traced) {
		struct jc_lb_data *d = this_cpu_ptr(&jc_lb_scratch);

		d->obs = obs;
		d->f = f;
		d->stock = stock;
		d->model = model;
		d->can_migrate = may || extra_fails;
		d->reason = may || !extra_fails ? reason : JC_REASON_FORCED;
		d->checksum = checksum;
		d->ns = ns;
		d->flipped = flipped;
		d->propensity = propensity;
		jc_trace(p, env, d);
	}
	return !may;
}

static noinline int jc_task_hot_traced(struct task_struct *p, struct lb_env *env)
{
	return jc_judge(p, env, true);
}

/* What can_migrate_task() asks. */
static noinline int jc_task_hot(struct task_struct *p, struct lb_env *env)
{
	if (trace_jc_sched_decision_enabled())
		return jc_task_hot_traced(p, env);
	return jc_judge(p, env, false);
}
