/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the machine and its kernel are
 */
#ifndef FACTS_H
#define FACTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <json-c/json.h>
#include <bpf/btf.h>

#define MAX_NODES	64

enum topology { TOPOLOGY_DIRECT, TOPOLOGY_GLUELESS_MESH, TOPOLOGY_BACKPLANE };

struct nodes {
	int nr_cpus;		/* possible ones */
	int *of_cpu;
	int nr;			/* highest node + 1 */
	int distance[MAX_NODES][MAX_NODES];	/* 0: no such node */
	int max_distance;
	enum topology topology;
};

int nodes_read(struct nodes *n);

/* value of an enumerator, wherever it is defined; false: there is none */
bool enumerator(const struct btf *btf, const char *name, __s64 *value);
/* {"0": "rule", ...} of an enum, less the prefix, in lower case */
struct json_object *enum_names(const struct btf *btf, const char *name, const char *prefix);
bool is_function(const struct btf *btf, const char *name);
bool is_type(const struct btf *btf, const char *name, __u32 kind);

/* Can every call of the function be seen? Says why not. */
int check_symbol(const struct btf *btf, const char *name);

struct json_object *machine(void);
bool sched_feature(const char *name);
/* tasks that balancing moved, by schedstats; false: they are off or unknown */
bool tasks_gained(unsigned long long *sum);

#endif /* FACTS_H */
