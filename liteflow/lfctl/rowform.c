// SPDX-License-Identifier: GPL-2.0
/*
 * The forms that a row of inputs has in a text: numbers, CSV with a header and lines
 * of JSON, as lfctl collect writes them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "rowform.h"

/* Behind the number at *@at; -1 if it is none, or more than 32 bits. */
static int read_number(char **at, int32_t *value)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(*at, &end, 10);
	if (end == *at || errno || v < INT32_MIN || v > INT32_MAX || !strchr(" \t,", *end))
		return -1;
	*value = (int32_t)v;
	*at = end;
	return 0;
}

static int no_number(const char *text, struct reason *why)
{
	return refuse(why, "\"%.*s\" is no 32-bit number: rows hold the app's integers",
		      (int)strnlen(text, 20), text);
}

/* Numbers with blanks or commas between them; "#" begins a comment. */
static int read_numbers(const struct row_form *form, char *line, int32_t *row,
			struct reason *why)
{
	unsigned int n = 0;
	int32_t v;
	char *p;

	line[strcspn(line, "#")] = 0;
	for (p = line + strspn(line, " \t,"); *p; p += strspn(p, " \t,")) {
		if (read_number(&p, &v))
			return no_number(p, why);
		if (n == form->n_in)
			return refuse(why, "more than %u inputs", form->n_in);
		row[n++] = v;
	}
	if (!n)
		return 0;
	return n == form->n_in ? 1 : refuse(why, "%u inputs, not %u", n, form->n_in);
}

/* The next field of a CSV line, in place, without its quotes; NULL behind the last. */
static char *next_field(char **rest)
{
	char *from = *rest, *to, *field;

	if (!from)
		return NULL;
	if (*from != '"') {
		*rest = strchr(from, ',');
		if (*rest)
			*(*rest)++ = 0;
		return from;
	}
	field = to = ++from;
	while (*from && (*from != '"' || from[1] == '"')) {
		from += *from == '"';
		*to++ = *from++;
	}
	if (*from)
		from++;
	*rest = *from == ',' ? from + 1 : NULL;
	*to = 0;
	return field;
}

/* Names that nobody gave are in0, in1 and so on: see lfctl collect. */
static int input_of(const struct row_form *form, const char *name, bool numbered)
{
	char text[16];
	unsigned int i;

	for (i = 0; i < form->n_in; i++) {
		snprintf(text, sizeof(text), "in%u", i);
		if (!strcmp(name, numbered ? text : form->names[i]))
			return (int)i;
	}
	return ROW_OTHER;
}

static bool has_column(const struct row_form *form, unsigned int input)
{
	unsigned int i;

	for (i = 0; i < form->n_columns; i++)
		if (form->column[i] == (int)input)
			return true;
	return false;
}

/* Which column is which input; the number of inputs that are there, each once. */
static unsigned int map_columns(struct row_form *form, const char *header, bool numbered)
{
	char *copy = strdup(header), *rest = copy, *field;
	unsigned int found = 0;
	int input;

	form->n_columns = 0;
	while (copy && (field = next_field(&rest))) {
		input = strcmp(field, "kind") ? input_of(form, field, numbered) : ROW_KIND;
		if (input >= 0 && has_column(form, input))
			input = ROW_OTHER;
		form->column[form->n_columns++] = input;
		found += input >= 0;
	}
	free(copy);
	return found;
}

static int read_header(struct row_form *form, const char *line, struct reason *why)
{
	unsigned int i, commas = 0;
	const char *p;

	for (p = line; *p; p++)
		commas += *p == ',';
	form->column = calloc(commas + 1, sizeof(*form->column));
	if (!form->column)
		return refuse(why, "out of memory");
	if (map_columns(form, line, false) == form->n_in ||
	    map_columns(form, line, true) == form->n_in)
		return 0;
	map_columns(form, line, false);
	for (i = 0; i + 1 < form->n_in && has_column(form, i); i++)
		;
	return refuse(why, "no column \"%s\": each input needs one, by its name", form->names[i]);
}

/* A record that is no query, as a reward, is no row: its inputs are empty. */
static int read_fields(const struct row_form *form, char *line, int32_t *row,
		       struct reason *why)
{
	char *rest = line, *field, *at, *bad = NULL;
	unsigned int n;

	for (n = 0; (field = next_field(&rest)); n++) {
		if (n == form->n_columns)
			return refuse(why, "more than the header's %u columns", n);
		if (form->column[n] == ROW_KIND && strcmp(field, "query"))
			return 0;
		if (form->column[n] < 0)
			continue;
		at = field + strspn(field, " \t");
		if ((read_number(&at, &row[form->column[n]]) || at[strspn(at, " \t")]) && !bad)
			bad = field;
	}
	if (n != form->n_columns)
		return refuse(why, "%u columns, the header has %u", n, form->n_columns);
	return bad ? no_number(bad, why) : 1;
}

static int read_value(struct json_object *o, const char *name, int32_t *value,
		      struct reason *why)
{
	int64_t v = json_object_get_int64(o);

	if (!json_object_is_type(o, json_type_int) || v < INT32_MIN || v > INT32_MAX)
		return refuse(why, "\"%s\" is %.20s, which is no 32-bit number", name,
			      json_object_to_json_string(o));
	*value = (int32_t)v;
	return 0;
}

/* A record of lfctl collect --json, or an array of numbers. */
static int read_object(const struct row_form *form, struct json_object *o, int32_t *row,
		       struct reason *why)
{
	bool array = json_object_is_type(o, json_type_array);
	struct json_object *values = o, *v;
	char name[16];
	unsigned int i;

	if (array && json_object_array_length(o) != form->n_in)
		return refuse(why, "%zu inputs, not %u", json_object_array_length(o), form->n_in);
	if (!array && !json_object_object_get_ex(o, "inputs", &values))
		return json_object_object_get_ex(o, "reward", NULL) ? 0 :
			refuse(why, "no \"inputs\" in this object");
	for (i = 0; i < form->n_in; i++) {
		snprintf(name, sizeof(name), "in%u", i);
		if (array)
			v = json_object_array_get_idx(o, i);
		else if (!json_object_object_get_ex(values, form->names[i], &v) &&
			 !json_object_object_get_ex(values, name, &v))
			return refuse(why, "no input \"%s\"", form->names[i]);
		if (read_value(v, form->names[i], &row[i], why))
			return -1;
	}
	return 1;
}

static int read_json(const struct row_form *form, const char *line, int32_t *row,
		     struct reason *why)
{
	enum json_tokener_error err;
	struct json_object *o = json_tokener_parse_verbose(line, &err);
	int ret;

	if (!json_object_is_type(o, json_type_object) && !json_object_is_type(o, json_type_array))
		ret = refuse(why, "no JSON object of a row on a line of its own: %s",
			     json_tokener_error_desc(err));
	else
		ret = read_object(form, o, row, why);
	json_object_put(o);
	return ret;
}

/* "nan" and "inf" are no names of columns; the first one may have no name. */
static bool is_header(const struct row_form *form, const char *text)
{
	char *end;

	text += *text == ',';
	strtod(text, &end);
	if (end != text && strchr(" \t,", *end))
		return false;
	return *text == '"' || (isalpha(*text) && strchr(text, ',')) ||
	       !strcmp(text, form->names[0]);
}

int row_read(struct row_form *form, char *line, int32_t *row, struct reason *why)
{
	char *text;

	/* some programs write a byte order mark; it says nothing in UTF-8 */
	if (form->kind == ROW_UNKNOWN && !strncmp(line, "\xef\xbb\xbf", 3))
		line += 3;
	text = line + strspn(line, " \t");
	line[strcspn(line, "\n\r")] = 0;
	if (!*text || *text == '#')
		return 0;
	if (form->kind == ROW_UNKNOWN) {
		form->kind = ROW_NUMBERS;
		if (form->names && (*text == '{' || *text == '['))
			form->kind = ROW_JSON;
		else if (form->names && is_header(form, text))
			form->kind = ROW_CSV;
		if (form->kind == ROW_CSV)
			return read_header(form, text, why);
	}
	switch (form->kind) {
	case ROW_CSV:
		return read_fields(form, text, row, why);
	case ROW_JSON:
		return read_json(form, text, row, why);
	default:
		return read_numbers(form, line, row, why);
	}
}

void row_form_free(struct row_form *form)
{
	free(form->column);
}
