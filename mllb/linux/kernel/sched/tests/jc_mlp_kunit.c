// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the learned load balancer: features and fixed point
 *
 * Nothing here needs SMP: what the balancer observes is made up.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "../jc_mlp.h"
#include "../jc_golden.h"

static struct jc_mlp *jc_test_prepare(struct kunit *test,
				      const struct jc_mlp_model *model)
{
	struct jc_mlp *mlp = kunit_kzalloc(test, sizeof(*mlp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mlp);
	jc_mlp_prepare_fixed(mlp, model);
	return mlp;
}

/* Built-in weights: the checksum is of what is there, all is in range. */
static void jc_weights_integrity(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, jc_mlp_checksum(&jc_mlp_default),
			jc_mlp_default.checksum);
	KUNIT_EXPECT_EQ(test, jc_mlp_check(&jc_mlp_default), 0);
	KUNIT_EXPECT_EQ_MSG(test, jc_mlp_default.checksum, JC_GOLDEN_CHECKSUM,
			    "the golden vectors are of another network");
}

/* A model that the forward pass is not proved for is refused. */
static void jc_check_refuses(struct kunit *test)
{
	struct jc_mlp_model *m = kunit_kmalloc(test, sizeof(*m), GFP_KERNEL);
	s32 *word;

	KUNIT_ASSERT_NOT_NULL(test, m);
	*m = jc_mlp_default;

	/* any single changed word is noticed */
	for (word = &m->w1[0][0]; word < &m->hi[JC_NR_NUMS]; word++) {
		*word ^= 1;
		KUNIT_EXPECT_EQ(test, jc_mlp_check(m), -EBADMSG);
		*word ^= 1;
	}

	for (word = &m->w1[0][0]; word <= &m->b2; word++) {
		s32 old = *word;

		*word = JC_W_MAX;
		m->checksum = jc_mlp_checksum(m);
		KUNIT_EXPECT_EQ(test, jc_mlp_check(m), -ERANGE);
		*word = S32_MIN;
		m->checksum = jc_mlp_checksum(m);
		KUNIT_EXPECT_EQ(test, jc_mlp_check(m), -ERANGE);
		*word = old;
	}

	m->hi[1] = JC_NUM_MAX + 1;
	m->checksum = jc_mlp_checksum(m);
	KUNIT_EXPECT_EQ(test, jc_mlp_check(m), -ERANGE);
	m->hi[1] = m->lo[1] - 1;
	m->checksum = jc_mlp_checksum(m);
	KUNIT_EXPECT_EQ(test, jc_mlp_check(m), -EINVAL);
}

/* As jc_features() would make them of the raw values. */
static void jc_golden_features(const struct jc_golden *g, struct jc_features *f)
{
	f->bits = g->bits;
	f->num[JC_NUM_SRC_LEN] = g->src_len;
	f->num[JC_NUM_SRC_LOAD] = min_t(u64, g->src_load, S32_MAX);
	f->num[JC_NUM_DST_LOAD] = min_t(u64, g->dst_load, S32_MAX);
	f->num[JC_NUM_DST_LEN] = g->dst_len;
	f->num[JC_NUM_DELTA_FAULTS] = clamp_t(s64, g->delta, S32_MIN, S32_MAX);
}

struct jc_golden_case {
	const char *name;
	const struct jc_mlp_model *model;
	const struct jc_golden *row;
	int nr;
	s64 max_diff;	/* to double precision, Q16; -1: saturates, no such row */
};

/*
 * Recorded, random and extreme inputs, through the built-in weights, through
 * random weights on every input, and through the largest weights allowed.
 */
static const struct jc_golden_case jc_golden_cases[] = {
	{ "built-in", &jc_mlp_default, jc_golden, ARRAY_SIZE(jc_golden),
	  JC_GOLDEN_MAX_DIFF },
	{ "wide", &jc_golden_wide_model, jc_golden_wide,
	  ARRAY_SIZE(jc_golden_wide), JC_GOLDEN_WIDE_MAX_DIFF },
	{ "limit", &jc_golden_limit_model, jc_golden_limit,
	  ARRAY_SIZE(jc_golden_limit), -1 },
};

KUNIT_ARRAY_PARAM_DESC(jc_golden, jc_golden_cases, name);

/*
 * The fixed-point output is that of exact integer arithmetic, and as close to
 * the output in double precision as the generator of the vectors found. The
 * decision is the same wherever double precision is farther than that from the
 * threshold; over the recorded inputs, it must be the same in 99.9 %.
 */
static void jc_golden_vectors(struct kunit *test)
{
	const struct jc_golden_case *c = test->param_value;
	struct jc_mlp *mlp = jc_test_prepare(test, c->model);
	int i, recorded = 0, agree = 0;

	KUNIT_ASSERT_EQ(test, jc_mlp_check(c->model), 0);

	for (i = 0; i < c->nr; i++) {
		const struct jc_golden *g = &c->row[i];
		s64 want = g->out_q16 - (1 << (JC_W_SHIFT - 1));
		struct jc_features f;
		s64 got;

		jc_golden_features(g, &f);
		got = jc_mlp_forward_fixed(mlp, &f);
		KUNIT_EXPECT_EQ_MSG(test, got, g->fixed, "vector %d", i);
		if (c->max_diff < 0)
			continue;

		KUNIT_EXPECT_LE_MSG(test, abs((got >> JC_W_SHIFT) - want),
				    c->max_diff + 1, "vector %d", i);
		if (abs(want) > c->max_diff)
			KUNIT_EXPECT_EQ_MSG(test, got > 0, want > 0,
					    "vector %d decides otherwise", i);
		recorded += g->recorded;
		agree += g->recorded && (got > 0) == (want > 0);
	}
	kunit_info(test, "%d of %d recorded inputs decide as in double precision",
		   agree, recorded);
	KUNIT_EXPECT_GE(test, agree * 1000, recorded * 999);
}

/*
 * The largest weights on the largest inputs, each sign: no wrap. Division by
 * the unit keeps loads small, so the sums are those of exact arithmetic.
 */
static void jc_no_wrap(struct kunit *test)
{
	struct jc_mlp_model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct jc_features f = { .bits = BIT(JC_NR_BITS) - 1 };
	struct jc_mlp *mlp;
	int i, j, sign;

	KUNIT_ASSERT_NOT_NULL(test, m);

	for (sign = -1; sign <= 1; sign += 2) {
		for (j = 0; j < JC_NR_HIDDEN; j++) {
			for (i = 0; i < JC_NR_INPUTS; i++)
				m->w1[i][j] = sign * (JC_W_MAX - 1);
			m->b1[j] = sign * (JC_W_MAX - 1);
			m->w2[j] = JC_W_MAX - 1;
		}
		for (i = 0; i < JC_NR_NUMS; i++) {
			m->lo[i] = -JC_NUM_MAX;
			m->hi[i] = JC_NUM_MAX;
			f.num[i] = S32_MAX;
		}
		m->checksum = jc_mlp_checksum(m);
		KUNIT_ASSERT_EQ(test, jc_mlp_check(m), 0);
		mlp = jc_test_prepare(test, m);

		/* all hidden units saturate, or all are 0 */
		if (sign > 0)
			KUNIT_EXPECT_EQ(test, jc_mlp_forward_fixed(mlp, &f),
					(s64)JC_NR_HIDDEN * S32_MAX * (JC_W_MAX - 1) -
					(1LL << 31));
		else
			KUNIT_EXPECT_EQ(test, jc_mlp_forward_fixed(mlp, &f),
					-(1LL << 31));

		/* the other end of the inputs turns the sign */
		for (i = 0; i < JC_NR_NUMS; i++)
			f.num[i] = S32_MIN;
		if (sign > 0)
			KUNIT_EXPECT_EQ(test, jc_mlp_forward_fixed(mlp, &f),
					-(1LL << 31));
		else
			KUNIT_EXPECT_GT(test, jc_mlp_forward_fixed(mlp, &f), 0);
	}
}

/* What the original divided by, shifted out of its word, or let wrap. */
static void jc_extreme_inputs(struct kunit *test)
{
	static const unsigned long load[] = {
		0, 1, 1048575, 1048576, 2097151, 2097152, 4 * 2097152UL,
		INT_MAX, UINT_MAX, LONG_MAX, ULONG_MAX,
	};
	struct jc_mlp *mlp = jc_test_prepare(test, &jc_mlp_default);
	struct jc_lb_obs d = { .migration_cost = 500000, .src_len = 4 };
	struct jc_features f, top;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(load); i++) {
		for (j = 0; j < ARRAY_SIZE(load); j++) {
			d.src_load = load[i];
			d.dst_load = load[j];
			jc_features(&d, &f);
			KUNIT_EXPECT_GE(test, f.num[JC_NUM_SRC_LOAD], 0);
			KUNIT_EXPECT_GE(test, f.num[JC_NUM_DST_LOAD], 0);

			/* beyond the range is as at its end */
			top = f;
			top.num[JC_NUM_SRC_LOAD] = min(f.num[JC_NUM_SRC_LOAD],
						       mlp->hi[JC_NUM_SRC_LOAD]);
			top.num[JC_NUM_DST_LOAD] = min(f.num[JC_NUM_DST_LOAD],
						       mlp->hi[JC_NUM_DST_LOAD]);
			KUNIT_EXPECT_EQ(test, jc_mlp_forward_fixed(mlp, &f),
					jc_mlp_forward_fixed(mlp, &top));
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

/* Numbers of any size and sign, straight into the forward pass. */
static void jc_random_inputs(struct kunit *test)
{
	struct jc_mlp *mlp = jc_test_prepare(test, &jc_mlp_default);
	struct rnd_state rnd;
	struct jc_features f, clamped;
	int n, i;

	prandom_seed_state(&rnd, 6012);
	for (n = 0; n < 100000; n++) {
		f.bits = prandom_u32_state(&rnd) % BIT(JC_NR_BITS);
		clamped.bits = f.bits;
		for (i = 0; i < JC_NR_NUMS; i++) {
			u32 r = prandom_u32_state(&rnd);

			f.num[i] = (s32)prandom_u32_state(&rnd) >> r % 32;
			clamped.num[i] = clamp(f.num[i], mlp->lo[i], mlp->hi[i]);
		}
		KUNIT_ASSERT_EQ(test, jc_mlp_forward_fixed(mlp, &f),
				jc_mlp_forward_fixed(mlp, &clamped));
	}
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
 * The judgement of can_migrate_task() before it forces a migration,
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

	*d = (struct jc_lb_obs) {
		.delta = s->delta,
		.migration_cost = s->cost,
		.src_len = 3,
		.src_preferred_len = s->non_pref ? 2 : 3,
		.delta_faults = gate ? s->weights : 0,
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
 * to 500 tasks and any load: no length of a queue makes it refuse cold tasks.
 */
static void jc_network_follows_rule(struct kunit *test)
{
	static const unsigned long load[] = { 0, 1024, 500 * 1024UL, ULONG_MAX };
	struct jc_mlp *mlp = jc_test_prepare(test, &jc_mlp_default);
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
		agree += (jc_mlp_forward_fixed(mlp, &f) > 0) == jc_rule(&s);
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
		KUNIT_EXPECT_GT_MSG(test, jc_mlp_forward_fixed(mlp, &f), 0,
				    "a cold task on a queue of %u", n);
	}
}

static struct kunit_case jc_mlp_cases[] = {
	KUNIT_CASE(jc_weights_integrity),
	KUNIT_CASE(jc_check_refuses),
	KUNIT_CASE_PARAM(jc_golden_vectors, jc_golden_gen_params),
	KUNIT_CASE(jc_no_wrap),
	KUNIT_CASE(jc_extreme_inputs),
	KUNIT_CASE(jc_random_inputs),
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

MODULE_DESCRIPTION("KUnit tests of the learned load balancer");
MODULE_LICENSE("GPL");
