// SPDX-License-Identifier: GPL-2.0
/*
 * Plans to JSON and back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "flowmage.h"
#include "jsonput.h"
#include "plan.h"

void plan_device_digest(const struct device *dev, char digest[SHA256_HEX])
{
	struct json_object *o = device_json(dev);
	const char *text;

	json_object_object_del(o, "key");
	json_object_object_del(o, "table");
	json_object_object_del(o, "fields");
	json_object_object_del(o, "xfrm");
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	digest_bytes(text, strlen(text), digest);
	json_object_put(o);
}

/* --- to JSON ------------------------------------------------------------------ */

static void solution_rss(const struct solution *s, const struct choice *c, unsigned int device,
			 struct rss *rss)
{
	memset(rss, 0, sizeof(*rss));
	memcpy(rss->key, c->key[device], sizeof(rss->key));
	memcpy(rss->table, c->table[device], sizeof(rss->table));
	memcpy(rss->fields, s->hashed[device], sizeof(rss->fields));
	rss->xfrm = s->xfrm[device];
}

static struct json_object *ranks_json(const struct steer *st, const struct choice *c,
				      unsigned int device)
{
	struct json_object *o = json_object_new_object();
	unsigned int class;

	for (class = 0; class < PKT_CLASSES; class++)
		if (st->demand[device] >> class & 1)
			json_put_number(o, packet_kinds[class].name, c->rank[device][class]);
	return o;
}

static struct json_object *device_plan(const struct steer *st, const struct solution *s,
				       unsigned int d)
{
	const struct device *dev = &st->devices[d];
	struct json_object *o = json_object_new_object(), *list, *context;
	char digest[SHA256_HEX];
	struct rss rss;

	json_put_text(o, "name", dev->name);
	if (dev->file)
		json_put_text(o, "file", dev->file);
	plan_device_digest(dev, digest);
	json_put_text(o, "digest", digest);
	json_put_text(o, "driver", dev->driver);
	json_put_number(o, "queues", dev->queues);
	json_put_number(o, "key_len", dev->key_len);
	json_put_number(o, "table_len", dev->table_len);
	if (s->way != WAY_CPUMAP && s->way != WAY_NONE) {
		solution_rss(s, &s->main, d, &rss);
		json_object_object_add(o, "set", rss_json(dev, &rss));
		json_object_object_add(o, "index_bits", ranks_json(st, &s->main, d));
	}
	if (s->way == WAY_CONTEXTS) {
		solution_rss(s, &s->ipv6, d, &rss);
		context = rss_json(dev, &rss);
		json_put_text(context, "flow", "ip6");
		list = json_object_new_array();
		json_object_array_add(list, context);
		json_object_object_add(o, "contexts", list);
	}
	return o;
}

/* Of what a plan rests on: a file, or a program that is loaded. */
static int digest_of(const char *path, char digest[SHA256_HEX])
{
	return plan_is_loaded(path) ? plan_loaded_digest(path, digest) : digest_file(path, digest);
}

/* What the kernel holds now, which no digest tells. */
static bool is_live(const char *path)
{
	return !strcmp(path, "nft:live");
}

static struct json_object *file_json(const char *path)
{
	struct json_object *o;
	char digest[SHA256_HEX];

	if (digest_of(path, digest))
		return NULL;
	o = json_object_new_object();
	json_put_text(o, "path", path);
	json_put_text(o, "digest", digest);
	return o;
}

char *plan_source_file(const char *source)
{
	const char *at = strchr(source, ':');
	char *path, *colon;

	if (!at || !strncmp(at, ":id:", 4))
		return NULL;
	path = strdup(at + 1);
	if (!path)
		return NULL;
	if (access(path, R_OK)) {
		colon = strrchr(path, ':');
		if (colon)
			*colon = 0;
	}
	if (!access(path, R_OK))
		return path;
	free(path);
	return NULL;
}

static struct json_object *files_json(const struct chain *chain)
{
	struct json_object *list = json_object_new_array(), *file;
	unsigned int i, k;
	char *paths[2];

	for (i = 0; i < chain->n_functions; i++) {
		paths[0] = strdup(chain->functions[i].path);
		paths[1] = plan_source_file(chain->functions[i].function.source);
		if (paths[0] && paths[1] && !strcmp(paths[0], paths[1])) {
			free(paths[1]);
			paths[1] = NULL;
		}
		for (k = 0; k < 2; k++) {
			if (paths[k] && is_live(paths[k])) {
				free(paths[k]);
				continue;
			}
			file = paths[k] ? file_json(paths[k]) : NULL;
			if (file) {
				json_object_array_add(list, file);
			} else if (paths[k]) {
				json_object_put(list);
				list = NULL;
			}
			free(paths[k]);
			if (!list)
				return NULL;
		}
	}
	return list;
}

static struct json_object *functions_json(const struct chain *chain)
{
	struct json_object *list = json_object_new_array(), *o;
	unsigned int i;

	for (i = 0; i < chain->n_functions; i++) {
		o = json_object_new_object();
		json_put_text(o, "name", chain->functions[i].function.name);
		json_put_text(o, "origin", chain->functions[i].origin);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *state_json(const struct steer *st, const struct solution *s)
{
	struct json_object *list = json_object_new_array(), *o;
	unsigned int i;

	for (i = 0; i < st->n_units; i++) {
		o = json_object_new_object();
		json_put_text(o, "name", st->units[i].name);
		json_put_text(o, "map", st->maps[st->units[i].map].name);
		json_put_text(o, "origin", st->maps[st->units[i].map].origin);
		json_put_text(o, "family", families_text(st->units[i].families));
		json_object_object_add(o, "private", json_object_new_boolean(s->on[i]));
		if (st->maps[st->units[i].map].keep)
			json_put_text(o, "keep", st->maps[st->units[i].map].keep);
		json_object_object_add(o, "per_packet",
				       json_object_new_boolean(st->units[i].per_packet));
		if (s->any_conflict)
			json_object_object_add(o, "in_conflict",
					       json_object_new_boolean(s->conflict[i]));
		json_object_array_add(list, o);
	}
	for (i = 0; i < st->n_maps; i++) {
		if (!st->maps[i].shared || !st->maps[i].state)
			continue;
		o = json_object_new_object();
		json_put_text(o, "map", st->maps[i].name);
		json_put_text(o, "origin", st->maps[i].origin);
		json_object_object_add(o, "private", json_object_new_boolean(false));
		json_put_text(o, "reason", st->maps[i].shared);
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *plan_json(const struct chain *chain, const struct steer *st,
			      const struct solution *s, const char *program)
{
	struct json_object *o, *list, *files = files_json(chain);
	unsigned int d;

	if (!files)
		return NULL;
	o = json_object_new_object();
	json_put_number(o, "flowmage_plan", PLAN_FORMAT);
	json_put_text(o, "way", way_names[s->way]);
	list = json_object_new_array();
	for (d = 0; d < st->n_devices; d++)
		json_object_array_add(list, device_plan(st, s, d));
	json_object_object_add(o, "devices", list);
	json_object_object_add(o, "files", files);
	json_object_object_add(o, "functions", functions_json(chain));
	json_object_object_add(o, "state", state_json(st, s));
	if (s->any_conflict)
		json_put_text(o, "obstacle", s->obstacle);
	if (s->way == WAY_CPUMAP && program)
		json_put_text(o, "program", program);
	if (s->way != WAY_CPUMAP && s->way != WAY_NONE)
		json_object_object_add(o, "fullest", json_object_new_double(s->main.fullest));
	return o;
}

/* --- back --------------------------------------------------------------------- */

static int read_context(const char *where, struct json_object *o, const struct device *dev,
			struct context *c)
{
	struct json_object *list, *one;

	if (json_get(where, o, "contexts", json_type_array, true, &list))
		return EXIT_OTHER;
	one = json_object_array_get_idx(list, 0);
	if (json_object_array_length(list) != 1 || strcmp(json_text(one, "flow"), "ip6"))
		return complain("%s: contexts: there is one, for the flow \"ip6\"", where);
	if (json_object_object_length(one) != 5)
		return complain("%s: contexts[0] needs key, table, fields, xfrm and flow", where);
	c->used = true;
	return rss_parse(where, one, dev, &c->rss);
}

static int read_device(const char *where, struct json_object *o, struct plan *plan)
{
	struct device *dev = &plan->devices[plan->n_devices];
	struct rss *set = &plan->set[plan->n_devices];
	struct json_object *v;

	if (json_get(where, o, "name", json_type_string, true, &v))
		return EXIT_OTHER;
	if (json_object_get_string_len(v) >= IFNAMSIZ)
		return complain("%s: a device's name has at most %d letters", where, IFNAMSIZ - 1);
	strcpy(dev->name, json_object_get_string(v));
	if (json_get(where, o, "file", json_type_string, false, &v))
		return EXIT_OTHER;
	dev->file = v ? strdup(json_object_get_string(v)) : NULL;
	plan->n_devices++;
	if (json_get(where, o, "digest", json_type_string, true, &v))
		return EXIT_OTHER;
	snprintf(plan->digest[plan->n_devices - 1], SHA256_HEX, "%s", json_object_get_string(v));
	if (json_get_count(where, o, "queues", 1, DEVICE_MAX_QUEUES, &dev->queues) ||
	    json_get_count(where, o, "key_len", 8, DEVICE_MAX_KEY, &dev->key_len) ||
	    json_get_count(where, o, "table_len", 1, DEVICE_MAX_TABLE, &dev->table_len))
		return EXIT_OTHER;
	if (plan->way == WAY_CPUMAP || plan->way == WAY_NONE)
		return 0;
	if (json_get(where, o, "set", json_type_object, true, &v))
		return EXIT_OTHER;
	if (json_object_object_length(v) != 4)
		return complain("%s: \"set\" needs key, table, fields and xfrm", where);
	if (rss_parse(where, v, dev, set))
		return EXIT_OTHER;
	return plan->way == WAY_CONTEXTS ?
	       read_context(where, o, dev, &plan->context[plan->n_devices - 1]) : 0;
}

static int read_files(const char *where, struct json_object *list, struct plan *plan)
{
	struct json_object *o, *path, *digest;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (!json_object_is_type(o, json_type_object) || plan->n_files == PLAN_FILES)
			return complain("%s: files[%zu] is no object, or one too many", where, i);
		if (json_get(where, o, "path", json_type_string, true, &path) ||
		    json_get(where, o, "digest", json_type_string, true, &digest))
			return EXIT_OTHER;
		plan->files[plan->n_files].path = strdup(json_object_get_string(path));
		snprintf(plan->files[plan->n_files++].digest, SHA256_HEX, "%s",
			 json_object_get_string(digest));
	}
	return 0;
}

static int read_plan(const char *path, struct json_object *o, struct plan *plan)
{
	struct json_object *v, *dev;
	unsigned int format;
	size_t i;

	if (json_get_count(path, o, "flowmage_plan", PLAN_FORMAT, PLAN_FORMAT, &format) ||
	    json_get(path, o, "way", json_type_string, true, &v))
		return EXIT_OTHER;
	for (plan->way = 0; plan->way < WAYS; plan->way++)
		if (!strcmp(json_object_get_string(v), way_names[plan->way]))
			break;
	if (plan->way == WAYS)
		return complain("%s: no way \"%.20s\"", path, json_object_get_string(v));
	if (json_get(path, o, "devices", json_type_array, true, &v))
		return EXIT_OTHER;
	if (json_object_array_length(v) > STEER_DEVICES)
		return complain("%s: more than %d devices", path, STEER_DEVICES);
	for (i = 0; i < json_object_array_length(v); i++) {
		dev = json_object_array_get_idx(v, i);
		if (!json_object_is_type(dev, json_type_object))
			return complain("%s: devices[%zu] is no object", path, i);
		if (read_device(path, dev, plan))
			return EXIT_OTHER;
	}
	if (json_get(path, o, "files", json_type_array, true, &v))
		return EXIT_OTHER;
	return read_files(path, v, plan);
}

int plan_read(const char *path, struct plan *plan)
{
	struct json_object *o = json_read(path);
	int ret;

	memset(plan, 0, sizeof(*plan));
	if (!o)
		return EXIT_OTHER;
	ret = read_plan(path, o, plan);
	json_object_put(o);
	return ret;
}

int plan_check_files(const char *path, const struct plan *plan)
{
	char digest[SHA256_HEX];
	unsigned int i;

	for (i = 0; i < plan->n_files; i++) {
		if (digest_of(plan->files[i].path, digest))
			return EXIT_OTHER;
		if (strcmp(digest, plan->files[i].digest))
			return complain("%s: it has changed since %s was made: solve again",
					plan->files[i].path, path);
	}
	return 0;
}

void plan_free(struct plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->n_devices; i++)
		device_free(&plan->devices[i]);
	for (i = 0; i < plan->n_files; i++)
		free(plan->files[i].path);
	memset(plan, 0, sizeof(*plan));
}
