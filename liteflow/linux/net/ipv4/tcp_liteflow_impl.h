/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control law of the congestion control "liteflow"
 *
 * In a header, as that of CoDel, so that it is compiled into whoever runs it:
 * tcp_liteflow.c, its tests, and the simulator that the models are trained in.
 *
 * Monitor intervals.  A flow's packets are cut into intervals by the time they
 * were sent; each takes half an RTT (at most three quarters of the minimum
 * RTT), or TLF_MI_PACKETS packets at the current
 * rate if that is longer.  Nothing is queued for that: packets leave in order, so
 * the ACKs of one interval come before those of the next, and the ACK of the
 * first packet sent after an interval's end closes it.  An interval gives three
 * features without a unit, those of Aurora (Jay et al., ICML 2019):
 *
 *   inflation = (mean RTT of its second half - mean RTT of its first) / duration
 *   ratio     = mean RTT / (minimum RTT + two packets at the current rate)
 *   send      = rate at which its packets were sent / rate of their arrival
 *
 * The two packets are not Aurora's (nor taken with its rule): where few packets
 * make up a round trip, one more is no queue.  "send" holds the losses: a packet
 * that is lost was sent and did not arrive.  The last TLF_HISTORY intervals are
 * what a model sees.  What an application left unsent says nothing of the
 * network: such intervals are dropped.
 *
 * Actions.  By the rule "pull", an action a changes the rate r by
 *
 *   ln r += a / 16 - log2(r / TLF_RATE_REF) / 256        |a| <= 4, sum <= 1/4
 *
 * Without its second term (as Aurora has it) two flows that see the same would
 * keep the ratio of their rates for ever.  With it, ln r1 - ln r2 shrinks by
 * 0.56 % each interval, whatever the rates: to a third in 89 round trips.  What
 * remains in the queue at rest depends on the rate: slow flows lean on it a
 * little more than fast ones.  Growth that for TLF_STREAK_MIN intervals met no
 * queue gains as much again with each TLF_STREAK_AGAIN more: how long the path has
 * been clear, a model cannot see.
 *
 * Start-up doubles the rate each round trip, as the rate is twice what was
 * delivered, until the mean RTT of an interval shows a queue, an eighth of its
 * packets is lost, or three round trips did not bring 25 % more.
 * Draining then halves the rate until no more than a BDP is under way.
 *
 * The minimum RTT expires after ten seconds; then the flow halves its window for
 * two round trips to see through its own queue.  Flows at one bottleneck fall into
 * step with that, as they all see the queue empty.
 *
 * Competing.  A controller that keeps queues short loses to one that fills them.
 * Where most of TLF_COMPETE_INTERVALS saw a queue throughout, the flow probes; if
 * half of its window less leaves a queue, somebody else fills it: seven sixteenths
 * of the RTT without one, for flows of one kind leave less, or three where packets
 * are lost, for a short buffer holds no more. That holds for TLF_COMPETE_HOLD
 * intervals then, as many flows of one kind may leave so much.
 * Until the next probe, more of the flow's own packets then are no queue,
 * TLF_COMPETE_PACKETS in place of two or a quarter of the BDP that start-up found;
 * while there are no more, a queue that grows is not its doing; and losses that
 * are not an eighth on average are none, for a queue overflows in bursts. Where the
 * model wanted less and less all that time, and yet the queue did not go, the flow
 * does so without a probe, but only for a while: flows of one kind must not keep
 * each other at it.
 */
#ifndef _TCP_LITEFLOW_IMPL_H
#define _TCP_LITEFLOW_IMPL_H

#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "tcp_liteflow.h"

#define TLF_RATE_REF		16000000	/* bytes per second: 128 Mbit/s */
#define TLF_STEP_SHIFT		4		/* an action of 1: a sixteenth */
#define TLF_PULL_SHIFT		8		/* each doubling above: 1/256 */
#define TLF_ACTION_MAX		(4 * TLF_ACTION_ONE)
#define TLF_CHANGE_MAX		(TLF_ACTION_ONE / 4)
#define TLF_STREAK_MIN		6		/* intervals of growth, then it gains */
#define TLF_STREAK_AGAIN	4		/* as much again with every four */
#define TLF_STREAK_MAX		32

#define TLF_AURORA_STEP		40		/* an action of 1: a fortieth */
#define TLF_AURORA_MAX		(10 * TLF_ACTION_ONE)

#define TLF_GUESS_US		1000		/* RTT, until there is one: as BBR's */
#define TLF_STARTUP_BURST	3		/* intervals: the first window is not paced */
#define TLF_STARTUP_ROUNDS	3		/* without 25 % more */
#define TLF_STARTUP_LOSS	8		/* an eighth of an interval, and */
#define TLF_DRAIN_INTERVALS	8		/* at most */
#define TLF_FEW_LOST		3		/* packets: fewer may be lost by chance */
#define TLF_LOSS_INTERVALS	8		/* that the average of losses is of */
#define TLF_LOSS_SHIFT		16
#define TLF_COLLAPSE_LOSS	4		/* a quarter of an interval */

#define TLF_LEAST_PACKETS	2		/* a round trip: fewer tell hardly anything */

#define TLF_SLACK_PACKETS	2		/* of its own that are no queue */
#define TLF_COMPETE_INTERVALS	16		/* to see that it competes */
#define TLF_PROBE_GAP_US	3000000		/* between probes for that */
#define TLF_COMPETE_WANTED	(-TLF_ACTION_ONE / 4)	/* sum of what the model wanted */
#define TLF_COMPETE_QUEUED	12		/* so many of them saw a queue throughout */
#define TLF_COMPETE_FILLED	7		/* sixteenths: its own kind leaves less */
#define TLF_COMPETE_LOSSY	3		/* and where packets are lost */
#define TLF_COMPETE_LOSS	8		/* an eighth: the queue's overflow */
#define TLF_COMPETE_HOLD	64		/* intervals for which that holds */
#define TLF_COMPETE_PROBED	U16_MAX		/* until the next probe */
#define TLF_COMPETE_PROBES	2		/* it takes so many to find no queue again */
#define TLF_COMPETE_PACKETS	32
#define TLF_COMPETE_BDP		4		/* or a quarter of start-up's BDP */
#define TLF_KEEP_WINDOWS	6		/* a minimum RTT of before the competition */

/**
 * tlf_change() - what an action asks for
 * @rate: bytes per second, TLF_RATE_MIN to TLF_RATE_MAX
 * @action: the model's answer, 16 fractional bits; any
 * @rule: how it counts
 *
 * Return: by how much the rate is to change, 16 fractional bits.
 */
static inline s32 tlf_change(u64 rate, s32 action, enum tlf_rule rule)
{
	s32 change;

	if (rule == TLF_RULE_AURORA)
		return clamp_t(s32, action, -TLF_AURORA_MAX, TLF_AURORA_MAX) / TLF_AURORA_STEP;
	action = clamp_t(s32, action, -TLF_ACTION_MAX, TLF_ACTION_MAX);
	change = action / (1 << TLF_STEP_SHIFT) -
		 (tlf_log2(rate) - tlf_log2(TLF_RATE_REF)) / (1 << TLF_PULL_SHIFT);
	return clamp_t(s32, change, -TLF_CHANGE_MAX, TLF_CHANGE_MAX);
}

/**
 * tlf_rate_after() - a rate, changed
 * @rate: bytes per second, TLF_RATE_MIN to TLF_RATE_MAX
 * @change: by how much, 16 fractional bits, -TLF_CHANGE_MAX to TLF_CHANGE_MAX: up
 *	and down by the same factor
 *
 * Return: bytes per second, TLF_RATE_MIN to TLF_RATE_MAX.
 */
static inline u64 tlf_rate_after(u64 rate, s32 change)
{
	if (change >= 0)
		rate += rate * change >> TLF_ACTION_SHIFT;
	else
		rate = div_u64(rate << TLF_ACTION_SHIFT, TLF_ACTION_ONE - change);
	return tlf_possible(rate);
}

static void tlf_forget(struct tlf_flow *flow)
{
	unsigned int i;

	for (i = 0; i < TLF_HISTORY; i++) {
		flow->history[i][0] = 0;
		flow->history[i][1] = TLF_ONE;
		flow->history[i][2] = TLF_ONE;
	}
	flow->next = 0;
	flow->streak = 0;
}

static void tlf_stop_competing(struct tlf_flow *flow)
{
	flow->competing = 0;
	flow->window_count = 0;
	flow->window_wanted = 0;
	flow->window_queued = 0;
	flow->window_lost = 0;
	flow->window_peak_us = 0;
}

static void tlf_start_over(struct tlf_hot *hot, struct tlf_flow *flow)
{
	hot->mode = TLF_STARTUP;
	hot->open = 0;
	flow->full_bw = 0;
	flow->full_rounds = 0;
	flow->filled = 0;
	flow->kept = 0;
	flow->lossy = 0;
	flow->loss = 0;
	flow->round_delivered = hot->last_delivered;
	tlf_forget(flow);
	tlf_stop_competing(flow);
}

/**
 * tlf_init() - a flow begins
 * @hot: set
 * @flow: set
 * @ack: the present: times and counters
 * @srtt_us: smoothed RTT, from the handshake; 0: none yet, as after a SYN that was sent
 *	again, or with data in it
 * @cwnd: packets that may be sent in one RTT to begin with
 */
static inline void tlf_init(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
			    u32 srtt_us, u32 cwnd)
{
	memset(hot, 0, sizeof(*hot));
	memset(flow, 0, sizeof(*flow));
	hot->last_sent_us = ack->sent_us;
	hot->last_ack_us = ack->now_us;
	hot->last_delivered = ack->delivered;
	hot->last_lost = ack->lost;
	/* not the handshake's: its packets are small, and pass a slow link sooner */
	hot->min_rtt_us = U32_MAX;
	hot->min_rtt_stamp_us = ack->now_us;
	flow->rtt_us = srtt_us ?: TLF_GUESS_US;
	flow->guessed = srtt_us ? 0 : min_t(u32, cwnd, U16_MAX);
	flow->ecn_delivered = ack->delivered;
	flow->probe_start_us = ack->now_us;
	hot->rate = tlf_possible(tlf_rate(2 * min(cwnd, TLF_COUNT_MAX), ack->mss, flow->rtt_us));
	tlf_start_over(hot, flow);
}

static void tlf_open(struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss)
{
	u32 rtt_us, packets_us = tlf_packets_us(TLF_MI_PACKETS, mss, hot->rate);

	hot->open = 1;
	hot->app_limited = 0;
	hot->rtt_sum[0] = 0;
	hot->rtt_sum[1] = 0;
	hot->rtt_n[0] = 0;
	hot->rtt_n[1] = 0;
	hot->mi_sent_us = hot->last_sent_us;
	hot->mi_ack_us = hot->last_ack_us;
	hot->mi_delivered = hot->last_delivered;
	hot->mi_lost = hot->last_lost;
	hot->mi_min_rtt_us = U32_MAX;
	/* a long queue must not make the answer to it slow */
	rtt_us = hot->min_rtt_us == U32_MAX ? flow->rtt_us :
		 min(flow->rtt_us, hot->min_rtt_us + hot->min_rtt_us / 2);
	hot->mi_len_us = clamp_t(u32, max(rtt_us / 2, packets_us), TLF_MI_MIN_US,
				 TLF_MI_MAX_US);
}

static s16 tlf_feature(s64 dividend, s64 divisor)
{
	return clamp_t(s64, div64_s64(dividend * TLF_ONE, divisor), S16_MIN, S16_MAX);
}

/*
 * An interval that is over, in numbers. @delivered, @lost: packets. Durations and
 * RTTs in microseconds, none of them 0.
 */
struct tlf_interval {
	u32 delivered;
	u32 lost;
	u32 sent_us;
	u32 acked_us;
	u32 rtt_us;
	s32 rise_us;
};

static void tlf_measure(const struct tlf_hot *hot, struct tlf_interval *mi)
{
	u32 n = hot->rtt_n[0] + hot->rtt_n[1];

	mi->delivered = hot->last_delivered - hot->mi_delivered;
	mi->lost = hot->last_lost - hot->mi_lost;
	mi->sent_us = clamp(tlf_since(hot->last_sent_us, hot->mi_sent_us), 1U, TLF_TIME_MAX_US);
	mi->acked_us = clamp(tlf_since(hot->last_ack_us, hot->mi_ack_us), 1U, TLF_TIME_MAX_US);
	mi->rtt_us = max_t(u32, div_u64(hot->rtt_sum[0] + hot->rtt_sum[1], n), 1);
	mi->rise_us = 0;
	if (hot->rtt_n[0] && hot->rtt_n[1])
		mi->rise_us = (s32)div_u64(hot->rtt_sum[1], hot->rtt_n[1]) -
			      (s32)div_u64(hot->rtt_sum[0], hot->rtt_n[0]);
}

/* How long those of its own packets take that are no queue. */
static u32 tlf_slack_us(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss,
			enum tlf_rule rule)
{
	u32 packets = TLF_SLACK_PACKETS;

	if (rule == TLF_RULE_AURORA)
		return 0;
	if (flow->competing)
		packets = max_t(u32, TLF_COMPETE_PACKETS,
				tlf_bdp(flow->full_bw, hot->min_rtt_us, mss) / TLF_COMPETE_BDP);
	return tlf_packets_us(packets, mss, hot->rate);
}

static void tlf_average_loss(struct tlf_flow *flow, const struct tlf_interval *mi)
{
	s32 share = div64_u64((u64)mi->lost << TLF_LOSS_SHIFT, (u64)mi->delivered + mi->lost);

	flow->loss += (share - flow->loss) / TLF_LOSS_INTERVALS;
}

static void tlf_remember(const struct tlf_hot *hot, struct tlf_flow *flow,
			 const struct tlf_interval *mi, u32 mss, enum tlf_rule rule)
{
	s16 *f = flow->history[flow->next];
	u32 sent = mi->delivered;

	f[0] = tlf_feature(mi->rise_us, mi->sent_us);
	f[1] = tlf_feature(mi->rtt_us, hot->min_rtt_us + tlf_slack_us(hot, flow, mss, rule));
	f[1] = max_t(s16, f[1], TLF_ONE);
	if (!flow->competing || flow->loss * TLF_COMPETE_LOSS > 1 << TLF_LOSS_SHIFT)
		sent += mi->lost;
	f[2] = tlf_feature((s64)min(sent, TLF_COUNT_MAX) * mi->acked_us,
			   (s64)min(mi->delivered, TLF_COUNT_MAX) * mi->sent_us);
	/* nor is it its doing that the others' queue grows */
	if (flow->competing && f[1] == TLF_ONE)
		f[0] = min_t(s16, f[0], 0);
	flow->next = (flow->next + 1) % TLF_HISTORY;
}

/* Was so much lost that no model is needed to see what follows? */
static bool tlf_is_collapse(const struct tlf_flow *flow, const struct tlf_interval *mi)
{
	if (flow->competing)
		return mi->lost && flow->loss * TLF_COLLAPSE_LOSS > 1 << TLF_LOSS_SHIFT;
	return mi->lost >= TLF_FEW_LOST &&
	       mi->lost * TLF_COLLAPSE_LOSS > mi->delivered + mi->lost;
}

/* For how long has there been no queue? Who competes does not see it. */
static void tlf_count_clear(struct tlf_flow *flow)
{
	const s16 *newest = flow->history[(flow->next + TLF_HISTORY - 1) % TLF_HISTORY];

	if (flow->competing || newest[1] > TLF_ONE)
		flow->streak = 0;
	else
		flow->streak = min(flow->streak + 1, TLF_STREAK_MAX);
}

static bool tlf_is_queue(const struct tlf_hot *hot, u32 rtt_us)
{
	return rtt_us > hot->min_rtt_us && rtt_us - hot->min_rtt_us > hot->min_rtt_us / 4;
}

static void tlf_startup(struct tlf_hot *hot, struct tlf_flow *flow,
			const struct tlf_interval *mi, u32 mss)
{
	bool round = tlf_reached(hot->last_delivered, flow->round_delivered);
	bool queue = flow->intervals > TLF_STARTUP_BURST && tlf_is_queue(hot, mi->rtt_us);

	if (flow->bw * 4 >= flow->full_bw * 5) {
		flow->full_bw = flow->bw;
		flow->full_rounds = 0;
	} else if (round && !hot->app_limited) {
		flow->full_rounds++;
	}
	if (round)
		flow->round_delivered = hot->last_delivered + tlf_bdp(flow->bw, mi->rtt_us, mss);
	if (queue ||
	    flow->full_rounds >= TLF_STARTUP_ROUNDS ||
	    (mi->lost >= TLF_FEW_LOST &&
	     mi->lost * TLF_STARTUP_LOSS > mi->delivered + mi->lost)) {
		hot->mode = TLF_DRAIN;
		flow->drain_count = 0;
		flow->full_bw = max(flow->full_bw, flow->bw);
		hot->rate = flow->bw / 2;
	} else {
		hot->rate = max(hot->rate, flow->bw * 2);
	}
	hot->rate = tlf_possible(hot->rate);
}

/*
 * The model decides from now on. For another round trip ACKs tell of what was sent
 * otherwise, at another rate and in bursts: not the model's doing.
 */
static void tlf_cruise(struct tlf_hot *hot, struct tlf_flow *flow, u32 now_us)
{
	hot->mode = TLF_CRUISE;
	flow->settling = 1;
	flow->settled_us = now_us;
}

static void tlf_drained(struct tlf_hot *hot, struct tlf_flow *flow, u32 now_us)
{
	tlf_cruise(hot, flow, now_us);
	hot->rate = tlf_possible(flow->full_bw);
	tlf_forget(flow);
}

static void tlf_drain(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack)
{
	if (++flow->drain_count >= TLF_DRAIN_INTERVALS ||
	    ack->inflight <= tlf_bdp(flow->full_bw, hot->min_rtt_us, ack->mss))
		tlf_drained(hot, flow, ack->now_us);
}

static void tlf_start_probe(struct tlf_hot *hot, struct tlf_flow *flow, u32 now_us)
{
	hot->mode = TLF_PROBE;
	flow->probe_start_us = now_us;
	flow->probe_min_rtt_us = U32_MAX;
}

/* The shortest RTT, and @packets at the best rate of start-up. */
static u32 tlf_base_us(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 packets,
		       u32 mss)
{
	return hot->min_rtt_us + tlf_packets_us(packets, mss, flow->full_bw + 1);
}

static u32 tlf_filled_us(const struct tlf_flow *flow, u32 base_us)
{
	return base_us + base_us / 16 * (flow->lossy ? TLF_COMPETE_LOSSY : TLF_COMPETE_FILLED);
}

/* Does somebody else fill the queue? */
static void tlf_compete(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
			const struct tlf_interval *mi)
{
	bool filled, queued, squeezed;
	u32 base_us;

	base_us = tlf_base_us(hot, flow, TLF_SLACK_PACKETS, ack->mss);
	flow->window_lost |= mi->lost > 0;
	flow->window_peak_us = max(flow->window_peak_us, mi->rtt_us);
	if (flow->competing == TLF_COMPETE_PROBED) {
		/* a probe can err; nobody who fills queues leaves them so short so long */
		flow->window_queued += flow->rtt_us > tlf_filled_us(flow, base_us);
		if (++flow->window_count < TLF_COMPETE_HOLD)
			return;
		filled = flow->window_queued >= TLF_COMPETE_HOLD / 4;
		flow->lossy = flow->window_lost;
		tlf_stop_competing(flow);
		if (filled)
			flow->competing = TLF_COMPETE_PROBED;
		else
			flow->filled = 0;
		return;
	}
	if (flow->competing) {
		/* what was wanted meanwhile is the competition's doing */
		if (!--flow->competing)
			tlf_stop_competing(flow);
		return;
	}
	flow->window_queued += hot->mi_min_rtt_us > base_us + base_us / 8;
	if (++flow->window_count < TLF_COMPETE_INTERVALS)
		return;
	queued = flow->window_queued >= TLF_COMPETE_QUEUED;
	/* a queue that goes is its own: the path got slower */
	squeezed = flow->window_wanted < TLF_COMPETE_WANTED &&
		   mi->rtt_us >= flow->window_peak_us - flow->window_peak_us / 4;
	flow->lossy = flow->window_lost;
	tlf_stop_competing(flow);
	if (!queued)
		return;
	if (squeezed)
		flow->competing = TLF_COMPETE_HOLD;
	else if (tlf_since(ack->now_us, flow->probe_start_us) > TLF_PROBE_GAP_US)
		tlf_start_probe(hot, flow, ack->now_us);
}

/* Close the interval; is the model to be asked? */
static bool tlf_close(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
		      enum tlf_rule rule)
{
	struct tlf_interval mi;
	u64 sent;

	tlf_measure(hot, &mi);
	flow->intervals++;
	flow->rtt_us = mi.rtt_us;
	flow->bw = tlf_rate(mi.delivered, ack->mss, mi.acked_us);
	switch (hot->mode) {
	case TLF_STARTUP:
		tlf_startup(hot, flow, &mi, ack->mss);
		return false;
	case TLF_DRAIN:
		tlf_drain(hot, flow, ack);
		return false;
	case TLF_PROBE:
		return false;
	}

	if (hot->app_limited)
		return false;
	if (flow->settling && !tlf_reached(hot->mi_sent_us, flow->settled_us))
		return false;
	flow->settling = 0;
	/* a rate that the receiver's window or ours does not allow must not grow on */
	sent = max(tlf_rate(mi.delivered + mi.lost, ack->mss, mi.sent_us), flow->bw);
	hot->rate = clamp_t(u64, 2 * sent, max_t(u64, hot->rate / 2, TLF_RATE_MIN), hot->rate);
	tlf_average_loss(flow, &mi);
	tlf_remember(hot, flow, &mi, ack->mss, rule);
	tlf_count_clear(flow);
	tlf_compete(hot, flow, ack, &mi);
	if (hot->mode == TLF_PROBE)
		return false;
	/* the path took in far more than it delivered: its capacity fell */
	if (tlf_is_collapse(flow, &mi) ||
	    (mi.acked_us > 2 * mi.sent_us && mi.rise_us > 0 && tlf_is_queue(hot, mi.rtt_us))) {
		hot->rate = tlf_possible(clamp_t(u64, flow->bw, hot->rate / 2, hot->rate));
		flow->streak = 0;
		return false;
	}
	return true;
}

/* The window is halved for two round trips; what they say is the minimum. */
static void tlf_probe(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack)
{
	u32 base_us;

	if (ack->rtt_us > 0)
		flow->probe_min_rtt_us = min_t(u32, flow->probe_min_rtt_us, ack->rtt_us);
	if (tlf_since(ack->now_us, flow->probe_start_us) < 2 * flow->rtt_us ||
	    flow->probe_min_rtt_us == U32_MAX)
		return;
	base_us = tlf_base_us(hot, flow, TLF_CWND_MIN, ack->mss);
	tlf_stop_competing(flow);
	if (flow->probe_min_rtt_us > tlf_filled_us(flow, base_us) &&
	    flow->kept < TLF_KEEP_WINDOWS) {
		/* half of its packets less, and no shorter a queue: not its own */
		flow->kept++;
		flow->filled = TLF_COMPETE_PROBES;
	} else {
		flow->kept = 0;
		hot->min_rtt_us = flow->probe_min_rtt_us;
		if (flow->filled)
			flow->filled--;
	}
	/* flows of one kind that lose packets must not keep each other at it */
	if (flow->filled)
		flow->competing = flow->lossy ? TLF_COMPETE_HOLD : TLF_COMPETE_PROBED;
	hot->min_rtt_stamp_us = ack->now_us;
	tlf_cruise(hot, flow, ack->now_us);
	hot->open = 0;
}

/* The first rate was by a guess: start-up never falls below its rate, so here it has to. */
static void tlf_first_rtt(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack)
{
	u64 rate = tlf_possible(tlf_rate(2 * flow->guessed, ack->mss, ack->rtt_us));

	flow->guessed = 0;
	if (hot->mode != TLF_STARTUP)
		return;
	flow->rtt_us = ack->rtt_us;
	hot->rate = min(hot->rate, rate);
	hot->open = 0;
}

static void tlf_min_rtt(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack)
{
	if (hot->mode == TLF_PROBE)
		tlf_probe(hot, flow, ack);
	if (ack->rtt_us <= 0)
		return;
	if (flow->guessed)
		tlf_first_rtt(hot, flow, ack);
	if (ack->rtt_us <= hot->min_rtt_us) {
		hot->min_rtt_us = ack->rtt_us;
		hot->min_rtt_stamp_us = ack->now_us;
	} else if (hot->mode == TLF_CRUISE &&
		   tlf_since(ack->now_us, hot->min_rtt_stamp_us) > TLF_MIN_RTT_WINDOW_US) {
		if (ack->app_limited) {
			/* no queue of its own */
			hot->min_rtt_us = ack->rtt_us;
			hot->min_rtt_stamp_us = ack->now_us;
			return;
		}
		tlf_start_probe(hot, flow, ack->now_us);
	}
}

/*
 * All packets that were sent in the interval are accounted for; or the network takes
 * so much longer to deliver them that those which came tell enough.
 */
static bool tlf_is_over(const struct tlf_hot *hot, const struct tlf_ack *ack)
{
	u32 delivered = hot->last_delivered - hot->mi_delivered;

	if (!delivered || !(hot->rtt_n[0] + hot->rtt_n[1]))
		return false;
	return tlf_reached(ack->sent_us, hot->mi_sent_us + hot->mi_len_us) ||
	       (delivered >= TLF_MI_PACKETS &&
		tlf_since(hot->last_ack_us, hot->mi_ack_us) >= hot->mi_len_us * 3 / 2);
}

/**
 * tlf_on_ack() - account for an ACK
 * @hot: the flow
 * @flow: its other half
 * @ack: what the ACK says
 * @rule: what is done with answers
 *
 * Return: whether an interval ended that the model is to be asked about:
 * tlf_inputs(), then tlf_act().
 */
static inline bool tlf_on_ack(struct tlf_hot *hot, struct tlf_flow *flow,
			      const struct tlf_ack *ack, enum tlf_rule rule)
{
	bool ask = false;

	tlf_min_rtt(hot, flow, ack);
	if (hot->open && tlf_is_over(hot, ack)) {
		ask = tlf_close(hot, flow, ack, rule);
		hot->open = 0;
	}
	if (!hot->open)
		tlf_open(hot, flow, ack->mss);

	if (ack->rtt_us > 0) {
		u32 since = tlf_since(ack->sent_us, hot->mi_sent_us);
		unsigned int half = (s32)since >= 0 && since >= hot->mi_len_us / 2;

		if (hot->rtt_n[half] < U16_MAX) {
			hot->rtt_n[half]++;
			hot->rtt_sum[half] += ack->rtt_us;
		}
		hot->mi_min_rtt_us = min_t(u32, hot->mi_min_rtt_us, ack->rtt_us);
	}
	hot->app_limited |= ack->app_limited;
	if (tlf_reached(ack->sent_us, hot->last_sent_us))
		hot->last_sent_us = ack->sent_us;
	hot->last_ack_us = ack->now_us;
	hot->last_delivered = ack->delivered;
	hot->last_lost = ack->lost;
	return ask;
}

/**
 * tlf_inputs() - what the model is asked
 * @flow: the flow
 * @in: set: TLF_HISTORY times inflation, ratio, send, the oldest first, each with
 *	16 fractional bits
 */
static inline void tlf_inputs(const struct tlf_flow *flow, s32 in[TLF_N_IN])
{
	unsigned int i, j, slot = flow->next;

	for (i = 0; i < TLF_HISTORY; i++) {
		for (j = 0; j < TLF_FEATURES; j++)
			*in++ = flow->history[slot][j] * (1 << (TLF_ACTION_SHIFT - TLF_SHIFT));
		slot = (slot + 1) % TLF_HISTORY;
	}
}

/* Growth that no queue answers for longer than a model can see. */
static s32 tlf_accelerate(struct tlf_flow *flow, s32 change)
{
	if (change <= 0)
		flow->streak = 0;
	else if (flow->streak > TLF_STREAK_MIN)
		change += change * (flow->streak - TLF_STREAK_MIN) / TLF_STREAK_AGAIN;
	return min(change, TLF_CHANGE_MAX);
}

/**
 * tlf_act() - do what the model says
 * @hot: the flow
 * @flow: its other half
 * @action: the model's answer, 16 fractional bits; any
 * @mss: bytes of a packet
 * @rule: how it counts
 */
static inline void tlf_act(struct tlf_hot *hot, struct tlf_flow *flow, s32 action, u32 mss,
			   enum tlf_rule rule)
{
	s32 change = tlf_change(hot->rate, action, rule);
	u64 least = tlf_rate(TLF_LEAST_PACKETS, mss, flow->rtt_us);

	if (rule == TLF_RULE_PULL)
		change = tlf_accelerate(flow, change);
	flow->window_wanted += change;
	/* what arrives now does arrive: less than that only empties a queue */
	least = max(least, min(hot->rate, flow->bw * 5 / 8));
	hot->rate = max(tlf_rate_after(hot->rate, change), least);
}

/**
 * tlf_on_ecn() - the network marked a packet
 * @hot: the flow
 * @flow: its other half
 * @ack: what the ACK says
 *
 * Halves the rate, as RFC 3168 wants it, at most once in a round trip.
 */
static inline void tlf_on_ecn(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack)
{
	if (!tlf_reached(ack->delivered, flow->ecn_delivered))
		return;
	flow->ecn_delivered = ack->delivered + ack->inflight;
	hot->rate = tlf_possible(hot->rate / 2);
	hot->open = 0;
	flow->streak = 0;
	if (hot->mode == TLF_STARTUP)
		hot->mode = TLF_CRUISE;
}

/**
 * tlf_on_timeout() - nothing came back for a retransmission timeout
 * @hot: the flow
 * @flow: its other half
 *
 * Halves the rate. The window is TCP's until the loss is mended. tlf_on_undo() takes
 * it back, until tlf_on_mended().
 */
static inline void tlf_on_timeout(struct tlf_hot *hot, struct tlf_flow *flow)
{
	flow->undo.rate = hot->rate;
	flow->undo.mode = hot->mode;
	flow->undo.next = flow->next;
	memcpy(flow->undo.history, flow->history, sizeof(flow->history));
	hot->rate = tlf_possible(hot->rate / 2);
	hot->open = 0;
	tlf_forget(flow);
	if (hot->mode == TLF_STARTUP)
		hot->mode = TLF_CRUISE;
}

/**
 * tlf_on_undo() - the timeout was spurious: nothing had been lost
 * @hot: the flow
 * @flow: its other half
 *
 * Gives back rate, mode and history as F-RTO (RFC 5682) and Eifel (RFC 4015) give back
 * the window. Does nothing but after a timeout.
 */
static inline void tlf_on_undo(struct tlf_hot *hot, struct tlf_flow *flow)
{
	if (!flow->undo.rate)
		return;
	hot->rate = max(hot->rate, flow->undo.rate);
	hot->mode = flow->undo.mode;
	hot->open = 0;
	flow->next = flow->undo.next;
	memcpy(flow->history, flow->undo.history, sizeof(flow->history));
	flow->undo.rate = 0;
}

/**
 * tlf_on_mended() - what a timeout found lost is mended
 * @flow: the flow
 */
static inline void tlf_on_mended(struct tlf_flow *flow)
{
	flow->undo.rate = 0;
}

/**
 * tlf_on_restart() - a flow sends again that had nothing to send
 * @hot: the flow
 * @flow: its other half
 * @now_us: the present
 * @idle_us: how long it was silent
 *
 * The rate holds, and pacing keeps the first window from being a burst. After
 * longer than the minimum RTT is worth, the path may be another: start-up again,
 * from half of the rate.
 */
static inline void tlf_on_restart(struct tlf_hot *hot, struct tlf_flow *flow, u32 now_us,
				  u32 idle_us)
{
	hot->open = 0;
	/* older than half the clock's range, they would be taken for the future */
	hot->last_sent_us = now_us;
	hot->last_ack_us = now_us;
	/* nothing is under way; and an interval may never end, if silence cuts all */
	if (hot->mode == TLF_DRAIN)
		tlf_drained(hot, flow, now_us);
	if (idle_us <= TLF_MIN_RTT_WINDOW_US)
		return;
	hot->rate = tlf_possible(hot->rate / 2);
	hot->min_rtt_us = U32_MAX;
	tlf_start_over(hot, flow);
}

/**
 * tlf_cwnd() - how much may be under way
 * @hot: the flow
 * @flow: its other half
 * @mss: bytes of a packet
 *
 * Twice the product of rate and minimum RTT: pacing, not the window, sets the
 * rate, but what the network takes in is bounded while ACKs fail to come.
 *
 * Return: packets.
 */
static inline u32 tlf_cwnd(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss)
{
	u32 rtt_us = hot->min_rtt_us == U32_MAX ? flow->rtt_us : hot->min_rtt_us;
	u32 bdp = tlf_bdp(hot->rate, rtt_us, mss);

	if (hot->mode == TLF_PROBE)
		return max_t(u32, bdp / 2, TLF_CWND_MIN);
	if (flow->competing)
		bdp = max(bdp, tlf_bdp(hot->rate, flow->rtt_us, mss) * 5 / 8);
	return max_t(u32, 2 * bdp, TLF_CWND_MIN);
}

#endif /* _TCP_LITEFLOW_IMPL_H */
