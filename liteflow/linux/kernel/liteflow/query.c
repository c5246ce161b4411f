// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's hot path: queries, and the flows that they belong to.
 *
 * A query takes no lock, allocates nothing, and has nothing that can fail once
 * there is a model. Its one write to memory that others write to as well is the
 * count of its CPU. slot.c says what keeps a snapshot alive meanwhile.
 */
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/clock.h>
#include <linux/xarray.h>

#include <trace/events/liteflow.h>

#include "core.h"

/* Tries to pin the active snapshot; each needs a removal that overtakes it. */
#define LF_PIN_TRIES	16

/*
 * Room for activations of models that are too wide for the stack. Made when the
 * first one comes, and kept.
 */
struct lf_scratch __percpu *lf_scratch_get(void)
{
	static struct lf_scratch __percpu *scratch;
	struct lf_scratch __percpu *result;

	mutex_lock(&lf_mutex);
	if (!scratch)
		scratch = alloc_percpu(struct lf_scratch);
	result = scratch;
	mutex_unlock(&lf_mutex);
	return result;
}

/*
 * Preemption is off, so whoever else uses this CPU's scratch meanwhile is a
 * softirq that interrupted a process, and has the other half.
 */
static noinline void lf_run_wide(const struct lf_snapshot *snap, const s32 *in, s32 *out)
{
	struct lf_scratch *scratch = get_cpu_ptr(snap->scratch);

	lf_model_run(snap->model, in, out,
		     in_serving_softirq() ? scratch->softirq : scratch->task);
	put_cpu_ptr(snap->scratch);
}

static __always_inline void lf_run(const struct lf_snapshot *snap, const s32 *in, s32 *out)
{
	s16 scratch[2 * LF_STACK_WIDTH] __uninitialized;

	if (unlikely(!snap->model))
		snap->run(in, out);
	else if (unlikely(snap->scratch))
		lf_run_wide(snap, in, out);
	else
		lf_model_run(snap->model, in, out, scratch);
}

/* Under RCU, and not in a context that the app forbids. */
void lf_snapshot_run(const struct lf_snapshot *snap, const s32 *in, s32 *out)
{
	lf_run(snap, in, out);
}

/* The time; never 0, which means that a query is not timed. */
static noinline __cold u64 lf_sample_begin(void)
{
	/* one CPU's clock, and one CPU's counters */
	preempt_disable();
	return local_clock() ?: 1;
}

static noinline __cold void lf_sample_end(struct lf_app *app, const struct lf_flow *flow,
					  u32 version, u64 start, s32 out)
{
	u64 ns = local_clock() - start;
	unsigned int bucket = min(fls64(ns), LF_HIST_BUCKETS - 1);

	this_cpu_inc(app->counters->samples);
	this_cpu_add(app->counters->ns, ns);
	this_cpu_inc(app->counters->hist[bucket]);
	trace_lf_query(app->name, flow ? flow->id : 0, version, ns, out);
	preempt_enable();
}

/*
 * Pin the active snapshot: the flow has no pin, or one whose snapshot was
 * evicted. That one is kept until there is another, so that its loss is counted
 * when it is made good.
 */
static noinline struct lf_snapshot *lf_flow_pin(struct lf_app *app, struct lf_flow *flow)
{
	struct lf_pin *old = flow->pin;
	struct lf_snapshot *snap;
	unsigned int tries;

	for (tries = 0; tries < LF_PIN_TRIES; tries++) {
		snap = rcu_dereference(app->active);
		if (!snap)
			return NULL;
		if (refcount_inc_not_zero(&snap->pin->refs))
			break;
		/*
		 * It was replaced, left its slot and lost its last reference since.
		 * Pairs with the release in refcount_dec_if_one() and
		 * refcount_dec_and_test(): the next look sees its successor.
		 */
		smp_rmb();
	}
	if (tries == LF_PIN_TRIES) {
		/* it still answers this once; the flow may get another next time */
		this_cpu_inc(app->counters->repins);
		return snap;
	}
	flow->pin = snap->pin;
	if (old) {
		this_cpu_inc(app->counters->repins);
		trace_lf_repin(app->name, flow->id, flow->version, snap->version);
		lf_pin_put(old);
	}
	return snap;
}

static __always_inline struct lf_snapshot *lf_flow_snapshot(struct lf_app *app,
							    struct lf_flow *flow)
{
	struct lf_snapshot *snap;

	/* READ_ONCE: pairs with WRITE_ONCE() in lf_app_set() */
	if (READ_ONCE(app->policy) == LF_POLICY_PIN) {
		if (likely(flow->pin)) {
			snap = rcu_dereference(flow->pin->snapshot);
			if (likely(snap))
				return snap;
		}
		return lf_flow_pin(app, flow);
	}
	/* the policy changed since */
	if (unlikely(flow->pin)) {
		lf_pin_put(flow->pin);
		flow->pin = NULL;
	}
	return rcu_dereference(app->active);
}

static noinline __cold int lf_no_model(struct lf_app *app)
{
	this_cpu_inc(app->counters->no_model);
	return -ENODATA;
}

static noinline __cold int lf_wrong_context(struct lf_app *app)
{
	this_cpu_inc(app->counters->context);
	return -EPERM;
}

static __always_inline int lf_ask(struct lf_app *app, struct lf_flow *flow, const s32 *in,
				  s32 *out)
{
	struct lf_snapshot *snap;
	unsigned long count;
	u64 start = 0;

	snap = flow ? lf_flow_snapshot(app, flow) : rcu_dereference(app->active);
	if (unlikely(!snap))
		return lf_no_model(app);

	count = this_cpu_inc_return(*snap->queries);
	/* READ_ONCE: pairs with WRITE_ONCE() in lf_app_set() */
	if (unlikely(!(count & READ_ONCE(app->sample_mask))))
		start = lf_sample_begin();
	lf_run(snap, in, out);
	if (unlikely(start))
		lf_sample_end(app, flow, snap->version, start, out[0]);

	if (flow) {
		flow->seq++;
		flow->version = snap->version;
	}
	if (unlikely(rcu_access_pointer(app->collector)))
		lf_collect_query(app, flow, snap->version, count, in, out);
	return 0;
}

/**
 * lf_query() - ask the app's model
 * @app: the app; registered for as long as this runs
 * @flow: the flow that the question belongs to, or NULL
 * @in: the app's inputs, in its units; any values
 * @out: result: the app's outputs; must not overlap @in. Left alone on error
 *
 * With policy LF_POLICY_PIN, the model that answers the flow's first query
 * answers all of them, until lf_flow_release() or until the model is evicted.
 *
 * Context: as the app was registered: LF_CONTEXT_ATOMIC: any but NMI.
 * LF_CONTEXT_SOFTIRQ: softirqs and processes. Never sleeps. Takes no lock, but for
 * one case: where @flow lets go of a model that it held, as after an eviction or a
 * change of the policy, it may take a spinlock; so on PREEMPT_RT not with @flow
 * under a raw spinlock.
 * Return: 0; -ENODATA: no model is active; -EPERM: wrong context.
 */
int lf_query(struct lf_app *app, struct lf_flow *flow, const s32 *in, s32 *out)
{
	int ret;

	if (unlikely(preempt_count() & app->forbidden))
		return lf_wrong_context(app);
	rcu_read_lock();
	ret = lf_ask(app, flow, in, out);
	rcu_read_unlock();
	return ret;
}
EXPORT_SYMBOL_GPL(lf_query);

/**
 * lf_query_model() - ask the model of the app with a number
 * @app_id: the number
 * @in: as for lf_query()
 * @out: as for lf_query()
 *
 * One of the five names of the original, see legacy.c; here so that it shares
 * the path of lf_query().
 *
 * Context: as for lf_query().
 * Return: 0; -ENOENT: no such app; otherwise as lf_query().
 */
int lf_query_model(u16 app_id, const s32 *in, s32 *out)
{
	struct lf_app *app;
	int ret;

	/* RCU cannot be asked for protection from an NMI that the app forbids */
	if (unlikely(in_nmi()))
		return -EPERM;
	rcu_read_lock();
	app = xa_load(&lf_apps, app_id);
	/* an app that user space added has a shape of which the caller knows nothing */
	if (unlikely(!app || app->user))
		ret = -ENOENT;
	else if (unlikely(preempt_count() & app->forbidden))
		ret = lf_wrong_context(app);
	else
		ret = lf_ask(app, NULL, in, out);
	rcu_read_unlock();
	return ret;
}
EXPORT_SYMBOL_GPL(lf_query_model);

/**
 * lf_flow_release() - a flow ends
 * @flow: the flow; may have had no query at all
 *
 * Lets go of the model that served it. The app may be unregistered by then. The
 * flow is as new afterwards, but for its number.
 *
 * Context: softirqs and processes.
 */
void lf_flow_release(struct lf_flow *flow)
{
	struct lf_pin *pin = flow->pin;

	flow->pin = NULL;
	flow->seq = 0;
	flow->version = 0;
	if (pin)
		lf_pin_put(pin);
}
EXPORT_SYMBOL_GPL(lf_flow_release);
