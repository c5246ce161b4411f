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

#include <trace/events/liteflow.h>

#include "internal.h"

/* Tries to pin the active snapshot; each needs a removal that overtakes it. */
#define LF_PIN_TRIES	16

/* A softirq may interrupt a process on its CPU, so each has a half of its own. */
static noinline void lf_run_wide(const struct lf_snapshot *snap, const s32 *in, s32 *out)
{
	struct lf_scratch __percpu *scratch = snap->scratch;

	if (in_serving_softirq()) {
		local_lock(&scratch->softirq_lock);
		lf_model_run(snap->model, in, out, this_cpu_ptr(scratch)->softirq);
		local_unlock(&scratch->softirq_lock);
	} else {
		local_lock(&scratch->task_lock);
		lf_model_run(snap->model, in, out, this_cpu_ptr(scratch)->task);
		local_unlock(&scratch->task_lock);
	}
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

/*
 * The values of another model, or of none, are no use to this one. Activations lie
 * behind the values, so neither width nor context asks for other memory.
 */
static void lf_run_state(const struct lf_snapshot *snap, struct lf_state *state, const s32 *in,
			 s32 *out)
{
	const struct lf_model *model = snap->model;

	if (unlikely(!model)) {
		snap->run(in, out);
		return;
	}
	if (unlikely(state->flow.version != snap->version))
		memset(state->value, 0, model->state_len * sizeof(*state->value));
	lf_model_step(model, in, out, state->value, state->value + state->room);
}

/* Under RCU, and not in a context that the app forbids. The app keeps no state. */
void lf_snapshot_run(const struct lf_snapshot *snap, const s32 *in, s32 *out)
{
	lf_run(snap, in, out);
}

/* The same if it does. The tag is the caller's. */
void lf_snapshot_step(const struct lf_snapshot *snap, struct lf_state *state, const s32 *in,
		      s32 *out)
{
	lf_run_state(snap, state, in, out);
}

/*
 * The time; never 0, which means that a query is not timed. It stays on one CPU
 * and its clock. A wide model's lock may sleep on PREEMPT_RT; no run queue is
 * locked where such a model is asked, so migrate_disable() will do.
 */
static noinline __cold u64 lf_sample_begin(const struct lf_snapshot *snap)
{
	if (snap->scratch)
		migrate_disable();
	else
		preempt_disable();
	return local_clock() ?: 1;
}

static noinline __cold void lf_sample_end(struct lf_app *app, const struct lf_flow *flow,
					  const struct lf_snapshot *snap, u64 start, s32 out)
{
	u64 ns = local_clock() - start;
	unsigned int bucket = min(fls64(ns), LF_HIST_BUCKETS - 1);

	lf_count_app(app, &app->counters->n.samples, 1);
	lf_count_app(app, &app->counters->n.ns, ns);
	lf_count_app(app, &app->counters->n.hist[bucket], 1);
	trace_lf_query(app->name, flow ? flow->id : 0, snap->version, ns, out);
	if (snap->scratch)
		migrate_enable();
	else
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
		lf_count_app(app, &app->counters->n.repins, 1);
		return snap;
	}
	flow->pin = snap->pin;
	if (old) {
		lf_count_app(app, &app->counters->n.repins, 1);
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
	lf_count_app(app, &app->counters->n.no_model, 1);
	return -ENODATA;
}

static noinline __cold int lf_wrong_context(struct lf_app *app)
{
	/* an NMI may have interrupted another count, which 32-bit readers would notice */
	if (BITS_PER_LONG == 64 || !in_nmi())
		lf_count_app(app, &app->counters->n.context, 1);
	return -EPERM;
}

/* @state: that of @flow; NULL, known when this is compiled: the app keeps none */
static __always_inline int lf_ask(struct lf_app *app, struct lf_flow *flow,
				  struct lf_state *state, const s32 *in, s32 *out)
{
	struct lf_snapshot *snap;
	unsigned long count;
	u64 start = 0;

	snap = flow ? lf_flow_snapshot(app, flow) : rcu_dereference(app->active);
	if (unlikely(!snap))
		return lf_no_model(app);

	lf_count(&snap->answered->queries, &snap->answered->sync, 1);
	count = lf_count_return(&app->counters->n.queries, &app->counters->sync);
	/* READ_ONCE: pairs with WRITE_ONCE() in lf_app_set() */
	if (unlikely(!(count & READ_ONCE(app->sample_mask))))
		start = lf_sample_begin(snap);
	if (state)
		lf_run_state(snap, state, in, out);
	else
		lf_run(snap, in, out);
	if (unlikely(start))
		lf_sample_end(app, flow, snap, start, out[0]);

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
 * @n_in: number of elements in @in, which must be the app's number of inputs
 * @out: result: the app's outputs; must not overlap @in. Left alone on error
 * @n_out: number of elements in @out, which must be the app's number of outputs
 *
 * With policy LF_POLICY_PIN, the model that answers the flow's first query
 * answers all of them, until lf_flow_release() or until the model is evicted.
 *
 * Context: as the app was registered: LF_CONTEXT_ATOMIC: any but NMI.
 * LF_CONTEXT_SOFTIRQ: softirqs and processes. Never sleeps, but for PREEMPT_RT,
 * where two cases take a sleeping lock, so that they are not for code that holds a
 * raw spinlock or has IRQs off: a model wider than LF_STACK_WIDTH, and a @flow that
 * lets go of a model that it held, as after an eviction or a change of the policy.
 * Elsewhere the latter takes a spinlock. Neither happens with LF_CONTEXT_ATOMIC.
 * Return: 0; -EINVAL: wrong sizes, or an app that keeps state, which no counter shows:
 * the fault is the caller's; -ENODATA: no model is active; -EPERM: wrong context.
 */
int lf_query(struct lf_app *app, struct lf_flow *flow, const s32 *in, unsigned int n_in,
	     s32 *out, unsigned int n_out)
{
	int ret;

	if (unlikely(n_in != app->n_in || n_out != app->n_out || app->max_state))
		return -EINVAL;
	if (unlikely(preempt_count() & app->forbidden))
		return lf_wrong_context(app);
	rcu_read_lock();
	ret = lf_ask(app, flow, NULL, in, out);
	rcu_read_unlock();
	return ret;
}
EXPORT_SYMBOL_GPL(lf_query);

/**
 * lf_query_state() - ask the app's model, which remembers earlier questions
 * @app: the app; registered for as long as this runs, or held by a reference, as from
 *	lf_app_get_by_name(): one that is gone has no model
 * @state: of the sequence that the question belongs to, from lf_state_alloc() for @app
 * @in: the app's inputs, in its units; any values
 * @n_in: number of elements in @in, which must be the app's number of inputs
 * @out: result: the app's outputs; must not overlap @in. Left alone on error
 * @n_out: number of elements in @out, which must be the app's number of outputs
 *
 * The model's memory of the sequence is in @state, which carries the version of the
 * model as a tag. A model that finds another's tag begins with zeroes, as it does in a
 * new state. An error leaves state and tag as they were.
 *
 * With policy LF_POLICY_PIN the model that answers the first query answers all of them,
 * until lf_state_free() or until it is evicted. So a switch takes nothing by surprise:
 * lf_app_version() differs from lf_state_version() then. To go over without a jump, replay
 * the last questions in a new state, which the model that is active now serves; then put
 * it in place of the old one. That may be done in process context while the old one goes
 * on answering elsewhere, as each is a sequence of its own. After an eviction, the next
 * query goes over to the active model with zeroes; lf_state_version() tells.
 * With LF_POLICY_FOLLOW every switch does so.
 *
 * A feed-forward model may serve such an app, too.
 *
 * Context: softirqs and processes; the caller sees to it that no two functions work on
 * @state at a time, as the lock of a qdisc does. Never sleeps, but for PREEMPT_RT, where
 * a state that lets go of a model that it held, as after an eviction, takes a sleeping
 * lock.
 * Return: 0; -EINVAL: wrong sizes, an app that keeps no state, or the state of another
 * app, which no counter shows: the fault is the caller's; -ENODATA: no model is active;
 * -EPERM: wrong context.
 */
int lf_query_state(struct lf_app *app, struct lf_state *state, const s32 *in, unsigned int n_in,
		   s32 *out, unsigned int n_out)
{
	int ret;

	if (unlikely(n_in != app->n_in || n_out != app->n_out || state->app != app))
		return -EINVAL;
	if (unlikely(preempt_count() & app->forbidden))
		return lf_wrong_context(app);
	rcu_read_lock();
	ret = lf_ask(app, &state->flow, state, in, out);
	rcu_read_unlock();
	return ret;
}
EXPORT_SYMBOL_GPL(lf_query_state);

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
