// SPDX-License-Identifier: GPL-2.0
/*
 * Calls in an element's code: what the framework's functions give, tables, and functions of the
 * element's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click_call.h"

static bool is_this(const struct code *c, const struct code_value *v)
{
	return v->kind == VALUE_MEMBER && !strcmp(c->members[v->state].name, "this");
}

/* After a call, a variable that was given by reference may hold something else. */
static void spoil(struct code *c, struct call *call, unsigned int i)
{
	if (call->args[i].kind == VALUE_FIELDS)
		code_store(c, call->list[i], code_value_of(VALUE_UNKNOWN));
}

/* A function of the element's own: what it has put to its parameters is seen there. */
static struct code_value enter(struct code *c, struct call *call, CXCursor definition)
{
	bool first = c->functions[c->now].first;
	struct code_value v = code_enter(c, definition, call->args, call->n, first), *p;
	struct cursors in = clang_children(definition);
	unsigned int i, n = 0;

	for (i = 0; i < in.n && n < call->n; i++) {
		if (clang.getCursorKind(in.list[i]) != CXCursor_ParmDecl)
			continue;
		p = code_variable(c, in.list[i].data[0]);
		if (p->kind != VALUE_NONE && !code_value_equal(p, &call->args[n]))
			spoil(c, call, n);
		n++;
	}
	free(in.list);
	return v;
}

/* How far from the class that the element is of: what it is made from has higher numbers. */
static unsigned int rank(const struct code *c, CXCursor method)
{
	CXCursor class = clang.getCursorSemanticParent(method);
	unsigned int i;

	for (i = 0; i < c->n_classes && c->classes[i].data[0] != class.data[0]; i++)
		;
	return i;
}

/* Methods that a call by name may mean: those of the class that is nearest. */
static bool own_methods(struct code *c, struct call *call, CXCursor callee, struct code_value *v)
{
	bool fixed = !clang.Cursor_isNull(callee) &&
		     clang.getCursorKind(callee) == CXCursor_CXXMethod &&
		     !clang.CXXMethod_isVirtual(callee), found = false;
	CXCursor definition = fixed ? clang.getCursorDefinition(callee) : callee;
	unsigned int i, nearest = c->n_classes;
	char name[CODE_NAME];

	for (i = 0; i < c->n_methods; i++) {
		if (strcmp(clang_name(c->methods[i], name, sizeof(name)), call->name))
			continue;
		if (rank(c, c->methods[i]) < nearest)
			nearest = rank(c, c->methods[i]);
		if (fixed && c->methods[i].data[0] == definition.data[0]) {
			*v = enter(c, call, c->methods[i]);
			return true;
		}
	}
	for (i = 0; i < c->n_methods; i++) {
		if (rank(c, c->methods[i]) != nearest ||
		    strcmp(clang_name(c->methods[i], name, sizeof(name)), call->name))
			continue;
		*v = code_value_join(*v, enter(c, call, c->methods[i]));
		found = true;
	}
	return found;
}

/* Another function whose text is there. */
static bool has_text(struct code *c, struct call *call, struct code_value *v)
{
	CXCursor callee = clang.getCursorReferenced(call->e), definition;

	if (clang.Cursor_isNull(callee) || call->has_object)
		return false;
	definition = clang.getCursorDefinition(callee);
	if (clang.Cursor_isNull(definition) ||
	    clang.getCursorKind(definition) != CXCursor_FunctionDecl)
		return false;
	*v = enter(c, call, definition);
	return true;
}

static void spoil_object(struct code *c, struct call *call)
{
	if (call->object.kind == VALUE_FIELDS)
		code_store(c, call->target, code_value_of(VALUE_UNKNOWN));
}

/* Is the argument an address, or a reference that may be written to? */
static bool gives_place(CXCursor callee, struct call *call, unsigned int i)
{
	CXType type;

	if (clang.getCursorKind(call->list[i]) == CXCursor_UnaryOperator)
		return true;
	if (clang.Cursor_isNull(callee))
		return true;
	type = clang.getCanonicalType(clang.getArgType(clang.getCursorType(callee), i));
	return type.kind == CXType_LValueReference &&
	       !clang.isConstQualifiedType(clang.getPointeeType(type));
}

/* A packet is handed to a function whose text is not there, and which may write to it. */
static bool may_rewrite(CXCursor callee, struct call *call, unsigned int i)
{
	char class[CODE_NAME];
	CXType type;

	if (call->args[i].kind != VALUE_PACKET || strstr(call->name, "cksum") ||
	    !strncmp(call->name, "operator", 8) || call_harmless(call->name) ||
	    clang.Cursor_isNull(callee))
		return false;
	if (clang.getCursorKind(callee) == CXCursor_Constructor)
		return false;
	/* packets put together, not written to */
	clang_name(clang.getCursorSemanticParent(callee), class, sizeof(class));
	if (!strcmp(class, "PacketBatch") || !strcmp(class, "Packet") ||
	    !strcmp(class, "WritablePacket") || !strcmp(class, "BatchBuilder"))
		return false;
	type = clang.getPointeeType(
		clang.getCanonicalType(clang.getArgType(clang.getCursorType(callee), i)));
	return type.kind != CXType_Invalid && !clang.isConstQualifiedType(type);
}

/* What a function that is not known may do to its argument. */
static void change_argument(struct code *c, struct call *call, CXCursor callee, unsigned int i)
{
	if (call->args[i].kind == VALUE_ENTRY && !call->args[i].content)
		code_write(c, call->args[i], call->e);
	if (gives_place(callee, call, i))
		spoil(c, call, i);
	if (may_rewrite(callee, call, i))
		code_rewrite(c, call->e);
}

/* A packet that the framework gives, or makes of others: not one that the element has kept. */
static bool gives_packet(const struct code *c, const struct call *call)
{
	unsigned int i;

	if (!code_is_packet(clang.getCursorType(call->e)) ||
	    (call->has_object && !is_this(c, &call->object) &&
	     (call->object.kind == VALUE_MEMBER || call->object.kind == VALUE_ENTRY ||
	      call->object.kind == VALUE_UNKNOWN)))
		return false;
	for (i = 0; i < call->n; i++)
		if (call->args[i].kind == VALUE_MEMBER || call->args[i].kind == VALUE_ENTRY ||
		    call->args[i].kind == VALUE_UNKNOWN)
			return false;
	return true;
}

/* A function that is not known: what it gets by reference, and the object, may be changed. */
static struct code_value other(struct code *c, struct call *call)
{
	struct code_value v = code_value_of(VALUE_CONST);
	CXCursor callee = clang.getCursorReferenced(call->e);
	bool changes = clang.Cursor_isNull(callee) ||
		       clang.getCursorKind(callee) != CXCursor_CXXMethod ||
		       !clang.CXXMethod_isConst(callee);
	unsigned int i;

	for (i = 0; i < call->n; i++)
		v = code_value_mix(v, call->args[i]);
	/* through a pointer to a function */
	if (!call->name[0] && clang.Cursor_isNull(callee))
		snprintf(c->unseen, sizeof(c->unseen), "a function that a pointer leads to");
	if (call->has_object && call->object.kind != VALUE_MEMBER &&
	    call->object.kind != VALUE_ENTRY)
		v = code_value_mix(v, call->object);
	if (gives_packet(c, call))
		v = code_value_packet(AT_PACKET);
	for (i = 0; i < call->n && !call_harmless(call->name); i++)
		change_argument(c, call, callee, i);
	/* what an element is made from keeps its own books */
	if (!call->has_object || is_this(c, &call->object)) {
		if (call_harmless(call->name) ||
		    (!clang.Cursor_isNull(callee) &&
		     clang.getCursorKind(callee) == CXCursor_CXXMethod &&
		     !code_is_inside(c, callee)))
			return v;
		/* a method of the element's whose text is in another file */
		if (!clang.Cursor_isNull(callee) &&
		    clang.getCursorKind(callee) == CXCursor_CXXMethod)
			snprintf(c->unseen, sizeof(c->unseen), "%s", call->name);
	}
	if (call_looks(call->name) || (call_harmless(call->name) &&
				       call->object.kind != VALUE_MEMBER &&
				       call->object.kind != VALUE_ENTRY))
		return call->has_object ? call->object : v;
	if (call->has_object &&
	    (call->object.kind == VALUE_MEMBER || call->object.kind == VALUE_ENTRY)) {
		if (changes)
			code_write(c, call->object, call->e);
		return call->object;
	}
	if (call->has_object && changes)
		spoil_object(c, call);
	return v;
}

static struct code_value decide(struct code *c, struct call *call)
{
	static const char *const stores[] = { "operator=", "operator+=", "operator-=", "operator|=",
		"operator&=", "operator++", "operator--", "operator^=", NULL };
	struct code_value v;

	if (call->has_object && call->object.kind == VALUE_PACKET &&
	    call_packet_method(c, call, &v))
		return v;
	if (!strcmp(call->name, "fcb_data") || !strcmp(call->name, "fcb_data_for"))
		return (struct code_value){ .kind = VALUE_ENTRY,
					    .state = code_member(c, CODE_FLOW) };
	v = code_value_of(VALUE_NONE);
	if ((!call->has_object || is_this(c, &call->object)) &&
	    own_methods(c, call, clang.getCursorReferenced(call->e), &v))
		return v;
	if (call_flow_id(call, &v) || call_dpdk_table(c, call, &v) || call_container(c, call, &v) ||
	    call_copy(c, call, &v))
		return v;
	if (call_is_one_of(call->name, stores) && call->has_object) {
		v = code_value_of(VALUE_CONST);
		if (call->n && !strcmp(call->name, "operator="))
			v = call->args[0];
		code_store(c, call->target, v);
		return call->object;
	}
	if (call_is_identity(call->name)) {
		if (call->has_object && !call->n)
			return call->object;
		if (!call->has_object && (call->n == 1 || !strcmp(call->name, "__builtin_expect")))
			return call->args[0];
	}
	if (has_text(c, call, &v))
		return v;
	/* an object made from another one of its type */
	if (!call->has_object && call->n == 1 &&
	    clang.getCursorKind(clang.getCursorReferenced(call->e)) == CXCursor_Constructor &&
	    call->args[0].kind != VALUE_FIELDS)
		return call->args[0];
	return other(c, call);
}

/* Is this child the function, and not an argument? Its object, if it has one, is then evaluated. */
static void read_callee(struct code *c, struct call *call, CXCursor callee)
{
	struct cursors in = clang_children(callee), inner;
	CXCursor at = callee;
	int first;

	while (clang.getCursorKind(at) == CXCursor_UnexposedExpr && in.n) {
		at = in.list[0];
		inner = clang_children(at);
		free(in.list);
		in = inner;
	}
	if (!call->name[0]) {
		clang_name(at, call->name, sizeof(call->name));
		if (!call->name[0])
			clang_last_name(at, call->name, sizeof(call->name));
	}
	first = clang_first_expression(in);
	if (clang.getCursorKind(at) == CXCursor_MemberRefExpr && first >= 0) {
		call->target = in.list[first];
		call->object = code_eval(c, call->target);
		call->has_object = true;
	}
	free(in.list);
}

static void add_argument(struct code *c, struct call *call, CXCursor arg)
{
	if (call->n == CODE_PARAMS)
		return;
	call->list[call->n] = arg;
	call->args[call->n++] = code_eval(c, arg);
}

/* In a template: an operator among the children, between its operands; -1: none is. */
static int open_operator(struct cursors in, char *name, size_t len)
{
	struct cursors inner;
	char text[CODE_NAME];
	unsigned int i;
	int found = -1;

	for (i = 0; i < in.n && found < 0; i++) {
		if (clang.getCursorKind(in.list[i]) != CXCursor_DeclRefExpr)
			continue;
		inner = clang_children(in.list[i]);
		if (inner.n && clang.getCursorKind(inner.list[0]) == CXCursor_OverloadedDeclRef &&
		    !strncmp(clang_name(inner.list[0], text, sizeof(text)), "operator", 8)) {
			found = i;
			snprintf(name, len, "%s", text);
		}
		free(inner.list);
	}
	return found;
}

struct code_value code_call(struct code *c, CXCursor e)
{
	struct call call = { .e = e };
	struct cursors in = clang_children(e);
	int n = clang.Cursor_getNumArguments(e), i;
	CXCursor callee = clang.getCursorReferenced(e);
	int op = open_operator(in, call.name, sizeof(call.name)), first = op == 0;
	bool constructor = !clang.Cursor_isNull(callee) &&
			   clang.getCursorKind(callee) == CXCursor_Constructor;

	if (op >= 0 && in.n > 1) {
		call.target = in.list[first];
		call.object = code_eval(c, call.target);
		call.has_object = true;
		for (i = first + 1; i < (int)in.n; i++)
			if (i != op)
				add_argument(c, &call, in.list[i]);
		free(in.list);
		return decide(c, &call);
	}
	clang_name(e, call.name, sizeof(call.name));
	if (!strncmp(call.name, "operator", 8) && strcmp(call.name, "operator()") && n >= 1 &&
	    strncmp(call.name, "operator ", 9)) {
		/* its first argument is the object */
		call.target = clang.Cursor_getArgument(e, 0);
		call.object = code_eval(c, call.target);
		call.has_object = true;
		for (i = 1; i < n; i++)
			add_argument(c, &call, clang.Cursor_getArgument(e, i));
	} else if (constructor) {
		for (i = 0; i < n; i++)
			add_argument(c, &call, clang.Cursor_getArgument(e, i));
	} else if (n >= 0 && in.n) {
		read_callee(c, &call, in.list[0]);
		for (i = 0; i < n; i++)
			add_argument(c, &call, clang.Cursor_getArgument(e, i));
	} else if (in.n) {
		read_callee(c, &call, in.list[0]);
		for (i = 1; i < (int)in.n; i++)
			add_argument(c, &call, in.list[i]);
	}
	free(in.list);
	return decide(c, &call);
}
