// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include "sim.h"

uint64_t rnd_next(struct rnd *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

double rnd_uniform(struct rnd *r, double lo, double hi)
{
	return lo + (hi - lo) * (rnd_next(r) >> 11) * 0x1p-53;
}

double rnd_log_uniform(struct rnd *r, double lo, double hi)
{
	return lo * exp(rnd_uniform(r, 0, log(hi / lo)));
}
