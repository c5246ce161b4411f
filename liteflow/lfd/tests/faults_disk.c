// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of the disk: no room, read-only, torn, foreign and damaged files.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "bench.h"
#include "fake.h"
#include "faults.h"

static void limit_files(rlim_t bytes)
{
	struct rlimit r;

	getrlimit(RLIMIT_FSIZE, &r);
	r.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &r);
}

/* No file takes a byte more, as on a full disk. */
static void test_no_room(void)
{
	bool good;

	signal(SIGXFSZ, SIG_IGN);
	bench_begin("good", FAST);
	bench_run(100);
	limit_files(0);
	fake->slope = 1.2;
	bench_run(ENOUGH);
	good = unchanged() && bench_said("event=history-error") == 1;
	limit_files(RLIM_INFINITY);
	bench_run(ENOUGH);
	good &= bench_said("event=history-well") == 1 && fabs(fake_active_slope() - 1.2) < 0.05;
	bench_result(good, "no room on disk: nothing is installed, and later all goes on");
	bench_end();
}

static void test_disks(void)
{
	bool good;

	test_no_room();
	bench_begin("good", FAST);
	bench_run(100);
	limit_files(0);
	bench_run(10);
	bench_restart();
	bench_run(10);
	limit_files(RLIM_INFINITY);
	good = bench_said("event=connected") >= 1;
	bench_result(good && follows(1.2), "no room on disk at the start: it goes on");
	bench_end();
}

/* Gaps of a kind in the history, and what is missing by them. */
static unsigned int gaps(enum lf_gap_why why, uint64_t *missing)
{
	struct lf_reader *reader;
	struct lf_entry entry;
	unsigned int n = 0;
	char path[256];

	*missing = 0;
	path_of(path, "history");
	if (!lf_reader_open(&reader, path))
		while (lf_reader_next(reader, &entry) > 0)
			if (entry.kind == LF_ENTRY_GAP && entry.why == why) {
				n++;
				*missing += entry.missing;
			}
	lf_reader_close(reader);
	return n;
}

/* There is a file in the history's place. */
static void test_no_history(void)
{
	char path[256], aside[256];
	uint64_t missed, n;
	bool good;

	bench_begin("good", FAST);
	path_of(path, "history");
	fclose(fopen(path, "we"));
	bench_run(60);
	good = bench_said("event=history-error") == 1 && bench_said("event=connected") == 1 &&
	       !service->history && service->missed && service->missed == service->records;
	missed = service->missed;
	unlink(path);
	bench_run(10);
	good &= bench_said("event=history-well") == 1 && service->history && !service->missed;
	bench_result(good && follows(1.2),
		     "no history: told once, its records counted, tried again");
	good = gaps(LF_GAP_UNWRITTEN, &n) == 1 && n >= missed && !gaps(LF_GAP_DOWN, &n);
	bench_result(good, "no history: what came meanwhile stands as unwritten, nothing as down");
	bench_end();

	/* one of an earlier start, that cannot be read for a while */
	bench_begin("good", FAST);
	bench_run(60);
	bench_restart();
	path_of(path, "history");
	path_of(aside, "aside");
	good = !rename(path, aside);
	fclose(fopen(path, "we"));
	bench_run(60);
	missed = service->missed;
	good &= missed > 0 && !unlink(path) && !rename(aside, path);
	bench_run(10);
	good &= gaps(LF_GAP_UNWRITTEN, &n) == 1 && n >= missed && gaps(LF_GAP_DOWN, &n) == 1;
	bench_result(good, "no history at a later start: down until then, then unwritten");
	bench_end();
}

/* Queries of the history's newest segments are the last inputs, if the names are the app's. */
static void test_read_back(void)
{
	unsigned int rows;
	bool good;

	bench_begin("good", FAST);
	bench_run(600);
	bench_restart();
	fake->reader = true;
	bench_run(20);
	good = !service->rows && bench_said("does another program collect") == 1;
	fake->reader = false;
	bench_run(5.5);
	rows = service->rows;
	good &= rows == service->room && service->records < rows;
	bench_result(good, "the last inputs come back once records are collected: %u", rows);
	bench_end();

	bench_begin("good", FAST);
	bench_run(100);
	bench_restart();
	fake_signal = "other";
	bench_run(0.5);
	rows = service->rows;
	fake_signal = "signal";
	bench_result(bench_said("event=connected") == 2 && rows < 100,
		     "inputs with other names are not the app's: %u", rows);
	bench_end();
}

/* Cut or overwrite a segment of the history; false: there is none. */
static bool damage(long at, const char *with)
{
	char path[256];
	bool good;
	int fd;

	path_of(path, "history/00000001.lfh");
	fd = open(path, O_RDWR);
	if (fd < 0)
		return false;
	good = with ? pwrite(fd, with, strlen(with), at) > 0 :
	       !ftruncate(fd, lseek(fd, 0, SEEK_END) + at);
	close(fd);
	return good;
}

static void test_segments(void)
{
	char path[256];
	bool good;
	FILE *f;

	bench_begin("good", FAST);
	bench_run(100);
	/* not ended as it should, and half of an entry at the end */
	good = damage(-100, NULL);
	bench_restart();
	good &= damage(-7, NULL);
	bench_run(100);
	bench_result(good && bench_said("event=connected") && follows(1.2),
		     "torn segment: it goes on behind what is whole");
	bench_end();

	bench_begin("good", FAST);
	bench_run(100);
	good = damage(0, "no segment of ours");
	bench_restart();
	bench_run(100);
	bench_result(good && bench_said("event=history-note") && follows(1.2),
		     "foreign segment: set aside");
	bench_end();

	bench_begin("good", FAST);
	bench_run(100);
	path_of(path, "state.json");
	f = fopen(path, "we");
	fputs("{ \"format\": \"lfd-state\", \"version\": 1, \"bo", f);
	fclose(f);
	bench_restart();
	fake->slope = 1.2;
	bench_run(ENOUGH);
	good = unchanged() && bench_said("event=held") && !strcmp(service_phase(service), "held");
	unlink(path);
	good &= bench_configure("good", FAST);
	bench_result(good && follows(1.2), "damaged state: nothing is done before somebody mends it");
	bench_end();
}

void test_disk_faults(void)
{
	test_segments();
	test_no_history();
	test_read_back();
	test_disks();
}
