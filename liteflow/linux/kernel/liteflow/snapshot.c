// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's snapshots: how they begin, retire with the flows that hold them, are
 * evicted and freed.
 *
 * slot.c has the locking rules.
 */
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <trace/events/liteflow.h>

#include "engine.h"
#include "internal.h"

/*
 * Room for activations of models that are too wide for the stack. Made when the
 * first one comes, and kept.
 */
struct lf_scratch __percpu *lf_scratch_get(void)
{
	static struct lf_scratch __percpu *scratch;
	struct lf_scratch __percpu *result;
	static DEFINE_MUTEX(mutex);
	struct lf_scratch *of_cpu;
	unsigned int cpu;

	mutex_lock(&mutex);
	result = scratch ?: alloc_percpu(struct lf_scratch);
	if (!scratch && result) {
		for_each_possible_cpu(cpu) {
			of_cpu = per_cpu_ptr(result, cpu);
			local_lock_init(&of_cpu->task_lock);
			local_lock_init(&of_cpu->softirq_lock);
		}
		scratch = result;
	}
	mutex_unlock(&mutex);
	return result;
}

/* No query can see it, or none ever could. */
static void lf_snapshot_free(struct lf_snapshot *snap)
{
	struct lf_app *app = snap->app;

	lf_model_free(snap->model);
	if (snap->compiled)
		module_put(snap->compiled->owner);
	free_percpu(snap->answered);
	kfree(snap);
	lf_app_put(app);
}

static void lf_snapshot_work(struct work_struct *work)
{
	struct lf_snapshot *snap = container_of(to_rcu_work(work), struct lf_snapshot, rwork);
	struct lf_app *app = snap->app;

	if (app->ops && app->ops->release)
		app->ops->release(app, snap->priv);
	atomic_dec(&app->snapshots);
	lf_snapshot_free(snap);
}

/* Flows lose it, and after a grace period it is freed. */
void lf_snapshot_drop(struct lf_snapshot *snap)
{
	lf_assert_writing(snap->app);
	RCU_INIT_POINTER(snap->pin->snapshot, NULL);
	queue_rcu_work(lf_wq, &snap->rwork);
}

/* WRITE_ONCE: pairs with READ_ONCE() in lf_app_stats() */
static void lf_retired_count(struct lf_app *app, int n, long bytes)
{
	lf_assert_writing(app);
	app->n_retired += n;
	WRITE_ONCE(app->retired_bytes, app->retired_bytes + bytes);
}

/* It left its slot; flows keep it. */
void lf_retire(struct lf_snapshot *snap)
{
	struct lf_app *app = snap->app;

	snap->state = LF_SLOT_RETIRED;
	snap->slot = -1;
	list_add_tail_rcu(&snap->list, &app->retired);
	lf_retired_count(app, 1, snap->bytes);
}

static void lf_retired_del(struct lf_snapshot *snap)
{
	list_del_rcu(&snap->list);
	lf_retired_count(snap->app, -1, -(long)snap->bytes);
}

/*
 * Drop a reference; the last one takes the snapshot along. What had a slot gave
 * its reference back after it went to app->retired, so that is where it is.
 */
void lf_pin_put(struct lf_pin *pin)
{
	struct lf_snapshot *snap;
	unsigned long flags;

	if (!refcount_dec_and_test(&pin->refs))
		return;
	rcu_read_lock();
	snap = rcu_dereference(pin->snapshot);
	if (snap) {
		struct lf_app *app = snap->app;

		write_seqlock_irqsave(&app->lock, flags);
		/* or it was evicted just now */
		if (rcu_access_pointer(pin->snapshot)) {
			lf_retired_del(snap);
			lf_snapshot_drop(snap);
		}
		write_sequnlock_irqrestore(&app->lock, flags);
	}
	rcu_read_unlock();
	kfree_rcu(pin, rcu);
}

/* Until every snapshot that left is freed, and no dump sees a model that was withdrawn. */
void lf_drain(void)
{
	/* rcu_barrier() waits for callbacks, and for no reader if there are none */
	synchronize_rcu();
	rcu_barrier();
	flush_workqueue(lf_wq);
}

/* Flows that hold it; for those that must be exact, see refcount_dec_if_one(). */
unsigned int lf_snapshot_flows(const struct lf_snapshot *snap)
{
	unsigned int refs = refcount_read(&snap->pin->refs);

	return snap->slot >= 0 && refs ? refs - 1 : refs;
}

/* Flows that hold it lose it. It is in no list any more. */
void lf_evict(struct lf_snapshot *snap)
{
	struct lf_app *app = snap->app;

	lf_assert_writing(app);
	trace_lf_evict(app->name, snap->version, lf_snapshot_flows(snap));
	lf_count_app(app, &app->counters->n.evictions, 1);
	lf_snapshot_drop(snap);
}

/* Too much memory, or so many that looking at them takes too long. */
bool lf_retired_full(const struct lf_app *app, u64 bytes, unsigned int n)
{
	lockdep_assert_held(&app->lock.lock);
	return app->retired_bytes + bytes > app->max_retired ||
	       app->n_retired + n > LF_MAX_RETIRED;
}

/*
 * The oldest retired one leaves: of all, if @model is NULL and they are above the
 * app's limit, or @all is set; else of those with that code. False: there is none
 * to go.
 */
bool lf_evict_retired(struct lf_app *app, bool all, const struct lf_compiled_model *model)
{
	struct lf_snapshot *snap;
	u32 version = 0;

	lockdep_assert_held(&app->mutex);
	write_seqlock_irq(&app->lock);
	list_for_each_entry(snap, &app->retired, list) {
		if (!all && !lf_retired_full(app, 0, 0))
			break;
		if (model && snap->compiled != model)
			continue;
		version = snap->version;
		lf_retired_del(snap);
		lf_evict(snap);
		break;
	}
	write_sequnlock_irq(&app->lock);
	if (version)
		lf_notify(app, LF_EVENT_EVICTED, -1, version);
	return version;
}

/* The oldest retired ones leave, as far as the app's limit asks for it. */
void lf_retired_trim(struct lf_app *app)
{
	if (app->at_limit != LF_AT_LIMIT_REPIN)
		return;
	while (lf_evict_retired(app, false, NULL))
		;
}

struct lf_snapshot *lf_snapshot_alloc(struct lf_app *app)
{
	struct lf_snapshot *snap;
	struct lf_pin *pin;
	unsigned int cpu;

	snap = kzalloc(sizeof(*snap), GFP_KERNEL_ACCOUNT);
	pin = kzalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
	if (!snap || !pin)
		goto no_memory;
	snap->answered = alloc_percpu_gfp(struct lf_answered, GFP_KERNEL_ACCOUNT);
	if (!snap->answered)
		goto no_memory;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(snap->answered, cpu)->sync);
	refcount_set(&pin->refs, 1);
	RCU_INIT_POINTER(pin->snapshot, snap);
	snap->pin = pin;
	snap->slot = -1;
	snap->bytes = sizeof(*snap) + sizeof(*pin) +
		      num_possible_cpus() * sizeof(*snap->answered);
	INIT_RCU_WORK(&snap->rwork, lf_snapshot_work);
	kref_get(&app->ref);
	snap->app = app;
	return snap;

no_memory:
	kfree(pin);
	kfree(snap);
	return NULL;
}

/* It never entered a slot. */
void lf_snapshot_abort(struct lf_snapshot *snap)
{
	kfree(snap->pin);
	lf_snapshot_free(snap);
}

/* -- for dumps ----------------------------------------------------------- */

/* Under RCU, not under a lock: there may be many CPUs. */
static u64 lf_snapshot_queries(const struct lf_snapshot *snap)
{
	const struct lf_answered *answered;
	unsigned int cpu, start;
	u64 sum = 0, n;

	for_each_possible_cpu(cpu) {
		answered = per_cpu_ptr(snap->answered, cpu);
		do {
			start = u64_stats_fetch_begin(&answered->sync);
			/* READ_ONCE: lf_query() counts on, with lf_count() */
			n = READ_ONCE(answered->queries);
		} while (u64_stats_fetch_retry(&answered->sync, start));
		sum += n;
	}
	return sum;
}

/* What never changes, and what has no lock. */
static void lf_fill_model(const struct lf_snapshot *snap, struct lf_snapshot_info *info)
{
	const struct lf_model *model = snap->model;

	info->queries = lf_snapshot_queries(snap);
	info->version = snap->version;
	info->bytes = snap->bytes;
	memcpy(info->digest, snap->digest, sizeof(info->digest));
	info->compiled = !model;
	if (model) {
		info->macs = model->macs;
		info->width = model->width;
		strscpy(info->name, model->name);
		lf_copy_text(info->provenance, model->provenance, sizeof(info->provenance));
	} else {
		info->macs = snap->compiled->macs;
		info->width = snap->compiled->width;
		strscpy(info->name, snap->compiled->name);
	}
}

static void lf_fill_state(const struct lf_snapshot *snap, struct lf_snapshot_info *info)
{
	info->state = snap->state;
	info->slot = snap->slot;
	info->pins = lf_snapshot_flows(snap);
}

/* Keys below LF_MAX_SLOTS are slots. */
static struct lf_snapshot *lf_slot_at(const struct lf_app *app, u64 key)
{
	struct lf_snapshot *snap = NULL;

	for (; key < app->n_slots && !snap; key++)
		snap = rcu_dereference(app->slots[key]);
	return snap;
}

/* From LF_MAX_SLOTS on, versions of those without a slot: the lowest one. */
static struct lf_snapshot *lf_retired_at(const struct lf_app *app, u64 key)
{
	u64 version = max(key, LF_MAX_SLOTS) - LF_MAX_SLOTS;
	struct lf_snapshot *snap, *best = NULL;

	list_for_each_entry_rcu(snap, &app->retired, list)
		if (snap->version >= version && (!best || snap->version < best->version))
			best = snap;
	return best;
}

bool lf_snapshot_next(struct lf_app *app, u64 *key, struct lf_snapshot_info *info)
{
	struct lf_snapshot *snap;
	unsigned int seq;

	memset(info, 0, sizeof(*info));
	rcu_read_lock();
	do {
		seq = lf_read_begin(app, &info->generation);
		snap = lf_slot_at(app, *key) ?: lf_retired_at(app, *key);
		if (snap)
			lf_fill_state(snap, info);
	} while (read_seqretry(&app->lock, seq));
	if (snap) {
		*key = info->slot >= 0 ? info->slot : LF_MAX_SLOTS + (u64)snap->version;
		lf_fill_model(snap, info);
	}
	rcu_read_unlock();
	return snap;
}
