// SPDX-License-Identifier: GPL-2.0
/*
 * Expressions and statements of an element's code: see click_code.h.
 */
#include <stdlib.h>
#include <string.h>
#include "click_code.h"
#include "flowmage.h"

enum fm_field code_header_field(enum click_header at, const char *name)
{
	static const struct {
		enum click_header at;
		const char *name;
		enum fm_field field;
	} known[] = {
		{ AT_IP, "ip_src", FM_SRC_ADDR4 },
		{ AT_IP, "ip_dst", FM_DST_ADDR4 },
		{ AT_IP, "ip_p", FM_PROTOCOL },
		{ AT_IP6, "ip6_src", FM_SRC_ADDR6 },
		{ AT_IP6, "ip6_dst", FM_DST_ADDR6 },
		{ AT_TRANSPORT, "th_sport", FM_SRC_PORT },
		{ AT_TRANSPORT, "th_dport", FM_DST_PORT },
		{ AT_TRANSPORT, "uh_sport", FM_SRC_PORT },
		{ AT_TRANSPORT, "uh_dport", FM_DST_PORT },
		{ AT_ETHER, "ether_shost", FM_SRC_MAC },
		{ AT_ETHER, "ether_dhost", FM_DST_MAC },
		{ AT_ETHER, "ether_type", FM_ETHERTYPE },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].at == at && !strcmp(known[i].name, name))
			return known[i].field;
	return FM_FIELDS;
}

struct code_value code_resolve(struct code *c, struct code_value v, CXCursor e)
{
	const struct code_member *m;

	if (v.kind != VALUE_MEMBER || v.part < 0)
		return v;
	m = &c->members[v.part];
	if (m->function == c->now && !m->unsure && clang_place(e, NULL, NULL, 0) > m->place &&
	    m->value.kind != VALUE_MEMBER && m->value.kind != VALUE_CONST)
		return m->value;
	return v;
}

static struct code_value read_member(struct code *c, int number, CXCursor e)
{
	const struct code_member *m = &c->members[number];
	struct code_value v = {
		.kind = VALUE_MEMBER, .state = number, .part = number, .cpu = m->cpu
	};

	return code_resolve(c, v, e);
}

/* The name of a member, in templates, too; "" if there is none. */
static const char *member_name(CXCursor e, char *name, size_t len)
{
	clang_name(e, name, len);
	return *name ? name : clang_last_name(e, name, len);
}

static struct code_value eval_member(struct code *c, CXCursor e, struct cursors in)
{
	struct code_value base = { .kind = VALUE_NONE };
	CXCursor field = clang.getCursorReferenced(e);
	char name[CODE_NAME];
	enum fm_field f;
	int first = clang_first_expression(in);
	bool own = first < 0;
	int number;

	member_name(e, name, sizeof(name));
	if (!own) {
		base = code_eval(c, in.list[first]);
		own = clang.getCursorKind(in.list[first]) == CXCursor_CXXThisExpr;
	}
	if (own && !clang.Cursor_isNull(field) &&
	    clang.getCursorKind(field) != CXCursor_FieldDecl && !code_is_inside(c, field))
		return code_value_of(VALUE_CONST);
	if (own || base.kind == VALUE_MEMBER) {
		number = code_member(c, name);
		if (own && !clang.Cursor_isNull(field) &&
		    code_is_per_cpu(clang.getCursorType(field)))
			c->members[number].cpu = true;
		/* a part of something is that, but what was put into it is known by its own name */
		if (!own) {
			base.cpu |= c->members[base.state].cpu;
			c->members[number].cpu |= base.cpu;
			base.part = number;
			return code_resolve(c, base, e);
		}
		return read_member(c, number, e);
	}
	base.content = base.kind == VALUE_ENTRY;
	if (base.kind != VALUE_PACKET)
		return base;	/* a part of an entry, or of an address: s_addr and the like */
	f = code_header_field(base.at, name);
	return f == FM_FIELDS ? code_value_of(VALUE_UNKNOWN) : code_value_field(f);
}

static struct code_value eval_name(struct code *c, CXCursor e)
{
	CXCursor decl = clang.getCursorReferenced(e);
	struct code_value *v;
	char name[CODE_NAME];
	int number;

	switch (clang.Cursor_isNull(decl) ? CXCursor_InvalidFile : clang.getCursorKind(decl)) {
	case CXCursor_ParmDecl:
		v = code_variable(c, decl.data[0]);
		return v->kind == VALUE_NONE && c->settled ? code_value_of(VALUE_UNKNOWN) : *v;
	case CXCursor_VarDecl:
		/* of a class, or of all: as a member is */
		if (clang.getCursorKind(clang.getCursorSemanticParent(decl)) ==
			    CXCursor_TranslationUnit ||
		    clang.getCursorKind(clang.getCursorSemanticParent(decl)) ==
			    CXCursor_Namespace ||
		    code_is_inside(c, decl)) {
			number = code_member(c, clang_name(decl, name, sizeof(name)));
			return read_member(c, number, e);
		}
		v = code_variable(c, decl.data[0]);
		/* in a loop, in front of where it is set: that is of the packet before */
		if (v->kind == VALUE_NONE && c->settled)
			return code_value_of(VALUE_UNKNOWN);
		if (v->kind == VALUE_FIELDS &&
		    clang_place(e, NULL, NULL, 0) < code_first_store(c, decl.data[0]))
			return code_value_of(VALUE_UNKNOWN);
		return *v;
	case CXCursor_FieldDecl:
		return read_member(c, code_member(c, clang_name(decl, name, sizeof(name))), e);
	case CXCursor_EnumConstantDecl:
	case CXCursor_FunctionDecl:
	case CXCursor_CXXMethod:
	case CXCursor_NonTypeTemplateParameter:
		return code_value_of(VALUE_CONST);
	default:
		return code_value_of(VALUE_UNKNOWN);
	}
}

/* Where a macro hides the operator: what is read is converted, so that is no target. */
static bool is_store(const char *op, CXCursor target)
{
	return !strcmp(op, "=") ||
	       (!*op && clang.getCursorKind(target) != CXCursor_UnexposedExpr);
}

static struct code_value eval_binary(struct code *c, CXCursor e, struct cursors in, bool compound)
{
	struct code_value left, right;
	char op[8];

	if (in.n != 2)
		return code_value_of(VALUE_UNKNOWN);
	right = code_eval(c, in.list[1]);
	clang_operator(e, in.list[0], in.list[1], op, sizeof(op));
	if (compound) {
		right = code_value_mix(code_eval(c, in.list[0]), right);
		code_store(c, in.list[0], right);
		return right;
	}
	if (is_store(op, in.list[0])) {
		code_store(c, in.list[0], right);
		return right;
	}
	if (!strcmp(op, ","))
		return code_eval(c, in.list[0]), right;
	left = code_eval(c, in.list[0]);
	if ((left.kind == VALUE_PACKET || right.kind == VALUE_PACKET) &&
	    (!strcmp(op, "+") || !strcmp(op, "-")))
		return code_value_packet(AT_DATA);
	right = code_value_mix(left, right);
	/* what a comparison says of a packet is no key, and does no harm as an index of few */
	return right.kind == VALUE_CONST ? right : code_value_of(VALUE_UNKNOWN);
}

static struct code_value eval_unary(struct code *c, CXCursor e, struct cursors in)
{
	struct code_value v;
	bool step;

	if (!in.n)
		return code_value_of(VALUE_CONST);
	v = code_eval(c, in.list[0]);
	step = clang_has_word(e, "++") || clang_has_word(e, "--");
	/* "*p++" has the step in its operand, which has done it */
	if (step && !clang_has_word(in.list[0], "++") && !clang_has_word(in.list[0], "--")) {
		v = code_value_mix(v, code_value_of(VALUE_CONST));
		code_store(c, in.list[0], v.kind == VALUE_UNKNOWN ? v : code_value_of(VALUE_CONST));
	}
	return v;
}

static struct code_value eval_subscript(struct code *c, CXCursor e, struct cursors in)
{
	struct code_value base, index;

	if (in.n != 2)
		return code_value_of(VALUE_UNKNOWN);
	base = code_eval(c, in.list[0]);
	index = code_eval(c, in.list[1]);
	if (index.kind == VALUE_NONE || (index.kind == VALUE_ENTRY && !index.content))
		return index;
	if (base.kind == VALUE_MEMBER && index.kind == VALUE_FIELDS) {
		/* an array that the packet indexes is a table */
		code_access(c, base.state, &index, false, e);
		return (struct code_value){ .kind = VALUE_ENTRY, .state = base.state };
	}
	if (base.kind == VALUE_PACKET)
		return code_value_of(VALUE_UNKNOWN);
	return code_resolve(c, base, e);
}

static struct code_value eval_cast(struct code *c, CXCursor e, struct cursors in)
{
	struct code_value v = in.n ? code_eval(c, in.list[in.n - 1]) : code_value_of(VALUE_CONST);
	char type[CODE_NAME];

	if (v.kind != VALUE_PACKET || v.at == AT_PACKET)
		return v;
	clang_type_name(clang.getCursorType(e), type, sizeof(type));
	if (v.at == AT_DATA && strstr(type, "click_ether"))
		return code_value_packet(AT_ETHER);
	if ((v.at == AT_IP && !strstr(type, "click_ip")) ||
	    (v.at == AT_ETHER && !strstr(type, "click_ether")) ||
	    (v.at == AT_TRANSPORT && !strstr(type, "click_tcp") && !strstr(type, "click_udp")))
		return code_value_packet(AT_DATA);
	return v;
}

static struct code_value eval_variable(struct code *c, CXCursor decl, struct cursors in)
{
	struct code_value v = code_value_of(VALUE_NONE), *old;
	unsigned int i;

	/* the last child that is an expression is what it begins with */
	for (i = 0; i < in.n; i++)
		if (clang.getCursorKind(in.list[i]) != CXCursor_TypeRef &&
		    clang.getCursorKind(in.list[i]) != CXCursor_TemplateRef &&
		    clang.getCursorKind(in.list[i]) != CXCursor_NamespaceRef)
			v = code_eval(c, in.list[i]);
	old = code_variable(c, decl.data[0]);
	v = code_value_join(*old, v);
	if (v.kind != VALUE_NONE)
		code_stored(c, decl.data[0], clang_place(decl, NULL, NULL, 0));
	/* evaluation may have moved the variables */
	old = code_variable(c, decl.data[0]);
	if (!code_value_equal(old, &v)) {
		*old = v;
		c->changed = true;
	}
	return v;
}

/* Parameters of a function without a name: a packet; what else it is called with is not known. */
static void lambda_params(struct code *c, struct cursors in)
{
	struct code_value *v;
	unsigned int i;

	for (i = 0; i < in.n; i++) {
		if (clang.getCursorKind(in.list[i]) != CXCursor_ParmDecl)
			continue;
		v = code_variable(c, in.list[i].data[0]);
		if (v->kind == VALUE_NONE)
			*v = code_is_packet(clang.getCursorType(in.list[i])) ?
			     code_value_packet(AT_PACKET) : code_value_of(VALUE_UNKNOWN);
	}
}

static struct code_value eval_all(struct code *c, struct cursors in, bool append)
{
	struct code_value v = code_value_of(VALUE_CONST), one;
	unsigned int i;

	for (i = 0; i < in.n; i++) {
		one = code_eval(c, in.list[i]);
		v = append ? code_value_append(v, one) : one;
	}
	return v;
}

static void eval_return(struct code *c, struct cursors in)
{
	struct code_value v = eval_all(c, in, false);

	v = code_value_join(c->functions[c->now].result, v);
	if (code_value_equal(&v, &c->functions[c->now].result))
		return;
	c->functions[c->now].result = v;
	c->changed = true;
}

static struct code_value eval_kind(struct code *c, CXCursor e, enum CXCursorKind kind,
				   struct cursors in)
{
	struct code_value v;
	unsigned int i;
	int number;

	switch (kind) {
	case CXCursor_IntegerLiteral:
	case CXCursor_FloatingLiteral:
	case CXCursor_StringLiteral:
	case CXCursor_CharacterLiteral:
	case CXCursor_CXXBoolLiteralExpr:
	case CXCursor_CXXNullPtrLiteralExpr:
	case CXCursor_GNUNullExpr:
	case CXCursor_UnaryExpr:	/* sizeof */
	case CXCursor_TypeRef:
	case CXCursor_TemplateRef:
	case CXCursor_NamespaceRef:
		return code_value_of(VALUE_CONST);
	case CXCursor_CXXThisExpr:
		number = code_member(c, "this");
		return (struct code_value){ .kind = VALUE_MEMBER, .state = number, .part = number };
	case CXCursor_DeclRefExpr:
		return eval_name(c, e);
	case CXCursor_MemberRefExpr:
	case CXCursor_MemberRef:
		return eval_member(c, e, in);
	case CXCursor_CallExpr:
		return code_call(c, e);
	case CXCursor_BinaryOperator:
		return eval_binary(c, e, in, false);
	case CXCursor_CompoundAssignOperator:
		return eval_binary(c, e, in, true);
	case CXCursor_UnaryOperator:
		return eval_unary(c, e, in);
	case CXCursor_ArraySubscriptExpr:
		return eval_subscript(c, e, in);
	case CXCursor_CStyleCastExpr:
	case CXCursor_CXXReinterpretCastExpr:
	case CXCursor_CXXStaticCastExpr:
	case CXCursor_CXXConstCastExpr:
	case CXCursor_CXXDynamicCastExpr:
	case CXCursor_CXXFunctionalCastExpr:
		return eval_cast(c, e, in);
	case CXCursor_VarDecl:
		return eval_variable(c, e, in);
	case CXCursor_ReturnStmt:
		eval_return(c, in);
		return code_value_of(VALUE_NONE);
	case CXCursor_InitListExpr:
		return eval_all(c, in, true);
	case CXCursor_LambdaExpr:
		lambda_params(c, in);
		return eval_all(c, in, false);
	case CXCursor_CXXNewExpr:
		eval_all(c, in, false);
		return code_value_of(VALUE_CONST);
	case CXCursor_ConditionalOperator:
		if (in.n != 3)
			break;
		code_eval(c, in.list[0]);
		v = code_eval(c, in.list[1]);
		return code_value_join(v, code_eval(c, in.list[2]));
	case CXCursor_IfStmt:
	case CXCursor_SwitchStmt:
		c->conditions++;
		eval_all(c, in, false);
		c->conditions--;
		return code_value_of(VALUE_NONE);
	case CXCursor_UnexposedExpr:
		/* a call of what is not declared */
		if (in.n > 1)
			return code_call(c, e);
		break;
	default:
		break;
	}
	for (i = 0, v = code_value_of(VALUE_CONST); i < in.n; i++)
		v = code_eval(c, in.list[i]);
	return v;
}

struct code_value code_eval(struct code *c, CXCursor e)
{
	struct cursors in = clang_children(e);
	struct code_value v = eval_kind(c, e, clang.getCursorKind(e), in);
	CXType type;

	free(in.list);
	if (v.kind != VALUE_FIELDS)
		return v;
	/* a number that is too small for all of it */
	type = clang.getCanonicalType(clang.getCursorType(e));
	if (type.kind >= CXType_Bool && type.kind <= CXType_Int128 &&
	    clang.Type_getSizeOf(type) < code_value_size(&v))
		return code_value_of(VALUE_UNKNOWN);
	return v;
}
