// SPDX-License-Identifier: GPL-2.0
/*
 * Source lines of instructions, and which of them libbpf patches: .BTF.ext. It is only an aid;
 * what is broken in it is left out.
 */
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "object.h"

struct ext_header {
	uint16_t magic;
	uint8_t version;
	uint8_t flags;
	uint32_t hdr_len;
	uint32_t func_off;
	uint32_t func_len;
	uint32_t line_off;
	uint32_t line_len;
	uint32_t core_off;
	uint32_t core_len;
};

struct ext_line {
	uint32_t off;
	uint32_t file;
	uint32_t text;
	uint32_t line;		/* << 10, and the column */
};

struct ext_core {
	uint32_t off;
	uint32_t type;
	uint32_t access;
	uint32_t kind;
};

#define CORE_FIELD_OFFSET	0	/* the only kind that is the object's own number at hand */

static Elf_Data *find_section(struct object *o, const char *wanted, size_t *index)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr head;
	size_t strings;
	const char *name;

	if (elf_getshdrstrndx(o->elf, &strings))
		return NULL;
	while ((scn = elf_nextscn(o->elf, scn))) {
		if (!gelf_getshdr(scn, &head))
			continue;
		name = elf_strptr(o->elf, strings, head.sh_name);
		if (name && !strcmp(name, wanted)) {
			*index = elf_ndxscn(scn);
			return elf_getdata(scn, NULL);
		}
	}
	return NULL;
}

static int cmp_line(const void *a, const void *b)
{
	const struct object_line *x = a, *y = b;

	return (x->insn > y->insn) - (x->insn < y->insn);
}

static void add_line(struct object *o, uint32_t insn, const struct ext_line *l)
{
	const char *file = btf__str_by_offset(o->btf, l->file);
	const char *text = btf__str_by_offset(o->btf, l->text);
	struct object_line *line;

	if (!(o->n_lines & (o->n_lines - 1)))
		o->lines = realloc(o->lines, (o->n_lines ? 2 * o->n_lines : 1) * sizeof(*line));
	line = &o->lines[o->n_lines++];
	line->insn = insn;
	line->line = l->line >> 10;
	line->file = file ? file : "";
	line->text = text ? text : "";
	while (*line->text == ' ' || *line->text == '\t')
		line->text++;
}

/* One of the three tables: a record size, then for each section its name, count, records. */
static void read_table(struct object *o, const uint8_t *p, uint32_t len, bool lines)
{
	const uint8_t *end = p + len;
	uint32_t size, name, n, i;
	Elf_Data *code;
	size_t index;

	if (len < sizeof(size))
		return;
	memcpy(&size, p, sizeof(size));
	p += sizeof(size);
	if (size < sizeof(struct ext_line) || size > 256)
		return;
	while (end - p >= 8) {
		memcpy(&name, p, sizeof(name));
		memcpy(&n, p + 4, sizeof(n));
		p += 8;
		if (n > (size_t)(end - p) / size)
			return;
		code = btf__str_by_offset(o->btf, name) ?
		       find_section(o, btf__str_by_offset(o->btf, name), &index) : NULL;
		for (i = 0; i < n; i++, p += size) {
			struct ext_line l;
			struct ext_core c;
			uint32_t at;

			if (!code || index >= o->n_sections || !o->section_start[index])
				continue;
			memcpy(&l, p, sizeof(l));
			memcpy(&c, p, sizeof(c));
			at = o->section_start[index] - 1 + l.off / sizeof(struct bpf_insn);
			if (l.off >= code->d_size || at >= o->n_insns)
				continue;
			if (lines)
				add_line(o, at, &l);
			else if (c.kind != CORE_FIELD_OFFSET)
				o->insns[at].link = LINK_PATCHED;
		}
	}
}

void object_read_lines(struct object *o)
{
	struct ext_header head = { 0 };
	Elf_Data *data;
	size_t index;

	if (!o->btf)
		return;
	data = find_section(o, ".BTF.ext", &index);
	if (!data || !data->d_buf || data->d_size < offsetof(struct ext_header, core_off))
		return;
	memcpy(&head, data->d_buf, data->d_size < sizeof(head) ? data->d_size : sizeof(head));
	if (head.hdr_len < sizeof(head))
		head.core_len = 0;
	if (head.hdr_len > data->d_size)
		return;
	if (head.line_off <= data->d_size - head.hdr_len &&
	    head.line_len <= data->d_size - head.hdr_len - head.line_off)
		read_table(o, (uint8_t *)data->d_buf + head.hdr_len + head.line_off, head.line_len,
			   true);
	if (head.core_off <= data->d_size - head.hdr_len &&
	    head.core_len <= data->d_size - head.hdr_len - head.core_off)
		read_table(o, (uint8_t *)data->d_buf + head.hdr_len + head.core_off, head.core_len,
			   false);
	if (o->n_lines)
		qsort(o->lines, o->n_lines, sizeof(*o->lines), cmp_line);
}

/* The line that an instruction is of; NULL: none is known. */
const struct object_line *object_line(const struct object *o, uint32_t insn)
{
	uint32_t low = 0, high = o->n_lines, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (o->lines[mid].insn <= insn)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &o->lines[low - 1] : NULL;
}
