/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What scenarios are drawn from.
 */
#ifndef CCSIM_RANGES_H
#define CCSIM_RANGES_H

struct range {
	double lo;
	double hi;
};

/*
 * X(name, least that makes sense, most, usual lo, usual hi). Rates in bit/s, times in
 * seconds. What is drawn is even in its logarithm but for @thin, @police and @step_every.
 */
#define SIM_RANGES(X)							\
	X(capacity, 1e4, 1e11, 1e6, 1e9)				\
	X(rtt, 1e-5, 10, 3e-4, 0.6)					\
	X(buffer, 0.01, 1000, 0.2, 8)		/* BDP */		\
	X(loss, 1e-6, 0.9, 1e-4, 0.1)		/* share */		\
	X(loss_burst, 1, 1e4, 1, 10)		/* packets, mean */	\
	X(jitter, 1e-4, 100, 0.02, 0.5)		/* mean, of an RTT */	\
	X(jitter_most, 1e-4, 10, 0.02, 0.02)	/* seconds: no more, whatever the RTT */ \
	X(batches, 1e-4, 100, 0.05, 1)		/* ACKs come every so many RTTs */ \
	X(slots, 1e-4, 10, 0.05, 0.2)		/* the same where a radio schedules, s */ \
	X(stall, 1e-4, 10, 0.05, 0.3)		/* without an ACK */	\
	X(stall_every, 0.01, 100, 1, 5)					\
	X(thin, 1, 1000, 2, 8)			/* one ACK of so many arrives */ \
	X(police, 0.01, 1, 0.2, 0.9)		/* of the capacity */	\
	X(bucket, 1514, 1e9, 1e4, 3e5)		/* bytes */		\
	X(flows, 2, 120, 2, 32)			/* where there are many */ \
	X(step, 0.01, 100, 1 / 3.1622776601683795, 3.1622776601683795) /* of the first capacity */ \
	X(step_every, 1, 1e4, 40, 100)		/* round trips */

/* X(name, usual probability) */
#define SIM_CHANCES(X)							\
	X(chance_loss, 0.4)						\
	X(chance_bursts, 0.3)			/* where there is loss */ \
	X(chance_jitter, 0.2)						\
	X(chance_batches, 0.15)						\
	X(chance_slots, 0.03)						\
	X(chance_stalls, 0.04)						\
	X(chance_thin, 0.1)						\
	X(chance_policer, 0.04)						\
	X(chance_steps, 0.5)			/* of the capacity */	\
	X(chance_many, 0.5)						\
	X(chance_other_rtts, 0.25)		/* where there are many */ \
	X(chance_fixed, 0.15)			/* traffic that is on and off */ \
	X(chance_window, 0.08)			/* Reno or CUBIC, where there is none of these */

#define SIM_RANGE_FIELD(name, ...)	struct range name;
#define SIM_CHANCE_FIELD(name, ...)	double name;

struct sim_ranges {
	SIM_RANGES(SIM_RANGE_FIELD)
	SIM_CHANCES(SIM_CHANCE_FIELD)
};

enum {
	RANGES_UNKNOWN = -1,
	RANGES_LIMIT = -2,
};

extern const struct sim_ranges sim_ranges_usual;

struct sim_ranges *sim_ranges_new(void);
void sim_ranges_free(struct sim_ranges *ranges);
int sim_ranges_set(struct sim_ranges *ranges, const char *name, double lo, double hi);
const char *sim_ranges_name(int nr, struct range *usual, struct range *limit);

#endif
