// SPDX-License-Identifier: GPL-2.0
/*
 * A writer is killed again and again while it writes, and every batch that counted has
 * to be there afterwards, as it was written. Prints NAME VALUE UNIT; status 1 if not.
 *
 *	history_kill [KILLS [SEED]]
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sample.h"

struct kills {
	unsigned int cuts;	/* openings that cut something off */
	unsigned int counted;	/* batches that counted */
	unsigned int missing;	/* of these: not there */
	unsigned int torn;	/* there, but not as they were written */
	unsigned int begun;	/* writers that wrote something */
};

static void cut(const char *line, void *data)
{
	(void)line;
	++*(char *)data;
}

static struct lf_history_options options_of(const char *dir)
{
	struct lf_history_options options = sample_options(dir);

	/* so much that nothing is deleted, so each counted batch must be there */
	options.max_bytes = 4ULL << 30;
	options.segment_bytes = 1 << 20;
	return options;
}

/* Writes until it is killed; tells @out the number of each batch that counts. */
static void writer(const char *dir, int out, uint32_t number, uint32_t seed)
{
	struct lf_history_options options = options_of(dir);
	struct lf_history *h;
	char cuts = 0;

	options.say = cut;
	options.data = &cuts;
	if (lf_history_open(&h, &options) || lf_history_begin(h))
		goto failed;
	if (write(out, &cuts, 1) != 1)
		_exit(1);
	for (;; number++) {
		/* several at once: a write is short, a sync is long */
		do {
			seed = seed * 1103515245 + 12345;
			if (lf_history_append(h, sample_batch(number, 1 + (seed >> 20) % MOST)))
				goto failed;
			number += (seed >> 16) % 8 != 0;
		} while ((seed >> 16) % 8);
		if (lf_history_sync(h))
			goto failed;
		if (write(out, &number, sizeof(number)) != sizeof(number))
			_exit(1);
	}
failed:
	fprintf(stderr, "writer: %s\n", lf_history_reason(h));
	_exit(1);
}

/* Number of the batch that follows the last one that counted. */
static uint32_t run(const char *dir, uint32_t number, unsigned int seed, struct kills *k)
{
	uint32_t done, stop = number + seed % 4;
	int fd[2], status;
	char cuts = 0;
	pid_t pid;

	if (pipe(fd))
		exit(1);
	pid = fork();
	if (!pid) {
		close(fd[0]);
		writer(dir, fd[1], number, seed);
	}
	close(fd[1]);
	if (pid < 0 || read(fd[0], &cuts, 1) != 1)
		exit(1);
	k->cuts += cuts;
	while (number < stop && read(fd[0], &done, sizeof(done)) == sizeof(done))
		number = done + 1;
	usleep(seed / 7 % 500);
	kill(pid, SIGKILL);
	/* what it told before it died counts, too */
	while (read(fd[0], &done, sizeof(done)) == sizeof(done))
		number = done + 1;
	close(fd[0]);
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status))
		exit(1);
	return number;
}

/*
 * What counts now. A batch that was whole when its writer died, and had not told, may
 * be there as well: its number is then given again, to one that is alike or not.
 */
static void check(const char *dir, uint32_t from, uint32_t to, struct kills *k)
{
	bool *there = calloc(to - from + 1, 1);
	struct lf_reader *r;
	struct lf_entry e;
	uint32_t i;

	if (!there || lf_reader_open(&r, dir)) {
		fprintf(stderr, "%s\n", there ? lf_reader_reason(r) : strerror(ENOMEM));
		exit(1);
	}
	while (lf_reader_next(r, &e) > 0) {
		if (e.kind == LF_ENTRY_GAP && e.why == LF_GAP_DAMAGED)
			k->torn++;
		if (e.kind != LF_ENTRY_BATCH)
			continue;
		k->torn += !sample_good(&e.batch);
		if (e.batch.sequence >= from && e.batch.sequence < to)
			there[e.batch.sequence - from] = true;
	}
	lf_reader_close(r);
	for (i = from; i < to; i++)
		k->missing += !there[i - from];
	free(there);
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? atoi(argv[1]) : 1000, i, seed = argc > 2 ? atoi(argv[2]) : 1;
	struct kills k = { 0 };
	uint32_t number = 0, next, checked = 0;
	char dir[256];

	sample_dir(dir, sizeof(dir));
	srand(seed);
	for (i = 0; i < n; i++) {
		next = run(dir, number, rand(), &k);
		k.counted += next - number;
		k.begun += next > number;
		number = next;
		/* all of a folder now and then, and at the end */
		if (i % 50 == 49 || i + 1 == n) {
			check(dir, checked, number, &k);
			sample_remove(dir);
			sample_dir(dir, sizeof(dir));
			checked = number;
		}
	}
	sample_remove(dir);
	printf("lf_history_kills %u kills\n", n);
	printf("lf_history_counted %u batches\n", k.counted);
	printf("lf_history_cuts %u times\n", k.cuts);
	printf("lf_history_missing %u batches\n", k.missing);
	printf("lf_history_torn %u batches\n", k.torn);
	return k.missing || k.torn || !k.begun;
}
