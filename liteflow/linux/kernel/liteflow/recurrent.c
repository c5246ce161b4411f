// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's forward pass of models that remember.
 *
 * include/uapi/linux/liteflow_model.h has the formulas; engine.c has what is common to
 * all models.
 */
#include <linux/types.h>

#include "engine.h"

/**
 * lf_model_step() - ask a model, which remembers earlier questions
 * @model: from lf_model_parse(); may also be one that keeps no state
 * @in: lf_model::n_in inputs, the app's units; any values
 * @out: result: lf_model::n_out outputs
 * @state: lf_model::state_len values, zeroes at first; the next ones are left there
 * @scratch: room for 2 * lf_model::width activations, the caller's alone
 *
 * Context: any; takes no lock and touches nothing but its arguments.
 */
void lf_model_step(const struct lf_model *model, const s32 *in, s32 *out, s32 *state,
		   s32 *scratch)
{
	/* no model that keeps state is accepted so far */
	(void)state;
	lf_model_run(model, in, out, (s16 *)scratch);
}
