/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What 1.0 is in the integers of each layer: the choices of quant.c.
 */
#ifndef _LFCTL_CHOOSE_H
#define _LFCTL_CHOOSE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include "quant.h"

#define X_MAX		32767.0
#define W_MAX		32767.0
#define Y_ONE		((double)(1 << LITEFLOW_TANH_OUT_FRAC))
#define NARROW		(2147483647.0 - 65536)	/* less what the rounding shift adds */
#define WIDE		0x1p45
#define T_MAX		0x1p40
#define REACH_MAX	1e40			/* of a sum: its square is still finite */
#define TABLE_ERROR	(2.0 / Y_ONE)		/* of lf_tanh() */

/**
 * struct values - what goes into a layer
 * @n: number of them
 * @lo: least value, relative to the centre
 * @hi: greatest value
 * @most: greatest magnitude without saturation
 * @g: 1.0 in integers; its sign is that of the scale
 * @x: greatest magnitude of the integer
 * @var: variance of the error
 * @mean: as independent inputs would make it
 * @spread: variance of the value itself, likewise
 * @err: bound of the error
 */
struct values {
	unsigned int n;
	struct value {
		double lo, hi, most, g, x, var, err, mean, spread;
	} v[LITEFLOW_MAX_WIDTH];
};

static inline double magnitude(const struct value *v)
{
	return fmax(fabs(v->lo), fabs(v->hi));
}

static inline double pow2_floor(double v)
{
	int e;

	frexp(v, &e);
	return ldexp(1, e - 1);
}

/* What sums of this kind are in: all rows share one power of two. */
static inline bool angle(int act)
{
	return act == LITEFLOW_ACT_TANH || act == LITEFLOW_ACT_SIGMOID;
}

/* 1.0 of an angle: lf_tanh() takes LITEFLOW_TANH_IN_FRAC bits, a sigmoid half of it */
static inline double angle_one(int act)
{
	return ldexp(1, LITEFLOW_TANH_IN_FRAC - (act == LITEFLOW_ACT_SIGMOID));
}

struct reason;

int refuse_layer(const struct net *net, unsigned int l, const double *bias,
		 const struct values *in, struct reason *why, const char *problem);
double row_reach(const struct net_layer *layer, const double *bias, const struct values *in,
		 unsigned int row);
void row_interval(const struct net_layer *layer, const double *bias, const struct values *in,
		  unsigned int row, struct value *out);
void row_error(const struct net_layer *layer, const struct values *in, unsigned int row, double t,
	       struct value *out);
void choose_first_t(const struct net_layer *layer, const double *bias, const struct values *in,
		    double *t);
double choose_x(const struct net *net, unsigned int l, const double *t, unsigned int i, double r);
void choose_t(const struct net *net, unsigned int l, const double *bias, const struct values *in,
	      bool wide, double *t);
int choose_hidden(struct quant *q, unsigned int l, const double *bias, const struct values *in,
		  const struct quant_options *opts, struct values *out, double *t,
		  struct reason *why);

#endif /* _LFCTL_CHOOSE_H */
