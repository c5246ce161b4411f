// SPDX-License-Identifier: GPL-2.0
/*
 * Opening an object, and its maps as libbpf reads them.
 */
#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/btf.h>
#include <sys/stat.h>
#include "object.h"

static char complaint[256];	/* libbpf's first one */

static int listen(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *p;

	if (level != LIBBPF_WARN || complaint[0])
		return 0;
	vsnprintf(complaint, sizeof(complaint), fmt, args);
	p = complaint + strcspn(complaint, "\n");
	*p = 0;
	if (!strncmp(complaint, "libbpf: ", 8))
		memmove(complaint, complaint + 8, strlen(complaint + 8) + 1);
	return 0;
}

int object_refuse(struct object *o, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(o->why, o->why_len, fmt, args);
	va_end(args);
	return -1;
}

bool object_has_type(const struct btf *btf, uint32_t id, const char *name, int depth)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	const char *its;
	unsigned int i;

	if (!t || depth > 8)
		return false;
	its = btf__name_by_offset(btf, t->name_off);
	switch (btf_kind(t)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		if (its && !strcmp(its, name))
			return true;
		for (i = 0; i < btf_vlen(t); i++)
			if (object_has_type(btf, btf_members(t)[i].type, name, depth + 1))
				return true;
		return false;
	case BTF_KIND_DATASEC:
		for (i = 0; i < btf_vlen(t); i++)
			if (object_has_type(btf, btf_var_secinfos(t)[i].type, name, depth + 1))
				return true;
		return false;
	case BTF_KIND_ARRAY:
		return object_has_type(btf, btf_array(t)->type, name, depth + 1);
	case BTF_KIND_VAR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
		return object_has_type(btf, t->type, name, depth + 1);
	default:
		return false;
	}
}

static struct object_map *add_map(struct object *o, const char *name)
{
	struct object_map *m;

	o->maps = realloc(o->maps, (o->n_maps + 1) * sizeof(*o->maps));
	m = &o->maps[o->n_maps++];
	*m = (struct object_map){ .name = strdup(name), .inner = -1 };
	return m;
}

/* libbpf names global data after the object: the section's name is the end of it. */
static const char *data_name(const char *name)
{
	static const char *const section[] = { ".bss", ".data", ".rodata", ".kconfig" };
	const char *dot = strchr(name, '.');
	size_t i;

	for (i = 0; dot && i < sizeof(section) / sizeof(*section); i++)
		if (!strcmp(dot, section[i]))
			return dot;
	return name;
}

static void describe_map(struct object *o, struct object_map *m, const struct bpf_map *map)
{
	uint32_t value = bpf_map__btf_value_type_id(map);

	m->type = bpf_map__type(map);
	m->key_size = bpf_map__key_size(map);
	m->value_size = bpf_map__value_size(map);
	m->max_entries = bpf_map__max_entries(map);
	m->flags = bpf_map__map_flags(map);
	m->data = bpf_map__is_internal(map);
	m->pinned = bpf_map__pin_path(map);
	if (o->btf && value) {
		m->spin_lock = object_has_type(o->btf, value, "bpf_spin_lock", 0);
		m->timer = object_has_type(o->btf, value, "bpf_timer", 0) ||
			   object_has_type(o->btf, value, "bpf_wq", 0);
	}
}

int object_read_maps(struct object *o)
{
	const struct bpf_map *inner;
	struct object_map *m;
	struct bpf_map *map;
	char name[160];
	uint32_t i;

	bpf_object__for_each_map(map, o->bpf) {
		const char *its = bpf_map__name(map);

		m = add_map(o, bpf_map__is_internal(map) ? data_name(its) : its);
		describe_map(o, m, map);
		if (m->key_size > 65536 || m->value_size > 1u << 30)
			return object_refuse(o, "map \"%.40s\": keys of %u, values of %u bytes",
					     m->name, m->key_size, m->value_size);
		if (m->type != BPF_MAP_TYPE_ARRAY_OF_MAPS && m->type != BPF_MAP_TYPE_HASH_OF_MAPS)
			continue;
		inner = bpf_map__inner_map(map);
		i = o->n_maps - 1;
		snprintf(name, sizeof(name), "%.128s[]", m->name);
		m = add_map(o, name);
		if (inner)
			describe_map(o, m, inner);
		m->is_inner = true;
		o->maps[i].inner = o->n_maps - 1;
	}
	return 0;
}

uint32_t object_conntrack(struct object *o)
{
	uint32_t i;

	for (i = 0; i < o->n_maps; i++)
		if (!o->maps[i].type && !strcmp(o->maps[i].name, "conntrack"))
			return i;
	add_map(o, "conntrack")->key_size = sizeof(struct bpf_sock_tuple);
	return o->n_maps - 1;
}

const char *object_map_type(const struct object_map *map)
{
	const char *type = libbpf_bpf_map_type_str(map->type);

	if (!map->type)
		return map->is_inner ? "inner" : "conntrack";
	return type ? type : "unknown";
}

/* What libbpf would only say as an error's number. */
static int check_file(struct object *o, const char *path)
{
	Elf64_Ehdr head;
	struct stat st;
	ssize_t n;

	/* a pipe that nobody writes to is not waited for */
	o->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (o->fd < 0 || fstat(o->fd, &st))
		return object_refuse(o, "%s", strerror(errno));
	if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
		return object_refuse(o, "not a regular file");
	n = pread(o->fd, &head, sizeof(head), 0);
	if (n < 0)
		return object_refuse(o, "%s", strerror(errno));
	if (n < SELFMAG || memcmp(head.e_ident, ELFMAG, SELFMAG))
		return object_refuse(o, "not an ELF file");
	if (n < (ssize_t)sizeof(head))
		return object_refuse(o, "an ELF file that ends in its header");
	if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB)
		return object_refuse(o, "not a 64-bit little-endian ELF file");
	if (head.e_machine != EM_BPF)
		return object_refuse(o, "an ELF file, but not for BPF (machine %u)",
				     head.e_machine);
	return 0;
}

int object_open(struct object *o, const char *path, char *why, size_t len)
{
	*o = (struct object){ .fd = -1, .why = why, .why_len = len };
	complaint[0] = 0;
	libbpf_set_print(listen);
	if (check_file(o, path))
		return -1;
	o->bpf = bpf_object__open_file(path, NULL);
	if (!o->bpf) {
		if (strstr(complaint, "BTF is required"))
			return object_refuse(o, "no BTF, which describes the maps: "
					     "compile it with -g");
		return object_refuse(o, "libbpf cannot open it: %s",
				     complaint[0] ? complaint : strerror(errno));
	}
	o->btf = bpf_object__btf(o->bpf);
	if (object_read_maps(o) || object_read_code(o))
		return -1;
	object_read_lines(o);
	return 0;
}

void object_close(struct object *o)
{
	uint32_t i;

	for (i = 0; i < o->n_maps; i++)
		free(o->maps[i].name);
	free(o->maps);
	free(o->programs);
	free(o->insns);
	free(o->section_start);
	free(o->lines);
	if (o->elf)
		elf_end(o->elf);
	bpf_object__close(o->bpf);
	btf__free(o->own_btf);
	if (o->fd >= 0)
		close(o->fd);
}
