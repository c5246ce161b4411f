/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON files, and values of them with complaints that say where.
 */
#ifndef _FLOWMAGE_JSONFILE_H
#define _FLOWMAGE_JSONFILE_H

#include <stdbool.h>
#include <json-c/json.h>

#define JSON_MAX_FILE	(64u << 20)
#define SHA256_HEX	65

/* What a file holds, or the object that it holds; NULL: complained. */
struct json_object *json_read_any(const char *path);
struct json_object *json_read(const char *path);

/* The value at @key, of that type; NULL in *@value if it is absent and need not be there. */
int json_get(const char *where, struct json_object *o, const char *key, enum json_type type,
	     bool needed, struct json_object **value);

/* The text at @key; "" if there is none, or @o is no object. */
const char *json_text(struct json_object *o, const char *key);

/* A whole number that must be there. */
int json_get_count(const char *where, struct json_object *o, const char *key, unsigned int min,
		   unsigned int max, unsigned int *value);

/* SHA-256 of some bytes, and of a file's: 0, or complained. */
void digest_bytes(const void *data, size_t len, char hex[SHA256_HEX]);
int digest_file(const char *path, char hex[SHA256_HEX]);

#endif /* _FLOWMAGE_JSONFILE_H */
