/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Learned load balancer: how much harm does a network do, and what follows?
 *
 * Arithmetic only, for KUnit: jc_guard.c says what is sampled, and from where.
 */
#ifndef _KERNEL_SCHED_JC_HARM_H
#define _KERNEL_SCHED_JC_HARM_H

#include <linux/bits.h>
#include <linux/types.h>

/* What counts as harm; each only where the rule would have decided otherwise. */
enum jc_harm {
	JC_HARM_IDLE,	/* CPUs are idle while tasks wait */
	JC_HARM_WAIT,	/* tasks wait on queues longer than the others */
	JC_HARM_BACK,	/* tasks are moved straight back */
	JC_NR_HARMS
};

/* What came of a sample. */
enum jc_guard_event {
	JC_GUARD_NOTHING,
	JC_GUARD_TRIPS,		/* from now on the rule decides */
	JC_GUARD_CHANCE,	/* from now on the network decides again */
	JC_GUARD_TRUSTED,	/* no harm for long: the past is forgotten */
	JC_GUARD_RESET,		/* by hand, or because of another network */
};

/*
 * Harm is a share of what the CPUs do, in 1/1000: of their time (idle, back) or
 * of the tasks (wait). A small share is tolerated for ever. What is above it adds
 * up, what is below wears off, and at the limit the guard trips: so small harm
 * never trips, and great harm costs little more than the limit.
 */
#define JC_GUARD_SCALE		1000

/* ms of all that the CPUs do; half of it for a network that tripped before */
#define JC_GUARD_LIMIT_MS	15

/* How long the rule decides after the first trip; doubled with each further one. */
#define JC_GUARD_BACKOFF_MS	2000
#define JC_GUARD_BACKOFF_MAX	128000

/* The longest time that one sample may stand for: of harm, of trust. */
#define JC_GUARD_MAX_MS		32
#define JC_GUARD_MAX_TRUST_MS	128

/* A move back is charged with this at most, whatever migration_cost_ns says. */
#define JC_GUARD_MAX_COST_NS	10000000U

/**
 * struct jc_guard_set - tasks that a CPU's queue had to keep of late
 * @bits: tasks of this epoch and of the one before, a bit for each, by pid
 * @epoch: number of the epoch that @bits[0] belongs to
 *
 * An epoch is a number that its owner makes of the time. The owner serialises
 * writers; readers may see a torn update, which is as good as an old one.
 */
struct jc_guard_set {
	unsigned long bits[2];
	unsigned long epoch;
};

/**
 * struct jc_guard_view - what is seen of one CPU
 * @busy: it has a task
 * @refused: it was refused, of late and while idle, a task that may run there
 * @nr: runnable fair tasks, the running one included
 * @kept: of these, the waiting ones that the network refused to an idle CPU
 * @kept_busy: of these, the waiting ones that the network refused to a busy CPU
 */
struct jc_guard_view {
	bool busy;
	bool refused;
	unsigned int nr;
	unsigned int kept;
	unsigned int kept_busy;
};

/**
 * struct jc_guard_sample - what was seen at one moment, or since the last one
 * @cpus: CPUs that were looked at
 * @busy: of these, with a task
 * @starved: idle ones that were refused a task themselves
 * @waiting: tasks that wait, and that the network refused to an idle CPU
 * @runnable: tasks that wait or run
 * @excess: of these, on queues longer than the average, those that the network
 *	refused to a busy CPU
 * @backs: tasks that the network moved straight back, where the rule keeps them
 * @decisions: answers since the last sample, whoever gave them
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
	unsigned int decisions;
	unsigned int cost_ns;
	unsigned int ms;
};

/**
 * struct jc_guard - what is remembered of a network
 * @tripped: the rule decides
 * @again: it has tripped before, and is not trusted yet
 * @harm: what tripped last
 * @level: harm above what is tolerated, in 1/1000 of ms
 * @total: harm since the reset, in the same unit
 * @watched_ms: for how long it was watched since the reset, while there were decisions
 * @left_ms: until the next chance, or else until it is trusted again
 * @backoff_ms: for how long the rule decides after the next trip
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

/**
 * jc_guard_set_has() - is this task in the set already, in this epoch?
 * @set: the set
 * @pid: of the task
 * @epoch: the number of the present epoch
 *
 * Context: writers of @set are excluded.
 * Return: true if so, or if another task shares its bit.
 */
static inline bool jc_guard_set_has(const struct jc_guard_set *set, unsigned int pid,
				    unsigned long epoch)
{
	return set->epoch == epoch && set->bits[0] & BIT(pid % BITS_PER_LONG);
}

void jc_guard_set_add(struct jc_guard_set *set, unsigned int pid, unsigned long epoch);
unsigned long jc_guard_set_recent(const struct jc_guard_set *set, unsigned long epoch);

void jc_guard_see(struct jc_guard_sample *s, const struct jc_guard_view *v);
void jc_guard_see_excess(struct jc_guard_sample *s, const struct jc_guard_view *v);

void jc_guard_init(struct jc_guard *g);
unsigned int jc_guard_limit(const struct jc_guard *g, enum jc_harm harm);
enum jc_guard_event jc_guard_step(struct jc_guard *g, const struct jc_guard_sample *s,
				  unsigned int elapsed_ms);

#endif /* _KERNEL_SCHED_JC_HARM_H */
