// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control law of the congestion control "liteflow"
 *
 * It knows no sockets: tcp_liteflow_main.c has these, and the simulator that the models
 * are trained in runs the same source.  tcp_liteflow_path.c has what a flow knows of its
 * path, tcp_liteflow_compete.c how it holds its own beside others.
 *
 * Monitor intervals.  A flow's packets are cut into intervals by the time they
 * were sent; each takes half an RTT (at most three quarters of the minimum
 * RTT), or TLF_MI_PACKETS packets or two bursts at the current rate, or
 * TLF_SPREADS standard deviations of the RTT, whichever is longest.  Nothing is
 * queued for that: packets leave in order, so the ACKs of one interval come before
 * those of the next, and the ACK of the first packet sent after an interval's end
 * closes it.  An interval gives three features without a unit, those of Aurora (Jay
 * et al., ICML 2019) but for what is less sensitive to noise:
 *
 *   inflation = (mean RTT of its second half - mean RTT of its first) / duration
 *   ratio     = least RTT / (minimum RTT + two packets at the current rate)
 *   send      = rate at which its packets were sent / rate of their arrival
 *
 * Aurora takes the mean RTT, and no packets (as is done with its rule): where few
 * packets make up a round trip, one more is no queue.  "send" holds the losses: a
 * packet that is lost was sent and did not arrive.  Those that the path loses
 * whatever the rate do not count.  The last TLF_HISTORY intervals are what a model
 * sees.  What an application left unsent says nothing of the
 * network: intervals that used less than three quarters of the rate for that are dropped.
 *
 * Actions.  By the rule "pull", an action a changes the rate r, at a minimum RTT of T, by
 *
 *   ln r += a (4 + |a|) / 128 - log2(r T^2 / (TLF_RATE_REF TLF_RTT_REF_US^2)) / 256
 *
 * with |a| <= 4 and a sum within 1/4.  A small action counts half: what it leads to shows
 * after three intervals only, and with full strength the rate would swing around what the
 * path takes.  Where fewer than TLF_COARSE_PACKETS make up a round trip it does so anyway, and
 * many such flows have to yield at once: there the first term is a / 16.
 * Without its second term (as Aurora has it) two flows that see the same would
 * keep the ratio of their rates for ever.  With it, ln r1 - ln r2 shrinks by
 * 0.56 % each interval, whatever the rates: to a third in 89 round trips.  What
 * remains in the queue at rest depends on the rate: slow flows lean on it a
 * little more than fast ones.  T is there as the same queue is a longer part of a shorter
 * RTT: else the flow with the shorter one would yield.  It is at least TLF_RTT_LEAST_US, or
 * near flows would be pushed all too hard; and where there is no queue to share, at most
 * TLF_RTT_REF_US, or growth would be slow.
 * Growth that for TLF_STREAK_MIN intervals met no
 * queue gains as much again with each TLF_STREAK_AGAIN more: how long the path has
 * been clear, a model cannot see.
 *
 * Start-up doubles the rate each round trip: ACKs tell of what was sent one and a
 * half round trips ago, so the rate is 2^1.5 times what was delivered.  It ends when
 * the least RTT of an interval shows a queue, two in a row lose a quarter of their
 * packets or three a sixth, as who joins a full queue does not see it grow, or three round
 * trips did not bring 25 % more, ten where packets are lost.
 * Draining then halves the rate until no more than a BDP is under way.
 *
 * The minimum RTT expires after ten seconds; then the flow halves its window for
 * two round trips to see through its own queue.  Flows at one bottleneck fall into
 * step with that, as they all see the queue empty.
 */
#include <kunit/visibility.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "tcp_liteflow_law.h"
#include "tcp_liteflow_parts.h"

#define TLF_FIRST_WINDOW	10		/* packets: any path has to take them, RFC 6928 */
#define TLF_GUESS_US		1000		/* RTT, until there is one: as BBR's */
#define TLF_STARTUP_BURST	3		/* intervals: the first window is not paced */
#define TLF_STARTUP_GAIN	181		/* of 64: 2 to the power of 3/2 */
#define TLF_LOSSY_ROUNDS	10		/* the same where packets are lost */
#define TLF_STARTUP_LOSS	4		/* a quarter of two intervals in a row ends it, */
#define TLF_STARTUP_LESS	6		/* or a sixth of three */
#define TLF_STARTUP_LOST	6		/* so much in sum: each of two 3, each of three 2 */

/* Is there no queue, by what a model is told of the newest interval? */
bool tlf_is_clear(const struct tlf_flow *flow)
{
	return flow->history[(flow->next + TLF_HISTORY - 1) % TLF_HISTORY][1] <= TLF_ONE;
}

/* The RTT that counts in tlf_change() */
u32 tlf_pull_us(const struct tlf_hot *hot, const struct tlf_flow *flow)
{
	u32 rtt_us = max(hot->min_rtt_us, TLF_RTT_LEAST_US);

	return tlf_is_clear(flow) ? min(rtt_us, TLF_RTT_REF_US) : rtt_us;
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
	flow->trial = TLF_NO_TRIAL;
	flow->streak = 0;
	flow->held = 0;
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
	flow->path_loss = 0;
	flow->quiet_seen = 0;
	tlf_quiet_breaks(flow);
	flow->startup_peak_us = 0;
	flow->spread_us = 0;
	flow->settling = 0;
	flow->lossless = 0;
	flow->collapsed = 0;
	flow->cut = 0;
	flow->bw_max[0] = 0;
	flow->bw_max[1] = 0;
	flow->bw_count = 0;
	flow->busy_bw = 0;
	flow->standing_us[0] = U32_MAX;
	flow->standing_us[1] = U32_MAX;
	flow->standing_count = 0;
	flow->room = 0;
	flow->hold = 0;
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
void tlf_init(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack, u32 srtt_us,
	      u32 cwnd)
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
	flow->probe_start_us = ack->now_us;
	flow->answered_us = ack->now_us;
	hot->rate = tlf_possible(tlf_rate(2 * min(cwnd, TLF_COUNT_MAX), ack->mss, flow->rtt_us));
	tlf_start_over(hot, flow);
}
EXPORT_SYMBOL_IF_KUNIT(tlf_init);

static void tlf_open(struct tlf_hot *hot, const struct tlf_flow *flow, const struct tlf_ack *ack)
{
	/* of a burst alone, the RTT would be what its own packets take */
	u32 packets = max(TLF_MI_PACKETS, 2 * min(ack->burst, TLF_COUNT_MAX));
	u32 least_us = max(tlf_packets_us(packets, ack->mss, hot->rate),
			   TLF_SPREADS * flow->spread_us);
	u32 rtt_us;

	hot->open = 1;
	hot->app_limited = 0;
	hot->rtt_squares = 0;
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
	hot->mi_len_us = clamp_t(u32, max(rtt_us / 2, least_us), TLF_MI_MIN_US, TLF_MI_MAX_US);
}

static s16 tlf_feature(s64 dividend, s64 divisor)
{
	return clamp_t(s64, div64_s64(dividend * TLF_ONE, divisor), S16_MIN, S16_MAX);
}

void tlf_remember(const struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_interval *mi,
		  u32 mss, enum tlf_rule rule)
{
	bool aurora = rule == TLF_RULE_AURORA;
	u32 lost = aurora ? mi->lost : tlf_lost_beyond(flow, mi), sent = mi->delivered;
	u32 acked_us = mi->acked_us;
	s16 *f = flow->history[flow->next];

	f[0] = tlf_feature(mi->rise_us, mi->sent_us);
	f[1] = tlf_feature(aurora ? mi->rtt_us : mi->least_us,
			   hot->min_rtt_us + tlf_slack_us(hot, flow, mss, rule));
	f[1] = max_t(s16, f[1], TLF_ONE);
	if (!flow->competing || flow->loss * TLF_COMPETE_LOSS > TLF_LOSS_ONE)
		sent += lost;
	/* nor is it its doing that the others' queue grows */
	if (flow->competing && f[1] == TLF_ONE) {
		f[0] = min_t(s16, f[0], 0);
		if (tlf_is_others_rise(hot, flow, mi, mss))
			acked_us = min(acked_us, mi->sent_us);
	}
	f[2] = tlf_feature((s64)min(sent, TLF_COUNT_MAX) * acked_us,
			   (s64)min(mi->delivered, TLF_COUNT_MAX) * mi->sent_us);
	flow->next = (flow->next + 1) % TLF_HISTORY;
}

/* How much that an interval lost counts in start-up, of TLF_STARTUP_LOST */
static unsigned int tlf_startup_lost(const struct tlf_interval *mi)
{
	if (mi->lost < TLF_FEW_LOST || mi->lost <= tlf_known(mi) / TLF_STARTUP_LESS)
		return 0;
	return TLF_STARTUP_LOST / (mi->lost > tlf_known(mi) / TLF_STARTUP_LOSS ? 2 : 3);
}

/* For how long has there been no queue? Who competes does not see it. */
void tlf_count_clear(struct tlf_flow *flow)
{
	if (flow->competing || !tlf_is_clear(flow))
		flow->streak = 0;
	else
		flow->streak = min(flow->streak + 1, TLF_STREAK_MAX);
}

static void tlf_startup(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_interval *mi,
			const struct tlf_ack *ack)
{
	bool round = tlf_reached(hot->last_delivered, flow->round_delivered);
	bool queue = flow->intervals > TLF_STARTUP_BURST && tlf_is_queue(hot, mi->least_us);
	unsigned int rounds = TLF_STARTUP_ROUNDS, lost = tlf_startup_lost(mi);

	tlf_average_loss(flow, mi);
	/* repairing what was lost takes some, too */
	if (tlf_is_excess(flow))
		rounds = TLF_LOSSY_ROUNDS;
	if (flow->bw * 4 >= flow->full_bw * 5) {
		flow->full_bw = flow->bw;
		flow->full_rounds = 0;
	} else if (round && !hot->app_limited) {
		flow->full_rounds++;
	}
	if (round)
		flow->round_delivered = hot->last_delivered +
					tlf_bdp(flow->bw, mi->rtt_us, ack->mss);
	/* once may be chance: it waits */
	flow->collapsed = lost ? flow->collapsed + lost : 0;
	if (queue || flow->full_rounds >= rounds || flow->collapsed >= TLF_STARTUP_LOST) {
		flow->collapsed = 0;
		hot->mode = TLF_DRAIN;
		flow->drain_count = 0;
		flow->full_bw = max(flow->full_bw, flow->bw);
		hot->rate = flow->bw / 2;
		tlf_quiet_begins(flow, ack->now_us);
	} else if (2 * lost < TLF_STARTUP_LOST) {
		hot->rate = max(hot->rate, flow->bw * TLF_STARTUP_GAIN / 64);
	}
	hot->rate = tlf_possible(hot->rate);
}

/*
 * The model decides from now on. For another round trip ACKs tell of what was sent
 * otherwise, at another rate and in bursts: not the model's doing.
 */
void tlf_cruise(struct tlf_hot *hot, struct tlf_flow *flow, u32 now_us)
{
	hot->mode = TLF_CRUISE;
	flow->settling = 1;
	flow->held = 0;
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

void tlf_start_probe(struct tlf_hot *hot, struct tlf_flow *flow, u32 now_us)
{
	hot->mode = TLF_PROBE;
	flow->probe_start_us = now_us;
	flow->probe_min_rtt_us = U32_MAX;
	tlf_quiet_begins(flow, now_us);
}

/* The path took in far more than it delivered: its capacity fell. */
static bool tlf_is_slower(const struct tlf_hot *hot, const struct tlf_interval *mi)
{
	/* by noise, ACKs take a few deviations more */
	return mi->acked_us > 2 * mi->sent_us + 2 * TLF_SPREADS * mi->usual_us &&
	       mi->rise_us > 0 && tlf_is_queue(hot, mi->least_us);
}

/* Loss that is the flow's own; is nothing else to be done in this interval? */
static bool tlf_answer(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
		       bool queue)
{
	if (!tlf_is_excess(flow))
		return false;
	if (queue) {
		tlf_answer_queue(hot, flow, ack);
		return false;
	}
	if (!tlf_answer_probe(hot, flow, ack))
		return false;
	tlf_start_probe(hot, flow, ack->now_us);
	return true;
}

/* What tlf_reward() judges */
static void tlf_see(const struct tlf_hot *hot, struct tlf_flow *flow,
		    const struct tlf_interval *mi)
{
	flow->seen_us = hot->mi_sent_us;
	flow->seen_lost = tlf_lost_beyond(flow, mi);
	flow->seen_known = tlf_known(mi);
	flow->seen = true;
}

/* An interval at the model's rate: remember it; is the model to be asked? */
static bool tlf_close_cruise(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
			     const struct tlf_interval *mi, enum tlf_rule rule)
{
	u32 base_us = tlf_base_us(hot, flow, TLF_SLACK_PACKETS, ack->mss);
	bool queue = mi->least_us > base_us + base_us / 8;
	bool collapse = tlf_is_collapse(hot, flow, mi, ack->mss), again = flow->collapsed;
	u64 sent;

	flow->collapsed = collapse;
	/* a mark or a timeout ended start-up before it had any */
	if (!flow->full_bw)
		flow->full_bw = flow->bw;
	if (flow->settling && tlf_quiet_ends(hot, flow, queue || flow->competing, ack->mss)) {
		tlf_start_over(hot, flow);
		return false;
	}
	flow->settling = 0;
	/* a rate that the receiver's window or ours does not allow must not grow on */
	sent = max(tlf_rate(tlf_known(mi), ack->mss, mi->sent_us), tlf_bw_max(flow));
	hot->rate = clamp_t(u64, 2 * sent, max_t(u64, hot->rate / 2, TLF_RATE_MIN), hot->rate);
	tlf_average_loss(flow, mi);
	tlf_see(hot, flow, mi);
	tlf_remember(hot, flow, mi, ack->mss, rule);
	tlf_count_clear(flow);
	tlf_count_lossless(flow, mi, queue);
	tlf_compete(hot, flow, ack, mi);
	flow->held = rule == TLF_RULE_PULL && tlf_is_held(hot, flow, ack->mss);
	if (hot->mode == TLF_PROBE || tlf_answer(hot, flow, ack, queue))
		return false;
	/* once: of what was sent before, ACKs say the same */
	if (tlf_reached(hot->mi_sent_us, flow->cut_us))
		flow->cut = 0;
	if (!flow->cut && ((collapse && (queue || again)) || tlf_is_slower(hot, mi))) {
		hot->rate = tlf_possible(clamp_t(u64, flow->bw, hot->rate / 2, hot->rate));
		flow->cut_us = ack->now_us;
		flow->cut = 1;
		flow->streak = 0;
		return false;
	}
	if (rule == TLF_RULE_PULL && !queue && tlf_is_clear(flow))
		tlf_try(hot, flow, ack, false);
	return true;
}

/*
 * Had the application more to send?  Where a burst empties its buffer, TCP says so now and
 * then of one that has: that counts only if the rate was not made use of.
 */
static bool tlf_is_app_limited(const struct tlf_hot *hot, const struct tlf_interval *mi, u32 mss)
{
	u64 sent = tlf_rate(tlf_known(mi), mss, max(mi->sent_us, mi->acked_us));

	return hot->app_limited && sent < hot->rate / 4 * 3;
}

/* Close the interval; is the model to be asked? */
static bool tlf_close(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
		      enum tlf_rule rule)
{
	struct tlf_interval mi;

	tlf_measure(hot, flow, &mi);
	tlf_note(hot, flow, &mi, ack->mss);
	switch (hot->mode) {
	case TLF_STARTUP:
		tlf_startup(hot, flow, &mi, ack);
		return false;
	case TLF_DRAIN:
		tlf_drain(hot, flow, ack);
		return false;
	case TLF_PROBE:
		return false;
	}

	if (flow->settling && !tlf_reached(hot->mi_sent_us, flow->settled_us))
		return false;
	if (tlf_is_app_limited(hot, &mi, ack->mss)) {
		flow->settling = 0;
		tlf_quiet_breaks(flow);
		return false;
	}
	return tlf_close_cruise(hot, flow, ack, &mi, rule);
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
	if (tlf_compete_on(hot, flow, base_us, ack->mss))
		goto out;
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
		else
			flow->room = 0;
	}
	/* flows of one kind that lose packets must not keep each other at it */
	if (flow->filled)
		tlf_start_competing(hot, flow, ack->mss,
				    flow->lossy ? TLF_COMPETE_HOLD : TLF_COMPETE_PROBED);
out:
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
	u32 sent_us = tlf_since(hot->last_sent_us, hot->mi_sent_us);
	u32 acked_us = tlf_since(hot->last_ack_us, hot->mi_ack_us);

	if (!delivered || !(hot->rtt_n[0] + hot->rtt_n[1]))
		return false;
	/* sent at once and acknowledged at once: that is no rate */
	if (max(sent_us, acked_us) < hot->mi_len_us / 2)
		return false;
	return tlf_reached(ack->sent_us, hot->mi_sent_us + hot->mi_len_us) ||
	       (delivered >= TLF_MI_PACKETS && acked_us >= hot->mi_len_us * 3 / 2);
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
bool tlf_on_ack(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
		enum tlf_rule rule)
{
	bool ask = false;

	tlf_min_rtt(hot, flow, ack);
	tlf_quiet_ack(hot, flow, ack);
	tlf_search(hot, flow, ack);
	if (hot->open && tlf_is_over(hot, ack)) {
		ask = tlf_close(hot, flow, ack, rule);
		hot->open = 0;
		/* before the counter wraps */
		if (tlf_reached(ack->delivered, flow->ecn_delivered))
			flow->marked = 0;
	}
	if (!hot->open)
		tlf_open(hot, flow, ack);

	if (ack->rtt_us > 0 && !tlf_is_trial(flow, ack->sent_us)) {
		u32 since = tlf_since(ack->sent_us, hot->mi_sent_us);
		unsigned int half = (s32)since >= 0 && since >= hot->mi_len_us / 2;

		if (hot->rtt_n[half] < U16_MAX) {
			u64 late = min_t(u32, ack->rtt_us - hot->min_rtt_us, TLF_RTT_MAX_US);

			hot->rtt_n[half]++;
			hot->rtt_sum[half] += ack->rtt_us;
			hot->rtt_squares += late * late;
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
EXPORT_SYMBOL_IF_KUNIT(tlf_on_ack);

/**
 * tlf_inputs() - what the model is asked
 * @flow: the flow
 * @in: set: TLF_HISTORY times inflation, ratio, send, the oldest first, each with
 *	16 fractional bits
 */
void tlf_inputs(const struct tlf_flow *flow, s32 in[TLF_N_IN])
{
	unsigned int i, j, slot = flow->next;

	for (i = 0; i < TLF_HISTORY; i++) {
		for (j = 0; j < TLF_FEATURES; j++)
			*in++ = flow->history[slot][j] * (1 << (TLF_ACTION_SHIFT - TLF_SHIFT));
		slot = (slot + 1) % TLF_HISTORY;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tlf_inputs);

/* Growth that no queue answers for longer than a model can see. */
s32 tlf_accelerate(struct tlf_flow *flow, s32 change)
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
void tlf_act(struct tlf_hot *hot, struct tlf_flow *flow, s32 action, u32 mss, enum tlf_rule rule)
{
	u32 packets = tlf_bdp(hot->rate, min(hot->min_rtt_us, flow->rtt_us), mss);
	s32 change = tlf_change(hot->rate, tlf_pull_us(hot, flow), packets, action, rule);
	u64 least = tlf_rate(TLF_LEAST_PACKETS, mss, flow->rtt_us);

	if (rule == TLF_RULE_PULL) {
		/* growth by the pull alone tells of no room */
		if (action < 0)
			flow->streak = 0;
		change = tlf_accelerate(flow, change);
	}
	if (change > 0 && !tlf_may_grow(hot, flow, mss)) {
		change = 0;
		flow->streak = 0;
	}
	flow->window_wanted += change;
	/* what arrives now does arrive: less than that only empties a queue */
	least = max(least, min(hot->rate, flow->bw * 5 / 8));
	if (rule == TLF_RULE_PULL)
		least = max(least, min(hot->rate, max(tlf_least_clear(hot, flow, mss),
						      tlf_least_alone(hot, flow, mss))));
	hot->rate = max(tlf_rate_after(hot->rate, change), least);
	if (flow->held)
		hot->rate = min(hot->rate, tlf_held_rate(flow));
}
EXPORT_SYMBOL_IF_KUNIT(tlf_act);

/**
 * tlf_on_ecn() - the network marked a packet
 * @hot: the flow
 * @flow: its other half
 * @ack: what the ACK says
 *
 * Halves the rate, as RFC 3168 wants it, at most once in a round trip; to no less than what
 * a window of two packets, Reno's least, would send.
 */
void tlf_on_ecn(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack)
{
	u64 least = tlf_rate(TLF_LEAST_PACKETS, ack->mss, flow->rtt_us);

	if (flow->marked && !tlf_reached(ack->delivered, flow->ecn_delivered))
		return;
	flow->marked = 1;
	/* the receiver repeats it until the first packet after these has told it: CWR */
	flow->ecn_delivered = ack->delivered + ack->inflight + 1;
	hot->rate = tlf_possible(max(hot->rate / 2, min(hot->rate, least)));
	hot->open = 0;
	flow->streak = 0;
	flow->trial = TLF_NO_TRIAL;
	if (hot->mode == TLF_STARTUP)
		hot->mode = TLF_CRUISE;
}
EXPORT_SYMBOL_IF_KUNIT(tlf_on_ecn);

/**
 * tlf_on_timeout() - nothing came back for a retransmission timeout
 * @hot: the flow
 * @flow: its other half
 *
 * Halves the rate, but where the path loses packets anyway. The window is TCP's until the
 * loss is mended. tlf_on_undo() takes it back, until tlf_on_mended(). Start-up goes on unless
 * much was lost: ended before it has filled a queue, it would not let the path's loss be told.
 */
void tlf_on_timeout(struct tlf_hot *hot, struct tlf_flow *flow)
{
	flow->undo.rate = hot->rate;
	flow->undo.mode = hot->mode;
	flow->undo.loss = flow->loss;
	flow->undo.next = flow->next;
	memcpy(flow->undo.history, flow->history, sizeof(flow->history));
	/* where the path loses packets, it loses those sent again, too */
	if (flow->path_loss < TLF_LOSSY || tlf_is_excess(flow))
		hot->rate = tlf_possible(hot->rate / 2);
	hot->open = 0;
	tlf_forget(flow);
	tlf_quiet_breaks(flow);
	/* a packet lost twice is no reason to end it, half of those that loss gives are */
	if (hot->mode == TLF_STARTUP && flow->collapsed >= TLF_STARTUP_LOST / 2)
		hot->mode = TLF_CRUISE;
}
EXPORT_SYMBOL_IF_KUNIT(tlf_on_timeout);

/**
 * tlf_on_undo() - nothing had been lost
 * @hot: the flow
 * @flow: its other half
 *
 * Gives back rate, mode, history and average of losses as F-RTO (RFC 5682) and Eifel
 * (RFC 4015) give back the window. Where there was no timeout, packets overtook each
 * other: what was lost is then no more than usual.
 */
void tlf_on_undo(struct tlf_hot *hot, struct tlf_flow *flow)
{
	if (!flow->undo.rate) {
		flow->loss = min(flow->loss, flow->path_loss);
		return;
	}
	hot->rate = max(hot->rate, flow->undo.rate);
	hot->mode = flow->undo.mode;
	flow->loss = flow->undo.loss;
	hot->open = 0;
	flow->next = flow->undo.next;
	memcpy(flow->history, flow->undo.history, sizeof(flow->history));
	flow->undo.rate = 0;
}
EXPORT_SYMBOL_IF_KUNIT(tlf_on_undo);

/**
 * tlf_on_mended() - what a timeout found lost is mended
 * @flow: the flow
 */
void tlf_on_mended(struct tlf_flow *flow)
{
	flow->undo.rate = 0;
}
EXPORT_SYMBOL_IF_KUNIT(tlf_on_mended);

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
void tlf_on_restart(struct tlf_hot *hot, struct tlf_flow *flow, u32 now_us, u32 idle_us)
{
	hot->open = 0;
	flow->trial = TLF_NO_TRIAL;
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
EXPORT_SYMBOL_IF_KUNIT(tlf_on_restart);

/**
 * tlf_cwnd() - how much may be under way
 * @hot: the flow
 * @flow: its other half
 * @mss: bytes of a packet
 * @burst: packets that are sent at once
 *
 * Twice the product of rate and minimum RTT: pacing, not the window, sets the
 * rate, but what the network takes in is bounded while ACKs fail to come.  And room
 * for what offloads gather on either side before it goes on.  TCP sends no more than half
 * a window at once: where that is much for the path, what is lost takes from the second half.
 * Where a queue stands, tcp_liteflow_path.c says how much less it is.
 *
 * Return: packets.
 */
u32 tlf_cwnd(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss, u32 burst)
{
	u32 rtt_us = hot->min_rtt_us == U32_MAX ? flow->rtt_us : hot->min_rtt_us;
	u32 bdp = tlf_bdp(hot->rate, rtt_us, mss), more;

	if (hot->mode == TLF_PROBE)
		return max_t(u32, bdp / 2, TLF_PROBE_CWND);
	if (flow->competing)
		bdp = max(bdp, tlf_bdp(hot->rate, flow->rtt_us, mss) * 5 / 8);
	/* more than twice that while ACKs wait for a batch */
	more = max(bdp, tlf_bdp(hot->rate, TLF_SPREADS * flow->spread_us, mss));
	/* what a near host sends at once is more than its path holds */
	more += min(3 * burst, max_t(u32, (bdp + more) / 4, TLF_FIRST_WINDOW));
	/* and may be more than its buffer does */
	if (burst > bdp / 2)
		more = tlf_less_by_loss(flow, more, TLF_LOSS_ROOM);
	bdp += more;
	if (flow->held)
		bdp = min(bdp, tlf_held_cwnd(hot, flow, mss, burst));
	return max_t(u32, bdp, TLF_CWND_MIN);
}
EXPORT_SYMBOL_IF_KUNIT(tlf_cwnd);
