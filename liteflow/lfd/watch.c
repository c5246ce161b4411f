// SPDX-License-Identifier: GPL-2.0
/*
 * Rewards by version.
 */
#include <stdlib.h>
#include <string.h>
#include "decide.h"
#include "watch.h"

enum { BASE, TRIAL };

/* flows of each version that a block needs, to count side by side */
#define LEAST_FLOWS	4

/* twice as many places as flows can be there */
#define PLACES	(4 * WATCH_FLOWS)

/**
 * struct watch_flow - a flow of a version
 * @flow: its number, 0: a free place
 * @side: which version
 * @sum: of its rewards in the open block
 * @n: their number
 * @all: of the rewards in closed blocks, from which the block's middle was taken
 * @n_all: their number
 */
struct watch_flow {
	uint64_t flow;
	unsigned int side;
	double sum;
	uint64_t n;
	double all;
	uint64_t n_all;
};

void watch_free(struct watch *w)
{
	free(w->flows);
	free(w->spare);
	w->flows = w->spare = NULL;
}

void watch_reset(struct watch *w, uint32_t base)
{
	watch_free(w);
	memset(w, 0, sizeof(*w));
	w->base = base;
}

static void remember(double *means, unsigned int *n, double mean)
{
	if (*n == WATCH_BLOCKS)
		memmove(means, means + 1, --*n * sizeof(*means));
	means[(*n)++] = mean;
}

/*
 * A block of one version alone says nothing about the other; and where a version has few
 * flows, the middle is largely their own noise, which all values would share.
 */
static void close_flows(struct watch *w)
{
	unsigned int i, n[2] = { 0, 0 };
	double middle = 0;
	bool both;

	for (i = 0; i < PLACES; i++)
		n[w->flows[i].side] += w->flows[i].n > 0;
	both = n[BASE] >= LEAST_FLOWS && n[TRIAL] >= LEAST_FLOWS;
	if (both)
		middle = (w->sum[BASE] / w->n[BASE] + w->sum[TRIAL] / w->n[TRIAL]) / 2;
	for (i = 0; i < PLACES; i++) {
		struct watch_flow *f = w->flows + i;

		if (both) {
			f->all += f->sum - f->n * middle;
			f->n_all += f->n;
		}
		f->sum = 0;
		f->n = 0;
	}
}

/* Before a trial the base's blocks are kept; within one, the trial's. */
static void close_block(struct watch *w, uint64_t next)
{
	if (w->trial && w->n[TRIAL])
		remember(w->after, &w->n_after, w->sum[TRIAL] / w->n[TRIAL]);
	if (!w->trial && w->n[BASE])
		remember(w->before, &w->n_before, w->sum[BASE] / w->n[BASE]);
	if (w->flows)
		close_flows(w);
	memset(w->sum, 0, sizeof(w->sum));
	memset(w->n, 0, sizeof(w->n));
	w->block = next;
}

static struct watch_flow *find_flow(struct watch *w, uint64_t flow, unsigned int side)
{
	size_t at = (flow * 0x9e3779b97f4a7c15ULL + side) >> 32;
	struct watch_flow *f;

	for (;; at++) {
		f = w->flows + at % PLACES;
		if (f->flow == flow && f->side == side)
			return f;
		if (!f->flow)
			break;
	}
	if (w->n_flows[side] == WATCH_FLOWS)
		return NULL;
	w->n_flows[side]++;
	f->flow = flow;
	f->side = side;
	return f;
}

void watch_reward(struct watch *w, const struct watch_params *p, uint64_t time_ns, uint64_t flow,
		  uint32_t version, int32_t reward)
{
	uint64_t block = time_ns / p->block_ns;
	struct watch_flow *f;
	unsigned int side;

	if (version == w->base && version)
		side = BASE;
	else if (version == w->trial && version)
		side = TRIAL;
	else
		return;
	if (w->trial && time_ns < w->begin_ns + p->settle_ns)
		return;
	/* CPUs deliver at different times: what comes late counts now */
	if (block > w->block)
		close_block(w, block);
	w->sum[side] += reward;
	w->n[side]++;
	w->rewards[side]++;
	if (!w->flows || !flow)
		return;
	f = find_flow(w, flow, side);
	if (f) {
		f->sum += reward;
		f->n++;
	}
}

int watch_reserve(struct watch *w)
{
	if (!w->spare)
		w->spare = calloc(PLACES, sizeof(*w->spare));
	return w->spare ? 0 : -1;
}

int watch_begin(struct watch *w, uint32_t version, uint64_t now_ns)
{
	close_block(w, w->block);
	if (watch_reserve(w))
		return -1;
	free(w->flows);
	w->flows = w->spare;
	w->spare = NULL;
	w->trial = version;
	w->begin_ns = now_ns;
	w->looked = 0;
	w->n_after = 0;
	memset(w->n_flows, 0, sizeof(w->n_flows));
	memset(w->rewards, 0, sizeof(w->rewards));
	return 0;
}

void watch_end(struct watch *w, bool kept)
{
	close_block(w, w->block);
	watch_free(w);
	if (kept) {
		w->base = w->trial;
		memcpy(w->before, w->after, sizeof(w->before));
		w->n_before = w->n_after;
	}
	w->trial = 0;
	w->n_after = 0;
}

/* Flows of a version that were there together with the other. */
static unsigned int flow_means(const struct watch *w, unsigned int side, double *means)
{
	unsigned int i, n = 0;

	for (i = 0; i < PLACES; i++) {
		const struct watch_flow *f = w->flows + i;

		if (f->flow && f->side == side && f->n_all)
			means[n++] = f->all / f->n_all;
	}
	return n;
}

/* False: there is too little of one side. */
static bool compare_flows(const struct watch *w, const struct watch_params *p, struct sample *s)
{
	double *means = malloc(WATCH_FLOWS * sizeof(*means));
	unsigned int side, n;
	bool enough = means;

	for (side = BASE; side <= TRIAL && means; side++) {
		n = flow_means(w, side, means);
		s[side] = sample_of(means, n);
		enough &= n >= p->min_flows;
	}
	free(means);
	return enough;
}

/* As long before as a trial takes: what was earlier says less of now. */
static bool compare_blocks(const struct watch *w, const struct watch_params *p, struct sample *s)
{
	uint64_t most = p->trial_ns / p->block_ns;
	unsigned int n = w->n_before < most ? w->n_before : most;

	s[BASE] = sample_of_series(w->before + (w->n_before - n), n);
	s[TRIAL] = sample_of_series(w->after, w->n_after);
	return n >= p->min_blocks && w->n_after >= p->min_blocks;
}

static uint64_t look_time(const struct watch *w, const struct watch_params *p, unsigned int look)
{
	return w->begin_ns + p->settle_ns + p->trial_ns / p->looks * look;
}

uint64_t watch_next(const struct watch *w, const struct watch_params *p)
{
	return w->trial ? look_time(w, p, w->looked + 1) : UINT64_MAX;
}

enum watch_verdict watch_judge(struct watch *w, const struct watch_params *p, uint64_t now_ns,
			       struct watch_report *report)
{
	struct sample s[2];
	bool enough, over;
	unsigned int side;

	memset(report, 0, sizeof(*report));
	if (now_ns < watch_next(w, p))
		return WATCH_WAIT;
	while (w->looked < p->looks && now_ns >= watch_next(w, p))
		w->looked++;
	over = w->looked >= p->looks;
	close_block(w, w->block);
	report->side_by_side = p->side_by_side && compare_flows(w, p, s);
	enough = report->side_by_side || compare_blocks(w, p, s);
	for (side = BASE; side <= TRIAL; side++) {
		report->n[side] = s[side].n;
		report->mean[side] = s[side].mean;
	}
	report->level = p->level / p->looks;
	report->p = enough ? welch_worse(&s[BASE], &s[TRIAL], &report->t) : 1;
	if (enough && report->p < report->level)
		return WATCH_WORSE;
	if (!over)
		return WATCH_GOES_ON;
	return enough ? WATCH_NOT_WORSE : WATCH_UNKNOWN;
}
