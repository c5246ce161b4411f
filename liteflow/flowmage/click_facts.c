// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of classes, from lines of text: see click_facts.h.
 */
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click_facts.h"
#include "flowmage.h"

#define BLANKS	" \t\r"

static const struct {
	const char *name;
	enum fm_field field;
} fields[] = {
	{ "src_ip", FM_SRC_ADDR4 },	{ "dst_ip", FM_DST_ADDR4 },
	{ "src_ip6", FM_SRC_ADDR6 },	{ "dst_ip6", FM_DST_ADDR6 },
	{ "src_port", FM_SRC_PORT },	{ "dst_port", FM_DST_PORT },
	{ "protocol", FM_PROTOCOL },	{ "vlan", FM_VLAN },
	{ "src_mac", FM_SRC_MAC },	{ "dst_mac", FM_DST_MAC },
	{ "ethertype", FM_ETHERTYPE },
};

enum fm_field click_field(const char *word, size_t n)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == n && !memcmp(fields[i].name, word, n))
			return fields[i].field;
	return FM_FIELDS;
}

const char *click_field_name(enum fm_field field)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].field == field)
			return fields[i].name;
	return NULL;
}

void *click_grow(void *list, unsigned int n, size_t size)
{
	list = realloc(list, (n + 1) * size);
	if (!list)
		err(EXIT_OTHER, "out of memory");
	memset((char *)list + n * size, 0, size);
	return list;
}

void click_add_line(char ***lines, unsigned int *n, const char *fmt, ...)
{
	char **more = click_grow(*lines, *n, sizeof(*more));
	va_list args;

	*lines = more;
	va_start(args, fmt);
	if (vasprintf(&more[*n], fmt, args) < 0)
		err(EXIT_OTHER, "out of memory");
	va_end(args);
	++*n;
}

static char *copy(const char *text)
{
	char *made = strdup(text);

	if (!made)
		err(EXIT_OTHER, "out of memory");
	return made;
}

struct click_state *click_facts_add(struct click_facts *facts, const char *name)
{
	struct click_state *s;

	if (facts->n_states == CLICK_STATES) {
		s = &facts->states[CLICK_STATES - 1];
		s->key = CLICK_KEY_UNKNOWN;
		s->written = true;
		s->per_packet = true;
		return s;
	}
	s = &facts->states[facts->n_states++];
	*s = (struct click_state){ .name = copy(name) };
	return s;
}

static void free_lines(char **lines, unsigned int n)
{
	while (n)
		free(lines[--n]);
	free(lines);
}

static void free_state(struct click_state *s)
{
	free(s->name);
	free(s->reason);
	free_lines(s->sites, s->n_sites);
}

void click_facts_free(struct click_facts *facts)
{
	unsigned int i;

	for (i = 0; i < facts->n_states; i++)
		free_state(&facts->states[i]);
	free_state(&facts->manager);
	free_lines(facts->reasons, facts->n_reasons);
	free(facts->class_name);
	free(facts->from);
	memset(facts, 0, sizeof(*facts));
}

/* "src_ip.dst_ip" of @n bytes to fields; the first word that is none, or NULL. */
static const char *read_fields(const char *text, size_t n, struct click_state *s)
{
	enum fm_field field;
	size_t len;

	for (;;) {
		for (len = 0; len < n && text[len] != '.'; len++)
			;
		field = click_field(text, len);
		if (field == FM_FIELDS || s->n_fields == CLICK_KEY_FIELDS)
			return text;
		s->fields[s->n_fields++] = field;
		if (len == n)
			return NULL;
		text += len + 1;
		n -= len + 1;
	}
}

static bool is(const char *word, size_t n, const char *text)
{
	return strlen(text) == n && !memcmp(word, text, n);
}

static bool begins(const char *word, size_t n, const char *text)
{
	return n > strlen(text) && !memcmp(word, text, strlen(text));
}

/* key=...; NULL, or what is wrong in it */
static const char *read_key(struct click_facts *facts, const char *value, size_t n)
{
	static const struct {
		const char *word;
		enum click_key key;
		const char *name;
	} words[] = {
		{ "flow", CLICK_KEY_FLOW, "flow state" }, { "const", CLICK_KEY_CONST, "state" },
		{ "?", CLICK_KEY_UNKNOWN, "state" }, { "cpu", CLICK_KEY_CPU, "state per CPU" },
	};
	struct click_state *s;
	char name[40];
	size_t i;

	snprintf(name, sizeof(name), facts->n_states ? "table %u" : "table", facts->n_states + 1);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (is(value, n, words[i].word))
			break;
	s = click_facts_add(facts, i < ARRAY_SIZE(words) ? words[i].name : name);
	s->written = true;
	s->per_packet = true;
	if (i == ARRAY_SIZE(words))
		return read_fields(value, n, s);
	s->key = words[i].key;
	if (s->key == CLICK_KEY_UNKNOWN)
		s->reason = copy("its key is not known");
	return NULL;
}

static const char *read_rewrites(struct click_facts *facts, const char *value, size_t n)
{
	struct click_state s = { 0 };
	const char *wrong = NULL;
	unsigned int i;

	if (is(value, n, "?"))
		facts->rewrites_unknown = true;
	else
		wrong = read_fields(value, n, &s);
	for (i = 0; i < s.n_fields; i++)
		facts->rewrites |= 1u << s.fields[i];
	return wrong;
}

static const char *read_word(struct click_facts *facts, const char *w, size_t n)
{
	struct click_state *s = facts->n_states ? &facts->states[facts->n_states - 1] : NULL;

	if (begins(w, n, "key="))
		return read_key(facts, w + 4, n - 4);
	if (begins(w, n, "manager=")) {
		facts->is_manager = true;
		return read_fields(w + 8, n - 8, &facts->manager);
	}
	if (begins(w, n, "rewrites="))
		return read_rewrites(facts, w + 9, n - 9);
	if (is(w, n, "handoff"))
		facts->handoff = true;
	else if (is(w, n, "receiver"))
		facts->receiver = true;
	else if (is(w, n, "SHARED"))
		facts->shared_keyword = true;
	else if (is(w, n, "HASHFUNC"))
		facts->hash_keyword = true;
	else if (is(w, n, "stateless") && !s)
		return NULL;
	else if (!s)
		return w;
	else if (is(w, n, "flow"))
		s->per_packet = false;
	else if (is(w, n, "read"))
		s->written = s->per_packet = false;
	else if (is(w, n, "symmetric"))
		s->symmetric = true;
	else if (is(w, n, "pointer"))
		s->pointers = true;
	else if (!is(w, n, "packet"))
		return w;
	return NULL;
}

int click_facts_parse(struct click_facts *facts, const char *line, const char *from, char *why,
		      size_t len)
{
	const char *wrong;
	size_t n;

	memset(facts, 0, sizeof(*facts));
	line += strspn(line, BLANKS);
	n = strcspn(line, BLANKS "\n");
	facts->class_name = strndup(line, n);
	facts->from = copy(from);
	facts->known = true;
	for (line += n; *(line += strspn(line, BLANKS)) && *line != '\n'; line += n) {
		n = strcspn(line, BLANKS "\n");
		wrong = read_word(facts, line, n);
		if (!wrong)
			continue;
		snprintf(why, len, "%s: \"%.*s\" is no word that is known here", from,
			 (int)strcspn(wrong, BLANKS ".\n"), wrong);
		return -1;
	}
	return 0;
}

/* The line for a class in the user's file; every line is checked. */
static int look_in_file(struct click_known *known, const char *class_name,
			struct click_facts *facts, char *why, size_t len)
{
	struct click_facts one;
	unsigned int number = 0;
	const char *line, *end;
	char from[300];

	for (line = known->declared; *line; line = end + (*end == '\n')) {
		end = strchrnul(line, '\n');
		number++;
		line += strspn(line, BLANKS);
		if (*line == '#' || line >= end)
			continue;
		snprintf(from, sizeof(from), "%s:%u", known->declared_path, number);
		if (click_facts_parse(&one, line, from, why, len)) {
			click_facts_free(&one);
			return -1;
		}
		if (facts->known || strcmp(one.class_name, class_name)) {
			click_facts_free(&one);
			continue;
		}
		click_facts_free(facts);
		*facts = one;
	}
	return 0;
}

static int look_in_table(const char *class_name, struct click_facts *facts, char *why, size_t len)
{
	const char *const *line;
	size_t n = strlen(class_name);

	for (line = click_table; *line; line++) {
		if (strncmp(*line, class_name, n) || (*line)[n] != ' ')
			continue;
		click_facts_free(facts);
		return click_facts_parse(facts, *line, "the table", why, len);
	}
	return 0;
}

static int look_everywhere(struct click_known *known, const char *class_name,
			   struct click_facts *facts, char *why, size_t len)
{
	const char *path = getenv("CLICK_ELEMENTS"), *sources = getenv("FASTCLICK");
	const char *use_table = getenv("CLICK_TABLE");
	size_t n;

	if (path && *path && !known->declared) {
		known->declared = read_file(path, 1u << 20, &n);
		if (!known->declared) {
			why[0] = 0;
			return -1;
		}
		known->declared[n] = 0;
		known->declared_path = path;
	}
	if (known->declared && look_in_file(known, class_name, facts, why, len))
		return -1;
	if (!facts->known && sources && *sources &&
	    click_source_look_up(sources, class_name, facts, why, len))
		return -1;
	if ((!facts->known || facts->doubtful) && !(use_table && !strcmp(use_table, "no")))
		return look_in_table(class_name, facts, why, len);
	return 0;
}

struct click_facts *click_look_up(struct click_known *known, const char *class_name, char *why,
				  size_t len)
{
	struct click_facts *facts, **more;
	unsigned int i;

	for (i = 0; i < known->n; i++)
		if (!strcmp(known->facts[i]->class_name, class_name))
			return known->facts[i];
	facts = click_grow(NULL, 0, sizeof(*facts));
	more = click_grow(known->facts, known->n, sizeof(*more));
	known->facts = more;
	if (look_everywhere(known, class_name, facts, why, len)) {
		click_facts_free(facts);
		free(facts);
		return NULL;
	}
	if (!facts->class_name)
		facts->class_name = copy(class_name);
	known->facts[known->n++] = facts;
	return facts;
}

void click_known_free(struct click_known *known)
{
	unsigned int i;

	for (i = 0; i < known->n; i++) {
		click_facts_free(known->facts[i]);
		free(known->facts[i]);
	}
	free(known->facts);
	free(known->declared);
	memset(known, 0, sizeof(*known));
}
