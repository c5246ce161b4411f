// SPDX-License-Identifier: GPL-2.0
/*
 * "bpf:FILE": a child reads the file and analyses it, so that a file on which libbpf or the
 * analysis fails costs one line, and bounded memory and time.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "interp.h"
#include "naming.h"

#define CHILD_BYTES	(480ul << 20)
#define CHILD_SECONDS	120

/* The number in "id:N"; 0: it is a file. */
static uint32_t loaded_id(const char *path)
{
	char *end;
	unsigned long n;

	if (strncmp(path, "id:", 3) || !(path[3] >= '1' && path[3] <= '9'))
		return 0;
	errno = 0;
	n = strtoul(path + 3, &end, 10);
	return *end || errno || n > UINT32_MAX ? 0 : n;
}

static void analyse_program(struct object *o, const struct object_program *prog, bool explain,
			    struct fm_function *f)
{
	struct run run = { .o = o, .prog = prog };

	lists_begin();
	values_begin();
	naming_begin(prog->type);
	record_begin(&run.rec, o);
	interpret(&run);
	if (o->replaced)
		record_reason(&run.rec, true,
			      "other programs replace functions of it: analyse those");
	f->name = strdup(prog->name);
	f->hook = strdup(prog->type == BPF_PROG_TYPE_XDP ? "xdp" : "tc");
	f->steps = run.steps;
	record_report(&run.rec, f, prog->name, explain);
	record_end(&run.rec);
	values_end();
	lists_end();
}

static bool writes(const struct fm_function *f, const char *map)
{
	unsigned int i;

	for (i = 0; i < f->n_maps; i++)
		if (f->maps[i].written && !strcmp(f->maps[i].name, map))
			return true;
	return false;
}

/* Programs of a file share its maps. */
static void find_other_writers(struct fm_function *f, unsigned int n)
{
	unsigned int i, j, k;

	for (i = 0; i < n; i++)
		for (j = 0; j < f[i].n_maps; j++)
			for (k = 0; k < n; k++)
				if (k != i && writes(&f[k], f[i].maps[j].name))
					f[i].maps[j].written_elsewhere = true;
}

/* Loaded maps that other programs have, too: whoever loaded those knows what they do. */
static void find_other_users(const struct object *o, struct fm_function *f)
{
	unsigned int m, i;

	for (m = 0; m < f->n_maps; m++)
		for (i = 0; i < o->n_maps; i++)
			if (o->maps[i].elsewhere && !strcmp(o->maps[i].name, f->maps[m].name))
				f->maps[m].written_elsewhere = true;
}

/* Names in a damaged file are any bytes; what is told of it is ASCII, and one line. */
static void tell(FILE *out, char kind, const char *text)
{
	putc(kind, out);
	for (; *text; text++)
		putc(*text < ' ' || *text > '~' ? '?' : *text, out);
}

/* What the parent gets: 'E' and why not, or 'J' and the functions. */
static void child(const char *path, const char *prog, bool explain, FILE *out)
{
	struct json_object *list = json_object_new_array();
	struct fm_function *f;
	char why[400] = "";
	struct object o;
	uint32_t i, id = loaded_id(path);

	if (id ? object_open_loaded(&o, id, why, sizeof(why)) :
		 object_open(&o, path, why, sizeof(why))) {
		tell(out, 'E', why);
		object_close(&o);
		return;
	}
	if (!o.n_programs) {
		tell(out, 'E', "no XDP or tc program in it");
		object_close(&o);
		return;
	}
	f = calloc(o.n_programs, sizeof(*f));
	for (i = 0; i < o.n_programs; i++)
		analyse_program(&o, &o.programs[i], explain, &f[i]);
	find_other_writers(f, o.n_programs);
	find_other_users(&o, &f[0]);
	for (i = 0; i < o.n_programs; i++) {
		if (prog && strcmp(prog, f[i].name))
			continue;
		if (asprintf(&f[i].source, id ? "bpf:%s" : "bpf:%s:%s", path, f[i].name) < 0)
			return;
		json_object_array_add(list, fm_function_json(&f[i]));
	}
	if (json_object_array_length(list)) {
		tell(out, 'J', json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN));
	} else {
		snprintf(why, sizeof(why), "no program \"%.100s\" in it; there is \"%.100s\"", prog,
			 f[0].name);
		tell(out, 'E', why);
	}
	for (i = 0; i < o.n_programs; i++)
		fm_function_free(&f[i]);
	free(f);
	json_object_put(list);
	object_close(&o);
}

static void run_child(const char *path, const char *prog, bool explain, int fd)
{
	struct rlimit memory = { CHILD_BYTES, CHILD_BYTES };
	struct rlimit seconds = { CHILD_SECONDS, CHILD_SECONDS };
	struct rlimit core = { 0, 0 };
	FILE *out = fdopen(fd, "w");

	setrlimit(RLIMIT_CORE, &core);
	setrlimit(RLIMIT_CPU, &seconds);
	/* sanitizers reserve more than that */
#ifndef __SANITIZE_ADDRESS__
	setrlimit(RLIMIT_AS, &memory);
#else
	(void)memory;
#endif
	if (!out)
		_exit(1);
	child(path, prog, explain, out);
	fflush(out);
	_exit(0);
}

static char *read_all(int fd, size_t *len)
{
	size_t size = 65536;
	char *text = malloc(size + 1);
	ssize_t n;

	*len = 0;
	while ((n = read(fd, text + *len, size - *len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		*len += n;
		if (*len == size) {
			size *= 2;
			text = realloc(text, size + 1);
		}
	}
	text[*len] = 0;
	return text;
}

static int take(const char *text, struct fm_analysis *result, const char *path, char *why,
		size_t len)
{
	struct json_object *list;
	char reason[200] = "";
	size_t i, n;

	list = json_tokener_parse(text);
	if (!list) {
		snprintf(why, len, "%s: the analysis was cut off", path);
		return -1;
	}
	n = json_object_array_length(list);
	result->functions = calloc(n, sizeof(*result->functions));
	for (i = 0; i < n; i++) {
		if (fm_function_parse(json_object_array_get_idx(list, i), &result->functions[i],
				      reason, sizeof(reason))) {
			snprintf(why, len, "%s: %s", path, reason);
			break;
		}
		result->n++;
	}
	json_object_put(list);
	if (i == n)
		return 0;
	fm_analysis_free(result);
	return -1;
}

/* FILE, FILE:PROG or id:N; a file whose name has a colon is one. */
static char *split(const char *spec, const char **prog)
{
	char *path = strdup(spec), *colon = strrchr(path, ':');

	*prog = NULL;
	if (!loaded_id(spec) && colon && access(path, F_OK)) {
		*colon = 0;
		*prog = colon + 1;
	}
	return path;
}

int fm_analyse_bpf(const char *spec, bool explain, struct fm_analysis *result, char *why,
		   size_t len)
{
	const char *prog;
	char *path = split(spec, &prog), *text;
	int fd[2], status, ret = -1;
	size_t n;
	pid_t pid;

	memset(result, 0, sizeof(*result));
	if (pipe(fd)) {
		snprintf(why, len, "%s: %s", path, strerror(errno));
		free(path);
		return -1;
	}
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(fd[0]);
		run_child(path, prog, explain, fd[1]);
	}
	close(fd[1]);
	text = read_all(fd[0], &n);
	close(fd[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		snprintf(why, len, "%s: %s", path, strerror(errno));
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		snprintf(why, len, "%s: more than %d s of analysis", path, CHILD_SECONDS);
	else if (WIFSIGNALED(status))
		snprintf(why, len, "%s: broken in a way that ends its reader (%s)", path,
			 strsignal(WTERMSIG(status)));
	else if (text[0] == 'E')
		snprintf(why, len, "%s: %s", path, text + 1);
	else if (text[0] == 'J')
		ret = take(text + 1, result, path, why, len);
	else
		snprintf(why, len, "%s: its analysis ended without a word", path);
	free(text);
	free(path);
	return ret;
}
