// SPDX-License-Identifier: GPL-2.0
/*
 * queues - sample the lengths of all run queues at the same moment
 *
 * A timer on one CPU looks at the counts of all CPUs from its interrupt, so a
 * sample is one moment, waits for nobody and adds no task to any queue. The
 * sum, the distribution and max - min are left to the reader of the CSV.
 */
#include <argp.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <linux/types.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "queues.h"
#include "queues.skel.h"
#include "tool.h"

TOOL_ABOUT("queues");

static struct {
	unsigned int hz;
	unsigned int seconds;
	unsigned int cpu;
	const char *output;
} opts = { .hz = 50 };

static volatile sig_atomic_t stopped;
static FILE *out;
static __u64 samples;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static int write_sample(void *ctx, void *data, size_t size)
{
	const struct sample *s = data;
	__u32 cpu;

	(void)ctx;
	(void)size;
	if (!samples++) {
		fputs("ns", out);
		for (cpu = 0; cpu < s->cpus; cpu++)
			fprintf(out, ",cpu%u", cpu);
		fputc('\n', out);
	}
	fprintf(out, "%llu", (unsigned long long)s->ns);
	for (cpu = 0; cpu < s->cpus; cpu++)
		fprintf(out, ",%u", s->length[cpu]);
	fputc('\n', out);
	return 0;
}

static int open_timer(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(attr),
		.sample_period = 1000000000ULL / opts.hz,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, opts.cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		fprintf(stderr, "queues: perf_event_open on CPU %u: %s%s\n", opts.cpu,
			strerror(errno), errno == EACCES || errno == EPERM ? ": root?" : "");
	return fd;
}

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static int run(void)
{
	struct timespec pause = { 0, 500000000 }, now, end;
	struct ring_buffer *ring = NULL;
	struct queues_bpf *skel;
	struct bpf_link *link = NULL;
	int fd, ret = EXIT_OTHER;

	libbpf_set_print(print_libbpf);
	skel = queues_bpf__open_and_load();
	if (!skel) {
		fprintf(stderr, "queues: cannot load the sampler: %s; it needs root and a kernel "
			"with CONFIG_DEBUG_INFO_BTF and CONFIG_BPF_EVENTS\n", strerror(errno));
		return ret;
	}
	fd = open_timer();
	if (fd < 0)
		goto out;
	link = bpf_program__attach_perf_event(skel->progs.take_sample, fd);
	ring = ring_buffer__new(bpf_map__fd(skel->maps.samples), write_sample, NULL, NULL);
	if (!link || !ring) {
		fprintf(stderr, "queues: cannot attach the sampler: %s\n", strerror(errno));
		goto out;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += opts.seconds;
	while (!stopped) {
		nanosleep(&pause, NULL);
		ring_buffer__consume(ring);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (opts.seconds && (now.tv_sec > end.tv_sec ||
				     (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec)))
			break;
	}
	bpf_link__destroy(link);
	link = NULL;
	ring_buffer__consume(ring);
	fprintf(stderr, "queues: %llu samples, %llu lost\n", (unsigned long long)samples,
		(unsigned long long)skel->bss->lost);
	ret = samples ? EXIT_SUCCESS : EXIT_OTHER;
out:
	bpf_link__destroy(link);
	ring_buffer__free(ring);
	queues_bpf__destroy(skel);
	return ret;
}

static const char doc[] =
	"Sample how many fair tasks run or wait on each CPU, all CPUs at the same moment.\n"
	"\vWrites CSV: ns (CLOCK_MONOTONIC) and a column per CPU. Ctrl-C ends it.\n"
	"Exit status: 0 done, 1 error or no sample, 2 wrong usage.\n";

static const struct argp_option option_table[] = {
	{ "frequency", 'f', "HZ", 0, "samples per second (default 50)", 0 },
	{ "seconds", 'd', "N", 0, "stop after N seconds (default: at Ctrl-C)", 0 },
	{ "cpu", 'c', "CPU", 0, "CPU whose timer takes the samples (default 0)", 0 },
	{ "output", 'o', "FILE", 0, "write to FILE instead of standard output", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'f':
		opts.hz = tool_count(arg, 1, 1000, state);
		return 0;
	case 'd':
		opts.seconds = tool_count(arg, 1, 86400, state);
		return 0;
	case 'c':
		opts.cpu = tool_count(arg, 0, MAX_CPUS - 1, state);
		return 0;
	case 'o':
		opts.output = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp parser = {
	.options = option_table, .parser = parse_option, .doc = doc,
};

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	int ret;

	argp_parse(&parser, argc, argv, 0, NULL, NULL);
	out = opts.output ? fopen(opts.output, "we") : stdout;
	if (!out) {
		fprintf(stderr, "queues: %s: %s\n", opts.output, strerror(errno));
		return EXIT_OTHER;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	ret = run();
	if (fflush(out)) {
		fprintf(stderr, "queues: writing: %s\n", strerror(errno));
		return EXIT_OTHER;
	}
	return ret;
}
