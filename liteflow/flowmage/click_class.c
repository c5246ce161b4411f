// SPDX-License-Identifier: GPL-2.0
/*
 * The code of a class of elements in a parsed source, and what the class then is: see
 * click_facts.h.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click_code.h"
#include "flowmage.h"

struct gather {
	struct code *c;
	const char *name;
	CXCursor class;
	bool found;
};

static enum CXChildVisitResult find_class(CXCursor cursor, CXCursor parent, CXClientData data)
{
	enum CXCursorKind kind = clang.getCursorKind(cursor);
	struct gather *g = data;
	char name[200];

	(void)parent;
	if (kind == CXCursor_Namespace || kind == CXCursor_LinkageSpec ||
	    kind == CXCursor_UnexposedDecl)
		return CXChildVisit_Recurse;
	if (kind != CXCursor_ClassDecl && kind != CXCursor_StructDecl)
		return CXChildVisit_Continue;
	if (!clang.isCursorDefinition(cursor) ||
	    strcmp(clang_name(cursor, name, sizeof(name)), g->name))
		return CXChildVisit_Continue;
	g->class = cursor;
	g->found = true;
	return CXChildVisit_Break;
}

/* What every element is made from: its code is not an element's. */
static bool is_framework(const char *name)
{
	static const char *const names[] = {
		"Element", "BatchElement", "FlowElement", "VirtualFlowSpaceElement",
		"FlowSpaceElement", "FlowStateElement", "FlowSharedBufferElement",
		"VirtualFlowManager", "Router::InitFuture", "InitFuture",
		"Router::ChildrenFuture", "MigrationListener" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

struct chain {
	struct code *c;
	bool manager;
	bool pointers;	/* in the types that templates are given */
	bool unknown;	/* a class that it is made from is not there */
};

static void add_class(struct chain *h, CXCursor class);

static void add_base(struct chain *h, CXCursor base)
{
	CXType type = clang.getCanonicalType(clang.getCursorType(base));
	CXCursor decl = clang.getTypeDeclaration(type), pattern;
	char name[200], argument[200];
	CXType t;
	int i;

	pattern = clang.getSpecializedCursorTemplate(decl);
	if (!clang.Cursor_isNull(pattern))
		decl = pattern;
	clang_name(decl, name, sizeof(name));
	if (!*name) {
		/* a base that depends on a template's parameters */
		clang_type_name(type, name, sizeof(name));
		name[strcspn(name, "<")] = 0;
		h->unknown |= !is_framework(name);
	}
	h->c->is_flow |= !strcmp(name, "FlowSpaceElement") || !strcmp(name, "FlowStateElement") ||
			 !strcmp(name, "FlowSharedBufferElement");
	h->manager |= !strcmp(name, "VirtualFlowManager");
	for (i = 0; i < clang.Type_getNumTemplateArguments(type); i++) {
		t = clang.getCanonicalType(clang.Type_getTemplateArgumentAsType(type, i));
		/* its own name is one of them, in "class A : public State<A, S>" */
		clang_name(h->c->classes[0], name, sizeof(name));
		if (t.kind != CXType_Invalid &&
		    strcmp(clang_type_name(t, argument, sizeof(argument)), name))
			h->pointers |= code_has_pointers(t, 1);
	}
	add_class(h, decl);
}

static void add_class(struct chain *h, CXCursor class)
{
	CXCursor definition = clang.getCursorDefinition(class);
	struct cursors in;
	char name[200];
	unsigned int i;

	if (!clang.Cursor_isNull(definition))
		class = definition;
	if (!is_framework(clang_name(class, name, sizeof(name))) || !h->c->n_classes) {
		h->c->classes = click_grow(h->c->classes, h->c->n_classes, sizeof(*h->c->classes));
		h->c->classes[h->c->n_classes++] = class;
	}
	in = clang_children(class);
	for (i = 0; i < in.n && h->c->n_classes < 32; i++)
		if (clang.getCursorKind(in.list[i]) == CXCursor_CXXBaseSpecifier)
			add_base(h, in.list[i]);
	free(in.list);
}

static enum CXChildVisitResult find_methods(CXCursor cursor, CXCursor parent, CXClientData data)
{
	enum CXCursorKind kind = clang.getCursorKind(cursor);
	struct code *c = data;

	(void)parent;
	if (kind == CXCursor_Namespace || kind == CXCursor_LinkageSpec ||
	    kind == CXCursor_ClassDecl || kind == CXCursor_StructDecl ||
	    kind == CXCursor_ClassTemplate)
		return CXChildVisit_Recurse;
	if ((kind == CXCursor_CXXMethod || kind == CXCursor_FunctionTemplate) &&
	    clang.isCursorDefinition(cursor) && code_is_inside(c, cursor)) {
		c->methods = click_grow(c->methods, c->n_methods, sizeof(*c->methods));
		c->methods[c->n_methods++] = cursor;
	}
	return CXChildVisit_Continue;
}

/* An entry point that is declared, and whose text is in another file. */
static void find_unseen(struct code *c)
{
	static const char *const points[] = {
		"push", "push_batch", "pull", "pull_batch", "simple_action",
		"simple_action_batch", "push_flow", "push_flow_batch", "new_flow" };
	struct cursors in;
	char name[CODE_NAME];
	unsigned int i, k;
	size_t p;

	for (i = 0; i < c->n_classes; i++) {
		in = clang_children(c->classes[i]);
		for (k = 0; k < in.n; k++) {
			if (clang.getCursorKind(in.list[k]) != CXCursor_CXXMethod)
				continue;
			clang_name(in.list[k], name, sizeof(name));
			for (p = 0; p < ARRAY_SIZE(points); p++)
				if (!strcmp(points[p], name) &&
				    !clang.CXXMethod_isPureVirtual(in.list[k]) &&
				    clang.Cursor_isNull(clang.getCursorDefinition(in.list[k])))
					snprintf(c->unseen, sizeof(c->unseen), "%s", name);
		}
		free(in.list);
	}
}

static bool method_has(const struct code *c, const char *method, const char *word)
{
	char name[CODE_NAME];
	unsigned int i;

	for (i = 0; i < c->n_methods; i++)
		if ((!method || !strcmp(clang_name(c->methods[i], name, sizeof(name)), method)) &&
		    clang_has_word(c->methods[i], word))
			return true;
	return false;
}

/* Queues, and tasks and timers that send packets. */
static bool hands_over(const struct code *c)
{
	static const char *const ways[] = { "PUSH_TO_PULL", "PULL_TO_PUSH", "\"h/l\"", "\"l/h\"",
					    "\"h/lh\"" };
	static const char *const later[] = { "run_task", "run_timer", "selected" };
	static const char *const sends[] = { "push", "push_batch", "output_push_batch",
					     "checked_output_push_batch", "checked_output_push" };
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (method_has(c, "processing", ways[i]))
			return true;
	for (i = 0; i < ARRAY_SIZE(later); i++)
		for (k = 0; k < ARRAY_SIZE(sends); k++)
			if (method_has(c, later[i], sends[k]))
				return true;
	return false;
}

static void add_sites(struct click_state *s, const struct code_member *m)
{
	unsigned int i;

	for (i = 0; i < m->n_sites; i++)
		click_add_line(&s->sites, &s->n_sites, "%s: %s", m->sites[i], m->name);
}

static void add_member(struct click_facts *facts, const struct code_member *m, bool pointers)
{
	struct click_state *s = click_facts_add(facts, m->name);

	add_sites(s, m);
	s->written = m->written;
	s->per_packet = m->per_packet;
	s->pointers = m->pointers || pointers;
	s->symmetric = m->swapped;
	if (!strcmp(m->name, CODE_FLOW)) {
		s->key = CLICK_KEY_FLOW;
		s->written = true;
	} else if (m->cpu) {
		s->key = CLICK_KEY_CPU;
	} else if (m->key.kind == VALUE_FIELDS) {
		s->n_fields = m->key.n;
		memcpy(s->fields, m->key.fields, m->key.n * sizeof(*s->fields));
	} else {
		s->key = CLICK_KEY_UNKNOWN;
		s->reason = strdup("its key is not one of the packet's fields, or several");
	}
}

/* Members without a key are one state: they are for all packets. */
static void add_constant(struct click_facts *facts, const struct code *c)
{
	struct click_state *s = NULL;
	unsigned int i;

	for (i = 0; i < c->n_members; i++) {
		if (!c->members[i].written || c->members[i].keyed || c->members[i].cpu ||
		    !strcmp(c->members[i].name, CODE_FLOW))
			continue;
		if (!s) {
			s = click_facts_add(facts, "members");
			s->key = CLICK_KEY_CONST;
			s->written = true;
		}
		s->per_packet |= c->members[i].per_packet;
		add_sites(s, &c->members[i]);
	}
}

static void tell(const struct code *c, const struct chain *h, struct click_facts *facts)
{
	const struct code_member *m;
	struct click_state *s;
	unsigned int i;

	for (i = 0; i < c->n_members; i++) {
		m = &c->members[i];
		if (!strcmp(m->name, CODE_FLOW) ? c->is_flow : m->written && (m->keyed || m->cpu))
			add_member(facts, m,
				   (m->keyed || !strcmp(m->name, CODE_FLOW)) && h->pointers);
	}
	add_constant(facts, c);
	if (c->unseen[0]) {
		s = click_facts_add(facts, "code elsewhere");
		s->key = CLICK_KEY_UNKNOWN;
		s->written = s->per_packet = true;
		facts->rewrites_unknown = true;
		if (asprintf(&s->reason, "the text of %s is not there", c->unseen) < 0)
			err(EXIT_OTHER, "out of memory");
	}
	if (c->blind) {
		s = click_facts_add(facts, "memory");
		s->key = CLICK_KEY_UNKNOWN;
		s->written = s->per_packet = true;
		s->reason = strdup("it writes through a pointer that is not followed");
	}
	facts->rewrites = c->rewrites;
	facts->rewrites_unknown |= c->rewrites_unknown;
	facts->doubtful = c->blind || c->unseen[0] || c->rewrites_unknown;
	if (c->rewrites_unknown && c->rewriter[0])
		click_add_line(&facts->reasons, &facts->n_reasons, "%s", c->rewriter);
	facts->handoff = hands_over(c);
	facts->shared_keyword = method_has(c, NULL, "\"SHARED\"");
	facts->hash_keyword = method_has(c, NULL, "\"HASHFUNC\"");
	facts->is_manager = h->manager;
	for (i = 0; h->manager && i < facts->n_states; i++) {
		if (facts->states[i].key != CLICK_KEY_FIELDS_OF)
			continue;
		facts->manager.n_fields = facts->states[i].n_fields;
		memcpy(facts->manager.fields, facts->states[i].fields,
		       sizeof(facts->manager.fields));
		break;
	}
}

void code_read_class(CXTranslationUnit unit, const char *class_name, struct click_facts *facts)
{
	struct code c = { .unit = unit };
	struct chain h = { .c = &c };
	struct gather g = { .c = &c, .name = class_name };
	CXCursor all = clang.getTranslationUnitCursor(unit);
	unsigned int line;
	char file[600];

	clang.visitChildren(all, find_class, &g);
	if (!g.found)
		return;
	add_class(&h, g.class);
	clang.visitChildren(all, find_methods, &c);
	if (c.is_flow)
		code_member(&c, CODE_FLOW);
	code_run(&c);
	find_unseen(&c);
	facts->known = !h.unknown && c.n_functions;
	if (facts->known) {
		tell(&c, &h, facts);
		clang_place(g.class, &line, file, sizeof(file));
		free(facts->from);
		if (asprintf(&facts->from, "%s:%u", file, line) < 0)
			err(EXIT_OTHER, "out of memory");
		/* a device's packets, by the name that all of them have */
		facts->receiver = method_has(&c, "port_count", "PORTS_0_1") ||
				  method_has(&c, "port_count", "\"0/1\"") ||
				  method_has(&c, "port_count", "\"0/1-2\"");
		facts->receiver &= strlen(class_name) > 6 &&
				   !strcmp(class_name + strlen(class_name) - 6, "Device");
	}
	code_free(&c);
}
