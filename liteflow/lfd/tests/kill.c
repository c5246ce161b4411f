// SPDX-License-Identifier: GPL-2.0
/*
 * kill [TIMES] LFD HOOK: lfd is killed that often, at random moments, while the world
 * changes under it and some of the models that it gets are worse. After each kill all
 * batches that it took for written are there and whole, its state can be read, and no
 * model that was found worse is active once a new lfd has looked.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "clock.h"
#include "fake.h"
#include "file.h"
#include "history.h"
#include "state.h"

#define SPEED		"400"
#define MOST_CALLS	10
#define MOST_TICKS	40
#define MOST_MS		60000

static char dir[64];
static unsigned long bad_models, missing, torn, batches, unreadable, rollbacks, installs;

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "kill: %s: %s\n", what, strerror(errno));
	exit(1);
}

static char *in_dir(const char *name)
{
	static char paths[8][256];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, 256, "%s/%s", dir, name);
	return path;
}

static void copy(const char *from, const char *to)
{
	char command[600];

	snprintf(command, sizeof(command), "cp '%s' '%s' && chmod 755 '%s'", from, to, to);
	must(!system(command), to);
}

/* Every third life has a hook whose models are worse. */
static void configure(bool worse)
{
	char *file = in_dir("config/mine.json");
	FILE *f = fopen(file, "we");

	must(f, file);
	fprintf(f, "{ \"app\": \"" FAKE_APP "\", \"hook\": \"%s/hook-%s\", \"history_mib\": 3,\n"
		"%s \"adapt_interval_s\": 5, \"adapt_records\": 100, \"stability_window\": 2,\n"
		"\"necessity_inputs\": 100, \"hold_off_s\": 5, \"trial_s\": 24, \"trial_block_s\": 1,\n"
		"\"trial_settle_s\": 1, \"trial_looks\": 3, \"trial_min_blocks\": 4 }\n",
		dir, worse ? "freeze-worse" : "good",
		geteuid() ? "" : "\"hook_user\": \"nobody\",");
	must(!fclose(f), file);
}

static pid_t start(const char *lfd)
{
	char *log = in_dir("log");
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	dup2(fd, 2);
	setenv("FAKE_KERNEL", in_dir("kernel"), 1);
	setenv("FAKE_SPEED", SPEED, 1);
	execl(lfd, "lfd", "--config", in_dir("config"), "--state", in_dir("state"), "--run",
	      in_dir("run"), NULL);
	_exit(127);
}

/*
 * Moments are counted by what lfd has done, so that a slow machine sees as much: calls of
 * its hook, then requests, then a bit of time, as not all that can be cut is a request.
 */
static void wait_moment(unsigned int calls, unsigned int ticks)
{
	struct timespec ms = { 0, 1000000 }, bit = { 0, 3000000 * fake_random() };
	uint64_t end = fake->calls + calls;
	unsigned int i;

	for (i = 0; fake->calls < end && i < MOST_MS; i++)
		nanosleep(&ms, NULL);
	for (end = fake->ticks + ticks; fake->ticks < end && i < MOST_MS; i++)
		nanosleep(&ms, NULL);
	nanosleep(&bit, NULL);
}

/* What it took for written is the end of what is there; older ones may be gone. */
static void check_history(void)
{
	static uint64_t sums[1 << 20];
	struct lf_reader *reader;
	struct lf_entry entry;
	size_t n = 0, first = 0, at, i, wanted, segments;
	bool deleted;

	if (lf_reader_open(&reader, in_dir("state/mine/history"))) {
		missing += fake->n_counted > 0;
		lf_reader_close(reader);
		return;
	}
	while (lf_reader_next(reader, &entry) > 0) {
		torn += entry.kind == LF_ENTRY_GAP && entry.why == LF_GAP_DAMAGED;
		if (entry.kind == LF_ENTRY_BATCH && n < sizeof(sums) / sizeof(*sums))
			sums[n++] = fake_sum(&entry.batch);
	}
	deleted = lf_reader_segments(reader, &segments)->number > 1;
	lf_reader_close(reader);
	wanted = fake->n_counted < FAKE_COUNTED ? fake->n_counted : FAKE_COUNTED;
	/* the oldest one that is still there; from then on none may be missing */
	while (first < wanted) {
		uint64_t sum = fake->counted[(fake->n_counted - wanted + first) % FAKE_COUNTED];

		for (at = 0; at < n && sums[at] != sum; at++)
			;
		if (at < n)
			break;
		first++;
	}
	/* the oldest leave with their segment, pushed out by others, counted or not */
	missing += deleted ? 0 : first;
	for (i = first, at = 0; i < wanted; i++) {
		uint64_t sum = fake->counted[(fake->n_counted - wanted + i) % FAKE_COUNTED];

		while (at < n && sums[at] != sum)
			at++;
		missing += at == n;
		batches++;
		if (at < n)
			at++;
	}
}

/* @settled: a new lfd has had its time. */
static void check_models(bool settled)
{
	const struct fake_slot *slot = fake->active < 0 ? NULL : fake->slots + fake->active;
	int fd = open(in_dir("state/mine"), O_RDONLY | O_DIRECTORY);
	uint8_t digest[LF_DIGEST_LEN];
	struct state state;
	char why[200];

	if (fd < 0)
		return;
	if (state_load(&state, fd, why, sizeof(why))) {
		fprintf(stderr, "kill: %s\n", why);
		unreadable++;
	} else if (slot && state_is_refused(&state, slot->digest)) {
		/* the return may be what was cut; then the state says so */
		bad_models += settled || state.phase != STATE_RETURNING;
	}
	if (slot) {
		lf_digest(slot->blob, slot->len, digest);
		bad_models += memcmp(digest, slot->digest, LF_DIGEST_LEN) != 0;
	} else {
		bad_models++;
	}
	installs = state.installs;
	rollbacks = state.rollbacks;
	state_free(&state);
	close(fd);
}

static void prepare(const char *hook)
{
	strcpy(dir, "/tmp/lfd-kill-XXXXXX");
	must(mkdtemp(dir) && !chmod(dir, 0755), dir);
	must(!mkdir(in_dir("config"), 0755), "config");
	copy(hook, in_dir("hook-good"));
	copy(hook, in_dir("hook-freeze-worse"));
	fake_open(in_dir("kernel"));
}

int main(int argc, char **argv)
{
	unsigned long times = argc == 4 ? strtoul(argv[1], NULL, 10) : 1000, i;
	pid_t pid;
	int status;

	if (argc != 4)
		return 2;
	prepare(argv[3]);
	for (i = 0; i < times; i++) {
		/* phases of the test, not of lfd: what is wanted changes now and then */
		if (i % 5 == 0)
			fake->slope = 0.3 + 1.5 * fake_random();
		configure(i % 3 == 2);
		pid = start(argv[2]);
		wait_moment(MOST_CALLS * fake_random(), MOST_TICKS * fake_random());
		must(!kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid, "kill");
		must(WIFSIGNALED(status), "lfd ended by itself");
		check_models(false);
		check_history();
	}
	/* the last one may look around */
	pid = start(argv[2]);
	wait_moment(2, 20);
	check_models(true);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	printf("lfd_kills %lu kills\n", times);
	printf("lfd_kill_installs %lu installs\n", installs);
	printf("lfd_kill_rollbacks %lu rollbacks\n", rollbacks);
	printf("lfd_kill_bad_models %lu models\n", bad_models);
	printf("lfd_kill_batches %lu checks\n", batches);
	printf("lfd_kill_missing %lu batches\n", missing);
	printf("lfd_kill_torn %lu batches\n", torn);
	printf("lfd_kill_unreadable %lu states\n", unreadable);
	if (!installs || !rollbacks || !batches)
		fprintf(stderr, "kill: nothing happened, see %s\n", in_dir("log"));
	else if (!bad_models && !missing && !torn && !unreadable)
		return file_remove_tree(AT_FDCWD, dir, true) != 0;
	return 1;
}
