/* SPDX-License-Identifier: GPL-2.0 */
/* The queues of simulated links. */
#ifndef LEMU_QUEUE_H
#define LEMU_QUEUE_H

#include "link.h"

/**
 * struct queue - a queue and its link
 * @packets: of the trace; those up to @in have arrived
 * @left: of each packet, when its last byte was sent or it was dropped; infinity: it waits
 * @largest: bytes of the largest packet
 * @bytes: in the queue, for QUEUE_BYTES and QUEUE_LEMURNN as of the last arrival
 * @fluid: for QUEUE_PACKETS: bytes sent since the head became it
 * @head: oldest packet that waits, for QUEUE_PACKETS and QUEUE_CODEL
 * @free_at: when the link can send the next one, for QUEUE_CODEL; for QUEUE_JUDGED when it has
 *	sent the last one
 * @judge: of QUEUE_JUDGED
 *
 * The rest is the state of the two CoDels, in ms.
 */
struct queue {
	enum link_queue kind;
	int64_t capacity, limit;
	struct link_packet *packets;
	const struct link_judge *judge;
	double *left;
	int steps, in, largest;
	int64_t bytes, worked;
	int head, waiting;
	double sent, free_at;

	double first_above, next_drop;
	int count, last_count;
	bool dropping;

	double interval_end, least;
	int drops;
};

/* Returns 0, or -1 without memory. queue_finish() frees it. */
int queue_open(struct queue *q, enum link_queue kind, int64_t capacity, int64_t limit,
	       int largest, struct link_packet *packets, int steps);

/* The packet arrives, not before any other of them. */
void queue_arrival(struct queue *q, struct link_packet *packet);

/* When the next packet leaves, as far as that is an event of its own; else infinity. */
double queue_next(const struct queue *q);

/* All such events up to a time happen. */
void queue_advance(struct queue *q, double until);

/* When a packet left, or was dropped; infinity: it did not yet. */
static inline double queue_left(const struct queue *q, int packet)
{
	return q->left[packet];
}

/* Fill in what is only known when @work of all packets is. */
void queue_finish(struct queue *q);

#endif
