// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <openssl/sha.h>
#include "flowmage.h"
#include "jsonfile.h"
#include "pack.h"

struct json_object *json_read_any(const char *path)
{
	struct json_object *o;
	char why[200];
	size_t len;
	char *text = read_file(path, JSON_MAX_FILE, &len);

	if (!text)
		return NULL;
	o = json_parse_strictly(text, len, why, sizeof(why));
	free(text);
	if (!o)
		complain("%s: %s", path, why);
	return o;
}

struct json_object *json_read(const char *path)
{
	struct json_object *o = json_read_any(path);

	if (!o || json_object_is_type(o, json_type_object))
		return o;
	complain("%s: it holds no JSON object", path);
	json_object_put(o);
	return NULL;
}

int json_get(const char *where, struct json_object *o, const char *key, enum json_type type,
	     bool needed, struct json_object **value)
{
	*value = NULL;
	if (!json_object_object_get_ex(o, key, value))
		return needed ? complain("%s: \"%s\" is missing", where, key) : 0;
	if (json_object_is_type(*value, type))
		return 0;
	return complain("%s: \"%s\" is %s, not %s", where, key,
			json_type_to_name(json_object_get_type(*value)), json_type_to_name(type));
}

const char *json_text(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, &v) &&
	       json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

int json_get_count(const char *where, struct json_object *o, const char *key, unsigned int min,
		   unsigned int max, unsigned int *value)
{
	struct json_object *v;
	int64_t n;

	if (json_get(where, o, key, json_type_int, true, &v))
		return EXIT_OTHER;
	n = json_object_get_int64(v);
	if (n < min || n > max)
		return complain("%s: \"%s\" is %lld: a number from %u to %u", where, key,
				(long long)n, min, max);
	*value = n;
	return 0;
}

void digest_bytes(const void *data, size_t len, char hex[SHA256_HEX])
{
	unsigned char sum[SHA256_DIGEST_LENGTH];

	SHA256(data, len, sum);
	to_hex(sum, sizeof(sum), hex);
}

int digest_file(const char *path, char hex[SHA256_HEX])
{
	size_t len;
	char *text = read_file(path, JSON_MAX_FILE, &len);

	if (!text)
		return EXIT_OTHER;
	digest_bytes(text, len, hex);
	free(text);
	return 0;
}
