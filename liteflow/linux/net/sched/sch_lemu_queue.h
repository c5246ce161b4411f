/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arithmetic of an emulated link: time, work, the byte queue, departures.
 *
 * It knows no qdisc and no model, takes no lock and reads no clock: the KUnit tests
 * and programs of user space compile it as well.
 */
#ifndef _NET_SCHED_SCH_LEMU_QUEUE_H
#define _NET_SCHED_SCH_LEMU_QUEUE_H

#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/types.h>

/* More work than any queue holds: what passed is not counted beyond it. */
#define LEMU_MAX_WORK	0x7fffffffU

/* Bytes of the smallest packet: the headers of IPv4 and UDP. */
#define LEMU_SMALLEST	28

/* Queries are priced for packets of so many bytes, and no piece of one is smaller. */
#define LEMU_PIECE	64

/* What a model is told, and what it answers. */
enum { LEMU_IN_WORK, LEMU_IN_SIZE, LEMU_IN_CAPACITY, LEMU_IN_QUEUE };
enum { LEMU_OUT_BACKLOG, LEMU_OUT_KEEP, LEMU_OUT_DROP };

/**
 * struct lemu_link - the link, as the options have it
 * @capacity: bytes per second, LEMU_MIN_CAPACITY to LEMU_MAX_CAPACITY
 * @delay: ns, at most LEMU_MAX_DELAY
 * @queue: limit of the queue, bytes, at most LEMU_MAX_QUEUE
 * @limit: packets that may wait at a time; 0: as lemu_default_limit() says
 * @ecn: marks instead of losses
 */
struct lemu_link {
	u64 capacity;
	u64 delay;
	u32 queue;
	u32 limit;
	bool ecn;
};

/**
 * struct lemu_clock - a clock that never goes back
 * @last: what the clock below showed last, ns
 * @ahead: what this one shows more than that, ns
 */
struct lemu_clock {
	u64 last;
	u64 ahead;
};

/**
 * struct lemu_pace - what the link could do since the last packet
 * @last: time up to which work is counted, ns
 * @rest: work of less than a byte, in bytes per 10^9, below 10^9
 * @pending: whole bytes that no packet was told yet
 * @begun: a packet came
 */
struct lemu_pace {
	u64 last;
	u32 rest;
	u32 pending;
	bool begun;
};

u64 lemu_clock_read(struct lemu_clock *clock, u64 raw);
u64 lemu_clock_raw(const struct lemu_clock *clock, u64 time);
void lemu_pace_advance(struct lemu_pace *pace, u64 capacity, u64 now);
u32 lemu_pace_take(struct lemu_pace *pace, u64 capacity, u64 now);
u64 lemu_departure(const struct lemu_link *link, u64 previous, u64 arrival, u32 backlog);
u32 lemu_default_limit(const struct lemu_link *link);
u32 lemu_per_ms(u64 capacity);

/**
 * lemu_queue_packet() - the byte queue: what becomes of a packet
 * @backlog: bytes in the queue, before and after
 * @work: bytes that left since the previous packet
 * @size: of the packet, bytes
 * @limit: most bytes in the queue
 *
 * Here, so that the simulator in which models are trained has the same queue.
 *
 * Return: whether it is lost, and thus not in the queue.
 */
static inline bool lemu_queue_packet(u32 *backlog, u32 work, u32 size, u32 limit)
{
	*backlog -= min(*backlog, work);
	if ((u64)*backlog + size > limit)
		return true;
	*backlog += size;
	return false;
}

/**
 * lemu_out_drops() - is a packet lost?
 * @out: what the model answered
 *
 * Return: whether it is.
 */
static inline bool lemu_out_drops(const s32 *out)
{
	return out[LEMU_OUT_DROP] > out[LEMU_OUT_KEEP];
}

/**
 * lemu_largest() - the largest packet that a model is shown in one piece
 * @hi: end of the range of sizes that it knows
 *
 * Return: bytes.
 */
static inline u32 lemu_largest(s32 hi)
{
	return max(hi, LEMU_PIECE);
}

/**
 * lemu_in_pieces() - ask a model about a packet
 * @in: all but the size
 * @size: of the packet, bytes
 * @largest: piece, bytes
 * @out: what it answered to the last piece that it was shown
 * @ask: asks it once; 0, or an error
 * @priv: for @ask
 *
 * A packet that is larger than those the model knows would pass for one of them, and the
 * link for a faster one. So it goes through the link as its fragments would: one behind the
 * other, and lost if one of them is.
 *
 * Here and inline, so that the kernel, which asks through a slot, and the trainer's programs,
 * which ask the engine, do the same.
 *
 * Return: 0, or the error of @ask.
 */
static __always_inline int lemu_in_pieces(s32 *in, u32 size, u32 largest, s32 *out,
					  int (*ask)(void *priv, const s32 *in, s32 *out),
					  void *priv)
{
	u32 rest = size;
	int ret;

	do {
		in[LEMU_IN_SIZE] = min(rest, largest);
		ret = ask(priv, in, out);
		rest -= in[LEMU_IN_SIZE];
		in[LEMU_IN_WORK] = 0;
	} while (unlikely(rest) && !ret && !lemu_out_drops(out));
	return ret;
}

#endif /* _NET_SCHED_SCH_LEMU_QUEUE_H */
