// SPDX-License-Identifier: GPL-2.0
/*
 * Devices and their settings as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "device.h"
#include "devquery.h"
#include "flowmage.h"
#include "jsonfile.h"

const char *const flow_type_names[FLOW_TYPES] = {
	"tcp4", "udp4", "sctp4", "ip4", "tcp6", "udp6", "sctp6", "ip6",
};

const char *const hash_xfrm_names[XFRM_NAMES] = {
	"none", "symmetric-xor", "symmetric-or-xor", "unknown",
};

static const char letters[HASH_FIELDS + 1] = "sdfn";

const char *device_fields_text(uint8_t fields)
{
	static char text[4][HASH_FIELDS + 1];
	static unsigned int turn;
	char *to = text[turn++ % 4], *at = to;
	unsigned int i;

	for (i = 0; i < HASH_FIELDS; i++)
		if (fields & 1 << i)
			*at++ = letters[i];
	*at = 0;
	return *to ? to : "-";
}

int device_fields_parse(const char *text)
{
	const char *at;
	int fields = 0;

	if (!strcmp(text, "-"))
		return 0;
	for (; *text; text++) {
		at = strchr(letters, *text);
		if (!at || fields & 1 << (at - letters))
			return -1;
		fields |= 1 << (at - letters);
	}
	return fields ? fields : -1;
}

unsigned int device_index_bits(const struct device *dev)
{
	unsigned int n = dev->table_len;

	return n && !(n & (n - 1)) ? (unsigned int)__builtin_ctz(n) : 0;
}

void device_free(struct device *dev)
{
	free(dev->file);
	memset(dev, 0, sizeof(*dev));
}

/* --- from JSON --------------------------------------------------------------- */

/* Sets of fields, "tcp4" and so on; @set is called for each. */
static int parse_fields(const char *where, struct json_object *o, uint8_t *fields)
{
	unsigned int t;
	const char *text;
	int set;

	json_object_object_foreach(o, name, value) {
		for (t = 0; t < FLOW_TYPES; t++)
			if (!strcmp(name, flow_type_names[t]))
				break;
		if (t == FLOW_TYPES)
			return complain("%s: fields: no flow type \"%.20s\"", where, name);
		text = json_object_is_type(value, json_type_string) ?
			json_object_get_string(value) : "";
		set = device_fields_parse(text);
		if (set < 0)
			return complain("%s: fields.%s is \"%.20s\": letters of sdfn, or -", where,
					name, text);
		fields[t] = set;
	}
	return 0;
}

static int parse_key(const char *where, const char *hex, unsigned int len, uint8_t *key)
{
	unsigned int n = 0, byte;
	const char *at;

	for (at = hex; *at; at += 2) {
		if (at > hex && *at == ':')
			at++;
		if (strspn(at, "0123456789abcdefABCDEF") < 2 || sscanf(at, "%2x", &byte) != 1)
			return complain("%s: key: no hex digits at \"%.8s\"", where, at);
		if (n < len)
			key[n] = byte;
		n++;
	}
	if (n != len)
		return complain("%s: the key has %u bytes, the device takes %u", where, n, len);
	return 0;
}

static int parse_table(const char *where, struct json_object *o, const struct device *dev,
		       uint32_t *table)
{
	size_t n = json_object_array_length(o), i;
	struct json_object *entry;
	int64_t queue;

	if (n != dev->table_len)
		return complain("%s: the table has %zu entries, the device takes %u", where, n,
				dev->table_len);
	for (i = 0; i < n; i++) {
		entry = json_object_array_get_idx(o, i);
		queue = json_object_is_type(entry, json_type_int) ?
			json_object_get_int64(entry) : -1;
		if (queue < 0 || queue >= dev->queues)
			return complain("%s: table[%zu] is %.20s: queues are 0 to %u", where, i,
					json_object_to_json_string(entry), dev->queues - 1);
		table[i] = queue;
	}
	return 0;
}

static int parse_xfrm(const char *where, const char *name)
{
	int i;

	for (i = 0; i < XFRM_UNKNOWN; i++)
		if (!strcmp(name, hash_xfrm_names[i]))
			return i;
	complain("%s: no transform \"%.30s\": none, symmetric-xor or symmetric-or-xor", where,
		 name);
	return -1;
}

int rss_parse(const char *where, struct json_object *o, const struct device *dev, struct rss *rss)
{
	struct json_object *value;
	int xfrm;

	if (json_get(where, o, "key", json_type_string, false, &value) ||
	    (value && parse_key(where, json_object_get_string(value), dev->key_len, rss->key)) ||
	    json_get(where, o, "table", json_type_array, false, &value) ||
	    (value && parse_table(where, value, dev, rss->table)) ||
	    json_get(where, o, "fields", json_type_object, false, &value) ||
	    (value && parse_fields(where, value, rss->fields)) ||
	    json_get(where, o, "xfrm", json_type_string, false, &value))
		return EXIT_OTHER;
	if (!value)
		return 0;
	xfrm = parse_xfrm(where, json_object_get_string(value));
	if (xfrm < 0)
		return EXIT_OTHER;
	rss->xfrm = xfrm;
	return 0;
}

static int parse_sets(const char *where, struct json_object *o, struct device *dev)
{
	struct json_object *list;
	unsigned int t;
	size_t i, n;
	int set;

	for (t = 0; t < FLOW_TYPES; t++) {
		list = json_object_is_type(o, json_type_object) ?
			json_object_object_get(o, flow_type_names[t]) : o;
		if (!list)
			continue;
		if (!json_object_is_type(list, json_type_array))
			return complain("%s: sets.%s must be a list", where, flow_type_names[t]);
		n = json_object_array_length(list);
		if (n > DEVICE_MAX_SETS)
			return complain("%s: sets.%s: more than %d", where, flow_type_names[t],
					DEVICE_MAX_SETS);
		for (i = 0; i < n; i++) {
			set = device_fields_parse(json_object_get_string(
							  json_object_array_get_idx(list, i)));
			if (set < 0)
				return complain("%s: sets.%s[%zu]: letters of sdfn, or -", where,
						flow_type_names[t], i);
			dev->sets[t][i] = set;
		}
		dev->n_sets[t] = n;
	}
	return 0;
}

static int parse_xfrms(const char *where, struct json_object *o, struct device *dev)
{
	struct json_object *name;
	size_t i;
	int xfrm;

	for (i = 0; i < json_object_array_length(o); i++) {
		name = json_object_array_get_idx(o, i);
		xfrm = parse_xfrm(where, name ? json_object_get_string(name) : "null");
		if (xfrm < 0)
			return EXIT_OTHER;
		dev->xfrms |= 1u << xfrm;
	}
	return 0;
}

static void set_defaults(struct device *dev)
{
	unsigned int t, i;

	for (t = 0; t < FLOW_TYPES; t++)
		dev->now.fields[t] = t == FLOW_TCP4 || t == FLOW_UDP4 || t == FLOW_TCP6 ||
				     t == FLOW_UDP6 ? HASH_ALL : HASH_ADDRESSES;
	for (i = 0; i < dev->table_len; i++)
		dev->now.table[i] = i % dev->queues;
}

static int from_json(struct device *dev, const char *where, struct json_object *o)
{
	struct json_object *value;
	int64_t contexts = 0;

	if (json_get_count(where, o, "queues", 1, DEVICE_MAX_QUEUES, &dev->queues) ||
	    json_get_count(where, o, "key_len", 8, DEVICE_MAX_KEY, &dev->key_len) ||
	    json_get_count(where, o, "table_len", 1, DEVICE_MAX_TABLE, &dev->table_len) ||
	    json_get(where, o, "driver", json_type_string, false, &value))
		return EXIT_OTHER;
	if (value)
		snprintf(dev->driver, sizeof(dev->driver), "%s", json_object_get_string(value));
	set_defaults(dev);
	if (json_get(where, o, "hash", json_type_string, false, &value))
		return EXIT_OTHER;
	dev->toeplitz = !value || !strcmp(json_object_get_string(value), "toeplitz");
	dev->fields_known = true;
	if (json_get(where, o, "contexts", json_type_int, false, &value))
		return EXIT_OTHER;
	if (value)
		contexts = json_object_get_int64(value);
	if (contexts < 0 || contexts > 1024)
		return complain("%s: contexts is %lld: a number from 0 to 1024", where,
				(long long)contexts);
	dev->contexts = contexts;
	value = json_object_object_get(o, "sets");
	if (value && parse_sets(where, value, dev))
		return EXIT_OTHER;
	if (json_get(where, o, "xfrms", json_type_array, false, &value) ||
	    (value && parse_xfrms(where, value, dev)))
		return EXIT_OTHER;
	return rss_parse(where, o, dev, &dev->now);
}

int device_load(struct device *dev, const char *name, const char *file)
{
	struct json_object *o;
	int ret;

	memset(dev, 0, sizeof(*dev));
	if (!*name || strlen(name) >= IFNAMSIZ)
		return complain("device \"%.20s\": a name has 1 to %d letters", name, IFNAMSIZ - 1);
	strcpy(dev->name, name);
	if (!file)
		return device_query(dev);
	dev->file = strdup(file);
	o = json_read(file);
	if (!o)
		return EXIT_OTHER;
	ret = from_json(dev, file, o);
	json_object_put(o);
	return ret;
}

/* --- to JSON ----------------------------------------------------------------- */

struct json_object *rss_json(const struct device *dev, const struct rss *rss)
{
	struct json_object *o = json_object_new_object(), *part;
	char hex[2 * DEVICE_MAX_KEY + 1];
	unsigned int i;

	to_hex(rss->key, dev->key_len, hex);
	json_object_object_add(o, "key", json_object_new_string(hex));
	part = json_object_new_array_ext(dev->table_len);
	for (i = 0; i < dev->table_len; i++)
		json_object_array_add(part, json_object_new_int(rss->table[i]));
	json_object_object_add(o, "table", part);
	part = json_object_new_object();
	for (i = 0; i < FLOW_TYPES; i++)
		json_object_object_add(part, flow_type_names[i],
				       json_object_new_string(device_fields_text(rss->fields[i])));
	json_object_object_add(o, "fields", part);
	json_object_object_add(o, "xfrm", json_object_new_string(hash_xfrm_names[rss->xfrm]));
	return o;
}

struct json_object *device_json(const struct device *dev)
{
	struct json_object *o = rss_json(dev, &dev->now), *sets = json_object_new_object(), *list;
	unsigned int t, i;

	json_object_object_add(o, "driver", json_object_new_string(dev->driver));
	json_object_object_add(o, "queues", json_object_new_int(dev->queues));
	json_object_object_add(o, "key_len", json_object_new_int(dev->key_len));
	json_object_object_add(o, "table_len", json_object_new_int(dev->table_len));
	json_object_object_add(o, "hash",
			       json_object_new_string(dev->toeplitz ? "toeplitz" : "other"));
	for (t = 0; t < FLOW_TYPES; t++) {
		list = json_object_new_array();
		for (i = 0; i < dev->n_sets[t]; i++)
			json_object_array_add(list, json_object_new_string(
						device_fields_text(dev->sets[t][i])));
		json_object_object_add(sets, flow_type_names[t], list);
	}
	json_object_object_add(o, "sets", sets);
	list = json_object_new_array();
	for (i = 0; i < XFRM_UNKNOWN; i++)
		if (dev->xfrms >> i & 1)
			json_object_array_add(list, json_object_new_string(hash_xfrm_names[i]));
	json_object_object_add(o, "xfrms", list);
	json_object_object_add(o, "contexts", json_object_new_int(dev->contexts));
	return o;
}

bool rss_equal(const struct device *dev, const struct rss *a, const struct rss *b)
{
	return !memcmp(a->key, b->key, dev->key_len) &&
	       !memcmp(a->table, b->table, dev->table_len * sizeof(*a->table)) &&
	       (!dev->fields_known || !memcmp(a->fields, b->fields, sizeof(a->fields))) &&
	       a->xfrm == b->xfrm;
}
