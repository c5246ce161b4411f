// SPDX-License-Identifier: GPL-2.0
/*
 * JSON text to objects. json-c takes the last of two equal keys without a word;
 * which of them was meant, nobody knows, so they are refused here.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include "kind.h"
#include "net.h"
#include "pack.h"

#define MAX_DEPTH	32
#define MAX_KEYS	64	/* of one object */

struct keys {
	bool object;
	bool expect;	/* the next string is a key */
	unsigned int n;
	struct {
		const char *at;
		size_t len;
	} key[MAX_KEYS];
};

/* "line 3, column 14", counted in bytes from 1 */
struct place {
	char text[40];
};

static struct place place_of(const char *text, const char *at)
{
	unsigned int line = 1;
	const char *start = text;
	struct place place;

	for (; text < at; text++)
		if (*text == '\n') {
			line++;
			start = text + 1;
		}
	snprintf(place.text, sizeof(place.text), "line %u, column %zu", line,
		 (size_t)(at - start) + 1);
	return place;
}

static int add_key(struct keys *k, const char *text, const char *at, size_t len,
		   struct reason *why)
{
	unsigned int i;

	if (memchr(at, '\\', len))
		return refuse(why, "%s: a key with a backslash", place_of(text, at).text);
	for (i = 0; i < k->n; i++)
		if (k->key[i].len == len && !memcmp(k->key[i].at, at, len))
			return refuse(why, "%s: the key \"%.*s\" is there twice",
				      place_of(text, at).text, len < 40 ? (int)len : 40, at);
	if (k->n == MAX_KEYS)
		return refuse(why, "%s: more than %d keys in one object",
			      place_of(text, at).text, MAX_KEYS);
	k->key[k->n].at = at;
	k->key[k->n++].len = len;
	return 0;
}

/* @text was parsed: its strings and brackets are in order. */
static int keys_once(const char *text, size_t len, struct reason *why)
{
	static struct keys stack[MAX_DEPTH + 1];
	const char *end = text + len, *p, *s;
	struct keys *k = stack;

	memset(k, 0, sizeof(*k));
	for (p = text; p < end; p++) {
		switch (*p) {
		case '{':
		case '[':
			if (k == stack + MAX_DEPTH)
				return refuse(why, "nested too deeply");
			k++;
			k->n = 0;
			k->object = *p == '{';
			k->expect = k->object;
			break;
		case '}':
		case ']':
			if (k > stack)
				k--;
			break;
		case ',':
			k->expect = k->object;
			break;
		case '"':
			for (s = ++p; p < end && *p != '"'; p++)
				p += *p == '\\';
			if (k->expect && add_key(k, text, s, p - s, why))
				return -1;
			k->expect = false;
			break;
		}
	}
	return 0;
}

struct json_object *json_parse_strictly(const char *text, size_t len, char *err, size_t errlen)
{
	struct reason why = { err, errlen };
	enum json_tokener_error code;
	struct json_tokener *tok;
	struct json_object *o;

	if (!len) {
		refuse(&why, "empty");
		return NULL;
	}
	if (kind_refuse(text, len, KIND_JSON, &why))
		return NULL;
	tok = json_tokener_new_ex(MAX_DEPTH);
	if (!tok) {
		refuse(&why, "out of memory");
		return NULL;
	}
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	if (memchr(text, 0, len)) {
		refuse(&why, "a zero byte is in the JSON text");
		json_tokener_free(tok);
		return NULL;
	}
	/* Some editors write a byte order mark; it says nothing in UTF-8. */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	/* the zero byte behind it is the end, for json-c, too */
	o = json_tokener_parse_ex(tok, text, len + 1);
	code = json_tokener_get_error(tok);
	if (code == json_tokener_continue) {
		refuse(&why, "the JSON text ends too early");
	} else if (code != json_tokener_success) {
		refuse(&why, "%s: %s",
		       place_of(text, text + json_tokener_get_parse_end(tok)).text,
		       json_tokener_error_desc(code));
	} else if (!o) {
		refuse(&why, "the model must be a JSON object");
	} else if (keys_once(text, len, &why)) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(tok);
	return o;
}
