/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libclang, opened when the first source is read: it is large, and most runs need it not.
 */
#ifndef _FLOWMAGE_CLICK_CLANG_H
#define _FLOWMAGE_CLICK_CLANG_H

#include <stdbool.h>
#include <stddef.h>
#include <clang-c/Index.h>

/* The functions that are used, without "clang_". */
#define CLANG_FUNCTIONS(use)							\
	use(createIndex) use(disposeIndex) use(parseTranslationUnit2)		\
	use(disposeTranslationUnit) use(getTranslationUnitCursor)		\
	use(visitChildren) use(getCursorKind) use(getCursorSpelling)		\
	use(getCursorReferenced) use(getCursorDefinition)			\
	use(getCursorSemanticParent) use(getCursorType) use(getCanonicalType)	\
	use(getPointeeType) use(getTypeDeclaration) use(getTypeSpelling)	\
	use(getCString) use(disposeString) use(Cursor_getNumArguments)		\
	use(Cursor_getArgument) use(getCursorExtent) use(tokenize)		\
	use(getTokenSpelling) use(getTokenLocation) use(disposeTokens)		\
	use(getExpansionLocation) use(getFileName) use(getRangeStart)		\
	use(getRangeEnd) use(getSpecializedCursorTemplate)			\
	use(CXXMethod_isConst) use(Type_getNumTemplateArguments)		\
	use(Type_getTemplateArgumentAsType) use(Type_visitFields)		\
	use(Cursor_isNull) use(isCursorDefinition) use(getArrayElementType)	\
	use(Cursor_getTranslationUnit) use(getArgType) use(Type_getSizeOf)	\
	use(CXXMethod_isPureVirtual) use(CXXMethod_isVirtual)			\
	use(isConstQualifiedType)

struct clang {
#define CLANG_MEMBER(name) __typeof__(clang_##name) *name;
	CLANG_FUNCTIONS(CLANG_MEMBER)
#undef CLANG_MEMBER
};

extern struct clang clang;

/* 0; or -1: there is no libclang here, and a line in @why. */
int clang_open(char *why, size_t len);

/* The children of a cursor, to be freed. */
struct cursors {
	CXCursor *list;
	unsigned int n;
};

struct cursors clang_children(CXCursor cursor);

/* The first child that is an expression, not "Class::" in front of a name; -1: there is none. */
int clang_first_expression(struct cursors in);

/* Name of a cursor or a type in @text, of @len bytes; @text. */
const char *clang_name(CXCursor cursor, char *text, size_t len);
const char *clang_type_name(CXType type, char *text, size_t len);

/* The same for a reference that a template leaves open: the last name of the expression. */
const char *clang_last_name(CXCursor cursor, char *text, size_t len);

/* The operator between two expressions that are children of @cursor; "" if a macro hides it. */
const char *clang_operator(CXCursor cursor, CXCursor left, CXCursor right, char *text, size_t len);

/* Does a word or a literal stand in the cursor's text? */
bool clang_has_word(CXCursor cursor, const char *word);

/* Byte, line and file of where it begins. */
unsigned int clang_place(CXCursor cursor, unsigned int *line, char *file, size_t len);

#endif /* _FLOWMAGE_CLICK_CLANG_H */
