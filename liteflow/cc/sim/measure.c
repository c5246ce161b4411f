// SPDX-License-Identifier: GPL-2.0
/*
 * What a run was like, and what that is worth: net/ipv4/tcp_liteflow_reward.c defines the
 * score, for the kernel's rewards as well.
 *
 * utility: the mean over flows and time, against the fair share: 0 if all is used and
 *	equally, -0.69 for half.
 * delay: of the wait in the queue, in parts of the flow's RTT without it, or of that and
 *	TLF_SMALL_QUEUE packets: fewer cannot be kept.
 * loss: of the share of packets that the buffer did not take.
 *
 * The preferences are its weights; a third each is the usual score. Where no flow is of kind
 * SIM_LITEFLOW, it is that of the first one's kind, to compare with. The first GRACE_RTTS
 * round trips of a flow do not count: they are the start-up's, not the policy's.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "engine.h"
#include "../../linux/net/ipv4/tcp_liteflow_reward.h"

#define GRACE_RTTS	12
#define LITTLE		50		/* this part of a share keeps the logarithm finite */
#define SHARE_UNIT	65536		/* parts of a packet, for what is one in a long bin */
#define RECOVERED	0.8

#define HIST_LEAST	1e-5
#define HIST_STEP	0.05		/* of the logarithm */

static void hist_add(struct histogram *h, double value, double weight)
{
	int bin = value <= HIST_LEAST ? 0 : 1 + log(value / HIST_LEAST) / HIST_STEP;

	h->weight[bin < HIST_BINS ? bin : HIST_BINS - 1] += weight;
	h->sum += value * weight;
	h->total += weight;
}

static double hist_quantile(const struct histogram *h, double q)
{
	double left = q * h->total;
	int i;

	for (i = 0; i < HIST_BINS - 1; i++) {
		left -= h->weight[i];
		if (left <= 0)
			break;
	}
	return i ? HIST_LEAST * exp((i - 0.5) * HIST_STEP) : 0;
}

static double hist_mean(const struct histogram *h)
{
	return h->total ? h->sum / h->total : 0;
}

int measure_init(struct sim *sim)
{
	const struct sim_scenario *s = sim->scenario;
	struct measure *m = &sim->measure;
	double rtt = 0, slowest = s->step_rate[0];
	bool own = s->flow[0].kind == SIM_FIXED;
	int i;

	for (i = 0; i < sim->n_flows; i++) {
		rtt = fmax(rtt, s->flow[i].rtt);
		own |= s->flow[i].kind == SIM_LITEFLOW;
	}
	m->kind = own ? SIM_LITEFLOW : s->flow[0].kind;
	for (i = 1; i < (int)s->n_steps; i++)
		slowest = fmin(slowest, s->step_rate[i]);
	m->bin = to_ns(fmax(rtt, 4.0 * sim->n_flows * SIM_WIRE * 8 / slowest));
	m->n_bins = sim->end / m->bin + 1;
	m->n_long = m->n_bins / LONG_BINS;
	m->delivered = calloc(m->n_bins, sizeof(double));
	m->fixed = calloc(m->n_bins, sizeof(double));
	m->waited = calloc(m->n_bins, sizeof(double));
	m->packets = calloc(m->n_bins, sizeof(double));
	m->share = calloc((size_t)(m->n_long + 1) * SIM_MAX_FLOWS, sizeof(double));
	return m->delivered && m->fixed && m->waited && m->packets && m->share ? 0 : -1;
}

void measure_free(struct measure *m)
{
	free(m->delivered);
	free(m->fixed);
	free(m->waited);
	free(m->packets);
	free(m->share);
}

static bool counts(const struct sim *sim, const struct flow *f)
{
	return f->kind == sim->measure.kind && sim->now >= f->start_at + GRACE_RTTS * f->rtt;
}

/* @wait: of the first of @n packets, ns; those that arrive have by @finish. */
void measure_packets(struct sim *sim, struct flow *f, u32 n, u32 arrived, u32 dropped,
		     double wait, s64 finish)
{
	struct measure *m = &sim->measure;
	int bin = finish / m->bin;

	if (bin < m->n_bins) {
		m->delivered[bin] += arrived;
		if (f->kind == SIM_FIXED)
			m->fixed[bin] += arrived;
		if (bin / LONG_BINS < m->n_long)
			m->share[bin / LONG_BINS * SIM_MAX_FLOWS + f->nr] += arrived;
	}
	if (!counts(sim, f))
		return;
	bin = sim->now / m->bin;
	m->waited[bin] += wait * arrived;
	m->packets[bin] += arrived;
	m->offered += n;
	m->dropped += dropped;
	hist_add(&m->seconds, wait / 1e9, arrived);
	hist_add(&m->rtts, wait / f->rtt, arrived);
	hist_add(&m->cost, wait / (f->rtt + TLF_SMALL_QUEUE * SIM_WIRE / link_rate(&sim->link)),
		 arrived);
}

static double seconds(s64 ns)
{
	return ns / 1e9;
}

/* Does the flow send during all of the long bin? */
static bool present(const struct sim *sim, const struct flow *f, int bin, int grace)
{
	s64 from = (s64)bin * LONG_BINS * sim->measure.bin;

	return f->kind != SIM_FIXED && f->start_at + grace * f->rtt <= from &&
	       f->stop_at >= from + LONG_BINS * sim->measure.bin;
}

static double of_worth(s32 worth)
{
	return worth / (double)TLF_WORTH_ONE;
}

/* Of so many packets, where @fair would be right */
static double utility(double packets, double fair)
{
	u64 unit = fair * SHARE_UNIT;

	return of_worth(tlf_utility(packets * SHARE_UNIT, unit, unit / LITTLE + 1));
}

static u32 part(double v)
{
	return fmin(v * TLF_WORTH_ONE, UINT32_MAX);
}

static void rate_utility(const struct sim *sim, struct sim_result *r)
{
	const struct measure *m = &sim->measure;
	double sum = 0, n = 0;
	int bin, i;

	for (bin = 0; bin < m->n_long; bin++) {
		double from = seconds((s64)bin * LONG_BINS * m->bin), fair;
		int sharing = 0;

		fair = link_capacity(sim->scenario, from, from + seconds(LONG_BINS * m->bin)) /
		       SIM_WIRE;
		fair *= 1 - sim->scenario->loss;
		for (i = 0; i < LONG_BINS; i++)
			fair -= m->fixed[bin * LONG_BINS + i];
		for (i = 0; i < sim->n_flows; i++)
			sharing += present(sim, &sim->flow[i], bin, 0);
		if (!sharing || fair <= 0)
			continue;
		fair /= sharing;
		for (i = 0; i < sim->n_flows; i++) {
			const struct flow *f = &sim->flow[i];

			if (f->kind != m->kind || !present(sim, f, bin, GRACE_RTTS))
				continue;
			sum += utility(m->share[bin * SIM_MAX_FLOWS + i], fair);
			n++;
		}
	}
	r->utility = n ? sum / n : 0;
}

static void recovery(const struct sim *sim, struct sim_result *r)
{
	const struct sim_scenario *s = sim->scenario;
	const struct measure *m = &sim->measure;
	double up = 0, down = 0, rtt = s->flow[0].rtt;
	int ups = 0, downs = 0, i;

	for (i = 1; i < (int)s->n_steps; i++) {
		double change = s->step_rate[i] / s->step_rate[i - 1];
		double at = s->step_time[i], until = i + 1 < (int)s->n_steps ?
						       s->step_time[i + 1] : s->duration;
		double most = rtt / 2 + TLF_SMALL_QUEUE * SIM_WIRE * 8 / s->step_rate[i];
		int bin;

		for (bin = at * 1e9 / m->bin + 1; (bin + 1) * seconds(m->bin) < until; bin++) {
			double full = s->step_rate[i] / 8 / SIM_WIRE * seconds(m->bin);

			if (change > 1 ? m->delivered[bin] >= RECOVERED * full :
			    m->packets[bin] && m->waited[bin] / m->packets[bin] < most * 1e9)
				break;
		}
		if (change > 1.3) {
			up += fmax(bin * seconds(m->bin) - at, 0) / rtt;
			ups++;
		} else if (change < 0.77) {
			down += fmax(bin * seconds(m->bin) - at, 0) / rtt;
			downs++;
		}
	}
	r->up = ups ? up / ups : -1;
	r->down = downs ? down / downs : -1;
}

/* Rates of flows, and how equal they are in the last third. */
static void shares(const struct sim *sim, struct sim_result *r)
{
	const struct measure *m = &sim->measure;
	double sum = 0, squares = 0, end = sim->scenario->duration;
	int bin, i, n = 0, first = m->n_long - m->n_long / 3;

	for (i = 0; i < sim->n_flows; i++) {
		const struct flow *f = &sim->flow[i];
		double all = 0, late = 0, from = f->desc->start, to = fmin(f->desc->stop, end);

		for (bin = 0; bin < m->n_long; bin++) {
			all += m->share[bin * SIM_MAX_FLOWS + i];
			if (bin >= first)
				late += m->share[bin * SIM_MAX_FLOWS + i];
		}
		r->sent[i] = f->sent;
		r->lost[i] = f->lost;
		if (to > from)
			r->goodput[i] = all * SIM_MSS * 8 / (to - from);
		if (m->n_long > first)
			r->late[i] = late * SIM_MSS * 8 /
				     seconds((s64)(m->n_long - first) * LONG_BINS * m->bin);
		if (f->kind != m->kind || !present(sim, f, first, 0) ||
		    !present(sim, f, m->n_long - 1, 0))
			continue;
		sum += late;
		squares += late * late;
		n++;
	}
	r->jain = squares > 0 ? sum * sum / (n * squares) : 1;
}

static double utilisation(const struct sim *sim)
{
	const struct measure *m = &sim->measure;
	int i, bin, first = m->n_bins;
	double sum = 0, from;

	for (i = 0; i < sim->n_flows; i++) {
		const struct flow *f = &sim->flow[i];

		bin = (f->start_at + GRACE_RTTS * f->rtt) / m->bin + 1;
		first = bin < first ? bin : first;
	}
	for (bin = first; bin < m->n_bins - 1; bin++)
		sum += m->delivered[bin];
	from = seconds(first * m->bin);
	return first < m->n_bins - 1 ?
	       sum * SIM_WIRE / link_capacity(sim->scenario, from,
					      seconds((m->n_bins - 1) * m->bin)) : 0;
}

void measure_result(struct sim *sim, struct sim_result *r)
{
	const struct measure *m = &sim->measure;
	u32 weights[TLF_WEIGHTS];
	struct tlf_worth worth;
	int i;

	memset(r, 0, sizeof(*r));
	r->utilisation = utilisation(sim);
	r->queue_mean = hist_mean(&m->seconds);
	r->queue_p50 = hist_quantile(&m->seconds, 0.5);
	r->queue_p95 = hist_quantile(&m->seconds, 0.95);
	r->queue_p95_rtt = hist_quantile(&m->rtts, 0.95);
	r->loss = m->offered ? m->dropped / m->offered : 0;
	recovery(sim, r);
	rate_utility(sim, r);
	shares(sim, r);
	worth.utility = lrint(r->utility * TLF_WORTH_ONE);
	worth.delay = tlf_delay_cost(part(hist_mean(&m->cost)), part(hist_quantile(&m->cost, 0.95)));
	worth.loss = tlf_loss_cost(part(r->loss));
	r->delay_cost = of_worth(worth.delay);
	r->loss_cost = of_worth(worth.loss);
	for (i = 0; i < TLF_WEIGHTS; i++)
		weights[i] = part(sim->scenario->preferences[i]);
	r->score = of_worth(tlf_score(&worth, weights));
	r->reward = m->rewards ? m->reward / m->rewards : 0;
	r->decisions = sim->decisions;
	r->events = sim->events;
}
