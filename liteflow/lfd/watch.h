/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is a new model worse than the one before? Rewards are compared by the version of the
 * model that earned them. No files, no kernel, no clock.
 *
 * Rewards of a flow depend on each other, so they are no independent values. Two ways:
 *
 * Side by side. Under the policy "pin" old and new serve in the same minutes, each its
 * own flows. Values are flows: the mean of a flow's rewards, from each of which the
 * middle between both versions in the same block of time was taken away, so that what
 * happens to all of them at once does not count. Blocks that one version has to itself
 * are left out.
 *
 * Before and after. Under "follow", or with too few flows, values are the means of blocks
 * of time: those of the old version before the switch, of the new one behind it. Blocks
 * count for less where they are correlated, see sample_of_series().
 *
 * Either way Welch's t test says how probable that is for a model that is not worse: the
 * sides differ in number and in variance, and means of many rewards are near to normal.
 * A rank test would compare medians, and wants both sides of one shape. The test is
 * asked at several times of a trial; each gets an equal part of the level (Bonferroni).
 */
#ifndef _LFD_WATCH_H
#define _LFD_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define WATCH_BLOCKS	512
#define WATCH_FLOWS	4096	/* of each version; others do not count */

/**
 * struct watch_params - how a trial is judged
 * @block_ns: length of a block of time
 * @trial_ns: length of a trial
 * @settle_ns: rewards of the time behind a switch that do not count
 * @looks: how often it is judged, at equal distances
 * @level: probability that a model which is not worse is found worse in a trial
 * @min_flows: flows that each version needs for a comparison side by side
 * @min_blocks: blocks that each side needs for before and after
 * @side_by_side: versions serve at one time: the policy is "pin"
 */
struct watch_params {
	uint64_t block_ns;
	uint64_t trial_ns;
	uint64_t settle_ns;
	unsigned int looks;
	double level;
	unsigned int min_flows;
	unsigned int min_blocks;
	bool side_by_side;
};

struct watch_flow;

/**
 * struct watch - rewards of the version in use, and of one on trial
 * @base: version that others are compared with
 * @trial: version on trial; 0: there is no trial
 * @begin_ns: begin of the trial
 * @looked: how often it was judged
 * @block: number of the block of time that is open
 * @sum: of the rewards in it, by side: base, trial
 * @n: their number
 * @before: means of the base's blocks, oldest first
 * @n_before: their number
 * @after: likewise of the trial's
 * @n_after: their number
 * @rewards: all rewards of a version that counted, by side
 * @flows: flows of a trial
 * @spare: memory for those of the next one, or NULL
 * @n_flows: their number, by side
 */
struct watch {
	uint32_t base;
	uint32_t trial;
	uint64_t begin_ns;
	unsigned int looked;
	uint64_t block;
	double sum[2];
	uint64_t n[2];
	double before[WATCH_BLOCKS];
	unsigned int n_before;
	double after[WATCH_BLOCKS];
	unsigned int n_after;
	uint64_t rewards[2];
	struct watch_flow *flows;
	struct watch_flow *spare;
	unsigned int n_flows[2];
};

enum watch_verdict {
	WATCH_WAIT,		/* no judgement is due */
	WATCH_GOES_ON,		/* judged: not worse so far, or too little to tell */
	WATCH_WORSE,
	WATCH_NOT_WORSE,	/* the trial is over */
	WATCH_UNKNOWN,		/* it is over, and there was too little to tell */
};

/**
 * struct watch_report - a judgement with its numbers
 * @side_by_side: which way
 * @n: values of each side, independent ones
 * @mean: their means; side by side, of the differences from the middle
 * @p: of the test, to be compared with @level
 * @t: of the test
 * @level: of this judgement
 */
struct watch_report {
	bool side_by_side;
	double n[2];
	double mean[2];
	double p;
	double t;
	double level;
};

/* Begin anew with a version in use and nothing known. */
void watch_reset(struct watch *w, uint32_t base);
void watch_free(struct watch *w);

/* A reward of the kernel; others than those of the two versions do not count. */
void watch_reward(struct watch *w, const struct watch_params *p, uint64_t time_ns, uint64_t flow,
		  uint32_t version, int32_t reward);

/* Take the memory that a trial needs, so that watch_begin() cannot fail; -1: there is none. */
int watch_reserve(struct watch *w);

/*
 * From now on @version serves, on trial; what is known of the base stays. -1, and no trial:
 * there is no memory.
 */
int watch_begin(struct watch *w, uint32_t version, uint64_t now_ns);

/* The trial is over: @version is the base, the trial's blocks are what was before if kept. */
void watch_end(struct watch *w, bool kept);

enum watch_verdict watch_judge(struct watch *w, const struct watch_params *p, uint64_t now_ns,
			       struct watch_report *report);

/* When watch_judge() has something to say next. */
uint64_t watch_next(const struct watch *w, const struct watch_params *p);

#endif /* _LFD_WATCH_H */
