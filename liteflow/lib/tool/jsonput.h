/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values into JSON objects, in a word each.
 */
#ifndef _LITEFLOW_JSONPUT_H
#define _LITEFLOW_JSONPUT_H

#include <stdint.h>
#include <json-c/json.h>

static inline void json_put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static inline void json_put_number(struct json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

#endif /* _LITEFLOW_JSONPUT_H */
