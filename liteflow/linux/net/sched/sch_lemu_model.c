// SPDX-License-Identifier: GPL-2.0-only
/*
 * The qdisc "lemu": how it asks a model, and goes over to another one.
 *
 * The state of an instance is pinned to the model that serves it. When another one is
 * active, a work item shows it the last packets in a state of its own, while the old one
 * goes on answering; then the states change places under the qdisc's lock. So no packet
 * waits for a switch, and the emulated queue does not become empty by it.
 *
 * The work item takes the lock as timers of other qdiscs do: RTNL would wait for
 * lemu_destroy(), which waits for the work.
 */
#include <linux/capability.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include <trace/events/lemu.h>

#include "sch_lemu.h"

/* one query in so many is timed, a power of 2 */
#define LEMU_TIME_EVERY		64

/* A query is timed so often; the least of them counts. */
#define LEMU_TIME_TRIES		8

/* Rounds of a replay outside the lock, each of what came during the one before. */
#define LEMU_ROUNDS		8

/* What a model of LSTM 4x64 needs, with some room. */
#define LEMU_MAX_STATE		512
#define LEMU_MAX_MACS		(128 << 10)

static unsigned int replay = LEMU_HISTORY;
module_param(replay, uint, 0644);
MODULE_PARM_DESC(replay, "packets that a new model is shown first, at most 64");

static const char *const lemu_features[LEMU_N_IN] = {
	[LEMU_IN_WORK]		= "work",
	[LEMU_IN_SIZE]		= "size",
	[LEMU_IN_CAPACITY]	= "capacity",
	[LEMU_IN_QUEUE]		= "queue",
};

const struct lf_app_desc lemu_app_desc = {
	.name		= LEMU_APP,
	.id		= 4,
	.n_in		= LEMU_N_IN,
	.n_out		= LEMU_N_OUT,
	.context	= LF_CONTEXT_SOFTIRQ,
	.policy		= LF_POLICY_PIN,
	.at_limit	= LF_AT_LIMIT_REPIN,
	.capability	= CAP_NET_ADMIN,
	.max_macs	= LEMU_MAX_MACS,
	.max_state	= LEMU_MAX_STATE,
	.units		= LEMU_UNITS,
	.features	= lemu_features,
	.owner		= THIS_MODULE,
};

/**
 * struct lemu_replay - a model gets to know a link
 * @state: its own
 * @link: the link
 * @ranges: as in struct lemu_model
 * @first: of the history; another one: what was shown does not count
 * @next: number of the packet that it is shown next
 * @shown: packets so far
 * @backlog: what it said last, bytes
 */
struct lemu_replay {
	struct lf_state *state;
	struct lemu_link link;
	struct lemu_ranges ranges;
	u64 first;
	u64 next;
	u32 shown;
	s32 backlog;
};

/* Under RCU. */
static spinlock_t *lemu_root_lock(struct Qdisc *sch)
{
	return qdisc_lock(qdisc_root_sleeping(sch));
}

/* Most bytes that a queue may be said to hold: its limit, and a packet on its way out. */
static u32 lemu_most(const struct Qdisc *sch, const struct lemu_link *link, u32 size)
{
	return link->queue + max(psched_mtu(qdisc_dev(sch)), size);
}

/* Those of the model that serves a state, or will. */
static struct lemu_ranges lemu_ranges_of(struct lf_app *app, const struct lf_state *state)
{
	struct lemu_ranges ranges = { .drained = U32_MAX, .largest = U32_MAX };
	s32 lo, hi;

	if (!lf_state_range(app, state, LEMU_IN_WORK, &lo, &hi))
		ranges.drained = max(hi, 1);
	if (!lf_state_range(app, state, LEMU_IN_SIZE, &lo, &hi))
		ranges.largest = lemu_largest(hi);
	return ranges;
}

/* Whom lemu_ask() asks. */
struct lemu_asked {
	struct lf_app *app;
	struct lf_state *state;
};

static __always_inline int lemu_ask_once(void *priv, const s32 *in, s32 *out)
{
	const struct lemu_asked *asked = priv;

	return lf_query_state(asked->app, asked->state, in, LEMU_N_IN, out, LEMU_N_OUT);
}

/* What the model says of a packet. */
static int lemu_ask(struct lf_app *app, struct lf_state *state, const struct lemu_link *link,
		    const struct lemu_ranges *ranges, const struct lemu_step *step, s32 *out)
{
	struct lemu_asked asked = { .app = app, .state = state };
	s32 in[LEMU_N_IN] = {
		[LEMU_IN_WORK] = step->work,
		[LEMU_IN_CAPACITY] = lemu_per_ms(link->capacity),
		[LEMU_IN_QUEUE] = link->queue,
	};

	if (step->work >= ranges->drained)
		lf_state_reset(state);
	return lemu_in_pieces(in, step->size, ranges->largest, out, lemu_ask_once, &asked);
}

/*
 * What a query takes, ns, at least 0, or a negative error. The state is pinned to the
 * active model by it, and as new otherwise.
 */
static s64 lemu_time_query(struct lf_app *app, struct lf_state *state,
			   const struct lemu_link *link)
{
	const struct lemu_ranges ranges = { .drained = U32_MAX, .largest = U32_MAX };
	const struct lemu_step step = { .work = LEMU_SMALLEST, .size = LEMU_SMALLEST };
	s32 out[LEMU_N_OUT];
	s64 least = S64_MAX;
	unsigned int i;
	u64 begin;
	int ret = 0;

	for (i = 0; i < LEMU_TIME_TRIES && !ret; i++) {
		local_bh_disable();
		begin = ktime_get_ns();
		ret = lemu_ask(app, state, link, &ranges, &step, out);
		least = min_t(s64, least, ktime_get_ns() - begin);
		local_bh_enable();
	}
	lf_state_reset(state);
	return ret ?: least;
}

/* Packets of 64 bytes in a second, at most. */
static u64 lemu_packet_rate(const struct lemu_link *link)
{
	return div_u64(link->capacity, LEMU_PIECE);
}

static bool lemu_too_costly(u64 query_ns, const struct lemu_link *link)
{
	return min(query_ns, USEC_PER_SEC) * lemu_packet_rate(link) > NSEC_PER_SEC / 2;
}

/* To the model, such a link is the nearest that it knows: tc says so, and goes on. */
static void lemu_warn(struct lf_app *app, const struct lf_state *state,
		      const struct lemu_link *link, struct netlink_ext_ack *extack)
{
	u32 capacity = lemu_per_ms(link->capacity);
	s32 lo, hi;

	if (!lf_state_range(app, state, LEMU_IN_CAPACITY, &lo, &hi) &&
	    capacity != clamp_t(s64, capacity, lo, hi)) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "capacity: the model knows %lld to %lld kbit/s only",
				       8LL * lo, 8LL * hi);
		return;
	}
	if (!lf_state_range(app, state, LEMU_IN_QUEUE, &lo, &hi) &&
	    link->queue != clamp_t(s64, link->queue, lo, hi))
		NL_SET_ERR_MSG_FMT_MOD(extack, "queue: the model knows %d to %d bytes only", lo,
				       hi);
}

/**
 * lemu_model_check() - may an app serve a link?
 * @app: the app
 * @link: the link
 * @extack: says why not
 *
 * If it has a model now, a query is timed, and @extack warns of a link that it was not
 * trained on. One that comes later is judged when it does.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL: the app is of another kind; -E2BIG: at the link's capacity, its
 * model would take more than half a CPU; -ENOMEM.
 */
int lemu_model_check(struct lf_app *app, const struct lemu_link *link,
		     struct netlink_ext_ack *extack)
{
	struct lf_app_desc want = lemu_app_desc;
	struct lf_error err;
	struct lf_state *state;
	s64 ns;

	want.max_state = 1;
	if (lf_app_fits(app, &want, &err)) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "%s", err.msg);
		return -EINVAL;
	}
	state = lf_state_alloc(app, GFP_KERNEL);
	if (!state)
		return -ENOMEM;
	ns = lemu_time_query(app, state, link);
	if (ns > 0)
		lemu_warn(app, state, link, extack);
	lf_state_free(state);
	if (ns <= 0 || !lemu_too_costly(ns, link))
		return 0;
	NL_SET_ERR_MSG_FMT_MOD(extack, "app: %lld ns a query, %llu packets/s: above half a CPU",
			       ns, lemu_packet_rate(link));
	return -E2BIG;
}

/* The packets that it has not seen yet. */
static void lemu_replay_steps(struct lf_app *app, struct lemu_replay *r,
			      const struct lemu_history *history)
{
	u64 keep = min(READ_ONCE(replay), LEMU_HISTORY);
	s32 out[LEMU_N_OUT];

	if (r->first != history->first) {
		lf_state_reset(r->state);
		r->first = history->first;
		r->next = history->first;
		r->shown = 0;
		r->backlog = 0;
	}
	if (history->n > keep)
		r->next = max(r->next, history->n - keep);
	for (; r->next < history->n; r->next++) {
		if (lemu_ask(app, r->state, &r->link, &r->ranges,
			     &history->steps[r->next % LEMU_HISTORY], out))
			return;
		r->backlog = out[LEMU_OUT_BACKLOG];
		r->shown++;
	}
}

/* The state changes places with the one that answers. Under the lock. */
static void lemu_swap(struct Qdisc *sch, struct lemu_replay *r, u32 query_ns)
{
	struct lemu_sched *q = qdisc_priv(sch);
	struct lemu_model *m = &q->model;
	u32 after = clamp_t(s64, r->backlog, 0, lemu_most(sch, &q->link, 0));
	u32 from = m->version, before = q->backlog;

	swap(m->state, r->state);
	m->version = lf_state_version(m->state);
	m->first = r->first;
	m->ranges = r->ranges;
	m->query_ns8 = 8 * query_ns;
	q->backlog = after;
	q->stats.refused = 0;
	q->stats.switches++;
	q->stats.jump = max(before, after) - min(before, after);
	q->stats.max_jump = max(q->stats.max_jump, q->stats.jump);
	trace_lemu_switch(sch, m->name, from, m->version, r->shown, before, after, query_ns);
}

/* The history so far; true: it is worth a round outside the lock. */
static bool lemu_copy(struct Qdisc *sch, const struct lemu_replay *r, struct lemu_history *history)
{
	struct lemu_sched *q = qdisc_priv(sch);
	spinlock_t *lock;	/* the qdisc's */

	rcu_read_lock();
	lock = lemu_root_lock(sch);
	spin_lock_bh(lock);
	*history = q->history;
	spin_unlock_bh(lock);
	rcu_read_unlock();
	return history->n > r->next + 1;
}

/*
 * Each round is shorter than the one before, as a model takes at most half the time
 * between packets. What is left is shown under the lock.
 */
static void lemu_replay(struct Qdisc *sch, struct lemu_replay *r, struct lemu_history *history,
			u32 query_ns)
{
	struct lemu_sched *q = qdisc_priv(sch);
	struct lf_app *app = q->model.app;
	unsigned int round;
	spinlock_t *lock;	/* the qdisc's */

	for (round = 0; round < LEMU_ROUNDS && lemu_copy(sch, r, history); round++)
		lemu_replay_steps(app, r, history);
	rcu_read_lock();
	lock = lemu_root_lock(sch);
	spin_lock_bh(lock);
	lemu_replay_steps(app, r, &q->history);
	lemu_swap(sch, r, query_ns);
	spin_unlock_bh(lock);
	rcu_read_unlock();
}

/* There is no model, or none that may be used. What answers so far goes on if @keep. */
static void lemu_without(struct Qdisc *sch, u32 source, bool keep, u32 version, s64 ns)
{
	struct lemu_sched *q = qdisc_priv(sch);
	struct lemu_model *m = &q->model;
	struct lf_state *old = NULL;
	spinlock_t *lock;	/* the qdisc's */

	rcu_read_lock();
	lock = lemu_root_lock(sch);
	spin_lock_bh(lock);
	m->source = source;
	/* without a version it went over to a model that nobody chose */
	if (!keep || !m->version) {
		swap(m->state, old);
		m->version = 0;
	}
	if (source == LEMU_SOURCE_COST) {
		q->stats.refused = version;
		q->stats.refused_ns = min_t(u64, ns, U32_MAX);
		trace_lemu_refuse(sch, m->name, version, q->stats.refused_ns,
				  lemu_packet_rate(&q->link));
	}
	spin_unlock_bh(lock);
	rcu_read_unlock();
	lf_state_free(old);
}

/* Not while the qdisc's options change: lemu_change() disables it. */
static void lemu_model_work(struct work_struct *work)
{
	struct lemu_sched *q = container_of(work, struct lemu_sched, model.work);
	struct Qdisc *sch = qdisc_from_priv(q);
	struct lemu_history *history = NULL;
	struct lemu_model *m = &q->model;
	struct lemu_replay r = { .link = q->link };
	u32 version = lf_app_version(m->app);
	s64 ns;

	if (!version) {
		lemu_without(sch, LEMU_SOURCE_NO_MODEL, false, 0, 0);
		return;
	}
	/* READ_ONCE: lemu_model_judge() writes 0 there */
	if (READ_ONCE(m->version) == version)
		return;
	r.state = lf_state_alloc(m->app, GFP_KERNEL);
	history = kmalloc(sizeof(*history), GFP_KERNEL);
	if (!r.state || !history) {
		lemu_without(sch, LEMU_SOURCE_FAILED, true, 0, 0);
		goto out;
	}
	ns = lemu_time_query(m->app, r.state, &r.link);
	if (ns < 0) {
		/* it went meanwhile; the next packet notices */
		lemu_without(sch, LEMU_SOURCE_NO_MODEL, false, 0, 0);
		goto out;
	}
	if (lemu_too_costly(ns, &r.link)) {
		lemu_without(sch, LEMU_SOURCE_COST, true, lf_state_version(r.state), ns);
		goto out;
	}
	r.ranges = lemu_ranges_of(m->app, r.state);
	lemu_replay(sch, &r, history, min_t(u64, ns, U32_MAX / 8));
out:
	lf_state_free(r.state);
	kfree(history);
}

void lemu_model_init(struct lemu_model *m)
{
	INIT_WORK(&m->work, lemu_model_work);
	m->source = LEMU_SOURCE_QUEUE;
}

/* Nobody enqueues any more. */
void lemu_model_destroy(struct lemu_model *m)
{
	cancel_work_sync(&m->work);
	lf_state_free(m->state);
	if (m->app)
		lf_app_put(m->app);
}

/**
 * lemu_model_choose() - use the active model, if there is one
 * @sch: the qdisc
 *
 * Context: process context, under RTNL, may sleep.
 */
void lemu_model_choose(struct Qdisc *sch)
{
	struct lemu_sched *q = qdisc_priv(sch);

	if (!q->model.app)
		return;
	queue_work(system_unbound_wq, &q->model.work);
	flush_work(&q->model.work);
}

static void lemu_timed(struct lemu_model *m, struct lemu_verdict *verdict, u64 begin)
{
	u64 ns = min_t(u64, ktime_get_ns() - begin, U32_MAX / 8);

	verdict->query_ns = ns;
	m->query_ns8 = m->query_ns8 ? m->query_ns8 - m->query_ns8 / 8 + ns : 8 * ns;
}

/* Its answer, within what a queue can hold. */
static void lemu_take(struct Qdisc *sch, u32 size, const s32 *out, struct lemu_verdict *verdict)
{
	struct lemu_sched *q = qdisc_priv(sch);
	s64 backlog = clamp_t(s64, out[LEMU_OUT_BACKLOG], 0, lemu_most(sch, &q->link, size));

	q->stats.clamped += backlog != out[LEMU_OUT_BACKLOG];
	q->backlog = backlog;
	verdict->backlog = backlog;
	verdict->drop = lemu_out_drops(out);
	verdict->version = q->model.version;
}

/**
 * lemu_model_judge() - ask the model about a packet
 * @sch: the qdisc
 * @size: of the packet, bytes
 * @verdict: with the work since the previous packet; result: what becomes of this one
 *
 * Context: under the qdisc's lock.
 * Return: false: no model answers; nothing was changed.
 */
bool lemu_model_judge(struct Qdisc *sch, u32 size, struct lemu_verdict *verdict)
{
	struct lemu_sched *q = qdisc_priv(sch);
	const struct lemu_step step = { .work = verdict->work, .size = size };
	struct lemu_model *m = &q->model;
	u32 active = lf_app_version(m->app);
	s32 out[LEMU_N_OUT];
	u64 begin = 0;

	/* no version may be what was noticed, and still have been active in between */
	if (unlikely(active != m->noticed || (!active && m->state))) {
		m->noticed = active;
		queue_work(system_unbound_wq, &m->work);
	}
	if (!active || !m->state)
		return false;
	if (unlikely(m->first != q->history.first)) {
		lf_state_reset(m->state);
		m->first = q->history.first;
	}
	if (trace_lemu_packet_enabled() || q->history.n % LEMU_TIME_EVERY == 0)
		begin = ktime_get_ns() ?: 1;
	if (unlikely(lemu_ask(m->app, m->state, &q->link, &m->ranges, &step, out)))
		return false;
	if (begin)
		lemu_timed(m, verdict, begin);
	lemu_take(sch, size, out, verdict);
	if (unlikely(lf_state_version(m->state) != m->version)) {
		/* its model was evicted: the active one began with zeroes */
		WRITE_ONCE(m->version, 0);
		m->noticed = 0;
	}
	return true;
}
