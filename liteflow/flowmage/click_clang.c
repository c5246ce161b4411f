// SPDX-License-Identifier: GPL-2.0
/*
 * libclang: see click_clang.h.
 */
#include <dlfcn.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click_clang.h"
#include "flowmage.h"

struct clang clang;

int clang_open(char *why, size_t len)
{
	static const char *const names[] = {
		CLICK_LIBCLANG, "libclang.so.1", "libclang-14.so.1", "libclang-15.so.1",
		"libclang-16.so.1", "libclang-17.so.1", "libclang-18.so.1", "libclang-19.so.1",
	};
	void *lib = NULL;
	size_t i;

	if (clang.createIndex)
		return 0;
	for (i = 0; i < ARRAY_SIZE(names) && !lib; i++)
		lib = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
	if (!lib) {
		snprintf(why, len, "FASTCLICK: reading sources needs libclang: install libclang1");
		return -1;
	}
#define CLANG_LOAD(name)							\
	clang.name = (__typeof__(clang.name))dlsym(lib, "clang_" #name);	\
	if (!clang.name) {							\
		snprintf(why, len, "FASTCLICK: this libclang has no clang_%s", #name);	\
		clang.createIndex = NULL;					\
		return -1;							\
	}
	CLANG_FUNCTIONS(CLANG_LOAD)
#undef CLANG_LOAD
	return 0;
}

static enum CXChildVisitResult collect(CXCursor cursor, CXCursor parent, CXClientData data)
{
	struct cursors *c = data;

	(void)parent;
	if (!(c->n & (c->n - 1)) || !c->list) {
		c->list = realloc(c->list, (c->n * 2 + 1) * sizeof(*c->list));
		if (!c->list)
			err(EXIT_OTHER, "out of memory");
	}
	c->list[c->n++] = cursor;
	return CXChildVisit_Continue;
}

struct cursors clang_children(CXCursor cursor)
{
	struct cursors c = { 0 };

	clang.visitChildren(cursor, collect, &c);
	return c;
}

int clang_first_expression(struct cursors in)
{
	enum CXCursorKind kind;
	unsigned int i;

	for (i = 0; i < in.n; i++) {
		kind = clang.getCursorKind(in.list[i]);
		if (kind != CXCursor_TypeRef && kind != CXCursor_TemplateRef &&
		    kind != CXCursor_NamespaceRef)
			return i;
	}
	return -1;
}

static const char *take(CXString s, char *text, size_t len)
{
	const char *made = clang.getCString(s);

	snprintf(text, len, "%s", made ? made : "");
	clang.disposeString(s);
	return text;
}

const char *clang_name(CXCursor cursor, char *text, size_t len)
{
	return take(clang.getCursorSpelling(cursor), text, len);
}

const char *clang_type_name(CXType type, char *text, size_t len)
{
	return take(clang.getTypeSpelling(type), text, len);
}

static unsigned int offset_of(CXSourceLocation at)
{
	unsigned int offset;

	clang.getExpansionLocation(at, NULL, NULL, NULL, &offset);
	return offset;
}

unsigned int clang_place(CXCursor cursor, unsigned int *line, char *file, size_t len)
{
	unsigned int offset;
	CXFile f;

	clang.getExpansionLocation(clang.getRangeStart(clang.getCursorExtent(cursor)), &f, line,
				   NULL, &offset);
	if (file)
		take(clang.getFileName(f), file, len);
	return offset;
}

const char *clang_last_name(CXCursor cursor, char *text, size_t len)
{
	CXTranslationUnit unit = clang.Cursor_getTranslationUnit(cursor);
	unsigned int n = 0, i;
	CXToken *tokens = NULL;
	char word[80];

	text[0] = 0;
	clang.tokenize(unit, clang.getCursorExtent(cursor), &tokens, &n);
	for (i = 0; i < n; i++) {
		take(clang.getTokenSpelling(unit, tokens[i]), word, sizeof(word));
		if (strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"))
			snprintf(text, len, "%s", word);
	}
	clang.disposeTokens(unit, tokens, n);
	return text;
}

const char *clang_operator(CXCursor cursor, CXCursor left, CXCursor right, char *text, size_t len)
{
	unsigned int from = offset_of(clang.getRangeEnd(clang.getCursorExtent(left)));
	unsigned int to = offset_of(clang.getRangeStart(clang.getCursorExtent(right)));
	CXTranslationUnit unit = clang.Cursor_getTranslationUnit(cursor);
	unsigned int n = 0, i, at;
	CXToken *tokens = NULL;

	text[0] = 0;
	clang.tokenize(unit, clang.getCursorExtent(cursor), &tokens, &n);
	for (i = 0; i < n && !text[0]; i++) {
		at = offset_of(clang.getTokenLocation(unit, tokens[i]));
		if (at >= from && at < to)
			take(clang.getTokenSpelling(unit, tokens[i]), text, len);
	}
	clang.disposeTokens(unit, tokens, n);
	return text;
}

bool clang_has_word(CXCursor cursor, const char *word)
{
	CXTranslationUnit unit = clang.Cursor_getTranslationUnit(cursor);
	unsigned int n = 0, i;
	CXToken *tokens = NULL;
	char text[80];
	bool found = false;

	clang.tokenize(unit, clang.getCursorExtent(cursor), &tokens, &n);
	for (i = 0; i < n && !found; i++)
		found = !strcmp(take(clang.getTokenSpelling(unit, tokens[i]), text, sizeof(text)),
				word);
	clang.disposeTokens(unit, tokens, n);
	return found;
}
