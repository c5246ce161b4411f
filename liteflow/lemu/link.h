/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated links: what a queue does to the packets of a traffic, as ground truth to learn from.
 * Sizes are whole bytes, times are ms, capacities whole bytes per ms.
 */
#ifndef LEMU_LINK_H
#define LEMU_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "sch_lemu_queue.h"

enum link_queue {
	QUEUE_BYTES,		/* a limit in bytes */
	QUEUE_PACKETS,		/* a limit in packets: limit / the largest packet */
	QUEUE_CODEL,		/* RFC 8289, and the limit in bytes */
	QUEUE_LEMURNN,		/* what the seed calls CoDel: one drop at the end of an interval */
	QUEUE_JUDGED,		/* a struct link_judge decides */
};

enum link_traffic {
	TRAFFIC_EXPONENTIAL,	/* independent gaps */
	TRAFFIC_CBR,		/* constant gaps */
	TRAFFIC_BURSTS,		/* on and off */
	TRAFFIC_TCP,		/* flows whose windows follow acknowledgements and losses */
	TRAFFIC_MIXED,		/* each trace one of the above */
	TRAFFIC_STEADY,		/* packets of one size, evenly or independently, mostly too many */
	TRAFFIC_ANY,		/* each trace steady, or one of those of mixed */
};

/**
 * struct link_ranges - what links and traffic are drawn from, uniformly
 * @queue: an enum link_queue
 * @traffic: an enum link_traffic
 * @rate: packets per ms
 * @capacity: bytes per ms, drawn in whole ones
 * @size: bytes of a packet
 * @limit: bytes of the queue; 0 to 0: infinite
 * @rtt: ms, of a TCP flow without the queue
 * @flows: number of TCP flows, whole
 */
struct link_ranges {
	int queue, traffic;
	double rate[2], capacity[2], size[2], limit[2], rtt[2], flows[2];
};

/**
 * struct link_packet - a packet and what became of it
 * @at: when it arrives
 * @work: bytes that the link could have sent since the previous packet
 * @size: bytes
 * @backlog: bytes of the queue just after it
 * @dropped: it was
 */
struct link_packet {
	double at;
	int64_t work;
	int size;
	int dropped;
	double backlog;
};

/**
 * struct link_judge - somebody else's queue
 * @drops: says whether @packet, whose @work is set, is dropped, and sets its @backlog;
 *	@first: it is the first one of its trace
 */
struct link_judge {
	bool (*drops)(void *priv, struct link_packet *packet, bool first, int64_t capacity,
		      int64_t limit);
	void *priv;
};

/*
 * The byte queue's law, which is that of the kernel's qdisc. Without a limit, 0, some 4 GB have
 * room. Returns whether the packet is dropped, and leaves the new backlog.
 */
static inline bool byte_queue(int64_t *backlog, int64_t work, int size, int64_t limit)
{
	u32 bytes = *backlog;
	bool drop = lemu_queue_packet(&bytes, work < LEMU_MAX_WORK ? work : LEMU_MAX_WORK, size,
				      limit && limit < UINT32_MAX ? limit : UINT32_MAX);

	*backlog = bytes;
	return drop;
}

/**
 * link_trace() - simulate one trace
 * @judge: of QUEUE_JUDGED, otherwise NULL
 * @number: each has its own random numbers, from @seed and this
 * @steps: number of packets, at least 1
 * @capacity: filled with the link's
 * @limit: filled with the queue's
 *
 * Returns 0, or -1 without memory.
 */
int link_trace(const struct link_ranges *ranges, const struct link_judge *judge, uint64_t seed,
	       uint64_t number, int steps, struct link_packet *packets, int64_t *capacity,
	       int64_t *limit);

/**
 * link_batch() - simulate @count traces, from number @first on, into arrays of columns
 * @judge: of QUEUE_JUDGED, otherwise NULL
 * @work: [count][steps], and so are @size, @backlog, @dropped
 * @capacity: [count], and so is @limit
 * @at: [count][steps], or NULL
 *
 * Returns 0, or -1 without memory.
 */
int link_batch(const struct link_ranges *ranges, const struct link_judge *judge, uint64_t seed,
	       uint64_t first, int count, int steps, float *work, float *size, float *backlog,
	       uint8_t *dropped, float *capacity, float *limit, double *at);

/**
 * link_byte_queue() - what an exact byte queue would do with a trace
 * @work: [steps], and so are @size, @backlog, @dropped; the last two are filled
 */
void link_byte_queue(int steps, const double *work, const double *size, double limit,
		     double *backlog, uint8_t *dropped);

#endif
