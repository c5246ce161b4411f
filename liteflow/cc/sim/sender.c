// SPDX-License-Identifier: GPL-2.0
/*
 * Senders. Each has one event at a time: the next of what it may send, an ACK, a
 * timeout.
 *
 * Packets that TCP would send back to back are one record with one ACK; two where RTTs
 * are looked at: the first two packets, and the rest. A lost packet is noticed when
 * three later ones were acknowledged, or by a tail loss probe. Nothing is sent again: a
 * retransmission takes the link's time like any other packet, so all that counts is how
 * many arrive.
 */
#include <math.h>
#include <stdlib.h>
#include "engine.h"
#include "../../linux/net/ipv4/tcp_liteflow_law.h"
#include "../../linux/net/ipv4/tcp_liteflow_parts.h"

#define MAX_BURST	44			/* 64 kB */
#define BURST_NS	1000000			/* of what pacing allows, as TCP sends at once */
#define SINGLE_RATE	150000			/* bytes per second */
#define FIRST_WINDOW	10
#define FIRST_ACKED	2			/* packets of what is sent at once */
#define REORDERING	3
#define MIN_RTO		(200 * 1000000LL)
#define MIN_PROBE	(4 * 1000000LL)		/* jiffies beside two RTTs */

#define RENO_KEEP	0.5
#define CUBIC_KEEP	0.7
#define CUBIC_SCALE	0.4
#define CUBIC_UNKNOWN	0.05			/* each round trip */
#define HYSTART_WINDOW	16			/* packets */
#define HYSTART_LEAST	(4 * 1000000LL)
#define HYSTART_MOST	(16 * 1000000LL)

static u32 inflight(const struct flow *f)
{
	return f->sent - f->delivered - f->lost;
}

/* What TCP gathers before it sends: tcp_tso_autosize(), tlf_min_tso_segs(). */
u32 sender_burst(const struct sim *sim, double bytes_per_sec)
{
	u32 n = fmin(bytes_per_sec * BURST_NS / NS_PER_SEC / SIM_MSS, MAX_BURST);
	u32 least = bytes_per_sec < SINGLE_RATE ? 1 : 2;

	least = least > sim->least_burst ? least : sim->least_burst;
	return n > least ? n : least;
}

static struct tlf_ack law_ack(const struct sim *sim, const struct flow *f, s64 sent_at, s64 rtt)
{
	return (struct tlf_ack){
		.now_us = sim->now / 1000,
		.sent_us = sent_at / 1000,
		.rtt_us = rtt < 0 ? -1 : rtt / 1000,
		.delivered = f->delivered,
		.lost = f->lost,
		.inflight = inflight(f),
		.mss = SIM_MSS,
		.burst = sender_burst(sim, f->hot.rate),
	};
}

/* Packets that may be under way: tlf_set_cwnd() without the recovery. */
u32 sender_cwnd(const struct sim *sim, const struct flow *f)
{
	return tlf_cwnd(&f->hot, &f->law, SIM_MSS, sender_burst(sim, f->hot.rate));
}

/* Into the queue, and back as one ACK; @end: number of the first packet after them. */
static s64 fly(struct sim *sim, struct flow *f, u32 n, u32 end)
{
	struct record *r;
	s64 finish;

	sim->link.backlog += (double)n * SIM_WIRE;
	finish = link_finish(&sim->link);
	if (!n || f->kind == SIM_FIXED)
		return finish;
	r = fifo_add(&f->flying);
	if (r)
		*r = (struct record){ sim->now, path_ack(sim, f, finish + f->rtt), end, n };
	else
		sim->failed = true;
	return finish;
}

static void send_packets(struct sim *sim, struct flow *f, u32 n)
{
	u32 arrived, passed, room, first = 0;
	double wait;
	s64 finish;

	link_advance(&sim->link, sim->now);
	wait = sim->link.backlog / link_rate(&sim->link);
	passed = path_survivors(sim, n);
	room = link_room(&sim->link);
	arrived = passed < room ? passed : room;
	/* a receiver acknowledges every second packet: the first two are not late */
	if (f->kind == SIM_LITEFLOW && arrived > FIRST_ACKED) {
		first = FIRST_ACKED;
		fly(sim, f, first, f->sent + first);
	}
	finish = fly(sim, f, arrived - first, f->sent + n);
	measure_packets(sim, f, n, arrived, passed - arrived, wait, finish);
	f->sent += n;
	if (f->kind == SIM_FIXED) {
		f->delivered += arrived;
		f->lost += n - arrived;
		return;
	}
	if (arrived < n) {
		struct hole *h = fifo_add(&f->holes);

		if (!h) {
			sim->failed = true;
			return;
		}
		*h = (struct hole){ f->sent, n - arrived };
	}
}

static double cubic_target(const struct flow *f, s64 now)
{
	double keep = CUBIC_KEEP, top = fmax(f->top, f->epoch_window), k, t, reno;

	t = (now - f->epoch_at + f->srtt) / 1e9;
	k = cbrt((top - f->epoch_window) / CUBIC_SCALE);
	reno = f->epoch_window + 3 * (1 - keep) / (1 + keep) * t / (f->srtt / 1e9);
	return fmax(top + CUBIC_SCALE * (t - k) * (t - k) * (t - k), reno);
}

/*
 * HyStart: slow start ends when a queue grows. The kernel sees that by ACKs that come for
 * half of the least RTT, which is about then, too; here a window is paced from the first.
 */
static void hystart(struct flow *f, s64 now, s64 rtt)
{
	s64 more;

	if (!f->least_rtt || rtt < f->least_rtt)
		f->least_rtt = rtt;
	more = f->least_rtt / 8;
	more = more < HYSTART_LEAST ? HYSTART_LEAST : more > HYSTART_MOST ? HYSTART_MOST : more;
	if (f->window >= f->threshold || f->window < HYSTART_WINDOW || rtt <= f->least_rtt + more)
		return;
	f->threshold = f->window;
	f->epoch_at = now;
	f->epoch_window = f->window;
}

static void window_acked(struct sim *sim, struct flow *f, u32 n)
{
	if (f->window < f->threshold) {
		f->window += n;
	} else if (f->kind == SIM_RENO) {
		f->window += n / f->window;
	} else {
		double more = fmax(cubic_target(f, sim->now) - f->window, 0) / f->window;

		/* before the first loss, at least so much */
		if (!f->top)
			more = fmax(more, CUBIC_UNKNOWN);
		f->window += fmin(more, 0.5) * n;
	}
}

static void window_lost(struct sim *sim, struct flow *f, u32 acked, bool timeout)
{
	if (!timeout && (s32)(acked - f->recovers) <= 0)
		return;
	f->recovers = f->sent;
	/* fast convergence */
	f->top = f->kind == SIM_CUBIC && f->window < f->top ?
		 f->window * (1 + CUBIC_KEEP) / 2 : f->window;
	f->window = fmax(f->window * (f->kind == SIM_RENO ? RENO_KEEP : CUBIC_KEEP), 2);
	f->threshold = f->window;
	if (timeout)
		f->window = 2;
	f->epoch_at = sim->now;
	f->epoch_window = f->window;
}

/* Packets up to number @acked are accounted for, less those REORDERING below it. */
static u32 take_losses(struct flow *f, u32 acked)
{
	u32 n = 0;

	while (!fifo_empty(&f->holes) &&
	       (s32)(acked - fifo_first(&f->holes)->end) >= REORDERING) {
		n += fifo_first(&f->holes)->n;
		fifo_drop(&f->holes);
	}
	f->lost += n;
	return n;
}

static void on_ack(struct sim *sim, struct flow *f)
{
	struct record r = *fifo_first(&f->flying);
	s64 rtt = sim->now - r.sent_at;
	u32 lost;

	fifo_drop(&f->flying);
	f->held_packets += r.arrived;
	if (++f->held < sim->scenario->thin && !fifo_empty(&f->flying))
		return;
	r.arrived = f->held_packets;
	f->held_packets = 0;
	f->held = 0;
	f->delivered += r.arrived;
	lost = take_losses(f, r.end);
	f->last_ack_at = sim->now;
	f->probed = false;
	f->srtt += (rtt - f->srtt) / 8;
	if (f->kind == SIM_LITEFLOW) {
		struct tlf_ack ack = law_ack(sim, f, r.sent_at, rtt);

		if (sim->scenario->agent == SIM_AGENT_OWNS)
			agent_hears(sim, f, &ack);
		else
			decide_on_ack(sim, f, &ack);
		return;
	}
	if (f->kind == SIM_CUBIC)
		hystart(f, sim->now, rtt);
	window_acked(sim, f, r.arrived);
	if (lost)
		window_lost(sim, f, r.end, false);
	f->cwnd = f->window;
}

/* A tail loss probe (RFC 8985): its ACK tells of all that was lost before it. */
static void probe_tail(struct sim *sim, struct flow *f)
{
	u32 i;

	f->probed = true;
	for (i = f->holes.head; i != f->holes.tail; i++)
		f->holes.at[i & (f->holes.room - 1)].end -= REORDERING;
	send_packets(sim, f, 1);
}

/* Nothing more will come back of what is under way. */
static void on_timeout(struct sim *sim, struct flow *f)
{
	while (!fifo_empty(&f->holes)) {
		f->lost += fifo_first(&f->holes)->n;
		fifo_drop(&f->holes);
	}
	f->last_ack_at = sim->now;
	f->probed = false;
	if (f->kind == SIM_LITEFLOW) {
		/* which is told at once */
		if (sim->scenario->agent)
			agent_report(sim, f);
		tlf_on_timeout(&f->hot, &f->law);
		f->cwnd = sender_cwnd(sim, f);
	} else {
		window_lost(sim, f, f->sent, true);
		f->cwnd = f->window;
	}
}

static bool prefers_throughput(const struct sim *sim, const struct flow *f)
{
	const double *p = preferences_of(sim, f);

	return p[0] > p[1];
}

static void begin(struct sim *sim, struct flow *f)
{
	struct tlf_ack ack = law_ack(sim, f, sim->now, -1);

	f->state = FLOW_RUNS;
	f->srtt = sim->now - f->start_at;
	f->last_ack_at = sim->now;
	f->send_at = sim->now;
	f->window = FIRST_WINDOW;
	f->threshold = INFINITY;
	f->cwnd = FIRST_WINDOW;
	if (f->kind == SIM_LITEFLOW) {
		tlf_init(&f->hot, &f->law, &ack, f->srtt / 1000, FIRST_WINDOW);
		f->law.keeps_queue = sim->policy->n_in > TLF_N_IN && prefers_throughput(sim, f);
		f->cwnd = sender_cwnd(sim, f);
		agent_begin(sim, f);
	}
}

static void send_some(struct sim *sim, struct flow *f)
{
	u32 n, may = f->cwnd - inflight(f);
	double rate;

	if (f->kind == SIM_FIXED) {
		rate = f->desc->rate / 8;
		n = sender_burst(sim, rate);
		send_packets(sim, f, n);
		f->send_at += n * SIM_WIRE * 1e9 / rate;
		return;
	}
	/* In truth the ACKs of a burst come apart, and let a window go as evenly. */
	rate = tlf_pace(&f->hot, &f->law);
	if (f->kind != SIM_LITEFLOW)
		rate = f->window * SIM_MSS * 1e9 / f->srtt * (f->window < f->threshold ? 2 : 1.05);
	/* TCP does not pace its first window */
	n = f->sent < FIRST_WINDOW ? FIRST_WINDOW - f->sent : sender_burst(sim, rate);
	n = n < may ? n : may;
	send_packets(sim, f, n);
	f->send_at = (f->send_at > sim->now ? f->send_at : sim->now) + n * SIM_MSS * 1e9 / rate;
}

/* On and off for random times around those of the scenario. */
static void toggle(struct sim *sim, struct flow *f)
{
	double mean;

	f->on = !f->on;
	mean = f->on ? f->desc->on : f->desc->off;
	f->toggle_at = mean > 0 ? sim->now + to_ns(mean * rnd_uniform(&sim->random, 0.5, 1.5)) :
				  NEVER;
	f->send_at = sim->now;
}

static s64 timeout_at(const struct flow *f)
{
	s64 rto = 2 * f->srtt > MIN_RTO ? 2 * f->srtt : MIN_RTO;

	if (!fifo_empty(&f->flying) || fifo_empty(&f->holes))
		return NEVER;
	return f->last_ack_at + (f->probed ? rto : 2 * f->srtt + MIN_PROBE);
}

/* When the flow has something to do next. */
static s64 next_event(struct flow *f)
{
	s64 at;

	switch (f->state) {
	case FLOW_WAITS:
		return f->start_at;
	case FLOW_SHAKES_HANDS:
		return f->send_at;
	case FLOW_ENDED:
		return NEVER;
	case FLOW_RUNS:
		break;
	}
	if (f->kind == SIM_FIXED) {
		at = f->on && f->send_at < f->toggle_at ? f->send_at : f->toggle_at;
		return at < f->stop_at ? at : f->stop_at;
	}
	at = fifo_empty(&f->flying) ? timeout_at(f) : fifo_first(&f->flying)->ack_at;
	if (inflight(f) < f->cwnd && f->send_at < at)
		at = f->send_at;
	if (f->report_at < at)
		at = f->report_at;
	return at < f->stop_at ? at : f->stop_at;
}

static void run_event(struct sim *sim, struct flow *f)
{
	if (sim->now >= f->stop_at) {
		f->state = FLOW_ENDED;
		return;
	}
	if (f->kind == SIM_FIXED) {
		if (sim->now >= f->toggle_at)
			toggle(sim, f);
		else
			send_some(sim, f);
		return;
	}
	if (sim->now >= f->report_at)
		agent_report(sim, f);
	else if (!fifo_empty(&f->flying) && sim->now >= fifo_first(&f->flying)->ack_at)
		on_ack(sim, f);
	else if (sim->now >= timeout_at(f) && !f->probed)
		probe_tail(sim, f);
	else if (sim->now >= timeout_at(f))
		on_timeout(sim, f);
	else
		send_some(sim, f);
}

void sender_event(struct sim *sim, struct flow *f)
{
	switch (f->state) {
	case FLOW_WAITS:
		link_advance(&sim->link, sim->now);
		f->state = FLOW_SHAKES_HANDS;
		f->send_at = sim->now + f->rtt + sim->link.backlog / link_rate(&sim->link);
		if (f->kind == SIM_FIXED) {
			f->state = FLOW_RUNS;
			toggle(sim, f);
		}
		break;
	case FLOW_SHAKES_HANDS:
		begin(sim, f);
		break;
	case FLOW_RUNS:
		run_event(sim, f);
		break;
	case FLOW_ENDED:
		break;
	}
	f->next = next_event(f);
	/* what the window held back */
	if (f->next < sim->now)
		f->next = sim->now;
}

void sender_init(struct sim *sim, struct flow *f, int nr)
{
	f->desc = &sim->scenario->flow[nr];
	f->kind = f->desc->kind;
	f->nr = nr;
	f->rtt = to_ns(f->desc->rtt);
	f->start_at = to_ns(f->desc->start);
	f->stop_at = to_ns(f->desc->stop);
	f->report_at = NEVER;
	f->next = next_event(f);
}

void sender_free(struct flow *f)
{
	free(f->flying.at);
	free(f->holes.at);
	free(f->heard.at);
	free(f->asked.at);
}
