/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the learned load balancer: features and arithmetic
 *
 * Nothing here needs SMP: what the balancer observes is made up.
 */
#ifdef CONFIG_JC_SCHED_KUNIT_TEST

#ifndef _JC_MLP_KUNIT_H
#define _JC_MLP_KUNIT_H

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../liteflow/tests/testmodel.h"
#include "../jc_golden.h"

#define JC_BLOB_ROOM	4096

KUNIT_DEFINE_ACTION_WRAPPER(jc_free_model, lf_model_free, const struct lf_model *);

/* The model of a blob that has to be accepted. */
static const struct lf_model *jc_test_parse(struct kunit *test, const void *blob, size_t len)
{
	struct lf_error err = {};
	struct lf_model *model;

	KUNIT_ASSERT_EQ_MSG(test, lf_model_parse(blob, len, &jc_limits, &model, &err), 0, "%s",
			    err.msg);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, jc_free_model, model), 0);
	return model;
}

static struct jc_mlp *jc_test_prepare(struct kunit *test, const struct lf_model *model)
{
	struct jc_mlp *mlp = kunit_kzalloc(test, sizeof(*mlp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mlp);
	jc_mlp_prepare_fixed(mlp, model);
	return mlp;
}

static struct jc_mlp *jc_test_builtin(struct kunit *test)
{
	return jc_test_prepare(test, jc_test_parse(test, jc_builtin_blob, jc_builtin_len));
}

/* A blob made from a number, its length in @len. */
static void *jc_test_blob(struct kunit *test, u32 seed, const struct lf_testmodel_spec *spec,
			  size_t *len)
{
	void *blob = kunit_kmalloc(test, JC_BLOB_ROOM, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, blob);
	*len = lf_testmodel(seed, spec, blob, JC_BLOB_ROOM);
	KUNIT_ASSERT_LE(test, *len, JC_BLOB_ROOM);
	return blob;
}

/* The model's inputs of features. */
static void jc_inputs(const struct jc_features *f, s32 *in)
{
	int i;

	for (i = 0; i < JC_NR_BITS; i++)
		in[jc_bit_input(i)] = !!(f->bits & BIT(i));
	for (i = 0; i < JC_NR_NUMS; i++)
		in[jc_num_input(i)] = f->num[i];
}

static bool jc_decides(const struct jc_mlp *mlp, const struct jc_features *f)
{
	return jc_mlp_forward_fixed(mlp, f) > JC_THRESHOLD;
}

/* The built-in model is one that the scheduler takes, and that of the vectors. */
static void jc_builtin_is_sound(struct kunit *test)
{
	const struct lf_model *model = jc_test_parse(test, jc_builtin_blob, jc_builtin_len);
	struct lf_error err = {};

	KUNIT_EXPECT_EQ_MSG(test, jc_mlp_check(model, &err), 0, "%s", err.msg);
	KUNIT_EXPECT_EQ_MSG(test, model->crc, JC_GOLDEN_CHECKSUM,
			    "the golden vectors are of another network");
	KUNIT_EXPECT_EQ(test, jc_test_builtin(test)->checksum, JC_GOLDEN_CHECKSUM);
}

struct jc_refusal {
	const char *name;
	struct lf_testmodel_spec spec;
	const char *why;	/* part of the reason */
};

#define JC_SPEC_OF(inputs, tag, names)	.n_in = (inputs), .n_out = 1, .units = (tag), \
					.features = (names), .weight_bits = 6
#define JC_SPEC				JC_SPEC_OF(JC_NR_INPUTS, JC_UNITS, jc_input_names)

static const char *const jc_wrong_order[JC_NR_INPUTS] = {
	"delta_hot", "src_non_pref", "cpu_idle", "cpu_not_idle", "cpu_newly_idle",
	"same_node", "prefer_src", "prefer_dst", "src_len", "src_load", "dst_load",
	"dst_len", "delta_faults", "extra_fails", "buddy_hot",
};

static const struct jc_refusal jc_refusals[] = {
	{ "three layers",
	  { JC_SPEC, .n_layers = 3, .width = 8, .act = LITEFLOW_ACT_RELU }, "two layers" },
	{ "tanh",
	  { JC_SPEC, .n_layers = 2, .width = 10, .act = LITEFLOW_ACT_TANH }, "relu, then none" },
	{ "a bend at the end",
	  { JC_SPEC, .n_layers = 2, .width = 10, .act = LITEFLOW_ACT_RELU,
	    .last = LITEFLOW_ACT_RELU },
	  "relu, then none" },
	{ "eleven hidden units",
	  { JC_SPEC, .n_layers = 2, .width = 11, .act = LITEFLOW_ACT_RELU }, "at most 10" },
	{ "other units",
	  { JC_SPEC_OF(JC_NR_INPUTS, "jc-2", jc_input_names), .n_layers = 2, .width = 10,
	    .act = LITEFLOW_ACT_RELU }, "units" },
	{ "another order",
	  { JC_SPEC_OF(JC_NR_INPUTS, JC_UNITS, jc_wrong_order), .n_layers = 2, .width = 10,
	    .act = LITEFLOW_ACT_RELU }, "src_non_pref" },
	{ "an input less",
	  { JC_SPEC_OF(14, JC_UNITS, jc_input_names), .n_layers = 2, .width = 10,
	    .act = LITEFLOW_ACT_RELU }, "input" },
};

KUNIT_ARRAY_PARAM_DESC(jc_refusal, jc_refusals, name);

/* What the tables cannot stand for is refused, with a reason. */
static void jc_check_refuses(struct kunit *test)
{
	const struct jc_refusal *c = test->param_value;
	struct lf_error err = {};
	struct lf_model *model;
	size_t len;
	void *blob;
	int ret;

	blob = jc_test_blob(test, 1, &c->spec, &len);
	ret = lf_model_parse(blob, len, &jc_limits, &model, &err);
	if (!ret) {
		ret = jc_mlp_check(model, &err);
		lf_model_free(model);
	}
	KUNIT_EXPECT_LT(test, ret, 0);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(err.msg, c->why), "%s", err.msg);
}

/* Of random networks, the tables answer what the engine answers, bit for bit. */
static void jc_tables_are_the_engine(struct kunit *test)
{
	struct lf_testmodel_spec spec = {
		JC_SPEC, .n_layers = 2, .act = LITEFLOW_ACT_RELU, .last = LITEFLOW_ACT_NONE,
	};
	struct jc_mlp *mlp = kunit_kzalloc(test, sizeof(*mlp), GFP_KERNEL);
	unsigned int seed, n, i, asked = 0, wide = 0;
	s16 scratch[2 * JC_NR_INPUTS];
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, mlp);
	prandom_seed_state(&rnd, 15);
	for (seed = 1; seed <= 2000; seed++) {
		const struct lf_model *model;
		struct lf_error err = {};
		struct jc_features f;
		size_t len;
		void *blob;

		spec.width = 1 + seed % JC_NR_HIDDEN;
		spec.weight_bits = 1 + seed % 15;
		blob = jc_test_blob(test, seed, &spec, &len);
		model = jc_test_parse(test, blob, len);
		kunit_kfree(test, blob);
		if (model->layers[0].wide) {
			KUNIT_EXPECT_EQ(test, jc_mlp_check(model, &err), -EINVAL);
			KUNIT_EXPECT_NOT_NULL(test, strstr(err.msg, "32 bits"));
			wide++;
			kunit_release_action(test, jc_free_model, (void *)model);
			continue;
		}
		KUNIT_ASSERT_EQ_MSG(test, jc_mlp_check(model, &err), 0, "%s", err.msg);
		jc_mlp_prepare_fixed(mlp, model);
		for (n = 0; n < 50; n++) {
			s32 in[JC_NR_INPUTS], out;

			f.bits = prandom_u32_state(&rnd) % BIT(JC_NR_BITS);
			for (i = 0; i < JC_NR_NUMS; i++)
				f.num[i] = (s32)prandom_u32_state(&rnd) >>
					   prandom_u32_state(&rnd) % 32;
			jc_inputs(&f, in);
			lf_model_run(model, in, &out, scratch);
			KUNIT_ASSERT_EQ_MSG(test, jc_mlp_forward_fixed(mlp, &f), out,
					    "model %u, input %u", seed, n);
			asked++;
		}
		kunit_release_action(test, jc_free_model, (void *)model);
	}
	kunit_info(test, "%u answers, %u models of 64-bit sums refused", asked, wide);
	KUNIT_EXPECT_GT(test, asked, 10000);
	KUNIT_EXPECT_GT(test, wide, 0);
}

/* Recorded and reachable inputs: what the trainer computed, and the rule's answer. */
static void jc_golden_vectors(struct kunit *test)
{
	struct jc_mlp *mlp = jc_test_builtin(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(jc_golden); i++) {
		const struct jc_golden *g = &jc_golden[i];
		struct jc_features f = { .bits = g->bits };

		memcpy(f.num, g->num, sizeof(f.num));
		KUNIT_EXPECT_EQ_MSG(test, jc_mlp_forward_fixed(mlp, &f), g->out, "row %d", i);
		KUNIT_EXPECT_EQ_MSG(test, jc_decides(mlp, &f), g->rule, "row %d", i);
	}
}

/* What the original divided by, shifted out of its word, or let wrap. */
static void jc_extreme_inputs(struct kunit *test)
{
	static const unsigned long load[] = {
		0, 1, 1048575, 1048576, 2097151, 2097152, 4 * 2097152UL,
		INT_MAX, UINT_MAX, LONG_MAX, ULONG_MAX,
	};
	struct jc_lb_obs d = { .migration_cost = 500000, .src_len = 4 };
	struct jc_features f;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(load); i++) {
		for (j = 0; j < ARRAY_SIZE(load); j++) {
			d.src_load = load[i];
			d.dst_load = load[j];
			jc_features(&d, &f);
			KUNIT_EXPECT_EQ(test, f.num[JC_NUM_SRC_LOAD],
					min_t(unsigned long, load[i], S32_MAX));
			KUNIT_EXPECT_EQ(test, f.num[JC_NUM_DST_LOAD],
					min_t(unsigned long, load[j], S32_MAX));
		}
	}

	d.src_len = UINT_MAX;
	d.dst_len = UINT_MAX;
	d.numa_gate = true;
	d.delta_faults = LONG_MIN;
	jc_features(&d, &f);
	KUNIT_EXPECT_EQ(test, f.num[JC_NUM_SRC_LEN], S32_MAX - 2);
	KUNIT_EXPECT_EQ(test, f.num[JC_NUM_DST_LEN], S32_MAX);
	KUNIT_EXPECT_LT(test, f.num[JC_NUM_DELTA_FAULTS], 0);
	d.delta_faults = LONG_MAX;
	jc_features(&d, &f);
	KUNIT_EXPECT_GT(test, f.num[JC_NUM_DELTA_FAULTS], 0);
	d.src_len = 0;
	jc_features(&d, &f);
	KUNIT_EXPECT_EQ(test, f.num[JC_NUM_SRC_LEN], -2);
}

/*
 * Numbers of any size and sign: beyond its range an input counts as at its end. Of
 * random networks, as a trained one may not use an input at all.
 */
static void jc_clamps_inputs(struct kunit *test)
{
	const struct lf_testmodel_spec spec = {
		JC_SPEC, .n_layers = 2, .width = JC_NR_HIDDEN, .act = LITEFLOW_ACT_RELU,
		.last = LITEFLOW_ACT_NONE,
	};
	struct jc_mlp *mlp = kunit_kzalloc(test, sizeof(*mlp), GFP_KERNEL);
	unsigned int seed, n, i, matters[JC_NR_NUMS] = {};
	struct jc_features f, clamped, other;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, mlp);
	prandom_seed_state(&rnd, 6012);
	for (seed = 1; seed <= 200; seed++) {
		size_t len;
		void *blob = jc_test_blob(test, seed, &spec, &len);

		jc_mlp_prepare_fixed(mlp, jc_test_parse(test, blob, len));
		kunit_kfree(test, blob);
		for (n = 0; n < 500; n++) {
			f.bits = prandom_u32_state(&rnd) % BIT(JC_NR_BITS);
			clamped.bits = f.bits;
			for (i = 0; i < JC_NR_NUMS; i++) {
				u32 r = prandom_u32_state(&rnd);

				f.num[i] = (s32)prandom_u32_state(&rnd) >> r % 32;
				clamped.num[i] = clamp(f.num[i], mlp->in[i].lo, mlp->in[i].hi);
			}
			KUNIT_ASSERT_EQ(test, jc_mlp_forward_fixed(mlp, &f),
					jc_mlp_forward_fixed(mlp, &clamped));
			/* would it be seen? */
			other = f;
			other.num[n % JC_NR_NUMS] = ~f.num[n % JC_NR_NUMS];
			matters[n % JC_NR_NUMS] += jc_mlp_forward_fixed(mlp, &f) !=
						   jc_mlp_forward_fixed(mlp, &other);
		}
	}
	for (i = 0; i < JC_NR_NUMS; i++)
		KUNIT_EXPECT_GT_MSG(test, matters[i], 1000, "input %u", i);
}

/* One gate of the features each. */
struct jc_gate_case {
	const char *name;
	struct jc_lb_obs d;
	u32 set;	/* bits that must be set */
	u32 clear;	/* bits that must not */
	s32 delta_faults;
};

#define JC_COLD	.migration_cost = 500000, .delta = 500000
#define JC_HOT	.migration_cost = 500000, .delta = 499999

static const struct jc_gate_case jc_gate_cases[] = {
	{ "cold at migration_cost", { JC_COLD }, 0, BIT(JC_BIT_DELTA_HOT) },
	{ "hot below it", { JC_HOT }, BIT(JC_BIT_DELTA_HOT), 0 },
	{ "clock that went back is hot", { .migration_cost = 1, .delta = -1 },
	  BIT(JC_BIT_DELTA_HOT), 0 },
	{ "cost -1: always hot",
	  { .migration_cost = UINT_MAX, .delta = S64_MAX },
	  BIT(JC_BIT_DELTA_HOT), 0 },
	{ "cost 0: never hot", { .migration_cost = 0, .delta = 0 },
	  0, BIT(JC_BIT_DELTA_HOT) },
	{ "cost 0: nor if the clock went back",
	  { .migration_cost = 0, .delta = -1 }, 0, BIT(JC_BIT_DELTA_HOT) },
	{ "cookie mismatch is hot", { JC_COLD, .cookie_mismatch = true },
	  BIT(JC_BIT_DELTA_HOT), 0 },
	{ "SMT sibling is cold, mismatch or not",
	  { JC_HOT, .cookie_mismatch = true, .smt = true, .buddy_hot = true },
	  0, BIT(JC_BIT_DELTA_HOT) | BIT(JC_BIT_BUDDY_HOT) },
	{ "SCHED_IDLE is cold",
	  { JC_HOT, .idle_policy = true, .buddy_hot = true },
	  0, BIT(JC_BIT_DELTA_HOT) | BIT(JC_BIT_BUDDY_HOT) },
	{ "buddy", { JC_COLD, .buddy_hot = true }, BIT(JC_BIT_BUDDY_HOT),
	  BIT(JC_BIT_DELTA_HOT) },
	{ "fails at cache_nice_tries are not extra",
	  { JC_COLD, .nr_fails = 2, .cache_nice_tries = 2 },
	  0, BIT(JC_BIT_EXTRA_FAILS) },
	{ "one more is",
	  { JC_COLD, .nr_fails = 3, .cache_nice_tries = 2 },
	  BIT(JC_BIT_EXTRA_FAILS), 0 },
	{ "gate closed: no fault difference",
	  { JC_COLD, .delta_faults = 7, .src_len = 3 },
	  0, BIT(JC_BIT_SRC_NON_PREF), 0 },
	{ "gate open: twice the difference and one",
	  { JC_COLD, .numa_gate = true, .delta_faults = 7 }, 0, 0, 15 },
	{ "gate open: a tie is positive",
	  { JC_COLD, .numa_gate = true }, 0, 0, 1 },
	{ "gate open: less is negative",
	  { JC_COLD, .numa_gate = true, .delta_faults = -1 }, 0, 0, -1 },
	{ "source runs tasks that do not prefer it",
	  { JC_COLD, .numa_gate = true, .prefer_src = true, .src_len = 3,
	    .src_preferred_len = 2 },
	  BIT(JC_BIT_SRC_NON_PREF) | BIT(JC_BIT_PREFER_SRC), 0, 1 },
	{ "all tasks of the source prefer it",
	  { JC_COLD, .numa_gate = true, .prefer_src = true, .src_len = 3,
	    .src_preferred_len = 3 },
	  BIT(JC_BIT_PREFER_SRC), BIT(JC_BIT_SRC_NON_PREF), 1 },
	{ "destination preferred",
	  { JC_COLD, .numa_gate = true, .prefer_dst = true },
	  BIT(JC_BIT_PREFER_DST), BIT(JC_BIT_PREFER_SRC), 1 },
};

KUNIT_ARRAY_PARAM_DESC(jc_gate, jc_gate_cases, name);

static void jc_feature_gates(struct kunit *test)
{
	const struct jc_gate_case *c = test->param_value;
	struct jc_features f;

	jc_features(&c->d, &f);
	KUNIT_EXPECT_EQ(test, f.bits & c->set, c->set);
	KUNIT_EXPECT_EQ(test, f.bits & c->clear, 0);
	KUNIT_EXPECT_EQ(test, f.num[JC_NUM_DELTA_FAULTS], c->delta_faults);
}

/* What the rule of 6.12 looks at, before any gate. */
struct jc_situation {
	bool smt, idle_policy, buddy, cookie_mismatch, extra_fails, non_pref;
	unsigned int cost;
	s64 delta;
	bool numa_on, has_faults, sd_numa, nodes_differ;
	int prefer;		/* 0 neither node, 1 source, 2 destination */
	int idle;		/* 0 idle, 1 not idle, 2 newly idle */
	long weights;		/* destination less source */
};

static int jc_rule_degrades_locality(const struct jc_situation *s)
{
	if (!s->numa_on || !s->has_faults || !s->sd_numa || !s->nodes_differ)
		return -1;
	if (s->prefer == 1)
		return s->non_pref ? 1 : -1;
	if (s->prefer == 2)
		return 0;
	if (s->idle == 0)
		return -1;
	return s->weights < 0;
}

static int jc_rule_task_hot(const struct jc_situation *s)
{
	if (s->idle_policy || s->smt)
		return 0;
	if (s->buddy || s->cost == UINT_MAX || s->cookie_mismatch)
		return 1;
	if (s->cost == 0)
		return 0;
	return s->delta < s->cost;
}

/*
 * The decision of can_migrate_task() before it forces a migration,
 * independently of jc_features().
 */
static bool jc_rule(const struct jc_situation *s)
{
	int hot = jc_rule_degrades_locality(s);

	if (hot == -1)
		hot = jc_rule_task_hot(s);
	return hot <= 0;
}

/* As jc_lb.c gathers it. */
static void jc_observe(const struct jc_situation *s, struct jc_lb_obs *d)
{
	bool gate = s->numa_on && s->has_faults && s->sd_numa && s->nodes_differ;
	/* where the rule decides without the weights they are not computed */
	bool weighed = gate && s->prefer == 0 && s->idle != 0;

	*d = (struct jc_lb_obs) {
		.delta = s->delta,
		.migration_cost = s->cost,
		.src_len = 3,
		.src_preferred_len = s->non_pref ? 2 : 3,
		.delta_faults = weighed ? s->weights : 0,
		.nr_fails = s->extra_fails,
		.cpu_idle = s->idle == 0,
		.cpu_not_idle = s->idle == 1,
		.cpu_newly_idle = s->idle == 2,
		.same_node = !s->sd_numa || !s->nodes_differ,
		.prefer_src = gate && s->prefer == 1,
		.prefer_dst = gate && s->prefer == 2,
		.buddy_hot = s->buddy,
		.numa_gate = gate,
		.smt = s->smt,
		.idle_policy = s->idle_policy,
		.cookie_mismatch = s->cookie_mismatch,
	};
}

static unsigned int jc_digit(unsigned int *n, unsigned int radix)
{
	unsigned int digit = *n % radix;

	*n /= radix;
	return digit;
}

/* The n-th of all situations, in mixed radix; false past the last. */
static bool jc_situation(unsigned int n, struct jc_situation *s)
{
	static const unsigned int cost[] = { 500000, 0, UINT_MAX };
	static const s64 delta[] = { -1, 499999, 500000 };
	static const long weights[] = { -5, 0, 5 };

	s->smt = jc_digit(&n, 2);
	s->idle_policy = jc_digit(&n, 2);
	s->buddy = jc_digit(&n, 2);
	s->cookie_mismatch = jc_digit(&n, 2);
	s->extra_fails = jc_digit(&n, 2);
	s->non_pref = jc_digit(&n, 2);
	s->numa_on = jc_digit(&n, 2);
	s->has_faults = jc_digit(&n, 2);
	s->sd_numa = jc_digit(&n, 2);
	s->nodes_differ = jc_digit(&n, 2);
	s->cost = cost[jc_digit(&n, 3)];
	s->delta = delta[jc_digit(&n, 3)];
	s->prefer = jc_digit(&n, 3);
	s->idle = jc_digit(&n, 3);
	s->weights = weights[jc_digit(&n, 3)];
	return !n;
}

/*
 * Do the features determine what the rule answers? Two situations with the
 * same features and different answers would be a question that no network can
 * get right.
 *
 * None is left among these 248832 situations. Outside of them: task_hot() calls
 * a task cold that is not of the fair class, but only fair tasks are on the
 * list that is balanced; and a model whose range of delta_faults does not reach
 * -1 and 1 loses what the raw feature has.
 */
static void jc_features_determine_rule(struct kunit *test)
{
	/* by the ten bits and the fault difference: closed, less, tie, more */
	u8 (*seen)[4] = kunit_kzalloc(test, BIT(JC_NR_BITS) * 4, GFP_KERNEL);
	struct jc_situation s;
	struct jc_features f;
	struct jc_lb_obs d;
	unsigned int n, distinct = 0, ambiguous = 0;

	KUNIT_ASSERT_NOT_NULL(test, seen);

	for (n = 0; jc_situation(n, &s); n++) {
		u8 *answers;
		s32 faults;

		jc_observe(&s, &d);
		jc_features(&d, &f);
		faults = f.num[JC_NUM_DELTA_FAULTS];
		answers = &seen[f.bits][!faults ? 0 : faults < 0 ? 1 :
						   faults == 1 ? 2 : 3];
		distinct += !*answers;
		*answers |= BIT(jc_rule(&s));
	}
	KUNIT_EXPECT_EQ(test, n, 1024 * 243);

	for (n = 0; n < BIT(JC_NR_BITS); n++) {
		int i;

		for (i = 0; i < 4; i++)
			ambiguous += seen[n][i] == 3;
	}
	kunit_info(test, "%u distinct features, %u ambiguous", distinct,
		   ambiguous);
	KUNIT_EXPECT_EQ(test, ambiguous, 0);
}

/*
 * The built-in network against the rule, in every situation, for queues of 1
 * to 500 tasks and any load, whatever weights it gives them: no length of a queue
 * makes it refuse cold tasks.
 */
static void jc_network_follows_rule(struct kunit *test)
{
	static const unsigned long load[] = { 0, 1024, 500 * 1024UL, ULONG_MAX };
	struct jc_mlp *mlp = jc_test_builtin(test);
	unsigned int n, asked = 0, agree = 0;
	struct jc_situation s;
	struct jc_features f;
	struct jc_lb_obs d;

	for (n = 0; jc_situation(n, &s); n++) {
		jc_observe(&s, &d);
		d.src_len = 1 + n % 500;
		d.src_preferred_len = s.non_pref ? d.src_len - 1 : d.src_len;
		d.dst_len = n / 7 % 500;
		d.src_load = load[n / 3 % 4];
		d.dst_load = load[n / 5 % 4];
		jc_features(&d, &f);
		asked++;
		agree += jc_decides(mlp, &f) == jc_rule(&s);
	}
	kunit_info(test, "%u of %u situations agree", agree, asked);
	KUNIT_EXPECT_GE(test, agree, asked / 1000 * 999);

	/* a cold task, same node, on an ever longer queue */
	d = (struct jc_lb_obs) { JC_COLD, .same_node = true };
	for (n = 1; n <= 500; n++) {
		d.src_len = n;
		d.src_load = n * 1024UL;
		d.cpu_idle = n % 3 == 0;
		d.cpu_not_idle = n % 3 == 1;
		d.cpu_newly_idle = n % 3 == 2;
		jc_features(&d, &f);
		KUNIT_EXPECT_TRUE_MSG(test, jc_decides(mlp, &f),
				      "a cold task on a queue of %u", n);
	}
}

static struct kunit_case jc_mlp_cases[] = {
	KUNIT_CASE(jc_builtin_is_sound),
	KUNIT_CASE_PARAM(jc_check_refuses, jc_refusal_gen_params),
	KUNIT_CASE(jc_tables_are_the_engine),
	KUNIT_CASE(jc_golden_vectors),
	KUNIT_CASE(jc_extreme_inputs),
	KUNIT_CASE(jc_clamps_inputs),
	KUNIT_CASE_PARAM(jc_feature_gates, jc_gate_gen_params),
	KUNIT_CASE(jc_features_determine_rule),
	KUNIT_CASE(jc_network_follows_rule),
	{}
};

static struct kunit_suite jc_mlp_suite = {
	.name = "jc_mlp",
	.test_cases = jc_mlp_cases,
};

kunit_test_suite(jc_mlp_suite);

#endif /* _JC_MLP_KUNIT_H */

#endif /* CONFIG_JC_SCHED_KUNIT_TEST */
