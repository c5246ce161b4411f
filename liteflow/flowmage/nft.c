// SPDX-License-Identifier: GPL-2.0
/*
 * Rules of nftables: which of their sets, maps and meters are state, and what keys it.
 *
 * nft 1.0.6 leaves "dynamic" out of a set's flags, so whether a set is written follows from
 * the rules alone.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "flowmage.h"
#include "jsonfile.h"
#include "nft.h"
#include "pack.h"

#define MAX_RULES	(16u << 20)	/* bytes of what nft prints */

/**
 * struct ruleset - all tables
 * @items: what nft lists
 * @result: a function for each table
 * @fn: the one that is read
 * @explain: note the rules
 * @place: the rule that is read
 * @path: what is known of its packets
 * @tracked: the table uses connection tracking
 * @translated: it changes addresses of connections
 * @failed: no memory
 */
struct ruleset {
	struct json_object *items;
	struct fm_analysis *result;
	struct fm_function *fn;
	bool explain;
	char place[160];
	struct nft_path path;
	bool tracked;
	bool translated;
	bool failed;
};

static struct json_object *at(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &v);
	return v;
}

static void add_line(struct ruleset *rs, char ***lines, unsigned int *n, const char *line)
{
	char **more = realloc(*lines, (*n + 1) * sizeof(*more));

	if (more)
		*lines = more;
	if (!more || !(more[*n] = strdup(line)))
		rs->failed = true;
	else
		++*n;
}

static void not_known(struct ruleset *rs, const char *what)
{
	char line[300];

	rs->fn->complete = false;
	snprintf(line, sizeof(line), "%s: \"%.60s\" is not known", rs->place, what);
	add_line(rs, &rs->fn->reasons, &rs->fn->n_reasons, line);
}

static struct fm_map *get_map(struct ruleset *rs, const char *name, const char *type)
{
	struct fm_function *fn = rs->fn;
	struct fm_map *more;
	unsigned int i;

	for (i = 0; i < fn->n_maps; i++)
		if (!strcmp(fn->maps[i].name, name))
			return &fn->maps[i];
	more = realloc(fn->maps, (fn->n_maps + 1) * sizeof(*more));
	if (!more) {
		rs->failed = true;
		return NULL;
	}
	fn->maps = more;
	more += fn->n_maps;
	*more = (struct fm_map){ .name = strdup(name), .type = strdup(type) };
	if (!more->name || !more->type)
		rs->failed = true;
	fn->n_maps++;
	return more;
}

static void drop_key(struct fm_key *key)
{
	unsigned int i;

	for (i = 0; i < key->n_parts; i++) {
		free(key->parts[i].slices);
		free(key->parts[i].bytes);
	}
	free(key->parts);
}

/* Takes the key; keys that are equal in all but their sites are one. */
static void add_key(struct ruleset *rs, struct fm_map *map, struct fm_key *key, bool written,
		    bool per_packet)
{
	struct fm_key *more;
	unsigned int size = 0;

	if (key->n_parts)
		size = key->parts[key->n_parts - 1].at + key->parts[key->n_parts - 1].size;
	if (size > map->key_size)
		map->key_size = size;
	key->read = true;
	key->written = written;
	key->per_packet = per_packet;
	map->written |= written;
	map->per_packet |= per_packet;
	more = realloc(map->keys, (map->n_keys + 1) * sizeof(*more));
	if (!more) {
		drop_key(key);
		rs->failed = true;
		return;
	}
	map->keys = more;
	if (rs->explain)
		add_line(rs, &key->sites, &key->n_sites, rs->place);
	map->keys[map->n_keys++] = *key;
}

static void add_access(struct ruleset *rs, const char *name, const char *type,
		       struct json_object *expr, bool written, bool per_packet)
{
	struct fm_map *map = get_map(rs, name, type);
	struct fm_key key;

	if (!map || nft_key(expr, &rs->path, &key)) {
		rs->failed = true;
		return;
	}
	add_key(rs, map, &key, written, per_packet);
}

/* "@name" of the table that is read: its name in the list of maps. */
static const char *set_name(const struct ruleset *rs, const char *reference, char *name, size_t len)
{
	snprintf(name, len, "%s %s", rs->fn->name, reference + (*reference == '@'));
	return name;
}

static bool keeps_more(struct json_object *o)
{
	return at(o, "limit") || at(o, "quota") || at(o, "ct count") || at(o, "last");
}

/* Does a look-up change the element: a limit or a quota? (Counters are per CPU.) */
static bool is_limiting(const struct ruleset *rs, const char *reference)
{
	struct json_object *set, *list;
	size_t i, k;

	for (i = 0; i < json_object_array_length(rs->items); i++) {
		set = json_object_array_get_idx(rs->items, i);
		set = at(set, "set") ? at(set, "set") : at(set, "map");
		if (strcmp(json_text(set, "name"), reference + (*reference == '@')) ||
		    strncmp(rs->fn->name, json_text(set, "family"),
			    strlen(json_text(set, "family"))) ||
		    strcmp(strchr(rs->fn->name, ' ') + 1, json_text(set, "table")))
			continue;
		list = at(set, "stmt");
		for (k = 0; list && k < json_object_array_length(list); k++)
			if (keeps_more(json_object_array_get_idx(list, k)))
				return true;
		list = at(set, "elem");
		for (k = 0; list && k < json_object_array_length(list); k++)
			if (keeps_more(at(json_object_array_get_idx(list, k), "elem")))
				return true;
	}
	return false;
}

static void add_lookup(struct ruleset *rs, const char *reference, const char *type,
		       struct json_object *expr)
{
	bool limiting = is_limiting(rs, reference);
	char name[200];

	snprintf(name, sizeof(name), "%s %s", rs->fn->name, reference + 1);
	add_access(rs, name, type, expr, limiting, limiting);
}

/* State without a key: one for all packets of the rule, or of all rules that name it. */
static void add_constant(struct ruleset *rs, const char *what, struct json_object *value)
{
	const enum fm_field none[] = { FM_FIELDS };
	char name[200];
	struct fm_map *map;
	struct fm_key key;

	if (json_object_is_type(value, json_type_string))
		snprintf(name, sizeof(name), "%s %s", what, json_object_get_string(value));
	else
		snprintf(name, sizeof(name), "%s of %s", what, rs->place);
	map = get_map(rs, name, what);
	if (!map || nft_key_of(none, 0, &key)) {
		rs->failed = true;
		return;
	}
	map->class = FM_CONST_KEY;
	add_key(rs, map, &key, true, true);
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(word, *words))
			return true;
	return false;
}

/* A set that is updated: by every packet if that refreshes or counts something. */
static void read_set(struct ruleset *rs, struct json_object *o, const char *type)
{
	bool update = !strcmp(json_text(o, "op"), "update");
	struct json_object *stmt = at(o, "stmt");
	const char *reference = json_text(o, *type == 's' ? "set" : "map");
	char name[200];

	if (stmt && !json_object_is_type(stmt, json_type_null))
		update = true;
	add_access(rs, set_name(rs, reference, name, sizeof(name)), type,
		   at(o, "elem"), true, update);
}

static void read_meter(struct ruleset *rs, struct json_object *o)
{
	char name[200];

	add_access(rs, set_name(rs, json_text(o, "name"), name, sizeof(name)), "meter",
		   at(o, "key"),
		   true, true);
}

/* Look-ups of named sets, and anything of connection tracking, wherever it stands. */
static void read_expression(struct ruleset *rs, struct json_object *o)
{
	struct json_object *data, *key;
	size_t i;

	if (json_object_is_type(o, json_type_array))
		for (i = 0; i < json_object_array_length(o); i++)
			read_expression(rs, json_object_array_get_idx(o, i));
	if (!json_object_is_type(o, json_type_object))
		return;
	key = at(o, "key");
	data = at(o, "data");
	if (key && json_object_is_type(data, json_type_string) &&
	    *json_object_get_string(data) == '@')
		add_lookup(rs, json_object_get_string(data), "map", key);
	json_object_object_foreach(o, word, value) {
		rs->tracked |= !strcmp(word, "ct") || !strncmp(word, "ct ", 3);
		read_expression(rs, value);
	}
}

static void read_match(struct ruleset *rs, struct json_object *o)
{
	struct json_object *right = at(o, "right");

	if (json_object_is_type(right, json_type_string) && *json_object_get_string(right) == '@')
		add_lookup(rs, json_object_get_string(right), "set", at(o, "left"));
	nft_learn_match(o, &rs->path);
}

static void read_mangle(struct ruleset *rs, struct json_object *o)
{
	enum fm_field field = nft_field(at(o, "key"));
	struct fm_function *fn = rs->fn;
	struct fm_slice *more;

	if (field == FM_FIELDS) {
		fn->rewrites_unknown |= at(at(o, "key"), "payload") != NULL;
		return;
	}
	more = realloc(fn->rewrites, (fn->n_rewrites + 1) * sizeof(*more));
	if (!more) {
		rs->failed = true;
		return;
	}
	fn->rewrites = more;
	more += fn->n_rewrites++;
	*more = (struct fm_slice){ .field = field, .size = fm_field_size(field) };
	memset(more->mask, 0xff, more->size);
}

static void read_statement(struct ruleset *rs, const char *word, struct json_object *value)
{
	static const char *const nat[] = { "snat", "dnat", "masquerade", "redirect", NULL };
	static const char *const constant[] = { "limit", "quota", "ct count", "last", NULL };
	/* counters are per CPU in the kernel */
	static const char *const harmless[] = {
		"accept", "drop", "continue", "return", "jump", "goto", "reject", "log", "counter",
		"vmap", "comment", "notrack", "ct helper", "ct timeout", "ct expectation", "queue",
		"fwd", "dup", "tproxy", "secmark", NULL };

	read_expression(rs, value);
	rs->tracked |= !strncmp(word, "ct ", 3);
	if (!strcmp(word, "match"))
		read_match(rs, value);
	else if (!strcmp(word, "set") || !strcmp(word, "map"))
		read_set(rs, value, word);
	else if (!strcmp(word, "meter"))
		read_meter(rs, value);
	else if (!strcmp(word, "mangle"))
		read_mangle(rs, value);
	else if (is_one_of(word, constant))
		add_constant(rs, word, value);
	else if (is_one_of(word, nat))
		rs->translated = true;
	else if (!is_one_of(word, harmless))
		not_known(rs, word);
}

static void read_rule(struct ruleset *rs, struct json_object *rule, const struct nft_path *family)
{
	struct json_object *list = at(rule, "expr"), *stmt, *handle = at(rule, "handle");
	size_t i;

	snprintf(rs->place, sizeof(rs->place), "%s, chain %s, rule %lld", rs->fn->name,
		 json_text(rule, "chain"), handle ? (long long)json_object_get_int64(handle) : -1);
	rs->path = *family;
	if (!json_object_is_type(list, json_type_array)) {
		not_known(rs, "no expressions");
		return;
	}
	for (i = 0; i < json_object_array_length(list); i++) {
		stmt = json_object_array_get_idx(list, i);
		if (!json_object_is_type(stmt, json_type_object)) {
			not_known(rs, "a statement that is no object");
			continue;
		}
		json_object_object_foreach(stmt, word, value)
			read_statement(rs, word, value);
	}
}

/* Connections, as the kernel keeps them: one entry for both directions. */
static void add_connections(struct ruleset *rs, const struct nft_path *family)
{
	static const enum fm_field keys[2][2][5] = {
		{ { FM_SRC_ADDR4, FM_DST_ADDR4, FM_SRC_PORT, FM_DST_PORT, FM_PROTOCOL },
		  { FM_DST_ADDR4, FM_SRC_ADDR4, FM_DST_PORT, FM_SRC_PORT, FM_PROTOCOL } },
		{ { FM_SRC_ADDR6, FM_DST_ADDR6, FM_SRC_PORT, FM_DST_PORT, FM_PROTOCOL },
		  { FM_DST_ADDR6, FM_SRC_ADDR6, FM_DST_PORT, FM_SRC_PORT, FM_PROTOCOL } },
	};
	struct fm_map *map = get_map(rs, "conntrack", "conntrack");
	unsigned int six, k, ports;
	struct fm_key key;

	snprintf(rs->place, sizeof(rs->place), "%s", rs->fn->name);
	for (six = 0; map && six < 2; six++) {
		if (family->ethertype >= 0 && family->ethertype != (six ? 0x86dd : 0x0800))
			continue;
		for (k = 0; k < 2; k++)
			/* the same without ports, for what has none */
			for (ports = 0; ports < 2; ports++) {
				enum fm_field fields[5];

				memcpy(fields, keys[six][k], sizeof(fields));
				if (!ports)
					fields[2] = fields[3] = FM_FIELDS;
				if (nft_key_of(fields, 5, &key)) {
					rs->failed = true;
					return;
				}
				key.ethertype = six ? 0x86dd : 0x0800;
				if (!ports)
					key.protocol = six ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
				key.mirror = map->n_keys + (k ? -2 : 2);
				add_key(rs, map, &key, true, true);
			}
	}
	if (map && rs->translated) {
		map->class = FM_SHARED;
		add_line(rs, &map->reasons, &map->n_reasons,
			 "replies of translated connections come with other addresses");
	}
}

static bool has_field(const struct fm_key *key)
{
	unsigned int i;

	for (i = 0; i < key->n_parts; i++)
		if (key->parts[i].kind == FM_PART_FIELD)
			return true;
	return false;
}

static void classify(struct ruleset *rs, struct fm_map *map)
{
	unsigned int k;

	map->symmetric = !strcmp(map->type, "conntrack");
	if (map->class == FM_CONST_KEY) {
		add_line(rs, &map->reasons, &map->n_reasons,
			 "one for all packets that come to the rule");
		return;
	}
	if (map->class == FM_SHARED)
		return;
	map->class = map->written ? FM_PACKET_KEY : FM_READ_ONLY;
	for (k = 0; map->written && k < map->n_keys; k++) {
		if (has_field(&map->keys[k]))
			continue;
		map->class = FM_SHARED;
		add_line(rs, &map->reasons, &map->n_reasons, "a key of it has no field of the "
							     "packet");
		return;
	}
}

static bool is_of(struct json_object *o, const char *family, const char *table)
{
	return !strcmp(json_text(o, "family"), family) && !strcmp(json_text(o, "table"), table);
}

static void read_table(struct ruleset *rs, struct json_object *table, const char *source)
{
	const char *family = json_text(table, "family"), *name = json_text(table, "name");
	struct nft_path path = { .ethertype = !strcmp(family, "ip") ? 0x0800 :
					      !strcmp(family, "ip6") ? 0x86dd : -1,
					      .protocol = -1 };
	struct fm_function *more, *fn;
	struct json_object *rule;
	size_t i;

	more = realloc(rs->result->functions, (rs->result->n + 1) * sizeof(*more));
	if (!more) {
		rs->failed = true;
		return;
	}
	rs->result->functions = more;
	fn = &more[rs->result->n++];
	*fn = (struct fm_function){ .hook = strdup("nft"), .complete = true };
	rs->fn = fn;
	rs->tracked = false;
	rs->translated = false;
	if (asprintf(&fn->name, "%s %s", family, name) < 0 ||
	    asprintf(&fn->source, "nft:%s:%s %s", source, family, name) < 0 || !fn->hook) {
		rs->failed = true;
		return;
	}
	for (i = 0; i < json_object_array_length(rs->items) && !rs->failed; i++) {
		rule = at(json_object_array_get_idx(rs->items, i), "rule");
		if (rule && is_of(rule, family, name))
			read_rule(rs, rule, &path);
		if (at(json_object_array_get_idx(rs->items, i), "flowtable"))
			rs->tracked = true;
	}
	if (!rs->failed && (rs->tracked || rs->translated))
		add_connections(rs, &path);
	for (i = 0; i < fn->n_maps && !rs->failed; i++)
		classify(rs, &fn->maps[i]);
	fn->class = FM_STATELESS;
	for (i = 0; i < fn->n_maps && !rs->failed; i++)
		if (fn->maps[i].class > fn->class)
			fn->class = fn->maps[i].class;
}

static int read_ruleset(struct ruleset *rs, struct json_object *o, const char *source, char *why,
			size_t len)
{
	struct json_object *table;
	size_t i;

	rs->items = at(o, "nftables");
	if (!json_object_is_type(rs->items, json_type_array)) {
		snprintf(why, len, "%s: no list \"nftables\": is it of nft -j list ruleset?",
			 source);
		return -1;
	}
	for (i = 0; i < json_object_array_length(rs->items) && !rs->failed; i++) {
		table = at(json_object_array_get_idx(rs->items, i), "table");
		if (table)
			read_table(rs, table, source);
	}
	if (rs->failed)
		snprintf(why, len, "%s: out of memory", source);
	else if (!rs->result->n)
		snprintf(why, len, "%s: no table in it", source);
	return rs->failed || !rs->result->n ? -1 : 0;
}

/* What nft prints, to be freed; NULL: the reason is in @why. */
static char *list_live(size_t *n, char *why, size_t len)
{
	char *all = malloc(MAX_RULES + 1);
	FILE *f = all ? popen("nft -j list ruleset", "re") : NULL;
	int status;

	if (!f) {
		snprintf(why, len, "nft -j list ruleset: %s",
			 all ? "it does not start" : "out of memory");
		free(all);
		return NULL;
	}
	*n = fread(all, 1, MAX_RULES, f);
	all[*n] = 0;
	status = pclose(f);
	if (!status)
		return all;
	snprintf(why, len, "nft -j list ruleset: it ended with status %d", status >> 8);
	free(all);
	return NULL;
}

int fm_analyse_nft(const char *spec, bool explain, struct fm_analysis *result, char *why,
		   size_t len)
{
	struct ruleset rs = { .result = result, .explain = explain };
	struct json_object *o = NULL;
	char reason[200];
	char *all;
	size_t n;
	int ret;

	memset(result, 0, sizeof(*result));
	if (!strcmp(spec, "live")) {
		all = list_live(&n, why, len);
		if (!all)
			return -1;
		o = json_parse_strictly(all, n, reason, sizeof(reason));
		free(all);
		if (!o)
			snprintf(why, len, "nft -j list ruleset: %s", reason);
	} else {
		/* this complains itself */
		o = json_read(spec);
		if (!o)
			why[0] = 0;
	}
	if (!o)
		return -1;
	ret = read_ruleset(&rs, o, spec, why, len);
	json_object_put(o);
	if (ret)
		fm_analysis_free(result);
	return ret;
}
