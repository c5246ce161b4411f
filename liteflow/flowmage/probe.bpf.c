// SPDX-License-Identifier: GPL-2.0
/*
 * Counts packets that carry a mark: by CPU, and by map entry and CPU. It drops them.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "probe.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROBE_ENTRIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct probe_key);
	__type(value, __u64);
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");	/* 0: counted, 1: lost for want of room */

static __always_inline void count(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&packets, &which);

	if (n)
		(*n)++;
}

static __always_inline void count_entry(__u32 map, __u32 entry, __u32 cpu)
{
	struct probe_key key = { map, entry, cpu };
	__u64 *n = bpf_map_lookup_elem(&seen, &key), one = 1;

	/* the key has the CPU, so nobody else counts here */
	if (n)
		(*n)++;
	else if (bpf_map_update_elem(&seen, &key, &one, BPF_ANY))
		count(1);
}

SEC("xdp")
int flowmage_probe(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct probe_mark *mark = data + PROBE_AT;
	__u32 cpu = bpf_get_smp_processor_id(), i;

	if ((void *)(mark + 1) > end || mark->magic != bpf_cpu_to_be64(PROBE_MAGIC))
		return XDP_PASS;
	count(0);
	for (i = 0; i < PROBE_MAPS; i++)
		if (mark->entry[i])
			count_entry(i, bpf_ntohl(mark->entry[i]), cpu);
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
