// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of apps, and what they moved by.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "counters.h"
#include "quantile.h"

#define MAX_APPS	4096

/* Place of what the app had; NULL: there is no room for it. */
static struct lf_stats *find(struct counters *c, uint32_t id)
{
	struct lf_stats *more;
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (c->was[i].app_id == id)
			return c->was + i;
	if (i == MAX_APPS)
		return NULL;
	more = realloc(c->was, (c->n + 1) * sizeof(*c->was));
	if (!more)
		return NULL;
	c->was = more;
	memset(more + c->n, 0, sizeof(*more));
	return more + c->n++;
}

/* Counters only grow, unless an app went away and its number was given again. */
static bool same_app(const struct lf_stats *was, const struct lf_stats *now)
{
	return !strcmp(was->app, now->app) && was->queries <= now->queries &&
	       was->no_model <= now->no_model && was->bad_context <= now->bad_context &&
	       was->samples <= now->samples && was->samples_ns <= now->samples_ns;
}

void counters_since(struct counters *c, const struct lf_stats *now, struct lf_stats *since)
{
	struct lf_stats *was = find(c, now->app_id);
	unsigned int i;

	*since = *now;
	if (was && same_app(was, now)) {
		since->queries -= was->queries;
		since->no_model -= was->no_model;
		since->bad_context -= was->bad_context;
		since->repins -= was->repins;
		since->evictions -= was->evictions;
		since->samples -= was->samples;
		since->samples_ns -= was->samples_ns;
		for (i = 0; i < now->n_buckets; i++)
			since->histogram[i] -= was->histogram[i];
	}
	if (was)
		*was = *now;
}

void counters_free(struct counters *c)
{
	free(c->was);
	c->was = NULL;
	c->n = 0;
}

const char *counters_percentile(const struct lf_stats *s, double part, char *buf, size_t len)
{
	size_t b = quantile(s->histogram, s->n_buckets, part);

	if (!s->histogram[b])
		return "-";
	snprintf(buf, len, "%s%llu", b + 1 == s->n_buckets ? ">" : "<",
		 1ULL << (b + 1 == s->n_buckets ? b - 1 : b));
	return buf;
}
