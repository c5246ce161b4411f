// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's snapshots: how they begin, retire with the flows that hold them, are
 * evicted and freed.
 *
 * slot.c has the locking rules.
 */
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <trace/events/liteflow.h>

#include "core.h"

/* Those that are not in app->gone_queries; all, while it is in a slot or retired. */
unsigned long lf_snapshot_queries(const struct lf_snapshot *snap)
{
	unsigned long sum = 0;
	unsigned int cpu;

	/* READ_ONCE: lf_query() counts on, with this_cpu_inc_return() */
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(snap->queries, cpu));
	return sum - snap->folded;
}

/* Queries that are counted in the app move there, so that no sum ever falls. */
static void lf_snapshot_fold(struct lf_snapshot *snap)
{
	unsigned long n = lf_snapshot_queries(snap);

	lockdep_assert_held(&snap->app->lock);
	snap->app->gone_queries += n;
	snap->folded += n;
}

/* No query can see it, or none ever could. */
static void lf_snapshot_free(struct lf_snapshot *snap)
{
	struct lf_app *app = snap->app;

	lf_model_free(snap->model);
	if (snap->compiled)
		module_put(snap->compiled->owner);
	free_percpu(snap->queries);
	kfree(snap);
	lf_app_put(app);
}

static void lf_snapshot_work(struct work_struct *work)
{
	struct lf_snapshot *snap = container_of(to_rcu_work(work), struct lf_snapshot, rwork);
	struct lf_app *app = snap->app;

	spin_lock_irq(&app->lock);
	lf_snapshot_fold(snap);
	spin_unlock_irq(&app->lock);
	if (app->ops && app->ops->release)
		app->ops->release(app, snap->priv);
	atomic_dec(&app->snapshots);
	lf_snapshot_free(snap);
}

/* Flows lose it, and after a grace period it is freed. */
void lf_snapshot_drop(struct lf_snapshot *snap)
{
	lockdep_assert_held(&snap->app->lock);
	RCU_INIT_POINTER(snap->pin->snapshot, NULL);
	lf_snapshot_fold(snap);
	queue_rcu_work(lf_wq, &snap->rwork);
}

static void lf_retired_del(struct lf_snapshot *snap)
{
	lockdep_assert_held(&snap->app->lock);
	list_del(&snap->list);
	snap->app->retired_bytes -= snap->bytes;
	snap->app->n_retired--;
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

		spin_lock_irqsave(&app->lock, flags);
		/* or it was evicted just now */
		if (rcu_access_pointer(pin->snapshot)) {
			lf_retired_del(snap);
			lf_snapshot_drop(snap);
		}
		spin_unlock_irqrestore(&app->lock, flags);
	}
	rcu_read_unlock();
	kfree_rcu(pin, rcu);
}

/* Until every snapshot that left is freed. */
void lf_drain(void)
{
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

	lockdep_assert_held(&app->lock);
	trace_lf_evict(app->name, snap->version, lf_snapshot_flows(snap));
	app->evictions++;
	lf_snapshot_drop(snap);
}

/* Too much memory, or so many that looking at them takes too long. */
bool lf_retired_full(const struct lf_app *app, u64 bytes, unsigned int n)
{
	lockdep_assert_held(&app->lock);
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

	lockdep_assert_held(&lf_mutex);
	spin_lock_irq(&app->lock);
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
	spin_unlock_irq(&app->lock);
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

	snap = kzalloc(sizeof(*snap), GFP_KERNEL_ACCOUNT);
	pin = kzalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
	if (!snap || !pin)
		goto no_memory;
	snap->queries = alloc_percpu_gfp(unsigned long, GFP_KERNEL_ACCOUNT);
	if (!snap->queries)
		goto no_memory;
	refcount_set(&pin->refs, 1);
	RCU_INIT_POINTER(pin->snapshot, snap);
	snap->pin = pin;
	snap->slot = -1;
	snap->bytes = sizeof(*snap) + sizeof(*pin) +
		      num_possible_cpus() * sizeof(*snap->queries);
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

static void lf_fill_info(const struct lf_snapshot *snap, struct lf_snapshot_info *info)
{
	const struct lf_model *model = snap->model;

	memset(info, 0, sizeof(*info));
	info->version = snap->version;
	info->state = snap->state;
	info->slot = snap->slot;
	info->pins = lf_snapshot_flows(snap);
	info->bytes = snap->bytes;
	info->queries = lf_snapshot_queries(snap);
	memcpy(info->digest, snap->digest, sizeof(info->digest));
	info->compiled = !model;
	if (model) {
		info->macs = model->macs;
		info->width = model->width;
		strscpy(info->name, model->name);
		strscpy(info->provenance, model->provenance);
	} else {
		info->macs = snap->compiled->macs;
		info->width = snap->compiled->width;
		strscpy(info->name, snap->compiled->name);
	}
}

bool lf_snapshot_info(struct lf_app *app, unsigned int nth, struct lf_snapshot_info *info)
{
	struct lf_snapshot *snap, *found = NULL;
	unsigned int i;

	mutex_lock(&lf_mutex);
	spin_lock_irq(&app->lock);
	for (i = 0; i < app->n_slots && !found; i++)
		if (app->slots[i] && !nth--)
			found = app->slots[i];
	if (!found) {
		list_for_each_entry(snap, &app->retired, list) {
			if (!nth--) {
				found = snap;
				break;
			}
		}
	}
	if (found)
		lf_fill_info(found, info);
	spin_unlock_irq(&app->lock);
	mutex_unlock(&lf_mutex);
	return found;
}
