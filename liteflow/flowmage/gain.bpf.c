// SPDX-License-Identifier: GPL-2.0
/*
 * A policer under packets of many keys, to be run on two CPUs at once by BPF_PROG_TEST_RUN. Which
 * keys a CPU meets stands for the steering: all of them, or its own.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "gain.h"

const volatile __u32 keys = 256;	/* a power of two, at least 2 */
const volatile __u32 steered;		/* CPU c meets the keys that are c modulo 2 */
const volatile __u32 locked = 1;
const volatile __u32 separate;		/* buckets per CPU */
const volatile __u32 enough = 1000000;	/* packets of a CPU, behind which a run is over */

struct gain_run run;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GAIN_KEYS);
	__type(key, __u32);
	__type(value, struct gain_bucket);
} buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, GAIN_KEYS);
	__type(key, __u32);
	__type(value, struct gain_counts);
} own_buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gain_cpu);
} cpus SEC(".maps");

/* A token a packet, refilled by the time that passes: here every packet is a tick. */
static __always_inline int police(struct gain_counts *c, __u64 now)
{
	c->packets++;
	c->tokens += now - c->last;
	c->last = now;
	if (c->tokens > GAIN_BURST)
		c->tokens = GAIN_BURST;
	if (!c->tokens)
		return XDP_DROP;
	c->tokens--;
	return XDP_PASS;
}

/*
 * A CPU that runs alone contends with nobody, and the kernel begins on one long before the other.
 * So what counts is the time in which both take packets. True: this packet counts.
 */
static __always_inline bool both_run(struct gain_cpu *cpu)
{
	volatile struct gain_run *r = &run;

	if (cpu->last)
		return false;
	if (!cpu->first) {
		r->here[cpu->number & 1] = 1;
		if (!r->here[~cpu->number & 1])
			return false;
		cpu->first = bpf_ktime_get_ns();
	}
	if (!r->over && cpu->packets < enough) {
		cpu->packets++;
		return true;
	}
	cpu->last = bpf_ktime_get_ns();
	r->over = 1;
	return false;
}

SEC("xdp")
int gain(struct xdp_md *ctx)
{
	struct gain_counts *own;
	struct gain_bucket *b;
	struct gain_cpu *cpu;
	__u32 zero = 0, key;
	int verdict;

	(void)ctx;
	cpu = bpf_map_lookup_elem(&cpus, &zero);
	if (!cpu)
		return XDP_ABORTED;
	if (!both_run(cpu))
		return XDP_TX;
	/* Marsaglia's xorshift */
	cpu->random ^= cpu->random << 13;
	cpu->random ^= cpu->random >> 17;
	cpu->random ^= cpu->random << 5;
	key = cpu->random & (keys - 1);
	if (steered)
		key = (key & ~1u) | (cpu->number & 1);
	cpu->ticks++;
	if (separate) {
		own = bpf_map_lookup_elem(&own_buckets, &key);
		return own ? police(own, cpu->ticks) : XDP_ABORTED;
	}
	b = bpf_map_lookup_elem(&buckets, &key);
	if (!b)
		return XDP_ABORTED;
	if (!locked)
		return police(&b->counts, cpu->ticks);
	bpf_spin_lock(&b->lock);
	verdict = police(&b->counts, cpu->ticks);
	bpf_spin_unlock(&b->lock);
	return verdict;
}

char _license[] SEC("license") = "GPL";
