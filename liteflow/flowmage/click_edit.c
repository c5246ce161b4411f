// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments of a Click file changed in place: see click_edit.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click_edit.h"

/* What is put for @n bytes from byte @at of the text. */
struct edit {
	size_t at, n;
	const char *text[3];
	const char *end;
};

static int by_place(const void *a, const void *b)
{
	const struct click_change *x = a, *y = b;

	if (x->item->end != y->item->end)
		return x->item->end < y->item->end ? -1 : 1;
	return strcmp(x->keyword, y->keyword);
}

/* Several declarations may have one text: "a, b :: Class". */
static bool same_text(const struct click_change *a, const struct click_change *b)
{
	return a->item->end == b->item->end && !strcmp(a->keyword, b->keyword);
}

static bool ends_in_comment(const char *config, size_t n)
{
	size_t at = 0, step;
	bool comment = false;

	while (at < n) {
		step = click_skip(config, n, at);
		comment = step > 1 && (!memcmp(config + at, "//", 2) || config[at] == '#') &&
			  at + step >= n;
		at += step;
	}
	return comment;
}

/* A value that may be taken away: it has no half of a pair of parentheses. */
static bool is_plain(const char *value, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strchr("()/#'", value[i]))
			return false;
	return true;
}

/* Where a keyword's value stands, or is to be put. 0; or -1: something else stands there. */
static int make_edit(const struct click_file *file, const struct click_change *c, struct edit *e)
{
	const struct click_item *item = c->item;
	const char *config = file->text + item->config.at;
	struct click_argument arg = { 0 }, last = { 0 };
	size_t len = strlen(c->keyword);
	unsigned int i;

	*e = (struct edit){ .end = "" };
	for (i = 0; item->has_config && click_argument(config, item->config.n, i, &arg); i++) {
		last = arg;
		if (arg.keyword != len || memcmp(config + arg.span.at, c->keyword, len))
			continue;
		if (!is_plain(config + arg.value.at, arg.value.n))
			return -1;
		e->at = item->config.at + arg.value.at;
		e->n = arg.value.n;
		e->text[0] = e->text[1] = "";
		e->text[2] = c->value;
		return 0;
	}
	/* behind the last argument, in front of blanks and comments */
	e->at = item->has_config ? item->config.at + last.span.at + last.span.n : item->end;
	e->text[0] = !item->has_config ? "(" : i > 1 || last.span.n ? ", " : "";
	e->text[1] = c->keyword;
	e->text[2] = c->value;
	e->end = item->has_config ? "" : ")";
	if (item->has_config && ends_in_comment(config, e->at - item->config.at))
		e->text[0] = i > 1 || last.span.n ? "\n, " : "\n";
	return 0;
}

static char *write_edits(const struct click_file *file, const struct edit *edit, unsigned int n)
{
	size_t len, at = 0;
	unsigned int i;
	char *text;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (i = 0; i < n; i++) {
		fwrite(file->text + at, 1, edit[i].at - at, f);
		fprintf(f, "%s%s%s%s%s", edit[i].text[0], edit[i].text[1],
			*edit[i].text[1] ? " " : "", edit[i].text[2], edit[i].end);
		at = edit[i].at + edit[i].n;
	}
	fwrite(file->text + at, 1, file->n - at, f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

static bool same_links(const struct click_file *a, const struct click_file *b)
{
	return a->n_links == b->n_links &&
	       (!a->n_links || !memcmp(a->links, b->links, a->n_links * sizeof(*a->links)));
}

/* Is @b what @a was, but for the arguments that were changed? The first element that is not. */
static const char *difference(const struct click_file *a, const struct click_file *b,
			      const struct click_change *changes, unsigned int n)
{
	const struct click_element *x, *y;
	struct click_span span;
	unsigned int i, k;
	bool changed;

	if (a->n_elements != b->n_elements || !same_links(a, b))
		return "the connections";
	for (i = 0; i < a->n_elements; i++) {
		x = &a->elements[i];
		y = &b->elements[i];
		if (strcmp(x->name, y->name) || strcmp(x->class_name, y->class_name))
			return x->name;
		changed = false;
		for (k = 0; k < n; k++) {
			if (changes[k].item->end != x->item->end)
				continue;
			changed = true;
			span = click_keyword(y->config, changes[k].keyword);
			if (span.n != strlen(changes[k].value) ||
			    memcmp(y->config + span.at, changes[k].value, span.n))
				return x->name;
		}
		if (!changed && strcmp(x->config, y->config))
			return x->name;
	}
	return NULL;
}

char *click_edit(const struct click_file *file, struct click_change *changes, unsigned int n,
		 char *why, size_t len)
{
	struct edit *edits = calloc(n + 1, sizeof(*edits));
	struct click_file again;
	unsigned int i, made = 0;
	const char *wrong;
	char *text = NULL;

	if (!edits) {
		snprintf(why, len, "out of memory");
		return NULL;
	}
	if (n)
		qsort(changes, n, sizeof(*changes), by_place);
	for (i = 0; i < n; i++) {
		if (i && same_text(&changes[i], &changes[i - 1]))
			continue;
		if (make_edit(file, &changes[i], &edits[made++])) {
			snprintf(why, len, "%s: the value of %s of \"%.80s\" is no word",
				 file->path, changes[i].keyword, changes[i].item->name);
			free(edits);
			return NULL;
		}
	}
	text = write_edits(file, edits, made);
	free(edits);
	if (!text) {
		snprintf(why, len, "out of memory");
		return NULL;
	}
	if (!click_parse(&again, file->path, text, strlen(text), why, len)) {
		wrong = difference(file, &again, changes, n);
		if (!wrong) {
			click_free(&again);
			return text;
		}
		snprintf(why, len, "%s: rewritten, it is not what it was: %.100s", file->path,
			 wrong);
	}
	click_free(&again);
	free(text);
	return NULL;
}

char *click_edit_check(const struct click_file *file, char *why, size_t len)
{
	struct click_change *changes = calloc(file->n_elements + 1, sizeof(*changes));
	unsigned int i, n = 0;
	char *text;

	for (i = 0; i < file->n_elements; i++)
		if (*file->elements[i].item->class_name && !file->elements[i].item->class)
			changes[n++] =
				(struct click_change){ file->elements[i].item, "SHARED", "false" };
	text = click_edit(file, changes, n, why, len);
	free(changes);
	return text;
}
