// SPDX-License-Identifier: GPL-2.0
/*
 * The BPF side
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "probe.h"
#include "util.h"
#include "dump_lb.skel.h"

#define TRACEPOINT	"btf_trace_jc_sched_decision"
#define FUNCTION	"can_migrate_task"
#define FAULT		"task_numa_fault"
#define MAX_SLOTS	(1U << 18)	/* of watched tasks */

/* What libbpf says is only of interest when something fails; then its end is. */
static char *complaints;
static size_t complaint_size;
static FILE *complaint_book;

#define TAIL	1500

static int hear(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (!complaint_book)
		complaint_book = open_memstream(&complaints, &complaint_size);
	if (level == LIBBPF_WARN && complaint_book)
		vfprintf(complaint_book, fmt, args);
	return 0;
}

static void complain(void)
{
	size_t skip;

	if (!complaint_book || fflush(complaint_book))
		return;
	skip = complaint_size > TAIL ? complaint_size - TAIL : 0;
	fprintf(stderr, "%s%s", skip ? "...\n" : "", complaints + skip);
}

/* Under lockdown the verifier's error depends on what a program uses. */
static bool locked_down(void)
{
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char line[128] = "";

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	return strstr(line, "[confidentiality]");
}

static int refused(const char *what, int err)
{
	say("%s: %s", what, strerror(err < 0 ? -err : err));
	complain();
	if (locked_down())
		say("kernel lockdown (confidentiality) keeps BPF from reading kernel memory: boot without it to record");
	else if (err == -EPERM || err == EPERM)
		say("although this is root: a container without CAP_BPF and CAP_PERFMON, or kernel lockdown?");
	return -1;
}

static __u32 power_of_two(__u64 at_least)
{
	__u32 n = 1;

	while (n < at_least && n < 1U << 31)
		n <<= 1;
	return n;
}

static int choose_programs(struct probe *p, const struct probe_options *o,
			   const struct btf *btf)
{
	struct dump_lb_bpf *skel = p->skel;
	bool schedstats;
	long on = 0;

	schedstats = read_number("/proc/sys/kernel/sched_schedstats", &on) && on;
	skel->rodata->has_schedstats = schedstats;
	bpf_program__set_autoload(skel->progs.on_decision, o->source == FROM_TRACEPOINT);
	bpf_program__set_autoload(skel->progs.on_return, o->source == FROM_FUNCTION);
	bpf_program__set_autoload(skel->progs.on_entry, o->source == FROM_FUNCTION && schedstats);
	bpf_program__set_autoload(skel->progs.bench, o->source == FROM_BENCH);
	bpf_program__set_autoload(skel->progs.on_migrate, o->outcomes);
	bpf_program__set_autoload(skel->progs.on_switch, o->outcomes);
	p->faults = o->outcomes && is_function(btf, FAULT);
	bpf_program__set_autoload(skel->progs.on_numa_fault, p->faults);
	/* called by hand */
	bpf_program__set_autoattach(skel->progs.bench, false);

	switch (o->source) {
	case FROM_TRACEPOINT:
		if (!is_type(btf, TRACEPOINT, BTF_KIND_TYPEDEF))
			return fail("this kernel has no tracepoint jc_sched:jc_sched_decision: boot one with CONFIG_JC_SCHED, or use --old");
		break;
	case FROM_FUNCTION:
		if (check_symbol(btf, FUNCTION))
			return -1;
		break;
	case FROM_BENCH:
		break;
	}
	return 0;
}

static int set_constants(struct probe *p, const struct probe_options *o, const struct btf *btf)
{
	struct dump_lb_bpf__rodata *c = p->skel->rodata;
	__s64 numa = 0, smt = 0, mem = 0;
	long cost = 500000, on = 0, pids = 32768;
	__u32 slots;

	c->wake_bytes = o->buffer / 4;
	c->outcomes = o->outcomes;
	c->horizon_ns = o->horizon_ns;
	while (1ULL << c->bucket_shift < o->horizon_ns / 64)
		c->bucket_shift++;
	p->bucket_ns = 1ULL << c->bucket_shift;

	read_number("/sys/kernel/debug/sched/migration_cost_ns", &cost);
	c->migration_cost = cost;
	c->numa_on = read_number("/proc/sys/kernel/numa_balancing", &on) && on;
	c->buddy_feature = sched_feature("CACHE_HOT_BUDDY");
	c->nr_nodes = p->nodes.nr;
	c->max_distance = p->nodes.max_distance;
	c->topology = p->nodes.topology;
	if (o->source == FROM_FUNCTION) {
		if (!enumerator(btf, "SD_NUMA", &numa) ||
		    (!enumerator(btf, "SD_SHARE_CPUCAPACITY", &smt)))
			return fail("this kernel's BTF does not name the flags of scheduling domains (SD_NUMA): it is older than 5.9");
		if (enumerator(btf, "NUMA_MEM", &mem) && mem)
			return fail("this kernel keeps its NUMA fault counters in another order");
	}
	c->sd_numa = numa;
	c->sd_smt = smt;

	read_number("/proc/sys/kernel/pid_max", &pids);
	slots = o->outcomes ? power_of_two(pids) : 1;
	if (slots > MAX_SLOTS)
		slots = MAX_SLOTS;
	c->watch_mask = slots - 1;
	bpf_map__set_max_entries(p->skel->maps.watched, slots);
	bpf_map__set_max_entries(p->skel->maps.watched_cpus, p->nodes.nr_cpus);
	bpf_map__set_max_entries(p->skel->maps.cpu_nodes, p->nodes.nr_cpus);
	bpf_map__set_max_entries(p->skel->maps.events, o->buffer);
	return 0;
}

static void fill_maps(struct probe *p)
{
	int fd = bpf_map__fd(p->skel->maps.cpu_nodes);
	__u32 i, k, at;

	for (i = 0; i < (__u32)p->nodes.nr_cpus; i++)
		bpf_map_update_elem(fd, &i, &p->nodes.of_cpu[i], BPF_ANY);
	fd = bpf_map__fd(p->skel->maps.distances);
	for (i = 0; i < (__u32)p->nodes.nr; i++)
		for (k = 0; k < (__u32)p->nodes.nr; k++) {
			at = i * MAX_NODES + k;
			bpf_map_update_elem(fd, &at, &p->nodes.distance[i][k], BPF_ANY);
		}
}

int probe_open(struct probe *p, const struct probe_options *o,
	       int (*got)(void *ctx, void *data, size_t size), void *ctx)
{
	struct btf *btf;
	int err;

	memset(p, 0, sizeof(*p));
	libbpf_set_print(hear);
	if (geteuid())
		return fail("needs root: BPF programs that trace the kernel are root's");
	if (nodes_read(&p->nodes))
		return -1;
	btf = btf__load_vmlinux_btf();
	if (!btf)
		return fail("this kernel has no /sys/kernel/btf/vmlinux: build it with CONFIG_DEBUG_INFO_BTF=y");
	p->skel = dump_lb_bpf__open();
	if (!p->skel) {
		btf__free(btf);
		return refused("cannot open the BPF programs", errno);
	}
	err = choose_programs(p, o, btf) || set_constants(p, o, btf);
	p->reasons = enum_names(btf, "jc_reason", "JC_REASON_");
	p->imbalance_types = enum_names(btf, "migration_type", "migrate_");
	btf__free(btf);
	if (err)
		return -1;
	err = dump_lb_bpf__load(p->skel);
	if (err)
		return refused("the kernel refuses the BPF programs", err);
	fill_maps(p);
	p->ring = ring_buffer__new(bpf_map__fd(p->skel->maps.events), got, ctx, NULL);
	if (!p->ring)
		return refused("cannot map the ring buffer", errno);
	return 0;
}

int probe_attach(struct probe *p)
{
	int err = dump_lb_bpf__attach(p->skel);

	return err ? refused("cannot attach the BPF programs", err) : 0;
}

static void drop(struct bpf_link **link)
{
	bpf_link__destroy(*link);
	*link = NULL;
}

void probe_detach_decisions(struct probe *p)
{
	drop(&p->skel->links.on_decision);
	drop(&p->skel->links.on_return);
	drop(&p->skel->links.on_entry);
}

void probe_detach(struct probe *p)
{
	dump_lb_bpf__detach(p->skel);
}

/* Runs that the kernel left out, as the program was running on that CPU. */
static __u64 missed(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_program__fd(prog);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.recursion_misses;
}

void probe_count(const struct probe *p, struct dl_counters *sum)
{
	struct dl_counters *each = need(calloc(p->nodes.nr_cpus, sizeof(*each)));
	const __u64 *from;
	__u64 *to = (__u64 *)sum;
	__u32 zero = 0;
	size_t i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	if (!bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.counters), &zero, each))
		for (cpu = 0; cpu < p->nodes.nr_cpus; cpu++) {
			from = (const __u64 *)&each[cpu];
			for (i = 0; i < sizeof(*sum) / sizeof(__u64); i++)
				to[i] += from[i];
		}
	free(each);
	sum->lost += missed(p->skel->progs.on_decision) + missed(p->skel->progs.on_return);
}

long probe_bench(const struct probe *p, unsigned int batch)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err;

	p->skel->bss->bench_batch = batch;
	err = bpf_prog_test_run_opts(bpf_program__fd(p->skel->progs.bench), &opts);
	if (err)
		return refused("cannot run the synthetic source (a kernel before 5.10?)", err);
	return p->skel->bss->bench_backlog;
}

void probe_close(struct probe *p)
{
	ring_buffer__free(p->ring);
	dump_lb_bpf__destroy(p->skel);
	free(p->nodes.of_cpu);
	json_object_put(p->reasons);
	json_object_put(p->imbalance_types);
	memset(p, 0, sizeof(*p));
}
