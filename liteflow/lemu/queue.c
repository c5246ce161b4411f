// SPDX-License-Identifier: GPL-2.0
/*
 * The queues of simulated links. Backlogs are those that docs/lemu.md defines.
 */
#include <math.h>
#include <stdlib.h>

#include "queue.h"

/* ms, of both CoDels: RFC 8289, 4.2 and 4.3 */
#define TARGET 5.0
#define INTERVAL 100.0
/* what the seed takes for it */
#define LEMURNN_INTERVAL 10.0

int queue_open(struct queue *q, enum link_queue kind, int64_t capacity, int64_t limit,
	       int largest, struct link_packet *packets, int steps)
{
	*q = (struct queue){ .kind = kind, .capacity = capacity, .limit = limit,
			     .largest = largest, .packets = packets, .steps = steps,
			     .interval_end = LEMURNN_INTERVAL, .least = INFINITY, .drops = 1 };
	q->left = malloc(steps * sizeof(*q->left));
	if (!q->left)
		return -1;
	for (int at = 0; at < steps; at++)
		q->left[at] = INFINITY;
	return 0;
}

static void leaves(struct queue *q, struct link_packet *packet, double at)
{
	q->left[packet - q->packets] = at;
}

/* Whole bytes that the link could have sent since the previous packet. */
static int64_t work_until(struct queue *q, double at)
{
	int64_t could = floor(at * q->capacity), work = q->in ? could - q->worked : 0;

	q->worked = could;
	return work;
}

static void bytes_arrival(struct queue *q, struct link_packet *p)
{
	p->dropped = byte_queue(&q->bytes, work_until(q, p->at), p->size, q->limit);
	p->backlog = q->bytes;
	leaves(q, p, p->at + (double)q->bytes / q->capacity);
}

/* A packet counts until its last byte is sent. */
static void packets_arrival(struct queue *q, struct link_packet *p)
{
	int64_t work = work_until(q, p->at);

	while (q->head < q->in) {
		struct link_packet *head = &q->packets[q->head];

		if (!head->dropped) {
			if (q->sent + work < head->size)
				break;
			work -= head->size - q->sent;
			q->sent = 0;
			q->bytes -= head->size;
			q->waiting--;
		}
		q->head++;
	}
	if (q->waiting)
		q->sent += work;
	p->dropped = q->limit && q->waiting >= q->limit / q->largest;
	if (!p->dropped) {
		q->bytes += p->size;
		q->waiting++;
	}
	p->backlog = q->bytes - q->sent;
	leaves(q, p, p->at + p->backlog / q->capacity);
}

/*
 * The seed's own: at the first packet past the end of an interval, that packet is dropped if
 * none waited for less than TARGET in it. The queue has no limit.
 */
static void lemurnn_arrival(struct queue *q, struct link_packet *p)
{
	int64_t work = work_until(q, p->at);

	q->bytes = q->bytes > work ? q->bytes - work : 0;
	if (p->at > q->interval_end) {
		p->dropped = isfinite(q->least) && q->least > TARGET;
		q->drops = p->dropped ? q->drops + 1 : 1;
		q->interval_end = p->at + LEMURNN_INTERVAL / sqrt(q->drops);
		q->least = INFINITY;
	}
	if (!p->dropped) {
		q->bytes += p->size;
		q->least = fmin(q->least, (double)q->bytes / q->capacity);
	}
	p->backlog = q->bytes;
	leaves(q, p, p->at + (double)q->bytes / q->capacity);
}

/* As the kernel's qdisc: backlogs are at least 0, and no packet overtakes another. */
static void judged_arrival(struct queue *q, struct link_packet *p)
{
	p->work = work_until(q, p->at);
	p->dropped = q->judge->drops(q->judge->priv, p, !q->in, q->capacity, q->limit);
	p->backlog = fmax(0, p->backlog);
	if (!p->dropped)
		q->free_at = fmax(q->free_at, p->at + p->backlog / q->capacity);
	leaves(q, p, p->dropped ? p->at + p->backlog / q->capacity : q->free_at);
}

/* RFC 8289 from here; the names of its pseudocode are in brackets. */

static struct link_packet *taken(struct queue *q)
{
	struct link_packet *p;

	do {
		if (q->head == q->in)
			return NULL;
		p = &q->packets[q->head++];
	} while (p->dropped);
	q->bytes -= p->size;
	return p;
}

/* The next packet, and whether it has waited above TARGET for an INTERVAL [dodequeue]. */
static struct link_packet *judged(struct queue *q, double now, bool *ok_to_drop)
{
	struct link_packet *p = taken(q);

	*ok_to_drop = false;
	if (!p || now - p->at < TARGET || q->bytes <= q->largest)
		q->first_above = 0;
	else if (!q->first_above)
		q->first_above = now + INTERVAL;
	else
		*ok_to_drop = now >= q->first_above;
	return p;
}

static void head_drop(struct queue *q, struct link_packet *p, double now)
{
	p->dropped = true;
	leaves(q, p, now);
}

static double control_law(const struct queue *q, double from)
{
	return from + INTERVAL / sqrt(q->count);
}

/* The packet that is sent now, those before it dropped [deque]. */
static struct link_packet *codel_dequeue(struct queue *q, double now)
{
	bool ok_to_drop;
	struct link_packet *p = judged(q, now, &ok_to_drop);

	if (q->dropping) {
		if (!ok_to_drop)
			q->dropping = false;
		while (q->dropping && now >= q->next_drop) {
			q->count++;
			head_drop(q, p, now);
			p = judged(q, now, &ok_to_drop);
			if (!ok_to_drop)
				q->dropping = false;
			else
				q->next_drop = control_law(q, q->next_drop);
		}
	} else if (ok_to_drop) {
		int delta = q->count - q->last_count;

		head_drop(q, p, now);
		p = judged(q, now, &ok_to_drop);
		q->dropping = true;
		q->count = delta > 1 && now - q->next_drop < 16 * INTERVAL ? delta : 1;
		q->next_drop = control_law(q, now);
		q->last_count = q->count;
	}
	return p;
}

double queue_next(const struct queue *q)
{
	return q->kind == QUEUE_CODEL && q->bytes ? q->free_at : INFINITY;
}

void queue_advance(struct queue *q, double until)
{
	while (queue_next(q) <= until && isfinite(queue_next(q))) {
		struct link_packet *p = codel_dequeue(q, q->free_at);

		if (!p)
			break;
		q->free_at += (double)p->size / q->capacity;
		leaves(q, p, q->free_at);
	}
}

static void codel_arrival(struct queue *q, struct link_packet *p)
{
	queue_advance(q, p->at);
	if (q->limit && q->bytes + p->size > q->limit) {
		head_drop(q, p, p->at);
		return;
	}
	if (!q->bytes)
		q->free_at = fmax(q->free_at, p->at);
	q->bytes += p->size;
}

void queue_arrival(struct queue *q, struct link_packet *p)
{
	switch (q->kind) {
	case QUEUE_BYTES:
		bytes_arrival(q, p);
		break;
	case QUEUE_PACKETS:
		packets_arrival(q, p);
		break;
	case QUEUE_CODEL:
		codel_arrival(q, p);
		break;
	case QUEUE_LEMURNN:
		lemurnn_arrival(q, p);
		break;
	case QUEUE_JUDGED:
		judged_arrival(q, p);
		break;
	}
	q->in++;
}

/*
 * What CoDel makes of a packet shows in when it leaves; one that is dropped leaves the backlog
 * as it was.
 */
void queue_finish(struct queue *q)
{
	double backlog = 0;

	for (int at = 0; q->kind == QUEUE_CODEL && at < q->steps; at++) {
		struct link_packet *p = &q->packets[at];

		if (p->dropped)
			backlog = fmax(0, backlog - p->work);
		else
			backlog = (q->left[at] - p->at) * q->capacity;
		p->backlog = backlog;
	}
	free(q->left);
}
