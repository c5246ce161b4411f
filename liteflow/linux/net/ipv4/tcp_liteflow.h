/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The congestion control "liteflow": its terms, its state, and its arithmetic of times and
 * rates; tcp_liteflow_law.c has the law.
 *
 * Nothing here knows of sockets, so that KUnit tests and the simulator that the
 * models are trained in run the same source.
 */
#ifndef _TCP_LITEFLOW_H
#define _TCP_LITEFLOW_H

#include <linux/bitops.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define TLF_HISTORY		10	/* intervals that a model sees */
#define TLF_FEATURES		3	/* of each */
#define TLF_N_IN		(TLF_HISTORY * TLF_FEATURES)

/* Features: signed, TLF_SHIFT fractional bits, so +-32 with steps of 1/1024. */
#define TLF_SHIFT		10
#define TLF_ONE			1024

/* Actions: signed, 16 fractional bits, as models answer them. */
#define TLF_ACTION_SHIFT	16
#define TLF_ACTION_ONE		65536

#define TLF_MI_PACKETS		5	/* shortest interval, at the current rate */
#define TLF_MI_MIN_US		200	/* and whatever the rate */
#define TLF_MI_MAX_US		10000000

#define TLF_MIN_RTT_WINDOW_US	10000000
#define TLF_CWND_MIN		4	/* packets */
#define TLF_PROBE_CWND		2	/* of a probe: half of it */
#define TLF_RATE_MIN		2000	/* bytes per second */
#define TLF_RATE_MAX		1000000000000ULL

/* so that products of a count, a time and TLF_ONE fit into 63 bits */
#define TLF_COUNT_MAX		10000000U
#define TLF_TIME_MAX_US		200000000U

/**
 * enum tlf_mode - what sets the rate
 * @TLF_STARTUP: 2.83 times what was delivered, until a queue or a limit shows
 * @TLF_DRAIN: half of what was delivered, until that queue is gone
 * @TLF_CRUISE: the model
 * @TLF_PROBE: the model's last word, at half the window: is the minimum RTT
 *	still the minimum?
 */
enum tlf_mode {
	TLF_STARTUP,
	TLF_DRAIN,
	TLF_CRUISE,
	TLF_PROBE,
};

/**
 * enum tlf_rule - how an action changes the rate
 * @TLF_RULE_PULL: a factor within a quarter, and a pull towards TLF_RATE_REF that
 *	grows with the logarithms of rate and minimum RTT
 * @TLF_RULE_AURORA: a factor of a fortieth for an action of 1, nothing else
 */
enum tlf_rule {
	TLF_RULE_PULL,
	TLF_RULE_AURORA,
	TLF_RULES
};

/**
 * struct tlf_ack - what an ACK says
 * @now_us: when it came; all times are in microseconds, modulo 2^32
 * @sent_us: when the newest of the packets that it acknowledges was sent
 * @rtt_us: RTT of that packet, or -1
 * @delivered: packets that have arrived so far, by all ACKs
 * @lost: packets taken for lost so far
 * @inflight: packets under way now
 * @mss: bytes of a packet
 * @burst: packets that are sent at once
 * @app_limited: there was nothing else to send when that packet was
 */
struct tlf_ack {
	u32 now_us;
	u32 sent_us;
	s32 rtt_us;
	u32 delivered;
	u32 lost;
	u32 inflight;
	u32 mss;
	u32 burst;
	bool app_limited;
};

/**
 * struct tlf_hot - what every ACK touches
 * @rate: bytes per second
 * @rtt_sum: of the samples in the interval's first and second half
 * @rtt_squares: sum of the squares of what they have above the minimum
 * @rtt_n: how many those are
 * @mi_sent_us: the interval began with packets sent then
 * @mi_len_us: and takes so long
 * @mi_ack_us: the last ACK before those of the interval came then
 * @mi_delivered: &tlf_ack.delivered at that time
 * @mi_lost: &tlf_ack.lost at that time
 * @last_sent_us: newest packet acknowledged so far
 * @last_ack_us: newest ACK
 * @last_delivered: &tlf_ack.delivered at that ACK
 * @last_lost: &tlf_ack.lost at that ACK
 * @min_rtt_us: over TLF_MIN_RTT_WINDOW_US; U32_MAX before the first sample
 * @min_rtt_stamp_us: when that was measured
 * @mi_min_rtt_us: of the interval
 * @mode: &enum tlf_mode
 * @open: an interval is under way
 * @app_limited: not all of it was the network's doing
 */
struct tlf_hot {
	u64 rate;
	u64 rtt_sum[2];
	u64 rtt_squares;
	u16 rtt_n[2];
	u32 mi_sent_us;
	u32 mi_len_us;
	u32 mi_ack_us;
	u32 mi_delivered;
	u32 mi_lost;
	u32 last_sent_us;
	u32 last_ack_us;
	u32 last_delivered;
	u32 last_lost;
	u32 min_rtt_us;
	u32 min_rtt_stamp_us;
	u32 mi_min_rtt_us;
	u8 mode;
	u8 open:1,
	   app_limited:1;
};

/**
 * struct tlf_undo - what a timeout took, should it turn out to be spurious
 * @rate: bytes per second; 0: there is nothing to give back
 * @loss: as in &struct tlf_flow
 * @mode: &enum tlf_mode
 * @next: as in &struct tlf_flow
 * @history: the same
 */
struct tlf_undo {
	u64 rate;
	s32 loss;
	u8 mode;
	u8 next;
	s16 history[TLF_HISTORY][TLF_FEATURES];
};

/**
 * struct tlf_flow - what an interval touches
 * @bw: bytes per second delivered in the last interval
 * @full_bw: what start-up has reached
 * @bw_max: the most of them, in the present ten intervals and the ten before
 * @answered_bw: bytes per second when the answer to loss began
 * @busy_bw: bytes per second that arrived while a queue stood, an average
 * @rtt_us: mean RTT of the last interval
 * @spread_us: its standard deviation, an average
 * @startup_peak_us: the longest that was the shortest of an interval of start-up
 * @standing_us: the shortest RTT, in the present two intervals and the two before
 * @round_delivered: a round trip ends when so many packets were delivered
 * @full_rounds: round trips of start-up without 25 % more
 * @drain_count: intervals that draining has taken
 * @next: place of the next interval in @history; also that of the oldest
 * @competing: for so many intervals yet: others keep the queue full
 * @window_count: intervals since that was judged
 * @window_wanted: sum of the changes that the model wanted in them
 * @window_queued: those in which there was always a queue
 * @window_lost: packets were lost in them
 * @window_peak_us: longest mean RTT of one of them
 * @room: packets of its own that are no queue while it competes
 * @hold: for so many intervals it competed last without a probe, if it is to again
 * @unqueued: intervals without a queue while it competes
 * @lossy: packets were lost in the intervals that were judged last
 * @streak: intervals without a queue since the model wanted less
 * @filled: probes that must find no queue before it stops competing
 * @kept: ten-second windows in which the minimum RTT did not expire for that
 * @settling: ACKs still tell of packets sent before the model's time
 * @loss: average share of losses, 16 fractional bits
 * @path_loss: what the path loses whatever the rate, likewise
 * @answered_loss: what was lost when the answer to loss began; 0: it is over
 * @answered_us: the last answer to loss was then
 * @quiet_us: since when less is sent
 * @quiet_delivered: &tlf_ack.delivered when ACKs began to tell of that time
 * @quiet_lost: &tlf_ack.lost at that time
 * @quiet: do they?
 * @quiet_seen: packets of such times so far
 * @cut_us: the last answer to a collapse was then
 * @bw_count: intervals in the present half of @bw_max
 * @standing_count: the same for @standing_us
 * @collapsed: most of the last interval was lost, or a quarter of it where a full queue was
 *	met; in start-up: how much was lost, of as many intervals as did
 * @cut: ACKs do not yet tell of what was sent since @cut_us
 * @lossless: intervals without a queue, or loss beyond the path's
 * @guessed: packets of the first window, whose rate is by a guess of the RTT; 0: by a
 *	measured one
 * @per_ack: packets that an ACK told of in the last interval, on average
 * @settled_us: those sent from then on are the model's
 * @probe_start_us: since when the window is halved
 * @probe_min_rtt_us: smallest RTT since
 * @marked: a mark was answered; another counts when @ecn_delivered packets were delivered
 * @ecn_delivered: see @marked
 * @shared: for so many intervals yet: @busy_bw changes, so there may be others
 * @held: a queue stands: no more is under way than keeps it
 * @keeps_queue: not held so, for the application prefers throughput to latency
 * @intervals: so many were finished, modulo 2^32
 * @seen_us: packets of the last one at the model's rate were sent from then on
 * @seen_lost: and so many of them were lost beyond what the path loses,
 * @seen_known: of so many
 * @seen: set with these; whoever has looked at them clears it
 * @trial: &enum tlf_trial
 * @trial_again: a trial has just shown that there is more
 * @trial_rate: bytes per second before the trial
 * @trial_us: it began then
 * @trial_len_us: and takes so long
 * @trial_rtt_us: the shortest RTT of its packets, of the first and the second half
 * @trial_delivered: &tlf_ack.delivered when ACKs began to tell of it
 * @trial_lost: &tlf_ack.lost at that time
 * @history: ring of features
 * @undo: of the timeout that is not mended yet
 */
struct tlf_flow {
	u64 bw;
	u64 full_bw;
	u64 bw_max[2];
	u64 answered_bw;
	u64 busy_bw;
	u32 rtt_us;
	u32 spread_us;
	u32 startup_peak_us;
	u32 standing_us[2];
	u32 round_delivered;
	u16 competing;
	u8 full_rounds;
	u8 drain_count;
	u8 next;
	u8 window_count;
	u8 window_queued;
	u8 filled;
	u8 kept;
	u8 settling;
	u8 window_lost;
	u8 lossy;
	u8 streak;
	u16 guessed;
	u16 per_ack;
	u32 window_peak_us;
	u32 room;
	u16 hold;
	u8 unqueued;
	s32 window_wanted;
	s32 loss;
	s32 path_loss;
	s32 answered_loss;
	u32 answered_us;
	u32 quiet_us;
	u32 quiet_delivered;
	u32 quiet_lost;
	u32 quiet_seen;
	u32 cut_us;
	u8 quiet;
	u8 bw_count;
	u8 standing_count;
	u8 lossless;
	u8 collapsed;
	u8 cut;
	u8 marked;
	u8 shared;
	u8 held;
	u8 keeps_queue;
	u32 settled_us;
	u32 probe_start_us;
	u32 probe_min_rtt_us;
	u32 ecn_delivered;
	u32 intervals;
	u32 seen_us;
	u32 seen_lost;
	u32 seen_known;
	bool seen;
	u8 trial;
	bool trial_again;
	u64 trial_rate;
	u32 trial_us;
	u32 trial_len_us;
	u32 trial_rtt_us[2];
	u32 trial_delivered;
	u32 trial_lost;
	s16 history[TLF_HISTORY][TLF_FEATURES];
	struct tlf_undo undo;
};

/* -- arithmetic ------------------------------------------------------------ */

static inline u32 tlf_since(u32 later, u32 earlier)
{
	return later - earlier;
}

static inline bool tlf_reached(u32 now, u32 mark)
{
	return (s32)(now - mark) >= 0;
}

static inline u64 tlf_possible(u64 rate)
{
	return clamp_t(u64, rate, TLF_RATE_MIN, TLF_RATE_MAX);
}

/**
 * tlf_log2() - logarithm to the base of 2
 * @v: of what; not 0
 *
 * Exact at powers of two, linear between them: at most 0.086 too low, continuous
 * and monotonous.
 *
 * Return: with 16 fractional bits.
 */
static inline s32 tlf_log2(u64 v)
{
	unsigned int n = fls64(v) - 1;
	u64 fraction = n > 16 ? v >> (n - 16) : v << (16 - n);

	return (n << 16) + (u32)fraction - (1U << 16);
}

/* bytes per second that so many packets in @us are; @us is not 0 */
static inline u64 tlf_rate(u32 packets, u32 mss, u32 us)
{
	return div_u64((u64)packets * mss * 1000000, us);
}

/* for how long so many packets keep a path of @rate busy; @rate is not 0 */
static inline u32 tlf_packets_us(u32 packets, u32 mss, u64 rate)
{
	return min_t(u64, div64_u64((u64)packets * mss * 1000000, rate), TLF_MI_MAX_US);
}

/* packets under way at @rate over @rtt_us */
static inline u32 tlf_bdp(u64 rate, u32 rtt_us, u32 mss)
{
	u64 bytes = mul_u64_u32_div(rate, rtt_us, 1000000);

	return min_t(u64, div_u64(bytes, mss) + 1, TLF_COUNT_MAX);
}

/*
 * The window of a probe, that may have @most packets.  But what is lost has to be sent again
 * if nothing was so far, as in tcp_cwnd_reduction(): where the newest packets are lost, too,
 * they are all that is under way, and only the ACK of one that is sent after them tells.
 */
static inline u32 tlf_probe_cwnd(u32 cwnd, u32 most, u32 inflight, bool unrepaired)
{
	if (unrepaired)
		most = max(most, inflight + 1);
	return min(cwnd, most);
}

#endif /* _TCP_LITEFLOW_H */
