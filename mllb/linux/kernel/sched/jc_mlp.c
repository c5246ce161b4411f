// SPDX-License-Identifier: GPL-2.0
/*
 * Arithmetic of the learned load balancer
 *
 * The network stands for the rule "locality, cache-hot" of
 * can_migrate_task(), after Chen et al., "Machine Learning for Load Balancing
 * in the Linux Kernel", APSys 2020 (doi:10.1145/3409963.3410492):
 *
 *	h[j] = max(0, b1[j] + sum_i w1[i][j] * x[i])	i < 15, j < 10
 *	migrate  <=>  b2 + sum_j w2[j] * h[j] > 0.5
 *
 * It is a model of LiteFlow's, read, proved and explained by that engine. Here it
 * is only rearranged: ten of the inputs are 0 or 1, so their part of the sums
 * stands ready in two tables of 32 rows; the other five are clamped and quantised
 * as the engine does it. The outcome is the engine's, bit for bit, in a third of
 * the time.
 *
 * Nothing here needs SMP, a lock or the rest of the scheduler: KUnit runs it
 * under UML as it is.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "jc_mlp.h"
#include "jc_weights.h"

/* The model that is built in. */
const u8 *const jc_builtin_blob = jc_default_blob;
const size_t jc_builtin_len = sizeof(jc_default_blob);

/* The inputs, in model order. */
const char *const jc_input_names[JC_NR_INPUTS] = {
	"src_non_pref", "delta_hot", "cpu_idle", "cpu_not_idle", "cpu_newly_idle",
	"same_node", "prefer_src", "prefer_dst", "src_len", "src_load", "dst_load",
	"dst_len", "delta_faults", "extra_fails", "buddy_hot",
};

/* What a model has to keep to, before jc_mlp_check() looks at its layers. */
const struct lf_limits jc_limits = {
	.n_in		= JC_NR_INPUTS,
	.n_out		= 1,
	.max_width	= JC_NR_INPUTS,
	.units		= JC_UNITS,
	.features	= jc_input_names,
};

/**
 * jc_mlp_check() - is it a network that the tables can stand for?
 * @model: a model that lf_model_parse() accepted with jc_limits
 * @err: result: the reason of a refusal
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int jc_mlp_check(const struct lf_model *model, struct lf_error *err)
{
	const struct lf_layer *l = model->layers;

	if (model->n_layers != 2 || l[0].act != LITEFLOW_ACT_RELU ||
	    l[1].act != LITEFLOW_ACT_NONE) {
		lf_refuse(err, "the scheduler takes two layers: relu, then none");
		return -EINVAL;
	}
	if (l[0].n_out > JC_NR_HIDDEN) {
		lf_refuse(err, "%u hidden units: the scheduler takes at most %u", l[0].n_out,
			  JC_NR_HIDDEN);
		return -EINVAL;
	}
	if (l[0].wide) {
		lf_refuse(err, "the sums of layer 0 need more than 32 bits: pack with --sums 32");
		return -EINVAL;
	}
	return 0;
}

/**
 * jc_mlp_describe() - copy what both forward passes need of a model
 * @mlp: result: scales, checksum and name
 * @model: a model that jc_mlp_check() accepted
 *
 * Context: any.
 */
void jc_mlp_describe(struct jc_mlp *mlp, const struct lf_model *model)
{
	int i;

	for (i = 0; i < JC_NR_NUMS; i++)
		mlp->in[i] = model->in[jc_num_input(i)];
	mlp->out = model->out[0];
	mlp->checksum = model->crc;
	memcpy(mlp->name, model->name, sizeof(mlp->name));
}

/**
 * jc_mlp_tab_sum() - one entry of the tables over the binary inputs
 * @model: a model that jc_mlp_check() accepted
 * @half: 0 for bits 0-4 of jc_features::bits, 1 for bits 5-9
 * @row: value of these five bits
 * @j: hidden unit of the model
 *
 * Context: any.
 * Return: what these inputs add to the sum of the hidden unit, with the bias in
 * the first half.
 */
s32 jc_mlp_tab_sum(const struct lf_model *model, int half, int row, int j)
{
	const struct lf_layer *hidden = model->layers;
	s32 sum = half ? 0 : lf_layer_bias(hidden, j);
	int bit, i;

	for (bit = 0; bit < JC_TAB_BITS; bit++) {
		i = jc_bit_input(half * JC_TAB_BITS + bit);
		sum += lf_layer_weight(hidden, j, i) *
		       (s32)lf_input(&model->in[i], !!(row & BIT(bit)));
	}
	return sum;
}

/**
 * jc_mlp_prepare_fixed() - fill the tables of the fixed-point forward pass
 * @mlp: result
 * @model: a model that jc_mlp_check() accepted
 *
 * Context: any; about 3200 multiplications.
 */
void jc_mlp_prepare_fixed(struct jc_mlp *mlp, const struct lf_model *model)
{
	const struct lf_layer *hidden = model->layers, *last = hidden + 1;
	struct jc_mlp_fixed *t = &mlp->fixed;
	int half, row, i, j;

	memset(mlp, 0, sizeof(*mlp));
	jc_mlp_describe(mlp, model);
	/* units that a smaller model lacks are 0 and have a weight of 0 */
	for (j = 0; j < hidden->n_out; j++) {
		s64 unit = j % 2 ? 1LL << 32 : 1;

		for (half = 0; half < 2; half++) {
			for (row = 0; row < JC_TAB_SIZE; row++)
				t->tab[half][row][j / 2] +=
					unit * jc_mlp_tab_sum(model, half, row, j);
		}
		for (i = 0; i < JC_NR_NUMS; i++)
			t->num[i][j / 2] +=
				unit * lf_layer_weight(hidden, j, jc_num_input(i));
		t->w2[j] = lf_layer_weight(last, 0, j);
	}
	t->b2 = lf_layer_bias(last, 0);
	t->shift = hidden->shift;
}

/**
 * jc_mlp_forward_fixed() - jc_mlp_ask_fixed(), out of line
 * @mlp: a network that jc_mlp_prepare_fixed() made ready
 * @f: the inputs; any value is allowed
 *
 * Context: any.
 * Return: the output, 1/65536: migrate if above JC_THRESHOLD.
 */
s32 jc_mlp_forward_fixed(const struct jc_mlp *mlp, const struct jc_features *f)
{
	return jc_mlp_ask_fixed(mlp, f);
}

#include "tests/jc_mlp_kunit.h"
