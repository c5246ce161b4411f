// SPDX-License-Identifier: GPL-2.0
/*
 * Compound elements put in, so that elements and links of the framework are left.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "click.h"

#define obstack_chunk_alloc	malloc
#define obstack_chunk_free	free

#define MAX_CONFIG	(1u << 20)	/* bytes of an element's configuration */
#define MAX_CONFIGS	(64u << 20)	/* of all of them */

/* An element, or an end of a compound one. */
struct node {
	int element;	/* -1: an end */
	size_t at;
};

/**
 * struct place - a body that stands for an element
 * @scope: the body
 * @outer: around it
 * @prefix: of its elements' names
 * @values: of its parameters
 * @ends: its nodes
 * @shared: it is not the only one of its text
 */
struct place {
	const struct click_scope *scope;
	const struct place *outer;
	const char *prefix;
	const char **values;
	unsigned int ends[CLICK_ENDS];
	bool shared;
};

struct flattener {
	struct click_file *file;
	struct node *nodes;
	unsigned int n_nodes, room_nodes;
	struct click_link *links;
	unsigned int n_links, room_links;
	size_t configs;
	unsigned int steps;
};

static void check_count(struct flattener *f, size_t at, unsigned int n)
{
	if (n > CLICK_MAX_ELEMENTS)
		click_refuse(
			f->file, at,
			"with its compound elements put in, the file has more than %d elements",
			CLICK_MAX_ELEMENTS);
}

static unsigned int add_node(struct flattener *f, int element, size_t at)
{
	check_count(f, at, f->n_nodes);
	f->nodes = click_more(f->file, f->nodes, f->n_nodes, &f->room_nodes, sizeof(*f->nodes));
	f->nodes[f->n_nodes] = (struct node){ element, at };
	return f->n_nodes++;
}

/* --- variables -------------------------------------------------------------------- */

static const char *lookup(const struct place *place, const char *name, size_t n)
{
	const struct click_scope *scope = place->scope;
	unsigned int i;

	for (;; scope = scope->parent) {
		while (place && place->scope != scope)
			place = place->outer;
		if (!place || !scope)
			return NULL;
		/* a later "define" hides an earlier one */
		for (i = scope->n_params; i--;)
			if (strlen(scope->params[i]) == n && !memcmp(scope->params[i], name, n))
				return place->values[i];
	}
}

/* The variable at byte @at: its value, and the bytes it takes; NULL: it stays as it is. */
static const char *variable(const struct place *place, const char *text, size_t n, size_t at,
			    size_t *size)
{
	bool braces = at + 1 < n && text[at + 1] == '{';
	size_t from = at + 1 + braces, end = from, stop;
	const char *value, *dash;

	while (end < n && (isalnum((unsigned char)text[end]) || text[end] == '_'))
		end++;
	stop = end;
	if (braces) {
		dash = memchr(text + end, '}', n - end);
		if (!dash || (text[end] != '}' && text[end] != '-'))
			return NULL;
		stop = dash - text + 1;
	}
	*size = stop - at;
	value = end > from ? lookup(place, text + from, end - from) : NULL;
	return value;
}

static const char *expand(struct flattener *f, const struct place *place, struct click_span span,
			  size_t where)
{
	const char *text = f->file->text + span.at, *value;
	struct obstack *pool = &f->file->pool;
	size_t at = 0, n = span.n, step;

	for (; at < n; at += step) {
		value = NULL;
		step = 1;
		if (text[at] == '$')
			value = variable(place, text, n, at, &step);
		else if (text[at] == '\'')
			step = click_skip(text, n, at);
		if (value) {
			obstack_grow(pool, value, strlen(value));
		} else {
			step = text[at] == '$' ? 1 : step;
			obstack_grow(pool, text + at, step);
		}
		if (obstack_object_size(pool) > MAX_CONFIG)
			click_refuse(f->file, where,
				     "with its parameters put in, this has more than %u bytes",
				     MAX_CONFIG);
	}
	f->configs += obstack_object_size(pool);
	if (f->configs > MAX_CONFIGS)
		click_refuse(f->file, where,
			     "with their parameters put in, all have more than %u bytes",
			     MAX_CONFIGS);
	obstack_1grow(pool, 0);
	return obstack_finish(pool);
}

/* --- the choice of a body ----------------------------------------------------------- */

static unsigned int ports_used(const struct click_scope *scope, unsigned int item, bool output)
{
	unsigned int i, n = 0;

	for (i = 0; i < scope->n_links; i++) {
		const struct click_link *l = &scope->links[i];

		if (output && l->from == item && l->from_port >= n)
			n = l->from_port + 1;
		if (!output && l->to == item && l->to_port >= n)
			n = l->to_port + 1;
	}
	return n;
}

static bool is_rest(const struct click_scope *body, unsigned int i)
{
	return body->keywords[i] && !strcmp(body->keywords[i], "__REST__");
}

/* Values for the parameters from what stands between the parentheses; false: they do not fit. */
static bool assign(struct flattener *f, const struct click_scope *body, const char *config,
		   const char **values)
{
	size_t n = strlen(config), rest = n;
	struct click_span span;
	struct click_argument arg;
	unsigned int i, used = 0, count = 0, keywords = 0;

	while (click_argument(config, n, count, &arg) && (count || arg.span.n))
		count++;
	for (i = 0; i < body->n_params; i++) {
		values[i] = body->values[i];
		if (values[i] || is_rest(body, i))
			continue;
		if (body->keywords[i]) {
			span = click_keyword(config, body->keywords[i]);
			keywords += span.n > 0;
		} else {
			if (used >= count || !click_argument(config, n, used++, &arg))
				return false;
			span = arg.span;
		}
		values[i] = obstack_copy0(&f->file->pool, config + span.at, span.n);
	}
	for (i = 0; i < body->n_params; i++)
		if (!values[i]) {
			if (used < count && click_argument(config, n, used, &arg))
				rest = arg.span.at;
			values[i] = obstack_copy0(&f->file->pool, config + rest, n - rest);
			return true;
		}
	return used + keywords == count;
}

static const struct click_scope *choose(struct flattener *f, const struct click_class *class,
					const char *config, unsigned int inputs,
					unsigned int outputs, const char ***values)
{
	const struct click_scope *body, *fits = NULL;

	for (body = class->bodies; body; body = body->next) {
		*values = click_alloc(f->file, (body->n_params + 1) * sizeof(**values));
		if (!assign(f, body, config, *values))
			continue;
		if (ports_used(body, CLICK_INPUT, true) == inputs &&
		    ports_used(body, CLICK_OUTPUT, false) == outputs)
			return body;
		if (!fits)
			fits = body;
	}
	if (fits && !class->extends) {
		*values = click_alloc(f->file, (fits->n_params + 1) * sizeof(**values));
		assign(f, fits, config, *values);
		return fits;
	}
	return NULL;
}

/* --- elements and links ------------------------------------------------------------- */

static void flatten(struct flattener *f, const struct place *place, unsigned int depth);

/* An element: its nodes for what goes in and what comes out. */
static void put_item(struct flattener *f, const struct place *place, unsigned int i,
		     unsigned int ends[CLICK_ENDS], unsigned int depth)
{
	const struct click_item *item = &place->scope->items[i];
	const struct click_class *class = item->class;
	struct place inner = { .outer = place, .shared = place->shared };
	struct click_file *file = f->file;
	const char *name = item->class_name, *config;
	struct click_element *e;
	unsigned int k;

	config = expand(f, place, item->config, item->at);
	while (class) {
		if (class->bodies) {
			inner.scope = choose(f, class, config,
					     ports_used(place->scope, i, false),
					     ports_used(place->scope, i, true), &inner.values);
			if (inner.scope)
				break;
			if (!class->extends)
				click_refuse(file, item->at,
					     "no body of \"%.80s\" takes these arguments", name);
		}
		name = class->alias_name;
		class = class->alias;
	}
	if (inner.scope) {
		if (depth == CLICK_MAX_DEPTH)
			click_refuse(file, item->at,
				     "more than %d compound elements in one another",
				     CLICK_MAX_DEPTH);
		/* a body without a name stands in one place only */
		inner.shared |= *item->class_name != 0;
		inner.prefix = click_format(file, "%s%s/", place->prefix, item->name);
		if (strlen(inner.prefix) > 4096)
			click_refuse(file, item->at, "the name of this is too long");
		for (k = 0; k < CLICK_ENDS; k++)
			ends[k] = inner.ends[k] = add_node(f, -1, item->at);
		flatten(f, &inner, depth + 1);
		return;
	}
	check_count(f, item->at, file->n_elements);
	file->elements = click_more(file, file->elements, file->n_elements, &file->room_elements,
				    sizeof(*file->elements));
	e = &file->elements[file->n_elements];
	*e = (struct click_element){ .name = click_format(file, "%s%s", place->prefix, item->name),
				     .class_name = name, .config = config, .item = item,
				     .shared = place->shared };
	ends[CLICK_INPUT] = ends[CLICK_OUTPUT] = add_node(f, file->n_elements++, item->at);
}

static void flatten(struct flattener *f, const struct place *place, unsigned int depth)
{
	const struct click_scope *s = place->scope;
	unsigned int (*ends)[CLICK_ENDS], i;
	const struct click_link *l;

	ends = click_alloc(f->file, s->n_items * sizeof(*ends));
	for (i = 0; i < CLICK_ENDS; i++)
		ends[i][CLICK_INPUT] = ends[i][CLICK_OUTPUT] = place->ends[i];
	for (; i < s->n_items; i++)
		put_item(f, place, i, ends[i], depth);
	for (i = 0; i < s->n_links; i++) {
		l = &s->links[i];
		if (!place->outer && (l->from < CLICK_ENDS || l->to < CLICK_ENDS))
			click_refuse(f->file, s->items[l->from < CLICK_ENDS ? l->to : l->from].at,
				     "\"input\" or \"output\" outside of a compound element");
		if (f->n_links == CLICK_MAX_LINKS)
			click_refuse(f->file, 0, "more than %d connections", CLICK_MAX_LINKS);
		f->links = click_more(f->file, f->links, f->n_links, &f->room_links,
				      sizeof(*f->links));
		f->links[f->n_links++] =
			(struct click_link){ ends[l->from][CLICK_OUTPUT], l->from_port,
					     ends[l->to][CLICK_INPUT], l->to_port };
	}
}

static int by_source(const void *a, const void *b)
{
	const struct click_link *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->from_port == y->from_port ? 0 : x->from_port < y->from_port ? -1 : 1;
}

/* The first link from this port or a later one of the node. */
static unsigned int first_link(const struct flattener *f, unsigned int node, unsigned int port)
{
	const struct click_link key = { .from = node, .from_port = port };
	unsigned int low = 0, high = f->n_links, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (by_source(&f->links[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Through ends of compound elements to elements. */
static void follow(struct flattener *f, unsigned int from, unsigned int from_port,
		   const struct click_link *l, unsigned int depth)
{
	struct click_file *file = f->file;
	unsigned int i;

	if (++f->steps > 8 * CLICK_MAX_LINKS || depth > 4 * CLICK_MAX_DEPTH)
		click_refuse(file, f->nodes[l->to].at,
			     "connections from here go through more than %d compound elements",
			     4 * CLICK_MAX_DEPTH);
	if (f->nodes[l->to].element >= 0) {
		if (file->n_links == CLICK_MAX_LINKS)
			click_refuse(file, f->nodes[l->to].at, "more than %d connections",
				     CLICK_MAX_LINKS);
		file->links = click_more(file, file->links, file->n_links, &file->room_links,
					 sizeof(*file->links));
		file->links[file->n_links++] = (struct click_link){
			from, from_port, f->nodes[l->to].element, l->to_port
		};
		return;
	}
	for (i = first_link(f, l->to, l->to_port);
	     i < f->n_links && f->links[i].from == l->to && f->links[i].from_port == l->to_port;
	     i++)
		follow(f, from, from_port, &f->links[i], depth + 1);
}

void click_flatten(struct click_file *file)
{
	struct place top = { .scope = file->top, .prefix = "" };
	struct flattener f = { .file = file };
	unsigned int i;

	top.values = file->top->values;
	for (i = 0; i < CLICK_ENDS; i++)
		top.ends[i] = add_node(&f, -1, 0);
	flatten(&f, &top, 0);
	if (f.n_links)
		qsort(f.links, f.n_links, sizeof(*f.links), by_source);
	for (i = 0; i < f.n_links; i++)
		if (f.nodes[f.links[i].from].element >= 0)
			follow(&f, f.nodes[f.links[i].from].element, f.links[i].from_port,
			       &f.links[i], 0);
}
