// SPDX-License-Identifier: GPL-2.0
/*
 * Times that people write and read.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "lfctl.h"
#include "when.h"

#define SECOND	1000000000LL
/* the year 2200; enough, and nothing overflows */
#define LATEST	7258118400.0

static bool to_ns(double seconds, int64_t *ns)
{
	if (!(seconds >= 0 && seconds <= LATEST))
		return false;
	*ns = (int64_t)(seconds * SECOND);
	return true;
}

static bool parse_ago(const char *text, int64_t now_ns, int64_t *ns)
{
	static const struct {
		char letter;
		double seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	unsigned int i;
	double value;
	char *end;

	value = strtod(text, &end);
	if (end == text || !*end || end[1] || !(value >= 0))
		return false;
	for (i = 0; i < ARRAY_SIZE(units); i++)
		if (units[i].letter == *end)
			return to_ns((double)now_ns / SECOND - value * units[i].seconds, ns);
	return false;
}

static bool parse_date(const char *text, int64_t *ns)
{
	static const char *const forms[] = {
		"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
		"%Y-%m-%dT%H:%M:%S",
	};
	const char *end;
	unsigned int i;
	struct tm tm;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		memset(&tm, 0, sizeof(tm));
		tm.tm_isdst = -1;
		end = strptime(text, forms[i], &tm);
		if (end && !*end)
			return to_ns((double)mktime(&tm), ns);
	}
	return false;
}

bool when_parse(const char *text, int64_t now_ns, int64_t *ns)
{
	char *end;

	if (*text == '@')
		return text[1] && to_ns(strtod(text + 1, &end), ns) && !*end;
	return parse_ago(text, now_ns, ns) || parse_date(text, ns);
}

void when_text(int64_t ns, char *text, size_t room)
{
	time_t seconds = ns / SECOND;
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(text, room, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(text, room, "?");
}
