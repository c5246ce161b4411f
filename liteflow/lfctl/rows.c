// SPDX-License-Identifier: GPL-2.0
/*
 * Rows of inputs as text in, rows of outputs out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "lfctl.h"
#include "rows.h"

static void print_row(const int32_t *out, unsigned int n)
{
	struct json_object *list;
	unsigned int i;

	if (opt_json) {
		list = json_object_new_array_ext(n);
		for (i = 0; i < n; i++)
			json_object_array_add(list, json_object_new_int(out[i]));
		print_json_line(list);
		return;
	}
	for (i = 0; i < n; i++)
		printf("%d%c", out[i], i + 1 < n ? ' ' : '\n');
}

void rows_print(const struct rows *rows, const int32_t *outputs)
{
	unsigned int i;

	for (i = 0; i < rows->n; i++)
		print_row(outputs + (size_t)i * rows->n_out, rows->n_out);
}

static int flush(struct rows *rows)
{
	int ret = rows->n ? rows->ask(rows) : 0;

	rows->n = 0;
	return ret;
}

/* Numbers with blanks or commas between them; "#" begins a comment. */
static int read_line(struct rows *rows, char *line, unsigned int number)
{
	int32_t *row = rows->inputs + (size_t)rows->n * rows->n_in;
	unsigned int n = 0;
	char *p, *end;
	long v;

	line[strcspn(line, "#\n\r")] = 0;
	for (p = line + strspn(line, " \t,"); *p; p = end + strspn(end, " \t,")) {
		errno = 0;
		v = strtol(p, &end, 10);
		if (end == p || errno || v < INT32_MIN || v > INT32_MAX ||
		    !strchr(" \t,", *end))
			return complain("line %u: \"%.20s\" is no 32-bit number", number, p);
		if (n == rows->n_in)
			return complain("line %u: more than %u inputs", number, rows->n_in);
		row[n++] = (int32_t)v;
	}
	if (!n)
		return 0;
	if (n != rows->n_in)
		return complain("line %u: %u inputs, not %u", number, n, rows->n_in);
	return ++rows->n == rows->max ? flush(rows) : 0;
}

static int read_all(struct rows *rows, FILE *f)
{
	unsigned int number = 0;
	char *line = NULL;
	size_t room = 0;
	int ret = 0;

	while (!ret && getline(&line, &room, f) >= 0)
		ret = read_line(rows, line, ++number);
	if (!ret && ferror(f))
		ret = complain("%s", strerror(errno));
	free(line);
	return ret ? ret : flush(rows);
}

int rows_run(struct rows *rows, const char *file)
{
	FILE *f = stdin;
	int ret;

	rows->inputs = malloc((size_t)rows->max * rows->n_in * sizeof(*rows->inputs));
	if (!rows->inputs)
		return complain("out of memory");
	if (file && strcmp(file, "-")) {
		f = fopen(file, "re");
		if (!f) {
			free(rows->inputs);
			return complain("%s: %s", file, strerror(errno));
		}
	}
	ret = read_all(rows, f);
	if (f != stdin)
		fclose(f);
	free(rows->inputs);
	return ret;
}
