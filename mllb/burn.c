// SPDX-License-Identifier: GPL-2.0
/*
 * burn - tasks that each burn a given amount of their own CPU time
 *
 * On a host with fewer cores than the guest has CPUs, a fixed amount of work
 * takes the same wall time however the guest spreads it.  An amount of own
 * CPU time does not: a task that waits for its turn gets none, so a badly
 * balanced guest ends later, and the run-queue wait says by how much.
 */
#define _GNU_SOURCE
#include <argp.h>
#include <errno.h>
#include <linux/types.h>
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

#define NS_PER_MS	1000000ULL
#define PAGE		4096UL
#define MAX_TASKS	4096
/* The CPU clock is a system call that takes the run queue's lock: ask rarely. */
#define CHUNK_NS	(1 * NS_PER_MS)
#define SLEEP_SLICE_NS	(200 * NS_PER_MS)
#define GRACE_SECONDS	10

enum { EXIT_OTHER = 1, EXIT_USAGE = 2, EXIT_TIMEOUT = 3 };
enum start_at { START_ANYWHERE, START_CPU, START_NODE };

struct options {
	unsigned int tasks;
	__u64 cpu_ns;
	__u64 burst_ns;
	__u64 sleep_ns;
	__u64 stagger_ns;
	unsigned int spread;
	unsigned int phases;
	size_t mem;
	size_t shared_mem;
	enum start_at start_at;
	unsigned int start_id;
	int nice;
	__u64 seed;
	unsigned int timeout;
	bool processes;
	bool stats;
};

struct task_result {
	__u64 start_ns;
	__u64 end_ns;
	__u64 burned_ns;
	__u64 wait_ns;
	long voluntary;
	long involuntary;
	long migrations;	/* -1: the kernel does not tell */
	bool failed;
	cpu_set_t cpus;
};

/* Lies in shared memory, so that threads and processes report alike. */
struct board {
	int stop;
	pthread_barrier_t gathered;
	struct task_result results[];
};

static struct options opts = {
	.tasks = 1, .cpu_ns = 1000 * NS_PER_MS, .phases = 1, .seed = 1, .timeout = 300,
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

static __u64 now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static __u64 next_random(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
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

static void sleep_ns(__u64 ns)
{
	while (ns && !stopped()) {
		__u64 slice = ns < SLEEP_SLICE_NS ? ns : SLEEP_SLICE_NS;
		struct timespec ts = { 0, slice };

		nanosleep(&ts, NULL);
		ns -= slice;
	}
}

static __u64 touch(char *mem, size_t size, __u64 x)
{
	size_t page = (size_t)(x >> 32) % (size / PAGE);
	__u64 *word = (__u64 *)(mem + page * PAGE + (x & 0x1f) * 128);

	return *word = *word + x;
}

static void spin(__u64 loops, char *mem)
{
	__u64 x = loops | 1, i;

	for (i = 0; i < loops; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (mem && !(i & 7))
			x ^= touch(mem, opts.mem, x);
		else if (shared_mem && (i & 7) == 4)
			x ^= touch(shared_mem, opts.shared_mem, x) & 1;
	}
	/* The result is "used", or the loop would be optimized away. */
	__asm__ __volatile__("" : : "r"(x) : "memory");
}

/* Burns until this task's CPU clock has advanced by ns; returns by how much it did. */
static __u64 burn(__u64 ns, char *mem, __u64 *loops, cpu_set_t *seen)
{
	__u64 begin = now_ns(CLOCK_THREAD_CPUTIME_ID), last = begin, now, took;
	int cpu;

	while (last - begin < ns && !stopped()) {
		spin(*loops, mem);
		now = now_ns(CLOCK_THREAD_CPUTIME_ID);
		cpu = sched_getcpu();
		if (cpu >= 0 && cpu < CPU_SETSIZE)
			CPU_SET(cpu, seen);
		took = now - last ? now - last : 1;
		/* A stolen virtual CPU makes one chunk long: change the pace by steps. */
		if (took < CHUNK_NS / 2)
			*loops *= 2;
		else if (took > CHUNK_NS * 2 && *loops > 64)
			*loops /= 2;
		last = now;
	}
	return last - begin;
}

/* Field 2 of schedstat: ns that this task waited on a run queue. */
static __u64 read_wait_ns(void)
{
	unsigned long long run, wait = 0;
	FILE *file = fopen("/proc/thread-self/schedstat", "re");

	if (file) {
		if (fscanf(file, "%llu %llu", &run, &wait) != 2)
			wait = 0;
		fclose(file);
	}
	return wait;
}

static long read_migrations(void)
{
	FILE *file = fopen("/proc/thread-self/sched", "re");
	long migrations = -1;
	char line[128];

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "se.nr_migrations : %ld", &migrations) == 1)
			break;
	}
	fclose(file);
	return migrations;
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

static void work(unsigned int id, struct task_result *result, char *mem)
{
	__u64 random = opts.seed * 1000003 + id, loops = 4096;
	__u64 amount = vary(opts.cpu_ns, &random) / opts.phases;
	unsigned int phase;

	for (phase = 0; phase < opts.phases; phase++) {
		__u64 left = amount;

		gather_and_release(result);
		if (!phase) {
			result->start_ns = now_ns(CLOCK_MONOTONIC);
			sleep_ns(opts.stagger_ns * id / opts.tasks);
		}
		while (left && !stopped()) {
			__u64 part = opts.burst_ns ? vary(opts.burst_ns, &random) : left;
			__u64 burned = burn(part < left ? part : left, mem, &loops,
					       &result->cpus);

			result->burned_ns += burned;
			left -= burned < left ? burned : left;
			if (left && opts.sleep_ns)
				sleep_ns(vary(opts.sleep_ns, &random));
		}
	}
	result->end_ns = now_ns(CLOCK_MONOTONIC);
}

static void *run_task(void *arg)
{
	unsigned int id = (uintptr_t)arg;
	struct task_result *result = &board->results[id];
	char *mem = NULL;
	__u64 waited = read_wait_ns();
	struct rusage usage;

	/* On Linux a thread has a nice value of its own. */
	if (opts.nice && (id & 1) && setpriority(PRIO_PROCESS, 0, opts.nice))
		result->failed = true;
	if (opts.mem) {
		mem = mmap(NULL, opts.mem, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (mem == MAP_FAILED) {
			mem = NULL;
			result->failed = true;
		}
	}
	work(id, result, mem);
	result->wait_ns = read_wait_ns() - waited;
	result->migrations = read_migrations();
	if (!getrusage(RUSAGE_THREAD, &usage)) {
		result->voluntary = usage.ru_nvcsw;
		result->involuntary = usage.ru_nivcsw;
	}
	if (mem)
		munmap(mem, opts.mem);
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
	char path[80], text[1024], *at, *end;
	unsigned long first, last;
	FILE *file;

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
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist", opts.start_id);
	file = fopen(path, "re");
	if (!file || !fgets(text, sizeof(text), file)) {
		fprintf(stderr, "burn: no NUMA node %u here (%s: %s)\n", opts.start_id, path,
			strerror(errno));
		exit(EXIT_USAGE);
	}
	fclose(file);
	for (at = text; *at >= '0' && *at <= '9'; at = *end == ',' ? end + 1 : end) {
		first = strtoul(at, &end, 10);
		last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
		for (; first <= last && first < CPU_SETSIZE; first++)
			CPU_SET(first, &start_cpus);
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
	size_t i;

	if (sched_getaffinity(0, sizeof(usual_cpus), &usual_cpus))
		die("sched_getaffinity");
	if (opts.start_at != START_ANYWHERE)
		read_start_cpus();
	board = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		die("memory for the results");
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&board->gathered, &attr, opts.tasks);
	if (opts.shared_mem) {
		shared_mem = mmap(NULL, opts.shared_mem, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (shared_mem == MAP_FAILED)
			die("--shared-kib");
		for (i = 0; i < opts.shared_mem; i += PAGE)
			shared_mem[i] = 1;
	}
	sigaction(SIGALRM, &action, NULL);
	alarm(opts.timeout);
}

static void put(const char *name, const char *unit, double value)
{
	if (opts.stats)
		printf("%s %.*f\n", name, *unit == 'm' ? 3 : 0, value);
	else
		printf("%-22s %12.*f %s\n", name, *unit == 'm' ? 1 : 0, value, unit);
}

/* Returns true when a task could not set itself up as asked. */
static bool report(void)
{
	__u64 first = ~0ULL, last = 0, burned = 0, wait = 0, wait_max = 0;
	long voluntary = 0, involuntary = 0, migrations = 0;
	bool failed = false, migrations_known = true;
	unsigned int i;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	for (i = 0; i < opts.tasks; i++) {
		const struct task_result *result = &board->results[i];

		first = result->start_ns < first ? result->start_ns : first;
		last = result->end_ns > last ? result->end_ns : last;
		burned += result->burned_ns;
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
	put("burned_ms", "ms of own CPU time", (double)burned / NS_PER_MS);
	put("wait_ms", "ms on run queues", (double)wait / NS_PER_MS);
	put("wait_max_ms", "ms, the worst task", (double)wait_max / NS_PER_MS);
	put("voluntary_switches", "", voluntary);
	put("involuntary_switches", "", involuntary);
	if (migrations_known)
		put("migrations", "", migrations);
	put("cpus_used", "", CPU_COUNT(&cpus));
	put("timed_out", "", stopped());
	if (failed)
		fprintf(stderr, "burn: a task could not set its affinity, nice value or memory\n");
	return failed;
}

static const char doc[] =
	"Start tasks that each burn a given amount of their own CPU time, and report how long all took.\n"
	"\vTimes are in milliseconds and may have a fraction.\n\n"
	"Exit status: 0 all done, 1 error, 2 wrong usage,\n"
	"3 stopped by --timeout (the figures are printed all the same).\n";

static const struct argp_option option_table[] = {
	{ "tasks", 'n', "N", 0, "number of tasks (default 1)", 0 },
	{ "cpu-ms", 'c', "MS", 0, "CPU time that each task burns (default 1000)", 0 },
	{ "burst-ms", 'b', "MS", 0, "burn in bursts of this length (default: one)", 0 },
	{ "sleep-ms", 'z', "MS", 0, "sleep this long between bursts (default 0)", 0 },
	{ "spread", 's', "PERCENT", 0, "let each amount, burst and sleep vary by so much", 0 },
	{ "phases", 'P', "N", 0, "split the work; all tasks gather between the parts", 0 },
	{ "start", 'a', "cpu:N|node:N", 0, "gather there before each part, then be let go", 0 },
	{ "stagger-ms", 'g', "MS", 0, "spread the tasks' starts over this time", 0 },
	{ "mem-kib", 'm', "KIB", 0, "memory that each task touches while it burns", 0 },
	{ "shared-kib", 'M', "KIB", 0, "memory that all tasks touch", 0 },
	{ "nice", 'N', "N", 0, "nice value of every second task", 0 },
	{ "processes", 'p', NULL, 0, "processes instead of threads", 0 },
	{ "seed", 'r', "N", 0, "seed of the variation (default 1)", 0 },
	{ "timeout", 't', "SECONDS", 0, "stop after this time (default 300)", 0 },
	{ "stats", 'S', NULL, 0, "print plain `name value' lines", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static double parse_number(const char *arg, double min, double max, struct argp_state *state)
{
	char *end;
	double value = strtod(arg, &end);

	if (end == arg || *end || !(value >= min && value <= max))
		argp_error(state, "'%s' is not a number from %.0f to %.0f", arg, min, max);
	return value;
}

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
		opts.start_id = parse_number(number + 1, 0, CPU_SETSIZE - 1, state);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'n':
		opts.tasks = parse_number(arg, 1, MAX_TASKS, state);
		return 0;
	case 'c':
		opts.cpu_ns = parse_number(arg, 1, 3.6e6, state) * NS_PER_MS;
		return 0;
	case 'b':
		opts.burst_ns = parse_number(arg, 0, 3.6e6, state) * NS_PER_MS;
		return 0;
	case 'z':
		opts.sleep_ns = parse_number(arg, 0, 3.6e6, state) * NS_PER_MS;
		return 0;
	case 's':
		opts.spread = parse_number(arg, 0, 100, state);
		return 0;
	case 'P':
		opts.phases = parse_number(arg, 1, 10000, state);
		return 0;
	case 'a':
		parse_start(arg, state);
		return 0;
	case 'g':
		opts.stagger_ns = parse_number(arg, 0, 3.6e6, state) * NS_PER_MS;
		return 0;
	case 'm':
		opts.mem = (size_t)parse_number(arg, 4, 1e9, state) / 4 * PAGE;
		return 0;
	case 'M':
		opts.shared_mem = (size_t)parse_number(arg, 4, 1e9, state) / 4 * PAGE;
		return 0;
	case 'N':
		opts.nice = parse_number(arg, -20, 19, state);
		return 0;
	case 'p':
		opts.processes = true;
		return 0;
	case 'r':
		opts.seed = parse_number(arg, 0, 9e15, state);
		return 0;
	case 't':
		opts.timeout = parse_number(arg, 1, 86400, state);
		return 0;
	case 'S':
		opts.stats = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
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

	argp_err_exit_status = EXIT_USAGE;
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
