/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the small tools do alike with their arguments.
 */
#ifndef MLLB_ARGS_H
#define MLLB_ARGS_H

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

/* Ends the program, with a message, if it is not from min to max. */
static inline unsigned int parse_number(const char *arg, unsigned int min, unsigned int max,
					struct argp_state *state)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(arg, &end, 10);
	if (errno || end == arg || *end || value < (long)min || value > (long)max)
		argp_error(state, "'%s' is not a whole number from %u to %u", arg, min, max);
	return value;
}

#endif /* MLLB_ARGS_H */
