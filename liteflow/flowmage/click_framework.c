// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of the functions of a Click framework, of containers and of DPDK: see click_call.h.
 */
#include <string.h>
#include "click_call.h"
#include "flowmage.h"

bool call_is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

/* Who only passes its argument on, or turns its bytes around: it can be told from the result. */
bool call_is_identity(const char *name)
{
	static const char *const names[] = {
		"ntohs", "ntohl", "htons", "htonl", "IPAddress", "EtherAddress", "IP6Address",
		"move",
		"addr", "data", "in_addr", "s_addr", "addressof", "likely", "unlikely",
		"__builtin_expect", "bswap_16", "bswap_32", "__bswap_16", "__bswap_32", "get",
		"value", "operator&", "operator*", "operator->", "operator uint32_t",
		"operator unsigned int",
		"operator in_addr", "operator struct in_addr", "ptr", "key", "live", NULL };

	return call_is_one_of(name, names);
}

/* What a method of a packet gives. */
bool call_packet_method(struct code *c, struct call *call, struct code_value *v)
{
	static const struct {
		const char *name;
		enum click_header at;
	} places[] = {
		{ "ip_header", AT_IP }, { "network_header", AT_DATA }, { "ip6_header", AT_IP6 },
		{ "tcp_header", AT_TRANSPORT }, { "udp_header", AT_TRANSPORT },
		{ "ether_header", AT_ETHER }, { "mac_header", AT_DATA }, { "data", AT_DATA },
		{ "uniqueify", AT_PACKET }, { "clone", AT_PACKET }, { "next", AT_PACKET },
		{ "first", AT_PACKET }, { "tail", AT_PACKET }, { "put", AT_PACKET },
		{ "push", AT_PACKET }, { "push_mac_header", AT_PACKET },
		{ "nonunique_push", AT_PACKET }, { "prev", AT_PACKET },
		{ "shift_data", AT_PACKET }, { "transport_header", AT_DATA },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (!strcmp(places[i].name, call->name)) {
			*v = code_value_packet(places[i].at);
			return true;
		}
	if (!strncmp(call->name, "rewrite", 7))
		code_rewrite(c, call->e);
	*v = code_value_of(VALUE_UNKNOWN);
	return call->object.at == AT_PACKET;
}

/* IPFlowID and its like, from a packet. */
bool call_flow_id(struct call *call, struct code_value *v)
{
	static const enum fm_field tuple[] = { FM_SRC_ADDR4, FM_DST_ADDR4, FM_SRC_PORT, FM_DST_PORT,
					       FM_PROTOCOL };
	bool five = !strcmp(call->name, "IPFlow5ID");

	if (!five && strcmp(call->name, "IPFlowID"))
		return false;
	if (call->n == 1 && call->args[0].kind == VALUE_PACKET && call->args[0].at == AT_PACKET) {
		*v = (struct code_value){ .kind = VALUE_FIELDS, .n = five ? 5 : 4 };
		memcpy(v->fields, tuple, v->n * sizeof(*tuple));
		return true;
	}
	*v = code_value_of(VALUE_UNKNOWN);
	if (call->n == 1)
		*v = call->args[0];
	else if (call->n == 4 || call->n == 5)
		*v = code_value_append(code_value_append(call->args[0], call->args[1]),
				  code_value_append(call->args[2], call->args[3]));
	return true;
}

/* A table of DPDK's: the table itself is the first argument. */
bool call_dpdk_table(struct code *c, struct call *call, struct code_value *v)
{
	bool write = strstr(call->name, "_add_") || strstr(call->name, "_del_");

	if (!strcmp(call->name, "rte_hash_crc_4byte")) {
		/* a check of 32 bits tells all of 32 bits, if it begins with a constant */
		*v = code_value_of(VALUE_UNKNOWN);
		if (call->n == 2 && call->args[1].kind == VALUE_CONST &&
		    call->args[0].kind == VALUE_FIELDS && code_value_size(&call->args[0]) <= 4)
			*v = call->args[0];
		if (call->n && call->args[0].kind == VALUE_NONE)
			*v = call->args[0];
		return true;
	}
	if (strncmp(call->name, "rte_hash_", 9) || call->n < 2 ||
	    !(write || strstr(call->name, "lookup")))
		return false;
	*v = (struct code_value){ .kind = VALUE_ENTRY, .state = call->args[0].state };
	if (call->args[0].kind != VALUE_MEMBER)
		v->state = code_member(c, "hash");
	code_access(c, v->state, &call->args[1], write, call->e);
	/* where the entries' numbers go */
	if (strstr(call->name, "lookup") && call->n > 2)
		code_store_at(c, call->list[call->n - 1], call->args[call->n - 1], *v);
	return true;
}

/* A member that is a container: a method with a key. */
bool call_container(struct code *c, struct call *call, struct code_value *v)
{
	static const char *const reads[] = {
		"find", "findp", "get", "get_pointer", "count", "contains", "lookup", "operator[]",
		"at", "find_prefer", "findp_force", NULL };
	static const char *const writes[] = {
		"insert", "set", "find_insert", "find_insert_write", "erase", "remove",
		"find_create", "findp_force", "operator[]", "insert_at", "find_erase",
		"find_remove", "find_remove_clean", "emplace", "erase_clean", NULL };
	bool write = call_is_one_of(call->name, writes);
	const char *type;
	char text[200];

	if (call->object.kind != VALUE_MEMBER || !call->n ||
	    !(write || call_is_one_of(call->name, reads)))
		return false;
	type = clang_type_name(clang.getCanonicalType(clang.getCursorType(call->target)), text,
			       sizeof(text));
	/* arrays by number */
	if (strstr(type, "Vector<") || strstr(type, "vector<") || strstr(type, "String")) {
		if (strcmp(call->name, "operator[]") && strcmp(call->name, "at"))
			return false;
		if (call->args[0].kind == VALUE_CONST || call->args[0].kind == VALUE_NONE ||
		    call->args[0].kind == VALUE_MEMBER || call->args[0].kind == VALUE_ENTRY) {
			*v = call->object;
			return true;
		}
		write = false;
	}
	*v = (struct code_value){ .kind = VALUE_ENTRY, .state = call->object.state };
	if (call->args[0].kind == VALUE_ENTRY && !call->args[0].content) {
		/* by an iterator */
		if (write)
			code_write(c, call->args[0], call->e);
		return true;
	}
	c->members[call->object.state].pointers |=
		code_has_pointers(clang.getCursorType(call->target), 0);
	code_access(c, call->object.state, &call->args[0], write, call->e);
	return true;
}

/* Bytes are copied to a place. */
bool call_copy(struct code *c, struct call *call, struct code_value *v)
{
	static const char *const names[] = { "memcpy", "memmove", "memset", "__builtin_memcpy",
		"__builtin___memcpy_chk", "strncpy", "bzero", NULL };

	if (!call_is_one_of(call->name, names) || !call->n)
		return false;
	if (call->args[0].kind == VALUE_PACKET && call->args[0].at != AT_PACKET)
		code_rewrite(c, call->e);
	code_store(c, call->list[0], strcmp(call->name, "memset") && call->n > 1 ?
		   call->args[1] : code_value_of(VALUE_CONST));
	*v = call->args[0];
	return true;
}

bool call_harmless(const char *name)
{
	static const char *const names[] = {
		"click_chatter", "output", "output_push_batch", "checked_output_push_batch",
		"checked_output_push", "noutputs", "ninputs", "router", "name", "size", "begin",
		"end", "empty", "c_str", "unparse", "class_name", "push", "push_batch", "kill",
		"fast_kill", "nelements", "weight", "max_prefer_cpu", "errh", "port", "eindex",
		"__assert_fail", "now", "recent_steady", "now_steady", "home_thread_id", "thread",
		"active", "printf", NULL };

	return call_is_one_of(name, names);
}

/* Methods of containers that change nothing, where the container's type is open. */
bool call_looks(const char *name)
{
	static const char *const names[] = {
		"size", "begin", "end", "empty", "c_str", "unparse", "weight", "now", "name",
		"nelements", "active", NULL };

	return call_is_one_of(name, names);
}
