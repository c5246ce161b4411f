/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arithmetic of lfd's decisions: no files, no kernel, no clock.
 *
 * The two conditions are those of Zhang et al., "LiteFlow", SIGCOMM 2022: a model is
 * correct once its adaptation converged, by a stability value that the user's code
 * gives, and it is necessary only if its answers are far enough from those of the
 * active one. The paper leaves open when a value has settled; the rule here is ours.
 */
#ifndef _LFD_DECIDE_H
#define _LFD_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

struct lf_model;

#define STABILITY_MAX	32

/**
 * struct stability - the last stability values, oldest first
 * @n: how many
 * @v: the values
 */
struct stability {
	unsigned int n;
	double v[STABILITY_MAX];
};

/* Add a finite value; those beyond @window (2 to STABILITY_MAX) are forgotten. */
void stability_add(struct stability *s, double value, unsigned int window);

/*
 * Whether the last @window values are close to each other: *spread, the difference of
 * the largest and the smallest relative to the mean magnitude (0 if all are 0), is at
 * most @limit. With fewer values it is false and *spread is -1.
 */
bool stability_settled(const struct stability *s, unsigned int window, double limit,
		       double *spread);

/*
 * How far the answers @a and @b are apart: for each output the mean of |a - b| over the
 * rows, as a part of its span, which @model declares; of several outputs the largest. Of
 * a class (argmax) it is the part of the rows that differ. Both are s32 [rows][n_out].
 */
double difference(const struct lf_model *model, const int32_t *a, const int32_t *b,
		  unsigned int rows);

/**
 * struct sample - what a test has to know of one side
 * @n: independent values; not whole where values were correlated
 * @mean: their mean
 * @var: their variance (of the population, estimated)
 */
struct sample {
	double n;
	double mean;
	double var;
};

/* Of values that are independent of each other. */
struct sample sample_of(const double *v, unsigned int n);

/*
 * Of values in the order of time, each correlated with the one before. The values count
 * as n (1 - r) / (1 + r) independent ones, which holds for a process of the first order
 * (AR(1)) with the correlation r; the estimate of r is corrected for its bias in short
 * series, (1 + 3 r) / n (Kendall 1954), and the variance for what the correlation hides.
 */
struct sample sample_of_series(const double *v, unsigned int n);

/* Probability that Student's t with @df degrees of freedom is above @t. */
double student_tail(double t, double df);

/*
 * Welch's t test, one-sided: the probability of a difference like this if @b is not worse
 * (smaller) than @a. 1 if either side has too little to tell: fewer than two values.
 */
double welch_worse(const struct sample *a, const struct sample *b, double *t);

#endif /* _LFD_DECIDE_H */
