// SPDX-License-Identifier: GPL-2.0
/*
 * The ways of packets through a flat Click file: which fields have been changed on the way to an
 * element, and whether the CPU that received a packet still has it there.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click_path.h"
#include "flowmage.h"

struct walk {
	const struct click_file *file;
	struct click_step *steps;
	unsigned int *first;	/* [element]: of its links; they are sorted by where they begin */
};

/* A Strip that takes more than a link header away: what is an IP header then is another one. */
static bool strips_more(const struct click_element *e, uint32_t before)
{
	static const char *const link_headers[] = { "0", "4", "12", "14", "18", "22" };
	size_t i;

	if (strcmp(e->class_name, "Strip"))
		return false;
	for (i = 0; i < ARRAY_SIZE(link_headers); i++)
		if (!strcmp(e->config, link_headers[i]))
			return i && before & CLICK_STRIPPED;
	return true;
}

/* What comes out of an element, put to what comes into one behind it. Did that change anything? */
static bool pass(const struct walk *w, unsigned int from, unsigned int to)
{
	const struct click_step *a = &w->steps[from];
	struct click_step *b = &w->steps[to], old = *b;
	const struct click_element *e = &w->file->elements[from];
	bool anything = a->facts->rewrites_unknown || !a->facts->known ||
			strips_more(e, a->rewritten);
	int manager = a->facts->is_manager ? (int)from : a->manager;

	b->rewritten |= a->rewritten | a->facts->rewrites;
	if (!strcmp(e->class_name, "Strip") && strcmp(e->config, "0"))
		b->rewritten |= CLICK_STRIPPED;
	b->anything |= a->anything || anything;
	if (b->rewriter < 0)
		b->rewriter = a->facts->rewrites || anything ? (int)from : a->rewriter;
	if (b->lost < 0)
		b->lost = a->facts->handoff ? (int)from : a->lost;
	b->managers |= a->managers || (b->reached && b->manager != manager);
	b->manager = manager;
	b->reached = true;
	if (b->managers)
		b->manager = old.reached ? old.manager : manager;
	return memcmp(&old, b, sizeof(old));
}

static void spread(struct walk *w)
{
	const struct click_file *file = w->file;
	bool changed = true;
	unsigned int i;

	while (changed) {
		changed = false;
		for (i = 0; i < file->n_links; i++)
			if (w->steps[file->links[i].from].reached)
				changed |= pass(w, file->links[i].from, file->links[i].to);
	}
}

/* Depth first, without recursion: an element is put in front of those behind it. */
static void set_order(struct walk *w)
{
	unsigned int n = w->file->n_elements, i, top, order = n;
	unsigned int *stack = calloc(n + 1, sizeof(*stack)), *next = calloc(n + 1, sizeof(*next));
	bool *seen = calloc(n + 1, 1);
	const struct click_link *l;

	if (!stack || !next || !seen)
		err(EXIT_OTHER, "out of memory");
	for (i = n; i--;) {
		if (seen[i])
			continue;
		seen[i] = true;
		stack[0] = i;
		next[i] = w->first[i];
		for (top = 1; top;) {
			unsigned int at = stack[top - 1];

			if (next[at] == w->first[at + 1]) {
				w->steps[at].order = --order;
				top--;
				continue;
			}
			l = &w->file->links[next[at]++];
			if (seen[l->to])
				continue;
			seen[l->to] = true;
			next[l->to] = w->first[l->to];
			stack[top++] = l->to;
		}
	}
	free(stack);
	free(next);
	free(seen);
}

/* Elements that nothing comes into begin a way: a receiver's packets have a CPU, others none. */
static void begin(struct walk *w, const char *receiver)
{
	const struct click_file *file = w->file;
	bool *fed = calloc(file->n_elements + 1, 1);
	struct click_step *s;
	unsigned int i;

	if (!fed)
		err(EXIT_OTHER, "out of memory");
	for (i = 0; i < file->n_links; i++)
		fed[file->links[i].to] = true;
	for (i = 0; i < file->n_elements; i++) {
		s = &w->steps[i];
		if (receiver ? !strcmp(file->elements[i].name, receiver) :
			       s->facts->receiver || !fed[i])
			s->reached = true;
		if (!fed[i] && !s->facts->receiver && !receiver)
			s->lost = i;
	}
	free(fed);
}

struct click_step *click_follow(const struct click_file *file, struct click_known *known,
				const char *receiver, char *why, size_t len)
{
	struct walk w = { .file = file };
	unsigned int i, k;
	bool found = !receiver;

	w.steps = calloc(file->n_elements + 1, sizeof(*w.steps));
	w.first = calloc(file->n_elements + 2, sizeof(*w.first));
	if (!w.steps || !w.first)
		err(EXIT_OTHER, "out of memory");
	for (i = 0, k = 0; i <= file->n_elements; i++) {
		while (k < file->n_links && file->links[k].from < i)
			k++;
		w.first[i] = k;
	}
	for (i = 0; i < file->n_elements; i++) {
		w.steps[i].facts = click_look_up(known, file->elements[i].class_name, why, len);
		if (!w.steps[i].facts)
			goto fail;
		w.steps[i].rewriter = w.steps[i].lost = w.steps[i].manager = -1;
		found |= receiver && !strcmp(file->elements[i].name, receiver);
	}
	if (!found) {
		snprintf(why, len, "%s: no element \"%.100s\" in it", file->path, receiver);
		goto fail;
	}
	begin(&w, receiver);
	spread(&w);
	set_order(&w);
	free(w.first);
	return w.steps;
fail:
	free(w.first);
	free(w.steps);
	return NULL;
}
