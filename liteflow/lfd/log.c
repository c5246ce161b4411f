// SPDX-License-Identifier: GPL-2.0
/*
 * The log.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "log.h"
#include "tool.h"
#include "utf8.h"

#define LINE	1024
#define QUOTED	512

static void (*log_sink)(const char *line);

void log_to(void (*sink)(const char *line))
{
	log_sink = sink;
}

const char *log_quoted(const char *text)
{
	static char bufs[4][QUOTED];
	static unsigned int next;
	char *buf = bufs[next++ % 4], *p;

	snprintf(buf, QUOTED - 1, "\"%s", text);
	for (p = buf + 1; *p; p++)
		if (*p == '"')
			*p = '\'';
	strcpy(p, "\"");
	return buf;
}

const char *log_event(int priority, const char *app, const char *event, const char *fmt, ...)
{
	static char line[LINE];
	va_list ap;
	char *p;
	int n;

	n = snprintf(line, sizeof(line), "%s%s%sevent=%s%s", *app ? "app=" : "", app,
		     *app ? " " : "", event, *fmt ? " " : "");
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	for (p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	/* what others say may be no text, or was cut within a character */
	utf8_mend(line);
	if (log_sink)
		log_sink(line);
	else if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", priority, line);
	else
		fprintf(stderr, "%s\n", line);
	return line;
}

int complain(const char *fmt, ...)
{
	va_list ap;

	fputs("lfd: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_OTHER;
}
