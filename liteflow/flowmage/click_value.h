/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the analysis of an element's source knows of a value.
 */
#ifndef _FLOWMAGE_CLICK_VALUE_H
#define _FLOWMAGE_CLICK_VALUE_H

#include "click_facts.h"

enum click_kind {
	VALUE_NONE,	/* nothing has been assigned yet */
	VALUE_CONST,	/* depends on no packet */
	VALUE_FIELDS,	/* these fields of the packet, one behind the other, each recoverable */
	VALUE_PACKET,	/* the packet that is handled, or a place in it */
	VALUE_ENTRY,	/* a place in a table, found by a key */
	VALUE_MEMBER,	/* the element's memory, or what it points to */
	VALUE_UNKNOWN,
};

/* Which place in a packet. */
enum click_header { AT_PACKET, AT_DATA, AT_ETHER, AT_IP, AT_IP6, AT_TRANSPORT };

/**
 * struct code_value - of an expression
 * @kind: what is known
 * @fields: VALUE_FIELDS: [n]
 * @at: VALUE_PACKET: where
 * @state: VALUE_ENTRY: the member that is the table; VALUE_MEMBER: the member
 * @part: VALUE_MEMBER: the member of a member that it is, or the same; -1: several
 * @content: VALUE_ENTRY: what is in it, not where it is
 * @cpu: VALUE_MEMBER: of this CPU only
 */
struct code_value {
	enum click_kind kind;
	enum fm_field fields[CLICK_KEY_FIELDS];
	unsigned int n;
	enum click_header at;
	int state;
	int part;
	bool content;
	bool cpu;
};

static inline struct code_value code_value_of(enum click_kind kind)
{
	return (struct code_value){ .kind = kind };
}

struct code_value code_value_field(enum fm_field field);
struct code_value code_value_packet(enum click_header at);

/* Either of two; both one behind the other; some function of both. */
struct code_value code_value_join(struct code_value a, struct code_value b);
struct code_value code_value_append(struct code_value a, struct code_value b);
struct code_value code_value_mix(struct code_value a, struct code_value b);

bool code_value_equal(const struct code_value *a, const struct code_value *b);

/* Bytes of the fields. */
unsigned int code_value_size(const struct code_value *v);

#endif /* _FLOWMAGE_CLICK_VALUE_H */
