// SPDX-License-Identifier: GPL-2.0
/*
 * Scenarios at random. All of one follows from its seed.
 */
#include <math.h>
#include <string.h>
#include "batch.h"

#define BIT_RATE_MIN	1e6
#define BIT_RATE_MAX	1e9
#define RTT_MIN		3e-4
#define RTT_MAX		0.6
#define BUFFER_MIN	0.2		/* BDP */
#define BUFFER_MAX	8
#define BUFFER_PACKETS	10		/* but no fewer, beside */
#define BUFFER_TIME	1e-3		/* what TCP sends at once: seconds at the capacity */
#define LOSS_MIN	1e-4
#define LOSS_MAX	0.1
#define LOSS_BURST_MAX	10		/* packets, mean */
#define JITTER_MIN	0.02		/* mean, of an RTT */
#define JITTER_MAX	0.5
#define JITTER_MOST	0.02		/* seconds */
#define BATCH_MIN	0.05		/* ACKs come every so many RTTs */
#define BATCH_MAX	1
#define BATCH_MOST	0.02		/* seconds */
#define SLOT_MIN	0.05		/* the same where a radio schedules, seconds */
#define SLOT_MAX	0.2
#define STALL_MIN	0.05		/* seconds without an ACK */
#define STALL_MAX	0.3
#define STALL_EVERY_MIN	1
#define STALL_EVERY_MAX	5
#define THIN_MAX	8		/* one ACK of so many arrives */
#define POLICE_MIN	0.2		/* of the capacity */
#define POLICE_MAX	0.9
#define BUCKET_MIN	1e4		/* bytes */
#define BUCKET_MAX	3e5
#define FLOWS_MAX	32
#define LEAST_SHARE	0.5e6		/* bit/s of each flow */
#define STEP_MAX	10		/* times more or less */

#define CHANCE_LOSS	0.4
#define CHANCE_BURSTS	0.3		/* where there is loss */
#define CHANCE_JITTER	0.2
#define CHANCE_BATCHES	0.15
#define CHANCE_SLOTS	0.03
#define CHANCE_STALLS	0.04
#define CHANCE_THIN	0.1
#define CHANCE_POLICER	0.04
#define CHANCE_STEPS	0.5
#define CHANCE_MANY	0.5
#define CHANCE_OTHER_RTTS 0.25
#define CHANCE_FIXED	0.15
#define CHANCE_WINDOW	0.08
#define CHANCE_OWN_PREFERENCES 0.5	/* where flows have any */

/* Round trips, or LONG_PACKETS packets of a fair share if that takes longer. */
#define LENGTH		100
#define LENGTH_MANY	180		/* after the last flow's start */
#define LENGTH_MIN	0.5		/* seconds */
#define LENGTH_STALLS	3		/* so many are seen */
#define STAGGER_MAX	60
#define STAGGER_FLOWS	5.0		/* less where there are more */
#define STEP_EVERY_MIN	40
#define STEP_EVERY_MAX	100
#define LONG_PACKETS	10
#define MIN_RTT_WINDOW	60		/* of that, too: an episode is too short for the kernel's */

static bool chance(struct rnd *r, double p)
{
	return rnd_uniform(r, 0, 1) < p;
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

static void draw_steps(struct rnd *r, struct sim_scenario *s, double unit)
{
	double at = 0;

	while (s->n_steps < SIM_MAX_STEPS) {
		double rate = s->step_rate[(int)s->n_steps - 1];

		at += unit * rnd_uniform(r, STEP_EVERY_MIN, STEP_EVERY_MAX);
		if (at >= s->duration)
			break;
		/* around the first rate, so that it does not run away */
		rate = s->step_rate[0] * rnd_log_uniform(r, 1 / sqrt(STEP_MAX), sqrt(STEP_MAX));
		s->step_time[(int)s->n_steps] = at;
		s->step_rate[(int)s->n_steps++] = fmin(fmax(rate, BIT_RATE_MIN), BIT_RATE_MAX);
	}
}

/* How long it takes that each kind of noise was seen some times. */
static double draw_noise(struct rnd *r, struct sim_scenario *s, double rtt)
{
	double unit = rtt;

	if (s->loss > 0 && chance(r, CHANCE_BURSTS))
		s->loss_burst = rnd_log_uniform(r, 1, LOSS_BURST_MAX);
	if (chance(r, CHANCE_JITTER)) {
		s->jitter = fmin(rtt * rnd_log_uniform(r, JITTER_MIN, JITTER_MAX), JITTER_MOST);
		unit = fmax(unit, 2 * s->jitter);
	}
	if (chance(r, CHANCE_BATCHES))
		s->stall = fmin(rtt * rnd_log_uniform(r, BATCH_MIN, BATCH_MAX), BATCH_MOST);
	else if (chance(r, CHANCE_SLOTS))
		s->stall = rnd_log_uniform(r, SLOT_MIN, SLOT_MAX);
	s->stall_every = s->stall;
	unit = fmax(unit, 2 * s->stall);
	if (!s->stall && chance(r, CHANCE_STALLS)) {
		s->stall = rnd_log_uniform(r, STALL_MIN, STALL_MAX);
		s->stall_every = rnd_log_uniform(r, STALL_EVERY_MIN, STALL_EVERY_MAX);
	}
	if (chance(r, CHANCE_THIN))
		s->thin = floor(rnd_uniform(r, 2, THIN_MAX + 1));
	if (chance(r, CHANCE_POLICER)) {
		s->police_rate = s->step_rate[0] * rnd_uniform(r, POLICE_MIN, POLICE_MAX);
		s->police_bucket = rnd_log_uniform(r, BUCKET_MIN, BUCKET_MAX);
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
 * sim_draw() - a scenario of the ranges above
 * @seed: all follows from it
 * @preferences: draw these, too, of all flows or of each; else a third each
 * @s: set
 */
void sim_draw(uint64_t seed, int preferences, struct sim_scenario *s)
{
	double rate, rtt, unit, bdp, last = 0;
	struct rnd r = { seed };
	int i, n = 1;

	memset(s, 0, sizeof(*s));
	s->seed = rnd_next(&r) >> 12;
	rate = rnd_log_uniform(&r, BIT_RATE_MIN, BIT_RATE_MAX);
	rtt = rnd_log_uniform(&r, RTT_MIN, RTT_MAX);
	rtt = fmax(rtt, SIM_WIRE * 8 / rate);
	bdp = rate / 8 * rtt;
	s->buffer = fmax(bdp * rnd_log_uniform(&r, BUFFER_MIN, BUFFER_MAX),
			 BUFFER_PACKETS * SIM_WIRE + BUFFER_TIME * rate / 8);
	if (chance(&r, CHANCE_LOSS))
		s->loss = rnd_log_uniform(&r, LOSS_MIN, LOSS_MAX);
	s->flow[0].rtt = rtt;
	s->n_steps = 1;
	s->step_rate[0] = rate;
	if (chance(&r, CHANCE_MANY)) {
		n = rnd_log_uniform(&r, 2, FLOWS_MAX + 1);
		n = fmin(n, fmax(rate / LEAST_SHARE, 2));
	}
	unit = fmax(draw_noise(&r, s, rtt), LONG_PACKETS * n * SIM_WIRE * 8 / rate);
	s->min_rtt_window = fmin(MIN_RTT_WINDOW * unit, 10);
	for (i = 0; i < n; i++) {
		if (i)
			last += unit * rnd_uniform(&r, 0, STAGGER_MAX) * fmin(1, STAGGER_FLOWS / n);
		add_flow(s, SIM_LITEFLOW, last);
	}
	if (n > 1 && chance(&r, CHANCE_OTHER_RTTS))
		for (i = 1; i < n; i++)
			s->flow[i].rtt = rtt * rnd_log_uniform(&r, 0.5, 2);
	s->duration = last + fmax(unit * (n > 1 ? LENGTH_MANY : LENGTH), LENGTH_MIN);
	if (s->stall_every > s->stall)
		s->duration = fmax(s->duration, LENGTH_STALLS * s->stall_every);
	if (chance(&r, CHANCE_STEPS)) {
		s->duration += unit * LENGTH;
		draw_steps(&r, s, unit);
	}
	if (chance(&r, CHANCE_FIXED)) {
		struct sim_flow_desc *f = add_flow(s, SIM_FIXED, 0);

		f->rate = rate * rnd_uniform(&r, 0.05, 0.4);
		f->on = unit * rnd_uniform(&r, 10, 100);
		f->off = unit * rnd_uniform(&r, 10, 100);
		f->start = unit * rnd_uniform(&r, 0, 50);
	} else if (chance(&r, CHANCE_WINDOW)) {
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
