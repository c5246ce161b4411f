/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Configurations in the language of the Click modular router: read, taken apart to elements and
 * links, and changed in place. Nothing of a framework is needed for that.
 *
 * A file is parsed into scopes: the file itself and one for each body of a compound element. They
 * are then flattened: what a compound element holds gets its name in front, "gate/psd", and
 * its input and output disappear.
 */
#ifndef _FLOWMAGE_CLICK_H
#define _FLOWMAGE_CLICK_H

#include <obstack.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>

#define CLICK_MAX_FILE		(16u << 20)	/* bytes */
#define CLICK_MAX_DEPTH		64		/* of compound elements in one another */
#define CLICK_MAX_ELEMENTS	20000		/* of a flattened file */
#define CLICK_MAX_LINKS		200000
#define CLICK_MAX_PORT		65535

enum click_word {
	CLICK_END,
	CLICK_NAME,		/* also numbers, and keywords: see @keyword */
	CLICK_VARIABLE,		/* $name, ${name} */
	CLICK_ARROW,		/* -> */
	CLICK_BOTH_ARROW,	/* => */
	CLICK_CONTEXT_ARROW,	/* ~> and ~word> */
	CLICK_COLONS,		/* :: */
	CLICK_BARS,		/* || */
	CLICK_DOTS,		/* ... */
	CLICK_CHARACTER,	/* any other */
};

/* A part of the text: @n bytes from byte @at. */
struct click_span {
	size_t at;
	size_t n;
};

struct click_token {
	enum click_word word;
	char c;		/* CLICK_CHARACTER */
	struct click_span span;
};

/* Names of a compound element's ends, and their numbers in struct click_scope::items. */
enum { CLICK_INPUT, CLICK_OUTPUT, CLICK_ENDS };

/**
 * struct click_class - what "elementclass" declared
 * @name: its name; "" for a body that stands where a class may
 * @before: the class that was declared before it in the same scope
 * @alias: the class that this is another name for, in the same way as in struct click_item
 * @alias_name: of that, if it is no compound one
 * @bodies: of a compound one, chosen by number of arguments and ports; NULL for an alias
 * @extends: another class is tried behind them: "...": not known which
 */
struct click_class {
	const char *name;
	struct click_class *before;
	struct click_class *alias;
	const char *alias_name;
	struct click_scope *bodies;
	bool extends;
};

/**
 * struct click_item - an element of a scope
 * @name: in its scope; without a name of its own "Class@number"
 * @class_name: NULL until it is known
 * @class: the compound class that it is of, or NULL
 * @config: between its parentheses
 * @has_config: it has some
 * @end: where parentheses would go
 * @at: where it was first named
 * @bare: a class alone, without "::" and parentheses
 * @anonymous: it has no name of its own
 */
struct click_item {
	const char *name;
	const char *class_name;
	struct click_class *class;
	struct click_span config;
	bool has_config;
	size_t end;
	size_t at;
	bool bare;
	bool anonymous;
};

/* From an output to an input of two items of a scope, or two elements of a flat file. */
struct click_link {
	unsigned int from, from_port;
	unsigned int to, to_port;
};

/**
 * struct click_scope - a file, or a body of a compound element
 * @parent: around it
 * @next: the class's next body
 * @classes: declared here, the last one first
 * @params: the names of its parameters and of what "define" says, without $; [n_params]
 * @keywords: [n_params]: that a parameter is given by; NULL: by position
 * @values: [n_params]: what "define" says; NULL: a parameter
 * @items: the elements; the first CLICK_ENDS are its input and its output
 * @links: between them
 */
struct click_scope {
	struct click_scope *parent;
	struct click_scope *next;
	struct click_class *classes;
	const char **params;
	const char **keywords;
	const char **values;
	unsigned int n_params;
	struct click_item *items;
	unsigned int n_items, room_items;
	struct click_link *links;
	unsigned int n_links, room_links;
};

/**
 * struct click_element - an element of a flat file
 * @name: with the names of the compound elements around it
 * @class_name: of the framework
 * @config: with the parameters of the compound elements put in
 * @item: its declaration
 * @shared: its declaration is one of several elements
 */
struct click_element {
	const char *name;
	const char *class_name;
	const char *config;
	const struct click_item *item;
	bool shared;
};

/**
 * struct click_file - a file
 * @path: as complaints name it
 * @text: what stands in it, and a 0
 * @n: bytes of @text
 * @pool: holds all the rest
 * @top: the file's scope
 * @elements: the flat file's
 * @links: between them
 * @why: the first complaint: one line
 * @len: of @why
 * @failed: where a complaint leads
 */
struct click_file {
	const char *path;
	const char *text;
	size_t n;
	struct obstack pool;
	struct click_scope *top;
	struct click_element *elements;
	unsigned int n_elements, room_elements;
	struct click_link *links;
	unsigned int n_links, room_links;
	char *why;
	size_t len;
	jmp_buf failed;
};

/*
 * Parse and flatten a text. 0; or -1 and one line in @why that names file, line and column.
 * Either way click_free() is to be called.
 */
int click_parse(struct click_file *file, const char *path, const char *text, size_t n, char *why,
		size_t len);
void click_free(struct click_file *file);

/* A line for everything that counts in the flat file, to compare two of them; to be freed. */
char *click_dump(const struct click_file *file);

/* --- of each other, in the parser ------------------------------------------------ */

/* Ends the parsing: the place of byte @at, and what is wrong there. */
void click_refuse(struct click_file *file, size_t at, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/* The token at byte *@at or behind it; *@at is then behind the token. */
struct click_token click_lex(struct click_file *file, size_t *at);

/* The text between parentheses, from behind the "(": its end is the ")" or that of the text. */
struct click_span click_config(const struct click_file *file, size_t at);

/* Memory of the pool, zeroed, and texts in it. */
void *click_alloc(struct click_file *file, size_t size);
const char *click_text(struct click_file *file, struct click_span span);
const char *click_format(struct click_file *file, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Room for one more of @size bytes in a list of the pool with @n in it. */
void *click_more(struct click_file *file, void *list, unsigned int n, unsigned int *room,
		 size_t size);

/* The parser's two steps. */
void click_read(struct click_file *file);
void click_flatten(struct click_file *file);

/* --- arguments -------------------------------------------------------------------- */

/**
 * struct click_argument - one of those that a configuration string holds
 * @span: without blanks around it, in that string
 * @keyword: its length if the argument begins with a word in capital letters and more, or else 0
 * @value: behind the keyword
 */
struct click_argument {
	struct click_span span;
	size_t keyword;
	struct click_span value;
};

/*
 * Argument number @i of a configuration string of @n bytes; false: there are fewer. Commas
 * quotes, comments, parentheses and the like do not count.
 */
bool click_argument(const char *config, size_t n, unsigned int i, struct click_argument *arg);

/* The value of a keyword: its span in @config; .n is 0 if it is not there. */
struct click_span click_keyword(const char *config, const char *keyword);

/* Bytes from @at to behind the quote or the comment that begins there; 1 if none does. */
size_t click_skip(const char *text, size_t n, size_t at);

#endif /* _FLOWMAGE_CLICK_H */
