/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One line for each thing that happened, to standard error: event=... key=value ...
 * For journald lines begin with their priority.
 */
#ifndef _LFD_LOG_H
#define _LFD_LOG_H

#include <syslog.h>

/*
 * @app: "" if it concerns none. Bytes that would break the line become "?". The line, cut
 * to its length and without the priority, stays there until the next call.
 */
const char *log_event(int priority, const char *app, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A text as a value: in quotes, without quotes in it. Some may be used at a time. */
const char *log_quoted(const char *text);

/* Do not write, only make the lines: for tests. */
void log_to(void (*sink)(const char *line));

/* "lfd: what: reason", for people who ran a command; an exit status. */
int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* _LFD_LOG_H */
