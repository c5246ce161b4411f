/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UTIL_H
#define UTIL_H

#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Says what was wrong; returns -1. */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *need(void *memory);
char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* First line of a file, without its end; false if it cannot be read. */
bool first_line(const char *path, char *line, size_t size);
bool read_number(const char *path, long *value);

double seconds(void);

#endif /* UTIL_H */
