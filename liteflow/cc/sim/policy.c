// SPDX-License-Identifier: GPL-2.0
/*
 * What decides: a network in floating point, or the expert that it imitates at first.
 */
#include <math.h>
#include "engine.h"
#include "../../linux/net/ipv4/tcp_liteflow_law.h"
#include "../../linux/net/ipv4/tcp_liteflow_parts.h"

#define ACTION_MAX	4

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

float policy_run(const float *params, int n_in, int linear, const float *in)
{
	float a[SIM_HIDDEN1], b[SIM_HIDDEN2], out;

	if (linear) {
		layer(params, in, n_in, &out, 1);
		return fminf(fmaxf(out, -ACTION_MAX), ACTION_MAX);
	}
	params = layer(params, in, n_in, a, SIM_HIDDEN1);
	curve(a, SIM_HIDDEN1);
	params = layer(params, a, SIM_HIDDEN1, b, SIM_HIDDEN2);
	curve(b, SIM_HIDDEN2);
	layer(params, b, SIM_HIDDEN2, &out, 1);
	return fminf(fmaxf(out, -ACTION_MAX), ACTION_MAX);
}

/*
 * What the network imitates to begin with. It is told what no sender can know: its
 * fair share and the queue as they are now. What is to be done then is plain, and
 * the network has to infer from its inputs as much of it as they hold; where they
 * leave open whether the rate is too high or too low, it learns the mean.
 */
enum { GAIN, TARGET, HORIZON, LEANING };

/* The action that counts @x sixteenths, see tlf_change(): x = a (4 + |a|) / 8 */
static float action_for(float x)
{
	return copysignf(sqrtf(4 + 8 * fabsf(x)) - 2, x);
}

float expert_run(const float *gains, const struct expert_view *view)
{
	/* the rate that makes the queue right in HORIZON round trips */
	float target = gains[TARGET] + gains[LEANING] * view->lean;
	float excess = view->queue - target - view->burst;
	float goal = view->share * fmaxf(1 - excess / gains[HORIZON], 0.25f);
	float sixteenths = gains[GAIN] * logf(goal / view->rate);
	float action = view->aurora ? sixteenths * TLF_AURORA_STEP / 16 :
				      action_for(sixteenths + view->rest);

	return fminf(fmaxf(action, -ACTION_MAX), ACTION_MAX);
}
