/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel for tests: what liblf.h promises, in memory. It may lie in a file, so that it
 * survives the program that talks to it, as a kernel does; each change becomes visible
 * with one store.
 *
 * Its app has two inputs, x and signal, and one output. What would be right is slope * x,
 * and the signal shows the slope, so that a refit on records finds it. Rewards are what an
 * answer is off by, with noise that flows have for themselves and that lasts.
 */
#ifndef _FAKE_H
#define _FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include "liblf.h"

#define FAKE_APP	"mine"
#define FAKE_IN		2
#define FAKE_OUT	1
#define FAKE_SPAN	4000	/* of the output */
#define FAKE_FLOWS	24
#define FAKE_RATE	4	/* queries of a flow in a second */
#define FAKE_BLOB	2048
#define FAKE_COUNTED	4096

enum fake_op { FAKE_INSTALL, FAKE_ACTIVATE, FAKE_EVAL, FAKE_SLOTS, FAKE_REMOVE, FAKE_OPS };

struct fake_slot {
	uint32_t state;
	uint32_t version;
	uint32_t len;
	uint8_t digest[LF_DIGEST_LEN];
	char name[LF_NAME_LEN];
	uint8_t blob[FAKE_BLOB];
};

struct fake_flow {
	uint64_t id;
	uint64_t end_ns;
	uint32_t version;
	uint32_t seq;
	double effect;
	double noise;
};

/**
 * struct fake - the kernel
 * @there: it has LiteFlow
 * @app: number of the app; 0: it is not there
 * @policy: of the app
 * @n_slots: of the app
 * @slots: of the app
 * @active: the active one; -1: none
 * @previous: that before
 * @versions: given so far
 * @slope: what would be right
 * @no_reward: the app gives none
 * @reader: somebody else collects
 * @lose: records that the next batch tells as lost
 * @fail: errno of an operation's next calls, 0: it goes well
 * @ticks: requests and deliveries, so that others see it at work
 * @calls: of hooks
 * @flows: that query
 * @flow_ids: given so far
 * @random: state of its numbers
 * @counted: sums of the batches that are said to be on disk, in order
 * @n_counted: their number, also of those that were overwritten
 */
struct fake {
	uint32_t there;
	uint32_t app;
	uint32_t policy;
	uint32_t n_slots;
	struct fake_slot slots[LITEFLOW_SLOTS_MAX];
	int32_t active;
	int32_t previous;
	uint32_t versions;
	double slope;
	bool no_reward;
	bool reader;
	uint64_t lose;
	int fail[FAKE_OPS];
	uint64_t ticks;
	uint64_t calls;
	struct fake_flow flows[FAKE_FLOWS];
	uint64_t flow_ids;
	uint64_t random;
	uint64_t counted[FAKE_COUNTED];
	uint64_t n_counted;
};

extern struct fake *fake;

/* Called at the begin of an operation, to come in between. */
extern void (*fake_race)(enum fake_op op);

/* In the file @path, made if need be, or with NULL in memory; with a model for slope 0.5. */
void fake_open(const char *path);
void fake_reset(void);

/* A model's blob as lfctl model pack makes it: out = slope * x. Its length. */
uint32_t fake_model(double slope, uint8_t blob[FAKE_BLOB]);

/* Name of its second input. */
extern const char *fake_signal;

/* As somebody else does. */
void fake_install(unsigned int slot, double slope, bool activate);

/* The app goes, or comes, as with rmmod and modprobe. */
void fake_remove_app(void);
void fake_add_app(void);

/* When the next batch is due; UINT64_MAX: nobody collects. */
uint64_t fake_next(void);

/* Nothing was asked since the last batch: the machine slept. */
void fake_sleep(void);

/* Slope of the active model; 0: none. */
double fake_active_slope(void);

/* Sum of a batch's records. */
uint64_t fake_sum(const struct lf_batch *batch);

/* A number from [0, 1). */
double fake_random(void);

#endif /* _FAKE_H */
