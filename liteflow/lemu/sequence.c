// SPDX-License-Identifier: GPL-2.0
/*
 * Models over sequences, by the engine's own sources: bit for bit what the kernel answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/liteflow_engine.h>

#include "sequence.h"

static const struct lf_limits limits = {
	.n_in = LINK_INPUTS, .n_out = LINK_OUTPUTS, .max_state = LITEFLOW_MAX_STATE,
};

static void run(const struct lf_model *model, int count, int steps, const int32_t *rows,
		const uint8_t *anew, int32_t *answers)
{
	static int32_t state[LITEFLOW_MAX_STATE], scratch[2 * LITEFLOW_MAX_WIDTH];

	for (long at = 0; at < (long)count * steps; at++) {
		if (anew[at])
			memset(state, 0, sizeof(state));
		lf_model_step(model, rows + at * LINK_INPUTS, answers + at * LINK_OUTPUTS, state,
			      scratch);
	}
}

int sequence_run(const void *blob, size_t len, int count, int steps, const int32_t *rows,
		 const uint8_t *anew, int32_t *answers, char *why, size_t room)
{
	struct lf_model *model;
	struct lf_error err = { 0 };

	if (lf_model_parse(blob, len, &limits, &model, &err)) {
		snprintf(why, room, "%s", err.msg[0] ? err.msg : "out of memory");
		return -1;
	}
	run(model, count, steps, rows, anew, answers);
	lf_model_free(model);
	return 0;
}
