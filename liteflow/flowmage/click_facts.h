/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of the classes of a Click framework: the state that an element keeps, and what
 * keys it. It comes from a line of text, in the table or in a file of the user's, or from
 * the framework's sources.
 *
 * A line is the name of a class and words:
 *
 *	stateless		it keeps nothing
 *	key=FIELD[.FIELD...]	it keeps state under these fields, one word for each table:
 *				src_ip dst_ip src_ip6 dst_ip6 src_port dst_port protocol src_mac
 *				dst_mac vlan ethertype
 *	key=flow		... under the key of the flow manager in front of it
 *	key=const		... one for all packets
 *	key=?			... under a key that is not known, or is not one of fields
 *	key=cpu			... each CPU has its own
 *	packet, flow		who writes the state before it: every packet, or a flow's first
 *	read			... nobody, while packets come
 *	symmetric		... both directions of a flow share an entry
 *	pointer			... it holds pointers
 *	manager=FIELD...	it gives each packet the state of its flow, by these fields
 *	handoff			other CPUs go on with its packets
 *	receiver		packets of a device come from it
 *	rewrites=FIELD..., rewrites=?	fields that it changes
 *	SHARED			it knows this keyword
 *	HASHFUNC		the same
 */
#ifndef _FLOWMAGE_CLICK_FACTS_H
#define _FLOWMAGE_CLICK_FACTS_H

#include "function.h"

#define CLICK_KEY_FIELDS	8
#define CLICK_STATES		24

enum click_key {
	CLICK_KEY_FIELDS_OF,	/* struct click_state::fields */
	CLICK_KEY_FLOW,		/* the flow manager's */
	CLICK_KEY_CONST,
	CLICK_KEY_UNKNOWN,
	CLICK_KEY_CPU,
};

/**
 * struct click_state - a table, a counter ... of an element
 * @name: of the member, or what it is
 * @key: what keys it
 * @fields: of the key, [n_fields]
 * @written: while packets come
 * @per_packet: by every packet of a flow
 * @symmetric: the key comes with source and destination swapped, too
 * @pointers: what is kept holds pointers
 * @reason: why the key is not known; NULL: nothing is to be said
 * @sites: where it is used, for --explain; [n_sites]
 */
struct click_state {
	char *name;
	enum click_key key;
	enum fm_field fields[CLICK_KEY_FIELDS];
	unsigned int n_fields;
	bool written;
	bool per_packet;
	bool symmetric;
	bool pointers;
	char *reason;
	char **sites;
	unsigned int n_sites;
};

/**
 * struct click_facts - of a class
 * @class_name: its name
 * @from: where this was learnt: "table", "FILE:LINE"
 * @known: false: nothing is known; it counts as shared
 * @doubtful: the sources do not tell all of it: then the table counts, if it knows the class
 * @states: [n_states]
 * @manager: it is a flow manager, and this is its flows' key
 * @handoff: other CPUs go on with its packets
 * @receiver: packets of a device come from it
 * @shared_keyword: it takes SHARED
 * @hash_keyword: it takes HASHFUNC
 * @rewrites: bit per enum fm_field
 * @rewrites_unknown: it may change anything
 * @reasons: what was not understood, [n_reasons]
 */
struct click_facts {
	char *class_name;
	char *from;
	bool known;
	bool doubtful;
	struct click_state states[CLICK_STATES];
	unsigned int n_states;
	bool is_manager;
	struct click_state manager;
	bool handoff;
	bool receiver;
	bool shared_keyword;
	bool hash_keyword;
	uint32_t rewrites;
	bool rewrites_unknown;
	char **reasons;
	unsigned int n_reasons;
};

/* From a line; 0, or -1 and a line in @why. Either way click_facts_free() is to be called. */
int click_facts_parse(struct click_facts *facts, const char *line, const char *from, char *why,
		      size_t len);
void click_facts_free(struct click_facts *facts);

/* A new state; the last one if there are too many, which is then not known. */
struct click_state *click_facts_add(struct click_facts *facts, const char *name);

/* A line more of a list; without memory the program ends. */
void click_add_line(char ***lines, unsigned int *n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Room for one more of @size bytes, zeroed, in a list of @n; without memory the program ends. */
void *click_grow(void *list, unsigned int n, size_t size);

/* The field of "src_ip" ...; FM_FIELDS: none. And the other way round; NULL: it has no name. */
enum fm_field click_field(const char *word, size_t n);
const char *click_field_name(enum fm_field field);

/* The lines of the table; the last one is NULL. */
extern const char *const click_table[];

/**
 * struct click_known - the classes of a file, each looked up once
 * @facts: pointers, so that they stay where they are
 * @n: how many
 * @declared: text of the user's file, or NULL
 * @declared_path: of it
 */
struct click_known {
	struct click_facts **facts;
	unsigned int n;
	char *declared;
	const char *declared_path;
};

/*
 * What is known of a class: declared by the user (CLICK_ELEMENTS=FILE in the environment), or by
 * the sources (FASTCLICK=FOLDER[:FOLDER...]), or by the table (CLICK_TABLE=no: it is not asked).
 * Never NULL but with a line in @why, if what the user has named cannot be read.
 */
struct click_facts *click_look_up(struct click_known *known, const char *class_name, char *why,
				  size_t len);
void click_known_free(struct click_known *known);

/*
 * From the sources in @folders, separated by colons. 0: @facts is filled, or the class is not
 * there, and @facts->known is false; -1: a line in @why.
 */
int click_source_look_up(const char *folders, const char *class_name, struct click_facts *facts,
			 char *why, size_t len);

#endif /* _FLOWMAGE_CLICK_FACTS_H */
