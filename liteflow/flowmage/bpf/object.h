/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A BPF object as the interpreter wants it: all code in one array with its relocations
 * resolved, the maps as libbpf reads them, and source lines.
 */
#ifndef _FLOWMAGE_OBJECT_H
#define _FLOWMAGE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

/* What an instruction refers to. */
enum link {
	LINK_NONE,
	LINK_MAP,	/* load of a map's address: target */
	LINK_DATA,	/* ... of global data: target is its map, addend the offset */
	LINK_FUNCTION,	/* ... of a function, or a call: target is its first instruction */
	LINK_EXTERN,	/* ... of a variable of the kernel, or a call of a kfunc: name */
	LINK_PATCHED,	/* libbpf writes a number when it knows the kernel (CO-RE) */
};

struct insn {
	struct bpf_insn raw;
	enum link link;
	uint32_t target;
	int64_t addend;
	const char *name;
};

/**
 * struct object_map - a map of the object
 * @name: its name, of global data the section's
 * @type: BPF_MAP_TYPE_..., 0 for what only kfuncs reach
 * @key_size: bytes
 * @value_size: bytes
 * @max_entries: how many
 * @flags: BPF_F_...
 * @data: it is a section of global data
 * @bytes: ... which the compiler made of constants, so nobody changes it; else NULL
 * @spin_lock: values have a bpf_spin_lock
 * @timer: values have a bpf_timer or bpf_wq
 * @pinned: has a path
 * @inner: of a map of maps: the map that stands for any of its inner ones; else -1
 * @is_inner: it is such a one
 * @id: of a loaded map
 * @elsewhere: another loaded program has it, too
 */
struct object_map {
	char *name;
	uint32_t type;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
	uint32_t flags;
	bool data;
	const uint8_t *bytes;
	bool spin_lock;
	bool timer;
	bool pinned;
	int inner;
	bool is_inner;
	uint32_t id;
	bool elsewhere;
};

struct object_program {
	const char *name;
	uint32_t type;		/* BPF_PROG_TYPE_XDP or BPF_PROG_TYPE_SCHED_CLS */
	uint32_t entry;
};

struct object_line {
	uint32_t insn;
	uint32_t line;
	const char *file;
	const char *text;
};

/* Where the kernel's structure that is the context has what the analysis follows; -1: nowhere. */
struct loaded_layout {
	int data;
	int data_end;
	int data_meta;
	int protocol;
};

#define OBJECT_MAX_INSNS	(1u << 20)

struct object {
	struct bpf_object *bpf;
	struct btf *btf;
	void *elf;
	int fd;
	struct insn *insns;
	uint32_t n_insns;
	uint32_t *section_start;	/* first instruction of each section + 1, 0: none */
	size_t n_sections;
	struct object_map *maps;
	uint32_t n_maps;
	struct object_program *programs;
	uint32_t n_programs;
	struct object_line *lines;
	uint32_t n_lines;
	bool loaded;		/* see loaded.c */
	bool replaced;		/* other programs stand for functions of it */
	struct loaded_layout layout;
	struct btf *own_btf;
	char program_name[16];
	char *why;
	size_t why_len;
};

/* 0, or -1 and one line in @why. */
int object_open(struct object *o, const char *path, char *why, size_t len);
/* A program that is loaded in the kernel, by its number. The same. */
int object_open_loaded(struct object *o, uint32_t id, char *why, size_t len);
void object_close(struct object *o);

/* Does a type hold a structure of this name? */
bool object_has_type(const struct btf *btf, uint32_t id, const char *name, int depth);

/* Why it failed, with the file's name in front; -1. */
int object_refuse(struct object *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int object_read_maps(struct object *o);
int object_read_code(struct object *o);
void object_read_lines(struct object *o);

/* The map of the kernel's connections, added when a program uses it. */
uint32_t object_conntrack(struct object *o);

const struct object_line *object_line(const struct object *o, uint32_t insn);
const char *object_map_type(const struct object_map *map);

#endif /* _FLOWMAGE_OBJECT_H */
