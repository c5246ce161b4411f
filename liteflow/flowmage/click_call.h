/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls in an element's code, and what is known of a framework's functions.
 */
#ifndef _FLOWMAGE_CLICK_CALL_H
#define _FLOWMAGE_CLICK_CALL_H

#include "click_code.h"

/**
 * struct call - one
 * @e: the expression
 * @name: of the function
 * @object: of a method: its value; @has_object: it is one
 * @target: its expression
 * @args: [n]: of the arguments; @list: their expressions
 */
struct call {
	CXCursor e;
	char name[CODE_NAME];
	struct code_value object;
	bool has_object;
	CXCursor target;
	struct code_value args[CODE_PARAMS];
	CXCursor list[CODE_PARAMS];
	unsigned int n;
};

/* Is it one of these names? The last one is NULL. */
bool call_is_one_of(const char *name, const char *const *names);

/* Who only passes its argument on, or turns its bytes around: it can be told from the result. */
bool call_is_identity(const char *name);

/* Methods of a packet, flows' identifiers, DPDK's tables, containers, copies; false: it is none. */
bool call_packet_method(struct code *c, struct call *call, struct code_value *v);
bool call_flow_id(struct call *call, struct code_value *v);
bool call_dpdk_table(struct code *c, struct call *call, struct code_value *v);
bool call_container(struct code *c, struct call *call, struct code_value *v);
bool call_copy(struct code *c, struct call *call, struct code_value *v);

/* Functions that change neither state nor packets; methods of containers that change nothing. */
bool call_harmless(const char *name);
bool call_looks(const char *name);

#endif /* _FLOWMAGE_CLICK_CALL_H */
