/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What burn needs beside its tasks: memory with a home
 *
 * The stated cost of distance: a task's home is the node to which its memory is
 * bound. CPU time on another node counts 1/FACTOR, so that the task burns FACTOR
 * times as much there; each move across nodes costs a fixed amount more. Both
 * are charged per chunk of about a millisecond, by the nodes on which the task
 * was before and after: a move in between counts half and half, a move there
 * and back is not seen.
 *
 * The pages stay at home, whatever the kernel's NUMA balancing makes of the
 * accesses: MPOL_BIND. But it still samples them (MPOL_F_NUMA_BALANCING), so
 * the kernel can learn where a task's home is, as on hardware.
 */
#ifndef BURN_H
#define BURN_H

#include <dirent.h>
#include <linux/mempolicy.h>
#include <linux/types.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

#ifndef MPOL_F_NUMA_BALANCING
#define MPOL_F_NUMA_BALANCING (1 << 13)
#endif

#define MAX_NODES	64

#define NS_PER_MS	1000000ULL

enum start_at { START_ANYWHERE, START_CPU, START_NODE };
enum home_at { HOME_NONE, HOME_FIRST, HOME_SPREAD, HOME_NODE };

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
	bool per_task;
	bool histogram;
	double remote;
	__u64 move_ns;
	enum home_at home_at;
	unsigned int home_id;
};

struct task_result {
	__u64 start_ns;
	__u64 arrival_ns;	/* its own start: the stagger is over */
	__u64 end_ns;
	__u64 burned_ns;
	__u64 wait_ns;
	long voluntary;
	long involuntary;
	long migrations;	/* -1: the kernel does not tell */
	bool failed;
	cpu_set_t cpus;
	int home;		/* node, -1: none */
	__u64 away_ns;		/* own CPU time on other nodes */
	__u64 charged_ns;	/* of the burned time: what distance cost */
	long crossings;		/* moves across nodes that were seen */
	struct histogram waits;
};

static inline __u64 next_random(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Field 2 of schedstat: ns that this task waited on a run queue. */
static inline __u64 read_wait_ns(void)
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

static inline long read_migrations(void)
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

/* Adds a node's CPUs; false if there is no such node. */
static inline bool read_node_cpus(unsigned int node, cpu_set_t *cpus)
{
	char path[80], text[1024], *at, *end;
	unsigned long first, last;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist", node);
	file = fopen(path, "re");
	if (!file)
		return false;
	at = fgets(text, sizeof(text), file);
	fclose(file);
	for (; at && *at >= '0' && *at <= '9'; at = *end == ',' ? end + 1 : end) {
		first = strtoul(at, &end, 10);
		last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
		for (; first <= last && first < CPU_SETSIZE; first++)
			CPU_SET(first, cpus);
	}
	return true;
}

/* Highest number of a node, and one; 1 on a kernel without NUMA. */
static inline unsigned int node_count(void)
{
	static unsigned int count;
	DIR *dir = count ? NULL : opendir("/sys/devices/system/node");
	const struct dirent *entry;
	unsigned int node;

	if (dir) {
		while ((entry = readdir(dir))) {
			if (sscanf(entry->d_name, "node%u", &node) == 1 && node < MAX_NODES &&
			    node >= count)
				count = node + 1;
		}
		closedir(dir);
	}
	if (!count)
		count = 1;
	return count;
}

/* Of shared memory, each node holds one part, in whole pages. */
static inline size_t shared_part(size_t size)
{
	return size / 4096 / node_count() * 4096;
}

/* Memory with a policy of its own is not sampled, unless the policy says so. */
static inline bool hide_from_balancing(void *mem, size_t size)
{
	unsigned long mask = node_count() < MAX_NODES ? (1UL << node_count()) - 1 : ~0UL;

	return node_count() == 1 ||
	       !syscall(SYS_mbind, mem, size, MPOL_INTERLEAVE, &mask, MAX_NODES + 1, 0);
}

/* Binds and touches the memory; false if it cannot be bound. */
static inline bool bind_memory(char *mem, size_t size, unsigned int node)
{
	unsigned long mask = 1UL << node;
	size_t i;

	if (node_count() > 1 &&
	    syscall(SYS_mbind, mem, size, MPOL_BIND | MPOL_F_NUMA_BALANCING, &mask,
		    MAX_NODES + 1, 0))
		return false;
	for (i = 0; i < size; i += 4096)
		mem[i] = 1;
	return true;
}

#endif /* BURN_H */
