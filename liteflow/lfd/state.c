// SPDX-License-Identifier: GPL-2.0
/*
 * The state of an app, as JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "file.h"
#include "jsonput.h"
#include "pack.h"
#include "state.h"

#define MAX_FILE	(16 << 20)
#define FORMAT		"lfd-state"
#define VERSION		1

const char *const state_phase_names[] = { "idle", "installing", "trial", "returning", NULL };

/* -- digests ------------------------------------------------------------------ */

const char *digest_text(const uint8_t *digest, char text[DIGEST_TEXT])
{
	unsigned int i;

	for (i = 0; i < LF_DIGEST_LEN; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
	return text;
}

static int digest_parse(const char *text, uint8_t *digest)
{
	unsigned int i, byte;

	if (strlen(text) != 2 * LF_DIGEST_LEN ||
	    strspn(text, "0123456789abcdef") != 2 * LF_DIGEST_LEN)
		return -1;
	for (i = 0; i < LF_DIGEST_LEN; i++) {
		sscanf(text + 2 * i, "%2x", &byte);
		digest[i] = byte;
	}
	return 0;
}

static bool has(const struct state_digest *list, unsigned int n, const uint8_t *digest)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!memcmp(list[i].sum, digest, LF_DIGEST_LEN))
			return true;
	return false;
}

static void add(struct state_digest **list, unsigned int *n, const uint8_t *digest)
{
	if (has(*list, *n, digest))
		return;
	*list = realloc(*list, (*n + 1) * sizeof(**list));
	if (!*list)
		abort();
	memcpy((*list)[(*n)++].sum, digest, LF_DIGEST_LEN);
}

bool state_is_refused(const struct state *s, const uint8_t *digest)
{
	return has(s->refused, s->n_refused, digest);
}

bool state_is_source_refused(const struct state *s, const uint8_t *digest)
{
	return has(s->sources, s->n_sources, digest);
}

bool state_is_own(const struct state *s, const uint8_t *digest)
{
	return has(s->own, s->n_own, digest);
}

void state_refuse(struct state *s)
{
	add(&s->refused, &s->n_refused, s->trial.sum);
	add(&s->sources, &s->n_sources, s->source.sum);
}

void state_add_own(struct state *s, const uint8_t *digest)
{
	add(&s->own, &s->n_own, digest);
}

void state_prune_own(struct state *s, bool (*keep)(void *data, const uint8_t *digest), void *data)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->n_own; i++)
		if (keep(data, s->own[i].sum))
			s->own[n++] = s->own[i];
	s->n_own = n;
}

void state_free(struct state *s)
{
	free(s->refused);
	free(s->sources);
	free(s->own);
	memset(s, 0, sizeof(*s));
}

void state_boot_id(char id[BOOT_ID_LEN])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	memset(id, 0, BOOT_ID_LEN);
	if (f && fread(id, 1, BOOT_ID_LEN - 1, f) != BOOT_ID_LEN - 1)
		memset(id, 0, BOOT_ID_LEN);
	if (f)
		fclose(f);
}

/* -- reading ------------------------------------------------------------------ */

/* What is wrong is told by the key at which reading stopped. */
static bool get_uint(struct json_object *o, const char *key, uint64_t *value)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_int))
		return false;
	*value = json_object_get_uint64(v);
	return true;
}

static bool get_text(struct json_object *o, const char *key, char *text, size_t len)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string) &&
	       snprintf(text, len, "%s", json_object_get_string(v)) < (int)len;
}

static bool get_digests(struct json_object *o, const char *key, struct state_digest **list,
			unsigned int *n)
{
	struct json_object *v;
	uint8_t digest[LF_DIGEST_LEN];
	size_t i;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_array))
		return false;
	for (i = 0; i < json_object_array_length(v); i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(v, i));

		if (!text || digest_parse(text, digest))
			return false;
		add(list, n, digest);
	}
	return true;
}

static bool get_before(struct json_object *o, struct state *s)
{
	struct json_object *v;
	size_t i;

	if (!json_object_object_get_ex(o, "before", &v) ||
	    !json_object_is_type(v, json_type_array) ||
	    json_object_array_length(v) > WATCH_BLOCKS)
		return false;
	s->n_before = json_object_array_length(v);
	for (i = 0; i < s->n_before; i++) {
		s->before[i] = json_object_get_double(json_object_array_get_idx(v, i));
		if (!isfinite(s->before[i]))
			return false;
	}
	return true;
}

static bool get_phase(struct json_object *o, enum state_phase *phase)
{
	char text[32];
	unsigned int i;

	if (!get_text(o, "phase", text, sizeof(text)))
		return false;
	for (i = 0; state_phase_names[i]; i++)
		if (!strcmp(text, state_phase_names[i])) {
			*phase = i;
			return true;
		}
	return false;
}

static const char *read_state(struct state *s, struct json_object *o)
{
	char text[DIGEST_TEXT];
	uint64_t v;

	if (!get_text(o, "format", text, sizeof(text)) || strcmp(text, FORMAT))
		return "format";
	if (!get_uint(o, "version", &v) || v != VERSION)
		return "version";
	if (!get_text(o, "boot", s->boot_id, sizeof(s->boot_id)))
		return "boot";
	if (!get_phase(o, &s->phase))
		return "phase";
	if (!get_text(o, "trial", text, sizeof(text)) || digest_parse(text, s->trial.sum))
		return "trial";
	/* an older lfd did not know of them */
	if (json_object_object_get_ex(o, "source", NULL) &&
	    (!get_text(o, "source", text, sizeof(text)) || digest_parse(text, s->source.sum)))
		return "source";
	if (json_object_object_get_ex(o, "refused-sources", NULL) &&
	    !get_digests(o, "refused-sources", &s->sources, &s->n_sources))
		return "refused-sources";
	if (!get_text(o, "base", text, sizeof(text)) || digest_parse(text, s->base.sum))
		return "base";
	if (!get_uint(o, "base-version", &v) || v > UINT32_MAX)
		return "base-version";
	s->base_version = v;
	if (!get_uint(o, "hold-until-ns", &s->hold_until_ns))
		return "hold-until-ns";
	if (!get_before(o, s))
		return "before";
	if (!get_digests(o, "refused", &s->refused, &s->n_refused))
		return "refused";
	if (!get_digests(o, "own", &s->own, &s->n_own))
		return "own";
	if (!get_uint(o, "installs", &s->installs))
		return "installs";
	if (!get_uint(o, "rollbacks", &s->rollbacks))
		return "rollbacks";
	if (!get_text(o, "last-verdict", s->last_verdict, sizeof(s->last_verdict)))
		return "last-verdict";
	return NULL;
}

int state_load(struct state *s, int dir, char *why, size_t whylen)
{
	struct json_object *o;
	const char *bad;
	struct stat st;
	char err[128];
	size_t len;
	char *text;

	memset(s, 0, sizeof(*s));
	text = file_read(dir, STATE_FILE, O_NOFOLLOW, MAX_FILE, &st, &len, err, sizeof(err));
	if (!text && errno == ENOENT)
		return 0;
	o = text ? json_parse_strictly(text, len, err, sizeof(err)) : NULL;
	free(text);
	if (!o) {
		snprintf(why, whylen, "%s: %s", STATE_FILE, err);
		return -1;
	}
	bad = read_state(s, o);
	json_object_put(o);
	if (!bad)
		return 0;
	snprintf(why, whylen, "%s: %s is missing or wrong", STATE_FILE, bad);
	state_free(s);
	return -1;
}

/* -- writing ------------------------------------------------------------------ */

static void put_uint(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

static void put_digests(struct json_object *o, const char *key, const struct state_digest *list,
			unsigned int n)
{
	struct json_object *array = json_object_new_array();
	char text[DIGEST_TEXT];
	unsigned int i;

	for (i = 0; i < n; i++)
		json_object_array_add(array,
				      json_object_new_string(digest_text(list[i].sum, text)));
	json_object_object_add(o, key, array);
}

int state_save(const struct state *s, int dir)
{
	struct json_object *o = json_object_new_object(), *before = json_object_new_array();
	char digest[DIGEST_TEXT];
	const char *text;
	unsigned int i;
	int ret;

	json_put_text(o, "format", FORMAT);
	put_uint(o, "version", VERSION);
	json_put_text(o, "boot", s->boot_id);
	json_put_text(o, "phase", state_phase_names[s->phase]);
	json_put_text(o, "trial", digest_text(s->trial.sum, digest));
	json_put_text(o, "source", digest_text(s->source.sum, digest));
	json_put_text(o, "base", digest_text(s->base.sum, digest));
	put_uint(o, "base-version", s->base_version);
	put_uint(o, "hold-until-ns", s->hold_until_ns);
	for (i = 0; i < s->n_before; i++)
		json_object_array_add(before, json_object_new_double(s->before[i]));
	json_object_object_add(o, "before", before);
	put_digests(o, "refused", s->refused, s->n_refused);
	put_digests(o, "refused-sources", s->sources, s->n_sources);
	put_digests(o, "own", s->own, s->n_own);
	put_uint(o, "installs", s->installs);
	put_uint(o, "rollbacks", s->rollbacks);
	json_put_text(o, "last-verdict", s->last_verdict);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY);
	ret = file_replace(dir, STATE_FILE, text, strlen(text), 0600, true);
	json_object_put(o);
	return ret;
}
