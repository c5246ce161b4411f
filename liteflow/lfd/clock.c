// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <time.h>
#include "clock.h"

uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

int clock_wait_ms(uint64_t until)
{
	uint64_t now = clock_now(), ms;

	if (until <= now)
		return 0;
	/* not before */
	ms = (until - now + 999999) / 1000000;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}
