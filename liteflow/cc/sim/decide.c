// SPDX-License-Identifier: GPL-2.0
/*
 * Who decides: the policy or the expert, in the kernel or in user space
 *
 * In the kernel (SIM_AGENT_NONE) the law runs with each ACK, and what it asks is answered
 * at once. An agent in user space hears of the flow every so often only. Of two kinds the
 * law stays in the kernel, and the agent answers what the flow's model would have been
 * asked: SIM_AGENT_NEWEST does what the newest question leads to, SIM_AGENT_EACH answers
 * each. With SIM_AGENT_OWNS the agent has the whole law, start-up and the answers to loss
 * among it: between two reports rate and window stay as they are, as with a datapath that
 * only reports and obeys. The report holds every ACK, with its time. A timeout is
 * reported at once. Neither computing nor the way to the agent takes time: that is the
 * best case for user space.
 */
#include <math.h>
#include <string.h>
#include "engine.h"
#include "../../linux/net/ipv4/tcp_liteflow_law.h"
#include "../../linux/net/ipv4/tcp_liteflow_parts.h"
#include "../../linux/net/ipv4/tcp_liteflow_reward.h"

static void trace(struct sim *sim, const struct flow *f)
{
	struct sim_trace *t = sim->trace;
	struct sim_sample *s;
	int i;

	if (!t || t->n >= t->room)
		return;
	s = &t->sample[t->n++];
	link_advance(&sim->link, sim->now);
	s->time = sim->now / 1e9;
	s->flow = f->nr;
	s->rate = f->kind == SIM_LITEFLOW ? f->hot.rate * 8.0 : f->window * SIM_MSS * 8e9 / f->srtt;
	s->action = f->action;
	for (i = 0; i < TLF_FEATURES; i++)
		s->feature[i] = f->law.history[(f->law.next + TLF_HISTORY - 1) % TLF_HISTORY][i] /
				(double)TLF_ONE;
	s->queue = sim->link.backlog / link_rate(&sim->link) / 1e9;
	s->mode = f->hot.mode + 10 * f->law.competing;
}

const double *preferences_of(const struct sim *sim, const struct flow *f)
{
	const double *own = f->desc->preferences;

	return own[0] + own[1] + own[2] > 0 ? own : sim->scenario->preferences;
}

/* Where somebody fills the queue anyway, it says nothing of one's own rate. */
#define FILLED_QUEUE	0.05

static float ask_expert(struct sim *sim, const struct flow *f)
{
	double rate = link_rate(&sim->link), left = rate * NS_PER_SEC;	/* on the link */
	double police = sim->scenario->police_rate / 8;
	struct expert_view view = { .rate = f->hot.rate,
				    .aurora = sim->scenario->rule == TLF_RULE_AURORA };
	bool filled = false;
	int i, sharing = 0;

	if (police > 0)
		left = fmin(left, police);
	for (i = 0; i < sim->n_flows; i++) {
		const struct flow *o = &sim->flow[i];

		if (o->state != FLOW_RUNS)
			continue;
		if (o->kind == SIM_FIXED)
			left -= o->on ? o->desc->rate / 8 : 0;
		else
			sharing++;
		filled |= o->kind == SIM_RENO || o->kind == SIM_CUBIC;
	}
	link_advance(&sim->link, sim->now);
	view.share = fmax(left * SIM_MSS / SIM_WIRE / sharing, TLF_RATE_MIN);
	view.queue = filled ? FILLED_QUEUE :
			      sim->link.backlog / rate / (f->rtt + TLF_SMALL_QUEUE * SIM_WIRE / rate);
	view.burst = (sender_burst(sim, f->hot.rate) - 1) * SIM_WIRE / rate / f->rtt;
	view.rest = -ldexp(tlf_change(f->hot.rate, tlf_pull_us(&f->hot, &f->law),
				      TLF_COARSE_PACKETS, 0, TLF_RULE_PULL),
			   TLF_STEP_SHIFT - TLF_ACTION_SHIFT);
	view.lean = preferences_of(sim, f)[0] - preferences_of(sim, f)[1];
	return expert_run(sim->policy->gains, &view);
}

/* What the policy is shown. */
static void read_inputs(const struct sim *sim, const struct flow *f, float *in)
{
	static const float lo[] = FEATURE_LO, hi[] = FEATURE_HI;
	s32 raw[TLF_N_IN];
	int i;

	if (sim->policy->n_in > TLF_N_IN)
		for (i = 0; i < SIM_PREFERENCES; i++)
			*in++ = fminf(fmaxf(preferences_of(sim, f)[i], PREFERENCE_LO),
				      PREFERENCE_HI);
	tlf_inputs(&f->law, raw);
	for (i = 0; i < TLF_N_IN; i++)
		in[i] = fminf(fmaxf(raw[i] / (float)TLF_ACTION_ONE, lo[i % TLF_FEATURES]),
			      hi[i % TLF_FEATURES]);
}

static void decide(struct sim *sim, struct flow *f, const float *in)
{
	const struct policy *p = sim->policy;
	struct sim_trace *t = sim->trace;
	float expert = 0;

	if (p->gains)
		expert = ask_expert(sim, f);
	f->action = p->params ? policy_run(p->params, p->n_in, p->linear, in) : expert;
	if (t && t->rows_n < t->rows_room) {
		float *row = t->rows + t->rows_n++ * (p->n_in + 1);

		memcpy(row, in, p->n_in * sizeof(*in));
		row[p->n_in] = p->gains ? expert : f->action;
	}
	tlf_act(&f->hot, &f->law, lrintf(f->action * TLF_ACTION_ONE), SIM_MSS,
		sim->scenario->rule);
	sim->decisions++;
	trace(sim, f);
}

/* An interval at the policy's rate is over. */
static void judge(struct sim *sim, struct flow *f)
{
	const double *p = preferences_of(sim, f);
	u32 weights[TLF_WEIGHTS];
	int i;

	for (i = 0; i < TLF_WEIGHTS; i++)
		weights[i] = lrint(p[i] * TLF_WORTH_ONE);
	f->law.seen = false;
	sim->measure.reward += tlf_reward(&f->hot, &f->law, SIM_MSS, weights) /
			       (double)TLF_WORTH_ONE;
	sim->measure.rewards++;
}

/* The law hears of an ACK. */
void decide_on_ack(struct sim *sim, struct flow *f, const struct tlf_ack *ack)
{
	u32 window = sim->scenario->min_rtt_window * 1e6, intervals = f->law.intervals;
	struct question q;

	/* short episodes must show what comes after the minimum's expiry */
	if (window && ack->now_us - f->hot.min_rtt_stamp_us > window)
		f->hot.min_rtt_stamp_us = ack->now_us - TLF_MIN_RTT_WINDOW_US - 1;
	if (tlf_on_ack(&f->hot, &f->law, ack, sim->scenario->rule)) {
		read_inputs(sim, f, q.in);
		if (f->report_at == NEVER || sim->scenario->agent == SIM_AGENT_OWNS) {
			decide(sim, f, q.in);
		} else {
			struct question *later = fifo_add(&f->asked);

			if (later)
				*later = q;
			else
				sim->failed = true;
		}
	} else if (f->law.intervals != intervals) {
		trace(sim, f);
	}
	if (f->law.seen)
		judge(sim, f);
	f->cwnd = sender_cwnd(sim, f);
}

/* An ACK that the agent is told of with the next report. */
void agent_hears(struct sim *sim, struct flow *f, const struct tlf_ack *ack)
{
	struct tlf_ack *later = fifo_add(&f->heard);

	if (later)
		*later = *ack;
	else
		sim->failed = true;
}

static void next_report(struct sim *sim, struct flow *f)
{
	s64 every = to_ns(sim->scenario->report);

	f->report_at = sim->now + (every ?: f->hot.mi_len_us * 1000LL);
}

void agent_begin(struct sim *sim, struct flow *f)
{
	if (!sim->scenario->agent)
		return;
	/* there is no interval yet */
	f->hot.mi_len_us = f->law.rtt_us / 2;
	next_report(sim, f);
}

/* What happened since the last report reaches the agent, which acts. */
void agent_report(struct sim *sim, struct flow *f)
{
	while (!fifo_empty(&f->heard)) {
		struct tlf_ack ack = *fifo_first(&f->heard);

		fifo_drop(&f->heard);
		decide_on_ack(sim, f, &ack);
	}
	while (!fifo_empty(&f->asked)) {
		struct question q = *fifo_first(&f->asked);

		fifo_drop(&f->asked);
		if (sim->scenario->agent == SIM_AGENT_NEWEST && !fifo_empty(&f->asked))
			continue;
		/* as the kernel: only while the model has the rate */
		if (f->hot.mode == TLF_CRUISE)
			decide(sim, f, q.in);
	}
	f->cwnd = sender_cwnd(sim, f);
	next_report(sim, f);
}
