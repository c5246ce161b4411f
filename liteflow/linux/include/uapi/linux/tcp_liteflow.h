/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The congestion control "liteflow": what a socket tells, and what it is told.
 */
#ifndef _UAPI_LINUX_TCP_LITEFLOW_H
#define _UAPI_LINUX_TCP_LITEFLOW_H

#include <linux/types.h>

/* tcp_liteflow_info.flags */
#define TCP_LITEFLOW_CLASSIC	0x1	/* no model answers: as Reno */
#define TCP_LITEFLOW_COMPETING	0x2	/* others fill the queue */
#define TCP_LITEFLOW_REMOTE	0x4	/* actions come by TCP_CC_PARAMS */
#define TCP_LITEFLOW_PREFER	0x8	/* the app cc_pref serves it, with preferences */

/* tcp_liteflow_params.flags: TCP_LITEFLOW_REMOTE, and */
#define TCP_LITEFLOW_ACT	0x10	/* do this action now */

/* tcp_liteflow_info.mode */
enum {
	TCP_LITEFLOW_STARTUP,
	TCP_LITEFLOW_DRAIN,
	TCP_LITEFLOW_CRUISE,
	TCP_LITEFLOW_PROBE,
};

/**
 * struct tcp_liteflow_info - getsockopt(TCP_CC_INFO), INET_DIAG_LITEFLOWINFO
 * @rate: bytes per second
 * @flow: its number in records that are collected
 * @bw: bytes per second delivered in the last interval
 * @min_rtt_us: the minimum that it believes in; 0: none yet
 * @rtt_us: mean RTT of the last interval
 * @version: the model that answered last; 0: none did
 * @intervals: how many ended
 * @refused: how often it should have been asked, and no model answered
 * @action: the last answer, in 1/65536
 * @throughput: preference, in 1/1000
 * @latency: preference, in 1/1000
 * @loss: preference, in 1/1000
 * @mode: TCP_LITEFLOW_STARTUP ...
 * @flags: TCP_LITEFLOW_CLASSIC ...
 */
struct tcp_liteflow_info {
	__u64	rate;
	__u64	flow;
	__u64	bw;
	__u32	min_rtt_us;
	__u32	rtt_us;
	__u32	version;
	__u32	intervals;
	__u32	refused;
	__s32	action;
	__u16	throughput;
	__u16	latency;
	__u16	loss;
	__u8	mode;
	__u8	flags;
};

/**
 * struct tcp_liteflow_params - setsockopt(TCP_CC_PARAMS)
 * @throughput: preference, in 1/1000
 * @latency: preference, in 1/1000
 * @loss: preference, in 1/1000; the three add up to 1000, or all are 0: no
 *	preference
 * @flags: TCP_LITEFLOW_REMOTE: the kernel's model is asked, but what it says is not
 *	done; with TCP_LITEFLOW_ACT: do @action now. Both need CAP_NET_ADMIN. Where
 *	a question waits a second for a call, the kernel's model takes over
 * @action: in 1/65536; without TCP_LITEFLOW_ACT 0
 * @pad: 0
 */
struct tcp_liteflow_params {
	__u16	throughput;
	__u16	latency;
	__u16	loss;
	__u16	flags;
	__s32	action;
	__u32	pad;
};

#endif /* _UAPI_LINUX_TCP_LITEFLOW_H */
