/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LITEFLOW_BENCH_ASK_H
#define LITEFLOW_BENCH_ASK_H

#include <linux/liteflow_engine.h>

/* The model as a plain s64 loop has it: weights, activations and sums in s64. */
struct plain {
	const struct lf_model *model;
	const s64 *bias[LF_MAX_LAYERS];
	const s64 *weight[LF_MAX_LAYERS];
};

s32 nothing(const s32 *in);
s32 ask_engine(const struct lf_model *model, const s32 *in);
s32 ask_plain(const struct plain *plain, const s32 *in);

#endif
