// SPDX-License-Identifier: GPL-2.0
/*
 * flowmage verify: on which CPUs do the packets of each entry of state arrive?
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/types.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>
#include "devquery.h"
#include "flowmage.h"
#include "probe.h"
#include "probe.skel.h"
#include "solve.h"

enum { OPT_IDLE = 256, OPT_PROGRESS };

#define MAX_CPUS	1024
#define TICKS		20	/* looks at the counters per second */

struct options {
	char *devices[STEER_DEVICES];
	unsigned int n_devices;
	unsigned long long count;
	unsigned int idle;
	bool progress;
};

static const struct argp_option options[] = {
	{ "count", 'n', "N", 0, "end after so many packets with a mark", 0 },
	{ "idle", OPT_IDLE, "SECONDS", 0,
	  "end when for so long none has come, after the first (default 3)", 0 },
	{ "progress", OPT_PROGRESS, NULL, 0, "tell meanwhile how many have come", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'n':
		o->count = parse_number(state, "the count", arg, 1, UINT64_MAX);
		break;
	case OPT_IDLE:
		o->idle = parse_number(state, "--idle", arg, 1, 3600);
		break;
	case OPT_PROGRESS:
		o->progress = true;
		break;
	case ARGP_KEY_ARG:
		if (o->n_devices == STEER_DEVICES)
			argp_error(state, "'%s' is one too many", arg);
		o->devices[o->n_devices++] = arg;
		break;
	case ARGP_KEY_END:
		if (!o->n_devices)
			argp_error(state, "which device?");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "DEVICE...",
	.doc = "Count packets by the CPU that they arrive on, with a probe in XDP, and tell how "
	       "many came to another CPU than most of their state's. The sender says in a mark which "
	       "state "
	       "a packet belongs to; packets without one pass.\vIt prints JSON when it ends.",
};

/*
 * A link, which goes with the program that holds it, whatever ends that. Where the driver does not
 * take the probe the kernel runs it for all drivers, later and slower, but on the same CPU.
 */
static int attach_one(int prog, const char *name)
{
	LIBBPF_OPTS(bpf_link_create_opts, generic, .flags = XDP_FLAGS_SKB_MODE);
	int index = if_nametoindex(name), link;

	link = index ? bpf_link_create(prog, index, BPF_XDP, NULL) : -ENODEV;
	if (link < 0 && link != -EBUSY && link != -EEXIST && index)
		link = bpf_link_create(prog, index, BPF_XDP, &generic);
	if (link < 0)
		complain("%s: %s", name, link == -EBUSY || link == -EEXIST ?
			 "it has an XDP program already" : strerror(-link));
	return link;
}

static int attach(const struct options *o, int prog, int *links)
{
	unsigned int i;

	for (i = 0; i < o->n_devices; i++) {
		links[i] = attach_one(prog, o->devices[i]);
		if (links[i] < 0 || device_renew(o->devices[i]))
			return EXIT_OTHER;
	}
	return 0;
}

/* 0, or EXIT_OTHER: complained of a device that may not steer as before. */
static int detach(const struct options *o, const int *links)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < o->n_devices; i++) {
		if (links[i] < 0)
			continue;
		close(links[i]);
		if (device_renew(o->devices[i]))
			ret = EXIT_OTHER;
	}
	return ret;
}

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* Whoever interrupts it gets what was counted, and devices as they were. */
static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = stop };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int read_counter(int map, __u32 which, uint64_t *per_cpu, unsigned int cpus, uint64_t *sum)
{
	unsigned int i;

	memset(per_cpu, 0, cpus * sizeof(*per_cpu));
	if (bpf_map_lookup_elem(map, &which, per_cpu))
		return complain("the probe's counters: %s", strerror(errno));
	for (i = 0, *sum = 0; i < cpus; i++)
		*sum += per_cpu[i];
	return 0;
}

/* Until the packets are there, or no more come, or somebody interrupts. */
static int wait_for(const struct options *o, int map, uint64_t *per_cpu, unsigned int cpus)
{
	const struct timespec tick = { .tv_nsec = 1000000000 / TICKS };
	unsigned int quiet = 0;
	uint64_t sum = 0, before;

	do {
		before = sum;
		nanosleep(&tick, NULL);
		if (read_counter(map, 0, per_cpu, cpus, &sum))
			return EXIT_OTHER;
		quiet = sum == before && sum ? quiet + 1 : 0;
		if (o->progress && sum != before) {
			printf("{\"seen\": %llu}\n", (unsigned long long)sum);
			fflush(stdout);
		}
	} while (!stopped && (!o->count || sum < o->count) && quiet < o->idle * TICKS);
	return 0;
}

struct entry {
	struct probe_key key;
	uint64_t count;
};

static int by_state(const void *a, const void *b)
{
	return memcmp(a, b, 2 * sizeof(__u32));
}

static struct entry *read_entries(int map, size_t *n)
{
	struct entry *list = NULL, *more;
	struct probe_key key, *last = NULL;
	size_t room = 0;

	*n = 0;
	while (!bpf_map_get_next_key(map, last, &key)) {
		last = &key;
		if (*n == room) {
			room = room ? 2 * room : 4096;
			more = realloc(list, room * sizeof(*more));
			if (!more)
				goto out;
			list = more;
		}
		list[*n].key = key;
		if (!bpf_map_lookup_elem(map, &key, &list[*n].count))
			++*n;
	}
	qsort(list, *n, sizeof(*list), by_state);
	return list ? list : malloc(1);
out:
	free(list);
	return NULL;
}

/*
 * Per map of the chain: packets; entries, and those that packets of several CPUs come to; the
 * packets of these, and of them those on another CPU than most of the entry's.
 */
static struct json_object *maps_json(const struct entry *list, size_t n)
{
	uint64_t packets, most, states, split, foreign, shared, all;
	struct json_object *maps = json_object_new_array(), *o;
	size_t i = 0, end;
	__u32 map;

	while (i < n) {
		map = list[i].key.map;
		packets = states = split = foreign = shared = 0;
		for (; i < n && list[i].key.map == map; i = end) {
			all = 0;
			most = 0;
			for (end = i; end < n && !by_state(&list[i], &list[end]); end++) {
				all += list[end].count;
				if (list[end].count > most)
					most = list[end].count;
			}
			packets += all;
			foreign += all - most;
			states++;
			split += end - i > 1;
			shared += end - i > 1 ? all : 0;
		}
		o = json_object_new_object();
		json_object_object_add(o, "map", json_object_new_int(map));
		json_object_object_add(o, "packets", json_object_new_int64(packets));
		json_object_object_add(o, "entries", json_object_new_int64(states));
		json_object_object_add(o, "entries_on_several_cpus", json_object_new_int64(split));
		json_object_object_add(o, "shared", json_object_new_int64(shared));
		json_object_object_add(o, "foreign", json_object_new_int64(foreign));
		json_object_array_add(maps, o);
	}
	return maps;
}

static int report(const struct probe_bpf *probe, const uint64_t *per_cpu, unsigned int cpus)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	uint64_t lost_cpu[MAX_CPUS], lost, sum = 0;
	struct entry *entries;
	unsigned int i;
	size_t n;

	if (read_counter(bpf_map__fd(probe->maps.packets), 1, lost_cpu, cpus, &lost))
		return EXIT_OTHER;
	entries = read_entries(bpf_map__fd(probe->maps.seen), &n);
	if (!entries)
		return complain("out of memory");
	for (i = 0; i < cpus; i++) {
		sum += per_cpu[i];
		json_object_array_add(list, json_object_new_int64(per_cpu[i]));
	}
	json_object_object_add(o, "packets", json_object_new_int64(sum));
	json_object_object_add(o, "per_cpu", list);
	json_object_object_add(o, "not_kept", json_object_new_int64(lost));
	json_object_object_add(o, "maps", maps_json(entries, n));
	free(entries);
	print_json_line(o);
	return 0;
}

int cmd_verify(int argc, char **argv)
{
	struct options o = { .idle = 3 };
	static uint64_t per_cpu[MAX_CPUS];
	int links[STEER_DEVICES] = { -1, -1, -1, -1 };
	int cpus, ret = EXIT_OTHER;
	struct probe_bpf *probe;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	cpus = libbpf_num_possible_cpus();
	if (cpus < 1 || cpus > MAX_CPUS)
		return complain("%d CPUs: 1 to %d", cpus, MAX_CPUS);
	catch_signals();
	/* one line says what went wrong */
	libbpf_set_print(NULL);
	probe = probe_bpf__open_and_load();
	if (!probe)
		return complain("the probe could not be loaded: %s", strerror(errno));
	if (attach(&o, bpf_program__fd(probe->progs.flowmage_probe), links))
		goto out;
	/* whoever sends waits for this */
	printf("{\"ready\": true}\n");
	fflush(stdout);
	ret = wait_for(&o, bpf_map__fd(probe->maps.packets), per_cpu, cpus);
	if (!ret)
		ret = report(probe, per_cpu, cpus);
out:
	if (detach(&o, links))
		ret = EXIT_OTHER;
	probe_bpf__destroy(probe);
	return ret;
}
