// SPDX-License-Identifier: GPL-2.0
/*
 * "bpf:id:N": a program that is loaded in the kernel here. Its instructions are those that the
 * verifier made of it: calls go to addresses, lookups of some maps are inlined, and the context is
 * the kernel's own structure. As much of that is undone as the interpreter needs; what is not
 * recognised is for it a place that it does not know.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include "interp.h"

/* 0, and the info of a program or map; or -1 with errno. */
static int info_of(int fd, void *info, uint32_t size)
{
	return fd < 0 || bpf_obj_get_info_by_fd(fd, info, &size) ? -1 : 0;
}

static int open_program(struct object *o, uint32_t id, struct bpf_prog_info *info)
{
	int err;

	o->fd = bpf_prog_get_fd_by_id(id);
	err = errno;
	if (o->fd < 0)
		return object_refuse(o, err == ENOENT ? "no program of this number is loaded" :
				     err == EPERM ? "looking at loaded programs needs root" :
				     "%s", strerror(err));
	if (info_of(o->fd, info, sizeof(*info)))
		return object_refuse(o, "%s", strerror(errno));
	if (info->type != BPF_PROG_TYPE_XDP && info->type != BPF_PROG_TYPE_SCHED_CLS &&
	    info->type != BPF_PROG_TYPE_SCHED_ACT)
		return object_refuse(o, "\"%.15s\" is neither for XDP nor for tc", info->name);
	return 0;
}

/* --- maps ---------------------------------------------------------------------------- */

static bool is_extension(uint32_t id)
{
	struct bpf_prog_info info = { 0 };
	int fd = bpf_prog_get_fd_by_id(id);
	bool is = !info_of(fd, &info, sizeof(info)) && info.type == BPF_PROG_TYPE_EXT;

	if (fd >= 0)
		close(fd);
	return is;
}

/* Programs can take the place of another one's functions, as those of libxdp's dispatcher. */
static bool is_replaced(uint32_t program)
{
	struct bpf_link_info info;
	bool found = false;
	uint32_t id = 0;
	int fd;

	while (!found && !bpf_link_get_next_id(id, &id)) {
		memset(&info, 0, sizeof(info));
		fd = bpf_link_get_fd_by_id(id);
		found = !info_of(fd, &info, sizeof(info)) && info.type == BPF_LINK_TYPE_TRACING &&
			info.tracing.target_obj_id == program && is_extension(info.prog_id);
		if (fd >= 0)
			close(fd);
	}
	return found;
}

/* Does another program have this map, too? */
static bool used_elsewhere(uint32_t program, uint32_t map)
{
	uint32_t id = 0, ids[64], i;
	struct bpf_prog_info info;
	bool found = false;
	int fd;

	while (!found && !bpf_prog_get_next_id(id, &id)) {
		if (id == program)
			continue;
		memset(&info, 0, sizeof(info));
		info.nr_map_ids = sizeof(ids) / sizeof(*ids);
		info.map_ids = (uintptr_t)ids;
		fd = bpf_prog_get_fd_by_id(id);
		/* one that has gone meanwhile is no matter */
		if (!info_of(fd, &info, sizeof(info))) {
			found = info.nr_map_ids > sizeof(ids) / sizeof(*ids);
			for (i = 0; !found && i < info.nr_map_ids; i++)
				found = ids[i] == map;
		}
		if (fd >= 0)
			close(fd);
	}
	return found;
}

static bool is_data(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && (!strncmp(dot, ".bss", 4) || !strncmp(dot, ".data", 5) ||
		       !strncmp(dot, ".rodata", 7) || !strncmp(dot, ".kconfig", 8));
}

static void note_values(struct object_map *m, const struct bpf_map_info *info)
{
	struct btf *btf = info->btf_id ? btf__load_from_kernel_by_id(info->btf_id) : NULL;

	if (!btf || libbpf_get_error(btf))
		return;
	m->spin_lock = object_has_type(btf, info->btf_value_type_id, "bpf_spin_lock", 0);
	m->timer = object_has_type(btf, info->btf_value_type_id, "bpf_timer", 0) ||
		   object_has_type(btf, info->btf_value_type_id, "bpf_wq", 0);
	btf__free(btf);
}

/* Named with its number: programs that are looked at one by one may share it. */
static int add_map(struct object *o, uint32_t program, uint32_t id)
{
	struct bpf_map_info info = { 0 };
	struct object_map *m;
	int fd = bpf_map_get_fd_by_id(id), ret;

	ret = info_of(fd, &info, sizeof(info));
	if (fd >= 0)
		close(fd);
	if (ret)
		return object_refuse(o, "map %u: %s", id, strerror(errno));
	o->maps = realloc(o->maps, (o->n_maps + 1) * sizeof(*o->maps));
	m = &o->maps[o->n_maps++];
	*m = (struct object_map){
		.type = info.type, .key_size = info.key_size, .value_size = info.value_size,
		.max_entries = info.max_entries, .flags = info.map_flags, .inner = -1, .id = id,
		.data = is_data(info.name) && info.type == BPF_MAP_TYPE_ARRAY,
		.elsewhere = used_elsewhere(program, id),
	};
	if (asprintf(&m->name, "%.15s#%u", info.name, id) < 0)
		return object_refuse(o, "out of memory");
	note_values(m, &info);
	return 0;
}

static int find_map(const struct object *o, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < o->n_maps; i++)
		if (o->maps[i].id == id)
			return i;
	return -1;
}

/* --- the context ---------------------------------------------------------------------- */

/* Bytes from the beginning of a structure to a member, also of a nameless one in it; -1 */
static int member(const struct btf *btf, int32_t id, const char *name)
{
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;
	const struct btf_member *m;
	const char *its;
	unsigned int i;
	int inner;

	if (!t || !btf_is_composite(t))
		return -1;
	for (i = 0, m = btf_members(t); i < btf_vlen(t); i++, m++) {
		its = btf__name_by_offset(btf, m->name_off);
		if (its && !strcmp(its, name))
			return btf_member_bit_offset(t, i) / 8;
		if (its && *its)
			continue;
		inner = member(btf, btf__resolve_type(btf, m->type), name);
		if (inner >= 0)
			return btf_member_bit_offset(t, i) / 8 + inner;
	}
	return -1;
}

static int member_of(const struct btf *btf, const char *type, const char *name)
{
	return member(btf, btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT), name);
}

static int read_layout(struct object *o, bool xdp)
{
	struct loaded_layout *l = &o->layout;
	struct btf *btf = btf__load_vmlinux_btf();
	const char *type = xdp ? "xdp_buff" : "sk_buff";
	const char *rest = xdp ? "xdp_buff" : "bpf_skb_data_end";
	int cb;

	if (!btf || libbpf_get_error(btf))
		return object_refuse(o, "the kernel has no BTF, which describes its structures");
	cb = xdp ? 0 : member_of(btf, type, "cb");
	l->data = member_of(btf, type, "data");
	l->data_end = member_of(btf, rest, "data_end");
	l->data_meta = member_of(btf, rest, "data_meta");
	l->protocol = xdp ? -1 : member_of(btf, type, "protocol");
	btf__free(btf);
	if (cb < 0 || l->data < 0 || l->data_end < 0 || l->data_meta < 0)
		return object_refuse(o, "the kernel's %s is not as expected", type);
	l->data_end += cb;
	l->data_meta += cb;
	return 0;
}

bool loaded_context(const struct object *o, bool xdp, int64_t *off, unsigned int size)
{
	const struct loaded_layout *l = &o->layout;

	if (*off == l->data && size == 8)
		*off = xdp ? offsetof(struct xdp_md, data) : offsetof(struct __sk_buff, data);
	else if (*off == l->data_end && size == 8)
		*off = xdp ? offsetof(struct xdp_md, data_end) :
			     offsetof(struct __sk_buff, data_end);
	else if (*off == l->data_meta && size == 8)
		*off = xdp ? offsetof(struct xdp_md, data_meta) :
			     offsetof(struct __sk_buff, data_meta);
	else if (*off == l->protocol && size == 2)
		*off = offsetof(struct __sk_buff, protocol);
	else
		return false;
	return true;
}

/* --- lookups that the verifier has inlined ---------------------------------------------- */

#define IS(insn, c, d)	((insn)->raw.code == (c) && (insn)->raw.dst_reg == (d))

/*
 * A table: r1 += its values; r0 = *(u32 *)r2; if r0 >= its size goto none; ...; goto behind;
 * none: r0 = 0. Where it ends; 0: it is something else.
 */
static uint32_t table_end(const struct object *o, uint32_t pc)
{
	const struct insn *in = &o->insns[pc];
	uint32_t none;

	if (pc + 3 >= o->n_insns || !IS(&in[1], BPF_LDX | BPF_MEM | BPF_W, 0) ||
	    in[1].raw.src_reg != 2 || in[1].raw.off ||
	    !IS(&in[2], BPF_JMP | BPF_JGE | BPF_K, 0) || in[2].raw.off < 3 || in[2].raw.off > 8)
		return 0;
	none = pc + 3 + in[2].raw.off;
	if (none + 1 > o->n_insns || !IS(&o->insns[none], BPF_ALU64 | BPF_MOV | BPF_K, 0) ||
	    o->insns[none].raw.imm || o->insns[none - 1].raw.code != (BPF_JMP | BPF_JA) ||
	    o->insns[none - 1].raw.off != 1)
		return 0;
	return none + 1;
}

static bool is_nested(const struct object_map *m)
{
	return m->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || m->type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

bool loaded_lookup(struct run *run, struct state *s)
{
	const struct value *map = value_get(s->reg[1]);
	uint32_t end = table_end(run->o, s->pc);

	if (!end || map->off || is_nested(&run->o->maps[map->map])) {
		record_reason(&run->rec, true,
			      "instruction %u uses a map in a way that is not known",
			      s->pc);
		return false;
	}
	call_helper(run, s, BPF_FUNC_map_lookup_elem);
	s->pc = end;
	return true;
}

/* A hash table: call; if r0 == 0 goto behind; r0 becomes the value. It is a call again. */
static bool restore_hash(struct object *o, uint32_t pc)
{
	struct insn *in = &o->insns[pc];
	int i, n;

	if (pc + 2 >= o->n_insns || !IS(&in[1], BPF_JMP | BPF_JEQ | BPF_K, 0) || in[1].raw.imm)
		return false;
	n = in[1].raw.off;
	if (n < 1 || n > 5 || pc + 1 + n >= o->n_insns ||
	    (!IS(&in[2], BPF_ALU64 | BPF_ADD | BPF_K, 0) &&
	     !(in[2].raw.code == (BPF_LDX | BPF_MEM | BPF_B) && in[2].raw.src_reg == 0)))
		return false;
	in[0].raw.imm = BPF_FUNC_map_lookup_elem;
	for (i = 1; i <= n + 1; i++)
		in[i].raw = (struct bpf_insn){ .code = BPF_JMP | BPF_JA };
	return true;
}

/* --- calls ---------------------------------------------------------------------------- */

#define NAME(x)	[BPF_FUNC_##x] = #x
static const char *const helper_names[] = { __BPF_FUNC_MAPPER(NAME) };
#define HELPERS	(int32_t)(sizeof(helper_names) / sizeof(*helper_names))

static int32_t helper_named(const char *name)
{
	int32_t i;

	for (i = 1; i < HELPERS; i++)
		if (helper_names[i] && !strcmp(helper_names[i], name))
			return i;
	return 0;
}

/* The helper behind a function of the kernel: most are named after it; 0: it is none. */
static int32_t helper_behind(const char *function)
{
	static const char *const kinds[] = { "xdp_", "skb_", "tc_" };
	static const struct {
		const char *end;
		int32_t id;
	} ends[] = {
		/* a type of map's own functions */
		{ "_lookup_percpu_elem", BPF_FUNC_map_lookup_percpu_elem },
		{ "_lookup_elem", BPF_FUNC_map_lookup_elem },
		{ "_update_elem", BPF_FUNC_map_update_elem },
		{ "_delete_elem", BPF_FUNC_map_delete_elem },
		{ "_push_elem", BPF_FUNC_map_push_elem },
		{ "_pop_elem", BPF_FUNC_map_pop_elem },
		{ "_peek_elem", BPF_FUNC_map_peek_elem },
		{ "_redirect", BPF_FUNC_redirect_map },
	};
	size_t i, n = strlen(function);
	int32_t id;

	if (!strcmp(function, "bpf_user_rnd_u32"))
		return BPF_FUNC_get_prandom_u32;
	if (!strcmp(function, "bpf_get_raw_cpu_id"))
		return BPF_FUNC_get_smp_processor_id;
	if (!strncmp(function, "bpf_for_each_", 13))
		return BPF_FUNC_for_each_map_elem;
	if (!strncmp(function, "bpf_", 4)) {
		function += 4;
		id = helper_named(function);
		for (i = 0; !id && i < sizeof(kinds) / sizeof(*kinds); i++)
			if (!strncmp(function, kinds[i], strlen(kinds[i])))
				id = strcmp(function + strlen(kinds[i]), "event_output") ?
				     helper_named(function + strlen(kinds[i])) :
				     BPF_FUNC_perf_event_output;
		return id;
	}
	/* those with two lines give an element, not its value */
	for (i = 0; *function != '_' && i < sizeof(ends) / sizeof(*ends); i++)
		if (n > strlen(ends[i].end) && !strcmp(function + n - strlen(ends[i].end),
						       ends[i].end))
			return ends[i].id;
	return 0;
}

static bool calls_kernel(const struct insn *in)
{
	return in->raw.code == (BPF_JMP | BPF_CALL) && in->raw.src_reg != BPF_PSEUDO_CALL;
}

static FILE *open_symbols(struct object *o, uint64_t *base)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], name[128];
	unsigned long long at;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx %*c %127s", &at, name) == 2 &&
		    !strcmp(name, "__bpf_call_base") && at) {
			*base = at;
			rewind(f);
			return f;
		}
	if (f)
		fclose(f);
	object_refuse(o,
		      "the kernel hides its addresses (kernel.kptr_restrict): no call has a name");
	return NULL;
}

/* Of functions at one address the one that is a helper. */
static void name_call(struct insn *in, const char *name)
{
	int32_t id = in->raw.src_reg == BPF_PSEUDO_KFUNC_CALL ? 0 : helper_behind(name);

	if (id) {
		in->link = LINK_NONE;
		in->addend = id;
	} else if (in->link == LINK_EXTERN && !in->addend && !*in->name) {
		in->name = strdup(name);
	}
}

/*
 * Names for all calls, by their distance from one function of the kernel. Until all are read
 * addend holds a helper's number.
 */
static int link_calls(struct object *o)
{
	char line[512], name[128], *end;
	uint32_t *call = calloc(o->n_insns + 1, sizeof(*call)), n = 0, i;
	unsigned long long at;
	uint64_t base;
	struct insn *in;
	FILE *f;

	for (i = 0; call && i < o->n_insns; i++) {
		in = &o->insns[i];
		if (!calls_kernel(in) || in->raw.imm == BPF_FUNC_tail_call)
			continue;
		in->link = LINK_EXTERN;
		in->name = "";
		call[n++] = i;
	}
	f = n ? open_symbols(o, &base) : NULL;
	if (!f) {
		free(call);
		return !call ? object_refuse(o, "out of memory") : n ? -1 : 0;
	}
	while (fgets(line, sizeof(line), f)) {
		at = strtoull(line, &end, 16);
		for (i = 0; i < n; i++)
			if (base + (int64_t)o->insns[call[i]].raw.imm == at &&
			    sscanf(end, " %*c %127s", name) == 1)
				name_call(&o->insns[call[i]], name);
	}
	fclose(f);
	for (i = 0; i < n; i++) {
		in = &o->insns[call[i]];
		if (in->addend)
			in->raw.imm = in->addend;
		else if (in->link == LINK_EXTERN && !strcmp(in->name, "__htab_map_lookup_elem") &&
			 restore_hash(o, call[i]))
			in->link = LINK_NONE;
		in->addend = 0;
	}
	free(call);
	return 0;
}

/* --- code ----------------------------------------------------------------------------- */

static void link_address(struct object *o, uint32_t i)
{
	struct insn *in = &o->insns[i];
	int map = -1;

	if (in->raw.src_reg == BPF_PSEUDO_MAP_FD || in->raw.src_reg == BPF_PSEUDO_MAP_VALUE)
		map = find_map(o, in->raw.imm);
	if (in->raw.src_reg == BPF_PSEUDO_MAP_FD && map >= 0 && !is_nested(&o->maps[map])) {
		in->link = LINK_MAP;
		in->target = map;
	} else if (in->raw.src_reg == BPF_PSEUDO_MAP_VALUE && map >= 0 && o->maps[map].data) {
		in->link = LINK_DATA;
		in->target = map;
		in->addend = in[1].raw.imm;
	} else if (in->raw.src_reg == BPF_PSEUDO_FUNC) {
		in->link = LINK_FUNCTION;
		in->target = i + 1 + in->raw.imm;
	} else if (in->raw.src_reg) {
		/* another map: an entry that nobody knows */
		in->link = LINK_PATCHED;
	}
}

static int link_code(struct object *o, bool compiled)
{
	struct insn *in;
	uint32_t i;

	for (i = 0; i < o->n_insns; i++) {
		in = &o->insns[i];
		if (in->raw.code == (BPF_LD | BPF_IMM | BPF_DW)) {
			if (i + 1 == o->n_insns)
				return object_refuse(o, "its last instruction is half a one");
			link_address(o, i++);
		} else if (in->raw.code == (BPF_JMP | BPF_CALL) &&
			   in->raw.src_reg == BPF_PSEUDO_CALL) {
			if (!compiled)
				return object_refuse(o, "the kernel interprets it "
							"(net.core.bpf_jit_enable), which hides "
							"where calls lead");
			in->link = LINK_FUNCTION;
			in->target = i + 1 + in->raw.off;
		}
	}
	return link_calls(o);
}

static void read_source(struct object *o, const struct bpf_line_info *info, uint32_t n)
{
	struct object_line *line;
	uint32_t i;

	o->lines = calloc(n + 1, sizeof(*o->lines));
	for (i = 0; i < n; i++) {
		const char *file = btf__str_by_offset(o->btf, info[i].file_name_off);
		const char *text = btf__str_by_offset(o->btf, info[i].line_off);

		line = &o->lines[o->n_lines++];
		line->insn = info[i].insn_off;
		line->line = BPF_LINE_INFO_LINE_NUM(info[i].line_col);
		line->file = file ? file : "";
		line->text = text ? text : "";
		line->text += strspn(line->text, " \t");
	}
}

/* The kernel itself keeps 15 letters of a program's name. */
static const char *full_name(const struct object *o, const struct bpf_func_info *first)
{
	const struct btf_type *t = o->btf ? btf__type_by_id(o->btf, first->type_id) : NULL;
	const char *name = t ? btf__name_by_offset(o->btf, t->name_off) : NULL;

	return name && !strncmp(name, o->program_name, strlen(o->program_name)) ? name :
										  o->program_name;
}

static int read_code(struct object *o, const struct bpf_prog_info *size)
{
	struct bpf_func_info first = { 0 };
	struct bpf_prog_info info = { 0 };
	struct bpf_line_info *lines = calloc(size->nr_line_info + 1, sizeof(*lines));
	struct bpf_insn *raw = calloc(1, size->xlated_prog_len + 8);
	uint32_t i;
	int ret = -1;

	info.xlated_prog_len = size->xlated_prog_len;
	info.xlated_prog_insns = (uintptr_t)raw;
	info.nr_func_info = size->nr_func_info ? 1 : 0;
	info.func_info_rec_size = sizeof(first);
	info.func_info = (uintptr_t)&first;
	info.nr_line_info = size->nr_line_info;
	info.line_info_rec_size = sizeof(*lines);
	info.line_info = (uintptr_t)lines;
	if (!raw || !lines || info_of(o->fd, &info, sizeof(info))) {
		object_refuse(o, "%s", strerror(errno));
		goto out;
	}
	if (!info.xlated_prog_insns || info.xlated_prog_len < sizeof(*raw) ||
	    info.xlated_prog_len > size->xlated_prog_len) {
		object_refuse(o, "the kernel does not show its instructions");
		goto out;
	}
	o->n_insns = info.xlated_prog_len / sizeof(*raw);
	o->insns = calloc(o->n_insns + 1, sizeof(*o->insns));
	for (i = 0; i < o->n_insns; i++)
		o->insns[i].raw = raw[i];
	if (info.btf_id) {
		o->btf = btf__load_from_kernel_by_id(info.btf_id);
		if (libbpf_get_error(o->btf))
			o->btf = NULL;
	}
	o->own_btf = o->btf;
	if (o->btf && info.nr_line_info <= size->nr_line_info)
		read_source(o, lines, info.nr_line_info);
	o->programs = calloc(1, sizeof(*o->programs));
	o->n_programs = 1;
	o->programs[0].name = full_name(o, &first);
	o->replaced = is_replaced(info.id);
	ret = link_code(o, info.jited_prog_len);
out:
	free(raw);
	free(lines);
	return ret;
}

int object_open_loaded(struct object *o, uint32_t id, char *why, size_t len)
{
	struct bpf_prog_info info = { 0 }, maps = { 0 };
	bool xdp;
	uint32_t *ids, i;
	int ret = 0;

	*o = (struct object){ .fd = -1, .loaded = true, .why = why, .why_len = len };
	libbpf_set_print(NULL);
	if (open_program(o, id, &info))
		return -1;
	xdp = info.type == BPF_PROG_TYPE_XDP;
	ids = calloc(info.nr_map_ids + 1, sizeof(*ids));
	maps.nr_map_ids = info.nr_map_ids;
	maps.map_ids = (uintptr_t)ids;
	if (info_of(o->fd, &maps, sizeof(maps)))
		ret = object_refuse(o, "%s", strerror(errno));
	for (i = 0; !ret && i < info.nr_map_ids; i++)
		ret = add_map(o, id, ids[i]);
	free(ids);
	snprintf(o->program_name, sizeof(o->program_name), "%.15s", info.name);
	if (ret || read_layout(o, xdp) || read_code(o, &info))
		return -1;
	o->programs[0].type = xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS;
	return 0;
}
