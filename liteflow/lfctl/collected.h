/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the service lfd collects of apps, as it says in its status file.
 */
#ifndef _LFCTL_COLLECTED_H
#define _LFCTL_COLLECTED_H

#include <stdbool.h>
#include <stdint.h>

#define COLLECTED_FILE	"/run/liteflow/status.json"

struct json_object;

/**
 * struct collected - the file as it was read last, and the time before that
 * @path: of the file; absent or no JSON: nobody collects
 * @now: what it says; NULL: nothing
 * @before: what it said before that
 * @now_s: when it was written, seconds of CLOCK_REALTIME
 * @before_s: when @before was
 */
struct collected {
	const char *path;
	struct json_object *now;
	struct json_object *before;
	double now_s;
	double before_s;
};

/* Rates of an app, per second. */
struct collected_rates {
	double records;
	double lost;
};

/* Read it again if it was written again. */
void collected_read(struct collected *c);
/* false: lfd does not collect from the app, or was not seen to yet */
bool collected_rates(const struct collected *c, const char *app, struct collected_rates *rates);
void collected_free(struct collected *c);

#endif /* _LFCTL_COLLECTED_H */
