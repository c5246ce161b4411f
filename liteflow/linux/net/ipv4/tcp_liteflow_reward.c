// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an interval of the congestion control "liteflow" was worth
 *
 * One definition for what training raises in the simulator, and for the rewards that the
 * kernel leaves beside collected queries:
 *
 *   score = 3 (p_throughput utility - p_latency delay - p_loss loss)
 *
 *   utility = ln((rate + little) / (fair + little))
 *   delay   = (ln(1 + mean wait) + ln(1 + its 95th percentile)) / 10
 *   loss    = 2 * share of packets that were lost beyond what the path loses anyway
 *
 * The weights p add up to 1.  Waits are in parts of the RTT without a queue, or of that and
 * TLF_SMALL_QUEUE packets.  The logarithm makes equal shares the best ones, and a step from
 * half of a rate to all of it worth as much on every path.  The simulator takes the means of
 * a run, for it knows the fair share, and the queue.
 *
 * A flow knows neither.  Its intervals are judged against TLF_RATE_REF: on one path that
 * shifts all rewards by one constant, so differences mean what they mean in the simulator;
 * rewards of different paths do not compare.  Its wait is what the mean RTT has above the
 * minimum, and the 95th percentile that of a normal distribution, 5/3 deviations above the
 * mean.
 *
 * An answer sets the rate for what is sent after it.  ACKs tell of that a round trip later,
 * and there are other answers meanwhile: they wait as claims.  The first interval all of
 * whose packets were sent at an answer's rate or later ones' is that of the newest among
 * those; the others had no interval of their own, and get no reward.
 */
#include <kunit/visibility.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "tcp_liteflow_parts.h"
#include "tcp_liteflow_reward.h"

#define TLF_LN2			2977044472ULL	/* of 2^32 */
#define TLF_DELAY_PARTS		10
#define TLF_LOSS_WEIGHT		2
#define TLF_SCORE_WEIGHT	3

/**
 * tlf_ln() - natural logarithm
 * @v: of what; not 0
 *
 * By repeated squaring, a bit each. tlf_log2() is quicker, but up to 0.086 too low, with
 * bends that training would settle at.
 *
 * Return: with TLF_WORTH_SHIFT fractional bits, at most two of the last too low.
 */
s32 tlf_ln(u64 v)
{
	unsigned int n = fls64(v) - 1, i;
	u64 x = n > 31 ? v >> (n - 31) : v << (31 - n);
	u32 log2 = n;

	for (i = 0; i < TLF_WORTH_SHIFT; i++) {
		x = x * x >> 31;
		log2 = 2 * log2 + (x >> 32);
		x >>= x >> 32;
	}
	return log2 * TLF_LN2 >> 32;
}

/**
 * tlf_utility() - what a rate is worth
 * @rate: bytes per second, or any unit that @fair and @little have, too
 * @fair: what it is to be
 * @little: keeps the logarithm finite; not 0. Sums of two stay below 2^63
 *
 * Return: 0 for the fair rate, -ln 2 for half of it, with TLF_WORTH_SHIFT fractional bits.
 */
s32 tlf_utility(u64 rate, u64 fair, u64 little)
{
	return tlf_ln(rate + little) - tlf_ln(fair + little);
}

/* ln(1 + x) of shares */
static s32 tlf_ln1(u32 x)
{
	return tlf_ln((u64)TLF_WORTH_ONE + x) - tlf_ln(TLF_WORTH_ONE);
}

/**
 * tlf_delay_cost() - what waiting costs
 * @mean: wait, in parts of the RTT without it, TLF_WORTH_SHIFT fractional bits
 * @p95: its 95th percentile
 *
 * Return: with TLF_WORTH_SHIFT fractional bits; 0 for no wait.
 */
s32 tlf_delay_cost(u32 mean, u32 p95)
{
	return (tlf_ln1(mean) + tlf_ln1(p95)) / TLF_DELAY_PARTS;
}

/**
 * tlf_loss_cost() - what losses cost
 * @share: of packets, TLF_WORTH_SHIFT fractional bits
 *
 * Return: with TLF_WORTH_SHIFT fractional bits.
 */
s32 tlf_loss_cost(u32 share)
{
	return TLF_LOSS_WEIGHT * min_t(u32, share, TLF_WORTH_ONE);
}

/**
 * tlf_score() - all of it
 * @worth: its terms
 * @weights: of throughput, latency and loss, TLF_WORTH_SHIFT fractional bits; they add up
 *	to about TLF_WORTH_ONE
 *
 * Return: with TLF_WORTH_SHIFT fractional bits. With equal weights: the sum of the terms.
 */
s32 tlf_score(const struct tlf_worth *worth, const u32 weights[TLF_WEIGHTS])
{
	s64 sum = (s64)weights[0] * worth->utility - (s64)weights[1] * worth->delay -
		  (s64)weights[2] * worth->loss;

	return TLF_SCORE_WEIGHT * sum >> TLF_WORTH_SHIFT;
}

static u32 tlf_part(u32 us, u32 of_us)
{
	return min_t(u64, div_u64((u64)us << TLF_WORTH_SHIFT, of_us), U32_MAX);
}

/**
 * tlf_reward() - the score of the interval that tlf_on_ack() saw last
 * @hot: the flow
 * @flow: its other half; &tlf_flow.seen is set
 * @mss: bytes of a packet
 * @weights: as for tlf_score()
 *
 * Return: with TLF_WORTH_SHIFT fractional bits.
 */
s32 tlf_reward(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss,
	       const u32 weights[TLF_WEIGHTS])
{
	u32 base_us = max(tlf_base_us(hot, flow, TLF_SMALL_QUEUE, mss), 1U);
	u32 wait_us = min(flow->rtt_us - min(flow->rtt_us, hot->min_rtt_us), TLF_TIME_MAX_US);
	u32 tail_us = wait_us + min(flow->spread_us, TLF_TIME_MAX_US) * 5 / 3;
	struct tlf_worth worth = {
		.utility = tlf_utility(flow->bw, TLF_RATE_REF, TLF_RATE_MIN),
		.delay = tlf_delay_cost(tlf_part(wait_us, base_us), tlf_part(tail_us, base_us)),
		.loss = tlf_loss_cost(tlf_part(flow->seen_lost, flow->seen_known)),
	};

	return tlf_score(&worth, weights);
}
EXPORT_SYMBOL_IF_KUNIT(tlf_reward);

/**
 * tlf_claim() - an answer waits for its interval
 * @claims: the flow's
 * @claim: the answer; copied
 *
 * Where so many wait that there is no room, it gets no reward.
 */
void tlf_claim(struct tlf_claims *claims, const struct tlf_claim *claim)
{
	/* so old, the clock would soon take it for the future */
	if (claims->n && tlf_since(claim->from_us, claims->claim[0].from_us) > TLF_TIME_MAX_US)
		claims->n = 0;
	if (claims->n < TLF_CLAIMS)
		claims->claim[claims->n++] = *claim;
}
EXPORT_SYMBOL_IF_KUNIT(tlf_claim);

/**
 * tlf_redeem() - an interval is over: whose was it?
 * @claims: the flow's; those that it was of, or of before, go
 * @sent_us: its packets were sent from then on
 * @claim: set to the newest of them
 *
 * Return: whether there was any.
 */
bool tlf_redeem(struct tlf_claims *claims, u32 sent_us, struct tlf_claim *claim)
{
	unsigned int n = 0;

	while (n < claims->n && tlf_reached(sent_us, claims->claim[n].from_us))
		n++;
	if (!n)
		return false;
	*claim = claims->claim[n - 1];
	claims->n -= n;
	memmove(claims->claim, claims->claim + n, claims->n * sizeof(*claims->claim));
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(tlf_redeem);
