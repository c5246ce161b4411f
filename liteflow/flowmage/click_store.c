// SPDX-License-Identifier: GPL-2.0
/*
 * What an element's code reads and writes: variables, members, tables, packets. See click_code.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click_code.h"
#include "flowmage.h"

static void add_site(struct code_member *m, CXCursor site)
{
	char file[300], line[400];
	const char *base;
	unsigned int number, i;

	clang_place(site, &number, file, sizeof(file));
	base = strrchr(file, '/');
	snprintf(line, sizeof(line), "%s:%u", base ? base + 1 : file, number);
	for (i = 0; i < m->n_sites; i++)
		if (!strcmp(m->sites[i], line))
			return;
	if (m->n_sites < 16)
		click_add_line(&m->sites, &m->n_sites, "%s", line);
}

static bool is_mirror(const struct code_value *a, const struct code_value *b)
{
	unsigned int i;

	if (a->kind != VALUE_FIELDS || b->kind != VALUE_FIELDS || a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (fm_field_mirror(a->fields[i]) != b->fields[i])
			return false;
	return true;
}

void code_access(struct code *c, int member, const struct code_value *key, bool write,
		 CXCursor site)
{
	struct code_member *m = &c->members[member];
	struct code_value k;

	m->used = true;
	m->written |= write;
	/* an entry that is added under a condition is a new one: that is a flow's first packet */
	m->per_packet |= write && (!key || !c->conditions) && !c->functions[c->now].first;
	if (write || key)
		add_site(m, site);
	if (!key)
		return;
	m->keyed = true;
	k = code_resolve(c, *key, site);
	if (k.kind == VALUE_NONE)
		return;
	if (k.kind != VALUE_FIELDS)
		k = code_value_of(VALUE_UNKNOWN);
	if (m->key.kind == VALUE_FIELDS && is_mirror(&m->key, &k) && !code_value_equal(&m->key, &k))
		m->swapped = true;
	else if (m->key.kind == VALUE_NONE)
		m->key = k;
	else if (!code_value_equal(&m->key, &k))
		m->key = code_value_of(VALUE_UNKNOWN);
}

void code_rewrite(struct code *c, CXCursor site)
{
	char file[200], name[CODE_NAME];
	unsigned int line;
	const char *base;

	if (c->rewrites_unknown)
		return;
	c->rewrites_unknown = true;
	clang_place(site, &line, file, sizeof(file));
	base = strrchr(file, '/');
	clang_name(site, name, sizeof(name));
	snprintf(c->rewriter, sizeof(c->rewriter), "%.120s:%u: it may change any field of a packet%s%.79s",
		 base ? base + 1 : file, line, *name ? ": " : "", name);
}

void code_write(struct code *c, struct code_value target, CXCursor site)
{
	struct code_member *m;

	if (target.kind == VALUE_MEMBER) {
		code_access(c, target.state, NULL, true, site);
	} else if (target.kind == VALUE_ENTRY) {
		m = &c->members[target.state];
		m->used = m->written = true;
		m->per_packet |= !c->functions[c->now].first;
		add_site(m, site);
	} else if (target.kind == VALUE_PACKET && target.at != AT_PACKET) {
		code_rewrite(c, site);
	}
}

/* What was put to a part of the element's memory. */
static void keep(struct code *c, int part, struct code_value value, CXCursor site)
{
	unsigned int place = clang_place(site, NULL, NULL, 0);
	struct code_member *m;

	if (part < 0)
		return;
	m = &c->members[part];
	if (m->function == -1) {
		m->function = c->now;
		m->place = place;
		c->changed = true;
	} else if (m->function != c->now && m->function != -2) {
		m->function = -2;
		c->changed = true;
	}
	m->unsure |= c->conditions;
	value = code_value_join(m->value, value);
	if (!code_value_equal(&m->value, &value)) {
		m->value = value;
		c->changed = true;
	}
}

void code_store_at(struct code *c, CXCursor pointer, struct code_value target,
		   struct code_value value)
{
	if (target.kind != VALUE_MEMBER) {
		code_store(c, pointer, value);
		return;
	}
	keep(c, target.part, value, pointer);
	code_write(c, target, pointer);
}

static void store_variable(struct code *c, CXCursor e, struct code_value value)
{
	CXCursor decl = clang.getCursorReferenced(e);
	CXType type = clang.getCursorType(decl);
	struct code_value now = code_eval(c, e), *v;
	bool reference = type.kind == CXType_LValueReference;

	/* a member, or what a reference leads to */
	if (now.kind == VALUE_MEMBER &&
	    (reference || clang.getCursorKind(decl) == CXCursor_FieldDecl)) {
		keep(c, now.part, value, e);
		code_write(c, now, e);
		return;
	}
	if (reference &&
	    (now.kind == VALUE_ENTRY || (now.kind == VALUE_PACKET && now.at != AT_PACKET))) {
		code_write(c, now, e);
		return;
	}
	if (clang.Cursor_isNull(decl))
		return;
	code_stored(c, decl.data[0], clang_place(e, NULL, NULL, 0));
	v = code_variable(c, decl.data[0]);
	value = code_value_join(*v, value);
	if (!code_value_equal(v, &value)) {
		*v = value;
		c->changed = true;
	}
}

/* A write through a pointer of which nothing is known. */
static void note_blind(struct code *c, CXCursor pointer, struct code_value v)
{
	CXType type = clang.getCanonicalType(clang.getCursorType(pointer));

	if (v.kind != VALUE_UNKNOWN || type.kind != CXType_Pointer)
		return;
	c->blind = true;
	code_rewrite(c, pointer);
}

/* A member of a header that lies somewhere in the packet: no more than that is changed. */
static void store_header(struct code *c, CXCursor e)
{
	static const struct {
		const char *class;
		enum click_header at;
	} headers[] = {
		{ "click_ip", AT_IP }, { "click_ip6", AT_IP6 }, { "click_ether", AT_ETHER },
		{ "click_tcp", AT_TRANSPORT }, { "click_udp", AT_TRANSPORT },
	};
	CXCursor member = clang.getCursorReferenced(e);
	char class[CODE_NAME], name[CODE_NAME];
	enum fm_field field;
	size_t i;

	if (clang.Cursor_isNull(member)) {
		code_rewrite(c, e);
		return;
	}
	clang_name(clang.getCursorSemanticParent(member), class, sizeof(class));
	for (i = 0; i < ARRAY_SIZE(headers); i++) {
		if (strcmp(headers[i].class, class))
			continue;
		field = code_header_field(headers[i].at, clang_name(e, name, sizeof(name)));
		if (field != FM_FIELDS)
			c->rewrites |= 1u << field;
		return;
	}
	code_rewrite(c, e);
}

static void store_member(struct code *c, CXCursor e, struct cursors in, struct code_value value)
{
	struct code_value base = { .kind = VALUE_MEMBER };
	struct code_value now = code_eval(c, e);
	char name[CODE_NAME];
	int number, first = clang_first_expression(in);

	if (first >= 0) {
		base = code_eval(c, in.list[first]);
		note_blind(c, in.list[first], base);
	}
	if (base.kind == VALUE_PACKET) {
		if (now.kind == VALUE_FIELDS)
			c->rewrites |= 1u << now.fields[0];
		else if (base.at == AT_DATA)
			store_header(c, e);
		return;
	}
	if (base.kind == VALUE_MEMBER) {
		clang_name(e, name, sizeof(name));
		number = code_member(c, *name ? name : clang_last_name(e, name, sizeof(name)));
		keep(c, number, value, e);
		if (first >= 0 && clang.getCursorKind(in.list[first]) != CXCursor_CXXThisExpr)
			code_write(c, base, e);
		else
			code_access(c, number, NULL, true, e);
		return;
	}
	if (base.kind == VALUE_ENTRY)
		code_write(c, base, e);
	else if (first >= 0 && base.kind != VALUE_NONE)
		code_store(c, in.list[first], code_value_of(VALUE_UNKNOWN));
}

static void store_subscript(struct code *c, CXCursor e, struct cursors in, struct code_value value)
{
	struct code_value base, index;

	if (in.n != 2)
		return;
	base = code_eval(c, in.list[0]);
	index = code_eval(c, in.list[1]);
	if (index.kind == VALUE_NONE)
		return;
	note_blind(c, in.list[0], base);
	if (index.kind == VALUE_ENTRY && !index.content) {
		code_write(c, index, e);
	} else if (base.kind == VALUE_MEMBER) {
		if (index.kind == VALUE_FIELDS) {
			code_access(c, base.state, &index, true, e);
			code_write(c,
				   (struct code_value){ .kind = VALUE_ENTRY, .state = base.state },
				   e);
			return;
		}
		keep(c, base.part, value, e);
		code_write(c, base, e);
	} else if (base.kind == VALUE_ENTRY || base.kind == VALUE_PACKET) {
		code_write(c, base, e);
	} else {
		code_store(c, in.list[0], value);
	}
}

void code_store(struct code *c, CXCursor target, struct code_value value)
{
	struct cursors in = clang_children(target);
	struct code_value v;

	switch (clang.getCursorKind(target)) {
	case CXCursor_DeclRefExpr:
		store_variable(c, target, value);
		break;
	case CXCursor_MemberRefExpr:
		store_member(c, target, in, value);
		break;
	case CXCursor_ArraySubscriptExpr:
		store_subscript(c, target, in, value);
		break;
	case CXCursor_ParenExpr:
	case CXCursor_UnexposedExpr:
	case CXCursor_CStyleCastExpr:
	case CXCursor_CXXReinterpretCastExpr:
	case CXCursor_CXXStaticCastExpr:
	case CXCursor_CXXConstCastExpr:
		if (in.n)
			code_store(c, in.list[in.n - 1], value);
		break;
	case CXCursor_UnaryOperator:
		v = in.n ? code_eval(c, in.list[0]) : code_value_of(VALUE_NONE);
		if (in.n)
			note_blind(c, in.list[0], v);
		if (v.kind == VALUE_MEMBER)
			keep(c, v.part, value, target);
		/* "&x", or "*p" whose place is not memory that lives on */
		if (v.kind == VALUE_MEMBER || v.kind == VALUE_ENTRY || v.kind == VALUE_PACKET)
			code_write(c, v, target);
		else if (in.n)
			code_store(c, in.list[0], value);
		break;
	default:
		code_write(c, code_eval(c, target), target);
	}
	free(in.list);
}

