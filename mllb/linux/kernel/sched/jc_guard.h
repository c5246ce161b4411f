/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Learned load balancer: when has the network done so much harm that the stock
 * rule judges in its place, and when does it get another chance?
 *
 * Arithmetic only: what is sampled, and from where, is in jc_guard.c.
 */
#ifndef _KERNEL_SCHED_JC_GUARD_H
#define _KERNEL_SCHED_JC_GUARD_H

#include <linux/minmax.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/types.h>

/* What counts as harm; each one only where the rule had answered otherwise. */
enum jc_harm {
	JC_HARM_IDLE,	/* CPUs kept idle while tasks wait */
	JC_HARM_WAIT,	/* tasks kept waiting on queues longer than the others */
	JC_HARM_BACK,	/* tasks moved straight back */
	JC_NR_HARMS
};

/* What came of a sample. */
enum jc_guard_event {
	JC_GUARD_NOTHING,
	JC_GUARD_TRIPS,		/* from now on the rule judges */
	JC_GUARD_CHANCE,	/* from now on the network judges again */
	JC_GUARD_TRUSTED,	/* it did no harm for long: forget what was */
	JC_GUARD_RESET,		/* somebody said so */
};

/*
 * Harm is a share of what the machine does, in 1/1000: of the CPU time (idle,
 * back), of the tasks (wait). So much of it is tolerated for ever; what is above
 * adds up, what is below wears off, and at the limit the guard trips. So small
 * harm never trips, and great harm costs hardly more than the limit.
 */
#define JC_GUARD_SCALE		1000

/* ms of all that the machine does; half of it for a network that tripped before */
#define JC_GUARD_LIMIT_MS	15

/* How long the rule judges after the first trip; twice as long after each more. */
#define JC_GUARD_BACKOFF_MS	2000
#define JC_GUARD_BACKOFF_MAX	128000

/* The longest time that one sample may stand for. */
#define JC_GUARD_MAX_MS		32

/* A back-and-forth is charged with this at most, whatever migration_cost says. */
#define JC_GUARD_MAX_COST_NS	10000000U

/**
 * struct jc_guard_sample - what was seen at one moment, or since the last one
 * @cpus: CPUs that were looked at
 * @busy: of these, with a task
 * @starved: idle ones that were refused a task, which the rule had let go
 * @waiting: tasks that wait for a CPU
 * @runnable: these and the running ones
 * @excess: of these, on queues from which the network refused to move what the
 *	rule had let go: how many are above the average
 * @backs: tasks that were moved straight back, and that the rule had kept
 * @cost_ns: what a move costs, by the kernel's own reckoning
 * @ms: since the last sample
 */
struct jc_guard_sample {
	unsigned int cpus;
	unsigned int busy;
	unsigned int starved;
	unsigned int waiting;
	unsigned int runnable;
	unsigned int excess;
	unsigned int backs;
	unsigned int cost_ns;
	unsigned int ms;
};

/**
 * struct jc_guard - what the guard remembers of a network
 * @tripped: the rule judges
 * @again: it has tripped before, and is not trusted yet
 * @harm: what tripped last
 * @level: harm above what is tolerated, in 1/1000 of ms
 * @total: harm since the reset, in the same unit
 * @watched_ms: for how long the network judged since the reset, with tasks waiting
 * @left_ms: until the next chance, or else until it is trusted again
 * @backoff_ms: for how long the rule judges after the next trip
 * @trips: since the reset
 */
struct jc_guard {
	bool tripped;
	bool again;
	enum jc_harm harm;
	unsigned int level[JC_NR_HARMS];
	u64 total[JC_NR_HARMS];
	u64 watched_ms;
	unsigned int left_ms;
	unsigned int backoff_ms;
	unsigned int trips;
};

/* A network of which nothing is known. */
static inline void jc_guard_init(struct jc_guard *g)
{
	memset(g, 0, sizeof(*g));
	g->backoff_ms = JC_GUARD_BACKOFF_MS;
}

/* What is tolerated for ever, in 1/1000. */
static inline unsigned int jc_guard_tolerated(enum jc_harm harm)
{
	/* waiting longer than others is unfair, but no CPU time is lost by it */
	return harm == JC_HARM_WAIT ? 250 : 30;
}

static inline unsigned int jc_guard_limit(const struct jc_guard *g, enum jc_harm harm)
{
	unsigned int limit = JC_GUARD_LIMIT_MS * JC_GUARD_SCALE;

	if (harm == JC_HARM_WAIT)
		limit *= 4;
	return g->again ? limit / 2 : limit;
}

/**
 * jc_guard_shares() - how much harm is in a sample?
 * @s: the sample
 * @share: result, in 1/1000, at most 1000 each
 */
static inline void jc_guard_shares(const struct jc_guard_sample *s,
				   unsigned int share[JC_NR_HARMS])
{
	/* an idle CPU is no loss if nobody waits for it */
	u64 lost = min(s->starved, s->waiting);
	u64 cost = min(s->cost_ns, JC_GUARD_MAX_COST_NS);
	u64 time = (u64)max(s->busy, 1U) * max(s->ms, 1U) * 1000000;

	share[JC_HARM_IDLE] = lost ? div64_u64(lost * JC_GUARD_SCALE, s->busy + lost) : 0;
	share[JC_HARM_WAIT] = div64_u64((u64)min(s->excess, s->runnable) * JC_GUARD_SCALE,
					max(s->runnable, 1U));
	/* there and back: two moves for nothing */
	share[JC_HARM_BACK] = min_t(u64, JC_GUARD_SCALE,
				    div64_u64(2 * cost * s->backs * JC_GUARD_SCALE, time));
}

/* Harm adds up above what is tolerated, and wears off below. */
static inline unsigned int jc_guard_level(unsigned int level, unsigned int share,
					  unsigned int tolerated, unsigned int ms)
{
	s64 next = level + ((s64)share - tolerated) * ms;

	return clamp_t(s64, next, 0, U32_MAX);
}

/* The network has judged meanwhile. */
static inline enum jc_guard_event jc_guard_watched(struct jc_guard *g,
						   const struct jc_guard_sample *s)
{
	unsigned int share[JC_NR_HARMS];
	unsigned int i;

	jc_guard_shares(s, share);
	for (i = 0; i < JC_NR_HARMS; i++) {
		g->total[i] += share[i] * s->ms;
		g->level[i] = jc_guard_level(g->level[i], share[i], jc_guard_tolerated(i), s->ms);
	}
	/* where nobody waits there is nothing to do well or badly */
	if (s->waiting)
		g->watched_ms += s->ms;

	for (i = 0; i < JC_NR_HARMS; i++) {
		if (g->level[i] < jc_guard_limit(g, i))
			continue;
		g->tripped = true;
		g->again = true;
		g->harm = i;
		g->trips++;
		g->left_ms = g->backoff_ms;
		g->backoff_ms = min(2 * g->backoff_ms, JC_GUARD_BACKOFF_MAX);
		return JC_GUARD_TRIPS;
	}

	if (!g->again || !s->waiting)
		return JC_GUARD_NOTHING;
	if (g->left_ms > s->ms) {
		g->left_ms -= s->ms;
		return JC_GUARD_NOTHING;
	}
	g->again = false;
	g->left_ms = 0;
	g->backoff_ms = JC_GUARD_BACKOFF_MS;
	return JC_GUARD_TRUSTED;
}

/**
 * jc_guard_step() - what follows from a sample?
 * @g: the guard, updated
 * @s: the sample; while tripped only its time counts
 * @elapsed_ms: real time since the last one: @s->ms, or more if that was bounded
 *
 * After a trip the rule judges for a while. Then the network gets another chance,
 * on half the limit, and is trusted again if it does well for as long as the rule
 * judged, or else is suspended for twice as long.
 *
 * Return: what is new.
 */
static inline enum jc_guard_event jc_guard_step(struct jc_guard *g,
						const struct jc_guard_sample *s,
						unsigned int elapsed_ms)
{
	if (!g->tripped)
		return jc_guard_watched(g, s);

	if (g->left_ms > elapsed_ms) {
		g->left_ms -= elapsed_ms;
		return JC_GUARD_NOTHING;
	}
	g->tripped = false;
	memset(g->level, 0, sizeof(g->level));
	/* as long as the rule has judged */
	g->left_ms = g->backoff_ms / 2;
	return JC_GUARD_CHANCE;
}

#endif /* _KERNEL_SCHED_JC_GUARD_H */
