// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated links: packets of a traffic arrive one by one, a queue says what becomes of them.
 * What becomes of a packet is known at once where a queue drops at its tail; CoDel decides when
 * the packet's turn has come, so that packets leave there as events of their own.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "queue.h"

#define MAX_FLOWS 8
#define START_WINDOW 10
/* of the traces of TRAFFIC_ANY: as much as each of the four others has */
#define STEADY_SHARE 0.2

/* xoshiro256**, seeded by splitmix64 (Blackman and Vigna, doi:10.1145/3460772) */
struct dice {
	uint64_t s[4];
};

static uint64_t rotated(uint64_t v, int by)
{
	return v << by | v >> (64 - by);
}

static uint64_t mixed(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static void dice_seed(struct dice *d, uint64_t seed, uint64_t number)
{
	uint64_t state = seed;

	state = mixed(&state) ^ number * 0xd1342543de82ef95ull;
	for (int at = 0; at < 4; at++)
		d->s[at] = mixed(&state);
}

static uint64_t dice_throw(struct dice *d)
{
	uint64_t *s = d->s, out = rotated(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotated(s[3], 45);
	return out;
}

/* in [0, 1) */
static double share(struct dice *d)
{
	return (dice_throw(d) >> 11) * 0x1p-53;
}

static double between(struct dice *d, const double range[2])
{
	return range[0] + (range[1] - range[0]) * share(d);
}

static double exponential(struct dice *d, double mean)
{
	return -log1p(-share(d)) * mean;
}

/**
 * struct flow - a TCP flow: additive increase, multiplicative decrease, slow start
 * @ready: when it may send, if its window allows
 * @recovered: losses before this time belong to one event
 * @first: index into the trace of its oldest packet that is not acknowledged
 * @flying: number of such packets
 */
struct flow {
	double window, threshold, rtt, gap, ready, recovered;
	int size, first, flying;
};

/**
 * struct run - a trace in the making
 * @next: of each packet, the next one of its flow
 * @last: of each flow, its latest packet
 */
struct run {
	struct queue queue;
	struct dice dice;
	struct link_packet *packets;
	int steps, done, traffic;
	int *next, last[MAX_FLOWS], flow_count;
	double size[2];
	struct flow flows[MAX_FLOWS];
};

static void arrives(struct run *r, double at, int size)
{
	struct link_packet *packet = &r->packets[r->done++];

	packet->at = at;
	packet->size = size;
	queue_arrival(&r->queue, packet);
}

static int drawn_size(struct run *r)
{
	return rint(between(&r->dice, r->size));
}

/* Traffic that does not listen: gaps alone. */
static void run_open(struct run *r, double rate)
{
	double at = 0, mean = 1 / rate, factor = 1, until = 0;
	const double bursting[2] = { 2, 8 }, length[2] = { 8, 64 };

	if (r->traffic == TRAFFIC_BURSTS)
		factor = between(&r->dice, bursting);
	while (r->done < r->steps) {
		if (r->traffic == TRAFFIC_CBR) {
			at += mean;
		} else if (r->traffic == TRAFFIC_BURSTS) {
			/* a burst of so many packets, then silence that keeps the rate */
			if (until <= 0) {
				until = 1 + exponential(&r->dice, between(&r->dice, length));
				at += exponential(&r->dice, until * mean * (1 - 1 / factor));
			}
			at += exponential(&r->dice, mean / factor);
			until--;
		} else {
			at += exponential(&r->dice, mean);
		}
		arrives(r, at, drawn_size(r));
	}
}

/*
 * What iperf3 -u and measurements of a capacity send: packets of one size, which the link cannot
 * carry for long. A trace is shorter than it may take to fill the queue, so it begins with a
 * burst.
 */
static void run_steady(struct run *r)
{
	const double load[2] = { 0.8, 2 }, filled[2] = { 0, 1.2 };
	/* most packets of bulk transfers are full */
	int size = share(&r->dice) < 0.8 ? (int)r->size[1] : drawn_size(r);
	double gap = size / (r->queue.capacity * between(&r->dice, load)), at = 0;
	double burst = between(&r->dice, filled) * r->queue.limit;
	bool even = share(&r->dice) < 0.5;

	while (r->done < r->steps) {
		if (burst >= size)
			burst -= size;
		else
			at += even ? gap : exponential(&r->dice, gap);
		arrives(r, at, size);
	}
}

/* The time at which the flow's oldest packet is acknowledged or found lost, if that is known. */
static double heard(const struct run *r, const struct flow *f)
{
	double left = f->flying ? queue_left(&r->queue, f->first) : INFINITY;

	return left + f->rtt;
}

static void acknowledge(struct run *r, struct flow *f, double now)
{
	bool lost = r->packets[f->first].dropped;

	f->first = r->next[f->first];
	f->flying--;
	if (!lost) {
		f->window += f->window < f->threshold ? 1 : 1 / f->window;
	} else if (r->packets[f->first].at >= f->recovered || now >= f->recovered) {
		f->threshold = fmax(f->window / 2, 2);
		f->window = f->threshold;
		f->recovered = now + f->rtt;
	}
	f->ready = fmax(f->ready, now);
}

static void send(struct run *r, int number)
{
	struct flow *f = &r->flows[number];

	r->next[r->last[number]] = r->done;
	r->last[number] = r->done;
	if (!f->flying++)
		f->first = r->done;
	arrives(r, f->ready, f->size);
	f->ready += f->gap;
}

/* The next thing that happens: a packet leaves, an acknowledgement comes, or a packet is sent. */
static void run_closed(struct run *r)
{
	while (r->done < r->steps) {
		double soonest = queue_next(&r->queue);
		int number = -1;
		bool sends = false;

		for (int at = 0; at < r->flow_count; at++) {
			const struct flow *f = &r->flows[at];
			double then = heard(r, f);

			if (then < soonest) {
				soonest = then;
				number = at;
				sends = false;
			}
			if (f->flying < (int)f->window && f->ready < soonest) {
				soonest = f->ready;
				number = at;
				sends = true;
			}
		}
		if (number < 0)
			queue_advance(&r->queue, soonest);
		else if (sends)
			send(r, number);
		else
			acknowledge(r, &r->flows[number], soonest);
	}
}

static void draw_flows(struct run *r, const struct link_ranges *ranges)
{
	const double faster[2] = { 2, 20 };

	r->flow_count = ranges->flows[0] +
			share(&r->dice) * (ranges->flows[1] - ranges->flows[0] + 1);
	r->flow_count = r->flow_count > MAX_FLOWS ? MAX_FLOWS : r->flow_count;
	for (int at = 0; at < r->flow_count; at++) {
		struct flow *f = &r->flows[at];

		f->window = START_WINDOW;
		f->threshold = INFINITY;
		f->rtt = between(&r->dice, ranges->rtt);
		/* most packets of bulk transfers are full */
		f->size = share(&r->dice) < 0.8 ? (int)ranges->size[1] : drawn_size(r);
		f->gap = f->size / (r->queue.capacity * between(&r->dice, faster));
		f->ready = share(&r->dice) * 2 * f->rtt;
		f->recovered = -INFINITY;
		r->last[at] = r->steps;
	}
}

int link_trace(const struct link_ranges *ranges, const struct link_judge *judge, uint64_t seed,
	       uint64_t number, int steps, struct link_packet *packets, int64_t *capacity,
	       int64_t *limit)
{
	struct run r = { .packets = packets, .steps = steps, .traffic = ranges->traffic };
	double rate;
	int64_t before = 0;

	memset(packets, 0, steps * sizeof(*packets));
	dice_seed(&r.dice, seed, number);
	rate = between(&r.dice, ranges->rate);
	*capacity = rint(between(&r.dice, ranges->capacity));
	*limit = rint(between(&r.dice, ranges->limit));
	memcpy(r.size, ranges->size, sizeof(r.size));
	/* one more: where the first packet of a flow hangs */
	r.next = calloc(steps + 1, sizeof(*r.next));
	if (!r.next || queue_open(&r.queue, ranges->queue, *capacity, *limit, ranges->size[1],
				  packets, steps)) {
		free(r.next);
		return -1;
	}
	r.queue.judge = judge;
	if (r.traffic == TRAFFIC_ANY)
		r.traffic = share(&r.dice) < STEADY_SHARE ? TRAFFIC_STEADY : TRAFFIC_MIXED;
	if (r.traffic == TRAFFIC_MIXED)
		r.traffic = share(&r.dice) * TRAFFIC_MIXED;
	if (r.traffic == TRAFFIC_TCP) {
		draw_flows(&r, ranges);
		run_closed(&r);
	} else if (r.traffic == TRAFFIC_STEADY) {
		run_steady(&r);
	} else {
		run_open(&r, rate);
	}
	queue_advance(&r.queue, INFINITY);
	for (int at = 0; at < steps; at++) {
		int64_t could = floor(packets[at].at * *capacity);

		packets[at].work = at ? could - before : 0;
		before = could;
	}
	queue_finish(&r.queue);
	free(r.next);
	return 0;
}

int link_batch(const struct link_ranges *ranges, const struct link_judge *judge, uint64_t seed,
	       uint64_t first, int count, int steps, float *work, float *size, float *backlog,
	       uint8_t *dropped, float *capacity, float *limit, double *at)
{
	struct link_packet *packets = malloc(steps * sizeof(*packets));

	if (!packets)
		return -1;
	for (int trace = 0; trace < count; trace++) {
		int64_t bytes_per_ms, bytes;

		if (link_trace(ranges, judge, seed, first + trace, steps, packets,
			       &bytes_per_ms, &bytes)) {
			free(packets);
			return -1;
		}
		capacity[trace] = bytes_per_ms;
		limit[trace] = bytes;
		for (int step = 0; step < steps; step++) {
			size_t to = (size_t)trace * steps + step;

			work[to] = packets[step].work;
			size[to] = packets[step].size;
			backlog[to] = packets[step].backlog;
			dropped[to] = packets[step].dropped;
			if (at)
				at[to] = packets[step].at;
		}
	}
	free(packets);
	return 0;
}

void link_byte_queue(int steps, const double *work, const double *size, double limit,
		     double *backlog, uint8_t *dropped)
{
	int64_t now = 0;

	for (int step = 0; step < steps; step++) {
		dropped[step] = byte_queue(&now, work[step], size[step], limit);
		backlog[step] = now;
	}
}
