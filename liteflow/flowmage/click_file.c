// SPDX-License-Identifier: GPL-2.0
/*
 * A Click file from its text to elements and links, and back to lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click.h"

#define obstack_chunk_alloc	malloc
#define obstack_chunk_free	free

int click_parse(struct click_file *file, const char *path, const char *text, size_t n, char *why,
		size_t len)
{
	*file = (struct click_file){ .path = path, .text = text, .n = n, .why = why, .len = len };
	obstack_begin(&file->pool, 65536);
	if (setjmp(file->failed))
		return -1;
	if (n > CLICK_MAX_FILE)
		click_refuse(file, 0, "more than %u bytes", CLICK_MAX_FILE);
	if (memchr(text, 0, n))
		click_refuse(file, (const char *)memchr(text, 0, n) - text,
			     "a byte of 0: this is no text");
	click_read(file);
	click_flatten(file);
	return 0;
}

void click_free(struct click_file *file)
{
	obstack_free(&file->pool, NULL);
}

char *click_dump(const struct click_file *file)
{
	const struct click_link *l;
	unsigned int i;
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (i = 0; i < file->n_elements; i++)
		fprintf(f, "%s :: %s(%s)\n", file->elements[i].name, file->elements[i].class_name,
			file->elements[i].config);
	for (i = 0; i < file->n_links; i++) {
		l = &file->links[i];
		fprintf(f, "%s [%u] -> [%u] %s\n", file->elements[l->from].name, l->from_port,
			l->to_port, file->elements[l->to].name);
	}
	fclose(f);
	return text;
}
