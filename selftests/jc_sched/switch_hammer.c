// SPDX-License-Identifier: GPL-2.0
/*
 * Four threads per CPU flip the switch of JC_SCHED by both ways and query it
 * by both ways, as fast as they can, while a load keeps the balancer busy.
 *
 * A setter must get the state that it has set, a query 0 or 1, and nobody an
 * error. At the end the switch must still reach both states.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../kselftest.h"
#include "jc_switch.h"

#define SECONDS		5
#define MAX_SLOW	16

enum role { SET_SYSCALL, SET_SYSCTL, QUERY_SYSCALL, QUERY_SYSCTL, NR_ROLES };

static const char * const role_name[NR_ROLES] = {
	"set by system call", "set by sysctl",
	"query by system call", "query by sysctl",
};

struct worker {
	pthread_t thread;
	enum role role;
	unsigned long calls;
	unsigned long wrong;
	unsigned long seen[2];	/* how often the state 0, 1 was returned */
	int last_wrong;		/* an example for the log */
};

static int jc_nr;
static bool replace;
static bool stop;

static int read_int(const char *path)
{
	char buf[32];
	int err = read_str(path, buf, sizeof(buf));

	return err < 0 ? err : atoi(buf);
}

static int write_switch(int val)
{
	return write_str(SWITCH, val ? "1" : "0");
}

static void note(struct worker *w, int ret, bool right)
{
	w->calls++;
	if (right && (ret == 0 || ret == 1))
		w->seen[ret]++;
	if (!right) {
		w->wrong++;
		w->last_wrong = ret;
	}
}

/* Querying is so much cheaper that it would leave little to the setters. */
static void break_now_and_then(unsigned long calls)
{
	if (calls % 64 == 0)
		usleep(1000);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int ret, val = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		val = !val;
		switch (w->role) {
		case SET_SYSCALL:
			ret = jc_call(jc_nr, val);
			note(w, ret, ret == (replace ? -EOPNOTSUPP : val));
			break;
		case SET_SYSCTL:
			ret = write_switch(val);
			note(w, ret, ret == (replace ? -EOPNOTSUPP : 0));
			break;
		case QUERY_SYSCALL:
			ret = jc_call(jc_nr, JC_QUERY);
			note(w, ret, ret == 1 || (ret == 0 && !replace));
			break_now_and_then(w->calls);
			break;
		default:
			ret = read_int(SWITCH);
			note(w, ret, ret == 1 || (ret == 0 && !replace));
			break;
		}
	}
	return NULL;
}

/* Short burns and naps in turn, so that tasks come and go on every CPU. */
static void burn(unsigned int seed)
{
	struct timespec nap = { 0 };
	int i;

	for (;;) {
		seed = seed * 1103515245 + 12345;
		for (i = seed / 65536 % 200000; i > 0; i--)
			asm volatile("" : "+r" (i));
		nap.tv_nsec = 100000 + seed / 65536 % 2000000;
		nanosleep(&nap, NULL);
	}
}

static int start_load(pid_t *load, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		load[i] = fork();
		if (load[i] < 0)
			return i;
		if (!load[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			burn(i + 1);
		}
	}
	return nr;
}

static void stop_load(pid_t *load, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		kill(load[i], SIGKILL);
		waitpid(load[i], NULL, 0);
	}
}

/* A slow machine says so in the environment: "yes" or a factor. */
static int slow_factor(void)
{
	const char *slow = getenv("KSFT_MACHINE_SLOW");
	int factor;

	if (!slow || !*slow || !strcmp(slow, "no"))
		return 1;
	factor = atoi(slow);
	if (factor < 1)
		return 2;
	return factor < MAX_SLOW ? factor : MAX_SLOW;
}

/* Both ways see @val after each way has set it. */
static bool reaches(int val)
{
	if (jc_call(jc_nr, val) != val || read_int(SWITCH) != val)
		return false;
	if (write_switch(!val) || jc_call(jc_nr, JC_QUERY) != !val)
		return false;
	return !write_switch(val) && jc_call(jc_nr, JC_QUERY) == val &&
	       read_int(SWITCH) == val;
}

static void report(struct worker *workers, int nr)
{
	struct worker sum[NR_ROLES] = { 0 };
	unsigned long seen[2] = { 0 };
	enum role role;
	int i;

	for (i = 0; i < nr; i++) {
		struct worker *s = &sum[workers[i].role];

		s->calls += workers[i].calls;
		s->wrong += workers[i].wrong;
		if (workers[i].wrong)
			s->last_wrong = workers[i].last_wrong;
		if (workers[i].role >= QUERY_SYSCALL) {
			seen[0] += workers[i].seen[0];
			seen[1] += workers[i].seen[1];
		}
	}
	for (role = 0; role < NR_ROLES; role++) {
		struct worker *s = &sum[role];

		if (s->wrong)
			ksft_print_msg("%lu of %lu answers wrong, e.g. %d\n",
				       s->wrong, s->calls, s->last_wrong);
		ksft_test_result(s->calls && !s->wrong, "%s: %lu calls\n",
				 role_name[role], s->calls);
	}
	if (replace)
		ksft_test_result(!seen[0] && seen[1],
				 "queries saw on only: %lu\n", seen[1]);
	else
		ksft_test_result(seen[0] && seen[1],
				 "queries saw off %lu and on %lu times\n",
				 seen[0], seen[1]);
}

int main(void)
{
	int saved, ncpus, nr_threads, nr_load, seconds, i;
	struct worker *workers;
	pid_t *load;

	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("not root: the switch cannot be set\n");
	jc_nr = read_int(NUMBER);
	if (jc_nr == -ENOENT)
		jc_nr = JC_NO_CALL;
	saved = read_int(SWITCH);
	if (saved == -ENOENT)
		ksft_exit_skip("no " SWITCH ": kernel without CONFIG_JC_SCHED\n");
	if ((jc_nr <= 0 && jc_nr != JC_NO_CALL) || saved < 0)
		ksft_exit_fail_msg("cannot read " SWITCH " and " NUMBER "\n");
	replace = write_switch(saved) == -EOPNOTSUPP;

	ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	nr_threads = ncpus * NR_ROLES;
	nr_load = ncpus;
	seconds = SECONDS * slow_factor();
	workers = calloc(nr_threads, sizeof(*workers));
	load = calloc(nr_load, sizeof(*load));
	if (!workers || !load)
		ksft_exit_fail_msg("out of memory\n");

	ksft_set_plan(NR_ROLES + 3);
	ksft_print_msg("%d threads, %d tasks of load, %d CPUs, %d s\n",
		       nr_threads, nr_load, ncpus, seconds);

	nr_load = start_load(load, nr_load);
	for (i = 0; i < nr_threads; i++) {
		workers[i].role = i % NR_ROLES;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			break;
	}
	nr_threads = i;
	sleep(seconds);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < nr_threads; i++)
		pthread_join(workers[i].thread, NULL);
	stop_load(load, nr_load);

	report(workers, nr_threads);
	ksft_test_result(jc_call(jc_nr, JC_QUERY) == read_int(SWITCH),
			 "both ways agree at the end\n");
	if (replace) {
		ksft_test_result_skip("mode is replace: there is no switch\n");
	} else {
		ksft_test_result(reaches(JC_ON) && reaches(JC_OFF),
				 "on and off are still reached\n");
		write_switch(saved);
	}
	free(workers);
	free(load);
	ksft_finished();
}
