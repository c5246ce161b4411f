/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an interval, or a run of the simulator, was worth: tcp_liteflow_reward.c
 */
#ifndef _TCP_LITEFLOW_REWARD_H
#define _TCP_LITEFLOW_REWARD_H

#include "tcp_liteflow.h"

#define TLF_WORTH_SHIFT		16	/* fractional bits of logarithms, shares and weights */
#define TLF_WORTH_ONE		65536
#define TLF_WEIGHTS		3
#define TLF_SMALL_QUEUE		5	/* packets: no fewer can be kept in a queue */
#define TLF_CLAIMS		8	/* answers of a flow that wait for their intervals */

/**
 * struct tlf_worth - the terms of the score, TLF_WORTH_SHIFT fractional bits each
 * @utility: tlf_utility()
 * @delay: tlf_delay_cost()
 * @loss: tlf_loss_cost()
 */
struct tlf_worth {
	s32 utility;
	s32 delay;
	s32 loss;
};

/**
 * struct tlf_claim - an answer whose interval is not over yet
 * @seq: the query's number in its flow
 * @version: of the model that answered
 * @from_us: the rate is the answer's for what is sent from then on
 */
struct tlf_claim {
	u32 seq;
	u32 version;
	u32 from_us;
};

/**
 * struct tlf_claims - those of a flow, the oldest first
 * @n: how many
 * @claim: they
 */
struct tlf_claims {
	unsigned int n;
	struct tlf_claim claim[TLF_CLAIMS];
};

s32 tlf_ln(u64 v);
s32 tlf_utility(u64 rate, u64 fair, u64 little);
s32 tlf_delay_cost(u32 mean, u32 p95);
s32 tlf_loss_cost(u32 share);
s32 tlf_score(const struct tlf_worth *worth, const u32 weights[TLF_WEIGHTS]);
s32 tlf_reward(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss,
	       const u32 weights[TLF_WEIGHTS]);
void tlf_claim(struct tlf_claims *claims, const struct tlf_claim *claim);
bool tlf_redeem(struct tlf_claims *claims, u32 sent_us, struct tlf_claim *claim);

#endif /* _TCP_LITEFLOW_REWARD_H */
