/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The qdisc "lemu": a link that a recurrent network emulates.
 */
#ifndef _UAPI_LINUX_PKT_SCHED_LEMU_H
#define _UAPI_LINUX_PKT_SCHED_LEMU_H

#include <linux/types.h>

/*
 * Tag of the units of a model, and of the app that it is for. Inputs, in this order:
 *
 *	work		what the link could send since the previous packet, bytes; 0 for
 *			the first one
 *	size		of the packet, bytes
 *	capacity	bytes per millisecond
 *	queue		limit of the queue, bytes
 *
 * outputs:
 *
 *	backlog		the queue once this packet is in, bytes; a lost one leaves it alone
 *	keep		as much speaks for keeping the packet
 *	drop		as much for its loss: it is lost if this is the greater one
 */
#define LEMU_UNITS	"bytes"

#define LEMU_N_IN	4
#define LEMU_N_OUT	3

/* the module's own app; any other with LEMU_UNITS, this shape and state does as well */
#define LEMU_APP	"lemu"

/* Ranges of the options; a queue is at least a packet, as the device's MTU has it. */
#define LEMU_MIN_CAPACITY	1000ULL			/* bytes per second */
#define LEMU_MAX_CAPACITY	1000000000000ULL
#define LEMU_MAX_QUEUE		(1U << 30)		/* bytes */
#define LEMU_MAX_DELAY		3600000000000ULL	/* ns */

/* of TCA_OPTIONS */
enum {
	TCA_LEMU_UNSPEC,
	TCA_LEMU_PAD,
	TCA_LEMU_APP,		/* string: name of the app; "": none */
	TCA_LEMU_CAPACITY,	/* u64: bytes per second */
	TCA_LEMU_QUEUE,		/* u32: bytes */
	TCA_LEMU_DELAY,		/* u64: ns, on top of the queue's */
	TCA_LEMU_LIMIT,		/* u32: packets; 0: as queue and delay need it */
	TCA_LEMU_ECN,		/* u8: 1: mark instead of losing, where the packet allows */
	__TCA_LEMU_MAX,
};

#define TCA_LEMU_MAX	(__TCA_LEMU_MAX - 1)

/* what answers now: tc_lemu_xstats.source */
enum {
	LEMU_SOURCE_QUEUE,	/* no app was named: the byte queue, in plain arithmetic */
	LEMU_SOURCE_NO_MODEL,	/* the same, as the app has no active model, or is gone */
	LEMU_SOURCE_FAILED,	/* the same, as a query failed */
	LEMU_SOURCE_COST,	/* the same, as the active model costs too much */
	LEMU_SOURCE_MODEL,	/* the model */
};

/**
 * struct tc_lemu_xstats - what happened so far; it may grow at its end
 * @packets: that came, segments counted one by one
 * @lost: that the link lost
 * @marked: that were marked instead
 * @over_limit: that were dropped as the limit of packets was reached
 * @fallback: that the byte queue judged though an app is named
 * @clamped: for which a model gave a backlog outside of what the queue can hold
 * @switches: how often another model took over
 * @query_ns: what a query takes, ns, smoothed; 0: not known
 * @version: of the model that answers; 0: none
 * @backlog: of the emulated queue when the last packet came, bytes
 * @limit: packets that may be here at a time
 * @jump: by how much the last switch changed the backlog, bytes
 * @max_jump: the largest of them
 * @source: LEMU_SOURCE_*
 * @refused: the last version that costs too much; 0: none
 * @refused_ns: what a query of it takes
 */
struct tc_lemu_xstats {
	__u64 packets;
	__u64 lost;
	__u64 marked;
	__u64 over_limit;
	__u64 fallback;
	__u64 clamped;
	__u64 switches;
	__u64 query_ns;
	__u32 version;
	__u32 backlog;
	__u32 limit;
	__u32 jump;
	__u32 max_jump;
	__u32 source;
	__u32 refused;
	__u32 refused_ns;
};

#endif /* _UAPI_LINUX_PKT_SCHED_LEMU_H */
