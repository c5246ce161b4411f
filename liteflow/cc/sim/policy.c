// SPDX-License-Identifier: GPL-2.0
/*
 * What decides: a network in floating point, or the expert that it first imitates.
 */
#include <math.h>
#include "engine.h"

#define ACTION_MAX	2

static const float *layer(const float *params, const float *in, int n_in, float *out, int n_out)
{
	const float *bias = params + n_in * n_out;
	int i, o;

	for (o = 0; o < n_out; o++)
		out[o] = bias[o];
	for (i = 0; i < n_in; i++, params += n_out)
		for (o = 0; o < n_out; o++)
			out[o] += in[i] * params[o];
	return bias + n_out;
}

/*
 * tanh as a quotient of polynomials: to 1e-4, several times as fast as libm's, and
 * the same with every libm.
 */
static void curve(float *v, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		float x = v[i] < -4.97f ? -4.97f : v[i] > 4.97f ? 4.97f : v[i], y = x * x;

		v[i] = x * (135135 + y * (17325 + y * (378 + y))) /
		       (135135 + y * (62370 + y * (3150 + y * 28)));
	}
}

float policy_run(const float *params, int n_in, const float *in)
{
	float a[SIM_HIDDEN1], b[SIM_HIDDEN2], out;

	params = layer(params, in, n_in, a, SIM_HIDDEN1);
	curve(a, SIM_HIDDEN1);
	params = layer(params, a, SIM_HIDDEN1, b, SIM_HIDDEN2);
	curve(b, SIM_HIDDEN2);
	layer(params, b, SIM_HIDDEN2, &out, 1);
	return fminf(fmaxf(out, -ACTION_MAX), ACTION_MAX);
}

/*
 * What the network imitates to begin with. It knows more than the network is shown:
 * the rates of the intervals whose ACKs are still to come. From these and from what
 * the last interval says of rate and queue it computes what both will be when the
 * next packet gets there, and steers by that; on the bare features, which are two or
 * three intervals old, the same steering would swing. The network has to infer as
 * much from ten intervals.
 */
enum { HOME, STEEP, DAMP, LOSS, TOLERANCE, EMPTY, SMALL };

float expert_run(const float *gains, const float *in, const struct expert_view *view)
{
	const float *newest = in + TLF_N_IN - TLF_FEATURES, *before = newest - TLF_FEATURES;
	int i, flying = fminf(lroundf(view->flying), EXPERT_RATES - 2);
	float seen = fmaxf(newest[1] - 1 - view->burst, 0), growth = 0.5f * (newest[0] + before[0]);
	float queue = seen + newest[0] * view->length / 2;
	float excess, then, lost = 0, action, empty, left = view->flying;

	for (i = 0; i < TLF_HISTORY; i++)
		lost += (in[3 * i + 2] - 1) / TLF_HISTORY;
	lost = fmaxf(lost - gains[TOLERANCE], 0);
	/* a rate that is above capacity by so much makes a queue grow so fast */
	then = growth;
	excess = then;
	for (i = flying; i >= 0; i--, left--) {
		excess = (1 + then) * view->rate[i] / view->rate[flying + 1] - 1;
		queue = fmaxf(queue + excess * view->length * fminf(fmaxf(left, 0), 1), 0);
	}
	action = gains[HOME] - gains[STEEP] * queue - gains[DAMP] * excess - gains[LOSS] * lost;
	/* no queue says nothing of what fits: look for it */
	empty = expf(-(seen + 2 * fabsf(growth)) / gains[SMALL]);
	action += empty * (gains[EMPTY] - action);
	return fminf(fmaxf(action, -ACTION_MAX), ACTION_MAX);
}
