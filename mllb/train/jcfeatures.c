// SPDX-License-Identifier: GPL-2.0
/*
 * libjcfeatures.so: the kernel's jc_features() for the trainer
 *
 * Compiled from the kernel's own header, so features mean the same where a model
 * is trained and where it answers. Raw observations come as rows of 64-bit
 * integers, in the order of jcf_obs_names; Python need not know the layout of a
 * C structure.
 */
#include <limits.h>
#include <sys/types.h>

#include "jc_mlp.h"

/* In the order of struct jc_lb_obs. */
#define JCF_OBS(X)						\
	X(delta) X(migration_cost) X(src_len) X(dst_len)	\
	X(src_preferred_len) X(src_load) X(dst_load)		\
	X(delta_faults) X(nr_fails) X(cache_nice_tries)		\
	X(cpu_idle) X(cpu_not_idle) X(cpu_newly_idle)		\
	X(same_node) X(prefer_src) X(prefer_dst) X(buddy_hot)	\
	X(numa_gate) X(smt) X(idle_policy) X(cookie_mismatch)

#define JCF_INDEX(name)		JCF_##name,
#define JCF_NAME(name)		#name,
#define JCF_MEMBER(name)	__typeof__(((struct jc_lb_obs *)NULL)->name) name;
#define JCF_ASSIGN(name)	obs->name = row[JCF_##name];

enum { JCF_OBS(JCF_INDEX) JCF_NR_OBS };

/* Fails where the kernel got an observation that nobody would fill in here. */
struct jcf_same { JCF_OBS(JCF_MEMBER) };
_Static_assert(sizeof(struct jcf_same) == sizeof(struct jc_lb_obs),
	       "an observation is missing in JCF_OBS");

const u32 jcf_nr_obs = JCF_NR_OBS;
const u32 jcf_nr_bits = JC_NR_BITS;
const u32 jcf_nr_nums = JC_NR_NUMS;
const u32 jcf_nr_inputs = JC_NR_INPUTS;
const char *const jcf_obs_names[] = { JCF_OBS(JCF_NAME) };

const char *const jcf_bit_names[JC_NR_BITS] = {
	[JC_BIT_SRC_NON_PREF] = "src_non_pref",
	[JC_BIT_DELTA_HOT] = "delta_hot",
	[JC_BIT_CPU_IDLE] = "cpu_idle",
	[JC_BIT_CPU_NOT_IDLE] = "cpu_not_idle",
	[JC_BIT_CPU_NEWLY_IDLE] = "cpu_newly_idle",
	[JC_BIT_SAME_NODE] = "same_node",
	[JC_BIT_PREFER_SRC] = "prefer_src",
	[JC_BIT_PREFER_DST] = "prefer_dst",
	[JC_BIT_EXTRA_FAILS] = "extra_fails",
	[JC_BIT_BUDDY_HOT] = "buddy_hot",
};

const char *const jcf_num_names[JC_NR_NUMS] = {
	[JC_NUM_SRC_LEN] = "src_len",
	[JC_NUM_SRC_LOAD] = "src_load",
	[JC_NUM_DST_LOAD] = "dst_load",
	[JC_NUM_DST_LEN] = "dst_len",
	[JC_NUM_DELTA_FAULTS] = "delta_faults",
};

/* The model's input that a bit or a number feeds. */
u32 jcf_bit_input(u32 bit)
{
	return jc_bit_input(bit);
}

u32 jcf_num_input(u32 num)
{
	return jc_num_input(num);
}

/**
 * jcf_features() - features of many decisions
 * @n: number of them
 * @rows: [@n][jcf_nr_obs] observations; unsigned long ones as the same 64 bits
 * @bits: result: [@n] binary features
 * @num: result: [@n][jcf_nr_nums] numeric features
 */
void jcf_features(size_t n, const s64 *rows, u32 *bits, s32 *num)
{
	const s64 *row = rows;
	size_t i;
	int k;

	for (i = 0; i < n; i++, row += JCF_NR_OBS) {
		struct jc_lb_obs here, *obs = &here;
		struct jc_features f;

		JCF_OBS(JCF_ASSIGN)
		jc_features(obs, &f);
		bits[i] = f.bits;
		for (k = 0; k < JC_NR_NUMS; k++)
			num[i * JC_NR_NUMS + k] = f.num[k];
	}
}
