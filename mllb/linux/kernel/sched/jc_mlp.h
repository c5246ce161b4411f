/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The network of the learned load balancer: 15 inputs, 10 ReLU units, one
 * linear output, "migrate" above one half.
 */
#ifndef _KERNEL_SCHED_JC_MLP_H
#define _KERNEL_SCHED_JC_MLP_H

#include <linux/jc_sched.h>
#include <linux/limits.h>
#include <linux/liteflow_engine.h>
#include <linux/minmax.h>

#define JC_NR_HIDDEN	10

/* The tag that its models carry: these inputs, this output. */
#define JC_UNITS	"jc-1"

/* Outputs are in 1/65536; above one half the task may migrate. */
#define JC_THRESHOLD	32768

/* Sums of two hidden units share a word: half the loads and multiplications. */
#define JC_NR_PAIRS	(JC_NR_HIDDEN / 2)

/* Two tables over five binary inputs each replace ten multiplications. */
#define JC_TAB_BITS	5
#define JC_TAB_SIZE	32

/**
 * struct jc_mlp_fixed - tables of the fixed-point forward pass
 * @b2: output bias
 * @num: hidden weights of the numeric inputs
 * @tab: sums of the binary inputs 0-4 and 5-9 of jc_features::bits for every
 *	combination; the first holds the biases as well
 * @w2: output weights
 * @shift: of the hidden sums
 *
 * A word of @num and of @tab is that of an even hidden unit plus 2^32 times that
 * of the next one.
 *
 * Small enough for one page: the balancer runs rarely, and then finds neither
 * caches nor TLB warm.
 */
struct jc_mlp_fixed {
	s64 b2;
	s64 num[JC_NR_NUMS][JC_NR_PAIRS];
	s64 tab[2][JC_TAB_SIZE][JC_NR_PAIRS];
	s32 w2[JC_NR_HIDDEN];
	u8 shift;
};

/*
 * Tables of the float forward pass, as struct jc_mlp_fixed, all in units of the
 * output. Only jc_mlp_float.c may touch the values: no other object is built for
 * the FPU.
 */
struct jc_mlp_float {
	float b2;
	float w2[JC_NR_HIDDEN];
	float num[JC_NR_NUMS][JC_NR_HIDDEN];
	float tab[2][JC_TAB_SIZE][JC_NR_HIDDEN];
};

/**
 * struct jc_mlp - a network ready to be asked
 * @in: how the numeric inputs are clamped and quantised
 * @out: how the output is made
 * @fixed: tables of the fixed-point forward pass
 * @fl: tables of the float forward pass
 * @checksum: of the model's blob
 * @name: of the model
 */
struct jc_mlp {
	struct lf_scale in[JC_NR_NUMS];
	struct lf_scale out;
	union {
		struct jc_mlp_fixed fixed;
		struct jc_mlp_float fl;
	};
	u32 checksum;
	char name[LITEFLOW_NAME_LEN];
};

extern const u8 *const jc_builtin_blob;
extern const size_t jc_builtin_len;
extern const char *const jc_input_names[JC_NR_INPUTS];
extern const struct lf_limits jc_limits;

int jc_mlp_check(const struct lf_model *model, struct lf_error *err);
void jc_mlp_describe(struct jc_mlp *mlp, const struct lf_model *model);
s32 jc_mlp_tab_sum(const struct lf_model *model, int half, int row, int j);
void jc_mlp_prepare_fixed(struct jc_mlp *mlp, const struct lf_model *model);
s32 jc_mlp_forward_fixed(const struct jc_mlp *mlp, const struct jc_features *f);

/* Only inside kernel_fpu_begin()/kernel_fpu_end(). */
void jc_mlp_prepare_float(struct jc_mlp *mlp, const struct lf_model *model);
bool jc_mlp_forward_float(const struct jc_mlp *mlp, const struct jc_features *f);

/* Bound of the fault difference, so that twice of it fits s32. */
#define JC_FAULTS_MAX	0x1000000L

/* A model's inputs are s32. */
static inline s32 jc_sat_ulong(unsigned long v)
{
	return min_t(unsigned long, v, S32_MAX);
}

/**
 * jc_features() - make the inputs of the network from raw observations
 * @d: the observations
 * @f: result
 *
 * The gates are those of the rule that is imitated, so that the features
 * determine its answer: locality counts only behind jc_lb_obs::numa_gate,
 * and task_hot() decides before it looks at the clock for SMT siblings,
 * SCHED_IDLE tasks, core cookies and a migration cost of -1 or 0.
 *
 * A tie of the NUMA weights lets the task move, a closed gate leaves the
 * question to task_hot(): the "+ 1" below gives the tie a sign of its own.
 *
 * Inline, so that the observations stay in registers.
 *
 * Context: any; no locks, no side effects.
 */
static __always_inline void jc_features(const struct jc_lb_obs *d,
					struct jc_features *f)
{
	/* no && or ||: these branches could not be predicted */
	bool early_cold = d->smt | d->idle_policy;
	bool always_hot = (d->migration_cost == UINT_MAX) | d->cookie_mismatch;
	bool recent = (d->migration_cost != 0) &
		      (d->delta < (s64)d->migration_cost);
	bool hot = (always_hot | recent) & !early_cold;
	bool buddy = d->buddy_hot & !early_cold;
	bool non_pref = d->prefer_src & (d->src_len > d->src_preferred_len);
	bool extra = d->nr_fails > d->cache_nice_tries;
	s64 faults = 2 * (s64)clamp_t(long, d->delta_faults, -JC_FAULTS_MAX,
				      JC_FAULTS_MAX) + 1;

	f->bits = (u32)non_pref << JC_BIT_SRC_NON_PREF |
		  (u32)hot << JC_BIT_DELTA_HOT |
		  (u32)d->cpu_idle << JC_BIT_CPU_IDLE |
		  (u32)d->cpu_not_idle << JC_BIT_CPU_NOT_IDLE |
		  (u32)d->cpu_newly_idle << JC_BIT_CPU_NEWLY_IDLE |
		  (u32)d->same_node << JC_BIT_SAME_NODE |
		  (u32)d->prefer_src << JC_BIT_PREFER_SRC |
		  (u32)d->prefer_dst << JC_BIT_PREFER_DST |
		  (u32)extra << JC_BIT_EXTRA_FAILS |
		  (u32)buddy << JC_BIT_BUDDY_HOT;

	f->num[JC_NUM_SRC_LEN] = jc_sat_ulong(d->src_len) - 2;
	f->num[JC_NUM_SRC_LOAD] = jc_sat_ulong(d->src_load);
	f->num[JC_NUM_DST_LOAD] = jc_sat_ulong(d->dst_load);
	f->num[JC_NUM_DST_LEN] = jc_sat_ulong(d->dst_len);
	f->num[JC_NUM_DELTA_FAULTS] = faults * d->numa_gate;
}

/* What the engine makes of a hidden sum, which fits s32. */
static __always_inline s64 jc_hidden(s64 sum, unsigned int shift)
{
	sum = lf_rshift(sum, shift);
	sum = sum < 0 ? 0 : sum;
	return sum < S16_MAX ? sum : S16_MAX;
}

/**
 * jc_mlp_ask_fixed() - ask the network, in fixed point
 * @mlp: a network that jc_mlp_prepare_fixed() made ready
 * @f: the inputs; any value is allowed
 *
 * Bit for bit what lf_model_run() answers to the same inputs. Inline, so that
 * the balancer finds it beside its own code.
 *
 * Context: any, IRQs off and run-queue lock held included; 41 multiplications,
 * no memory but @mlp and @f.
 * Return: the output, 1/65536: migrate if above JC_THRESHOLD.
 */
static __always_inline s32 jc_mlp_ask_fixed(const struct jc_mlp *mlp,
					    const struct jc_features *f)
{
	const struct jc_mlp_fixed *t = &mlp->fixed;
	const s64 *lo = t->tab[0][f->bits % JC_TAB_SIZE];
	const s64 *hi = t->tab[1][f->bits / JC_TAB_SIZE % JC_TAB_SIZE];
	s64 out = t->b2;
	s64 x[JC_NR_NUMS];
	int i, j;

	/* a quarter faster than loops */
#if CONFIG_GCC_VERSION >= 80000
#pragma GCC unroll 5
#endif
	for (i = 0; i < JC_NR_NUMS; i++)
		x[i] = lf_input(&mlp->in[i], f->num[i]);

#if CONFIG_GCC_VERSION >= 80000
#pragma GCC unroll 5
#endif
	for (j = 0; j < JC_NR_PAIRS; j++) {
		/* either half fits: lf_layer::wide is not set */
		s64 sums = lo[j] + hi[j] +
			   x[0] * t->num[0][j] + x[1] * t->num[1][j] +
			   x[2] * t->num[2][j] + x[3] * t->num[3][j] +
			   x[4] * t->num[4][j];
		s32 even = sums;

		out += jc_hidden(even, t->shift) * t->w2[2 * j] +
		       jc_hidden((sums - even) >> 32, t->shift) * t->w2[2 * j + 1];
	}
	return lf_output(&mlp->out, out);
}

/* Where the features stand in the model: inputs 8-12 are the numeric ones. */
static inline int jc_bit_input(int bit)
{
	return bit < JC_BIT_EXTRA_FAILS ? bit : bit + JC_NR_NUMS;
}

static inline int jc_num_input(int num)
{
	return num + JC_BIT_EXTRA_FAILS;
}

#endif /* _KERNEL_SCHED_JC_MLP_H */
