/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the parser of Click's language share.
 */
#ifndef _FLOWMAGE_CLICK_PARSER_H
#define _FLOWMAGE_CLICK_PARSER_H

#include "click.h"

/**
 * struct parser - where it is
 * @file: the file
 * @scope: the one that is read
 * @at: the next byte
 * @depth: of scopes in one another
 */
struct parser {
	struct click_file *file;
	struct click_scope *scope;
	size_t at;
	unsigned int depth;
};

/* The next token: left there, or taken. */
struct click_token click_peek(struct parser *p);
struct click_token click_take(struct parser *p);

static inline bool click_is(struct click_token t, char c)
{
	return t.word == CLICK_CHARACTER && t.c == c;
}

/* One of the words that begin a statement of their own? */
bool click_is_keyword(const struct parser *p, struct click_token t);

/* Complains of the token: @what should stand there. */
void click_unexpected(struct parser *p, struct click_token t, const char *what)
	__attribute__((noreturn));

/* What stands in the parentheses that come now. */
struct click_span click_in_parentheses(struct parser *p);

/* The class of that name as the scope sees it now; NULL: none of the file. */
struct click_class *click_find_class(const struct parser *p, const char *name);

/* The number of the item of that name; -1: there is none. */
int click_find_item(const struct click_scope *scope, const char *name);

/* A new item of the scope: its number. */
unsigned int click_add_item(struct parser *p, const char *name, size_t at);

/* "{ ... || ... }", from behind its brace. @name: of the class, "" if it has none. */
struct click_class *click_read_compound(struct parser *p, const char *name,
					struct click_token open);

/* A statement of elements and arrows. */
void click_read_connection(struct parser *p);

#endif /* _FLOWMAGE_CLICK_PARSER_H */
