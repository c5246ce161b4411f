// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flows of the congestion control "liteflow" beside others that fill the queue
 *
 * Competing.  A controller that keeps queues short loses to one that fills them.
 * Where most of TLF_COMPETE_INTERVALS saw a queue throughout, the flow probes; if
 * half of its window less leaves a queue, somebody else fills it: seven sixteenths
 * of the RTT without one, for flows of one kind leave less, or three where packets
 * are lost, for a short buffer holds no more. That holds for TLF_COMPETE_HOLD
 * intervals then, as many flows of one kind may leave so much.
 * Until the next probe, more of the flow's own packets then are no queue: at least
 * TLF_COMPETE_PACKETS in place of two or a quarter of the BDP that start-up found,
 * and more with each interval until packets are lost, for the others do the same.
 * While there are no more, a queue that grows is not its doing; and losses that
 * are not an eighth on average are not shown to the model, for a queue overflows in
 * bursts. Where the
 * model wanted less and less all that time, and yet the queue did not go, the flow
 * does so without a probe, but only for a while: flows of one kind must not keep
 * each other at it. Each time that it is so again, the while is twice as long; each time
 * that it is not, half. A queue that goes ends all that.
 */
#include <linux/minmax.h>
#include "tcp_liteflow_parts.h"

void tlf_stop_competing(struct tlf_flow *flow)
{
	flow->competing = 0;
	flow->unqueued = 0;
	flow->window_count = 0;
	flow->window_wanted = 0;
	flow->window_queued = 0;
	flow->window_lost = 0;
	flow->window_peak_us = 0;
}

/*
 * How long those of its own packets take that are no queue: fewer where it loses some, or
 * those of very many flows fill the buffer, and no one sees a queue.
 */
u32 tlf_slack_us(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss,
		 enum tlf_rule rule)
{
	u32 slack_us, part_us;

	if (rule == TLF_RULE_AURORA)
		return 0;
	if (flow->competing)
		return tlf_packets_us(flow->room, mss, hot->rate);
	slack_us = tlf_packets_us(TLF_SLACK_PACKETS, mss, hot->rate);
	part_us = slack_us / 4 * TLF_SLACK_LOSS;
	return slack_us - part_us + tlf_less_by_loss(flow, part_us, TLF_LOSS_ALLOWED);
}

static u32 tlf_room(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss, u32 room)
{
	u32 least = tlf_bdp(flow->full_bw, hot->min_rtt_us, mss) / TLF_COMPETE_BDP;

	return clamp(room, max_t(u32, least, TLF_COMPETE_PACKETS), TLF_COUNT_MAX);
}

void tlf_start_competing(const struct tlf_hot *hot, struct tlf_flow *flow, u32 mss, u16 intervals)
{
	flow->competing = intervals;
	flow->room = tlf_room(hot, flow, mss, flow->room);
}

/* Whoever fills a queue needs room in it: as others do, more until packets are lost. */
static void tlf_adapt_room(const struct tlf_hot *hot, struct tlf_flow *flow,
			   const struct tlf_interval *mi, u32 mss)
{
	u32 room = flow->room;

	if (tlf_lost_beyond(flow, mi))
		room -= room / TLF_ROOM_LOSS;
	else
		room += 1 + room / TLF_ROOM_GAIN;
	flow->room = tlf_room(hot, flow, mss, room);
}

u32 tlf_filled_us(const struct tlf_flow *flow, u32 base_us)
{
	return base_us + base_us / 16 * (flow->lossy ? TLF_COMPETE_LOSSY : TLF_COMPETE_FILLED);
}

/* Many flows of one kind may be those that keep a queue. */
static bool tlf_may_be_many(const struct tlf_hot *hot, u32 mss)
{
	return tlf_bdp(hot->rate, hot->min_rtt_us, mss) <= TLF_COMPETE_COARSE;
}

/*
 * Is there a queue throughout?  A minimum RTT with a queue of the others' in it hides most of
 * what is left of that: if what arrives from it changes, and not by noise, less counts. A flow
 * that is alone keeps some, and so do many flows of one kind.
 */
static bool tlf_is_queued(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 least_us,
			  u32 base_us, u32 mss)
{
	bool others = flow->shared && flow->spread_us <= hot->min_rtt_us / TLF_COMPETE_NOISE &&
		      !tlf_may_be_many(hot, mss);

	return least_us > base_us + base_us / (others ? 16 : 8);
}

/*
 * While it competes, and has no more packets than its room: do ACKs come further apart than
 * packets were sent as the others' queue grows?  Once may be chance, so it has to be squeezed
 * again after a first while.  Who fills a queue makes it overflow; where nothing is lost, it
 * may be flows of one kind.  And in a queue so long, what a flow does shows after so many
 * intervals that growth has to be slow: "send" is what slows it.
 */
bool tlf_is_others_rise(const struct tlf_hot *hot, const struct tlf_flow *flow,
			const struct tlf_interval *mi, u32 mss)
{
	return flow->hold > TLF_COMPETE_HOLD && flow->loss && !tlf_may_be_many(hot, mss) &&
	       mi->rtt_us < TLF_COMPETE_LATE * hot->min_rtt_us;
}

/*
 * A probe is over: does a flow go on that competes as it was squeezed?  The minimum RTT may
 * have a queue of the others' in it, so what the probe saw is also compared with the longest
 * since it competes.
 */
bool tlf_compete_on(const struct tlf_hot *hot, struct tlf_flow *flow, u32 base_us, u32 mss)
{
	if (!flow->competing || flow->competing == TLF_COMPETE_PROBED ||
	    flow->kept >= TLF_KEEP_WINDOWS || tlf_may_be_many(hot, mss) ||
	    flow->probe_min_rtt_us <= base_us + base_us / 8 ||
	    flow->probe_min_rtt_us <= flow->window_peak_us / 8 * TLF_COMPETE_LEFT)
		return false;
	flow->kept++;
	flow->competing = max(flow->competing, flow->hold);
	return true;
}

/* Does somebody else fill the queue? */
void tlf_compete(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
		 const struct tlf_interval *mi)
{
	bool filled, queued, squeezed;
	u32 base_us;

	base_us = tlf_base_us(hot, flow, TLF_SLACK_PACKETS, ack->mss);
	flow->window_lost |= mi->lost > 0;
	flow->window_peak_us = max(flow->window_peak_us, mi->rtt_us);
	if (flow->competing) {
		tlf_adapt_room(hot, flow, mi, ack->mss);
		/* whoever fills a queue does not leave it empty for long */
		flow->unqueued = tlf_is_queued(hot, flow, mi->least_us, base_us, ack->mss) ?
				 0 : flow->unqueued + 1;
		if (flow->unqueued >= TLF_COMPETE_UNQUEUED) {
			tlf_stop_competing(flow);
			return;
		}
	}
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
	flow->window_queued += tlf_is_queued(hot, flow, hot->mi_min_rtt_us, base_us, ack->mss);
	if (++flow->window_count < TLF_COMPETE_INTERVALS)
		return;
	queued = flow->window_queued >= TLF_COMPETE_QUEUED;
	/* a queue that goes is its own: the path got slower */
	squeezed = flow->window_wanted < TLF_COMPETE_WANTED &&
		   mi->rtt_us >= flow->window_peak_us - flow->window_peak_us / 4;
	flow->lossy = flow->window_lost;
	tlf_stop_competing(flow);
	if (queued && squeezed) {
		flow->hold = clamp(2 * flow->hold, TLF_COMPETE_HOLD, TLF_COMPETE_HOLD_MAX);
		tlf_start_competing(hot, flow, ack->mss, flow->hold);
		return;
	}
	flow->hold /= 2;
	if (queued && tlf_since(ack->now_us, flow->probe_start_us) > TLF_PROBE_GAP_US)
		tlf_start_probe(hot, flow, ack->now_us);
}
