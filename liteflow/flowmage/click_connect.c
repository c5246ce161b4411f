// SPDX-License-Identifier: GPL-2.0
/*
 * Elements, ports and arrows of Click's language.
 */
#include <ctype.h>
#include <string.h>
#include "click_parser.h"

/* One end of a connection: an item with one of its ports. */
struct port {
	unsigned int item;
	unsigned int number;
};

/**
 * struct ports - one side of an arrow
 * @list: [n]
 * @open: index of the last port of a list that ends in "]" after "-" or a comma, and so has as many
 *	as the other side needs; -1: none
 * @plain: one item without a port
 */
struct ports {
	struct port *list;
	unsigned int n, room;
	int open;
	bool plain;
};

static bool is_arrow(struct click_token t)
{
	return t.word == CLICK_ARROW || t.word == CLICK_BOTH_ARROW || t.word == CLICK_CONTEXT_ARROW;
}

static void set_class(struct parser *p, struct click_item *item, const char *name)
{
	item->class_name = name;
	item->class = click_find_class(p, name);
}

static void add_port(struct parser *p, struct ports *side, unsigned int item, unsigned int number)
{
	side->list = click_more(p->file, side->list, side->n, &side->room, sizeof(*side->list));
	side->list[side->n++] = (struct port){ item, number };
	if (side->n > CLICK_MAX_PORT)
		click_refuse(p->file, p->at, "more than %d ports", CLICK_MAX_PORT);
}

static unsigned int port_number(struct parser *p, struct click_token t)
{
	unsigned long number = 0;
	size_t i;

	for (i = 0; i < t.span.n; i++) {
		if (!isdigit((unsigned char)p->file->text[t.span.at + i]))
			click_unexpected(p, t, "the number of a port");
		number = number * 10 + p->file->text[t.span.at + i] - '0';
		if (number > CLICK_MAX_PORT)
			click_refuse(p->file, t.span.at, "ports go to %d", CLICK_MAX_PORT);
	}
	return number;
}

/* "[0, 2-3, 5-]" if it is there; how many ports were added. */
static unsigned int read_ports(struct parser *p, struct ports *side, unsigned int item)
{
	unsigned int before = side->n, number, last = 0;
	bool range = false;
	struct click_token t;

	if (!click_is(click_peek(p), '['))
		return 0;
	click_take(p);
	for (;;) {
		t = click_take(p);
		if (click_is(t, ']')) {
			if (side->n == before)
				add_port(p, side, item, 0);
			if (side->open >= 0)
				click_refuse(p->file, t.span.at,
					     "a second list of ports without an end");
			side->open = side->n - 1;
			break;
		}
		if (t.word != CLICK_NAME)
			click_unexpected(p, t, "the number of a port");
		number = port_number(p, t);
		if (range)
			while (++last < number)
				add_port(p, side, item, last);
		add_port(p, side, item, number);
		last = number;
		t = click_take(p);
		if (click_is(t, ']'))
			break;
		range = click_is(t, '-');
		if (!range && !click_is(t, ','))
			click_unexpected(p, t, "\",\" or \"]\"");
	}
	return side->n - before;
}

static struct ports new_side(void)
{
	return (struct ports){ .open = -1 };
}

/* The side with @more ports in the place of the open end. */
static struct ports widen(struct parser *p, const struct ports *side, unsigned int more)
{
	struct ports wide = new_side();
	unsigned int i, k, at = side->open >= 0 ? (unsigned int)side->open : 0;

	for (i = 0; i < side->n; i++) {
		add_port(p, &wide, side->list[i].item, side->list[i].number);
		for (k = 1; i == at && k <= more; k++)
			add_port(p, &wide, side->list[i].item, side->list[i].number + k);
	}
	return wide;
}

static void add_link(struct parser *p, struct port from, struct port to)
{
	struct click_scope *s = p->scope;

	if (s->n_links == CLICK_MAX_LINKS)
		click_refuse(p->file, p->at, "more than %d connections", CLICK_MAX_LINKS);
	s->links = click_more(p->file, s->links, s->n_links, &s->room_links, sizeof(*s->links));
	s->links[s->n_links++] = (struct click_link){ from.item, from.number, to.item, to.number };
}

/* One to many, many to one; and with "=>" one after the other. */
static void connect(struct parser *p, struct ports from, struct ports to, struct click_token arrow)
{
	bool both = arrow.word == CLICK_BOTH_ARROW;
	unsigned int i, n;

	if (from.n < to.n && (from.open >= 0 || (both && from.plain)))
		from = widen(p, &from, to.n - from.n);
	else if (to.n < from.n && (to.open >= 0 || (both && to.plain)))
		to = widen(p, &to, from.n - to.n);
	if (from.n > 1 && to.n > 1) {
		if (!both)
			click_refuse(p->file, arrow.span.at,
				     "several outputs to several inputs need \"=>\"");
		if (from.n != to.n)
			click_refuse(p->file, arrow.span.at, "%u outputs to %u inputs", from.n,
				     to.n);
	}
	n = from.n > to.n ? from.n : to.n;
	for (i = 0; i < n; i++)
		add_link(p, from.list[from.n > 1 ? i : 0], to.list[to.n > 1 ? i : 0]);
}

/* "Class", "{ ... }" or nothing behind a name and "::" */
static void read_class(struct parser *p, struct click_item *item)
{
	struct click_token t = click_take(p);

	if (click_is(t, '{')) {
		item->class_name = "";
		item->class = click_read_compound(p, "", t);
	} else if (t.word == CLICK_NAME && !click_is_keyword(p, t)) {
		set_class(p, item, click_text(p->file, t.span));
	} else {
		click_unexpected(p, t, "a class");
	}
	item->end = p->at;
}

/* "(...)" if it is there */
static void read_config(struct parser *p, struct click_item *item)
{
	if (!click_is(click_peek(p), '('))
		return;
	item->config = click_in_parentheses(p);
	item->has_config = true;
	item->end = p->at;
}

static void anonymous(struct parser *p, unsigned int number, const char *class_name)
{
	struct click_item *item = &p->scope->items[number];

	item->name = click_format(p->file, "%s@%u", class_name, number - CLICK_ENDS + 1);
	item->anonymous = true;
}

/* An element that is named, declared or made here: its number. */
static unsigned int read_element(struct parser *p, struct click_token t)
{
	const char *name = click_is(t, '{') ? "" : click_text(p->file, t.span);
	int known = *name ? click_find_item(p->scope, name) : -1;
	struct click_item item = { .name = name, .at = t.span.at, .end = p->at };
	unsigned int number;

	if (known >= 0 && !p->scope->items[known].bare) {
		if (click_peek(p).word == CLICK_COLONS)
			click_refuse(p->file, t.span.at, "\"%.80s\" is declared a second time",
				     name);
		if (click_is(click_peek(p), '('))
			click_refuse(p->file, click_peek(p).span.at,
				     "parentheses behind \"%.80s\", which is declared already",
				     name);
		return known;
	}
	if (click_peek(p).word == CLICK_COLONS && *name) {
		click_take(p);
		read_class(p, &item);
		read_config(p, &item);
	} else if (!*name) {
		item.class_name = "";
		item.class = click_read_compound(p, "", t);
		item.end = p->at;
		read_config(p, &item);
	} else {
		item.bare = !click_is(click_peek(p), '(');
		set_class(p, &item, name);
		read_config(p, &item);
	}
	/* what was read may have moved the items */
	number = click_add_item(p, name, t.span.at);
	p->scope->items[number] = item;
	if (!*name || item.class_name == name)
		anonymous(p, number, *name ? name : "{}");
	return number;
}

/* "a, b :: Class(...)": all of them are declared, if they had nothing of their own. */
static void spread(struct parser *p, unsigned int first, unsigned int n)
{
	struct click_item *last = &p->scope->items[first + n - 1], *item;
	unsigned int i;

	if (last->anonymous)
		return;
	for (i = first; i + 1 < first + n; i++)
		if (!p->scope->items[i].bare)
			return;
	for (i = first; i + 1 < first + n; i++) {
		item = &p->scope->items[i];
		item->name = item->class_name;
		item->class_name = last->class_name;
		item->class = last->class;
		item->config = last->config;
		item->has_config = last->has_config;
		item->end = last->end;
		item->bare = false;
	}
}

static bool begins_element(const struct parser *p, struct click_token t)
{
	if (click_is(t, '('))
		click_refuse(p->file, t.span.at,
			     "groups in parentheses are not understood: give them names");
	return click_is(t, '{') || (t.word == CLICK_NAME && !click_is_keyword(p, t));
}

/*
 * The elements between two arrows. Without an element there, in a compound one, its input or its
 * output is meant. @in: their inputs; @out: their outputs.
 */
static void read_side(struct parser *p, bool first, struct ports *in, struct ports *out)
{
	unsigned int item, k, begin = p->scope->n_items, n = 0;
	struct ports before = new_side();
	bool ports_given = false;
	struct click_token t;

	*in = new_side();
	*out = new_side();
	do {
		before.n = 0;
		before.open = -1;
		k = read_ports(p, &before, 0);
		t = click_peek(p);
		if (!begins_element(p, t) && p->depth && (!first || is_arrow(t) || k)) {
			item = first ? CLICK_INPUT : CLICK_OUTPUT;
			if (first) {
				*out = before;
				for (; k; k--)
					out->list[k - 1].item = item;
			}
		} else {
			if (!begins_element(p, t))
				click_unexpected(p, t, "an element");
			click_take(p);
			item = read_element(p, t);
			n++;
		}
		if (before.open >= 0 && in->open >= 0)
			click_refuse(p->file, t.span.at, "a second list of ports without an end");
		if (before.open >= 0)
			in->open = in->n + before.open;
		ports_given |= k;
		for (k = 0; k < before.n; k++)
			add_port(p, in, item, before.list[k].number);
		in->plain = !before.n;
		if (!before.n)
			add_port(p, in, item, 0);
		out->plain = false;
		if (!(item == CLICK_INPUT && out->n) && !read_ports(p, out, item)) {
			add_port(p, out, item, 0);
			out->plain = true;
		}
		t = click_peek(p);
	} while (click_is(t, ',') && (click_take(p), true));
	in->plain &= in->n == 1;
	out->plain &= out->n == 1;
	if (first && !is_arrow(t) && n && !ports_given && p->scope->n_items - begin == n)
		spread(p, begin, n);
}

void click_read_connection(struct parser *p)
{
	struct ports in, out, last;
	struct click_token t;

	read_side(p, true, &in, &out);
	for (t = click_peek(p); is_arrow(t); t = click_peek(p)) {
		click_take(p);
		last = out;
		read_side(p, false, &in, &out);
		connect(p, last, in, t);
	}
}

