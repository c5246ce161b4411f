// SPDX-License-Identifier: GPL-2.0
/*
 * The arithmetic of decisions; and how often the watch raises a false alarm, on rewards
 * that depend on each other in the ways of real ones. KTAP.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/liteflow_engine.h>
#include "decide.h"
#include "watch.h"

static int number, failures;

static void result(bool good, const char *name)
{
	number++;
	failures += !good;
	printf("%s %d %s\n", good ? "ok" : "not ok", number, name);
}

static bool near(double a, double b, double by)
{
	return fabs(a - b) <= by;
}

/* -- random numbers, the same each time ------------------------------------------------ */

static uint64_t seed = 1;

static double uniform(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((seed >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * acos(-1) * uniform());
}

/* -- plain checks ------------------------------------------------------------------------ */

/* From tables of Student's t. */
static void test_student(void)
{
	static const double t[][3] = {
		{ 6.314, 1, 0.05 }, { 2.920, 2, 0.05 }, { 2.776, 4, 0.025 }, { 1.812, 10, 0.05 },
		{ 2.845, 20, 0.005 }, { 3.090, 1e6, 0.001 }, { 0, 5, 0.5 }, { -1.812, 10, 0.95 },
	};
	bool good = true;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		good &= near(student_tail(t[i][0], t[i][1]), t[i][2], 0.0002);
	result(good, "student_tail: as in tables");
	result(student_tail(1e9, 30) < 1e-12 && student_tail(-1e9, 30) > 1 - 1e-12,
	       "student_tail: far out");
}

static void test_stability(void)
{
	struct stability s = { 0 };
	double spread;

	stability_add(&s, 10, 3);
	stability_add(&s, 11, 3);
	result(!stability_settled(&s, 3, 1, &spread) && spread == -1, "stability: too few values");
	stability_add(&s, 10.5, 3);
	result(stability_settled(&s, 3, 0.1, &spread) && near(spread, 1 / 10.5, 1e-12),
	       "stability: settled");
	stability_add(&s, 20, 3);
	result(!stability_settled(&s, 3, 0.1, &spread) && s.n == 3, "stability: a jump");
	stability_add(&s, 20, 3);
	stability_add(&s, 20, 3);
	result(stability_settled(&s, 3, 0, &spread) && spread == 0, "stability: equal values");
	s.n = 0;
	stability_add(&s, 0, 2);
	stability_add(&s, 0, 2);
	result(stability_settled(&s, 2, 0, &spread), "stability: zeroes");
	stability_add(&s, -1e-9, 2);
	result(!stability_settled(&s, 2, 0.5, &spread), "stability: around zero, nothing is close");
	s.n = 0;
	stability_add(&s, -5, 2);
	stability_add(&s, -5.1, 2);
	result(stability_settled(&s, 2, 0.05, &spread), "stability: negative values");
}

static struct lf_model *model_of(unsigned int n_out, const struct lf_scale *out, int act)
{
	struct lf_model *m = calloc(1, sizeof(*m) + sizeof(struct lf_layer));

	m->n_out = n_out;
	m->n_layers = 1;
	m->out = out;
	m->layers[0].act = act;
	return m;
}

static void test_difference(void)
{
	static const struct lf_scale scales[] = { { .lo = -100, .hi = 100 }, { .lo = 0, .hi = 10 } };
	static const int32_t a[] = { 0, 0, 0, 0 }, b[] = { 10, 1, -30, 2 };
	static const int32_t most[] = { INT32_MIN }, least[] = { INT32_MAX };
	static const struct lf_scale wide = { .lo = INT32_MIN, .hi = INT32_MAX };
	struct lf_model *m = model_of(2, scales, LITEFLOW_ACT_NONE);

	result(near(difference(m, a, b, 2), 0.15, 1e-12), "difference: the output that is most off");
	result(difference(m, a, a, 2) == 0 && difference(m, a, b, 0) == 0, "difference: none");
	m->layers[0].act = LITEFLOW_ACT_ARGMAX;
	m->n_out = 1;
	result(near(difference(m, a, b, 4), 1, 1e-12), "difference: of classes it is their share");
	m->layers[0].act = LITEFLOW_ACT_NONE;
	m->out = &wide;
	result(near(difference(m, most, least, 1), 1, 1e-12), "difference: 32 bits do not overflow");
	free(m);
}

static void test_series(void)
{
	double v[400], r = 0.8, x = 0;
	struct sample s;
	int i;

	for (i = 0; i < 400; i++)
		v[i] = x = r * x + normal();
	s = sample_of_series(v, 400);
	result(s.n > 20 && s.n < 80, "a series: values that follow each other count for less");
	for (i = 0; i < 400; i++)
		v[i] = normal();
	s = sample_of_series(v, 400);
	result(s.n > 280, "a series: independent values count");
	for (i = 0; i < 400; i++)
		v[i] = i % 2;
	result(sample_of_series(v, 400).n == 400, "a series: to and fro counts for no more");
	for (i = 0; i < 400; i++)
		v[i] = 3;
	result(sample_of_series(v, 400).var == 0, "a series: a constant");
}

static void test_welch(void)
{
	struct sample a = { 10, 5, 1 }, b = { 12, 4, 2 }, one = { 1, 0, 0 }, c = { 5, 1, 0 },
		      d = { 5, 2, 0 };
	double t, p = welch_worse(&a, &b, &t);

	/* t = 1 / sqrt(0.1 + 2/12), df = 19.56 */
	result(near(t, 1.93649, 1e-4) && near(p, 0.0337, 5e-4), "welch: by hand");
	result(near(welch_worse(&b, &a, &t), 1 - p, 1e-9), "welch: the other way round");
	result(welch_worse(&a, &one, &t) == 1, "welch: one value says nothing");
	result(welch_worse(&d, &c, &t) == 0 && welch_worse(&c, &d, &t) == 1 &&
	       welch_worse(&c, &c, &t) == 1, "welch: without noise");
}

/* -- false alarms -------------------------------------------------------------------------- */

#define NS		1000000000ULL
#define LEVEL		0.01
#define FLOWS		20

static const struct watch_params params = {
	.block_ns = 10 * NS, .trial_ns = 600 * NS, .settle_ns = 10 * NS, .looks = 4,
	.level = LEVEL, .min_flows = 8, .min_blocks = 8,
};

/**
 * struct world - rewards that depend on each other
 * @common: correlation from one second to the next of what happens to all flows
 * @own: likewise of a flow's own noise
 * @effect: standard deviation of what flows have for their whole life
 * @life_s: mean life of a flow
 * @pin: a flow stays with its version
 * @drop: by how much the new version is worse, in standard deviations of a reward
 */
struct world {
	double common;
	double own;
	double effect;
	double life_s;
	bool pin;
	double drop;
};

struct flow {
	uint64_t id;
	double effect;
	double noise;
	double left_s;
	uint32_t version;
};

static void new_flow(struct flow *f, const struct world *w, uint32_t active)
{
	static uint64_t ids;

	f->id = ++ids;
	f->effect = w->effect * normal();
	f->noise = normal();
	f->left_s = -log(uniform()) * w->life_s;
	f->version = active;
}

/* Steps of the first order that keep a variance of 1. */
static double follow(double x, double r)
{
	return r * x + sqrt(1 - r * r) * normal();
}

static enum watch_verdict one_trial(const struct world *w)
{
	struct flow flows[FLOWS];
	struct watch_params p = params;
	enum watch_verdict v = WATCH_WAIT;
	struct watch_report report;
	struct watch watch = { 0 };
	uint64_t t, begin = 700 * NS;
	double common = normal();
	uint32_t active = 1;
	int i;

	p.side_by_side = w->pin;
	watch_reset(&watch, 1);
	for (i = 0; i < FLOWS; i++)
		new_flow(flows + i, w, 1);
	for (t = NS; v < WATCH_WORSE; t += NS) {
		if (t == begin) {
			active = 2;
			watch_begin(&watch, 2, t);
		}
		common = follow(common, w->common);
		for (i = 0; i < FLOWS; i++) {
			struct flow *f = flows + i;

			f->left_s -= 1;
			if (f->left_s < 0)
				new_flow(f, w, active);
			if (!w->pin)
				f->version = active;
			f->noise = follow(f->noise, w->own);
			watch_reward(&watch, &p, t, f->id, f->version,
				     1000 * (common + f->noise + f->effect -
					     (f->version == 2 ? w->drop : 0)));
		}
		v = watch_judge(&watch, &p, t, &report);
	}
	watch_free(&watch);
	return v;
}

static double alarms(const struct world *w, int trials)
{
	int i, n = 0;

	for (i = 0; i < trials; i++)
		n += one_trial(w) == WATCH_WORSE;
	return 100.0 * n / trials;
}

static void test_alarms(int trials)
{
	static const struct {
		const char *name;
		struct world w;
	} worlds[] = {
		{ "follow", { 0.9, 0.9, 1, 60, false, 3 } },
		/* what moves all flows lasts minutes: only a very large drop stands out of that */
		{ "follow_slow", { 0.99, 0.95, 1, 300, false, 48 } },
		{ "pin", { 0.9, 0.9, 1, 60, true, 3 } },
		{ "pin_slow", { 0.99, 0.95, 1, 300, true, 3 } },
	};
	/* four standard deviations of a share of LEVEL */
	double most = 100 * (LEVEL + 4 * sqrt(LEVEL * (1 - LEVEL) / trials));
	struct world w;
	char name[80];
	double found;
	size_t i;

	for (i = 0; i < sizeof(worlds) / sizeof(*worlds); i++) {
		w = worlds[i].w;
		w.drop = 0;
		found = alarms(&w, trials);
		printf("lfd_false_alarm_%s %.2f percent\n", worlds[i].name, found);
		snprintf(name, sizeof(name), "%s: no more false alarms than the level", worlds[i].name);
		result(found <= most, name);
		w.drop = worlds[i].w.drop;
		found = alarms(&w, trials / 10);
		printf("lfd_alarm_%s %.1f percent\n", worlds[i].name, found);
		snprintf(name, sizeof(name), "%s: a model that is worse is found", worlds[i].name);
		result(found >= 80, name);
	}
}

int main(int argc, char **argv)
{
	int trials = argc > 1 ? atoi(argv[1]) : 400;

	printf("KTAP version 1\n1..29\n");
	test_student();
	test_stability();
	test_difference();
	test_series();
	test_welch();
	test_alarms(trials);
	return failures != 0;
}
