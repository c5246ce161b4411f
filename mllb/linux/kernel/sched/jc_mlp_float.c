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

#include "jc_mlp.h"

#define JC_W_ONE	((float)(1 << JC_W_SHIFT))

/**
 * jc_mlp_prepare_float() - fill the tables of the float forward pass
 * @mlp: result
 * @model: a model that jc_mlp_check() accepted
 *
 * Context: inside kernel_fpu_begin()/kernel_fpu_end(); about 700 additions.
 */
void jc_mlp_prepare_float(struct jc_mlp *mlp, const struct jc_mlp_model *model)
{
	struct jc_mlp_float *t = &mlp->fl;
	int half, row, i, j;

	jc_mlp_describe(mlp, model);
	for (j = 0; j < JC_NR_HIDDEN; j++) {
		for (half = 0; half < 2; half++) {
			for (row = 0; row < JC_TAB_SIZE; row++)
				t->tab[half][row][j] =
					jc_mlp_tab_sum(model, half, row, j) /
					JC_W_ONE;
		}
		for (i = 0; i < JC_NR_NUMS; i++)
			t->num[i][j] = model->w1[jc_num_input(i)][j] /
				       JC_W_ONE / jc_num_unit[i];
		t->w2[j] = model->w2[j] / JC_W_ONE;
	}
	t->b2 = model->b2 / JC_W_ONE;
}

/**
 * jc_mlp_forward_float() - ask the network, in float
 * @mlp: a network that jc_mlp_prepare_float() made ready
 * @f: the inputs; any value is allowed
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
		x[i] = clamp(f->num[i], mlp->lo[i], mlp->hi[i]);

	for (j = 0; j < JC_NR_HIDDEN; j++) {
		float h = lo[j] + hi[j] +
			  x[0] * t->num[0][j] + x[1] * t->num[1][j] +
			  x[2] * t->num[2][j] + x[3] * t->num[3][j] +
			  x[4] * t->num[4][j];

		if (h > 0)
			out += h * t->w2[j];
	}
	return out > 0.5f;
}
