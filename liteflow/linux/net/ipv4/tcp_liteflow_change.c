// SPDX-License-Identifier: GPL-2.0-only
/*
 * How an action changes a rate: the rules of the congestion control "liteflow", which
 * tcp_liteflow_law.c explains
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include "tcp_liteflow_law.h"
#include "tcp_liteflow_parts.h"

#define TLF_AURORA_MAX		(10 * TLF_ACTION_ONE)

/* What an action within TLF_ACTION_MAX counts: a 16th; half of that if it is small. */
static s32 tlf_step(s32 action, u32 packets)
{
	u64 size = max(action, -action);
	s32 step;

	if (packets < TLF_COARSE_PACKETS)
		return action / (1 << TLF_STEP_SHIFT);
	step = size * (TLF_ACTION_MAX + size) / (2 * TLF_ACTION_MAX) >> TLF_STEP_SHIFT;

	return action < 0 ? -step : step;
}

/**
 * tlf_change() - what an action asks for
 * @rate: bytes per second, TLF_RATE_MIN to TLF_RATE_MAX
 * @rtt_us: the RTT that counts, tlf_pull_us(); not 0
 * @packets: of a round trip at that rate
 * @action: the model's answer, 16 fractional bits; any
 * @rule: how it counts
 *
 * Return: by how much the rate is to change, 16 fractional bits.
 */
s32 tlf_change(u64 rate, u32 rtt_us, u32 packets, s32 action, enum tlf_rule rule)
{
	s32 change;

	if (rule == TLF_RULE_AURORA)
		return clamp_t(s32, action, -TLF_AURORA_MAX, TLF_AURORA_MAX) / TLF_AURORA_STEP;
	action = clamp_t(s32, action, -TLF_ACTION_MAX, TLF_ACTION_MAX);
	change = tlf_step(action, packets) -
		 (tlf_log2(rate) - tlf_log2(TLF_RATE_REF) +
		  TLF_PULL_RTT * (tlf_log2(rtt_us) - tlf_log2(TLF_RTT_REF_US))) /
		 (1 << TLF_PULL_SHIFT);
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
u64 tlf_rate_after(u64 rate, s32 change)
{
	if (change >= 0)
		rate += rate * change >> TLF_ACTION_SHIFT;
	else
		rate = div_u64(rate << TLF_ACTION_SHIFT, TLF_ACTION_ONE - change);
	return tlf_possible(rate);
}
