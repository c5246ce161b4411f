// SPDX-License-Identifier: GPL-2.0
/*
 * Lines of the kernel's trace, and rows of columns. The columns have the names and the
 * order of the forwarder of lemurnn; its time stamp counter is one of nanoseconds here.
 */
#include <stdio.h>
#include <string.h>
#include "line.h"

const char lemu_columns[] =
	"packet_idx\tinter_packet_time_ms\tprocessed_kbit\tsize_byte\tpa.latency_ms\tpa.drop\t"
	"prediction_time_ms\tnum_drops\tarrival_tsc\tarrival_ms\tinter_packet_time_tsc\t"
	"size_kbyte\tsend_time_tsc";

/**
 * lemu_line_parse() - what a line of trace_pipe says
 * @line: the line
 * @p: result, for LEMU_LINE_PACKET
 * @missed: result, for LEMU_LINE_MISSED: events that found no room
 *
 * Return: what it is
 */
enum lemu_line lemu_line_parse(const char *line, struct lemu_packet *p, unsigned long *missed)
{
	static const char event[] = " lemu_packet: ";
	const char *at = strstr(line, "[LOST ");

	if (at && sscanf(at, "[LOST %lu EVENTS]", missed) == 1)
		return LEMU_LINE_MISSED;
	at = strstr(line, event);
	if (!at)
		return LEMU_LINE_OTHER;
	if (sscanf(at + strlen(event),
		   "dev=%31s handle=%15s parent=%*s index=%llu gap=%llu work=%u size=%u backlog=%u drop=%u lost=%u version=%u query_ns=%u losses=%llu arrival=%llu departure=%llu",
		   p->dev, p->handle, &p->index, &p->gap, &p->work, &p->size, &p->backlog,
		   &p->drop, &p->lost, &p->version, &p->query_ns, &p->losses, &p->arrival,
		   &p->departure) != 14)
		return LEMU_LINE_OTHER;
	return LEMU_LINE_PACKET;
}

/* One row of lemu_columns, without the end of the line. */
void lemu_row(char row[LEMU_ROW], const struct lemu_packet *p)
{
	snprintf(row, LEMU_ROW,
		 "%llu\t%.6f\t%.3f\t%u\t%.6f\t%u\t%.6f\t%llu\t%llu\t%.6f\t%llu\t%.3f\t%llu",
		 p->index, p->gap / 1e6, p->work * 8 / 1e3, p->size,
		 (p->departure - p->arrival) / 1e6, p->drop, p->query_ns / 1e6, p->losses,
		 p->arrival, p->arrival / 1e6, p->gap, p->size / 1e3, p->departure);
}
