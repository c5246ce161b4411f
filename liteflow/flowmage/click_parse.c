// SPDX-License-Identifier: GPL-2.0
/*
 * The parser of Click's language.
 *
 * A name that nobody has declared is a class, and makes an element without a name of its own: so
 * it is in Click, which knows its classes.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click_parser.h"

struct click_token click_peek(struct parser *p)
{
	size_t at = p->at;

	return click_lex(p->file, &at);
}

struct click_token click_take(struct parser *p)
{
	return click_lex(p->file, &p->at);
}

static bool is_text(const struct parser *p, struct click_token t, const char *text)
{
	return t.word == CLICK_NAME && t.span.n == strlen(text) &&
	       !memcmp(p->file->text + t.span.at, text, t.span.n);
}

bool click_is_keyword(const struct parser *p, struct click_token t)
{
	return is_text(p, t, "elementclass") || is_text(p, t, "require") ||
	       is_text(p, t, "provide") || is_text(p, t, "define");
}

void click_unexpected(struct parser *p, struct click_token t,
						 const char *what)
{
	if (t.word == CLICK_END)
		click_refuse(p->file, t.span.at, "the file ends where %s should stand", what);
	click_refuse(p->file, t.span.at, "\"%.*s\" where %s should stand",
		     t.span.n < 40 ? (int)t.span.n : 40, p->file->text + t.span.at, what);
}

static struct click_token expect(struct parser *p, char c, const char *what)
{
	struct click_token t = click_take(p);

	if (!click_is(t, c))
		click_unexpected(p, t, what);
	return t;
}

/* What stands in parentheses. */
struct click_span click_in_parentheses(struct parser *p)
{
	size_t open = expect(p, '(', "\"(\"").span.at;
	struct click_span span = click_config(p->file, p->at);

	p->at = span.at + span.n;
	if (p->at >= p->file->n)
		click_refuse(p->file, open, "this parenthesis is not closed");
	p->at++;
	return span;
}

/* --- scopes ----------------------------------------------------------------------- */

struct click_class *click_find_class(const struct parser *p, const char *name)
{
	struct click_scope *scope;
	struct click_class *c;

	for (scope = p->scope; scope; scope = scope->parent)
		for (c = scope->classes; c; c = c->before)
			if (!strcmp(c->name, name))
				return c;
	return NULL;
}

int click_find_item(const struct click_scope *scope, const char *name)
{
	unsigned int i;

	for (i = 0; i < scope->n_items; i++)
		if (!strcmp(scope->items[i].name, name))
			return i;
	return -1;
}

unsigned int click_add_item(struct parser *p, const char *name, size_t at)
{
	struct click_scope *s = p->scope;

	if (s->n_items > CLICK_MAX_ELEMENTS)
		click_refuse(p->file, at, "more than %d elements", CLICK_MAX_ELEMENTS);
	s->items = click_more(p->file, s->items, s->n_items, &s->room_items, sizeof(*s->items));
	s->items[s->n_items] = (struct click_item){ .name = name, .at = at, .end = at };
	return s->n_items++;
}

static void add_param(struct parser *p, const char *name, const char *keyword, const char *value)
{
	struct click_scope *s = p->scope;
	unsigned int n = s->n_params, room[3] = { n, n, n };

	s->params = click_more(p->file, s->params, n, &room[0], sizeof(*s->params));
	s->keywords = click_more(p->file, s->keywords, n, &room[1], sizeof(*s->keywords));
	s->values = click_more(p->file, s->values, n, &room[2], sizeof(*s->values));
	s->params[n] = name;
	s->keywords[n] = keyword;
	s->values[n] = value;
	s->n_params++;
}

static const char *variable_name(struct parser *p, struct click_token t)
{
	bool braces = p->file->text[t.span.at + 1] == '{';

	return click_text(p->file, (struct click_span){ t.span.at + 1 + braces,
							t.span.n - 1 - 2 * braces });
}

/* "$a, keyword $b |" at the beginning of a compound element */
static void read_params(struct parser *p)
{
	struct click_token t, next;
	const char *keyword;
	size_t start;

	for (;;) {
		start = p->at;
		t = click_take(p);
		keyword = NULL;
		if (t.word == CLICK_NAME && click_peek(p).word == CLICK_VARIABLE) {
			keyword = click_text(p->file, t.span);
			t = click_take(p);
		}
		if (click_is(t, '|'))
			return;
		if (t.word != CLICK_VARIABLE) {
			if (p->scope->n_params)
				click_unexpected(p, t, "a parameter");
			p->at = start;
			return;
		}
		add_param(p, variable_name(p, t), keyword, NULL);
		next = click_take(p);
		if (click_is(next, '|'))
			return;
		if (!click_is(next, ','))
			click_unexpected(p, next, "\",\" or \"|\"");
	}
}

static void read_scope(struct parser *p, struct click_token open);

static struct click_scope *new_scope(struct parser *p)
{
	struct click_scope *scope = click_alloc(p->file, sizeof(*scope));

	scope->parent = p->scope;
	p->scope = scope;
	click_add_item(p, "input", p->at);
	click_add_item(p, "output", p->at);
	return scope;
}

/* "{ ... || ... }", from behind its brace. @name: of the class, "" if it has none. */
struct click_class *click_read_compound(struct parser *p, const char *name,
					 struct click_token open)
{
	struct click_class *class = click_alloc(p->file, sizeof(*class));
	struct click_scope *outer = p->scope, **last = &class->bodies;
	struct click_token t;

	class->name = name;
	if (++p->depth > CLICK_MAX_DEPTH)
		click_refuse(p->file, open.span.at, "more than %d compound elements in one another",
			     CLICK_MAX_DEPTH);
	do {
		t = click_peek(p);
		if (t.word == CLICK_DOTS) {
			click_take(p);
			class->alias = click_find_class(p, name);
			class->alias_name = name;
			class->extends = true;
			if (!class->bodies)
				click_unexpected(p, t, "a body");
			t = expect(p, '}', "\"}\" behind \"...\"");
			break;
		}
		*last = new_scope(p);
		last = &(*last)->next;
		read_params(p);
		read_scope(p, open);
		p->scope = outer;
		t = click_take(p);
	} while (t.word == CLICK_BARS);
	p->depth--;
	return class;
}

static void add_class(struct parser *p, struct click_class *class)
{
	class->before = p->scope->classes;
	p->scope->classes = class;
}

static void read_elementclass(struct parser *p)
{
	struct click_token t = click_take(p);
	struct click_class *class;
	const char *name;

	if (t.word != CLICK_NAME)
		click_unexpected(p, t, "the name of a class");
	name = click_text(p->file, t.span);
	t = click_take(p);
	if (click_is(t, '{')) {
		add_class(p, click_read_compound(p, name, t));
		return;
	}
	if (t.word != CLICK_NAME)
		click_unexpected(p, t, "\"{\" or a class");
	class = click_alloc(p->file, sizeof(*class));
	class->name = name;
	class->alias_name = click_text(p->file, t.span);
	class->alias = click_find_class(p, class->alias_name);
	add_class(p, class);
}

/* "define($a 1, $b 2)" */
static void read_define(struct parser *p)
{
	struct click_span span = click_in_parentheses(p);
	const char *config = p->file->text + span.at;
	struct click_argument arg;
	size_t i, end;
	unsigned int k;

	for (k = 0; click_argument(config, span.n, k, &arg); k++) {
		if (!arg.span.n)
			continue;
		i = arg.span.at;
		end = i + arg.span.n;
		if (config[i] != '$')
			click_refuse(p->file, span.at + i,
				     "\"define\" of something that is no variable");
		for (i++; i < end && (isalnum((unsigned char)config[i]) || config[i] == '_'); i++)
			;
		if (i == arg.span.at + 1 || (i < end && !isspace((unsigned char)config[i])))
			click_refuse(p->file, span.at + arg.span.at,
				     "\"define\" of something that is no variable");
		arg.value = (struct click_span){ span.at + arg.span.at + 1, i - arg.span.at - 1 };
		while (i < end && isspace((unsigned char)config[i]))
			i++;
		add_param(p, click_text(p->file, arg.value), NULL,
			  click_text(p->file, (struct click_span){ span.at + i, end - i }));
	}
}

/* A name that was only used as a class may not be declared as an element later. */
static void check_names(struct parser *p)
{
	struct click_scope *s = p->scope;
	unsigned int i;
	int k;

	for (i = CLICK_ENDS; i < s->n_items; i++) {
		if (!s->items[i].bare)
			continue;
		k = click_find_item(s, s->items[i].class_name);
		if (k >= 0)
			click_refuse(p->file, s->items[i].at,
				     "\"%.80s\" is used before it is declared",
				     s->items[i].class_name);
	}
}

static void read_scope(struct parser *p, struct click_token open)
{
	struct click_token t;

	for (;;) {
		t = click_peek(p);
		if (t.word == CLICK_END || click_is(t, '}') || t.word == CLICK_BARS) {
			if (!p->depth && t.word != CLICK_END)
				click_unexpected(p, t, "an element");
			if (p->depth && t.word == CLICK_END)
				click_refuse(p->file, open.span.at, "this brace is not closed");
			break;
		}
		if (click_is(t, ';')) {
			click_take(p);
		} else if (click_is_keyword(p, t)) {
			click_take(p);
			if (is_text(p, t, "elementclass"))
				read_elementclass(p);
			else if (is_text(p, t, "define"))
				read_define(p);
			else
				click_in_parentheses(p);
		} else {
			click_read_connection(p);
		}
	}
	check_names(p);
}

void click_read(struct click_file *file)
{
	struct parser p = { .file = file };
	struct click_token none = { .word = CLICK_END };

	file->top = new_scope(&p);
	read_scope(&p, none);
}
