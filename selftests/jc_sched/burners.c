// SPDX-License-Identifier: GPL-2.0
/*
 * A load that the load balancer has to work on: tasks are gathered on one CPU,
 * released at once to all, and watched until every CPU has run one of them;
 * then gathered on the next CPU, and so on. Some of the tasks sleep now and
 * then, so that tasks that ran a moment ago (cache-hot ones) are seen too.
 *
 * Prints one line of "name value" pairs at the end:
 *   bursts       how often tasks were released
 *   spread       after how many of these every CPU ran at least one of them
 *   reached      percentage of CPUs that did, over all bursts
 *   settle_med   median of the ms that this took (of the ones that got there)
 *   settle_max   the longest
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MAX_TASKS	1024
#define MAX_BURSTS	4096
#define SAMPLE_MS	5

struct shared {
	unsigned int burst;
	unsigned int used[CPU_SETSIZE];	/* the last burst that ran there */
};

static struct shared *shared;
static pid_t tasks[MAX_TASKS];
static cpu_set_t all_cpus;
static int stop;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
}

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000,
	};

	nanosleep(&ts, NULL);
}

static void task(bool sleeper, unsigned int seed)
{
	struct timespec nap = { 0 };
	unsigned int rounds = 0;

	for (;;) {
		unsigned int burst;
		int cpu, i;

		burst = __atomic_load_n(&shared->burst, __ATOMIC_ACQUIRE);
		for (i = 0; i < 20000; i++)
			asm volatile("" : "+r" (i));
		/* Gathered (odd) or released while burning: does not count. */
		cpu = sched_getcpu();
		if (cpu >= 0 && cpu < CPU_SETSIZE && !(burst & 1) &&
		    burst == __atomic_load_n(&shared->burst, __ATOMIC_ACQUIRE))
			__atomic_store_n(&shared->used[cpu], burst,
					 __ATOMIC_RELAXED);
		if (sleeper && ++rounds % 4 == 0) {
			seed = seed * 1103515245 + 12345;
			nap.tv_nsec = 100000 + seed / 65536 % 400000;
			nanosleep(&nap, NULL);
		}
	}
}

static void move_tasks(int nr, const cpu_set_t *to)
{
	int i;

	for (i = 0; i < nr; i++)
		sched_setaffinity(tasks[i], sizeof(*to), to);
}

/* CPUs may go away under us: those that refuse are passed over. */
static int gather(int nr, int cpu)
{
	cpu_set_t one;
	int i;

	for (i = 0; i < CPU_SETSIZE; i++, cpu++) {
		cpu %= CPU_SETSIZE;
		if (!CPU_ISSET(cpu, &all_cpus))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (!sched_setaffinity(tasks[0], sizeof(one), &one))
			break;
	}
	move_tasks(nr, &one);
	return cpu;
}

static unsigned int cpus_used(unsigned int burst)
{
	unsigned int nr = 0;
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all_cpus) &&
		    __atomic_load_n(&shared->used[cpu], __ATOMIC_RELAXED) ==
		    burst)
			nr++;
	return nr;
}

/*
 * Returns the ms until @want CPUs were used, or -1 if this never came.
 * @early: do not stay longer than that.
 */
static long watch(long ms, unsigned int burst, unsigned int want, bool early)
{
	long start = now_ms(), settled = -1;

	while (!stopped() && now_ms() - start < ms) {
		sleep_ms(SAMPLE_MS);
		if (settled < 0 && cpus_used(burst) >= want)
			settled = now_ms() - start;
		if (early && settled >= 0)
			break;
	}
	return settled;
}

static int by_value(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

static void usage(const char *name)
{
	fprintf(stderr,
		"Usage: %s [-n TASKS] [-s SLEEPERS] [-t MS] [-b BURSTS]\n"
		"       [-g MS] [-r MS] [-e] [-c CPU]\n"
		"  -n  number of tasks (default: two per CPU)\n"
		"  -s  how many of them sleep now and then (default: half)\n"
		"  -t  how long in all, 0 = until a signal comes (default 3000)\n"
		"  -b  how many bursts at most (default: any number)\n"
		"  -g  how long gathered on one CPU (default 50)\n"
		"  -r  how long released (default 250)\n"
		"  -e  gather again as soon as every CPU ran one of them\n"
		"  -c  gather always on this CPU (default: each in turn)\n",
		name);
	exit(2);
}

static long parse(const char *name, const char *arg, long min, long max)
{
	char *end;
	long val;

	errno = 0;
	val = strtol(arg, &end, 10);
	if (errno || end == arg || *end || val < min || val > max) {
		fprintf(stderr, "%s: '%s' is not a number from %ld to %ld\n",
			name, arg, min, max);
		exit(2);
	}
	return val;
}

static int start_tasks(int nr, int sleepers)
{
	int i;

	for (i = 0; i < nr; i++) {
		tasks[i] = fork();
		if (tasks[i] < 0) {
			perror("fork");
			return i;
		}
		if (!tasks[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			signal(SIGTERM, SIG_DFL);
			signal(SIGINT, SIG_DFL);
			task(i < sleepers, i);
		}
	}
	return nr;
}

int main(int argc, char **argv)
{
	long total = 3000, gathered = 50, released = 250, start;
	int nr = 0, sleepers = -1, fixed = -1, cpu = 0, opt, i, ncpus;
	unsigned int bursts = 0, spread = 0, max_bursts = 0, used = 0, want;
	bool early = false;
	static long settle[MAX_BURSTS];

	while ((opt = getopt(argc, argv, "n:s:t:b:g:r:ec:")) != -1) {
		switch (opt) {
		case 'n':
			nr = parse("-n", optarg, 1, MAX_TASKS);
			break;
		case 's':
			sleepers = parse("-s", optarg, 0, MAX_TASKS);
			break;
		case 't':
			total = parse("-t", optarg, 0, 86400000);
			break;
		case 'b':
			max_bursts = parse("-b", optarg, 1, MAX_BURSTS);
			break;
		case 'g':
			gathered = parse("-g", optarg, 1, 60000);
			break;
		case 'r':
			released = parse("-r", optarg, 1, 60000);
			break;
		case 'e':
			early = true;
			break;
		case 'c':
			fixed = parse("-c", optarg, 0, CPU_SETSIZE - 1);
			break;
		default:
			usage(argv[0]);
		}
	}
	if (optind != argc)
		usage(argv[0]);

	if (sched_getaffinity(0, sizeof(all_cpus), &all_cpus)) {
		perror("sched_getaffinity");
		return 1;
	}
	ncpus = CPU_COUNT(&all_cpus);
	if (!nr)
		nr = ncpus * 2 < MAX_TASKS ? ncpus * 2 : MAX_TASKS;
	if (sleepers < 0)
		sleepers = nr / 2;

	want = nr < ncpus ? nr : ncpus;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	shared->burst = 1;
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);

	i = start_tasks(nr, sleepers);
	start = now_ms();
	while (i == nr && !stopped() && (!total || now_ms() - start < total) &&
	       (!max_bursts || bursts < max_bursts)) {
		unsigned int burst = shared->burst;
		long took;

		cpu = gather(nr, fixed >= 0 ? fixed : cpu);
		sleep_ms(gathered);
		if (stopped())
			break;
		__atomic_store_n(&shared->burst, ++burst, __ATOMIC_RELEASE);
		move_tasks(nr, &all_cpus);
		took = watch(released, burst, want, early);
		used += cpus_used(burst);
		__atomic_store_n(&shared->burst, ++burst, __ATOMIC_RELEASE);
		cpu++;
		bursts++;
		if (took >= 0) {
			settle[spread % MAX_BURSTS] = took;
			spread++;
		}
	}

	for (opt = 0; opt < i; opt++)
		kill(tasks[opt], SIGKILL);
	while (wait(NULL) > 0)
		;
	if (i < nr)
		return 1;

	opt = spread < MAX_BURSTS ? spread : MAX_BURSTS;
	qsort(settle, opt, sizeof(settle[0]), by_value);
	printf("bursts %u spread %u reached %u settle_med %ld settle_max %ld\n",
	       bursts, spread, bursts ? used * 100 / (bursts * want) : 0,
	       opt ? settle[opt / 2] : -1, opt ? settle[opt - 1] : -1);
	return 0;
}
