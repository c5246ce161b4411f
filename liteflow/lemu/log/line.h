/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LEMU_LINE_H
#define LEMU_LINE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct lemu_packet - the tracepoint lemu:lemu_packet
 * @dev: the device
 * @handle: of the qdisc, as text
 * @index: number of the packet, from 1
 * @gap: ns since the one before
 * @work: bytes that the link could send meanwhile
 * @size: bytes
 * @backlog: bytes in the queue
 * @drop: the model says so
 * @lost: the packet is; else it was marked
 * @version: of the model; 0: the byte queue
 * @query_ns: what the query took
 * @losses: so far
 * @arrival: ns, by the qdisc's clock
 * @departure: the same
 */
struct lemu_packet {
	char dev[32];
	char handle[16];
	unsigned long long index, gap, losses, arrival, departure;
	unsigned int work, size, backlog, drop, lost, version, query_ns;
};

enum lemu_line { LEMU_LINE_OTHER, LEMU_LINE_PACKET, LEMU_LINE_MISSED };

/* How wide a row may be. */
#define LEMU_ROW	512

extern const char lemu_columns[];

enum lemu_line lemu_line_parse(const char *line, struct lemu_packet *p, unsigned long *missed);
void lemu_row(char row[LEMU_ROW], const struct lemu_packet *p);

#endif /* LEMU_LINE_H */
