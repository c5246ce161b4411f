/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What simlib.py calls.
 */
#ifndef CCSIM_BATCH_H
#define CCSIM_BATCH_H

#include <stdbool.h>
#include "sim.h"

struct sim_ranges;

void sim_draw(uint64_t seed, int preferences, const struct sim_ranges *ranges,
	      struct sim_scenario *scenario);
int sim_batch(const struct sim_scenario *scenarios, int n_scenarios, const struct policy *policies,
	      int n_policies, struct sim_result *results, int threads);

#endif
