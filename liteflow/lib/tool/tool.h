/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every program says of itself, and how it helps with a mistyped word. The
 * version is that of the packages, see scripts/deb/changelog.
 */
#ifndef _LITEFLOW_TOOL_H
#define _LITEFLOW_TOOL_H

#include <argp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOL_VERSION	"1.0"
#define TOOL_BUGS	"the issue tracker of the repository that this came from"

/* Beside EXIT_SUCCESS; what else a program has comes behind them. */
enum { EXIT_OTHER = 1, EXIT_USAGE = 2 };

/* In the file with main(): --version, the last line of --help, and a usage error's status. */
#define TOOL_ABOUT(name)							\
	const char *argp_program_version = name " " TOOL_VERSION;		\
	const char *argp_program_bug_address = TOOL_BUGS;			\
	error_t argp_err_exit_status = EXIT_USAGE

/* An option's number; one that is not from @min to @max is a usage error. */
static inline double tool_number(const char *arg, double min, double max, struct argp_state *state)
{
	char *end;
	double value = strtod(arg, &end);

	if (end == arg || *end || !(value >= min && value <= max))
		argp_error(state, "'%s' is not a number from %.10g to %.10g", arg, min, max);
	return value;
}

static inline unsigned int tool_count(const char *arg, unsigned int min, unsigned int max,
				      struct argp_state *state)
{
	double value = tool_number(arg, min, max, state);

	if (value != (unsigned int)value)
		argp_error(state, "'%s' is not a whole number", arg);
	return value;
}

/* Letters to add, remove or replace; long words are not compared. */
static inline size_t tool_distance(const char *a, const char *b)
{
	size_t row[33], n = strlen(b), above, left, i, j;

	if (strlen(a) > 32 || n > 32)
		return 32;
	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		above = row[0];
		row[0] = i;
		for (j = 1; j <= n; j++) {
			left = above + (a[i - 1] != b[j - 1]);
			above = row[j];
			row[j] = left;
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
		}
	}
	return row[n];
}

/* The word of @words, which ends in NULL, that was meant by @word; NULL: none is near. */
static inline const char *tool_nearest(const char *word, const char *const *words)
{
	size_t best = strlen(word) < 5 ? 2 : 3, d;
	const char *found = NULL;

	for (; *words; words++) {
		d = tool_distance(word, *words);
		if (d < best || (d == best && !found && d < strlen(*words))) {
			best = d;
			found = *words;
		}
	}
	return found;
}

/* " (did you mean "status"?)", or "" */
static inline const char *tool_hint(const char *word, const char *const *words)
{
	const char *near = tool_nearest(word, words);
	static char text[64];

	text[0] = 0;
	if (near)
		snprintf(text, sizeof(text), " (did you mean \"%s\"?)", near);
	return text;
}

#endif /* _LITEFLOW_TOOL_H */
