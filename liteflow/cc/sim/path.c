// SPDX-License-Identifier: GPL-2.0
/*
 * What a path does beside its bottleneck: in front of it, loss at random or in bursts,
 * and a policer; on the ACKs' way back jitter, batches, stalls and thinning.  None of
 * it changes the order of packets.
 */
#include <math.h>
#include "engine.h"

static double rnd_exponential(struct rnd *r, double mean)
{
	return -mean * log(1 - rnd_uniform(r, 0, 1));
}

/*
 * Packets from a lost one to the next, that one included.  Bursts are those of Gilbert's
 * model: a mean of @burst packets in a row, between runs that all arrive, so that in all
 * the share @p is lost.
 */
static double next_loss(struct sim *sim)
{
	double p = sim->scenario->loss, burst = sim->scenario->loss_burst;

	if (burst > 1) {
		if (rnd_uniform(&sim->random, 0, 1) * burst > 1)
			return 1;
		return 2 + floor(log(1 - rnd_uniform(&sim->random, 0, 1)) /
				 log1p(-fmin(p / (burst * (1 - p)), 0.999)));
	}
	return 1 + floor(log(1 - rnd_uniform(&sim->random, 0, 1)) / log1p(-p));
}

void path_init(struct sim *sim)
{
	const struct sim_scenario *s = sim->scenario;

	sim->tokens = s->police_bucket;
	if (s->loss > 0)
		sim->until_loss = next_loss(sim) - 1;
}

static u32 police(struct sim *sim, u32 n)
{
	const struct sim_scenario *s = sim->scenario;
	u32 passed;

	if (s->police_rate <= 0)
		return n;
	sim->tokens += (sim->now - sim->tokens_at) / 8e9 * s->police_rate;
	sim->tokens = fmin(sim->tokens, s->police_bucket);
	sim->tokens_at = sim->now;
	passed = fmin(n, sim->tokens / SIM_WIRE);
	sim->tokens -= (double)passed * SIM_WIRE;
	return passed;
}

/* How many of @n packets get through beside what the buffer does. */
u32 path_survivors(struct sim *sim, u32 n)
{
	u32 left = n;

	if (sim->scenario->loss > 0) {
		sim->until_loss -= n;
		while (sim->until_loss < 0) {
			left--;
			sim->until_loss += next_loss(sim);
		}
	}
	return police(sim, left);
}

/*
 * When the ACK arrives that would do so at @at.  Its lateness is exponential, and stays for
 * as long as it is on average: queues elsewhere come and go.
 */
s64 path_ack(struct sim *sim, struct flow *f, s64 at)
{
	const struct sim_scenario *s = sim->scenario;

	if (s->jitter > 0) {
		if (at >= f->jitter_until) {
			f->jitter = to_ns(rnd_exponential(&sim->random, s->jitter));
			f->jitter_until = at + to_ns(rnd_exponential(&sim->random, s->jitter));
		}
		at += f->jitter;
	}
	if (s->stall_every > 0) {
		s64 every = to_ns(s->stall_every), begin = at / every * every;

		if (at < begin + to_ns(s->stall))
			at = begin + to_ns(s->stall);
	}
	at = at > f->ack_at ? at : f->ack_at;
	f->ack_at = at;
	return at;
}
