/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model's file, questions, and the engine's answers.
 */
#ifndef _TESTS_CODE_ASK_H
#define _TESTS_CODE_ASK_H

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/liteflow_engine.h>
#include "testmodel.h"

struct asked {
	unsigned char blob[LITEFLOW_MAX_BLOB];
	struct lf_model *model;
	s32 in[LITEFLOW_MAX_WIDTH];
	s32 out[LITEFLOW_MAX_WIDTH];
	s32 state[LITEFLOW_MAX_STATE];
	s32 scratch[2 * LITEFLOW_MAX_WIDTH];
};

static inline struct asked *asked_open(const char *path)
{
	static const struct lf_limits limits = { .max_state = LITEFLOW_MAX_STATE };
	struct asked *a = calloc(1, sizeof(*a));
	FILE *f = fopen(path, "r");
	struct lf_error error;
	size_t len;

	if (!a || !f)
		err(1, "%s", path);
	len = fread(a->blob, 1, sizeof(a->blob), f);
	fclose(f);
	if (lf_model_parse(a->blob, len, &limits, &a->model, &error))
		errx(1, "%s: %s", path, error.msg);
	return a;
}

static inline void asked_next(struct asked *a, u32 seed)
{
	lf_testmodel_inputs(seed, a->blob, a->in);
	lf_model_step(a->model, a->in, a->out, a->state, a->scratch);
}

static inline int asked_differs(const struct asked *a, const s32 *out)
{
	return !!memcmp(a->out, out, a->model->n_out * sizeof(*out));
}

static inline void asked_close(struct asked *a)
{
	lf_model_free(a->model);
	free(a);
}

#endif /* _TESTS_CODE_ASK_H */
