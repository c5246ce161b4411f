/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control law of the congestion control "liteflow": what its users call
 */
#ifndef _TCP_LITEFLOW_LAW_H
#define _TCP_LITEFLOW_LAW_H

#include "tcp_liteflow.h"

void tlf_init(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack, u32 srtt_us,
	      u32 cwnd);
bool tlf_on_ack(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack,
		enum tlf_rule rule);
void tlf_inputs(const struct tlf_flow *flow, s32 in[TLF_N_IN]);
void tlf_act(struct tlf_hot *hot, struct tlf_flow *flow, s32 action, u32 mss, enum tlf_rule rule);
void tlf_on_ecn(struct tlf_hot *hot, struct tlf_flow *flow, const struct tlf_ack *ack);
void tlf_on_timeout(struct tlf_hot *hot, struct tlf_flow *flow);
void tlf_on_undo(struct tlf_hot *hot, struct tlf_flow *flow);
void tlf_on_mended(struct tlf_flow *flow);
void tlf_quiet_breaks(struct tlf_flow *flow);
void tlf_on_restart(struct tlf_hot *hot, struct tlf_flow *flow, u32 now_us, u32 idle_us);
u64 tlf_pace(const struct tlf_hot *hot, const struct tlf_flow *flow);
u32 tlf_cwnd(const struct tlf_hot *hot, const struct tlf_flow *flow, u32 mss, u32 burst);

/* tcp_liteflow_change.c, for those who count in rates themselves, too */
s32 tlf_change(u64 rate, u32 rtt_us, u32 packets, s32 action, enum tlf_rule rule);
u64 tlf_rate_after(u64 rate, s32 change);

#endif /* _TCP_LITEFLOW_LAW_H */
