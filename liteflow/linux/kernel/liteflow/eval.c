// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's evaluation: what any slot answers, at the wish of user space.
 */
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "internal.h"

/* A compiled model may say that it costs nothing. */
static u32 lf_eval_macs(const struct lf_snapshot *snap)
{
	return max(snap->model ? snap->model->macs : snap->compiled->macs, 1);
}

/*
 * Hold the slot's model as a flow does; @macs: what a row costs. Without app->mutex,
 * which a callback may have for long.
 */
static int lf_eval_hold(struct lf_app *app, u8 slot, struct lf_pin **pin, u32 *macs,
			struct lf_error *err)
{
	struct lf_snapshot *snap;
	int ret = lf_check_alive(app, err);
	bool held;

	if (ret)
		return ret;
	if (slot >= app->n_slots) {
		lf_refuse(err, "no slot %u: slots 0 to %u exist", slot, app->n_slots - 1);
		return -EINVAL;
	}
	rcu_read_lock();
	snap = rcu_dereference(app->slots[slot]);
	/* or it left the slot just now */
	held = snap && refcount_inc_not_zero(&snap->pin->refs);
	if (held) {
		*macs = lf_eval_macs(snap);
		*pin = snap->pin;
	}
	rcu_read_unlock();
	if (!held) {
		lf_refuse(err, "slot %u is empty: install a model there first", slot);
		return -ENOENT;
	}
	return 0;
}

/**
 * lf_eval() - what a slot's model answers, whether it is active or not
 * @app: the app
 * @slot: the slot
 * @in: @rows times the app's inputs
 * @out: result: @rows times the app's outputs
 * @rows: how many questions
 * @err: result: the reason of a refusal; may be NULL
 *
 * Neither counted nor collected. The model may leave its slot meanwhile: it is
 * held like by a flow.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT: the slot is empty; -ESTALE: the model was evicted
 * meanwhile; -EINTR: a fatal signal; -E2BIG: above LF_MAX_EVAL_MACS; -EINVAL: no
 * such slot; -ENODEV: the app is going.
 */
int lf_eval(struct lf_app *app, u8 slot, const s32 *in, s32 *out, u32 rows,
	    struct lf_error *err)
{
	struct lf_snapshot *snap;
	struct lf_pin *pin;
	u32 macs;
	int ret;

	ret = lf_eval_hold(app, slot, &pin, &macs, err);
	if (ret)
		return ret;
	/* the reader of a netlink message keeps others waiting */
	if ((u64)rows * macs > LF_MAX_EVAL_MACS) {
		lf_refuse(err, "%u rows are too much work for this model: give at most %u",
			  rows, LF_MAX_EVAL_MACS / macs);
		ret = -E2BIG;
	}
	for (; rows && !ret; rows--, in += app->n_in, out += app->n_out) {
		rcu_read_lock();
		snap = rcu_dereference(pin->snapshot);
		if (snap)
			lf_snapshot_run(snap, in, out);
		rcu_read_unlock();
		if (!snap) {
			lf_refuse(err, "the model left slot %u meanwhile: try again", slot);
			ret = -ESTALE;
		} else if (fatal_signal_pending(current)) {
			ret = -EINTR;
		}
		cond_resched();
	}
	lf_pin_put(pin);
	return ret;
}
