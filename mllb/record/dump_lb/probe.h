/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The BPF side: choosing, loading, attaching, counting
 */
#ifndef PROBE_H
#define PROBE_H

#include <linux/types.h>
#include <stdbool.h>
#include <json-c/json.h>
#include "dump_lb.h"
#include "facts.h"

enum source { FROM_TRACEPOINT, FROM_FUNCTION, FROM_BENCH };

struct probe_options {
	enum source source;
	bool outcomes;
	__u64 horizon_ns;
	size_t buffer;		/* bytes, a power of two */
};

struct dump_lb_bpf;
struct ring_buffer;

struct probe {
	struct dump_lb_bpf *skel;
	struct ring_buffer *ring;
	struct nodes nodes;
	struct json_object *reasons;		/* names of enum jc_reason */
	struct json_object *imbalance_types;	/* of enum migration_type */
	__u64 bucket_ns;
	bool faults;				/* NUMA hint faults are seen */
};

int probe_open(struct probe *p, const struct probe_options *o,
	       int (*got)(void *ctx, void *data, size_t size), void *ctx);
int probe_attach(struct probe *p);
/* No further decisions; what follows the last ones is still recorded. */
void probe_detach_decisions(struct probe *p);
void probe_detach(struct probe *p);
void probe_count(const struct probe *p, struct dl_counters *sum);
/* Makes up to DL_BATCH records; returns the bytes that wait to be read, or -1. */
long probe_bench(const struct probe *p, unsigned int batch);
void probe_close(struct probe *p);

#endif /* PROBE_H */
