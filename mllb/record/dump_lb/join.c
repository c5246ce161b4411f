// SPDX-License-Identifier: GPL-2.0
/*
 * Joining decisions with what followed
 *
 * A decision waits in a queue until the stream has gone past its horizon. Memory
 * is bounded: beyond MAX_PENDING the oldest goes out with its outcome unknown.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "join.h"
#include "util.h"

#define MAX_PENDING	(1U << 20)
#define HASH		(1U << 14)
#define NONE		UINT64_MAX
/* A CPU that sleeps has no further waits to tell of: do not stay for it. */
#define PATIENCE_NS	1000000000ULL

struct pending {
	struct dl_decision d;
	struct outcome o;
	__u64 before;		/* the one before it with this hash of its pid */
};

struct sample {
	__u64 ts;
	__u64 sum;
};

struct samples {
	struct sample *at;
	size_t first, nr, size;
};

struct join {
	const int *cpu_nodes;
	int nr_cpus;
	__u64 horizon_ns, bucket_ns;
	row_fn row;
	void *ctx;
	struct pending *queue;	/* a ring; entry i is at i % size */
	__u64 first, next;
	size_t size;
	__u64 latest[HASH];
	struct samples *cpu;
	__u64 now;
	__u64 hurried;
};

struct join *join_new(const int *cpu_nodes, int nr_cpus, __u64 horizon_ns, __u64 bucket_ns,
		      row_fn row, void *ctx)
{
	struct join *j = need(calloc(1, sizeof(*j)));
	size_t i;

	j->cpu_nodes = cpu_nodes;
	j->nr_cpus = nr_cpus;
	j->horizon_ns = horizon_ns;
	j->bucket_ns = bucket_ns;
	j->row = row;
	j->ctx = ctx;
	j->size = 1024;
	j->queue = need(calloc(j->size, sizeof(*j->queue)));
	j->cpu = need(calloc(nr_cpus, sizeof(*j->cpu)));
	for (i = 0; i < HASH; i++)
		j->latest[i] = NONE;
	return j;
}

static struct pending *at(const struct join *j, __u64 i)
{
	return &j->queue[i & (j->size - 1)];
}

/* The last one of this pid at or before i, or NULL. */
static struct pending *find(const struct join *j, __s32 pid, __u64 i)
{
	struct pending *p;

	for (; i != NONE && i >= j->first; i = p->before) {
		p = at(j, i);
		if (p->d.pid == pid)
			return p;
	}
	return NULL;
}

static struct pending *latest_of(const struct join *j, __s32 pid)
{
	return find(j, pid, j->latest[(__u32)pid % HASH]);
}

#define for_each_of(j, p, pid) \
	for (p = latest_of(j, pid); p; p = find(j, pid, p->before))

static bool within(const struct join *j, const struct pending *p, __u64 ts)
{
	return ts <= p->d.head.ts + j->horizon_ns;
}

/* Waits are known at the ends of buckets. */
static __u64 horizon_end(const struct join *j, const struct pending *p)
{
	return ((p->d.head.ts + j->horizon_ns) / j->bucket_ns + 1) * j->bucket_ns;
}

static const struct sample *sample_from(const struct join *j, __s32 cpu, __u64 ts)
{
	const struct samples *s;
	size_t low, high, middle;

	if (cpu < 0 || cpu >= j->nr_cpus)
		return NULL;
	s = &j->cpu[cpu];
	for (low = s->first, high = s->nr; low < high;) {
		middle = low + (high - low) / 2;
		if (s->at[middle].ts < ts)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->nr ? &s->at[low] : NULL;
}

static void add_sample(struct join *j, const struct dl_waited *w)
{
	struct samples *s;

	if (w->head.cpu >= (__u32)j->nr_cpus)
		return;
	s = &j->cpu[w->head.cpu];
	/* what is older than the oldest decision is of no use */
	while (s->first < s->nr && j->first < j->next &&
	       s->at[s->first].ts < at(j, j->first)->d.head.ts)
		s->first++;
	if (j->first == j->next)
		s->first = s->nr;
	if (s->nr == s->size) {
		memmove(s->at, s->at + s->first, (s->nr - s->first) * sizeof(*s->at));
		s->nr -= s->first;
		s->first = 0;
		if (s->nr >= s->size / 2) {
			s->size = s->size ? 2 * s->size : 256;
			s->at = need(realloc(s->at, s->size * sizeof(*s->at)));
		}
	}
	s->at[s->nr++] = (struct sample) { w->head.ts, w->sum };
}

static int retire(struct join *j)
{
	struct pending *p = at(j, j->first);

	j->first++;
	return j->row(j->ctx, &p->d, &p->o);
}

/* Those whose horizon is over go out. */
static int retire_old(struct join *j, bool at_end)
{
	const struct sample *src, *dst;
	struct pending *p;
	__u64 end;

	while (j->first < j->next) {
		p = at(j, j->first);
		if (p->d.flags & DL_WATCHED) {
			end = horizon_end(j, p);
			if (j->now < end && !at_end)
				return 0;
			src = sample_from(j, p->d.src_cpu, end);
			dst = sample_from(j, p->d.dst_cpu, end);
			if ((!src || !dst) && j->now < end + PATIENCE_NS && !at_end)
				return 0;
			p->o.known = j->now >= p->d.head.ts + j->horizon_ns;
			if (src)
				p->o.src_wait_ns = src->sum - p->d.src_waited;
			if (dst)
				p->o.dst_wait_ns = dst->sum - p->d.dst_waited;
		}
		if (retire(j))
			return -1;
	}
	return 0;
}

static void grow(struct join *j)
{
	struct pending *more = need(calloc(2 * j->size, sizeof(*more)));
	__u64 i;

	for (i = j->first; i < j->next; i++)
		more[i & (2 * j->size - 1)] = *at(j, i);
	free(j->queue);
	j->queue = more;
	j->size *= 2;
}

static int add_decision(struct join *j, const struct dl_decision *d)
{
	__u32 hash = (__u32)d->pid % HASH;
	struct pending *p;

	if (j->next - j->first == j->size) {
		if (j->size < MAX_PENDING) {
			grow(j);
		} else {
			j->hurried++;
			if (retire(j))
				return -1;
		}
	}
	p = at(j, j->next);
	p->d = *d;
	p->o = (struct outcome) { .back = -1, .wait_ns = -1, .src_wait_ns = -1,
				  .dst_wait_ns = -1 };
	p->before = j->latest[hash];
	j->latest[hash] = j->next++;
	return 0;
}

static int node_of(const struct join *j, __s32 cpu)
{
	return cpu >= 0 && cpu < j->nr_cpus ? j->cpu_nodes[cpu] : -1;
}

static bool is_back(const struct join *j, const struct dl_decision *d, __s32 cpu)
{
	if (node_of(j, d->src_cpu) == node_of(j, d->dst_cpu))
		return cpu == d->src_cpu;
	return node_of(j, cpu) == node_of(j, d->src_cpu);
}

static void add_move(struct join *j, const struct dl_task *e)
{
	struct pending *p, *own = NULL;

	if (e->flag) {
		own = latest_of(j, e->pid);
		if (own && own->d.head.cpu == e->head.cpu && own->d.src_cpu == e->src_cpu &&
		    own->d.dst_cpu == e->dst_cpu && !own->o.moved) {
			own->o.moved = 1;
			own->o.back = 0;
		} else {
			own = NULL;
		}
	}
	for_each_of(j, p, e->pid)
		if (p != own && p->o.moved && within(j, p, e->head.ts) &&
		    is_back(j, &p->d, e->dst_cpu))
			p->o.back = 1;
}

static void add_run(struct join *j, const struct dl_task *e)
{
	struct pending *p;

	for_each_of(j, p, e->pid) {
		if (p->o.wait_ns >= 0)
			break;	/* and so have those before it */
		if (within(j, p, e->head.ts))
			p->o.wait_ns = e->value > p->d.waited ? e->value - p->d.waited : 0;
	}
}

static void add_fault(struct join *j, const struct dl_task *e)
{
	struct pending *p;

	for_each_of(j, p, e->pid) {
		if (!within(j, p, e->head.ts))
			break;
		if (e->flag)
			p->o.home_faults += e->value;
		else
			p->o.away_faults += e->value;
	}
}

int join_add(struct join *j, const struct dl_head *event)
{
	if (event->ts > j->now)
		j->now = event->ts;
	switch (event->kind) {
	case DL_DECISION:
	case DL_OBSERVED:
	case DL_SYNTHETIC:
		if (add_decision(j, (const struct dl_decision *)event))
			return -1;
		break;
	case DL_RUN:
		add_run(j, (const struct dl_task *)event);
		break;
	case DL_MOVE:
		add_move(j, (const struct dl_task *)event);
		break;
	case DL_FAULT:
		add_fault(j, (const struct dl_task *)event);
		break;
	case DL_WAITED:
		add_sample(j, (const struct dl_waited *)event);
		break;
	default:
		break;
	}
	return retire_old(j, false);
}

int join_finish(struct join *j, __u64 end_ts)
{
	if (end_ts > j->now)
		j->now = end_ts;
	return retire_old(j, true);
}

__u64 join_hurried(const struct join *j)
{
	return j->hurried;
}

void join_free(struct join *j)
{
	int cpu;

	if (!j)
		return;
	for (cpu = 0; cpu < j->nr_cpus; cpu++)
		free(j->cpu[cpu].at);
	free(j->cpu);
	free(j->queue);
	free(j);
}
