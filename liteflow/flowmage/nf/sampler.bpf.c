// SPDX-License-Identifier: GPL-2.0
/* Every 64th packet goes to user space, by a counter of all. */
#include "nf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} samples SEC(".maps");

__u32 turn;

SEC("xdp")
int sampler(struct xdp_md *ctx)
{
	__u32 n = __sync_fetch_and_add(&turn, 1), size = nf_size(ctx);

	if (!(n & 63))
		bpf_ringbuf_output(&samples, &size, sizeof(size), 0);
	return XDP_PASS;
}
