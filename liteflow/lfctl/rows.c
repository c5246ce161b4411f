// SPDX-License-Identifier: GPL-2.0
/*
 * Rows of inputs as text in, rows of outputs out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include "kind.h"
#include "lfctl.h"
#include "rowform.h"
#include "rows.h"

#define MAX_VALUES	(1U << 26)

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

static int read_all(struct rows *rows, FILE *f, const char *name)
{
	struct row_form form = { .n_in = rows->n_in, .names = rows->names };
	char *line = NULL, text[160];
	struct reason why = { text, sizeof(text) };
	unsigned int number = 0;
	size_t room = 0;
	ssize_t len;
	int ret = 0;

	while (!ret && (len = getline(&line, &room, f)) >= 0) {
		number++;
		if (memchr(line, 0, len)) {
			ret = complain("%s: line %u: a zero byte: this is no text", name, number);
			break;
		}
		switch (row_read(&form, line, rows->inputs + (size_t)rows->n * rows->n_in, &why)) {
		case 1:
			if (++rows->n == rows->max)
				ret = flush(rows);
			break;
		case -1:
			ret = complain("%s: line %u: %s", name, number, text);
		}
	}
	if (!ret && ferror(f))
		ret = complain("%s: %s", name, errno == EISDIR ? kind_of_folder(name) :
			       strerror(errno));
	free(line);
	row_form_free(&form);
	return ret ? ret : flush(rows);
}

/* Of a pipe nothing is known before it is read. */
static int check_kind(FILE *f, const char *name)
{
	char head[4097], text[200];
	struct reason why = { text, sizeof(text) };
	ssize_t n = pread(fileno(f), head, sizeof(head) - 1, 0);

	if (n <= 0)
		return 0;
	head[n] = 0;
	return kind_refuse(head, n, KIND_ROWS, &why) ? complain("%s: %s", name, text) : 0;
}

int rows_run(struct rows *rows, const char *file)
{
	bool std = !file || !strcmp(file, "-");
	FILE *f = stdin;
	int ret;

	rows->inputs = malloc((size_t)rows->max * rows->n_in * sizeof(*rows->inputs));
	if (!rows->inputs)
		return complain("out of memory");
	if (!std) {
		f = fopen(file, "re");
		if (!f) {
			free(rows->inputs);
			return complain("%s: %s", file, strerror(errno));
		}
	}
	file = std ? "standard input" : file;
	ret = check_kind(f, file);
	if (!ret)
		ret = read_all(rows, f, file);
	if (!std)
		fclose(f);
	free(rows->inputs);
	return ret;
}

struct table {
	const char *file;
	int32_t *inputs;
	size_t n;
	size_t room;
};

static int append(struct rows *rows)
{
	struct table *t = rows->priv;
	int32_t *more;

	if ((t->n + rows->n) * rows->n_in > MAX_VALUES)
		return complain("%s: more than %u million numbers: give fewer rows", t->file,
				MAX_VALUES >> 20);
	if (t->n + rows->n > t->room) {
		t->room = 2 * t->room + rows->n;
		more = realloc(t->inputs, t->room * rows->n_in * sizeof(*more));
		if (!more)
			return complain("%s: out of memory", t->file);
		t->inputs = more;
	}
	memcpy(t->inputs + t->n * rows->n_in, rows->inputs,
	       (size_t)rows->n * rows->n_in * sizeof(*more));
	t->n += rows->n;
	return 0;
}

int rows_read(const char *file, unsigned int n_in, const char (*names)[LITEFLOW_NAME_LEN],
	      int32_t **inputs, unsigned int *n)
{
	struct table t = { .file = strcmp(file, "-") ? file : "standard input" };
	struct rows rows = { .n_in = n_in, .max = 256, .names = names, .ask = append, .priv = &t };
	int ret = rows_run(&rows, file);

	if (!ret && !t.n)
		ret = complain("%s: no rows of inputs in it", t.file);
	if (ret) {
		free(t.inputs);
		return ret;
	}
	*inputs = t.inputs;
	*n = t.n;
	return 0;
}
