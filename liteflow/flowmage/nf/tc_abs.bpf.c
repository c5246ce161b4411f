// SPDX-License-Identifier: GPL-2.0
/* Destinations at tc, by the instructions of the classic filter. */
#include "nf.h"

unsigned long long load_byte(void *skb, unsigned long long at) asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long at) asm("llvm.bpf.load.half");
unsigned long long load_word(void *skb, unsigned long long at) asm("llvm.bpf.load.word");

NF_MAP(counts, BPF_MAP_TYPE_HASH, __u32, __u64, 65536);

SEC("tc")
int tc_abs(struct __sk_buff *skb)
{
	__u64 one = 1, *n;
	__u32 key;

	if (load_half(skb, offsetof(struct ethhdr, h_proto)) != ETH_P_IP)
		return TC_ACT_OK;
	if (load_byte(skb, ETH_HLEN + offsetof(struct iphdr, protocol)) != IPPROTO_ICMP)
		return TC_ACT_OK;
	key = load_word(skb, ETH_HLEN + offsetof(struct iphdr, daddr));
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return TC_ACT_OK;
}
