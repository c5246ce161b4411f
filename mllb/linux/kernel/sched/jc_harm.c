// SPDX-License-Identifier: GPL-2.0
/*
 * Learned load balancer: how much harm does a network do, and what follows?
 *
 * Nothing here needs SMP, a lock or a clock: KUnit runs it under UML as it is.
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "jc_harm.h"

/**
 * jc_guard_set_add() - add a task
 * @set: the set
 * @pid: of the task
 * @epoch: the number of the present epoch
 *
 * Context: other writers of @set are excluded, readers are not.
 */
void jc_guard_set_add(struct jc_guard_set *set, unsigned int pid, unsigned long epoch)
{
	unsigned long bits = set->bits[0];

	/* jc_guard_set_count() */
	if (set->epoch != epoch) {
		WRITE_ONCE(set->bits[1], set->epoch + 1 == epoch ? bits : 0);
		WRITE_ONCE(set->epoch, epoch);
		bits = 0;
	}
	WRITE_ONCE(set->bits[0], bits | BIT(pid % BITS_PER_LONG));
}

/**
 * jc_guard_set_recent() - which tasks were added in this epoch or the last one?
 * @set: the set
 * @epoch: the number of the present epoch
 *
 * Context: any; writers are not excluded.
 * Return: a bit for each task, by pid modulo BITS_PER_LONG.
 */
unsigned long jc_guard_set_recent(const struct jc_guard_set *set, unsigned long epoch)
{
	/* jc_guard_set_add() */
	unsigned long newest = READ_ONCE(set->epoch);

	if (newest == epoch)
		return READ_ONCE(set->bits[0]) | READ_ONCE(set->bits[1]);
	return newest + 1 == epoch ? READ_ONCE(set->bits[0]) : 0;
}

/**
 * jc_guard_see() - add one CPU to a sample
 * @s: the sample, updated
 * @v: what is seen of the CPU
 *
 * Only what the network has refused counts as waiting or starved. Tasks that may
 * run nowhere else never come to it, and a CPU that nobody balances to is never
 * refused any.
 *
 * Context: any.
 */
void jc_guard_see(struct jc_guard_sample *s, const struct jc_guard_view *v)
{
	s->cpus++;
	if (v->busy)
		s->busy++;
	else if (v->refused)
		s->starved++;
	/* the running one does not wait */
	if (v->nr > 1)
		s->waiting += min(v->nr - 1, v->kept);
	s->runnable += v->nr;
}

/**
 * jc_guard_see_excess() - add what one queue has too many of
 * @s: the sample, in which all CPUs have been seen, updated
 * @v: what is seen of the CPU
 *
 * Context: any.
 */
void jc_guard_see_excess(struct jc_guard_sample *s, const struct jc_guard_view *v)
{
	unsigned int average = DIV_ROUND_UP(s->runnable, max(s->cpus, 1U));

	if (v->nr > average)
		s->excess += min(v->nr - average, v->kept_busy);
}

/**
 * jc_guard_init() - begin with a network of which nothing is known
 * @g: result
 *
 * Context: any.
 */
void jc_guard_init(struct jc_guard *g)
{
	memset(g, 0, sizeof(*g));
	g->backoff_ms = JC_GUARD_BACKOFF_MS;
}

/* What is tolerated for ever, in 1/1000. */
static unsigned int jc_guard_tolerated(enum jc_harm harm)
{
	/* waiting longer than others is unfair, but no CPU time is lost by it */
	return harm == JC_HARM_WAIT ? 250 : 30;
}

/**
 * jc_guard_limit() - at which level does the guard trip?
 * @g: the guard
 * @harm: the kind of harm
 *
 * Context: any.
 * Return: the level, in 1/1000 of ms.
 */
unsigned int jc_guard_limit(const struct jc_guard *g, enum jc_harm harm)
{
	unsigned int limit = JC_GUARD_LIMIT_MS * JC_GUARD_SCALE;

	if (harm == JC_HARM_WAIT)
		limit *= 4;
	return g->again ? limit / 2 : limit;
}

/* How much harm is in a sample, in 1/1000, at most 1000 of each kind? */
static void jc_guard_shares(const struct jc_guard_sample *s, unsigned int share[JC_NR_HARMS])
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
static unsigned int jc_guard_level(unsigned int level, u64 harm, u64 tolerated)
{
	s64 next = level + harm - tolerated;

	return clamp_t(s64, next, 0, U32_MAX);
}

/* The network has decided meanwhile. */
static enum jc_guard_event jc_guard_watched(struct jc_guard *g, const struct jc_guard_sample *s,
					    unsigned int elapsed_ms)
{
	unsigned int trusted_ms = min(elapsed_ms, JC_GUARD_MAX_TRUST_MS);
	unsigned int share[JC_NR_HARMS];
	unsigned int i;

	jc_guard_shares(s, share);
	for (i = 0; i < JC_NR_HARMS; i++) {
		u64 harm = (u64)share[i] * s->ms;

		g->total[i] += harm;
		g->level[i] = jc_guard_level(g->level[i], harm,
					     (u64)jc_guard_tolerated(i) * elapsed_ms);
	}
	/* where nothing is to be decided, nothing can be done well or badly */
	if (s->decisions)
		g->watched_ms += trusted_ms;

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

	if (!g->again || !s->decisions)
		return JC_GUARD_NOTHING;
	if (g->left_ms > trusted_ms) {
		g->left_ms -= trusted_ms;
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
 * @s: the sample; not looked at while tripped
 * @elapsed_ms: real time since the last one: @s->ms, or more where nobody looked
 *
 * After a trip the rule decides for a while. Then the network gets another chance,
 * on half the limit. It is trusted again if it does well for as long as the rule
 * has decided, or else suspended for twice as long.
 *
 * Context: callers serialise the steps of a guard.
 * Return: what is new.
 */
enum jc_guard_event jc_guard_step(struct jc_guard *g, const struct jc_guard_sample *s,
				  unsigned int elapsed_ms)
{
	if (!g->tripped)
		return jc_guard_watched(g, s, elapsed_ms);

	if (g->left_ms > elapsed_ms) {
		g->left_ms -= elapsed_ms;
		return JC_GUARD_NOTHING;
	}
	g->tripped = false;
	memset(g->level, 0, sizeof(g->level));
	/* as long as the rule has decided */
	g->left_ms = g->backoff_ms / 2;
	return JC_GUARD_CHANCE;
}

#include "tests/jc_harm_kunit.h"
