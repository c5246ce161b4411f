// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a flow of the congestion control "liteflow" knows of its path: how much its delay
 * varies by itself, and how much it loses whatever the rate
 *
 * Noise.  On many paths ACKs come late by chance or in batches: radio, ACKs that wait for
 * a slot, hosts that gather interrupts.  A mean RTT then says little of the queue.  The
 * least RTT of an interval does, if the interval is so long that some ACK was not late:
 * TLF_SPREADS standard deviations of the RTT.  For a batch every T, that is 1.15 T.  A queue
 * of the flow's own makes no interval longer: at a rate above the capacity by a quarter, the
 * RTT's deviation is 7 % of the interval.  Delivery rates count the longer one of
 * sending and acknowledging, as tcp_rate.c does: a batch comes at once.  And while no
 * queue stands, the rate stays near the most that was delivered, whatever a model makes
 * of noise.
 *
 * Loss.  The flow's own loss goes when it sends less; what remains, the path has anyway.
 * Each time that the flow sends less, after start-up and in a probe for the minimum RTT,
 * the loss of that time is what the path loses.  But a full queue of others loses as
 * evenly.  So it only counts where start-up filled a queue, which is not so at a policer or
 * where a full queue was met; where there is none now; and up to an eighth, or less where
 * few packets make up a round trip: Reno has a fair share of that.  If start-up filled none, and
 * sending less does not help, it begins again: what ended it may have been the path's loss.
 *
 * Loss beyond that, by a fiftieth and half of what is usual, is answered whatever the
 * model wants: growth stops until there are two intervals without; where there is a
 * queue, the rate falls to 15/16 of what arrives, once in a round trip; where there is
 * none, a probe tells whether sending less helps, and if it does, the rate falls by an
 * eighth, at most once in TLF_ANSWER_ROUNDS round trips.  But never below Reno's.
 *
 * Holding.  What a rate that is a little too high leads to shows after three intervals only,
 * so around the capacity it swings, and the queue with it.  A window does not: it is full.
 * So where delays do not vary by themselves, and the newest interval saw a queue throughout,
 * but not a long one, no more is under way than the path delivered at most without a queue,
 * and a few packets, until TLF_HELD_CLEAR in a row saw none.  A flow that is not alone may
 * have a TLF_STEADY of that more: beside others it has to be able to grow.  While a queue
 * stands, what arrives is what the path has for a flow: if that is always the same, there is
 * nobody else.  Then the rate does not go below that either, as the window empties the queue
 * already.  None of this is for a flow that prefers throughput to latency: it wants the queue
 * that its model keeps.
 *
 * Trials.  A flow that keeps no queue does not see that the path takes more than before, and
 * a model that grows by some percent needs many round trips to find out.  So on a path that
 * is clear, a 24th of an RTT's packets leave twice as fast, every two or three round trips,
 * and those after them a quarter slower, until it is even.  What comes back tells: if there
 * is no more, a queue grows by half of that time's packets, and those of the second half are
 * late by more than those of the first.  If they are not, the path has taken twice the rate,
 * others' included: it becomes the flow's, and the next trial begins at once.  If they are
 * then, the rate of their arrival is known, and becomes the flow's, too.  The packets of
 * a trial are no noise that the model is to see, so their RTTs do not count.
 */
#include <kunit/visibility.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include "tcp_liteflow_law.h"
#include "tcp_liteflow_parts.h"

#define TLF_STANDING_INTERVALS	2		/* each of two halves of its window */
#define TLF_BW_INTERVALS	10		/* each of two halves of the maximum's window */
#define TLF_SPREAD_INTERVALS	4		/* that their average is of */
#define TLF_PATH_LOSS_MAX	(TLF_LOSS_ONE / 8)
#define TLF_PATH_LOSS_PACKETS	4096		/* to believe that the path loses less */
#define TLF_PATH_PACKETS	64		/* a round trip: where there are fewer, less */
#define TLF_AGAIN_PACKETS	32		/* a round trip: fewer may be one flow of many */
#define TLF_QUIET_PACKETS	128		/* that the path's loss is a mean of */
#define TLF_QUIET_LEAST		64		/* fewer packets count for less */
#define TLF_SEEN_QUEUE		16		/* a sixteenth of the minimum RTT */
#define TLF_ANSWER_ROUNDS	8
#define TLF_CLEAR		2		/* intervals without loss, to grow again */
#define TLF_CLEAR_SPREADS	16		/* so many an RTT: keep all that is kept */
#define TLF_STEADY		32		/* this part more or less is no change */
#define TLF_STEADY_INTERVALS	8		/* without one: alone */
#define TLF_BUSY_INTERVALS	4		/* that their average is of */
#define TLF_STEADY_PACKETS	16		/* a round trip: of fewer, one is too much */
#define TLF_HELD_CLEAR		3		/* intervals, as an answer takes to show */
#define TLF_HELD_PART		8		/* its rate is higher by that part at most */
#define TLF_COLLAPSE_LOSS	2		/* half of an interval, or */
#define TLF_COLLAPSE_MET	4		/* a quarter where a full queue was met */
#define TLF_TRIAL_PART		24		/* of an RTT; so much queue, if there is no more */
#define TLF_TRIAL_PART_MAX	8		/* where so many packets take longer: none */
#define TLF_TRIAL_PACKETS	16		/* in it: fewer are too coarse */
#define TLF_TRIAL_BURSTS	4
#define TLF_TRIAL_LATE		128		/* of its length: the second half is not late */
#define TLF_TRIAL_QUEUE		8		/* the same: there is not 1.6 times as much */
#define TLF_TRIAL_KEEP		15		/* sixteenths of what was shown, for no queue */
#define TLF_TRIAL_FIRST		40		/* intervals: start-up has just looked */

/* Deviations are from the minimum RTT, as that of the mean is not known before. */
static u32 tlf_spread(const struct tlf_hot *hot, u32 n, u32 rtt_us)
{
	u64 squares = div_u64(hot->rtt_squares, n);
	u64 mean = rtt_us > hot->min_rtt_us ? rtt_us - hot->min_rtt_us : 0;

	return int_sqrt64(squares - min(squares, mean * mean));
}

void tlf_measure(const struct tlf_hot *hot, const struct tlf_flow *flow, struct tlf_interval *mi)
{
	u32 n = hot->rtt_n[0] + hot->rtt_n[1];

	mi->delivered = hot->last_delivered - hot->mi_delivered;
	mi->lost = hot->last_lost - hot->mi_lost;
	mi->sent_us = clamp(tlf_since(hot->last_sent_us, hot->mi_sent_us), 1U, TLF_TIME_MAX_US);
	mi->acked_us = clamp(tlf_since(hot->last_ack_us, hot->mi_ack_us), 1U, TLF_TIME_MAX_US);
	mi->rtt_us = max_t(u32, div_u64(hot->rtt_sum[0] + hot->rtt_sum[1], n), 1);
	mi->least_us = hot->mi_min_rtt_us;
	mi->spread_us = tlf_spread(hot, n, mi->rtt_us);
	mi->usual_us = flow->spread_us;
	mi->per_ack = min_t(u32, mi->delivered / n, U16_MAX);
	if (hot->rtt_n[0] && hot->rtt_n[1])
		mi->rise_us = (s32)div_u64(hot->rtt_sum[1], hot->rtt_n[1]) -
			      (s32)div_u64(hot->rtt_sum[0], hot->rtt_n[0]);
	else	/* it ended early: what has changed since the one before? */
		mi->rise_us = (s32)(mi->rtt_us - flow->rtt_us);
}

/* What arrives while a queue stands: does it change? */
static void tlf_note_busy(const struct tlf_hot *hot, struct tlf_flow *flow,
			  const struct tlf_interval *mi, u32 mss)
{
	u64 bw = tlf_rate(mi->delivered, mss, mi->acked_us);
	s64 change = bw - flow->busy_bw;

	if (mi->least_us <= tlf_base_us(hot, flow, 1, mss))
		return;
	if (max(change, -change) > flow->busy_bw / TLF_STEADY)
		flow->shared = TLF_STEADY_INTERVALS;
	else if (flow->shared)
		flow->shared--;
	flow->busy_bw += div_s64(change, TLF_BUSY_INTERVALS);
}

/* What every interval tells, whatever the mode. */
void tlf_note(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_interval *mi, u32 mss)
{
	flow->intervals++;
	flow->rtt_us = mi->rtt_us;
	flow->per_ack = mi->per_ack;
	flow->spread_us += ((s32)mi->spread_us - (s32)flow->spread_us) / TLF_SPREAD_INTERVALS;
	flow->bw = tlf_rate(mi->delivered, mss, max(mi->sent_us, mi->acked_us));
	if (++flow->bw_count >= TLF_BW_INTERVALS) {
		flow->bw_count = 0;
		flow->bw_max[1] = flow->bw_max[0];
		flow->bw_max[0] = 0;
	}
	flow->bw_max[0] = max(flow->bw_max[0], flow->bw);
	if (++flow->standing_count > TLF_STANDING_INTERVALS) {
		flow->standing_count = 1;
		flow->standing_us[1] = flow->standing_us[0];
		flow->standing_us[0] = U32_MAX;
	}
	flow->standing_us[0] = min(flow->standing_us[0], mi->least_us);
	tlf_note_busy(hot, flow, mi, mss);
	if (hot->mode <= TLF_DRAIN)
		flow->startup_peak_us = max(flow->startup_peak_us, mi->least_us);
}

/* The most that an interval delivered, of 11 to 20 */
u64 tlf_bw_max(const struct tlf_flow *flow)
{
	return max(flow->bw_max[0], flow->bw_max[1]);
}

static u32 tlf_standing_us(const struct tlf_flow *flow)
{
	return min(flow->standing_us[0], flow->standing_us[1]);
}

/* The RTT with @packets of the flow under way, which are no queue */
u32 tlf_base_us(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 packets, u32 mss)
{
	return hot->min_rtt_us + tlf_packets_us(packets, mss, flow->full_bw + 1);
}

bool tlf_is_queue(const struct tlf_hot *hot, u32 rtt_us)
{
	return rtt_us > hot->min_rtt_us && rtt_us - hot->min_rtt_us > hot->min_rtt_us / 4;
}

/*
 * The least rate on a path that is clear.  If no queue stands, a model wants less for noise
 * alone: keep seven eighths of the most that arrived, or a part of that where delays vary
 * less, for equal flows need a model that may yield.
 */
u64 tlf_least_clear(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss)
{
	u32 base_us = tlf_base_us(hot, flow, TLF_SLACK_PACKETS, mss);
	u64 part;

	if (tlf_standing_us(flow) > base_us + base_us / 16)
		return 0;
	part = div_u64((u64)flow->spread_us * TLF_CLEAR_SPREADS * 64, hot->min_rtt_us);
	return tlf_bw_max(flow) * min_t(u64, part, 56) / 64;
}

/* Would all delay be the flow's own queue, and a short one? */
static bool tlf_is_steady(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss)
{
	u32 own_us = tlf_packets_us(TLF_SLACK_PACKETS, mss, flow->bw + 1);

	return hot->mode == TLF_CRUISE && !flow->settling && !flow->competing &&
	       !flow->keeps_queue && !tlf_is_queue(hot, flow->rtt_us) &&
	       flow->spread_us <= max(hot->min_rtt_us / TLF_STEADY, own_us) &&
	       tlf_bdp(flow->bw, hot->min_rtt_us, mss) >= TLF_STEADY_PACKETS;
}

bool tlf_is_held(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss)
{
	/* what the window lets be there is seen as none now and then, too */
	bool queue = !tlf_is_clear(flow) || (flow->held && flow->streak < TLF_HELD_CLEAR);

	return queue && tlf_is_steady(hot, flow, mss);
}

/* The most that arrived, and what was lost beside it */
static u64 tlf_most_sent(const struct tlf_flow *flow)
{
	u64 bw = tlf_bw_max(flow);

	return bw + (bw * flow->loss >> TLF_LOSS_SHIFT);
}

/* The window has its say; a rate far above would have it when the queue is gone. */
u64 tlf_held_rate(const struct tlf_flow *flow)
{
	u64 bw = tlf_most_sent(flow);

	return tlf_possible(bw + bw / TLF_HELD_PART);
}

/* The few packets: two, and what is sent at once or waits twice for an ACK of more than one. */
u32 tlf_held_cwnd(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss, u32 burst)
{
	u32 bdp = tlf_bdp(tlf_most_sent(flow), hot->min_rtt_us, mss);

	if (flow->shared)
		bdp += bdp / TLF_STEADY;
	return bdp + TLF_SLACK_PACKETS + max_t(u32, burst, 2 * (max_t(u32, flow->per_ack, 1) - 1));
}

u64 tlf_least_alone(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss)
{
	return flow->shared || !tlf_is_steady(hot, flow, mss) ? 0 : flow->busy_bw;
}

/* -- loss --------------------------------------------------------------------- */

/* Packets whose fate the interval knows */
u32 tlf_known(const struct tlf_interval *mi)
{
	return clamp_t(u64, (u64)mi->delivered + mi->lost, 1, TLF_COUNT_MAX);
}

static s32 tlf_share(u32 lost, u32 n)
{
	return div_u64((u64)min(lost, n) << TLF_LOSS_SHIFT, n);
}

/* An average by packets: of many intervals, where they have few. */
void tlf_average_loss(struct tlf_flow *flow, const struct tlf_interval *mi)
{
	u32 n = tlf_known(mi);
	s32 share = tlf_share(mi->lost, n);

	flow->loss += div_s64((s64)(share - flow->loss) * n,
			      n + max(TLF_LOSS_PACKETS, TLF_LOSS_INTERVALS * n));
	/* what is less by chance must not count, nor the rest at once */
	if (flow->loss < flow->path_loss / 2)
		flow->path_loss -= div_u64((u64)(flow->path_loss - flow->loss) * n +
					   n + TLF_PATH_LOSS_PACKETS - 1,
					   n + TLF_PATH_LOSS_PACKETS);
}

/* Of an interval's lost packets, those beyond twice what the path loses anyway */
u32 tlf_lost_beyond(const struct tlf_flow *flow, const struct tlf_interval *mi)
{
	u64 usual = (2 * (u64)flow->path_loss * tlf_known(mi) +
		     TLF_LOSS_ONE - 1) >> TLF_LOSS_SHIFT;

	return mi->lost - min_t(u64, mi->lost, usual);
}

/*
 * Was so much lost that no model is needed to see what follows?  Where start-up met a full
 * queue, nothing but loss tells of it, and all that the path can be known to take is what
 * arrives.
 */
bool tlf_is_collapse(const struct tlf_hot *hot, const struct tlf_flow *flow,
		     const struct tlf_interval *mi, u32 mss)
{
	u32 lost = tlf_lost_beyond(flow, mi);
	u32 part = tlf_has_seen_queue(hot, flow, mss) ? TLF_COLLAPSE_LOSS : TLF_COLLAPSE_MET;

	return lost >= TLF_FEW_LOST && lost > tlf_known(mi) / part;
}

bool tlf_is_excess(const struct tlf_flow *flow)
{
	return flow->loss > flow->path_loss + flow->path_loss / 2 + TLF_LOSS_ALLOWED;
}

/* @packets, the less the more is lost beyond what the path loses: none at @none */
u32 tlf_less_by_loss(const struct tlf_flow *flow, u32 packets, u32 none)
{
	u32 own = clamp(flow->loss - flow->path_loss, 0, (s32)none);

	return packets - div_u64((u64)packets * own, none);
}

/*
 * What Reno would have at this loss, sqrt(3/2 / loss) packets in a round trip (Mathis et
 * al., CCR 1997), less what timeouts take of that where more is lost.
 */
static u64 tlf_reno(const struct tlf_flow *flow, u32 mss)
{
	u64 square = div_u64(3ULL << (TLF_LOSS_SHIFT + 15), max(flow->loss, 1));
	u64 rate = tlf_rate(int_sqrt64(square), mss, flow->rtt_us) >> (TLF_LOSS_SHIFT / 2);

	return rate * max(TLF_LOSS_ONE - 4 * flow->loss, 0) >> TLF_LOSS_SHIFT;
}

/*
 * To @rate, but never up, nor below what Reno would have, nor below half: what an interval
 * delivered is little, too, where the window let nothing be sent.
 */
static void tlf_fall(struct tlf_hot *hot, const struct tlf_flow *flow, u64 rate, u32 mss)
{
	u64 least = min(hot->rate, max(tlf_reno(flow, mss), hot->rate / 2));

	hot->rate = tlf_possible(clamp(rate, least, hot->rate));
}

/**
 * tlf_quiet_breaks() - what is lost while less is sent cannot be told
 * @flow: the flow
 *
 * As where less was not sent after all.
 */
void tlf_quiet_breaks(struct tlf_flow *flow)
{
	flow->quiet = TLF_LOUD;
	flow->answered_loss = 0;
}
EXPORT_SYMBOL_IF_KUNIT(tlf_quiet_breaks);

void tlf_quiet_begins(struct tlf_flow *flow, u32 now_us)
{
	flow->quiet = TLF_QUIET_SENT;
	flow->quiet_us = now_us;
}

void tlf_quiet_ack(const struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack)
{
	if (flow->quiet != TLF_QUIET_SENT || !tlf_reached(ack->sent_us, flow->quiet_us))
		return;
	flow->quiet = TLF_QUIET_ACKED;
	flow->quiet_delivered = hot->last_delivered;
	flow->quiet_lost = hot->last_lost;
}

/* Start-up filled a queue: so the minimum RTT is one without. */
bool tlf_has_seen_queue(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss)
{
	return flow->startup_peak_us > tlf_base_us(hot, flow, TLF_SLACK_PACKETS, mss) +
				       hot->min_rtt_us / TLF_SEEN_QUEUE;
}

static s32 tlf_most_path_loss(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss)
{
	u32 bdp = tlf_bdp(flow->full_bw, hot->min_rtt_us, mss);

	return TLF_PATH_LOSS_MAX / TLF_PATH_PACKETS * min(bdp, TLF_PATH_PACKETS);
}

/*
 * The time of less is over: what did it change? The interval that ends now is after it.
 * Return: whether to start up again. Half as much loses as much: if start-up saw no queue, what
 * ended it was the path's loss. But many flows in a full queue see the same.
 */
bool tlf_quiet_ends(struct tlf_hot *hot, struct tlf_flow *flow, bool queue, u32 mss)
{
	u32 lost = hot->mi_lost - flow->quiet_lost;
	u32 delivered = hot->mi_delivered - flow->quiet_delivered;
	u32 n = min_t(u64, (u64)delivered + lost, TLF_COUNT_MAX);
	/* not long after it, as where the application had nothing to send */
	bool known = flow->quiet == TLF_QUIET_ACKED && n && n < TLF_COUNT_MAX &&
		     tlf_since(hot->mi_sent_us, flow->settled_us) <= 2 * flow->rtt_us;
	s32 share, answered_loss = flow->answered_loss;
	bool helps;

	tlf_quiet_breaks(flow);
	if (!known)
		return false;
	share = tlf_share(lost, n);
	helps = queue || share < answered_loss / 2;
	if (!queue && tlf_has_seen_queue(hot, flow, mss)) {
		share = min(share, tlf_most_path_loss(hot, flow, mss));
		flow->path_loss += div_s64((s64)(share - flow->path_loss) * n,
					   max(n + flow->quiet_seen, TLF_QUIET_LEAST));
		flow->quiet_seen = min(flow->quiet_seen + n, TLF_QUIET_PACKETS);
		flow->loss = flow->path_loss;
	}
	if (!answered_loss)
		return false;
	if (helps)
		tlf_fall(hot, flow, flow->answered_bw - flow->answered_bw / 8, mss);
	return !helps && !tlf_has_seen_queue(hot, flow, mss) &&
	       tlf_bdp(flow->answered_bw, hot->min_rtt_us, mss) > TLF_AGAIN_PACKETS;
}

/* Loss beyond what the path has, and a queue: the rate was too high. */
void tlf_answer_queue(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack)
{
	if (tlf_since(ack->now_us, flow->answered_us) <= flow->rtt_us)
		return;
	flow->answered_us = ack->now_us;
	tlf_fall(hot, flow, flow->bw - flow->bw / 16, ack->mss);
	flow->streak = 0;
}

/* The same without a queue: is a probe due? tlf_quiet_ends() has the answer. */
bool tlf_answer_probe(const struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack)
{
	u32 round_us = max(flow->rtt_us, 2 * hot->mi_len_us);

	if (tlf_since(ack->now_us, flow->answered_us) <= TLF_ANSWER_ROUNDS * round_us ||
	    flow->lossless >= TLF_CLEAR)
		return false;
	flow->answered_us = ack->now_us;
	flow->answered_loss = flow->loss;
	flow->answered_bw = flow->bw;
	flow->streak = 0;
	return true;
}

/* Intervals that give no reason not to grow */
void tlf_count_lossless(struct tlf_flow *flow, const struct tlf_interval *mi, bool queue)
{
	if (queue || tlf_lost_beyond(flow, mi))
		flow->lossless = 0;
	else
		flow->lossless = min(flow->lossless + 1, TLF_CLEAR);
}

/* May the rate grow? To Reno's in any case. */
bool tlf_may_grow(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss)
{
	return flow->lossless >= TLF_CLEAR || !tlf_is_excess(flow) ||
	       hot->rate < tlf_reno(flow, mss);
}

/* -- trials ------------------------------------------------------------------- */

/* Is there more?  @again: a trial has just shown so. */
void tlf_try(const struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
	     bool again)
{
	u32 packets = max(TLF_TRIAL_PACKETS, TLF_TRIAL_BURSTS * min(ack->burst, TLF_COUNT_MAX));
	u32 least_us = tlf_packets_us(packets, ack->mss, TLF_TRIAL_GAIN * hot->rate);
	u32 len_us = max(hot->min_rtt_us / TLF_TRIAL_PART, least_us);

	/* where start-up saw no queue, as at a policer, none need come of a trial */
	if (flow->trial || flow->competing || flow->intervals < TLF_TRIAL_FIRST ||
	    len_us > hot->min_rtt_us / TLF_TRIAL_PART_MAX || flow->spread_us > len_us / 2 ||
	    !tlf_has_seen_queue(hot, flow, ack->mss) || !tlf_may_grow(hot, flow, ack->mss))
		return;
	flow->trial = TLF_TRIAL_SENT;
	flow->trial_again = again;
	flow->trial_rate = hot->rate;
	flow->trial_us = ack->now_us;
	flow->trial_len_us = len_us;
	flow->trial_rtt_us[0] = U32_MAX;
	flow->trial_rtt_us[1] = U32_MAX;
}

/* Was it so many of its lengths after the trial's begin? */
static bool tlf_is_after(const struct tlf_flow *flow, u32 us, u32 lens)
{
	return tlf_reached(us, flow->trial_us + lens * flow->trial_len_us);
}

/* Was a packet sent faster or slower for a trial? */
bool tlf_is_trial(const struct tlf_flow *flow, u32 sent_us)
{
	return flow->trial && tlf_is_after(flow, sent_us, 0) &&
	       !tlf_is_after(flow, sent_us, TLF_TRIAL_LENS);
}

/* All ACKs of a trial have come. */
static u64 tlf_judge(const struct tlf_hot *hot, struct tlf_flow *flow, u32 mss)
{
	u32 base_us = hot->min_rtt_us + tlf_packets_us(1, mss, flow->trial_rate);
	u32 packets = tlf_bdp(flow->trial_rate, flow->trial_len_us, mss) * TLF_TRIAL_GAIN;
	u64 rate = flow->trial_rate * TLF_TRIAL_GAIN * TLF_TRIAL_KEEP / 16;
	const u32 *rtt_us = flow->trial_rtt_us;
	u32 late_us;

	/* a queue was there before, or the packets were not sent, or were lost */
	if (rtt_us[0] > base_us || rtt_us[1] == U32_MAX ||
	    hot->last_delivered - flow->trial_delivered < packets / 4 * 3 ||
	    hot->last_lost != flow->trial_lost)
		return 0;
	late_us = rtt_us[1] - min(rtt_us[0], rtt_us[1]);
	if (late_us <= flow->trial_len_us / TLF_TRIAL_LATE)
		return rate;
	/* growth need not guess any more */
	if (late_us > flow->trial_len_us / TLF_TRIAL_QUEUE)
		flow->streak = 0;
	/* half of the trial took so much longer; beside others that is more than there is */
	return flow->trial_again ? mul_u64_u32_div(rate, flow->trial_len_us,
						   flow->trial_len_us + 2 * late_us) : 0;
}

/* What an ACK says of a trial: the rate that the path takes; 0: nothing, or no more */
u64 tlf_trial_shows(const struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack)
{
	bool half;

	if (hot->mode != TLF_CRUISE)
		flow->trial = TLF_NO_TRIAL;
	if (!flow->trial || !tlf_is_after(flow, ack->sent_us, 0))
		return 0;
	if (flow->trial == TLF_TRIAL_SENT) {
		flow->trial = TLF_TRIAL_ACKED;
		flow->trial_delivered = hot->last_delivered;
		flow->trial_lost = hot->last_lost;
	}
	if (!tlf_is_after(flow, ack->sent_us, 1)) {
		half = tlf_since(ack->sent_us, flow->trial_us) >= flow->trial_len_us / 2;
		if (ack->rtt_us > 0)
			flow->trial_rtt_us[half] = min_t(u32, flow->trial_rtt_us[half],
							 ack->rtt_us);
		return 0;
	}
	if (flow->trial == TLF_TRIAL_ACKED) {
		flow->trial = TLF_TRIAL_JUDGED;
		return tlf_judge(hot, flow, ack->mss);
	}
	/* not all the time: others see its queue, too */
	if (tlf_is_after(flow, ack->sent_us, TLF_TRIAL_LENS + TLF_TRIAL_PART))
		flow->trial = TLF_NO_TRIAL;
	return 0;
}

/* A trial may have shown that the path takes more. */
void tlf_search(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack)
{
	u64 rate = tlf_trial_shows(hot, flow, ack);

	if (rate <= hot->rate)
		return;
	hot->rate = tlf_possible(rate);
	tlf_cruise(hot, flow, ack->now_us);
	/* what there is, is known, and need not be guessed */
	flow->streak = 0;
	flow->trial = TLF_NO_TRIAL;
	tlf_try(hot, flow, ack, true);
}

/**
 * tlf_pace() - how fast packets are to leave now
 * @hot: the flow
 * @flow: its other half
 *
 * Return: bytes per second: the rate, but in a trial.
 */
u64 tlf_pace(const struct tlf_hot *hot, const struct tlf_flow *flow)
{
	u32 now_us = hot->last_ack_us;

	if (!flow->trial || tlf_is_after(flow, now_us, TLF_TRIAL_LENS))
		return hot->rate;
	if (!tlf_is_after(flow, now_us, 1))
		return tlf_possible(flow->trial_rate * TLF_TRIAL_GAIN);
	return tlf_possible(flow->trial_rate - flow->trial_rate / TLF_TRIAL_BACK);
}
EXPORT_SYMBOL_IF_KUNIT(tlf_pace);
