// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's evaluation: what any slot answers, at the wish of user space.
 */
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

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

/* Values that somebody kept are those of this model, and may be its state. */
static int lf_eval_resume(const struct lf_snapshot *snap, const struct lf_sequence *seq,
			  struct lf_state *state, struct lf_error *err)
{
	u32 n = snap->model ? snap->model->state_len : 0;

	if (!seq->version)
		return 0;
	if (seq->version != snap->version) {
		lf_refuse(err, "version %u began this sequence, the slot has %u: begin anew",
			  seq->version, snap->version);
		return -ESTALE;
	}
	memcpy(state->value, seq->value, min(seq->n, n) * sizeof(*state->value));
	if (seq->n != n || (snap->model && !lf_state_sound(snap->model, state->value))) {
		lf_refuse(err, "the state is none of version %u: begin anew", snap->version);
		return -EINVAL;
	}
	state->flow.version = snap->version;
	return 0;
}

/* One row, under RCU. @first: of this call. */
static int lf_eval_row(const struct lf_snapshot *snap, struct lf_sequence *seq, bool first,
		       struct lf_state *state, const s32 *in, s32 *out, struct lf_error *err)
{
	int ret;

	if (!state) {
		lf_snapshot_run(snap, in, out);
		return 0;
	}
	if (first && seq) {
		ret = lf_eval_resume(snap, seq, state, err);
		if (ret)
			return ret;
	}
	lf_snapshot_step(snap, state, in, out);
	/* another tag than the model's, and it begins with zeroes */
	state->flow.version = seq ? snap->version : 0;
	return 0;
}

static void lf_eval_keep(const struct lf_snapshot *snap, const struct lf_state *state,
			 struct lf_sequence *seq)
{
	seq->version = snap->version;
	seq->n = state && snap->model ? snap->model->state_len : 0;
	if (seq->n)
		memcpy(seq->value, state->value, seq->n * sizeof(*seq->value));
}

/**
 * lf_eval_sequence() - what a slot's model answers, whether it is active or not
 * @app: the app
 * @slot: the slot
 * @seq: what a model that remembers goes on with, and then what it remembers; NULL: each
 *	row begins with zeroes. Left alone on error
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
 * meanwhile, or another one began the sequence; -EINTR: a fatal signal; -E2BIG: above
 * LF_MAX_EVAL_MACS; -EINVAL: no such slot, or the sequence is not the model's; -ENODEV:
 * the app is going; -ENOMEM.
 */
int lf_eval_sequence(struct lf_app *app, u8 slot, struct lf_sequence *seq, const s32 *in,
		     s32 *out, u32 rows, struct lf_error *err)
{
	struct lf_state *state = NULL;
	struct lf_snapshot *snap;
	bool first = true;
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
	if (!ret && app->max_state) {
		state = lf_state_alloc(app, GFP_KERNEL_ACCOUNT);
		if (!state) {
			lf_refuse(err, "no memory for the state");
			ret = -ENOMEM;
		}
	}
	for (; rows && !ret; rows--, in += app->n_in, out += app->n_out) {
		rcu_read_lock();
		snap = rcu_dereference(pin->snapshot);
		if (snap)
			ret = lf_eval_row(snap, seq, first, state, in, out, err);
		if (snap && !ret && seq && rows == 1)
			lf_eval_keep(snap, state, seq);
		rcu_read_unlock();
		first = false;
		if (!snap) {
			lf_refuse(err, "the model left slot %u meanwhile: try again", slot);
			ret = -ESTALE;
		} else if (fatal_signal_pending(current)) {
			ret = -EINTR;
		}
		cond_resched();
	}
	lf_state_free(state);
	lf_pin_put(pin);
	return ret;
}

/* The same, each row by itself. */
int lf_eval(struct lf_app *app, u8 slot, const s32 *in, s32 *out, u32 rows, struct lf_error *err)
{
	return lf_eval_sequence(app, slot, NULL, in, out, rows, err);
}
