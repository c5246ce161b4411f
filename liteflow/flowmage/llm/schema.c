// SPDX-License-Identifier: GPL-2.0
/*
 * The schema of an answer, and whether one follows it.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include "llm.h"
#include "llm-schema.h"

struct json_object *llm_schema(void)
{
	return json_tokener_parse(llm_schema_text);
}

static const char *type_of(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_object:
		return "object";
	case json_type_array:
		return "array";
	case json_type_string:
		return "string";
	case json_type_boolean:
		return "boolean";
	case json_type_null:
		return "null";
	default:
		return "number";
	}
}

/* A word, or one of a list. */
static bool has_type(struct json_object *type, const char *name)
{
	size_t i;

	if (json_object_is_type(type, json_type_string))
		return !strcmp(json_object_get_string(type), name);
	for (i = 0; i < json_object_array_length(type); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(type, i)), name))
			return true;
	return false;
}

static bool is_one_of(struct json_object *list, struct json_object *value)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++)
		if (json_object_equal(json_object_array_get_idx(list, i), value))
			return true;
	return false;
}

static int check_object(struct json_object *schema, struct json_object *value, const char *where,
			char *why, size_t len)
{
	struct json_object *properties = json_object_object_get(schema, "properties");
	struct json_object *required = json_object_object_get(schema, "required"), *inner;
	const char *name;
	char place[64];
	size_t i;

	for (i = 0; i < json_object_array_length(required); i++) {
		name = json_object_get_string(json_object_array_get_idx(required, i));
		if (!json_object_object_get_ex(value, name, NULL)) {
			snprintf(why, len, "%s: \"%s\" is missing", where, name);
			return -1;
		}
	}
	json_object_object_foreach(value, key, held) {
		if (!json_object_object_get_ex(properties, key, &inner)) {
			snprintf(why, len, "%s: it has more than the schema", where);
			return -1;
		}
		snprintf(place, sizeof(place), "%.40s.%.20s", where, key);
		if (llm_schema_check(inner, held, place, why, len))
			return -1;
	}
	return 0;
}

int llm_schema_check(struct json_object *schema, struct json_object *value, const char *where,
		     char *why, size_t len)
{
	struct json_object *rule;
	char place[64];
	size_t i;

	if (!has_type(json_object_object_get(schema, "type"), type_of(value))) {
		snprintf(why, len, "%s: a value of the type %s", where, type_of(value));
		return -1;
	}
	if (json_object_object_get_ex(schema, "enum", &rule) && !is_one_of(rule, value)) {
		snprintf(why, len, "%s: none of the words of the schema", where);
		return -1;
	}
	if (json_object_is_type(value, json_type_object))
		return check_object(schema, value, where, why, len);
	if (!json_object_is_type(value, json_type_array))
		return 0;
	rule = json_object_object_get(schema, "items");
	for (i = 0; i < json_object_array_length(value); i++) {
		snprintf(place, sizeof(place), "%.40s[%zu]", where, i);
		if (llm_schema_check(rule, json_object_array_get_idx(value, i), place, why, len))
			return -1;
	}
	return 0;
}
