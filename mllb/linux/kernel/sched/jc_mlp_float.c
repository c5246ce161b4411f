// SPDX-License-Identifier: GPL-2.0
/*
 * Float arithmetic of the learned load balancer
 *
 * The only object of the scheduler that is built for the FPU (CC_FLAGS_FPU).
 * Both functions must be called inside kernel_fpu_begin()/kernel_fpu_end(),
 * see Documentation/core-api/floating-point.rst; neither passes a float in
 * or out, so that callers need no FPU of their own.
 *
 * Same network and tables as jc_mlp.c, which explains them.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "jc_mlp.h"

/* mult / 2^shift */
static float jc_factor(const struct lf_scale *scale)
{
	return (float)scale->mult / (float)(1ULL << scale->shift);
}

/**
 * jc_mlp_prepare_float() - fill the tables of the float forward pass
 * @mlp: result
 * @model: a model that jc_mlp_check() accepted
 *
 * Context: inside kernel_fpu_begin()/kernel_fpu_end(); about 3200
 * multiplications.
 */
void jc_mlp_prepare_float(struct jc_mlp *mlp, const struct lf_model *model)
{
	const struct lf_layer *hidden = model->layers, *last = hidden + 1;
	struct jc_mlp_float *t = &mlp->fl;
	float one, out;
	int half, row, i, j;

	memset(mlp, 0, sizeof(*mlp));
	jc_mlp_describe(mlp, model);
	one = (float)(1ULL << hidden->shift);
	out = jc_factor(&mlp->out);
	for (j = 0; j < hidden->n_out; j++) {
		for (half = 0; half < 2; half++) {
			for (row = 0; row < JC_TAB_SIZE; row++)
				t->tab[half][row][j] =
					jc_mlp_tab_sum(model, half, row, j) / one;
		}
		for (i = 0; i < JC_NR_NUMS; i++)
			t->num[i][j] = lf_layer_weight(hidden, j, jc_num_input(i)) *
				       jc_factor(&mlp->in[i]) / one;
		t->w2[j] = lf_layer_weight(last, 0, j) * out;
	}
	t->b2 = lf_layer_bias(last, 0) * out + mlp->out.offset;
}

/**
 * jc_mlp_forward_float() - ask the network, in float
 * @mlp: a network that jc_mlp_prepare_float() made ready
 * @f: the inputs; any value is allowed
 *
 * As jc_mlp_ask_fixed(), without its roundings.
 *
 * Context: inside kernel_fpu_begin()/kernel_fpu_end(), otherwise any.
 * Return: true to migrate.
 */
bool jc_mlp_forward_float(const struct jc_mlp *mlp, const struct jc_features *f)
{
	const struct jc_mlp_float *t = &mlp->fl;
	const float *lo = t->tab[0][f->bits % JC_TAB_SIZE];
	const float *hi = t->tab[1][f->bits / JC_TAB_SIZE % JC_TAB_SIZE];
	float x[JC_NR_NUMS], out = t->b2;
	int i, j;

	for (i = 0; i < JC_NR_NUMS; i++)
		x[i] = (s64)clamp(f->num[i], mlp->in[i].lo, mlp->in[i].hi) -
		       mlp->in[i].offset;

	for (j = 0; j < JC_NR_HIDDEN; j++) {
		float h = lo[j] + hi[j] +
			  x[0] * t->num[0][j] + x[1] * t->num[1][j] +
			  x[2] * t->num[2][j] + x[3] * t->num[3][j] +
			  x[4] * t->num[4][j];

		if (h > 0)
			out += (h < S16_MAX ? h : S16_MAX) * t->w2[j];
	}
	if (out > mlp->out.hi)
		out = mlp->out.hi;
	return (out < mlp->out.lo ? mlp->out.lo : out) > JC_THRESHOLD;
}
