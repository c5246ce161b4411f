// SPDX-License-Identifier: GPL-2.0
/*
 * The arithmetic of decisions.
 */
#include <math.h>
#include <string.h>
#include <linux/liteflow_engine.h>
#include "decide.h"

/* More correlation than this cannot be told from a trend in a short series. */
#define MOST_CORRELATION	0.95

void stability_add(struct stability *s, double value, unsigned int window)
{
	if (window > STABILITY_MAX)
		window = STABILITY_MAX;
	if (s->n >= window) {
		memmove(s->v, s->v + (s->n - window + 1), (window - 1) * sizeof(*s->v));
		s->n = window - 1;
	}
	s->v[s->n++] = value;
}

bool stability_settled(const struct stability *s, unsigned int window, double limit,
		       double *spread)
{
	double lo, hi, sum = 0;
	unsigned int i;

	*spread = -1;
	if (s->n < window)
		return false;
	lo = hi = s->v[s->n - window];
	for (i = s->n - window; i < s->n; i++) {
		lo = fmin(lo, s->v[i]);
		hi = fmax(hi, s->v[i]);
		sum += fabs(s->v[i]) / window;
	}
	*spread = hi == lo ? 0 : (hi - lo) / sum;
	return *spread <= limit;
}

double difference(const struct lf_model *model, const int32_t *a, const int32_t *b,
		  unsigned int rows)
{
	bool class = model->layers[model->n_layers - 1].act == LITEFLOW_ACT_ARGMAX;
	unsigned int n_out = model->n_out, i, o;
	double worst = 0, sum, span;

	for (o = 0; o < n_out && rows; o++) {
		span = class ? 1 : (double)model->out[o].hi - model->out[o].lo;
		for (sum = 0, i = 0; i < rows; i++) {
			double d = fabs((double)a[i * n_out + o] - b[i * n_out + o]);

			sum += class ? d != 0 : d;
		}
		/* an output that can have one value only: any other is all of a span */
		worst = fmax(worst, sum / rows / (span > 0 ? span : 1));
	}
	return worst;
}

struct sample sample_of(const double *v, unsigned int n)
{
	struct sample s = { .n = n };
	unsigned int i;

	for (i = 0; i < n; i++)
		s.mean += v[i];
	s.mean = n ? s.mean / n : 0;
	for (i = 0; i < n; i++)
		s.var += (v[i] - s.mean) * (v[i] - s.mean);
	s.var = n > 1 ? s.var / (n - 1) : 0;
	return s;
}

struct sample sample_of_series(const double *v, unsigned int n)
{
	struct sample s = sample_of(v, n);
	double product = 0, squares, r, factor;
	unsigned int i;

	squares = s.var * (n - 1.0);
	if (n < 4 || !(squares > 0))
		return s;
	for (i = 1; i < n; i++)
		product += (v[i] - s.mean) * (v[i - 1] - s.mean);
	r = product / squares;
	r = fmin(r + (1 + 3 * r) / n, MOST_CORRELATION);
	/* what goes up and down in turn would count as more than it is */
	if (r <= 0)
		return s;
	factor = (1 + r) / (1 - r);
	/* two at least: else no drop, however large, would ever be one */
	s.n = fmax(n / factor, 2);
	/* the mean of all follows what is correlated, so their deviations are too small */
	s.var /= fmax(1 - (factor - 1) / (n - 1), 0.1);
	return s;
}

/*
 * With t = sqrt(df) tan(x), the density becomes cos(x)^(df - 1) times a constant, and all
 * of the tail lies between x and a right angle: Simpson's rule does it.
 */
double student_tail(double t, double df)
{
	double from = atan(fabs(t) / sqrt(df)), to = acos(0), step, sum = 0, tail;
	enum { STEPS = 2000 };
	int i;

	if (!(df > 0))
		return 0.5;
	step = (to - from) / STEPS;
	for (i = 0; i <= STEPS; i++)
		sum += pow(fmax(cos(from + i * step), 0), df - 1) *
			(i % STEPS ? i % 2 ? 4 : 2 : 1);
	tail = sum * step / 3 * exp(lgamma((df + 1) / 2) - lgamma(df / 2)) / sqrt(2 * to);
	tail = fmin(tail, 0.5);
	return t < 0 ? 1 - tail : tail;
}

double welch_worse(const struct sample *a, const struct sample *b, double *t)
{
	double va, vb, df;

	*t = 0;
	if (a->n < 2 || b->n < 2)
		return 1;
	va = a->var / a->n;
	vb = b->var / b->n;
	if (!(va + vb > 0)) {
		/* no noise at all: any difference is one */
		*t = a->mean == b->mean ? 0 : a->mean > b->mean ? INFINITY : -INFINITY;
		return a->mean > b->mean ? 0 : 1;
	}
	*t = (a->mean - b->mean) / sqrt(va + vb);
	df = (va + vb) * (va + vb) / (va * va / (a->n - 1) + vb * vb / (b->n - 1));
	return student_tail(*t, fmax(df, 1));
}
