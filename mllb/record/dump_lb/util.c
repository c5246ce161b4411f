// SPDX-License-Identifier: GPL-2.0
/*
 * Small helpers
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util.h"

static void vsay(const char *fmt, va_list args)
{
	fflush(stdout);
	fputs("dump_lb: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsay(fmt, args);
	va_end(args);
}

int fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsay(fmt, args);
	va_end(args);
	return -1;
}

void *need(void *memory)
{
	if (memory)
		return memory;
	say("out of memory");
	exit(1);
}

char *format(const char *fmt, ...)
{
	char *text;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		need(NULL);
	va_end(args);
	return text;
}

bool first_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool good;

	if (!file)
		return false;
	good = fgets(line, size, file) != NULL;
	fclose(file);
	if (good)
		line[strcspn(line, "\n")] = '\0';
	return good;
}

bool read_number(const char *path, long *value)
{
	char line[64], *end;

	if (!first_line(path, line, sizeof(line)))
		return false;
	*value = strtol(line, &end, 10);
	return end != line;
}

double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}
