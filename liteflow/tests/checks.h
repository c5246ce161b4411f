/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the engine's tests in user space share: a table of checks, and damaged models.
 */
#ifndef _TESTS_CHECKS_H
#define _TESTS_CHECKS_H

#include <stdio.h>
#include <string.h>

#include <linux/liteflow_engine.h>
#include "testmodel.h"

struct check {
	const char *name;
	int (*run)(void);	/* 0: it is well */
};

/* The check that the only argument names; the program's exit status. */
static inline int checks_main(int argc, char **argv, const struct check *checks, size_t n)
{
	for (size_t i = 0; argc == 2 && i < n; i++) {
		if (!strcmp(argv[1], checks[i].name))
			return checks[i].run();
	}
	fprintf(stderr, "usage: %s ", argv[0]);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "%s%s", i ? "|" : "", checks[i].name);
	fprintf(stderr, "\n");
	return 2;
}

/* Asked a few times; whether all answers, and the state, are within their ranges. */
static inline bool checks_sound(const struct lf_model *m, const s32 *in)
{
	static s32 state[LITEFLOW_MAX_STATE], scratch[2 * LITEFLOW_MAX_WIDTH];
	s32 out[LITEFLOW_MAX_WIDTH];

	memset(state, 0, m->state_len * sizeof(*state));
	for (int i = 0; i < 3; i++) {
		lf_model_step(m, in, out, state, scratch);
		for (int o = 0; o < m->n_out; o++)
			if (out[o] < m->out[o].lo || out[o] > m->out[o].hi)
				return false;
	}
	return lf_state_sound(m, state);
}

/**
 * checks_damage() - every byte changed: refused with a reason, or asked without harm
 * @make: makes a model of a seed in @blob of @size bytes; its length
 * @seeds: models
 * @sparse: of the bytes from 700 on, one in so many
 *
 * Returns 0, or 1: something was wrong, or nothing was tried.
 */
static inline int checks_damage(size_t (*make)(u32 seed, void *blob, size_t size), void *blob,
				size_t size, u32 seeds, size_t sparse)
{
	const struct lf_limits any = { .max_state = LITEFLOW_MAX_STATE };
	unsigned int accepted = 0, tried = 0;
	static s32 in[LITEFLOW_MAX_WIDTH];
	unsigned char *bytes = blob;
	struct lf_error err;
	struct lf_model *m;

	for (u32 seed = 0; seed < seeds; seed++) {
		size_t len = make(seed, blob, size);

		for (size_t at = 0; at < len; at += at > 700 ? sparse : 1) {
			unsigned char before = bytes[at];

			lf_testmodel_inputs(seed + at, blob, in);
			bytes[at] = before + 1 + (seed * 31 + at * 7) % 255;
			lf_testmodel_fix(blob, len);
			tried++;
			if (lf_model_parse(blob, len, &any, &m, &err)) {
				if (m || !err.msg[0])
					return 1;
			} else {
				accepted++;
				if (!checks_sound(m, in))
					return 1;
				lf_model_free(m);
			}
			bytes[at] = before;
		}
	}
	printf("%u blobs, %u accepted\n", tried, accepted);
	return !accepted || accepted == tried;
}

#endif /* _TESTS_CHECKS_H */
