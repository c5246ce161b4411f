// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes, constants of the kernel, and what a reader of the data must know
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "facts.h"
#include "util.h"

#define NODES		"/sys/devices/system/node"
#define DEBUG_SCHED	"/sys/kernel/debug/sched"

/* Calls a function for every number of a list as 0-3,8. */
static void each_of_list(const char *list, void (*call)(int number, void *data), void *data)
{
	int first, last, n;

	while (sscanf(list, "%d%n", &first, &n) == 1) {
		list += n;
		last = first;
		if (*list == '-' && sscanf(list, "-%d%n", &last, &n) == 1)
			list += n;
		for (; first <= last; first++)
			call(first, data);
		if (*list++ != ',')
			break;
	}
}

struct cpu_to_node {
	struct nodes *nodes;
	int node;
};

static void put_cpu(int cpu, void *data)
{
	struct cpu_to_node *c = data;

	if (cpu < c->nodes->nr_cpus)
		c->nodes->of_cpu[cpu] = c->node;
}

struct online {
	int node[MAX_NODES];
	int nr;
	bool too_many;
};

static void put_node(int node, void *data)
{
	struct online *o = data;

	if (node >= MAX_NODES)
		o->too_many = true;
	else if (o->nr < MAX_NODES)
		o->node[o->nr++] = node;
}

/* As init_numa_topology_type() of the kernel finds it. */
static enum topology topology_of(const struct nodes *n, const struct online *o)
{
	int levels = 0, last = 0, d, a, b, c;
	bool between;

	for (d = 1; d <= n->max_distance; d++)
		for (a = 0; a < o->nr && last != d; a++)
			for (b = 0; b < o->nr; b++)
				if (n->distance[o->node[a]][o->node[b]] == d) {
					levels++;
					last = d;
					break;
				}
	if (levels <= 2)
		return TOPOLOGY_DIRECT;
	for (a = 0; a < o->nr; a++)
		for (b = 0; b < o->nr; b++) {
			if (n->distance[o->node[a]][o->node[b]] < n->max_distance)
				continue;
			between = false;
			for (c = 0; c < o->nr; c++)
				if (n->distance[o->node[a]][o->node[c]] < n->max_distance &&
				    n->distance[o->node[b]][o->node[c]] < n->max_distance)
					between = true;
			return between ? TOPOLOGY_GLUELESS_MESH : TOPOLOGY_BACKPLANE;
		}
	return TOPOLOGY_DIRECT;
}

int nodes_read(struct nodes *n)
{
	struct online online = {};
	char path[128], line[4096], *at;
	int i, k, d, used;

	memset(n, 0, sizeof(*n));
	n->nr_cpus = libbpf_num_possible_cpus();
	if (n->nr_cpus <= 0)
		return fail("cannot tell the number of CPUs");
	n->of_cpu = need(calloc(n->nr_cpus, sizeof(int)));
	n->nr = 1;
	if (!first_line(NODES "/online", line, sizeof(line)))
		return 0;	/* a kernel without NUMA */
	each_of_list(line, put_node, &online);
	if (online.too_many)
		return fail("more than %d nodes: build with a larger MAX_NODES", MAX_NODES);
	for (i = 0; i < online.nr; i++) {
		struct cpu_to_node c = { n, online.node[i] };

		if (c.node >= n->nr)
			n->nr = c.node + 1;
		snprintf(path, sizeof(path), NODES "/node%d/cpulist", c.node);
		if (first_line(path, line, sizeof(line)))
			each_of_list(line, put_cpu, &c);
		snprintf(path, sizeof(path), NODES "/node%d/distance", c.node);
		if (!first_line(path, line, sizeof(line)))
			continue;
		for (at = line, k = 0; k < online.nr && sscanf(at, "%d%n", &d, &used) == 1;
		     k++, at += used) {
			n->distance[c.node][online.node[k]] = d;
			if (d > n->max_distance)
				n->max_distance = d;
		}
	}
	n->topology = topology_of(n, &online);
	return 0;
}

bool enumerator(const struct btf *btf, const char *name, __s64 *value)
{
	__u32 id, n = btf__type_cnt(btf);
	int i;

	for (id = 1; id < n; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const struct btf_enum *e;

		if (!btf_is_enum(t))
			continue;
		e = btf_enum(t);
		for (i = 0; i < btf_vlen(t); i++)
			if (!strcmp(btf__name_by_offset(btf, e[i].name_off), name)) {
				*value = e[i].val;
				return true;
			}
	}
	return false;
}

struct json_object *enum_names(const struct btf *btf, const char *name, const char *prefix)
{
	struct json_object *names = json_object_new_object();
	__s32 id = btf__find_by_name_kind(btf, name, BTF_KIND_ENUM);
	const struct btf_type *t;
	const struct btf_enum *e;
	int i;

	if (id < 0)
		return names;
	t = btf__type_by_id(btf, id);
	e = btf_enum(t);
	for (i = 0; i < btf_vlen(t); i++) {
		const char *text = btf__name_by_offset(btf, e[i].name_off);
		char key[16], low[64];
		size_t k;

		if (strncmp(text, prefix, strlen(prefix)))
			continue;
		text += strlen(prefix);
		for (k = 0; text[k] && k < sizeof(low) - 1; k++)
			low[k] = tolower(text[k]);
		low[k] = '\0';
		snprintf(key, sizeof(key), "%d", e[i].val);
		json_object_object_add(names, key, json_object_new_string(low));
	}
	return names;
}

bool is_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

bool is_type(const struct btf *btf, const char *name, __u32 kind)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

int check_symbol(const struct btf *btf, const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256], copy[256] = "";
	size_t length = strlen(name);
	bool found = false;

	if (!file)
		return fail("cannot read /proc/kallsyms: %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %*s %255s", symbol) != 1 || strncmp(symbol, name, length))
			continue;
		if (!symbol[length])
			found = true;
		else if (symbol[length] == '.' && strcmp(symbol + length, ".cold"))
			strcpy(copy, symbol);
	}
	fclose(file);
	if (*copy)
		return fail("this kernel's compiler made %s of %s(): its calls would be missed or its arguments misread. Boot a kernel that was built without -fipa-sra, -fipa-cp-clone and -fpartial-inlining, or one with CONFIG_JC_SCHED and leave out --old",
			    copy, name);
	if (!found)
		return fail("this kernel has no function %s(): it was renamed, or the compiler has put it into its callers. Boot a 5.5 to 6.12 kernel that has it in /proc/kallsyms, or one with CONFIG_JC_SCHED and leave out --old",
			    name);
	if (!is_function(btf, name))
		return fail("this kernel's BTF does not describe %s(), as pahole leaves out functions whose arguments the compiler has changed: build it with a newer pahole, or take a kernel with CONFIG_JC_SCHED and leave out --old",
			    name);
	return 0;
}

static void add_line(struct json_object *o, const char *key, const char *path)
{
	char line[512];

	if (!first_line(path, line, sizeof(line)))
		strcpy(line, "unknown");
	json_object_object_add(o, key, json_object_new_string(line));
}

struct json_object *machine(void)
{
	struct json_object *o = json_object_new_object();
	char line[512], text[sizeof(struct utsname)], model[256] = "unknown";
	FILE *file = fopen("/proc/cpuinfo", "re");
	struct utsname u;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "model name : %255[^\n]", model) == 1)
			break;
	if (file)
		fclose(file);
	uname(&u);
	snprintf(text, sizeof(text), "%s %s %s", u.sysname, u.release, u.machine);
	json_object_object_add(o, "kernel", json_object_new_string(text));
	json_object_object_add(o, "cpu", json_object_new_string(model));
	json_object_object_add(o, "cpus", json_object_new_int64(sysconf(_SC_NPROCESSORS_ONLN)));
	add_line(o, "vendor", "/sys/class/dmi/id/sys_vendor");
	add_line(o, "nodes", NODES "/online");
	add_line(o, "clocksource",
		 "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	add_line(o, "sched_jc", "/proc/sys/kernel/sched_jc");
	add_line(o, "sched_jc_explore", "/proc/sys/kernel/sched_jc_explore");
	add_line(o, "numa_balancing", "/proc/sys/kernel/numa_balancing");
	add_line(o, "sched_schedstats", "/proc/sys/kernel/sched_schedstats");
	add_line(o, "migration_cost_ns", DEBUG_SCHED "/migration_cost_ns");
	return o;
}

bool sched_feature(const char *name)
{
	char line[4096], *word, *next;

	if (!first_line(DEBUG_SCHED "/features", line, sizeof(line)))
		return true;	/* the kernel's default */
	for (word = strtok_r(line, " ", &next); word; word = strtok_r(NULL, " ", &next))
		if (!strcmp(word, name))
			return true;
	return false;
}

/*
 * A domain's line has a group of counters for each of three kinds of idleness;
 * lb_gained stands behind lb_count, lb_balanced, lb_failed and one or, from
 * version 17 on, four of imbalance.
 */
bool tasks_gained(unsigned long long *sum)
{
	char line[4096], *word, *next;
	int version = 0, group, gained, field, k;
	long on = 0;
	FILE *file;

	if (!read_number("/proc/sys/kernel/sched_schedstats", &on) || !on)
		return false;
	file = fopen("/proc/schedstat", "re");
	if (!file)
		return false;
	*sum = 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "version %d", &version) == 1 || strncmp(line, "domain", 6))
			continue;
		group = version >= 17 ? 11 : 8;
		gained = version >= 17 ? 7 : 4;
		/* domainN, [name,] mask, counters */
		field = version >= 17 ? -3 : -2;
		for (word = strtok_r(line, " \n", &next); word; word = strtok_r(NULL, " \n", &next)) {
			k = field++;
			if (k >= 0 && k < 3 * group && k % group == gained)
				*sum += strtoull(word, NULL, 10);
		}
	}
	fclose(file);
	return version >= 15;
}
