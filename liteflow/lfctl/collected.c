// SPDX-License-Identifier: GPL-2.0
/*
 * What lfd collects: its status file is replaced as a whole, from time to time.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <json-c/json.h>
#include "collected.h"

/* If it is older, lfd has ended, and was killed at that. */
#define STALE_S		60
#define MAX_BYTES	(4 << 20)

static double seconds(const struct timespec *ts)
{
	return (double)ts->tv_sec + (double)ts->tv_nsec * 1e-9;
}

static void forget(struct collected *c)
{
	json_object_put(c->now);
	json_object_put(c->before);
	c->now = NULL;
	c->before = NULL;
	c->now_s = 0;
}

void collected_read(struct collected *c)
{
	struct timespec now;
	struct stat st;

	clock_gettime(CLOCK_REALTIME, &now);
	if (stat(c->path, &st) || !S_ISREG(st.st_mode) || st.st_size > MAX_BYTES ||
	    seconds(&now) - seconds(&st.st_mtim) > STALE_S) {
		forget(c);
		return;
	}
	if (seconds(&st.st_mtim) == c->now_s)
		return;
	json_object_put(c->before);
	c->before = c->now;
	c->before_s = c->now_s;
	c->now = json_object_from_file(c->path);
	c->now_s = seconds(&st.st_mtim);
	if (!c->now)
		forget(c);
}

static bool read_counts(struct json_object *o, const char *app, double *records, double *lost)
{
	struct json_object *apps, *item, *name, *r, *l;
	size_t i;

	if (!json_object_object_get_ex(o, "apps", &apps) ||
	    !json_object_is_type(apps, json_type_array))
		return false;
	for (i = 0; i < json_object_array_length(apps); i++) {
		item = json_object_array_get_idx(apps, i);
		if (!json_object_object_get_ex(item, "app", &name) ||
		    !json_object_object_get_ex(item, "records", &r) ||
		    !json_object_object_get_ex(item, "lost", &l) ||
		    strcmp(json_object_get_string(name), app))
			continue;
		*records = json_object_get_double(r);
		*lost = json_object_get_double(l);
		return true;
	}
	return false;
}

bool collected_rates(const struct collected *c, const char *app, struct collected_rates *rates)
{
	double records, lost, had, had_lost, time = c->now_s - c->before_s;

	if (!c->now || !c->before || time <= 0 ||
	    !read_counts(c->now, app, &records, &lost) ||
	    !read_counts(c->before, app, &had, &had_lost))
		return false;
	/* less than before: it was restarted */
	rates->records = (records < had ? records : records - had) / time;
	rates->lost = (lost < had_lost ? lost : lost - had_lost) / time;
	return true;
}

void collected_free(struct collected *c)
{
	forget(c);
}
