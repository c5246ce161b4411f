/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the control law of the congestion control "liteflow", for each other and
 * for the tests: tcp_liteflow_law.c, tcp_liteflow_path.c and tcp_liteflow_compete.c
 */
#ifndef _TCP_LITEFLOW_PARTS_H
#define _TCP_LITEFLOW_PARTS_H

#include <linux/limits.h>
#include "tcp_liteflow.h"

/**
 * struct tlf_interval - an interval that is over, in numbers
 * @delivered: packets
 * @lost: packets
 * @sent_us: how long they were sent; this, @acked_us, @rtt_us and @least_us are not 0
 * @acked_us: how long it took until their ACKs had come
 * @rtt_us: mean RTT
 * @least_us: the shortest
 * @spread_us: standard deviation of the RTT
 * @usual_us: the average of that before
 * @per_ack: packets that an ACK tells of, on average
 * @rise_us: mean RTT of the second half less that of the first; where nothing of the second
 *	came, of the interval less that of the one before
 */
struct tlf_interval {
	u32 delivered;
	u32 lost;
	u32 sent_us;
	u32 acked_us;
	u32 rtt_us;
	u32 least_us;
	u32 spread_us;
	u32 usual_us;
	u16 per_ack;
	s32 rise_us;
};

/* -- tcp_liteflow_law.c -------------------------------------------------------- */

#define TLF_RATE_REF		16000000	/* bytes per second: 128 Mbit/s */
#define TLF_RTT_REF_US		40000U
#define TLF_RTT_LEAST_US	10000U
#define TLF_PULL_RTT		2		/* its power beside the rate's */
#define TLF_STEP_SHIFT		4		/* the largest action: a quarter */
#define TLF_COARSE_PACKETS	8		/* fewer in a round trip: an action of 1 a 16th */
#define TLF_PULL_SHIFT		8		/* each doubling above: 1/256 */
#define TLF_ACTION_MAX		(4 * TLF_ACTION_ONE)
#define TLF_CHANGE_MAX		(TLF_ACTION_ONE / 4)
#define TLF_STREAK_MIN		4		/* intervals of growth, then it gains */
#define TLF_STREAK_AGAIN	2		/* as much again with every four */
#define TLF_STREAK_MAX		32

#define TLF_AURORA_STEP		40		/* an action of 1: a fortieth */

#define TLF_STARTUP_ROUNDS	3		/* without 25 % more */
#define TLF_DRAIN_INTERVALS	8		/* at most */
#define TLF_FEW_LOST		3		/* packets: fewer may be lost by chance */

#define TLF_LEAST_PACKETS	2		/* a round trip: fewer tell hardly anything */

void tlf_cruise(struct tlf_hot *hot, struct tlf_flow *flow, u32 now_us);
void tlf_start_probe(struct tlf_hot *hot, struct tlf_flow *flow, u32 now_us);
void tlf_remember(const struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_interval *mi,
		  u32 mss, enum tlf_rule rule);
bool tlf_is_clear(const struct tlf_flow *flow);
u32 tlf_pull_us(const struct tlf_hot *hot, const struct tlf_flow *flow);
void tlf_count_clear(struct tlf_flow *flow);
s32 tlf_accelerate(struct tlf_flow *flow, s32 change);

/* -- tcp_liteflow_path.c ------------------------------------------------------- */

#define TLF_SLACK_PACKETS	2		/* of its own that are no queue, and */
#define TLF_SLACK_LOSS		3		/* quarters of that at most less by loss */
#define TLF_SPREADS		4		/* standard deviations that an interval takes */
#define TLF_RTT_MAX_US		BIT(22)	/* above the minimum: squares fit into 64 bits */
#define TLF_LOSS_SHIFT		16		/* fractional bits of shares of loss */
#define TLF_LOSS_ONE		65536
#define TLF_LOSSY		(TLF_LOSS_ONE / 100)	/* of a path that loses packets anyway */
#define TLF_LOSS_ALLOWED	(TLF_LOSS_ONE / 50)	/* beyond the path's */
#define TLF_LOSS_ROOM		(TLF_LOSS_ALLOWED / 4)	/* where a burst is much for the path */
#define TLF_LOSS_PACKETS	256		/* that the average of losses is of, or */
#define TLF_LOSS_INTERVALS	16

/* &tlf_flow.quiet */
enum {
	TLF_LOUD,
	TLF_QUIET_SENT,		/* it sends less, but ACKs tell of before */
	TLF_QUIET_ACKED,	/* they tell of that time */
};

/* &tlf_flow.trial */
enum tlf_trial {
	TLF_NO_TRIAL,
	TLF_TRIAL_SENT,		/* packets leave faster, or did, but ACKs tell of before */
	TLF_TRIAL_ACKED,	/* they tell of these packets, */
	TLF_TRIAL_JUDGED,	/* and of those after them */
};

#define TLF_TRIAL_GAIN		2		/* so much faster, */
#define TLF_TRIAL_BACK		4		/* then a quarter less, for four times as long */
#define TLF_TRIAL_LENS		(1 + TLF_TRIAL_BACK)

void tlf_measure(const struct tlf_hot *hot, const struct tlf_flow *flow, struct tlf_interval *mi);
void tlf_note(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_interval *mi, u32 mss);
u64 tlf_bw_max(const struct tlf_flow *flow);
u32 tlf_base_us(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 packets, u32 mss);
bool tlf_is_queue(const struct tlf_hot *hot, u32 rtt_us);
u32 tlf_known(const struct tlf_interval *mi);
void tlf_average_loss(struct tlf_flow *flow, const struct tlf_interval *mi);
u32 tlf_lost_beyond(const struct tlf_flow *flow, const struct tlf_interval *mi);
bool tlf_is_collapse(const struct tlf_hot *hot, const struct tlf_flow *flow,
		     const struct tlf_interval *mi, u32 mss);
bool tlf_is_excess(const struct tlf_flow *flow);
u32 tlf_less_by_loss(const struct tlf_flow *flow, u32 packets, u32 none);
bool tlf_has_seen_queue(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss);
void tlf_quiet_begins(struct tlf_flow *flow, u32 now_us);
void tlf_quiet_ack(const struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack);
bool tlf_quiet_ends(struct tlf_hot *hot, struct tlf_flow *flow, bool queue, u32 mss);
void tlf_answer_queue(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack);
bool tlf_answer_probe(const struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack);
void tlf_count_lossless(struct tlf_flow *flow, const struct tlf_interval *mi, bool queue);
bool tlf_may_grow(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss);
bool tlf_is_held(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss);
u64 tlf_held_rate(const struct tlf_flow *flow);
u32 tlf_held_cwnd(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss, u32 burst);
u64 tlf_least_alone(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss);
u64 tlf_least_clear(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss);
void tlf_try(const struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
	     bool again);
bool tlf_is_trial(const struct tlf_flow *flow, u32 sent_us);
u64 tlf_trial_shows(const struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack);
void tlf_search(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack);

/* -- tcp_liteflow_compete.c ---------------------------------------------------- */

#define TLF_COMPETE_INTERVALS	16		/* to see that it competes */
#define TLF_PROBE_GAP_US	3000000		/* between probes for that */
#define TLF_COMPETE_WANTED	(-TLF_ACTION_ONE / 4)	/* sum of what the model wanted */
#define TLF_COMPETE_QUEUED	12		/* so many of them saw a queue throughout */
#define TLF_COMPETE_FILLED	7		/* sixteenths: its own kind leaves less */
#define TLF_COMPETE_LOSSY	3		/* and where packets are lost */
#define TLF_COMPETE_LOSS	8		/* an eighth: the queue's overflow */
#define TLF_COMPETE_LEFT	5		/* eighths of the longest RTT: alone, four */
#define TLF_COMPETE_NOISE	32		/* of the RTT: if it varies more, queues are long */
#define TLF_COMPETE_COARSE	(2 * TLF_COARSE_PACKETS)	/* fewer: one of many flows */
#define TLF_COMPETE_LATE	3		/* minimum RTTs: shows too late */
#define TLF_COMPETE_HOLD	64		/* intervals for which that holds, */
#define TLF_COMPETE_HOLD_MAX	512		/* twice as many each time that it is so again */
#define TLF_COMPETE_PROBED	U16_MAX		/* until the next probe */
#define TLF_COMPETE_PROBES	2		/* it takes so many to find no queue again */
#define TLF_COMPETE_UNQUEUED	6		/* without a queue: nobody fills it */
#define TLF_COMPETE_PACKETS	4		/* least room, or */
#define TLF_COMPETE_BDP		4		/* a quarter of start-up's BDP */
#define TLF_ROOM_GAIN		64		/* a packet and 1/64 more with each interval */
#define TLF_ROOM_LOSS		8		/* an eighth less with each that loses packets */
#define TLF_KEEP_WINDOWS	6		/* a minimum RTT of before the competition */

void tlf_stop_competing(struct tlf_flow *flow);
bool tlf_is_others_rise(const struct tlf_hot *hot, const struct tlf_flow *flow,
			const struct tlf_interval *mi, u32 mss);
bool tlf_compete_on(const struct tlf_hot *hot, struct tlf_flow *flow, u32 base_us, u32 mss);
u32 tlf_slack_us(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss,
		 enum tlf_rule rule);
void tlf_start_competing(const struct tlf_hot *hot, struct tlf_flow *flow, u32 mss,
			 u16 intervals);
u32 tlf_filled_us(const struct tlf_flow *flow, u32 base_us);
void tlf_compete(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
		 const struct tlf_interval *mi);

#endif /* _TCP_LITEFLOW_PARTS_H */
