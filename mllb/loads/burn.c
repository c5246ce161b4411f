// SPDX-License-Identifier: GPL-2.0
/*
 * burn - tasks that each burn a given amount of their own CPU time
 *
 * On a host with fewer cores than the guest has CPUs, a fixed amount of work
 * takes the same wall time however the guest spreads it.  An amount of own
 * CPU time does not: a task that waits for its turn gets none, so a badly
 * balanced guest ends later, and the run-queue wait says by how much.
 *
 * An emulated guest has no cost of distance either. --remote and --move-cost
 * charge one (see burn.h): those figures are simulated.
 */
#define _GNU_SOURCE
#include <argp.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "burn.h"
#include "tool.h"

TOOL_ABOUT("burn");

#define PAGE		4096UL
#define MAX_TASKS	4096
/* The CPU clock is a system call that takes the run queue's lock: ask rarely. */
#define CHUNK_NS	(1 * NS_PER_MS)
#define SLEEP_SLICE_NS	(200 * NS_PER_MS)
/* One sample of the wait per so much own CPU time, or more if a chunk was longer. */
#define SAMPLE_NS	CHUNK_NS
#define GRACE_SECONDS	10

enum { EXIT_TIMEOUT = 3 };
/* What a task carries through its work. */
struct worker {
	struct task_result *result;
	char *mem;
	char *shared;
	size_t shared_size;
	__u64 loops;
	int node;		/* where it was last seen, -1: not known */
	__u64 sample_cpu;	/* own CPU time since the last sample of the wait */
	__u64 sample_wait;
	__u64 done_at;		/* when the work of the last burst was done */
};

/* Lies in shared memory, so that threads and processes report alike. */
struct board {
	int stop;
	pthread_barrier_t gathered;
	struct task_result results[];
};

static struct options opts = {
	.tasks = 1, .cpu_ns = 1000 * NS_PER_MS, .phases = 1, .seed = 1, .timeout = 300,
	.remote = 1,
};

static struct board *board;
static char *shared_mem;
static cpu_set_t usual_cpus, start_cpus;
static pid_t *children;

static void die(const char *what)
{
	fprintf(stderr, "burn: %s: %s\n", what, strerror(errno));
	exit(EXIT_OTHER);
}

/* value, give or take up to --spread percent */
static __u64 vary(__u64 value, __u64 *random)
{
	__u64 width = value * opts.spread / 100;

	return width ? value - width + next_random(random) % (2 * width + 1) : value;
}

static bool stopped(void)
{
	return __atomic_load_n(&board->stop, __ATOMIC_RELAXED);
}

/* Returns by how much the sleep took longer: the wait for the CPU after it. */
static __u64 sleep_ns(__u64 ns)
{
	__u64 begin = now_ns(CLOCK_MONOTONIC), left = ns, took;

	while (left && !stopped()) {
		__u64 slice = left < SLEEP_SLICE_NS ? left : SLEEP_SLICE_NS;
		struct timespec ts = { 0, slice };

		nanosleep(&ts, NULL);
		left -= slice;
	}
	took = now_ns(CLOCK_MONOTONIC) - begin;
	return took > ns ? took - ns : 0;
}

static __u64 touch(char *mem, size_t size, __u64 x)
{
	size_t page = (size_t)(x >> 32) % (size / PAGE);
	__u64 *word = (__u64 *)(mem + page * PAGE + (x & 0x1f) * 128);

	return *word = *word + x;
}

static void spin(const struct worker *w)
{
	__u64 x = w->loops | 1, i;

	for (i = 0; i < w->loops; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (w->mem && !(i & 7))
			x ^= touch(w->mem, opts.mem, x);
		else if (w->shared && (i & 7) == 4)
			x ^= touch(w->shared, w->shared_size, x) & 1;
	}
	/* The result is "used", or the loop would be optimized away. */
	__asm__ __volatile__("" : : "r"(x) : "memory");
}

/* Looks where this task is; returns the CPU time that a move since then costs. */
static __u64 look(struct worker *w)
{
	unsigned int cpu, node;
	__u64 cost = 0;

	if (getcpu(&cpu, &node))
		return 0;
	if (cpu < CPU_SETSIZE)
		CPU_SET(cpu, &w->result->cpus);
	if (w->node >= 0 && w->node != (int)node) {
		w->result->crossings++;
		cost = opts.move_ns;
	}
	w->node = node;
	return cost;
}

/* The part of ns of CPU time between two looks that was spent away from home. */
static __u64 away_part(const struct worker *w, int before, __u64 ns)
{
	int home = w->result->home;

	if (home < 0 || before < 0)
		return 0;
	/* Moved meanwhile: nobody knows when, so each side gets a half. */
	return ((before != home) + (w->node != home)) * ns / 2;
}

static void sample_wait(struct worker *w)
{
	if (w->sample_cpu)
		histogram_add(&w->result->waits, w->sample_wait / 1000);
	w->sample_cpu = 0;
	w->sample_wait = 0;
}

/*
 * Burns until the work of ns of CPU time at home is done, or more by less than
 * a chunk; returns how much was. A chunk in which the virtual CPU was stolen is
 * long: where in it the work was done is interpolated.
 */
static __u64 burn(__u64 ns, struct worker *w)
{
	__u64 last = now_ns(CLOCK_THREAD_CPUTIME_ID), last_wall = now_ns(CLOCK_MONOTONIC);
	struct task_result *result = w->result;
	__u64 done = 0, debt = look(w);

	while (done < ns && !stopped()) {
		int before = w->node;
		__u64 now, wall, took, away, lost;

		spin(w);
		now = now_ns(CLOCK_THREAD_CPUTIME_ID);
		wall = now_ns(CLOCK_MONOTONIC);
		debt += look(w);
		took = now - last ? now - last : 1;
		away = away_part(w, before, took);
		lost = away * (1 - 1 / opts.remote);
		/* What a move costs is burned first. */
		if (debt) {
			__u64 paid = debt < took - lost ? debt : took - lost;

			debt -= paid;
			lost += paid;
		}
		result->burned_ns += took;
		result->away_ns += away;
		result->charged_ns += lost;
		done += took - lost;
		w->sample_cpu += took;
		/* Two clocks read one after the other may differ by a little. */
		if (wall - last_wall > took)
			w->sample_wait += wall - last_wall - took;
		if (w->sample_cpu >= SAMPLE_NS)
			sample_wait(w);
		/* A stolen virtual CPU makes one chunk long: change the pace by steps. */
		if (took < CHUNK_NS / 2)
			w->loops *= 2;
		else if (took > CHUNK_NS * 2 && w->loops > 64)
			w->loops /= 2;
		w->done_at = wall;
		if (done > ns && took > lost)
			w->done_at -= (double)(done - ns) / (took - lost) * (wall - last_wall);
		last = now;
		last_wall = wall;
	}
	return done;
}

/*
 * All tasks meet on the start CPUs and are then let go where they stand: the
 * imbalance is what the balancer has to undo.
 */
static void gather_and_release(struct task_result *result)
{
	if (opts.start_at == START_ANYWHERE) {
		pthread_barrier_wait(&board->gathered);
		return;
	}
	if (sched_setaffinity(0, sizeof(start_cpus), &start_cpus))
		result->failed = true;
	pthread_barrier_wait(&board->gathered);
	if (sched_setaffinity(0, sizeof(usual_cpus), &usual_cpus))
		result->failed = true;
}

static void work(unsigned int id, struct worker *w)
{
	__u64 random = opts.seed * 1000003 + id;
	__u64 amount = vary(opts.cpu_ns, &random) / opts.phases;
	struct task_result *result = w->result;
	__u64 surplus = 0;
	unsigned int phase;

	for (phase = 0; phase < opts.phases; phase++) {
		/* What a phase did too much, the next one need not do. */
		__u64 left = surplus < amount ? amount - surplus : 1;

		gather_and_release(result);
		/* To be gathered is part of the experiment, and costs nothing. */
		w->node = -1;
		if (!phase) {
			result->start_ns = now_ns(CLOCK_MONOTONIC);
			sleep_ns(opts.stagger_ns * id / opts.tasks);
			result->arrival_ns = now_ns(CLOCK_MONOTONIC);
		}
		while (left && !stopped()) {
			__u64 part = opts.burst_ns ? vary(opts.burst_ns, &random) : left;
			__u64 done = burn(part < left ? part : left, w);

			surplus = done > left ? done - left : 0;
			left -= done < left ? done : left;
			if (left && opts.sleep_ns) {
				sample_wait(w);
				w->sample_wait = sleep_ns(vary(opts.sleep_ns, &random));
			}
		}
		sample_wait(w);
	}
	result->end_ns = stopped() ? now_ns(CLOCK_MONOTONIC) : w->done_at;
}

static int choose_home(unsigned int id)
{
	unsigned int cpu, node;

	switch (opts.home_at) {
	case HOME_NODE:
		return opts.home_id;
	case HOME_SPREAD:
		return id % node_count();
	case HOME_FIRST:
		/* Where it is gathered, so that its memory would come from there. */
		if (opts.start_at != START_ANYWHERE)
			sched_setaffinity(0, sizeof(start_cpus), &start_cpus);
		return getcpu(&cpu, &node) ? -1 : (int)node;
	case HOME_NONE:
		break;
	}
	return -1;
}

/* Returns false if the task cannot have the memory that it should have. */
static bool get_memory(struct worker *w)
{
	int home = w->result->home;

	w->shared = shared_mem;
	w->shared_size = opts.shared_mem;
	if (shared_mem && home >= 0) {
		w->shared_size = shared_part(opts.shared_mem);
		w->shared += home * w->shared_size;
	}
	if (!opts.mem)
		return true;
	w->mem = mmap(NULL, opts.mem, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->mem == MAP_FAILED) {
		w->mem = NULL;
		return false;
	}
	return home < 0 || bind_memory(w->mem, opts.mem, home);
}

static void *run_task(void *arg)
{
	unsigned int id = (uintptr_t)arg;
	struct task_result *result = &board->results[id];
	struct worker w = { .result = result, .loops = 4096, .node = -1 };
	__u64 waited = read_wait_ns();
	struct rusage usage;
	char name[24];

	/* On Linux a thread has a nice value of its own. */
	if (opts.nice && (id & 1) && setpriority(PRIO_PROCESS, 0, opts.nice))
		result->failed = true;
	result->home = choose_home(id);
	if (result->home >= 0) {
		/* So that a trace tells where a task is at home. */
		snprintf(name, sizeof(name), "burn-home%d", result->home);
		prctl(PR_SET_NAME, name);
	}
	if (!get_memory(&w))
		result->failed = true;
	work(id, &w);
	result->wait_ns = read_wait_ns() - waited;
	result->migrations = read_migrations();
	if (!getrusage(RUSAGE_THREAD, &usage)) {
		result->voluntary = usage.ru_nvcsw;
		result->involuntary = usage.ru_nivcsw;
	}
	if (w.mem)
		munmap(w.mem, opts.mem);
	return NULL;
}

static void on_alarm(int sig)
{
	static const char text[] = "burn: tasks did not stop in time: killed\n";
	unsigned int i;

	(void)sig;
	if (!stopped()) {
		__atomic_store_n(&board->stop, 1, __ATOMIC_RELAXED);
		alarm(GRACE_SECONDS);
		return;
	}
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(EXIT_OTHER);
	for (i = 0; children && i < opts.tasks; i++) {
		if (children[i] > 0)
			kill(children[i], SIGKILL);
	}
	_exit(EXIT_TIMEOUT);
}

static void run_threads(void)
{
	pthread_t *threads = calloc(opts.tasks, sizeof(*threads));
	sigset_t alarm_set;
	unsigned int i;
	int err;

	if (!threads)
		die("memory for the threads");
	/* The alarm is the main thread's. */
	sigemptyset(&alarm_set);
	sigaddset(&alarm_set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm_set, NULL);
	for (i = 0; i < opts.tasks; i++) {
		err = pthread_create(&threads[i], NULL, run_task, (void *)(uintptr_t)i);
		if (err) {
			errno = err;
			die("cannot start a thread (fewer --tasks?)");
		}
	}
	pthread_sigmask(SIG_UNBLOCK, &alarm_set, NULL);
	for (i = 0; i < opts.tasks; i++)
		pthread_join(threads[i], NULL);
	free(threads);
}

static void run_processes(void)
{
	unsigned int i;
	int status;

	children = calloc(opts.tasks, sizeof(*children));
	if (!children)
		die("memory for the processes");
	for (i = 0; i < opts.tasks; i++) {
		children[i] = fork();
		if (children[i] < 0)	/* those already there die with us */
			die("cannot start a process (fewer --tasks?)");
		if (!children[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			run_task((void *)(uintptr_t)i);
			_exit(0);
		}
	}
	for (i = 0; i < opts.tasks; i++) {
		while (waitpid(children[i], &status, 0) < 0) {
			if (errno != EINTR)
				die("waitpid");
		}
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			fprintf(stderr, "burn: task %u died (wait status 0x%x)\n", i, status);
			exit(EXIT_OTHER);
		}
		children[i] = 0;
	}
}

static void read_start_cpus(void)
{
	CPU_ZERO(&start_cpus);
	if (opts.start_at == START_CPU) {
		if (opts.start_id >= CPU_SETSIZE || !CPU_ISSET(opts.start_id, &usual_cpus)) {
			fprintf(stderr, "burn: this process may not use CPU %u\n",
				opts.start_id);
			exit(EXIT_USAGE);
		}
		CPU_SET(opts.start_id, &start_cpus);
		return;
	}
	if (!read_node_cpus(opts.start_id, &start_cpus)) {
		fprintf(stderr, "burn: no NUMA node %u here: %s\n", opts.start_id, strerror(errno));
		exit(EXIT_USAGE);
	}
	CPU_AND(&start_cpus, &start_cpus, &usual_cpus);
	if (!CPU_COUNT(&start_cpus)) {
		fprintf(stderr, "burn: no usable CPU on NUMA node %u\n", opts.start_id);
		exit(EXIT_USAGE);
	}
}

static void prepare(void)
{
	size_t size = sizeof(*board) + opts.tasks * sizeof(board->results[0]);
	pthread_barrierattr_t attr;
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned int node;
	size_t i;

	if (sched_getaffinity(0, sizeof(usual_cpus), &usual_cpus))
		die("sched_getaffinity");
	if (opts.start_at != START_ANYWHERE)
		read_start_cpus();
	if (opts.home_at == HOME_NODE && opts.home_id >= node_count()) {
		fprintf(stderr, "burn: no NUMA node %u here: there are %u\n", opts.home_id,
			node_count());
		exit(EXIT_USAGE);
	}
	board = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		die("memory for the results");
	/* Written by all tasks: no reason for the kernel to group or move them. */
	if (!hide_from_balancing(board, size))
		die("cannot bind the memory for the results");
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&board->gathered, &attr, opts.tasks);
	if (opts.shared_mem) {
		shared_mem = mmap(NULL, opts.shared_mem, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (shared_mem == MAP_FAILED)
			die("--shared-kib");
		for (node = 0; opts.home_at != HOME_NONE && node < node_count(); node++) {
			size_t part = shared_part(opts.shared_mem);

			if (!bind_memory(shared_mem + node * part, part, node))
				die("--home: cannot bind the shared memory");
		}
		for (i = 0; i < opts.shared_mem; i += PAGE)
			shared_mem[i] = 1;
	}
	sigaction(SIGALRM, &action, NULL);
	alarm(opts.timeout);
}

static void put_exactly(const char *name, int digits, const char *unit, double value)
{
	if (opts.stats)
		printf("%s %.*f\n", name, digits, value);
	else
		printf("%-22s %12.*f %s\n", name, digits, value, unit);
}

static void put(const char *name, const char *unit, double value)
{
	put_exactly(name, *unit == 'm' ? opts.stats ? 3 : 1 : 0, unit, value);
}

static void put_waits(const struct histogram *waits)
{
	static const struct { const char *name; double part; } marks[] = {
		{ "wait_p50_us", 0.5 }, { "wait_p90_us", 0.9 }, { "wait_p99_us", 0.99 },
		{ "wait_p999_us", 0.999 },
	};
	unsigned int i;

	put("wait_samples", "", histogram_total(waits));
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		put(marks[i].name, "us per ms of own CPU time",
		    histogram_quantile(waits, marks[i].part));
	if (!opts.histogram)
		return;
	printf("wait_histogram ");
	for (i = 0; i < HISTOGRAM_SIZE; i++) {
		if (waits->count[i])
			printf("%llu:%llu,", (unsigned long long)histogram_low(i),
			       (unsigned long long)waits->count[i]);
	}
	printf("\n");
}

static void put_tasks(void)
{
	unsigned int i;

	for (i = 0; opts.per_task && i < opts.tasks; i++) {
		const struct task_result *r = &board->results[i];

		printf("task_%u makespan_ms=%.1f burned_ms=%.1f wait_ms=%.1f home=%d away_ms=%.1f crossings=%ld migrations=%ld\n",
		       i, (double)(r->end_ns - r->arrival_ns) / NS_PER_MS,
		       (double)r->burned_ns / NS_PER_MS, (double)r->wait_ns / NS_PER_MS, r->home,
		       (double)r->away_ns / NS_PER_MS, r->crossings, r->migrations);
	}
}

/* What --home, --remote and --move-cost made of it. */
static void put_distance(void)
{
	double burned = 0, away = 0, charged = 0;
	long crossings = 0;
	unsigned int i;

	for (i = 0; i < opts.tasks; i++) {
		burned += board->results[i].burned_ns;
		away += board->results[i].away_ns;
		charged += board->results[i].charged_ns;
		crossings += board->results[i].crossings;
	}
	put("crossings", "seen moves across nodes", crossings);
	if (opts.home_at == HOME_NONE)
		return;
	put_exactly("away_percent", 3, "% of the CPU time: away from home",
		    burned ? 100 * away / burned : 0);
	put("charged_ms", "ms of CPU time charged for distance (simulated)", charged / NS_PER_MS);
	put_exactly("simulated_remote", 3, "times the CPU time away from home (simulated)",
		    opts.remote);
	put("simulated_move_us", "us of CPU time per move across nodes (simulated)",
	    opts.move_ns / 1000.0);
}

/* Returns true when a task could not set itself up as asked. */
static bool report(void)
{
	__u64 first = ~0ULL, last = 0, burned = 0, wait = 0, wait_max = 0, own = 0;
	long voluntary = 0, involuntary = 0, migrations = 0;
	bool failed = false, migrations_known = true;
	static struct histogram waits;
	unsigned int i;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	for (i = 0; i < opts.tasks; i++) {
		const struct task_result *result = &board->results[i];

		first = result->start_ns < first ? result->start_ns : first;
		last = result->end_ns > last ? result->end_ns : last;
		burned += result->burned_ns;
		own += result->end_ns - result->arrival_ns;
		histogram_merge(&waits, &result->waits);
		wait += result->wait_ns;
		wait_max = result->wait_ns > wait_max ? result->wait_ns : wait_max;
		voluntary += result->voluntary;
		involuntary += result->involuntary;
		migrations += result->migrations;
		migrations_known &= result->migrations >= 0;
		failed |= result->failed;
		CPU_OR(&cpus, &cpus, &result->cpus);
	}
	put("tasks", "", opts.tasks);
	put("makespan_ms", "ms", (double)(last - first) / NS_PER_MS);
	put("task_makespan_ms", "ms, mean of the tasks' own",
	    (double)own / opts.tasks / NS_PER_MS);
	put("burned_ms", "ms of own CPU time", (double)burned / NS_PER_MS);
	put("wait_ms", "ms on run queues", (double)wait / NS_PER_MS);
	put("wait_max_ms", "ms, the worst task", (double)wait_max / NS_PER_MS);
	put("voluntary_switches", "", voluntary);
	put("involuntary_switches", "", involuntary);
	if (migrations_known)
		put("migrations", "", migrations);
	put("cpus_used", "", CPU_COUNT(&cpus));
	put("timed_out", "", stopped());
	put_waits(&waits);
	put_distance();
	put_tasks();
	if (failed)
		fprintf(stderr, "burn: a task could not set its affinity, nice value or memory's node\n");
	return failed;
}

static const char doc[] =
	"Start tasks that each burn a given amount of their own CPU time, and report how long they took.\n"
	"\vTimes are in milliseconds and may have a fraction.\n\n"
	"--remote and --move-cost charge a cost of distance that an emulated machine lacks:\n"
	"figures with them are simulated. A task's home is the node that its memory is bound to.\n\n"
	"Exit status: 0 all done, 1 error, 2 wrong usage,\n"
	"3 stopped by --timeout (the figures are printed anyway).\n";

static const struct argp_option option_table[] = {
	{ "tasks", 'n', "N", 0, "number of tasks (default 1)", 0 },
	{ "cpu-ms", 'c', "MS", 0, "CPU time that each task burns (default 1000)", 0 },
	{ "burst-ms", 'b', "MS", 0, "burn in bursts of this length (default: one)", 0 },
	{ "sleep-ms", 'z', "MS", 0, "sleep this long between bursts (default 0)", 0 },
	{ "spread", 's', "PERCENT", 0, "vary amounts, bursts and sleeps by up to this much", 0 },
	{ "phases", 'P', "N", 0, "split the work into N parts; all tasks meet in between", 0 },
	{ "start", 'a', "cpu:N|node:N", 0, "gather all tasks there before each part", 0 },
	{ "stagger-ms", 'g', "MS", 0, "spread the tasks' starts over this time", 0 },
	{ "mem-kib", 'm', "KIB", 0, "memory that each task touches while it burns", 0 },
	{ "shared-kib", 'M', "KIB", 0, "memory that all tasks touch", 0 },
	{ "nice", 'N', "N", 0, "nice value of every second task", 0 },
	{ "processes", 'p', NULL, 0, "processes instead of threads", 0 },
	{ "seed", 'r', "N", 0, "seed of the variation (default 1)", 0 },
	{ "timeout", 't', "SECONDS", 0, "stop after this time (default 300)", 0 },
	{ "stats", 'S', NULL, 0, "print plain `name value' lines", 0 },
	{ "home", 'H', "first|spread|node:N", 0,
	  "node that a task's memory is bound to: where it is gathered, all nodes in turn, or N", 0 },
	{ "remote", 'R', "FACTOR", 0,
	  "CPU time away from home counts 1/FACTOR; implies --home=first (default 1)", 0 },
	{ "move-cost", 'C', "US", 0,
	  "CPU time that a move across nodes costs; implies --home=first (default 0)", 0 },
	{ "per-task", 'T', NULL, 0, "print a line for each task as well", 0 },
	{ "histogram", 'W', NULL, 0, "print the waits as `microseconds:samples,...' as well", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static void parse_start(const char *arg, struct argp_state *state)
{
	const char *number = strchr(arg, ':');

	if (!strncmp(arg, "cpu:", 4))
		opts.start_at = START_CPU;
	else if (!strncmp(arg, "node:", 5))
		opts.start_at = START_NODE;
	else
		argp_error(state, "--start='%s': give cpu:N or node:N", arg);
	if (number)
		opts.start_id = tool_number(number + 1, 0, CPU_SETSIZE - 1, state);
}

static void parse_home(const char *arg, struct argp_state *state)
{
	if (!strcmp(arg, "first")) {
		opts.home_at = HOME_FIRST;
	} else if (!strcmp(arg, "spread")) {
		opts.home_at = HOME_SPREAD;
	} else if (!strncmp(arg, "node:", 5)) {
		opts.home_at = HOME_NODE;
		opts.home_id = tool_number(arg + 5, 0, MAX_NODES - 1, state);
	} else {
		argp_error(state, "--home='%s': give first, spread or node:N", arg);
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'n':
		opts.tasks = tool_number(arg, 1, MAX_TASKS, state);
		return 0;
	case 'c':
		opts.cpu_ns = tool_number(arg, 1, 3.6e6, state) * NS_PER_MS;
		return 0;
	case 'b':
		opts.burst_ns = tool_number(arg, 0, 3.6e6, state) * NS_PER_MS;
		return 0;
	case 'z':
		opts.sleep_ns = tool_number(arg, 0, 3.6e6, state) * NS_PER_MS;
		return 0;
	case 's':
		opts.spread = tool_number(arg, 0, 100, state);
		return 0;
	case 'P':
		opts.phases = tool_number(arg, 1, 10000, state);
		return 0;
	case 'a':
		parse_start(arg, state);
		return 0;
	case 'g':
		opts.stagger_ns = tool_number(arg, 0, 3.6e6, state) * NS_PER_MS;
		return 0;
	case 'm':
		opts.mem = (size_t)tool_number(arg, 4, 1e9, state) / 4 * PAGE;
		return 0;
	case 'M':
		opts.shared_mem = (size_t)tool_number(arg, 4, 1e9, state) / 4 * PAGE;
		return 0;
	case 'N':
		opts.nice = tool_number(arg, -20, 19, state);
		return 0;
	case 'p':
		opts.processes = true;
		return 0;
	case 'r':
		opts.seed = tool_number(arg, 0, 9e15, state);
		return 0;
	case 't':
		opts.timeout = tool_number(arg, 1, 86400, state);
		return 0;
	case 'S':
		opts.stats = true;
		return 0;
	case 'H':
		parse_home(arg, state);
		return 0;
	case 'R':
		opts.remote = tool_number(arg, 1, 100, state);
		return 0;
	case 'C':
		opts.move_ns = tool_number(arg, 0, 1e6, state) * 1000;
		return 0;
	case 'T':
		opts.per_task = true;
		return 0;
	case 'W':
		opts.histogram = true;
		return 0;
	case ARGP_KEY_END:
		if (opts.home_at == HOME_NONE && (opts.remote > 1 || opts.move_ns))
			opts.home_at = HOME_FIRST;
		if (opts.home_at != HOME_NONE && !opts.mem && !opts.shared_mem)
			argp_error(state, "a home is where a task's memory is: give --mem-kib or --shared-kib");
		if (opts.home_at != HOME_NONE && opts.shared_mem &&
		    opts.shared_mem / PAGE < node_count())
			argp_error(state, "--shared-kib: less than a page per node");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp parser = {
	.options = option_table, .parser = parse_option, .doc = doc,
};

int main(int argc, char **argv)
{
	bool failed;

	argp_parse(&parser, argc, argv, 0, NULL, NULL);
	prepare();
	if (opts.processes)
		run_processes();
	else
		run_threads();
	alarm(0);
	failed = report();
	if (fflush(stdout))
		die("standard output");
	if (stopped())
		return EXIT_TIMEOUT;
	return failed ? EXIT_OTHER : EXIT_SUCCESS;
}
