// SPDX-License-Identifier: GPL-2.0
/*
 * The code of an object: its executable sections one behind the other, with what the
 * relocations refer to. libbpf does this only when it loads into a kernel.
 */
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "object.h"

#define R_BPF_64_64	1	/* load of an address */
#define R_BPF_64_32	10	/* call */

struct symbols {
	Elf_Data *data;
	size_t n;
	size_t strings;		/* section of the names */
};

static const char *symbol_name(struct object *o, const struct symbols *s, const GElf_Sym *sym)
{
	const char *name = elf_strptr(o->elf, s->strings, sym->st_name);

	return name ? name : "";
}

static const char *section_name(struct object *o, size_t index)
{
	Elf_Scn *scn = elf_getscn(o->elf, index);
	GElf_Shdr head;
	const char *name = NULL;
	size_t strings;

	if (scn && gelf_getshdr(scn, &head) && !elf_getshdrstrndx(o->elf, &strings))
		name = elf_strptr(o->elf, strings, head.sh_name);
	return name ? name : "";
}

static int map_by_name(const struct object *o, const char *name)
{
	uint32_t i;

	for (i = 0; i < o->n_maps; i++)
		if (!strcmp(o->maps[i].name, name))
			return i;
	return -1;
}

/* BTF-defined maps are named by symbols; @offset: of a static one, known by its place. */
static int map_at(struct object *o, const struct symbols *s, size_t section, uint64_t offset)
{
	GElf_Sym sym;
	size_t i;
	int map;

	for (i = 0; i < s->n; i++) {
		if (!gelf_getsym(s->data, i, &sym) || sym.st_shndx != section ||
		    sym.st_value != offset || GELF_ST_TYPE(sym.st_info) == STT_SECTION)
			continue;
		map = map_by_name(o, symbol_name(o, s, &sym));
		if (map >= 0)
			return map;
	}
	return -1;
}

static int add_section(struct object *o, size_t index, Elf_Data *data)
{
	size_t n = data->d_size / sizeof(struct bpf_insn), i;
	const struct bpf_insn *raw = data->d_buf;

	if (data->d_size % sizeof(struct bpf_insn))
		return object_refuse(o, "section %s: %zu bytes are no whole instructions",
				     section_name(o, index), data->d_size);
	if (o->n_insns + n > OBJECT_MAX_INSNS)
		return object_refuse(o, "more than %u instructions", OBJECT_MAX_INSNS);
	o->section_start[index] = o->n_insns + 1;
	o->insns = realloc(o->insns, (o->n_insns + n + 1) * sizeof(*o->insns));
	memset(o->insns + o->n_insns, 0, (n + 1) * sizeof(*o->insns));
	for (i = 0; i < n; i++)
		memcpy(&o->insns[o->n_insns + i].raw, &raw[i], sizeof(*raw));
	o->n_insns += n;
	return 0;
}

/* Calls within a section have no relocation. */
static void link_calls(struct object *o)
{
	struct insn *in;
	uint32_t i;

	for (i = 0; i < o->n_insns; i++) {
		in = &o->insns[i];
		if (in->link != LINK_NONE || in->raw.src_reg != BPF_PSEUDO_CALL ||
		    in->raw.code != (BPF_JMP | BPF_CALL))
			continue;
		in->link = LINK_FUNCTION;
		in->target = i + 1 + in->raw.imm;
	}
}

static int link_symbol(struct object *o, const struct symbols *s, const GElf_Sym *sym,
		       struct insn *in)
{
	const char *name = symbol_name(o, s, sym), *section = section_name(o, sym->st_shndx);
	bool call = in->raw.code == (BPF_JMP | BPF_CALL);
	int map;

	if (sym->st_shndx == SHN_UNDEF) {
		in->link = LINK_EXTERN;
		in->name = name;
		return 0;
	}
	if (sym->st_shndx < o->n_sections && o->section_start[sym->st_shndx]) {
		in->link = LINK_FUNCTION;
		in->target = o->section_start[sym->st_shndx] - 1;
		if (call)
			in->target += sym->st_value / sizeof(struct bpf_insn) + in->raw.imm + 1;
		else
			in->target += (sym->st_value + in->raw.imm) / sizeof(struct bpf_insn);
		return 0;
	}
	if (!strcmp(section, ".maps")) {
		map = map_at(o, s, sym->st_shndx, sym->st_value +
			     (GELF_ST_TYPE(sym->st_info) == STT_SECTION ? in->raw.imm : 0));
		if (map < 0)
			return object_refuse(o, "an instruction refers to the map \"%.60s\", which "
						"libbpf does not know",
					     name);
		in->link = LINK_MAP;
		in->target = map;
		return 0;
	}
	map = map_by_name(o, section);
	if (map < 0) {
		/* constants of the compiler that libbpf makes no map of */
		in->link = LINK_EXTERN;
		in->name = section;
		return 0;
	}
	in->link = LINK_DATA;
	in->target = map;
	in->addend = (int64_t)sym->st_value + in->raw.imm;
	return 0;
}

static int relocate(struct object *o, const struct symbols *s, Elf_Data *data, size_t target)
{
	size_t n = data->d_size / sizeof(Elf64_Rel), i;
	uint32_t start = o->section_start[target] - 1, end = o->n_insns, at;
	GElf_Rel rel;
	GElf_Sym sym;

	for (i = 0; i < n; i++) {
		if (!gelf_getrel(data, i, &rel) ||
		    !gelf_getsym(s->data, GELF_R_SYM(rel.r_info), &sym))
			return object_refuse(o, "section %s: relocation %zu is broken",
					     section_name(o, target), i);
		at = start + rel.r_offset / sizeof(struct bpf_insn);
		if (rel.r_offset / sizeof(struct bpf_insn) >= end - start ||
		    rel.r_offset % sizeof(struct bpf_insn))
			return object_refuse(o, "section %s: relocation %zu is outside of it",
					     section_name(o, target), i);
		if (GELF_R_TYPE(rel.r_info) != R_BPF_64_64 &&
		    GELF_R_TYPE(rel.r_info) != R_BPF_64_32)
			continue;
		if (link_symbol(o, s, &sym, &o->insns[at]))
			return -1;
	}
	return 0;
}

/* BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SCHED_CLS, or another type for what is neither. */
static enum bpf_prog_type type_of(const struct bpf_program *prog)
{
	static const char *const tc[] = { "tc", "classifier", "action" };
	const char *section = bpf_program__section_name(prog);
	enum bpf_prog_type type = bpf_program__type(prog);
	size_t i;

	if (type == BPF_PROG_TYPE_SCHED_ACT)
		return BPF_PROG_TYPE_SCHED_CLS;
	/* sections that this libbpf does not know, but others or "ip link" do */
	if (type != BPF_PROG_TYPE_UNSPEC || !section)
		return type;
	section += *section == '?';
	if (!strncmp(section, "xdp", 3))
		return BPF_PROG_TYPE_XDP;
	for (i = 0; i < sizeof(tc) / sizeof(*tc); i++)
		if (!strncmp(section, tc[i], strlen(tc[i])))
			return BPF_PROG_TYPE_SCHED_CLS;
	return type;
}

static int add_programs(struct object *o, const struct symbols *s)
{
	struct object_program *p;
	struct bpf_program *prog;
	enum bpf_prog_type type;
	GElf_Sym sym;
	size_t i;

	bpf_object__for_each_program(prog, o->bpf) {
		type = type_of(prog);
		if (type != BPF_PROG_TYPE_XDP && type != BPF_PROG_TYPE_SCHED_CLS)
			continue;
		for (i = 0; i < s->n; i++)
			if (gelf_getsym(s->data, i, &sym) &&
			    GELF_ST_TYPE(sym.st_info) == STT_FUNC &&
			    sym.st_shndx < o->n_sections && o->section_start[sym.st_shndx] &&
			    !strcmp(symbol_name(o, s, &sym), bpf_program__name(prog)))
				break;
		if (i == s->n)
			return object_refuse(o, "program %s: no symbol says where it begins",
					     bpf_program__name(prog));
		o->programs = realloc(o->programs, (o->n_programs + 1) * sizeof(*p));
		p = &o->programs[o->n_programs++];
		p->name = bpf_program__name(prog);
		p->type = type;
		p->entry = o->section_start[sym.st_shndx] - 1 +
			   sym.st_value / sizeof(struct bpf_insn);
	}
	return 0;
}

/* Bytes of sections that only the compiler writes, as those of initialised structures. */
static void take_constants(struct object *o, const char *name, Elf_Data *data)
{
	int map = map_by_name(o, name);

	if (map >= 0 && o->maps[map].data && !strncmp(name, ".rodata.cst", 11) &&
	    data->d_size >= o->maps[map].value_size)
		o->maps[map].bytes = data->d_buf;
}

int object_read_code(struct object *o)
{
	struct symbols s = { 0 };
	Elf_Scn *scn = NULL;
	Elf_Data *data;
	GElf_Shdr head;
	size_t index;

	elf_version(EV_CURRENT);
	o->elf = elf_begin(o->fd, ELF_C_READ_MMAP, NULL);
	if (!o->elf || elf_getshdrnum(o->elf, &o->n_sections))
		return object_refuse(o, "%s", elf_errmsg(-1));
	o->section_start = calloc(o->n_sections + 1, sizeof(*o->section_start));
	while ((scn = elf_nextscn(o->elf, scn))) {
		index = elf_ndxscn(scn);
		if (!gelf_getshdr(scn, &head))
			return object_refuse(o, "section %zu: %s", index, elf_errmsg(-1));
		data = head.sh_type == SHT_NOBITS ? NULL : elf_getdata(scn, NULL);
		if (!data || !data->d_buf)
			continue;
		if (head.sh_type == SHT_SYMTAB) {
			s.data = data;
			s.n = head.sh_entsize ? head.sh_size / head.sh_entsize : 0;
			s.strings = head.sh_link;
		} else if (head.sh_type == SHT_PROGBITS && head.sh_flags & SHF_EXECINSTR) {
			if (add_section(o, index, data))
				return -1;
		} else if (head.sh_type == SHT_PROGBITS) {
			take_constants(o, section_name(o, index), data);
		}
	}
	if (!s.data)
		return object_refuse(o, "no table of symbols");
	while ((scn = elf_nextscn(o->elf, scn))) {
		if (!gelf_getshdr(scn, &head) || head.sh_type != SHT_REL ||
		    head.sh_info >= o->n_sections || !o->section_start[head.sh_info])
			continue;
		data = elf_getdata(scn, NULL);
		if (data && data->d_buf && relocate(o, &s, data, head.sh_info))
			return -1;
	}
	link_calls(o);
	return add_programs(o, &s);
}
