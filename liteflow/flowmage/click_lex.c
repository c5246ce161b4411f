// SPDX-License-Identifier: GPL-2.0
/*
 * The words of Click's language, and the arguments of an element.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click.h"

#define obstack_chunk_alloc	malloc
#define obstack_chunk_free	free

void click_refuse(struct click_file *file, size_t at, const char *fmt, ...)
{
	unsigned int line = 1, column = 1;
	va_list args;
	size_t i;
	int n;

	for (i = 0; i < at && i < file->n; i++) {
		column++;
		if (file->text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	n = snprintf(file->why, file->len, "%s:%u:%u: ", file->path, line, column);
	va_start(args, fmt);
	if (n >= 0 && (size_t)n < file->len)
		vsnprintf(file->why + n, file->len - n, fmt, args);
	va_end(args);
	/* what is quoted of the file may hold anything */
	for (i = 0; file->why[i]; i++)
		if ((unsigned char)file->why[i] < ' ' || (unsigned char)file->why[i] > 126)
			file->why[i] = '?';
	longjmp(file->failed, 1);
}

void *click_alloc(struct click_file *file, size_t size)
{
	void *p = obstack_alloc(&file->pool, size);

	return memset(p, 0, size);
}

const char *click_text(struct click_file *file, struct click_span span)
{
	return obstack_copy0(&file->pool, file->text + span.at, span.n);
}

const char *click_format(struct click_file *file, const char *fmt, ...)
{
	char *text = NULL;
	const char *copy;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		click_refuse(file, 0, "out of memory");
	copy = obstack_copy0(&file->pool, text, strlen(text));
	free(text);
	return copy;
}

void *click_more(struct click_file *file, void *list, unsigned int n, unsigned int *room,
		 size_t size)
{
	void *more;

	if (n < *room)
		return list;
	more = click_alloc(file, (*room * 2 + 8) * size);
	if (n)
		memcpy(more, list, n * size);
	*room = *room * 2 + 8;
	return more;
}

static size_t skip_line(const char *text, size_t n, size_t at)
{
	const char *end = memchr(text + at, '\n', n - at);

	return end ? (size_t)(end - text) : n;
}

/* Bytes in hexadecimal, "\<0a 0b>". */
static size_t skip_angle(const char *text, size_t n, size_t at)
{
	const char *end = memchr(text + at + 2, '>', n - at - 2);

	return end ? (size_t)(end - text) + 1 : n;
}

static size_t skip_quote(const char *text, size_t n, size_t at)
{
	char quote = text[at++];

	while (at < n && text[at] != quote) {
		if (text[at] == '\\' && quote == '"' && at + 1 < n)
			at = text[at + 1] == '<' ? skip_angle(text, n, at) : at + 2;
		else
			at++;
	}
	return at < n ? at + 1 : n;
}

/* Behind a comment, a quote or a \<...> that begins there; @at: none does. */
static size_t skip_opaque(const char *text, size_t n, size_t at)
{
	const char *end;

	if (text[at] == '"' || text[at] == '\'')
		return skip_quote(text, n, at);
	if (at + 1 == n)
		return at;
	if (text[at] == '/' && text[at + 1] == '/')
		return skip_line(text, n, at);
	if (text[at] == '/' && text[at + 1] == '*') {
		end = memmem(text + at + 2, n - at - 2, "*/", 2);
		return end ? (size_t)(end - text) + 2 : n;
	}
	if (text[at] == '\\' && text[at + 1] == '<')
		return skip_angle(text, n, at);
	/* a line of a preprocessor */
	if (text[at] == '#' && at && text[at - 1] == '\n')
		return skip_line(text, n, at);
	return at;
}

size_t click_skip(const char *text, size_t n, size_t at)
{
	size_t next = skip_opaque(text, n, at);

	return next > at ? next - at : 1;
}

struct click_span click_config(const struct click_file *file, size_t at)
{
	struct click_span span = { .at = at };
	unsigned int depth = 0;
	char c;

	for (; at < file->n; at += click_skip(file->text, file->n, at)) {
		c = file->text[at];
		if (c == '(')
			depth++;
		if (c == ')' && !depth--)
			break;
	}
	span.n = (at < file->n ? at : file->n) - span.at;
	return span;
}

/* Behind blanks, comments and lines of a preprocessor. */
static size_t skip_blank(struct click_file *file, size_t at)
{
	const char *text = file->text;
	size_t next;

	while (at < file->n) {
		if (isspace((unsigned char)text[at])) {
			at++;
		} else if (text[at] == '#' && (!at || text[at - 1] == '\n')) {
			at = skip_line(text, file->n, at);
		} else if (text[at] == '/') {
			next = skip_opaque(text, file->n, at);
			if (next == at)
				break;
			if (next == file->n && text[at + 1] == '*' &&
			    (next - at < 4 || memcmp(text + next - 2, "*/", 2)))
				click_refuse(file, at, "this comment does not end");
			at = next;
		} else {
			break;
		}
	}
	return at;
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '@';
}

/* Names may hold slashes, though none in front of another one or of a comment. */
static size_t name_end(const struct click_file *file, size_t at)
{
	const char *text = file->text;

	while (at < file->n && (in_name(text[at]) ||
				(text[at] == '/' && at + 1 < file->n && in_name(text[at + 1]))))
		at++;
	return at;
}

static size_t variable_end(struct click_file *file, size_t at)
{
	size_t i = at + 1;

	if (i < file->n && file->text[i] == '{') {
		while (i < file->n && file->text[i] != '}' && file->text[i] != '\n')
			i++;
		if (i == file->n || file->text[i] != '}')
			click_refuse(file, at, "\"${\" without \"}\"");
		return i + 1;
	}
	while (i < file->n && (isalnum((unsigned char)file->text[i]) || file->text[i] == '_'))
		i++;
	if (i == at + 1)
		click_refuse(file, at, "a variable without a name");
	return i;
}

struct click_token click_lex(struct click_file *file, size_t *at)
{
	static const struct {
		char text[4];
		enum click_word word;
	} signs[] = {
		{ "->", CLICK_ARROW }, { "=>", CLICK_BOTH_ARROW }, { "::", CLICK_COLONS },
		{ "||", CLICK_BARS }, { "...", CLICK_DOTS },
	};
	size_t start = skip_blank(file, *at), end = start + 1, i, n;
	struct click_token t = { .word = CLICK_CHARACTER, .span.at = start };
	const char *text = file->text + start;

	*at = start;
	if (start >= file->n) {
		t.word = CLICK_END;
		return t;
	}
	t.c = *text;
	for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		n = strlen(signs[i].text);
		if (!strncmp(text, signs[i].text, n)) {
			t.word = signs[i].word;
			end = start + n;
		}
	}
	if (in_name(t.c)) {
		t.word = CLICK_NAME;
		end = name_end(file, start);
	} else if (t.c == '$') {
		t.word = CLICK_VARIABLE;
		end = variable_end(file, start);
	} else if (t.c == '~') {
		n = strspn(text + 1,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/0123456789");
		if (text[1 + n] != '>')
			click_refuse(file, start, "\"~\" that is not part of \"~>\"");
		t.word = CLICK_CONTEXT_ARROW;
		end = start + n + 2;
	}
	t.span.n = end - start;
	*at = end;
	return t;
}

static bool blank_at(const char *config, size_t n, size_t at, size_t *next)
{
	if (isspace((unsigned char)config[at])) {
		*next = at + 1;
		return true;
	}
	if (config[at] != '/' && config[at] != '#')
		return false;
	*next = skip_opaque(config, n, at);
	return *next > at;
}

static void trim(const char *config, size_t from, size_t to, size_t end, struct click_argument *arg)
{
	size_t next, i;

	while (from < to && blank_at(config, to, from, &next))
		from = next;
	/* the last byte that is no blank, and in no comment */
	for (i = from, end = from; i < to;) {
		if (blank_at(config, to, i, &next)) {
			i = next;
		} else {
			i += click_skip(config, to, i);
			end = i < to ? i : to;
		}
	}
	*arg = (struct click_argument){ .span = { from, end - from }, .value = { from, end - from } };
	for (i = from; i < end && (isupper((unsigned char)config[i]) || config[i] == '_' ||
				   (i > from && isdigit((unsigned char)config[i]))); i++)
		;
	if (i == from || i >= end || !isspace((unsigned char)config[i]))
		return;
	arg->keyword = i - from;
	while (i < end && blank_at(config, end, i, &next))
		i = next;
	arg->value = (struct click_span){ i, end - i };
}

bool click_argument(const char *config, size_t n, unsigned int i, struct click_argument *arg)
{
	size_t at = 0, from = 0;

	for (;;) {
		if (at < n && config[at] != ',') {
			at += click_skip(config, n, at);
			if (at > n)
				at = n;
			continue;
		}
		if (!i--) {
			trim(config, from, at, n, arg);
			return true;
		}
		if (at >= n)
			return false;
		from = ++at;
	}
}

struct click_span click_keyword(const char *config, const char *keyword)
{
	size_t n = strlen(config), len = strlen(keyword);
	struct click_argument arg;
	unsigned int i;

	for (i = 0; click_argument(config, n, i, &arg); i++)
		if (arg.keyword == len && !memcmp(config + arg.span.at, keyword, len))
			return arg.value;
	return (struct click_span){ 0, 0 };
}
