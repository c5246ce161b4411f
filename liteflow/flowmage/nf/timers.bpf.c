// SPDX-License-Identifier: GPL-2.0
/* Sources expire by a timer that is armed when they first come. */
#include "nf.h"

#define CLOCK_MONOTONIC	1

struct source {
	__u64 packets;
	struct bpf_timer timer;
};

NF_MAP(sources, BPF_MAP_TYPE_HASH, __be32, struct source, 4096);

static int expire(void *map, __be32 *key, struct source *source)
{
	bpf_map_delete_elem(map, key);
	return 0;
}

SEC("xdp")
int timers(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	struct source *source, fresh = {};
	__be32 key;

	if (!ip)
		return XDP_PASS;
	key = ip->saddr;
	source = bpf_map_lookup_elem(&sources, &key);
	if (source) {
		source->packets++;
		return XDP_PASS;
	}
	bpf_map_update_elem(&sources, &key, &fresh, BPF_NOEXIST);
	source = bpf_map_lookup_elem(&sources, &key);
	if (!source)
		return XDP_PASS;
	bpf_timer_init(&source->timer, &sources, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&source->timer, expire);
	bpf_timer_start(&source->timer, 1000000000, 0);
	return XDP_PASS;
}
