// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of lemu-log's lines, as KTAP.
 */
#include <stdio.h>
#include <string.h>
#include "line.h"

static int tests, failed;

static void check(bool ok, const char *name)
{
	printf("%sok %d %s\n", ok ? "" : "not ", ++tests, name);
	failed += !ok;
}

static int columns(const char *row)
{
	int n = 1;

	for (; *row; row++)
		n += *row == '\t';
	return n;
}

int main(void)
{
	static const char packet[] =
		"          <idle>-0       [001] b.s3.  1234.567890: lemu_packet: dev=eth0 handle=8001:0 parent=ffff:ffff index=42 gap=1500000 work=375 size=1514 backlog=3028 drop=1 lost=1 version=7 query_ns=250 losses=3 arrival=5000000000 departure=5012112000";
	struct lemu_packet p = {};
	unsigned long missed = 0;
	char row[LEMU_ROW];

	printf("TAP version 13\n1..5\n");
	check(lemu_line_parse(packet, &p, &missed) == LEMU_LINE_PACKET &&
	      !strcmp(p.dev, "eth0") && !strcmp(p.handle, "8001:0") && p.version == 7 &&
	      p.departure == 5012112000ULL, "a packet");
	lemu_row(row, &p);
	check(!strcmp(row, "42\t1.500000\t3.000\t1514\t12.112000\t1\t0.000250\t3\t5000000000\t"
		      "5000.000000\t1500000\t1.514\t5012112000"), "its row");
	check(columns(row) == 13 && columns(lemu_columns) == 13, "13 columns");
	check(lemu_line_parse("CPU:1 [LOST 35 EVENTS]", &p, &missed) == LEMU_LINE_MISSED &&
	      missed == 35, "events that found no room");
	check(lemu_line_parse("x-1 [000] 1.2: lemu_switch: dev=lo", &p, &missed) ==
	      LEMU_LINE_OTHER &&
	      lemu_line_parse("x-1 [000] 1.2: lemu_packet: dev=lo handle=1:0", &p, &missed) ==
	      LEMU_LINE_OTHER && lemu_line_parse("", &p, &missed) == LEMU_LINE_OTHER,
	      "other lines");
	return failed > 0;
}
