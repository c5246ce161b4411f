// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's slots: models come, answer, are replaced and removed.
 *
 * Locking, and who keeps what alive:
 *
 * - app->mutex: all that changes an app: its slots, who is active, settings, and
 *   the app's callbacks. Process context; blobs are parsed before it is taken. No
 *   two apps' are ever held at a time. The table's mutex, in app.c, is inside it.
 * - app->lock, a seqlock, inside app->mutex or alone, IRQs off, for a moment:
 *   app->retired, the sums beside it, and pin->snapshot. The last
 *   lf_flow_release() comes with it alone; all else that dumps show is changed under
 *   both. Dumps read under RCU and try again if the sequence moved: they wait for no
 *   callback, and nobody waits for them. The sequence is also how a dump of several
 *   messages sees that something changed in between.
 * - RCU: queries, dumps and lf_eval(). app->active, the slot, app->retired and
 *   pin->snapshot are rid of a snapshot before it is queued to be freed, and it is
 *   freed a grace period later, by a work item:
 *   model, private data of the app, reference to a module. The work is queued
 *   under app->lock, so who cleared a pointer under it and then calls
 *   lf_drain() knows that the snapshot is gone.
 * - pin->refs: the slot's reference and one per flow. A snapshot in a slot or on
 *   app->retired has a pin with references, or the one who dropped the last is
 *   about to take app->lock and to take it off the list. Zero is final: a query
 *   that finds it reads app->active again, which changed before.
 * - An evicted snapshot leaves its flows a pin that points nowhere. The pin knows
 *   no app, so it may outlive one.
 * - app->ref: the registration, each snapshot, each lookup.
 * - Nothing here waits for a grace period but lf_drain().
 */
#include <crypto/sha2.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <trace/events/liteflow.h>

#include "internal.h"

static struct lf_snapshot *lf_active(struct lf_app *app)
{
	return rcu_dereference_protected(app->active, lockdep_is_held(&app->mutex));
}

static struct lf_snapshot *lf_in_slot(const struct lf_app *app, unsigned int slot)
{
	return rcu_dereference_protected(app->slots[slot], lockdep_is_held(&app->mutex));
}

/*
 * May it leave its slot? A flow may come to hold the active one a moment later,
 * or a query that saw it active: the limit may be exceeded by one model.
 */
static int lf_may_leave(struct lf_snapshot *snap, u32 flags, struct lf_error *err)
{
	struct lf_app *app = snap->app;
	bool full;

	if (app->at_limit != LF_AT_LIMIT_REFUSE || (flags & LF_REMOVE_EVICT) ||
	    !lf_snapshot_flows(snap))
		return 0;
	read_seqlock_excl_irq(&app->lock);
	full = lf_retired_full(app, snap->bytes, 1);
	read_sequnlock_excl_irq(&app->lock);
	if (!full)
		return 0;
	lf_refuse(err, "%u flows hold version %u, retired memory is full: evict or wait",
		  lf_snapshot_flows(snap), snap->version);
	return -ENOSPC;
}

/* It is not the active one any more. Flows keep it, unless @flags has EVICT. */
static void lf_leave_slot(struct lf_snapshot *snap, u32 flags)
{
	struct lf_app *app = snap->app;
	struct lf_pin *pin = snap->pin;
	u32 version = snap->version;
	int slot = snap->slot;
	bool evicted = false;

	lockdep_assert_held(&app->mutex);
	write_seqlock_irq(&app->lock);
	RCU_INIT_POINTER(app->slots[slot], NULL);
	if (refcount_dec_if_one(&pin->refs)) {
		lf_snapshot_drop(snap);
		kfree_rcu(pin, rcu);
		write_sequnlock_irq(&app->lock);
	} else {
		evicted = flags & LF_REMOVE_EVICT;
		if (evicted)
			lf_evict(snap);
		else
			lf_retire(snap);
		write_sequnlock_irq(&app->lock);
		lf_pin_put(pin);
	}
	lf_notify(app, evicted ? LF_EVENT_EVICTED : LF_EVENT_REMOVED, slot, version);
}

/* Publish @snap, or none. What was active retires in its slot. */
static void lf_set_active(struct lf_app *app, struct lf_snapshot *snap)
{
	struct lf_snapshot *old = lf_active(app);

	write_seqlock_irq(&app->lock);
	if (old)
		old->state = LF_SLOT_RETIRED;
	if (snap) {
		snap->state = LF_SLOT_ACTIVE;
		snap->activated = ++app->activations;
	}
	rcu_assign_pointer(app->active, snap);
	write_sequnlock_irq(&app->lock);
	/* before the old one can be freed, so that the app lets go of its priv */
	if (app->ops && app->ops->activated)
		app->ops->activated(app, snap ? snap->priv : NULL);
	trace_lf_switch(app->name, old ? old->version : 0, snap ? snap->version : 0);
	lf_notify(app, LF_EVENT_ACTIVATED, snap ? snap->slot : -1, snap ? snap->version : 0);
}

/* The app lives and has such a slot. */
static int lf_check_slot(const struct lf_app *app, u8 slot, struct lf_error *err)
{
	int ret = lf_check_alive(app, err);

	if (ret || slot < app->n_slots)
		return ret;
	lf_refuse(err, "no slot %u: slots 0 to %u exist", slot, app->n_slots - 1);
	return -EINVAL;
}

/* The slot's snapshot, in @snap. */
static int lf_slot_snapshot(const struct lf_app *app, u8 slot, struct lf_snapshot **snap,
			    struct lf_error *err)
{
	int ret = lf_check_slot(app, slot, err);

	if (ret)
		return ret;
	*snap = lf_in_slot(app, slot);
	if (*snap)
		return 0;
	lf_refuse(err, "slot %u is empty: install a model there first", slot);
	return -ENOENT;
}

/* All checks, then the app's own preparations, then the change. */
static int lf_enter_slot(struct lf_snapshot *snap, u8 slot, u32 *version, struct lf_error *err)
{
	struct lf_app *app = snap->app;
	struct lf_snapshot *old;
	int ret;

	ret = lf_check_slot(app, slot, err);
	if (ret)
		return ret;
	old = lf_in_slot(app, slot);
	if (old && old == lf_active(app)) {
		lf_refuse(err, "slot %u is active: install into another slot", slot);
		return -EBUSY;
	}
	if (old) {
		ret = lf_may_leave(old, 0, err);
		if (ret)
			return ret;
	}
	if (app->ops && app->ops->prepare) {
		ret = app->ops->prepare(app, snap->model, &snap->priv, err);
		if (ret) {
			if (err && !err->msg[0])
				lf_refuse(err, "app \"%s\" does not take this model: error %d",
					  app->name, ret);
			return ret;
		}
	}
	if (old)
		lf_leave_slot(old, 0);
	atomic_inc(&app->snapshots);
	snap->version = ++app->versions;
	write_seqlock_irq(&app->lock);
	snap->state = LF_SLOT_STANDBY;
	snap->slot = slot;
	rcu_assign_pointer(app->slots[slot], snap);
	write_sequnlock_irq(&app->lock);
	*version = snap->version;
	lf_retired_trim(app);
	trace_lf_install(app->name, slot, snap->version,
			 snap->model ? snap->model->name : snap->compiled->name);
	lf_notify(app, LF_EVENT_INSTALLED, slot, snap->version);
	return 0;
}

static int lf_install_blob(struct lf_app *app, u8 slot, const void *blob, size_t len,
			   u32 *version, struct lf_error *err)
{
	const struct lf_model *model;
	struct lf_model *parsed;
	struct lf_snapshot *snap;
	int ret;

	ret = lf_model_parse(blob, len, &app->limits, &parsed, err);
	if (ret == -ENOMEM)
		goto no_memory;
	if (ret)
		return ret;
	model = parsed;
	snap = lf_snapshot_alloc(app);
	if (!snap) {
		lf_model_free(model);
		goto no_memory;
	}
	snap->model = model;
	snap->bytes += model->bytes;
	sha256(blob, len, snap->digest);
	/* a state brings its own */
	if (model->width > LF_STACK_WIDTH && !app->max_state) {
		snap->scratch = lf_scratch_get();
		if (!snap->scratch) {
			lf_snapshot_abort(snap);
			goto no_memory;
		}
	}

	mutex_lock(&app->mutex);
	ret = lf_enter_slot(snap, slot, version, err);
	mutex_unlock(&app->mutex);
	if (ret)
		lf_snapshot_abort(snap);
	return ret;

no_memory:
	lf_refuse(err, "no memory for the model");
	return -ENOMEM;
}

/**
 * lf_install() - put a model into a slot
 * @app: the app
 * @slot: the slot; what is there leaves it, unless it is active
 * @blob: the model, see include/uapi/linux/liteflow_model.h
 * @len: its length, bytes
 * @version: result: number of the installed model; may be NULL
 * @err: result: the reason of a refusal; may be NULL
 *
 * No query sees the model before lf_activate().
 *
 * Context: process context, may sleep.
 * Return: 0; -EBUSY: the slot is active; -ENOSPC: flows hold what is in the slot,
 * and the app's limit forbids to retire it; -ENODEV: the app is going; errors of
 * lf_model_parse() and of the app's prepare(); -ENOMEM; -EINVAL: no such slot.
 */
int lf_install(struct lf_app *app, u8 slot, const void *blob, size_t len,
	       u32 *version, struct lf_error *err)
{
	struct lf_error mine;
	u32 ignored;
	int ret;

	err = err ?: &mine;
	err->msg[0] = 0;
	ret = lf_install_blob(app, slot, blob, len, version ?: &ignored, err);
	if (ret)
		trace_lf_reject(app->name, err->msg);
	return ret;
}
EXPORT_SYMBOL_GPL(lf_install);

/* A snapshot of @model, which holds its module. */
static struct lf_snapshot *lf_snapshot_compiled(struct lf_app *app,
						struct lf_compiled_model *model,
						struct lf_error *err)
{
	struct lf_snapshot *snap;

	lockdep_assert_held(&app->mutex);
	if (!try_module_get(model->owner)) {
		lf_refuse(err, "the module of \"%s\" is going: load it again", model->name);
		return ERR_PTR(-ENOENT);
	}
	snap = lf_snapshot_alloc(app);
	if (!snap) {
		module_put(model->owner);
		lf_refuse(err, "no memory for the model");
		return ERR_PTR(-ENOMEM);
	}
	snap->compiled = model;
	snap->run = model->run;
	return snap;
}

/* A compiled model enters a slot. */
int lf_install_code(struct lf_app *app, u8 slot, struct lf_compiled_model *model,
		    u32 *version, struct lf_error *err)
{
	struct lf_snapshot *snap;
	int ret;

	snap = lf_snapshot_compiled(app, model, err);
	if (IS_ERR(snap))
		return PTR_ERR(snap);
	ret = lf_enter_slot(snap, slot, version, err);
	if (ret)
		lf_snapshot_abort(snap);
	return ret;
}

static int lf_activate_slot(struct lf_app *app, u8 slot, u32 *version, struct lf_error *err)
{
	struct lf_snapshot *snap;
	int ret;

	ret = lf_slot_snapshot(app, slot, &snap, err);
	if (ret)
		return ret;
	if (snap != lf_active(app))
		lf_set_active(app, snap);
	*version = snap->version;
	return 0;
}

/**
 * lf_activate() - let a slot's model answer
 * @app: the app
 * @slot: the slot; nothing happens if it is active already
 * @version: result: number of its model; may be NULL
 * @err: result: the reason of a refusal; may be NULL
 *
 * Queries that begin from now on see it; flows with a pin keep their model.
 * Waits for nobody.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT: the slot is empty; -EINVAL: no such slot; -ENODEV: the app
 * is going.
 */
int lf_activate(struct lf_app *app, u8 slot, u32 *version, struct lf_error *err)
{
	struct lf_error mine;
	u32 ignored;
	int ret;

	err = err ?: &mine;
	err->msg[0] = 0;
	mutex_lock(&app->mutex);
	ret = lf_activate_slot(app, slot, version ?: &ignored, err);
	mutex_unlock(&app->mutex);
	if (ret)
		trace_lf_reject(app->name, err->msg);
	return ret;
}
EXPORT_SYMBOL_GPL(lf_activate);

/* Among the retired ones with a slot, that which was activated last. */
static struct lf_snapshot *lf_previous(struct lf_app *app, const struct lf_compiled_model *not)
{
	struct lf_snapshot *best = NULL;
	unsigned int i;

	lockdep_assert_held(&app->mutex);
	for (i = 0; i < app->n_slots; i++) {
		struct lf_snapshot *snap = lf_in_slot(app, i);

		if (!snap || snap->state != LF_SLOT_RETIRED || (not && snap->compiled == not))
			continue;
		if (!best || snap->activated > best->activated)
			best = snap;
	}
	return best;
}

/**
 * lf_rollback() - go back to the model that was active before
 * @app: the app
 * @version: result: number of that model; may be NULL
 * @err: result: the reason of a refusal; may be NULL
 *
 * That is, of the models that were active and still have a slot, to the one
 * that was activated last. Once more undoes it.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT: there is none; -ENODEV: the app is going.
 */
int lf_rollback(struct lf_app *app, u32 *version, struct lf_error *err)
{
	struct lf_snapshot *snap;
	struct lf_error mine;
	int ret;

	err = err ?: &mine;
	err->msg[0] = 0;
	mutex_lock(&app->mutex);
	ret = lf_check_alive(app, err);
	if (ret)
		goto unlock;
	snap = lf_previous(app, NULL);
	if (!snap) {
		lf_refuse(err, "no earlier model has a slot: install one and activate it");
		ret = -ENOENT;
		goto unlock;
	}
	lf_set_active(app, snap);
	if (version)
		*version = snap->version;
unlock:
	mutex_unlock(&app->mutex);
	if (ret)
		trace_lf_reject(app->name, err->msg);
	return ret;
}
EXPORT_SYMBOL_GPL(lf_rollback);

static int lf_remove_slot(struct lf_app *app, u8 slot, u32 flags, struct lf_error *err)
{
	struct lf_snapshot *snap;
	int ret;

	if (flags & ~(LF_REMOVE_FORCE | LF_REMOVE_EVICT)) {
		lf_refuse(err, "unknown flags %#x: use those listed", flags);
		return -EINVAL;
	}
	ret = lf_slot_snapshot(app, slot, &snap, err);
	if (ret)
		return ret;
	if (snap == lf_active(app) && !(flags & LF_REMOVE_FORCE)) {
		lf_refuse(err, "slot %u is active: activate another one first, or force it",
			  slot);
		return -EBUSY;
	}
	ret = lf_may_leave(snap, flags, err);
	if (ret)
		return ret;
	if (snap == lf_active(app))
		lf_set_active(app, NULL);
	lf_leave_slot(snap, flags);
	lf_retired_trim(app);
	return 0;
}

/**
 * lf_remove() - take a model out of its slot
 * @app: the app
 * @slot: the slot
 * @flags: LF_REMOVE_FORCE: also if it is active; then queries fail with -ENODATA.
 *	LF_REMOVE_EVICT: the flows that it serves lose it, and go over to the
 *	active one
 * @err: result: the reason of a refusal; may be NULL
 *
 * Without LF_REMOVE_EVICT the model lives on for the flows that hold it. The
 * module of a compiled one can be unloaded a grace period after its last use.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT: the slot is empty; -EBUSY: it is active; -ENOSPC: flows
 * hold it, and the app's limit forbids to retire it; -EINVAL: no such slot or
 * flag; -ENODEV: the app is going.
 */
int lf_remove(struct lf_app *app, u8 slot, u32 flags, struct lf_error *err)
{
	struct lf_error mine;
	int ret;

	err = err ?: &mine;
	err->msg[0] = 0;
	mutex_lock(&app->mutex);
	ret = lf_remove_slot(app, slot, flags, err);
	mutex_unlock(&app->mutex);
	if (ret)
		trace_lf_reject(app->name, err->msg);
	return ret;
}
EXPORT_SYMBOL_GPL(lf_remove);

/*
 * Everything leaves, or all of @model. If that is active, the one before it takes
 * over.
 */
void lf_evict_all(struct lf_app *app, const struct lf_compiled_model *model)
{
	struct lf_snapshot *snap, *active = lf_active(app);
	unsigned int i;

	lockdep_assert_held(&app->mutex);
	if (active && (!model || active->compiled == model))
		lf_set_active(app, model ? lf_previous(app, model) : NULL);
	for (i = 0; i < app->n_slots; i++) {
		snap = lf_in_slot(app, i);
		if (snap && (!model || snap->compiled == model))
			lf_leave_slot(snap, LF_REMOVE_EVICT);
	}
	while (lf_evict_retired(app, true, model))
		;
}

/*
 * An empty slot, or else that which was active least recently, but not now: there are
 * at least LF_MIN_SLOTS, which is 2.
 */
static u8 lf_slot_to_use(struct lf_app *app)
{
	struct lf_snapshot *active = lf_active(app);
	struct lf_snapshot *snap, *best = NULL;
	unsigned int i;

	for (i = 0; i < app->n_slots; i++) {
		snap = lf_in_slot(app, i);
		if (!snap)
			return i;
		if (snap != active && (!best || snap->activated < best->activated))
			best = snap;
	}
	return best->slot;
}

/* As the original registers a model: it is active at once. */
int lf_switch_code(struct lf_app *app, struct lf_compiled_model *model,
		   struct lf_error *err)
{
	u8 slot = lf_slot_to_use(app);
	u32 version;
	int ret;

	ret = lf_install_code(app, slot, model, &version, err);
	return ret ?: lf_activate_slot(app, slot, &version, err);
}
