// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers of the kernel: what they do to maps, the packet and the stack.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include "interp.h"

/* Beside reading memory they do nothing that counts here. */
static bool only_reads(int32_t id)
{
	switch (id) {
	case BPF_FUNC_trace_printk:
	case BPF_FUNC_trace_vprintk:
	case BPF_FUNC_perf_event_output:
	case BPF_FUNC_ringbuf_output:
	case BPF_FUNC_csum_diff:
	case BPF_FUNC_csum_update:
	case BPF_FUNC_skb_set_tunnel_key:
	case BPF_FUNC_skb_set_tunnel_opt:
	case BPF_FUNC_sk_lookup_tcp:
	case BPF_FUNC_sk_lookup_udp:
	case BPF_FUNC_skc_lookup_tcp:
	case BPF_FUNC_tcp_check_syncookie:
	case BPF_FUNC_tcp_gen_syncookie:
	case BPF_FUNC_tcp_raw_gen_syncookie_ipv4:
	case BPF_FUNC_tcp_raw_gen_syncookie_ipv6:
	case BPF_FUNC_tcp_raw_check_syncookie_ipv4:
	case BPF_FUNC_tcp_raw_check_syncookie_ipv6:
	case BPF_FUNC_redirect_neigh:
	case BPF_FUNC_strncmp:
	case BPF_FUNC_spin_lock:
	case BPF_FUNC_spin_unlock:
	case BPF_FUNC_ringbuf_submit:
	case BPF_FUNC_ringbuf_discard:
	case BPF_FUNC_ringbuf_query:
	case BPF_FUNC_sk_release:
	case BPF_FUNC_sk_assign:
		return true;
	default:
		return false;
	}
}

/* No argument is memory: what is left in the registers from before does not count. */
static bool takes_no_memory(int32_t id)
{
	switch (id) {
	case BPF_FUNC_ktime_get_ns:
	case BPF_FUNC_ktime_get_boot_ns:
	case BPF_FUNC_ktime_get_coarse_ns:
	case BPF_FUNC_ktime_get_tai_ns:
	case BPF_FUNC_jiffies64:
	case BPF_FUNC_get_prandom_u32:
	case BPF_FUNC_get_smp_processor_id:
	case BPF_FUNC_get_numa_node_id:
	case BPF_FUNC_redirect:
	case BPF_FUNC_redirect_peer:
	case BPF_FUNC_clone_redirect:
	case BPF_FUNC_get_hash_recalc:
	case BPF_FUNC_set_hash:
	case BPF_FUNC_set_hash_invalid:
	case BPF_FUNC_get_cgroup_classid:
	case BPF_FUNC_get_route_realm:
	case BPF_FUNC_skb_cgroup_id:
	case BPF_FUNC_skb_change_type:
	case BPF_FUNC_csum_level:
	case BPF_FUNC_xdp_get_buff_len:
	case BPF_FUNC_get_socket_cookie:
	case BPF_FUNC_get_socket_uid:
	case BPF_FUNC_get_netns_cookie:
		return true;
	default:
		return false;
	}
}

/* The frame's beginning or its headers move. */
static bool moves_packet(int32_t id)
{
	return id == BPF_FUNC_skb_change_proto || id == BPF_FUNC_skb_change_head ||
	       id == BPF_FUNC_skb_adjust_room || id == BPF_FUNC_skb_vlan_push ||
	       id == BPF_FUNC_skb_vlan_pop || id == BPF_FUNC_skb_ecn_set_ce;
}

/* After that, pointers into the packet are looked up anew, but it is unchanged. */
static bool keeps_packet(int32_t id)
{
	return id == BPF_FUNC_skb_pull_data || id == BPF_FUNC_skb_change_tail ||
	       id == BPF_FUNC_xdp_adjust_tail || id == BPF_FUNC_xdp_adjust_meta;
}

vid value_or_null(uint32_t map, uint32_t key, uint32_t def)
{
	struct value v = { .type = V_VALUE, .maybe_null = 1, .map = map, .key = key, .def = def };

	return value_make(&v);
}

vid memory_or_null(uint32_t def)
{
	struct value v = { .type = V_MEMORY, .maybe_null = 1, .def = def };

	return value_make(&v);
}

void call_return(struct state *s, vid result)
{
	unsigned int i;

	for (i = 1; i < 6; i++)
		s->reg[i] = VALUE_TOP;
	s->reg[0] = VALUE_TOP;
	state_set(s, 0, result);
}

static uint64_t size_in(struct state *s, unsigned int reg)
{
	uint64_t lo, hi;

	state_range(s, s->reg[reg], &lo, &hi);
	return hi;
}

void call_unknown(struct run *run, struct state *s, bool writes, const char *name)
{
	const struct value *p;
	uint64_t size;
	unsigned int i;

	for (i = 1; i < 6; i++) {
		p = value_get(s->reg[i]);
		if (p->type == V_MAP) {
			touch_map(run, s, p->map, writes);
		} else if (p->type == V_FUNCTION) {
			record_reason(&run->rec, true, "the callback of %s was not followed", name);
		} else if (writes && (p->type == V_VALUE || p->type == V_STACK)) {
			size = UINT64_MAX;
			if (i < 5 && state_is_const(s, s->reg[i + 1], &size))
				size = size >= 8 ? size : UINT64_MAX;
			else
				size = UINT64_MAX;
			mem_fill(run, s, s->reg[i], size);
		} else if (writes && p->type == V_PACKET) {
			mem_fill(run, s, s->reg[i], UINT64_MAX);
		}
	}
	call_return(s, value_unknown(s->pc + 1, 64));
}

/* The helper may fail: another path goes on behind it, with this value. */
static void may_fail(struct run *run, const struct state *s, struct state *fails, int error)
{
	fails->pc = s->pc;
	call_return(fails, value_const((int64_t)error));
	fails->pc++;
	explore_later(run, fails);
}

static bool skb_load(struct run *run, struct state *s, bool relative)
{
	uint64_t size = size_in(s, 4), start = 0, exact;
	struct state fails = *s;
	uint32_t terms;
	int64_t off;

	mem_place(s, s->reg[2], &terms, &off);
	if (relative && (!state_is_const(s, s->reg[5], &start) || start != BPF_HDR_START_MAC))
		terms = LIST_ANY;
	mem_fill(run, &fails, s->reg[3], size);
	may_fail(run, s, &fails, -EFAULT);
	/* of a part, who knows which bytes are the old ones */
	if (!state_is_const(s, s->reg[4], &exact))
		terms = LIST_ANY;
	mem_copy_packet(run, s, s->reg[3], size, terms, off);
	call_return(s, value_const(0));
	return true;
}

static bool skb_store(struct run *run, struct state *s, uint64_t size)
{
	uint32_t terms;
	uint64_t at;
	int64_t off;

	mem_place(s, s->reg[2], &terms, &off);
	if (size > 64) {
		s->writes = LIST_ANY;
		run->rec.rewrites_unknown = true;
	} else {
		record_rewrite(&run->rec, s, terms, off, size);
		for (at = 0; at < size; at += 8)
			packet_write(s, terms, off + at, size - at < 8 ? size - at : 8, VALUE_TOP);
	}
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

static bool adjust_head(struct run *run, struct state *s)
{
	struct state fails = *s;
	uint64_t by;

	run->rec.rewrites_unknown = true;
	may_fail(run, s, &fails, -EINVAL);
	if (s->head != INT32_MIN && state_is_const(s, s->reg[2], &by) &&
	    (int32_t)by > -4096 && (int32_t)by < 4096)
		s->head += (int32_t)by;
	else
		s->head = INT32_MIN;
	call_return(s, value_const(0));
	return true;
}

void call_back(struct run *run, const struct state *s, enum frame_kind kind, vid function,
	       const vid *args, unsigned int n)
{
	const struct value *f = value_get(function);
	struct state next = *s;
	struct frame *frame;
	unsigned int i;

	if (f->type != V_FUNCTION || s->depth + 1 >= MAX_FRAMES) {
		record_reason(&run->rec, true, "instruction %u: a callback was not followed",
			      s->pc);
		return;
	}
	frame = &next.frame[++next.depth];
	frame_begin(frame, kind, s->pc);
	for (i = 0; i < 5; i++)
		frame->args[i] = s->reg[i + 1];
	for (i = 0; i < 4; i++)
		frame->saved[i] = s->reg[i + 6];
	state_undefine(&next, s->pc + 1);
	for (i = 0; i < 10; i++)
		next.reg[i] = i && i <= n ? args[i - 1] : VALUE_TOP;
	next.pc = f->key;
	explore_later(run, &next);
}

/* It runs later, on a stack of its own, with the entry that the timer is in. */
static bool timer_callback(struct run *run, struct state *s)
{
	const struct value *timer = value_get(s->reg[1]);
	uint32_t key = timer->type == V_VALUE ? timer->key : KEY_ANY;
	vid args[3] = {
		value_pointer(V_MAP, timer->map, 0, 0), value_pointer(V_KEY, timer->map, key, 0),
		value_pointer(V_VALUE, timer->map, key, 0),
	};
	struct state alone = *s;

	alone.pending = LIST_NONE;
	if (timer->type != V_VALUE)
		record_reason(&run->rec, true, "instruction %u: whose timer is not known", s->pc);
	else
		call_back(run, &alone, FRAME_ALONE, s->reg[2], args, 3);
	mem_fill(run, s, s->reg[1], 8);
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

static bool loop(struct run *run, struct state *s)
{
	vid args[2] = { value_unknown(s->pc + 1, 32), s->reg[3] };

	call_back(run, s, FRAME_LOOP, s->reg[2], args, 2);
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

bool call_helper(struct run *run, struct state *s, int32_t id)
{
	int map = map_in(run, s->reg[1]);
	char name[40];

	if (map >= 0 && call_with_map(run, s, id, map))
		return true;
	switch (id) {
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_map_delete_elem:
	case BPF_FUNC_map_lookup_percpu_elem:
	case BPF_FUNC_for_each_map_elem:
	case BPF_FUNC_map_push_elem:
	case BPF_FUNC_map_pop_elem:
		record_reason(&run->rec, true, "instruction %u: which map it uses is not known",
			      s->pc);
		break;
	case BPF_FUNC_tail_call:
		map = map_in(run, s->reg[2]);
		if (map >= 0)
			return call_tail(run, s, map);
		record_reason(&run->rec, true, "instruction %u: a tail call was not followed",
			      s->pc);
		break;
	case BPF_FUNC_skb_load_bytes:
	case BPF_FUNC_xdp_load_bytes:
		return skb_load(run, s, false);
	case BPF_FUNC_skb_load_bytes_relative:
		return skb_load(run, s, true);
	case BPF_FUNC_skb_store_bytes:
	case BPF_FUNC_xdp_store_bytes:
		return skb_store(run, s, size_in(s, 4));
	case BPF_FUNC_l3_csum_replace:
	case BPF_FUNC_l4_csum_replace:
		return skb_store(run, s, 2);
	case BPF_FUNC_xdp_adjust_head:
		return adjust_head(run, s);
	case BPF_FUNC_loop:
		return loop(run, s);
	case BPF_FUNC_timer_set_callback:
		return timer_callback(run, s);
	case BPF_FUNC_timer_init:
		mem_fill(run, s, s->reg[1], 8);
		call_return(s, value_unknown(s->pc + 1, 64));
		return true;
	case BPF_FUNC_sk_lookup_tcp:
	case BPF_FUNC_sk_lookup_udp:
	case BPF_FUNC_skc_lookup_tcp:
	case BPF_FUNC_sk_fullsock:
	case BPF_FUNC_tcp_sock:
	case BPF_FUNC_per_cpu_ptr:
	case BPF_FUNC_this_cpu_ptr:
		call_return(s, memory_or_null(s->pc + 1));
		return true;
	default:
		break;
	}
	if (moves_packet(id)) {
		s->writes = LIST_ANY;
		s->head = INT32_MIN;
		run->rec.rewrites_unknown = true;
	}
	if (takes_no_memory(id)) {
		call_return(s, value_unknown(s->pc + 1, 64));
		return true;
	}
	snprintf(name, sizeof(name), "helper %d", id);
	call_unknown(run, s, !only_reads(id) && !keeps_packet(id), name);
	return true;
}
