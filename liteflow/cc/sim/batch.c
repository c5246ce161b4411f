// SPDX-License-Identifier: GPL-2.0
/*
 * Many runs on several threads. Which thread has which makes no difference.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include "batch.h"

#define MAX_THREADS	64

struct batch {
	const struct sim_scenario *scenarios;
	const struct policy *policies;
	struct sim_result *results;
	int n_scenarios;
	int n_runs;
	atomic_int next;
	atomic_int err;
};

static void *work(void *arg)
{
	struct batch *b = arg;
	int i, err;

	while ((i = atomic_fetch_add(&b->next, 1)) < b->n_runs) {
		err = sim_run(&b->scenarios[i % b->n_scenarios], &b->policies[i / b->n_scenarios],
			      &b->results[i], NULL);
		if (err)
			atomic_store(&b->err, err);
	}
	return NULL;
}

/* Every policy in every scenario: results[policy][scenario]. 0, or as sim_run(). */
int sim_batch(const struct sim_scenario *scenarios, int n_scenarios, const struct policy *policies,
	      int n_policies, struct sim_result *results, int threads)
{
	struct batch b = {
		.scenarios = scenarios, .policies = policies, .results = results,
		.n_scenarios = n_scenarios, .n_runs = n_scenarios * n_policies,
	};
	pthread_t thread[MAX_THREADS];
	int i, started = 0;

	for (i = 1; i < threads && i < MAX_THREADS; i++)
		if (!pthread_create(&thread[started], NULL, work, &b))
			started++;
	work(&b);
	while (started)
		pthread_join(thread[--started], NULL);
	return b.err;
}
