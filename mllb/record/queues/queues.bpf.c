// SPDX-License-Identifier: GPL-2.0
/*
 * The lengths of all run queues at one moment, from a timer's interrupt
 *
 * Only the members that are read are declared; libbpf finds where they are in
 * the running kernel (CO-RE).
 */
#include <linux/types.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "queues.h"

struct cfs_rq {
	unsigned int h_nr_runnable;
} __attribute__((preserve_access_index));

/* Before 6.14, and before 6.12.y took it over, with the tasks whose dequeue is delayed. */
struct cfs_rq___old {
	unsigned int h_nr_running;
} __attribute__((preserve_access_index));

struct rq {
	struct cfs_rq cfs;
} __attribute__((preserve_access_index));

extern const struct rq runqueues __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} samples SEC(".maps");

__u64 lost;

SEC("perf_event")
int take_sample(void *ctx)
{
	struct sample *s = bpf_ringbuf_reserve(&samples, sizeof(*s), 0);
	const struct rq *rq;
	unsigned int length;
	__u32 cpu;

	(void)ctx;
	if (!s) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	s->ns = bpf_ktime_get_ns();
	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		rq = bpf_per_cpu_ptr(&runqueues, cpu);
		if (!rq)
			break;
		if (bpf_core_field_exists(rq->cfs.h_nr_runnable))
			length = rq->cfs.h_nr_runnable;
		else
			length = BPF_CORE_READ((struct cfs_rq___old *)&rq->cfs, h_nr_running);
		s->length[cpu] = length < 0xffff ? length : 0xffff;
	}
	s->cpus = cpu;
	/* Nobody is woken: the reader comes by now and then. */
	bpf_ringbuf_submit(s, BPF_RB_NO_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
