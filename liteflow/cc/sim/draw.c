// SPDX-License-Identifier: GPL-2.0
/*
 * Scenarios at random. All of one follows from its seed.
 */
#include <math.h>
#include <string.h>
#include "batch.h"
#include "ranges.h"

#define BIT_RATE_MIN	1e6		/* what steps lead to, if the range is within that */
#define BIT_RATE_MAX	1e9
#define BUFFER_PACKETS	10		/* but no fewer, beside */
#define BUFFER_TIME	1e-3		/* what TCP sends at once: seconds at the capacity */
#define BATCH_MOST	0.02		/* seconds */
#define LEAST_SHARE	0.5e6		/* bit/s of each flow */

#define CHANCE_OWN_PREFERENCES 0.5	/* where flows have any */

/* Round trips, or LONG_PACKETS packets of a fair share if that takes longer. */
#define LENGTH		100
#define LENGTH_MANY	180		/* after the last flow's start */
#define LENGTH_MIN	0.5		/* seconds */
#define LENGTH_STALLS	3		/* so many are seen */
#define STAGGER_MAX	60
#define STAGGER_FLOWS	5.0		/* less where there are more */
#define LONG_PACKETS	10
#define MIN_RTT_WINDOW	60		/* of that, too: an episode is too short for the kernel's */

static bool chance(struct rnd *r, double p)
{
	return rnd_uniform(r, 0, 1) < p;
}

static double log_uniform(struct rnd *r, struct range range)
{
	return rnd_log_uniform(r, range.lo, range.hi);
}

static void draw_preferences(struct rnd *r, double p[SIM_PREFERENCES])
{
	double sum = 0;
	int i;

	/* evenly over all triples that sum to 1, none of them 0 */
	for (i = 0; i < SIM_PREFERENCES; i++) {
		p[i] = 0.1 - log(1 - rnd_uniform(r, 0, 1));
		sum += p[i];
	}
	for (i = 0; i < SIM_PREFERENCES; i++)
		p[i] /= sum;
}

static void draw_steps(struct rnd *r, const struct sim_ranges *q, struct sim_scenario *s,
		       double unit)
{
	double at = 0;

	while (s->n_steps < SIM_MAX_STEPS) {
		double rate = s->step_rate[(int)s->n_steps - 1];

		at += unit * rnd_uniform(r, q->step_every.lo, q->step_every.hi);
		if (at >= s->duration)
			break;
		/* around the first rate, so that it does not run away */
		rate = s->step_rate[0] * log_uniform(r, q->step);
		s->step_time[(int)s->n_steps] = at;
		rate = fmin(fmax(rate, fmin(q->capacity.lo, BIT_RATE_MIN)),
			    fmax(q->capacity.hi, BIT_RATE_MAX));
		s->step_rate[(int)s->n_steps++] = rate;
	}
}

/* How long it takes that each kind of noise was seen some times. */
static double draw_noise(struct rnd *r, const struct sim_ranges *q, struct sim_scenario *s,
			 double rtt)
{
	double unit = rtt;

	if (s->loss > 0 && chance(r, q->chance_bursts))
		s->loss_burst = log_uniform(r, q->loss_burst);
	if (chance(r, q->chance_jitter)) {
		s->jitter = fmin(rtt * log_uniform(r, q->jitter), q->jitter_most.hi);
		unit = fmax(unit, 2 * s->jitter);
	}
	if (chance(r, q->chance_batches))
		s->stall = fmin(rtt * log_uniform(r, q->batches), BATCH_MOST);
	else if (chance(r, q->chance_slots))
		s->stall = log_uniform(r, q->slots);
	s->stall_every = s->stall;
	unit = fmax(unit, 2 * s->stall);
	if (!s->stall && chance(r, q->chance_stalls)) {
		s->stall = log_uniform(r, q->stall);
		s->stall_every = log_uniform(r, q->stall_every);
	}
	if (chance(r, q->chance_thin))
		s->thin = floor(rnd_uniform(r, q->thin.lo, q->thin.hi + 1));
	if (chance(r, q->chance_policer)) {
		s->police_rate = s->step_rate[0] * rnd_uniform(r, q->police.lo, q->police.hi);
		s->police_bucket = log_uniform(r, q->bucket);
	}
	return unit;
}

static struct sim_flow_desc *add_flow(struct sim_scenario *s, enum sim_kind kind, double start)
{
	struct sim_flow_desc *f = &s->flow[(int)s->n_flows++];

	*f = (struct sim_flow_desc){ .kind = kind, .start = start, .stop = 1e9,
				     .rtt = s->flow[0].rtt };
	return f;
}

/**
 * sim_draw() - a scenario at random
 * @seed: all follows from it
 * @preferences: draw these, too, of all flows or of each; else a third each
 * @q: ranges; NULL: the usual ones
 * @s: set
 */
void sim_draw(uint64_t seed, int preferences, const struct sim_ranges *q, struct sim_scenario *s)
{
	double rate, rtt, unit, bdp, last = 0;
	struct rnd r = { seed };
	int i, n = 1;

	q = q ?: &sim_ranges_usual;
	memset(s, 0, sizeof(*s));
	s->seed = rnd_next(&r) >> 12;
	rate = log_uniform(&r, q->capacity);
	rtt = log_uniform(&r, q->rtt);
	rtt = fmax(rtt, SIM_WIRE * 8 / rate);
	bdp = rate / 8 * rtt;
	s->buffer = fmax(bdp * log_uniform(&r, q->buffer),
			 BUFFER_PACKETS * SIM_WIRE + BUFFER_TIME * rate / 8);
	if (chance(&r, q->chance_loss))
		s->loss = log_uniform(&r, q->loss);
	s->flow[0].rtt = rtt;
	s->n_steps = 1;
	s->step_rate[0] = rate;
	if (chance(&r, q->chance_many)) {
		n = rnd_log_uniform(&r, q->flows.lo, q->flows.hi + 1);
		n = fmin(n, fmax(rate / LEAST_SHARE, 2));
	}
	unit = fmax(draw_noise(&r, q, s, rtt), LONG_PACKETS * n * SIM_WIRE * 8 / rate);
	s->min_rtt_window = fmin(MIN_RTT_WINDOW * unit, 10);
	for (i = 0; i < n; i++) {
		if (i)
			last += unit * rnd_uniform(&r, 0, STAGGER_MAX) * fmin(1, STAGGER_FLOWS / n);
		add_flow(s, SIM_LITEFLOW, last);
	}
	if (n > 1 && chance(&r, q->chance_other_rtts))
		for (i = 1; i < n; i++)
			s->flow[i].rtt = rtt * rnd_log_uniform(&r, 0.5, 2);
	s->duration = last + fmax(unit * (n > 1 ? LENGTH_MANY : LENGTH), LENGTH_MIN);
	if (s->stall_every > s->stall)
		s->duration = fmax(s->duration, LENGTH_STALLS * s->stall_every);
	if (chance(&r, q->chance_steps)) {
		s->duration += unit * LENGTH;
		draw_steps(&r, q, s, unit);
	}
	if (chance(&r, q->chance_fixed)) {
		struct sim_flow_desc *f = add_flow(s, SIM_FIXED, 0);

		f->rate = rate * rnd_uniform(&r, 0.05, 0.4);
		f->on = unit * rnd_uniform(&r, 10, 100);
		f->off = unit * rnd_uniform(&r, 10, 100);
		f->start = unit * rnd_uniform(&r, 0, 50);
	} else if (chance(&r, q->chance_window)) {
		add_flow(s, chance(&r, 0.5) ? SIM_RENO : SIM_CUBIC, unit * rnd_uniform(&r, 0, 50));
	}
	for (i = 0; i < SIM_PREFERENCES; i++)
		s->preferences[i] = 1.0 / SIM_PREFERENCES;
	if (!preferences)
		return;
	/* flows that want different things are still to be treated alike */
	if (n > 1 && chance(&r, CHANCE_OWN_PREFERENCES))
		for (i = 0; i < n; i++)
			draw_preferences(&r, s->flow[i].preferences);
	else
		draw_preferences(&r, s->preferences);
}
