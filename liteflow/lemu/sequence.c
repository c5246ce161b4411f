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
	.n_in = LEMU_N_IN, .n_out = LEMU_N_OUT, .max_state = LITEFLOW_MAX_STATE,
};

/* Whom step() asks. */
struct asked {
	const struct lf_model *model;
	int32_t *state, *scratch;
};

static int step_once(void *priv, const s32 *in, s32 *out)
{
	struct asked *asked = priv;

	lf_model_step(asked->model, in, out, asked->state, asked->scratch);
	return 0;
}

/* One packet, as net/sched/sch_lemu_model.c asks. */
static void step(const struct lf_model *model, const int32_t *row, int32_t *answer, int32_t *state,
		 int32_t *scratch)
{
	struct asked asked = { .model = model, .state = state, .scratch = scratch };
	int32_t in[LEMU_N_IN];

	memcpy(in, row, sizeof(in));
	lemu_in_pieces(in, max(row[LEMU_IN_SIZE], 0), lemu_largest(model->in[LEMU_IN_SIZE].hi),
		       answer, step_once, &asked);
}

static void run(const struct lf_model *model, int count, int steps, const int32_t *rows,
		const uint8_t *anew, int32_t *answers)
{
	static int32_t state[LITEFLOW_MAX_STATE], scratch[2 * LITEFLOW_MAX_WIDTH];

	for (long at = 0; at < (long)count * steps; at++) {
		if (anew[at])
			memset(state, 0, sizeof(state));
		step(model, rows + at * LEMU_N_IN, answers + at * LEMU_N_OUT, state, scratch);
	}
}

static struct lf_model *parsed(const void *blob, size_t len, char *why, size_t room)
{
	struct lf_model *model;
	struct lf_error err = { 0 };

	if (!lf_model_parse(blob, len, &limits, &model, &err))
		return model;
	snprintf(why, room, "%s", err.msg[0] ? err.msg : "out of memory");
	return NULL;
}

int sequence_run(const void *blob, size_t len, int count, int steps, const int32_t *rows,
		 const uint8_t *anew, int32_t *answers, char *why, size_t room)
{
	struct lf_model *model = parsed(blob, len, why, room);

	if (!model)
		return -1;
	run(model, count, steps, rows, anew, answers);
	lf_model_free(model);
	return 0;
}

/**
 * struct judge - a model as a queue
 * @drained: work from which on the state starts from zeros
 * @unit: bytes of the model's backlog
 */
struct judge {
	const struct lf_model *model;
	int64_t drained;
	double unit;
	int32_t state[LITEFLOW_MAX_STATE];
};

static bool judge_drops(void *priv, struct link_packet *packet, bool first, int64_t capacity,
			int64_t limit)
{
	struct judge *judge = priv;
	int32_t scratch[2 * LITEFLOW_MAX_WIDTH], answer[LEMU_N_OUT];
	int64_t work = packet->work < INT32_MAX ? packet->work : INT32_MAX;
	int32_t row[LEMU_N_IN] = { work, packet->size, capacity, limit };

	if (first || packet->work >= judge->drained)
		memset(judge->state, 0, sizeof(judge->state));
	step(judge->model, row, answer, judge->state, scratch);
	packet->backlog = answer[LEMU_OUT_BACKLOG] * judge->unit;
	return lemu_out_drops(answer);
}

int sequence_batch(const void *blob, size_t len, int64_t drained, double unit, char *why,
		   size_t room, const struct link_ranges *ranges, uint64_t seed, uint64_t first,
		   int count, int steps, float *work, float *size, float *backlog,
		   uint8_t *dropped, float *capacity, float *limit, double *at)
{
	struct lf_model *model = parsed(blob, len, why, room);
	struct judge judge = { .model = model, .drained = drained, .unit = unit };
	struct link_judge asked = { .drops = judge_drops, .priv = &judge };
	int ret;

	if (!model)
		return -1;
	ret = link_batch(ranges, &asked, seed, first, count, steps, work, size, backlog, dropped,
			 capacity, limit, at);
	lf_model_free(model);
	return ret;
}
