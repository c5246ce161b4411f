// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of an emulated link. See sch_lemu_queue.h.
 */
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "sch_lemu_queue.h"

/**
 * lemu_clock_read() - the time, whatever the clock below does
 * @clock: the clock
 * @raw: what the clock below shows, ns
 *
 * When the clock below goes back, this one goes on from where it was. A jump forward
 * is time that passed.
 *
 * Return: ns, never less than before.
 */
u64 lemu_clock_read(struct lemu_clock *clock, u64 raw)
{
	if (raw < clock->last)
		clock->ahead += clock->last - raw;
	clock->last = raw;
	return raw + clock->ahead;
}

/**
 * lemu_clock_raw() - when the clock below shows a time
 * @clock: the clock
 * @time: of lemu_clock_read(), or later
 *
 * Return: ns of the clock below, as long as it does not jump.
 */
u64 lemu_clock_raw(const struct lemu_clock *clock, u64 time)
{
	return time - clock->ahead;
}

/**
 * lemu_pace_advance() - count the work up to now
 * @pace: what was counted so far
 * @capacity: of the link since then, bytes per second
 * @now: ns, not before pace->last
 *
 * Fractions of a byte are kept, so nothing is lost however many packets come. From
 * LEMU_MAX_WORK on it is all one: any queue is empty by then. Before the first packet
 * there is no work.
 */
void lemu_pace_advance(struct lemu_pace *pace, u64 capacity, u64 now)
{
	u64 passed, longest, work;
	u32 part, bytes;

	if (!pace->begun)
		return;
	passed = now - pace->last;
	pace->last = now;
	/* LEMU_MAX_WORK * 10^9 is below 2^61 */
	longest = div64_u64((u64)LEMU_MAX_WORK * NSEC_PER_SEC, capacity);
	if (passed < longest) {
		work = div_u64_rem(passed * capacity + pace->rest, NSEC_PER_SEC, &pace->rest);
		pace->pending = min(pace->pending + work, LEMU_MAX_WORK);
		return;
	}
	/* the product does not fit, but what is left of it modulo 10^9 does */
	div_u64_rem(passed, NSEC_PER_SEC, &part);
	div_u64_rem(capacity, NSEC_PER_SEC, &bytes);
	div_u64_rem((u64)part * bytes + pace->rest, NSEC_PER_SEC, &pace->rest);
	pace->pending = LEMU_MAX_WORK;
}

/**
 * lemu_pace_take() - the work since the previous packet
 * @pace: what was counted so far
 * @capacity: of the link, bytes per second
 * @now: ns, not before pace->last
 *
 * Return: whole bytes, at most LEMU_MAX_WORK.
 */
u32 lemu_pace_take(struct lemu_pace *pace, u64 capacity, u64 now)
{
	u32 work;

	lemu_pace_advance(pace, capacity, now);
	if (!pace->begun) {
		pace->begun = true;
		pace->last = now;
	}
	work = pace->pending;
	pace->pending = 0;
	return work;
}

/**
 * lemu_departure() - when a packet leaves the link
 * @link: the link
 * @previous: when the packet before leaves, ns
 * @arrival: when this one came, ns
 * @backlog: what has to be sent until it is out, bytes, at most 2^31
 *
 * Return: ns; packets stay in order.
 */
u64 lemu_departure(const struct lemu_link *link, u64 previous, u64 arrival, u32 backlog)
{
	/* below 2^61 and 2^42 */
	u64 wait = DIV64_U64_ROUND_UP((u64)backlog * NSEC_PER_SEC, link->capacity);

	return max(previous, arrival + wait + link->delay);
}

/**
 * lemu_default_limit() - how many packets may have to wait
 * @link: the link
 *
 * A full queue and a full delay line of the smallest packets, and one that comes.
 *
 * Return: packets.
 */
u32 lemu_default_limit(const struct lemu_link *link)
{
	u64 in_flight = mul_u64_u64_div_u64(link->capacity, link->delay, NSEC_PER_SEC);

	return min_t(u64, div_u64(link->queue + in_flight, LEMU_SMALLEST) + 1, U32_MAX);
}

/**
 * lemu_per_ms() - the capacity as a model is told
 * @capacity: bytes per second
 *
 * Return: bytes per millisecond, rounded.
 */
u32 lemu_per_ms(u64 capacity)
{
	return div_u64(capacity + MSEC_PER_SEC / 2, MSEC_PER_SEC);
}
