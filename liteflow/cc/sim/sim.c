// SPDX-License-Identifier: GPL-2.0
/*
 * A bottleneck and its senders, packet by packet
 *
 * One link with a buffer in front of it, behind which each flow has a delay of its
 * own. The flows of kind SIM_LITEFLOW run net/ipv4/tcp_liteflow_law.c, the same
 * source as the kernel's; here, as there, their model is asked once an interval.
 *
 * A flow has at most one event at a time (sender.c) and the link none (link.c), so
 * there is no queue of events: the next one is looked for among the flows.
 *
 * The same scenario and policy give the same result, bit by bit.
 */
#include <math.h>
#include <string.h>
#include "engine.h"

#define BURSTS_PER_RTT	250

static bool sensible(const struct sim_scenario *s)
{
	int i;

	if (!(s->n_flows >= 1 && s->n_flows <= SIM_MAX_FLOWS) ||
	    !(s->n_steps >= 1 && s->n_steps <= SIM_MAX_STEPS) ||
	    !(s->duration > 0) || !(s->loss >= 0 && s->loss < 1) ||
	    !(s->police_rate >= 0) || !(s->police_bucket >= (s->police_rate > 0 ? SIM_WIRE : 0)) ||
	    !(s->agent >= 0 && s->agent < SIM_AGENTS) || !(s->report >= 0) ||
	    !(s->jitter >= 0) || !(s->stall >= 0 && s->stall <= s->stall_every) ||
	    !(s->buffer >= SIM_WIRE) || !(s->step_time[0] == 0))
		return false;
	for (i = 0; i < (int)s->n_steps; i++)
		if (!(s->step_rate[i] > 0) || (i && s->step_time[i] < s->step_time[i - 1]))
			return false;
	for (i = 0; i < (int)s->n_flows; i++) {
		const struct sim_flow_desc *f = &s->flow[i];

		if (!(f->rtt > 0) || f->start < 0 || !(f->kind >= 0 && f->kind < SIM_KINDS) ||
		    (f->kind == SIM_FIXED && !(f->rate > 0)))
			return false;
	}
	return true;
}

/*
 * Where a round trip has very many packets, more are sent at once, so that it takes
 * no more than about 2 * BURSTS_PER_RTT events.
 */
static u32 least_burst(const struct sim_scenario *s)
{
	double rate = 0, rtt = s->flow[0].rtt;
	int i;

	for (i = 0; i < (int)s->n_steps; i++)
		rate = fmax(rate, s->step_rate[i]);
	for (i = 1; i < (int)s->n_flows; i++)
		rtt = fmin(rtt, s->flow[i].rtt);
	return fmax(rate * rtt / 8 / SIM_WIRE / BURSTS_PER_RTT, 1);
}

/* 0; -1: the scenario makes no sense; -2: out of memory. @trace may be NULL. */
int sim_run(const struct sim_scenario *scenario, const struct policy *policy,
	    struct sim_result *result, struct sim_trace *trace)
{
	struct sim sim;
	int i, err = 0;

	if (!sensible(scenario))
		return -1;
	memset(&sim, 0, sizeof(sim));
	sim.scenario = scenario;
	sim.policy = policy;
	sim.trace = trace;
	sim.random.state = scenario->seed;
	sim.end = to_ns(scenario->duration);
	sim.n_flows = scenario->n_flows;
	sim.least_burst = least_burst(scenario);
	path_init(&sim);
	link_init(&sim.link, scenario);
	for (i = 0; i < sim.n_flows; i++)
		sender_init(&sim, &sim.flow[i], i);
	if (measure_init(&sim))
		sim.failed = true;
	while (!sim.failed) {
		struct flow *next = &sim.flow[0];

		for (i = 1; i < sim.n_flows; i++)
			if (sim.flow[i].next < next->next)
				next = &sim.flow[i];
		if (next->next >= sim.end)
			break;
		sim.now = next->next;
		sim.events++;
		sender_event(&sim, next);
	}
	if (sim.failed)
		err = -2;
	else
		measure_result(&sim, result);
	for (i = 0; i < sim.n_flows; i++)
		sender_free(&sim.flow[i]);
	measure_free(&sim.measure);
	return err;
}
