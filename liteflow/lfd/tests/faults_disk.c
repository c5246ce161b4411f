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

/* There is a file in the history's place. */
static void test_no_history(void)
{
	char path[256];
	bool good;

	bench_begin("good", FAST);
	path_of(path, "history");
	fclose(fopen(path, "we"));
	bench_run(60);
	good = bench_said("event=history-error") == 1 && bench_said("event=connected") == 1 &&
	       !service->history && service->missed && service->missed == service->records;
	unlink(path);
	bench_run(10);
	good &= bench_said("event=history-well") == 1 && service->history;
	bench_result(good && follows(1.2),
		     "no history: told once, its records counted, tried again");
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
