// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's states: the memory that callers keep for models that remember.
 *
 * A state is made for an app, not for a model: it has room for what any model of the
 * app remembers, and for the activations of one query. So a switch needs no memory.
 */
#include <linux/export.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"

/**
 * lf_state_size() - memory of one state
 * @app: the app
 *
 * Context: any.
 * Return: bytes, or 0: the app keeps no state.
 */
size_t lf_state_size(const struct lf_app *app)
{
	const struct lf_state *state;

	if (!app->max_state)
		return 0;
	/* lf_model_step() needs two layers' activations */
	return struct_size(state, value, app->max_state + 2 * app->limits.max_width);
}

/**
 * lf_state_alloc() - make a state
 * @app: the app, which has to stay until this returns, and not longer
 * @gfp: as for kvmalloc()
 *
 * It is as new: no model serves it, and the first one that does begins with zeroes.
 *
 * Context: process context; with GFP_ATOMIC any but NMI and hard interrupts.
 * Return: the state, lf_state_size() bytes, for lf_state_free(); NULL: no memory, or the
 * app keeps no state.
 */
struct lf_state *lf_state_alloc(const struct lf_app *app, gfp_t gfp)
{
	struct lf_state *state;

	if (!app->max_state)
		return NULL;
	state = kvzalloc(lf_state_size(app), gfp);
	if (state) {
		state->app = app;
		state->room = app->max_state;
	}
	return state;
}
EXPORT_SYMBOL_GPL(lf_state_alloc);

/**
 * lf_state_free() - a sequence ends
 * @state: the state, or NULL
 *
 * Lets go of the model that served it. The app may be unregistered by then.
 *
 * Context: softirqs and processes.
 */
void lf_state_free(struct lf_state *state)
{
	if (!state)
		return;
	lf_flow_release(&state->flow);
	kvfree(state);
}
EXPORT_SYMBOL_GPL(lf_state_free);

/**
 * lf_state_reset() - forget the sequence
 * @state: the state
 *
 * The next query finds zeroes. The model that serves the state goes on doing so, and
 * the tag remains.
 *
 * Context: as lf_query_state().
 */
void lf_state_reset(struct lf_state *state)
{
	memset(state->value, 0, state->room * sizeof(*state->value));
}
EXPORT_SYMBOL_GPL(lf_state_reset);

/**
 * lf_state_range() - the range of an input that a state's model was trained on
 * @app: the app
 * @state: the state
 * @input: number of the input
 * @lo: result: lower end, the app's units
 * @hi: result: upper end, inclusive
 *
 * It is that of the model that serves the state, or if none does yet, of the active one.
 *
 * Context: as lf_query_state().
 * Return: 0; -ENODATA: there is no model, or it is compiled and has no ranges; -EINVAL:
 * no such input.
 */
int lf_state_range(struct lf_app *app, const struct lf_state *state, unsigned int input,
		   s32 *lo, s32 *hi)
{
	const struct lf_snapshot *snap;
	int ret = -ENODATA;

	if (input >= app->n_in)
		return -EINVAL;
	rcu_read_lock();
	snap = state->flow.pin ? rcu_dereference(state->flow.pin->snapshot) :
				 rcu_dereference(app->active);
	if (snap && snap->model) {
		*lo = snap->model->in[input].lo;
		*hi = snap->model->in[input].hi;
		ret = 0;
	}
	rcu_read_unlock();
	return ret;
}
EXPORT_SYMBOL_GPL(lf_state_range);
