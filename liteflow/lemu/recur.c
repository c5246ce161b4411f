// SPDX-License-Identifier: GPL-2.0
/*
 * Plain recurrent layers over sequences, forwards and backwards, for the trainer.
 *
 * PyTorch starts some ten operations for each step of a sequence, which costs a network of
 * 16 units 30 times what its arithmetic does. Sequences of a batch lie side by side here, one in
 * each lane of a vector. Arrays are float, [step][unit][lane]; lanes are a multiple of LANES.
 */
#include "recur.h"

typedef float vec __attribute__((vector_size(4 * LANES), aligned(4)));

#define VEC(array, row, lanes, at) (*(vec *)((array) + (size_t)(row) * (lanes) + (at)))
/* the widest vectors that the machine has, found out as the program starts */
#if defined(__x86_64__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

static inline __attribute__((always_inline)) vec clamp(vec v, float low, float high)
{
	for (int at = 0; at < LANES; at++) {
		v[at] = v[at] < low ? low : v[at];
		v[at] = v[at] > high ? high : v[at];
	}
	return v;
}

/* tanh(v) by its exponential: e = 2^k * e^f, with a polynomial for f; good to 2e-7. */
static inline __attribute__((always_inline)) vec tanh_of(vec v)
{
	union {
		int bits;
		float value;
	} power;

	for (int at = 0; at < LANES; at++) {
		float x = v[at] > 9.0f ? 9.0f : v[at] < -9.0f ? -9.0f : v[at];
		float scaled = x * 2.8853900818f;
		int whole = (int)(scaled + (scaled < 0 ? -0.5f : 0.5f));
		float f = (scaled - whole) * 0.6931471806f;
		float e = 1 + f * (1 + f * (0.5f + f * (1.666666667e-1f + f * (4.16666667e-2f +
			  f * (8.3333333e-3f + f * 1.3888889e-3f)))));

		power.bits = (whole + 127) << 23;
		e *= power.value;
		v[at] = (e - 1) / (e + 1);
	}
	return v;
}

CLONES
void recur_forward(const struct recur *r, const float *x, const float *start, float *h)
{
	const int lanes = r->lanes;

	for (int at = 0; at < lanes; at += LANES) {
		const float *before = start;

		for (int t = 0; t < r->steps; t++) {
			const float *in = x + (size_t)t * r->inputs * lanes;
			float *out = h + (size_t)t * r->units * lanes;

			for (int j = 0; j < r->units; j++) {
				const float *wx = r->wx + j * r->inputs, *wh = r->wh + j * r->units;
				vec even = (vec){0} + r->bias[j], odd = {0};

				for (int i = 0; i < r->inputs; i++)
					even += wx[i] * VEC(in, i, lanes, at);
				for (int k = 0; k + 1 < r->units; k += 2) {
					even += wh[k] * VEC(before, k, lanes, at);
					odd += wh[k + 1] * VEC(before, k + 1, lanes, at);
				}
				if (r->units & 1)
					odd += wh[r->units - 1] *
					       VEC(before, r->units - 1, lanes, at);
				even += odd;
				VEC(out, j, lanes, at) = r->relu ? clamp(even, 0, 3e38f) :
								   tanh_of(even);
			}
			before = out;
		}
	}
}

CLONES
void recur_backward(const struct recur *r, const float *h, const float *dh, float limit,
		    float *delta)
{
	const int lanes = r->lanes;

	for (int at = 0; at < lanes; at += LANES) {
		for (int t = r->steps - 1; t >= 0; t--) {
			const size_t here = (size_t)t * r->units * lanes;
			const float *after = delta + here + (size_t)r->units * lanes;

			for (int k = 0; k < r->units; k++) {
				vec grad = {0}, value = VEC(h + here, k, lanes, at), slope;

				if (t + 1 < r->steps) {
					for (int j = 0; j < r->units; j++)
						grad += r->wh[j * r->units + k] *
							VEC(after, j, lanes, at);
					if (limit > 0)
						grad = clamp(grad, -limit, limit);
				}
				grad += VEC(dh + here, k, lanes, at);
				if (r->relu)
					for (int lane = 0; lane < LANES; lane++)
						slope[lane] = value[lane] > 0 ? 1 : 0;
				else
					slope = 1 - value * value;
				VEC(delta + here, k, lanes, at) = grad * slope;
			}
		}
	}
}

CLONES
void recur_products(int steps, int rows, int columns, int lanes, const float *a, const float *b,
		    float *sums)
{
	for (int j = 0; j < rows; j++)
		for (int k = 0; k < columns; k++)
			sums[j * columns + k] = 0;
	for (int at = 0; at < lanes; at += LANES) {
		for (int j = 0; j < rows; j++) {
			for (int k = 0; k < columns; k++) {
				vec sum = {0};

				for (int t = 0; t < steps; t++)
					sum += VEC(a, t * rows + j, lanes, at) *
					       VEC(b, t * columns + k, lanes, at);
				for (int lane = 0; lane < LANES; lane++)
					sums[j * columns + k] += sum[lane];
			}
		}
	}
}

CLONES
void recur_dense(int steps, int inputs, int outputs, int lanes, const float *w, const float *bias,
		 const float *x, float *y)
{
	for (int at = 0; at < lanes; at += LANES) {
		for (int t = 0; t < steps; t++) {
			for (int j = 0; j < outputs; j++) {
				vec sum = (vec){0} + (bias ? bias[j] : 0);

				for (int i = 0; i < inputs; i++)
					sum += w[j * inputs + i] *
					       VEC(x, t * inputs + i, lanes, at);
				VEC(y, t * outputs + j, lanes, at) = sum;
			}
		}
	}
}
