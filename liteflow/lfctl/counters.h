/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of apps, and what they moved by since they were read last.
 */
#ifndef _LFCTL_COUNTERS_H
#define _LFCTL_COUNTERS_H

#include "liblf.h"

/* What the counters were, of each app; zeroes to begin with. */
struct counters {
	unsigned int n;
	struct lf_stats *was;
};

/*
 * @since: what @now has more than last time; all of it if the app was not there then,
 * or is another one with its number.
 */
void counters_since(struct counters *c, const struct lf_stats *now, struct lf_stats *since);
void counters_free(struct counters *c);

/* Upper end of the bucket in which this part of the timed queries is reached, in @buf. */
const char *counters_percentile(const struct lf_stats *s, double part, char *buf, size_t len);

#endif /* _LFCTL_COUNTERS_H */
