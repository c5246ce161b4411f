// SPDX-License-Identifier: GPL-2.0
/*
 * An hour in which nothing changes; then the world changes twice. Nothing is to be
 * installed in the first, one model behind each change, and each is to be kept. KTAP.
 */
#include <math.h>
#include <stdio.h>
#include "bench.h"
#include "fake.h"

static void hour(const char *policy, unsigned int number)
{
	uint64_t before;
	double slope;

	bench_begin("good", "");
	fake->policy = number;
	bench_run(3600);
	printf("lfd_idle_installs %llu installs\n", (unsigned long long)service->state.installs);
	bench_result(service->state.installs == 0 && service->adaptations > 50,
		     "%s: an hour unchanged: nothing is installed", policy);
	for (slope = 1.1; slope < 1.8; slope += 0.6) {
		before = service->state.installs;
		fake->slope = slope;
		bench_run(3600);
		printf("lfd_change_installs %llu installs\n",
		       (unsigned long long)(service->state.installs - before));
		bench_result(service->state.installs == before + 1 &&
			     fabs(fake_active_slope() - slope) < 0.02 &&
			     service->state.rollbacks == 0,
			     "%s: one model behind a change to %.1f, and it is kept", policy, slope);
	}
	bench_end();
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	bench_init(argv[1]);
	puts("KTAP version 1");
	hour("follow", LITEFLOW_POLICY_FOLLOW);
	hour("pin", LITEFLOW_POLICY_PIN);
	return bench_finish();
}
