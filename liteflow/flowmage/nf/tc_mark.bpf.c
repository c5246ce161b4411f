// SPDX-License-Identifier: GPL-2.0
/* Marks that others gave: state that no field of the packet keys. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_HASH, __u32, __u64, 1024);

SEC("tc")
int tc_mark(struct __sk_buff *skb)
{
	__u32 key = skb->mark;
	__u64 one = 1, *n;

	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return TC_ACT_OK;
}
