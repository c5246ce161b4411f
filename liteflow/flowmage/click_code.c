// SPDX-License-Identifier: GPL-2.0
/*
 * Functions, variables and members of an element's code: see click_code.h.
 */
#include <stdlib.h>
#include <string.h>
#include "click_code.h"
#include "flowmage.h"

#define MAX_ROUNDS	24
#define MAX_FUNCTIONS	300

struct code_value *code_variable(struct code *c, const void *decl)
{
	unsigned int i;

	for (i = 0; i < c->n_variables; i++)
		if (c->variables[i].decl == decl)
			return &c->variables[i].value;
	c->variables = click_grow(c->variables, c->n_variables, sizeof(*c->variables));
	c->variables[c->n_variables].decl = decl;
	return &c->variables[c->n_variables++].value;
}

void code_stored(struct code *c, const void *decl, unsigned int place)
{
	unsigned int number;

	code_variable(c, decl);
	for (number = 0; c->variables[number].decl != decl; number++)
		;
	if (!c->variables[number].place || place < c->variables[number].place)
		c->variables[number].place = place;
}

unsigned int code_first_store(struct code *c, const void *decl)
{
	unsigned int number;

	for (number = 0; number < c->n_variables; number++)
		if (c->variables[number].decl == decl)
			return c->variables[number].place;
	return 0;
}

int code_member(struct code *c, const char *name)
{
	unsigned int i;

	for (i = 0; i < c->n_members; i++)
		if (!strcmp(c->members[i].name, name))
			return i;
	c->members = click_grow(c->members, c->n_members, sizeof(*c->members));
	c->members[c->n_members].name = strdup(name);
	c->members[c->n_members].function = -1;
	return c->n_members++;
}

bool code_is_inside(const struct code *c, CXCursor decl)
{
	CXCursor class = clang.getCursorSemanticParent(decl);
	unsigned int i;

	for (i = 0; i < c->n_classes; i++)
		if (c->classes[i].data[0] == class.data[0])
			return true;
	return false;
}

static CXType pointee(CXType type)
{
	CXType inner;

	type = clang.getCanonicalType(type);
	for (;;) {
		inner = clang.getPointeeType(type);
		if (inner.kind == CXType_Invalid)
			return type;
		type = clang.getCanonicalType(inner);
	}
}

bool code_is_packet(CXType type)
{
	char name[200];

	clang_type_name(pointee(type), name, sizeof(name));
	if (!strncmp(name, "const ", 6))
		memmove(name, name + 6, strlen(name) - 5);
	return !strcmp(name, "Packet") || !strcmp(name, "WritablePacket") ||
	       !strcmp(name, "PacketBatch");
}

bool code_is_per_cpu(CXType type)
{
	char name[200];

	clang_type_name(type, name, sizeof(name));
	return strstr(name, "per_thread") == name || strstr(name, "__rwlock") ||
	       strstr(name, "unprotected_rcu") == name;
}

struct look {
	unsigned int depth;
	bool found;
};

static enum CXVisitorResult look_at_field(CXCursor field, CXClientData data)
{
	struct look *l = data;

	l->found |= code_has_pointers(clang.getCursorType(field), l->depth + 1);
	return l->found ? CXVisit_Break : CXVisit_Continue;
}

bool code_has_pointers(CXType type, unsigned int depth)
{
	struct look l = { .depth = depth };
	int i;

	type = clang.getCanonicalType(type);
	if (type.kind == CXType_Pointer)
		return true;
	if (depth > 6)
		return false;
	if (type.kind == CXType_ConstantArray)
		return code_has_pointers(clang.getArrayElementType(type), depth + 1);
	for (i = 0; !depth && i < clang.Type_getNumTemplateArguments(type); i++)
		if (code_has_pointers(clang.Type_getTemplateArgumentAsType(type, i), 1))
			return true;
	/* of the table itself only what it keeps counts */
	if (type.kind == CXType_Record && (depth || clang.Type_getNumTemplateArguments(type) <= 0))
		clang.Type_visitFields(type, look_at_field, &l);
	return l.found;
}

struct code_value code_enter(struct code *c, CXCursor definition, const struct code_value *args,
			unsigned int n, bool first)
{
	struct code_function *f;
	struct code_value v;
	unsigned int i;

	for (i = 0; i < c->n_functions; i++)
		if (c->functions[i].body.data[0] == definition.data[0])
			break;
	if (i == c->n_functions) {
		if (i == MAX_FUNCTIONS)
			return code_value_of(VALUE_UNKNOWN);
		c->functions = click_grow(c->functions, i, sizeof(*c->functions));
		c->functions[i].body = definition;
		c->functions[i].first = first;
		c->n_functions++;
		c->changed = true;
	}
	f = &c->functions[i];
	if (c->settled && f->result.kind == VALUE_NONE)
		f->result = code_value_of(VALUE_UNKNOWN);
	if (f->first && !first) {
		f->first = false;
		c->changed = true;
	}
	for (i = 0; i < n && i < CODE_PARAMS; i++) {
		v = code_value_join(f->params[i], args[i]);
		if (!code_value_equal(&v, &f->params[i])) {
			f->params[i] = v;
			c->changed = true;
		}
	}
	return f->result;
}

static void walk(struct code *c, unsigned int number)
{
	struct cursors in = clang_children(c->functions[number].body);
	struct code_value *v;
	bool text = false;
	unsigned int i, param = 0;

	c->now = number;
	c->conditions = 0;
	for (i = 0; i < in.n; i++)
		if (clang.getCursorKind(in.list[i]) == CXCursor_ParmDecl && param < CODE_PARAMS) {
			v = code_variable(c, in.list[i].data[0]);
			*v = code_value_join(*v, c->functions[number].params[param++]);
		}
	for (i = 0; i < in.n; i++)
		if (clang.getCursorKind(in.list[i]) == CXCursor_CompoundStmt) {
			code_eval(c, in.list[i]);
			text = true;
		}
	if (!text)
		clang_name(c->functions[number].body, c->unseen, sizeof(c->unseen));
	free(in.list);
}

/* What the framework calls an entry point with. */
static void enter_method(struct code *c, CXCursor method, bool flow, bool first)
{
	struct cursors in = clang_children(method);
	struct code_value args[CODE_PARAMS];
	unsigned int i, n = 0;
	CXType type;

	for (i = 0; i < in.n && n < CODE_PARAMS; i++) {
		if (clang.getCursorKind(in.list[i]) != CXCursor_ParmDecl)
			continue;
		type = clang.getCursorType(in.list[i]);
		if (code_is_packet(type))
			args[n] = code_value_packet(AT_PACKET);
		else if (flow &&
			 clang.getPointeeType(clang.getCanonicalType(type)).kind != CXType_Invalid)
			args[n] = (struct code_value){ .kind = VALUE_ENTRY,
						  .state = code_member(c, CODE_FLOW) };
		else
			args[n] = code_value_of(VALUE_CONST);
		n++;
	}
	free(in.list);
	code_enter(c, method, args, n, first);
}

static void enter_all(struct code *c)
{
	static const struct {
		const char *name;
		bool flow, first;
	} points[] = {
		{ "push", false, false }, { "push_batch", false, false }, { "pull", false, false },
		{ "pull_batch", false, false }, { "simple_action", false, false },
		{ "simple_action_batch", false, false }, { "run_task", false, false },
		{ "run_timer", false, false }, { "selected", false, false },
		{ "push_flow", true, false }, { "push_flow_batch", true, false },
		{ "new_flow", true, true }, { "release_flow", true, true },
	};
	char name[CODE_NAME];
	unsigned int i;
	size_t k;

	for (i = 0; i < c->n_methods; i++) {
		clang_name(c->methods[i], name, sizeof(name));
		for (k = 0; k < ARRAY_SIZE(points); k++)
			if (!strcmp(points[k].name, name))
				enter_method(c, c->methods[i], points[k].flow, points[k].first);
	}
}

/* Forget what was found, not what values are: the last round has all of both. */
static void forget(struct code *c)
{
	struct code_member *m;
	unsigned int i;

	for (i = 0; i < c->n_members; i++) {
		m = &c->members[i];
		m->key = code_value_of(VALUE_NONE);
		m->keyed = m->used = m->written = m->per_packet = m->swapped = false;
	}
	c->blind = false;
	c->rewrites = 0;
	c->rewrites_unknown = false;
}

void code_run(struct code *c)
{
	unsigned int round, i;

	enter_all(c);
	for (round = 0; round < MAX_ROUNDS; round++) {
		c->changed = false;
		forget(c);
		for (i = 0; i < c->n_functions; i++)
			walk(c, i);
		if (!c->changed && c->settled)
			return;
		c->settled |= !c->changed;
	}
	/* no end in sight: nothing of it is believed */
	for (i = 0; i < c->n_members; i++)
		if (c->members[i].keyed)
			c->members[i].key = code_value_of(VALUE_UNKNOWN);
	c->rewrites_unknown = true;
}

void code_free(struct code *c)
{
	unsigned int i, k;

	for (i = 0; i < c->n_members; i++) {
		for (k = 0; k < c->members[i].n_sites; k++)
			free(c->members[i].sites[k]);
		free(c->members[i].sites);
		free(c->members[i].name);
	}
	free(c->members);
	free(c->variables);
	free(c->functions);
	free(c->methods);
	free(c->classes);
	memset(c, 0, sizeof(*c));
}
