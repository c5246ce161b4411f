// SPDX-License-Identifier: GPL-2.0
/*
 * Fixed-point arithmetic of the learned load balancer
 *
 * The network imitates the judgement "locality, cache-hot, too many failures"
 * of can_migrate_task(), after Chen et al., "Machine Learning for Load
 * Balancing in the Linux Kernel", APSys 2020 (doi:10.1145/3409963.3410492):
 *
 *	h[j] = max(0, b1[j] + sum_i w1[i][j] * x[i])	i < 15, j < 10
 *	migrate  <=>  b2 + sum_j w2[j] * h[j] > 0.5
 *
 * Ten of the inputs are 0 or 1: their part of the sum stands ready in two
 * tables of 32 rows. The other five are integers, clamped to the range that
 * the model was trained on and multiplied with a weight per raw unit (the
 * division by the unit is done once, when the model is loaded).
 *
 * Nothing can wrap. Weights are below 2^23 (Q16) and clamped inputs within
 * 2^24, which jc_mlp_check() proves at load. So the tables stay below 2^27
 * (Q16), each product with an input is at most 2^35 * 2^24 = 2^59 (Q28), and
 * all of them together stay below 2^62; hidden values saturate at S32_MAX
 * (Q16), their products with w2 stay below 2^54 (Q32). There is no division
 * after load.
 *
 * Nothing here needs SMP, a lock or the rest of the scheduler: KUnit runs it
 * under UML as it is.
 */
#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "jc_mlp.h"
#include "jc_weights.h"

/*
 * Raw units per unit of the network's input: loads are divided by 1000 as in
 * the original; delta_faults counts half thousandths.
 */
const s32 jc_num_unit[JC_NR_NUMS] = { 1, 1000, 1000, 1, 2000 };

/**
 * jc_mlp_checksum() - checksum of a model's parameters
 * @model: the model
 *
 * Context: any.
 * Return: CRC-32 (IEEE 802.3, as zlib's) over the parameters as little-endian
 * 32-bit words, in the order of struct jc_mlp_model.
 */
u32 jc_mlp_checksum(const struct jc_mlp_model *model)
{
	const s32 *word = &model->w1[0][0];
	const s32 *end = &model->hi[JC_NR_NUMS];
	u32 crc = ~0;

	/* one run of s32 from w1 to hi, no padding between */
	BUILD_BUG_ON(offsetofend(struct jc_mlp_model, hi) -
		     offsetof(struct jc_mlp_model, w1) !=
		     4 * (JC_NR_INPUTS * JC_NR_HIDDEN + 2 * JC_NR_HIDDEN + 1 +
			  2 * JC_NR_NUMS));

	for (; word < end; word++) {
		__le32 le = cpu_to_le32(*word);

		crc = crc32_le(crc, (const u8 *)&le, sizeof(le));
	}
	return ~crc;
}

static bool jc_weights_ok(const s32 *w, size_t nr)
{
	while (nr--) {
		if (abs((s64)w[nr]) >= JC_W_MAX)
			return false;
	}
	return true;
}

/**
 * jc_mlp_check() - prove that a model's arithmetic cannot wrap
 * @model: the model
 *
 * Context: any.
 * Return: 0; -EBADMSG if the checksum does not match the parameters; -ERANGE
 * if a weight or the range of an input is outside what the forward pass is
 * proved for; -EINVAL if a range is empty.
 */
int jc_mlp_check(const struct jc_mlp_model *model)
{
	int i;

	if (jc_mlp_checksum(model) != model->checksum)
		return -EBADMSG;

	if (!jc_weights_ok(&model->w1[0][0], JC_NR_INPUTS * JC_NR_HIDDEN) ||
	    !jc_weights_ok(model->b1, JC_NR_HIDDEN) ||
	    !jc_weights_ok(model->w2, JC_NR_HIDDEN) ||
	    !jc_weights_ok(&model->b2, 1))
		return -ERANGE;

	for (i = 0; i < JC_NR_NUMS; i++) {
		if (model->lo[i] < -JC_NUM_MAX || model->hi[i] > JC_NUM_MAX)
			return -ERANGE;
		if (model->lo[i] > model->hi[i])
			return -EINVAL;
	}
	return 0;
}

/**
 * jc_mlp_describe() - copy what both forward passes need of a model
 * @mlp: result: ranges, checksum and name
 * @model: a model that jc_mlp_check() accepted
 *
 * Context: any.
 */
void jc_mlp_describe(struct jc_mlp *mlp, const struct jc_mlp_model *model)
{
	memcpy(mlp->lo, model->lo, sizeof(mlp->lo));
	memcpy(mlp->hi, model->hi, sizeof(mlp->hi));
	mlp->checksum = model->checksum;
	mlp->name = model->name;
}

/**
 * jc_mlp_tab_sum() - one entry of the tables over the binary inputs
 * @model: the model
 * @half: 0 for bits 0-4 of jc_features::bits, 1 for bits 5-9
 * @row: value of these five bits
 * @j: hidden unit
 *
 * Context: any.
 * Return: sum of the weights of the bits that are set, Q16; with the bias in
 * the first half.
 */
s32 jc_mlp_tab_sum(const struct jc_mlp_model *model, int half, int row, int j)
{
	s32 sum = half ? 0 : model->b1[j];
	int bit;

	for (bit = 0; bit < JC_TAB_BITS; bit++) {
		if (row & BIT(bit))
			sum += model->w1[jc_bit_input(half * JC_TAB_BITS + bit)][j];
	}
	return sum;
}

/* w * 2^(28 - 16) / unit, to the nearest; halves away from zero. */
static s64 jc_weight_per_unit(s32 w, s32 unit)
{
	s64 q = (s64)abs(w) << (JC_ACC_SHIFT - JC_W_SHIFT);

	q = div_s64(q + unit / 2, unit);
	return w < 0 ? -q : q;
}

/**
 * jc_mlp_prepare_fixed() - fill the tables of the fixed-point forward pass
 * @mlp: result
 * @model: a model that jc_mlp_check() accepted
 *
 * Context: any; about 700 additions.
 */
void jc_mlp_prepare_fixed(struct jc_mlp *mlp, const struct jc_mlp_model *model)
{
	struct jc_mlp_fixed *t = &mlp->fixed;
	int half, row, i, j;

	jc_mlp_describe(mlp, model);
	for (j = 0; j < JC_NR_HIDDEN; j++) {
		for (half = 0; half < 2; half++) {
			for (row = 0; row < JC_TAB_SIZE; row++)
				t->tab[half][row][j] =
					jc_mlp_tab_sum(model, half, row, j);
		}
		for (i = 0; i < JC_NR_NUMS; i++)
			t->num[i][j] = jc_weight_per_unit(model->w1[jc_num_input(i)][j],
							  jc_num_unit[i]);
		t->w2[j] = model->w2[j];
	}
	t->b2 = ((s64)model->b2 - BIT(JC_W_SHIFT - 1)) * BIT(JC_W_SHIFT);
}

/**
 * jc_mlp_forward_fixed() - jc_mlp_ask_fixed(), out of line
 * @mlp: a network that jc_mlp_prepare_fixed() made ready
 * @f: the inputs; any value is allowed
 *
 * Context: any.
 * Return: output less the threshold, Q32: migrate if greater than 0.
 */
s64 jc_mlp_forward_fixed(const struct jc_mlp *mlp, const struct jc_features *f)
{
	return jc_mlp_ask_fixed(mlp, f);
}
