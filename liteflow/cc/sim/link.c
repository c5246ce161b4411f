// SPDX-License-Identifier: GPL-2.0
/*
 * The bottleneck. Its rate changes only at times that the scenario tells, so when
 * a packet will have passed is known as soon as it is in the queue: the link
 * itself needs no events.
 */
#include <math.h>
#include "engine.h"

static double step_rate(const struct sim_scenario *s, int step)
{
	return s->step_rate[step] / 8e9;
}

static double step_end(const struct sim_scenario *s, int step)
{
	return step + 1 < (int)s->n_steps ? s->step_time[step + 1] * 1e9 : INFINITY;
}

void link_init(struct link *l, const struct sim_scenario *scenario)
{
	*l = (struct link){ .scenario = scenario, .buffer = scenario->buffer };
}

/* What was sent until @now. */
void link_advance(struct link *l, s64 now)
{
	while (l->backlog_at < now) {
		double to = fmin(now, step_end(l->scenario, l->step));

		l->backlog -= (to - l->backlog_at) * step_rate(l->scenario, l->step);
		l->backlog = fmax(l->backlog, 0);
		l->backlog_at = to;
		if (to >= step_end(l->scenario, l->step))
			l->step++;
	}
}

double link_rate(const struct link *l)
{
	return step_rate(l->scenario, l->step);
}

u32 link_room(const struct link *l)
{
	double room = (l->buffer - l->backlog) / SIM_WIRE;

	return room > 0 ? room : 0;
}

s64 link_finish(const struct link *l)
{
	double left = l->backlog, at = l->backlog_at;
	int step = l->step;

	for (;;) {
		double rate = step_rate(l->scenario, step), end = step_end(l->scenario, step);

		if (at + left / rate <= end)
			return at + left / rate;
		left -= (end - at) * rate;
		at = end;
		step++;
	}
}

/* Bytes that it, and the policer, could let pass meanwhile; seconds. */
double link_capacity(const struct sim_scenario *s, double from, double to)
{
	double bytes = 0, most = s->police_rate > 0 ? s->police_rate : INFINITY;
	int i;

	for (i = 0; i < (int)s->n_steps; i++) {
		double lo = fmax(from, i ? s->step_time[i] : 0);
		double hi = fmin(to, step_end(s, i) / 1e9);

		if (hi > lo)
			bytes += (hi - lo) * fmin(s->step_rate[i], most) / 8;
	}
	return bytes;
}
