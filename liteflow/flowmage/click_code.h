/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The code of an element that packets run through, interpreted over values that know which fields
 * of the packet they are.
 *
 * All assignments to a variable count at once, whatever their order, and the functions are gone
 * through until no value changes. A member of the element that held a value before is from another
 * packet, so such a value is not believed, unless it was put there in the same function before.
 */
#ifndef _FLOWMAGE_CLICK_CODE_H
#define _FLOWMAGE_CLICK_CODE_H

#include "click_clang.h"
#include "click_value.h"

#define CODE_PARAMS	8
#define CODE_NAME	80

/**
 * struct code_function - a function that packets reach
 * @body: its definition
 * @params: what it is called with
 * @result: what it returns
 * @first: only a flow's first packet comes here, or none
 */
struct code_function {
	CXCursor body;
	struct code_value params[CODE_PARAMS];
	struct code_value result;
	bool first;
};

/* A variable, by its declaration; @place: the first byte where something is put into it. */
struct code_variable {
	const void *decl;
	unsigned int place;
	struct code_value value;
};

/**
 * struct code_member - of the element, by its name
 * @name: the name
 * @value: what was put there
 * @function: where that was, by its number; -1: nowhere yet, -2: in several
 * @place: first byte of the first place where it was
 * @unsure: it was put there under a condition
 * @cpu: each CPU has its own
 * @keyed: it is a table, or part of one
 * @key: what it is looked up by; @swapped: and the key with source and destination swapped
 * @used: packets read or write it
 * @written: packets write it
 * @per_packet: not only the first of a flow
 * @pointers: what it holds has pointers
 * @sites: where; [n_sites]
 */
struct code_member {
	char *name;
	struct code_value value;
	int function;
	unsigned int place;
	bool unsure;
	bool cpu;
	bool keyed;
	struct code_value key;
	bool swapped;
	bool used;
	bool written;
	bool per_packet;
	bool pointers;
	char **sites;
	unsigned int n_sites;
};

#define CODE_FLOW	"flow state"	/* the member that a flow manager keeps for an element */

struct code {
	CXTranslationUnit unit;
	CXCursor *classes;	/* the class, and those that it is made from */
	unsigned int n_classes;
	CXCursor *methods;	/* definitions in them */
	unsigned int n_methods;
	struct code_function *functions;
	unsigned int n_functions;
	struct code_variable *variables;
	unsigned int n_variables;
	struct code_member *members;
	unsigned int n_members;
	int now;		/* the function that is gone through */
	bool settled;		/* what has no value by now is not known */
	bool blind;		/* something is written that is not known */
	unsigned int conditions;	/* around the statement */
	bool changed;
	char unseen[CODE_NAME];	/* a function whose text is elsewhere; "": none */
	bool is_flow;		/* it has state that a flow manager keeps */
	uint32_t rewrites;
	bool rewrites_unknown;
	char rewriter[300];	/* where that was first seen */
};

/* The expression's value; stores and calls in it are done. */
struct code_value code_eval(struct code *c, CXCursor e);

/*
 * Memory of the element may hold what was put there in this function, for this packet, in front of
 * @e: then that; else @v.
 */
struct code_value code_resolve(struct code *c, struct code_value v, CXCursor e);

/* A call: code_eval() of it. */
struct code_value code_call(struct code *c, CXCursor e);

/* The expression is written to: a variable, a member, an entry, a packet. */
void code_store(struct code *c, CXCursor target, struct code_value value);
void code_write(struct code *c, struct code_value target, CXCursor site);

/* The same for what a pointer leads to: @target is where, if it is memory; else its variable. */
void code_store_at(struct code *c, CXCursor pointer, struct code_value target,
		   struct code_value value);

/* Members by name: its number. An access to one: @key is NULL if it has none. */
int code_member(struct code *c, const char *name);
void code_access(struct code *c, int member, const struct code_value *key, bool write,
		 CXCursor site);

/* A function is called with these values: its result so far. */
struct code_value code_enter(struct code *c, CXCursor definition, const struct code_value *args,
			unsigned int n, bool first);

/* Variables by their declaration. */
struct code_value *code_variable(struct code *c, const void *decl);

/* Something is put into one at this byte; the first such byte. */
void code_stored(struct code *c, const void *decl, unsigned int place);
unsigned int code_first_store(struct code *c, const void *decl);

/* Is the declaration one of the class's, or of those that it is made from? */
bool code_is_inside(const struct code *c, CXCursor decl);

/* Is this the type of a packet, or a pointer to one? Does each CPU have its own of it? */
bool code_is_packet(CXType type);
bool code_is_per_cpu(CXType type);

/* Has a value of this type pointers in it, however deep? */
bool code_has_pointers(CXType type, unsigned int depth);

/* The field that a header's member of that name is; FM_FIELDS: none. */
enum fm_field code_header_field(enum click_header at, const char *name);

/* The packet may be changed at any place, by this. */
void code_rewrite(struct code *c, CXCursor site);

/* Go through the code of c->methods. */
void code_run(struct code *c);
void code_free(struct code *c);

/* The class of that name in a source: @facts->known is false if not all of it is there. */
void code_read_class(CXTranslationUnit unit, const char *class_name, struct click_facts *facts);

#endif /* _FLOWMAGE_CLICK_CODE_H */
