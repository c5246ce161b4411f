// SPDX-License-Identifier: GPL-2.0
/*
 * Keys and fields as words, in the form of nf/labels.
 */
#include <stdio.h>
#include <string.h>
#include "function.h"

static void slice_text(FILE *f, const struct fm_slice *s)
{
	unsigned int i;

	if (s->field == FM_BYTES)
		fprintf(f, "%s[%d+%u]", fm_layer_names[s->layer], s->offset, s->size);
	else
		fputs(fm_field_names[s->field], f);
	for (i = 0; i < s->size && s->mask[i] == 0xff; i++)
		;
	if (i == s->size)
		return;
	fputc('/', f);
	for (i = 0; i < s->size; i++)
		fprintf(f, "%02x", s->mask[i]);
}

/* Adjacent bytes without a name are one word. */
static void list_slices(FILE *f, const struct fm_slice *slice, unsigned int n, bool masks)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct fm_slice s = slice[i];

		while (i + 1 < n && s.field == FM_BYTES && s.size < FM_FIELD_BYTES &&
		       slice[i + 1].field == FM_BYTES && slice[i + 1].size == 1 &&
		       s.layer == slice[i + 1].layer &&
		       slice[i + 1].offset == s.offset + (int)s.size) {
			s.mask[s.size++] = slice[++i].mask[0];
		}
		if (!masks)
			memset(s.mask, 0xff, sizeof(s.mask));
		slice_text(f, &s);
		if (i + 1 < n)
			fputc('.', f);
	}
}

char *fm_slices_text(const struct fm_slice *slice, unsigned int n)
{
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	list_slices(f, slice, n, true);
	fclose(f);
	return text;
}

char *fm_key_text(const struct fm_key *key)
{
	const struct fm_part *p;
	const char *sep = "";
	unsigned int i;
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	for (i = 0; i < key->n_parts; i++) {
		p = &key->parts[i];
		if (p->kind == FM_PART_CONST)
			continue;
		if (p->kind == FM_PART_FIELD && p->slices->field == FM_PROTOCOL &&
		    key->protocol >= 0)
			continue;
		fputs(sep, f);
		sep = ".";
		if (p->kind == FM_PART_UNKNOWN) {
			fputc('?', f);
			continue;
		}
		if (p->kind == FM_PART_FUNCTION)
			fputs("f(", f);
		list_slices(f, p->slices, p->n_slices, p->kind == FM_PART_FIELD);
		if (p->kind == FM_PART_FUNCTION)
			fputc(')', f);
	}
	if (!*sep)
		fputs(key->n_parts ? "const" : "whole", f);
	fclose(f);
	return text;
}
