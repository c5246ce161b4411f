// SPDX-License-Identifier: GPL-2.0
/*
 * What a model answers, beside what the analysis has found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "llm.h"
#include "pack.h"
#include "utf8.h"

const char *const llm_field_names[LLM_FIELDS] = {
	"src_ip", "dst_ip", "src_port", "dst_port", "protocol",
};

const char *const llm_cost_names[FM_RANKS] = { "none", "low", "medium", "high" };

static int refuse(char *why, size_t len, const char *reason)
{
	snprintf(why, len, "%s", reason);
	return -1;
}

/* --- what the analysis allows ---------------------------------------------------- */

static bool is_whole(const struct fm_slice *s)
{
	unsigned int i;

	for (i = 0; i < s->size; i++)
		if (s->mask[i] != 0xff)
			return false;
	return true;
}

/* The fields that a key tells in full. */
static unsigned int fields_of(const struct fm_key *key)
{
	static const signed char field[FM_FIELDS] = {
		[FM_SRC_ADDR4] = 1 + LLM_SRC_IP,	[FM_SRC_ADDR6] = 1 + LLM_SRC_IP,
		[FM_DST_ADDR4] = 1 + LLM_DST_IP,	[FM_DST_ADDR6] = 1 + LLM_DST_IP,
		[FM_SRC_PORT] = 1 + LLM_SRC_PORT,	[FM_DST_PORT] = 1 + LLM_DST_PORT,
		[FM_PROTOCOL] = 1 + LLM_PROTOCOL,
	};
	unsigned int i, set = 0;

	for (i = 0; i < key->n_parts; i++) {
		const struct fm_part *p = &key->parts[i];

		if (p->kind == FM_PART_FIELD && field[p->slices->field] && is_whole(p->slices))
			set |= 1u << (field[p->slices->field] - 1);
	}
	return set;
}

/* The fields that all keys of what is written tell; none if something is shared. */
static unsigned int allowed(const struct fm_function *f)
{
	unsigned int set = (1u << LLM_FIELDS) - 1, m, k;
	bool some = false;

	if (!f->complete || f->class > FM_PACKET_KEY)
		return 0;
	for (m = 0; m < f->n_maps; m++) {
		if (!f->maps[m].written || f->maps[m].class == FM_NOT_STATE)
			continue;
		for (k = 0; k < f->maps[m].n_keys; k++) {
			set &= fields_of(&f->maps[m].keys[k]);
			some = true;
		}
	}
	return some ? set : 0;
}

static bool writes(const struct fm_function *f, bool *per_packet)
{
	unsigned int m;
	bool some = false;

	*per_packet = false;
	for (m = 0; m < f->n_maps; m++)
		if (f->maps[m].written && f->maps[m].class != FM_NOT_STATE) {
			some = true;
			*per_packet |= f->maps[m].per_packet;
		}
	return some;
}

/*
 * Against the analysis is more than it knows, and, as there is no use for an answer that is
 * wrong where the truth is known, less.
 */
static int judge(const struct llm_answer *a, const struct fm_function *f, char *why, size_t len)
{
	bool per_packet, written = writes(f, &per_packet);

	if (a->key & ~allowed(f))
		return refuse(why, len, f->class > FM_PACKET_KEY || !f->complete ?
			      "it gives a key to state that is shared" :
			      "it adds a field to the state's key");
	if (!a->stateful && written)
		return refuse(why, len, "it calls state that is written stateless");
	if (!a->stateful && !f->complete)
		return refuse(why, len, "it calls stateless what was not understood to the end");
	if (a->stateful && !written && f->complete)
		return refuse(why, len, "it finds state that is not written");
	if (a->stateful != (a->intensity >= 0))
		return refuse(why, len, "intensity and statefulness contradict each other");
	if (f->complete && written && (a->intensity == 1) != per_packet)
		return refuse(why, len, per_packet ?
			      "it calls writes of every packet writes of flows" :
			      "it calls writes of flows writes of every packet");
	return 0;
}

/* --- the answer -------------------------------------------------------------------- */

/* Text that a terminal may get: UTF-8 without control characters, not even those of Latin 1. */
static bool is_plain(const char *text)
{
	size_t n;

	for (; *text; text += n) {
		n = utf8_len(text);
		if (!n || (unsigned char)*text < ' ' || *text == 0x7f ||
		    ((unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0))
			return false;
		/* marks that turn the direction of what follows, U+200E to 202E and 2066 to 2069 */
		if (!strncmp(text, "\xe2\x80", 2) &&
		    (((unsigned char)text[2] >= 0x8b && (unsigned char)text[2] <= 0x8f) ||
		     ((unsigned char)text[2] >= 0xa8 && (unsigned char)text[2] <= 0xae)))
			return false;
		if (!strncmp(text, "\xe2\x81", 2) && (unsigned char)text[2] >= 0xa0)
			return false;
	}
	return true;
}

static int read_map(struct json_object *o, const struct fm_function *f, struct llm_answer *a,
		    char *why, size_t len)
{
	const char *name = json_object_get_string(json_object_object_get(o, "map"));
	struct json_object *text = json_object_object_get(o, "meaning");
	const char *meaning = json_object_get_string(text);
	const char *cost = json_object_get_string(json_object_object_get(o, "cost"));
	unsigned int m;

	for (m = 0; m < f->n_maps; m++)
		if (!strcmp(f->maps[m].name, name))
			break;
	if (m == f->n_maps)
		return refuse(why, len, "it names a map that the function does not have");
	if (a->cost[m])
		return refuse(why, len, "it names a map twice");
	if (json_object_get_string_len(text) > LLM_MEANING)
		return refuse(why, len, "the meaning of a map is too long");
	if (strlen(meaning) != (size_t)json_object_get_string_len(text) || !is_plain(meaning))
		return refuse(why, len, "the meaning of a map is no plain text");
	a->meaning[m] = strdup(meaning);
	for (a->cost[m] = 1; strcmp(llm_cost_names[a->cost[m]], cost);)
		a->cost[m]++;
	return 0;
}

static int read_key(struct json_object *list, unsigned int *set, char *why, size_t len)
{
	unsigned int i, bit;

	for (i = 0; list && i < json_object_array_length(list); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(list, i));

		for (bit = 0; strcmp(llm_field_names[bit], name);)
			bit++;
		if (*set >> bit & 1)
			return refuse(why, len, "it names a field twice");
		*set |= 1u << bit;
	}
	return 0;
}

static int read_answer(struct json_object *o, const struct fm_function *f, struct llm_answer *a,
		       char *why, size_t len)
{
	struct json_object *maps = json_object_object_get(o, "maps");
	struct json_object *intensity = json_object_object_get(o, "intensity");
	size_t i;

	a->stateful = !strcmp("stateful", json_object_get_string(
				      json_object_object_get(o, "statefulness")));
	a->intensity = !intensity ? -1 : !strcmp("per-packet", json_object_get_string(intensity));
	a->pointer = json_object_get_boolean(json_object_object_get(o, "pointer"));
	if (read_key(json_object_object_get(o, "key"), &a->key, why, len))
		return -1;
	for (i = 0; i < json_object_array_length(maps); i++)
		if (read_map(json_object_array_get_idx(maps, i), f, a, why, len))
			return -1;
	return judge(a, f, why, len);
}

int llm_answer_read(const char *text, size_t text_len, const struct fm_function *f,
		    struct llm_answer *a, char *why, size_t len)
{
	struct json_object *schema, *o;
	char reason[120];
	int ret;

	memset(a, 0, sizeof(*a));
	o = json_parse_strictly(text, text_len, reason, sizeof(reason));
	if (!o) {
		snprintf(why, len, "the answer is no JSON: %s",
			 is_plain(reason) ? reason : "broken");
		return -1;
	}
	schema = llm_schema();
	ret = llm_schema_check(schema, o, "answer", why, len);
	json_object_put(schema);
	if (!ret) {
		a->meaning = calloc(f->n_maps + 1, sizeof(*a->meaning));
		a->cost = calloc(f->n_maps + 1, sizeof(*a->cost));
		ret = a->meaning && a->cost ? read_answer(o, f, a, why, len) :
					      refuse(why, len, "out of memory");
	}
	json_object_put(o);
	if (ret)
		llm_answer_free(a, f);
	return ret;
}

void llm_answer_free(struct llm_answer *a, const struct fm_function *f)
{
	unsigned int m;

	for (m = 0; a->meaning && m < f->n_maps; m++)
		free(a->meaning[m]);
	free(a->meaning);
	free(a->cost);
	memset(a, 0, sizeof(*a));
}
