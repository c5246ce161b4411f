// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a configuration. One table says what keys there are: nothing else knows.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <json-c/json.h>
#include "config.h"
#include "file.h"
#include "pack.h"
#include "tool.h"

#define MAX_FILE	65536
#define S		1000000000.0
#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

enum kind { WORD, PATH, BOOL, UINT, REAL, TIME };

/* A key. Numbers: from @min to @max; @factor makes what the program wants of the unit. */
struct key {
	const char *name;
	enum kind kind;
	size_t at;
	double min;
	double max;
	double preset;
	double factor;
	const char *help;
};

#define AT(member)	offsetof(struct config, member)

static const struct key keys[] = {
	{ "app", WORD, AT(app), 0, 0, 0, 0, "name of the app in the kernel; required" },
	{ "install", BOOL, AT(install), 0, 0, 1, 0, "false: decide and log, change nothing" },
	{ "hook", PATH, AT(hook.command), 0, 0, 0, 0,
	  "program with the verbs adapt, freeze, evaluate; required" },
	{ "hook_user", PATH, AT(hook.user), 0, 0, 0, 0,
	  "user that it runs as; required if lfd runs as root" },
	{ "hook_memory_mib", UINT, AT(hook.memory_mib), 16, 1 << 20, 4096, 1,
	  "address space of each of its processes, MiB" },
	{ "hook_cpu_s", UINT, AT(hook.cpu_s), 1, 86400, 300, 1,
	  "CPU time of each of its processes, seconds" },
	{ "hook_wall_s", UINT, AT(hook.wall_s), 1, 86400, 600, 1, "time of a call, seconds" },
	{ "hook_processes", UINT, AT(hook.processes), 1, 4096, 512, 1,
	  "processes and threads of its user" },
	{ "hook_file_mib", UINT, AT(hook.file_mib), 1, 1 << 20, 256, 1,
	  "size of a file that it writes, MiB" },
	{ "hook_output_kib", UINT, AT(hook.output_kib), 1, 4096, 64, 1,
	  "its answer, KiB" },
	{ "collect_every", UINT, AT(collect.every), 1, 1 << 30, 1, 1,
	  "one query in so many, a power of two" },
	{ "collect_interval_ms", UINT, AT(collect.interval_ms), 1, 60000, 1000, 1,
	  "longest time between deliveries, ms" },
	{ "collect_ring_kib", UINT, AT(collect.ring_bytes), 4, 65536, 1024, 1024,
	  "memory for records that wait in the kernel, KiB" },
	{ "history_mib", UINT, AT(history_mib), 1, 65536, 64, 1, "records kept on disk, MiB" },
	{ "adapt_interval_s", UINT, AT(adapt_s), 1, 86400, 60, 1,
	  "time between adaptations, seconds" },
	{ "adapt_records", UINT, AT(adapt_records), 1, 100000000, 1000, 1,
	  "new records that the next one needs" },
	{ "stability_window", UINT, AT(window), 2, STABILITY_MAX, 5, 1,
	  "stability values that have to be close to each other" },
	{ "stability_spread_percent", REAL, AT(spread), 0, 1000, 10, 0.01,
	  "largest minus smallest of them, % of their mean magnitude" },
	{ "alpha_percent", REAL, AT(alpha), 0, 100, 5, 0.01,
	  "mean difference above which a model is needed, % of the output span" },
	{ "necessity_inputs", UINT, AT(inputs), 1, 20000, 1000, 1,
	  "over so many of the last inputs" },
	{ "hold_off_s", UINT, AT(hold_off_s), 0, 604800, 600, 1,
	  "after a change, none for so long, seconds" },
	{ "trial_s", TIME, AT(watch.trial_ns), 1, 604800, 600, S,
	  "a new model is on trial, seconds" },
	{ "trial_block_s", TIME, AT(watch.block_ns), 0.01, 3600, 10, S,
	  "rewards are averaged over, seconds" },
	{ "trial_settle_s", TIME, AT(watch.settle_ns), 0, 86400, 10, S,
	  "rewards behind a switch that do not count, seconds" },
	{ "trial_looks", UINT, AT(watch.looks), 1, 100, 4, 1, "judgements in a trial" },
	{ "trial_level_percent", REAL, AT(watch.level), 0.0001, 50, 1, 0.01,
	  "probability that a model which is not worse is found worse, %" },
	{ "trial_min_flows", UINT, AT(watch.min_flows), 2, WATCH_FLOWS, 8, 1,
	  "flows of each version for a comparison side by side" },
	{ "trial_min_blocks", UINT, AT(watch.min_blocks), 4, WATCH_BLOCKS, 8, 1,
	  "blocks of each version for a comparison of before and after" },
};

static int refuse_file(char *why, const char *file, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse_file(char *why, const char *file, const char *fmt, ...)
{
	int n = snprintf(why, CONFIG_REASON, "%.200s: ", file);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why + n, CONFIG_REASON - n, fmt, ap);
	va_end(ap);
	return -1;
}

static const struct key *find_key(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].name, name))
			return keys + i;
	return NULL;
}

static const char *key_hint(const char *name)
{
	const char *words[ARRAY_SIZE(keys) + 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		words[i] = keys[i].name;
	words[i] = NULL;
	return tool_hint(name, words);
}

static void put_number(struct config *c, const struct key *key, double value)
{
	char *to = (char *)c + key->at;

	value *= key->factor;
	if (key->kind == UINT)
		*(unsigned int *)to = value;
	else if (key->kind == TIME)
		*(uint64_t *)to = value;
	else
		*(double *)to = value;
}

static int take_number(struct config *c, const struct key *key, struct json_object *v, char *why)
{
	double value = json_object_get_double(v);
	bool number = json_object_is_type(v, json_type_int) ||
		      json_object_is_type(v, json_type_double);

	if (!number || !(value >= key->min && value <= key->max))
		return refuse_file(why, c->file, "%s: must be a number from %.10g to %.10g",
				   key->name, key->min, key->max);
	if (key->kind == UINT && value != floor(value))
		return refuse_file(why, c->file, "%s: must be a whole number", key->name);
	put_number(c, key, value);
	return 0;
}

static int take_text(struct config *c, const struct key *key, struct json_object *v, char *why)
{
	const char *text = json_object_get_string(v);
	char *to = (char *)c + key->at;

	if (!json_object_is_type(v, json_type_string) || !*text)
		return refuse_file(why, c->file, "%s: must be a text", key->name);
	if ((size_t)json_object_get_string_len(v) != strlen(text))
		return refuse_file(why, c->file, "%s: must have no zero byte", key->name);
	if (key->kind == PATH) {
		*(char **)to = strdup(text);
		return *(char **)to ? 0 : refuse_file(why, c->file, "out of memory");
	}
	if (strlen(text) >= LF_NAME_LEN || strchr(text, '/') || *text == '.' ||
	    strspn(text, "0123456789") == strlen(text))
		return refuse_file(why, c->file,
				   "%s: \"%.40s\" is no name of an app: it has at most %d bytes, and not digits only",
				   key->name, text, LF_NAME_LEN - 1);
	strcpy(to, text);
	return 0;
}

static int take(struct config *c, const char *name, struct json_object *v, char *why)
{
	const struct key *key = find_key(name);

	if (!key)
		return refuse_file(why, c->file, "unknown key \"%.40s\"%s", name, key_hint(name));
	if (key->kind == WORD || key->kind == PATH)
		return take_text(c, key, v, why);
	if (key->kind != BOOL)
		return take_number(c, key, v, why);
	if (!json_object_is_type(v, json_type_boolean))
		return refuse_file(why, c->file, "%s: must be true or false", key->name);
	*(bool *)((char *)c + key->at) = json_object_get_boolean(v);
	return 0;
}

/* As root a hook needs another user; otherwise it cannot have one. */
static int check_user(struct config *c, char *why)
{
	struct passwd *pw;

	c->hook.uid = geteuid();
	c->hook.gid = getegid();
	if (!c->hook.user && !c->hook.uid)
		return refuse_file(why, c->file, "hook_user: missing: as which user does it run?");
	if (!c->hook.user)
		return 0;
	pw = getpwnam(c->hook.user);
	if (!pw)
		return refuse_file(why, c->file, "hook_user: there is no user \"%.40s\"",
				   c->hook.user);
	if (!pw->pw_uid)
		return refuse_file(why, c->file, "hook_user: the hook must not run as root");
	if (c->hook.uid && c->hook.uid != pw->pw_uid)
		return refuse_file(why, c->file, "hook_user: only root can run it as another one");
	c->hook.uid = pw->pw_uid;
	c->hook.gid = pw->pw_gid;
	return 0;
}

/* A script whose interpreter is not there fails at each call with "No such file". */
static int check_interpreter(struct config *c, const char *hook, char *why)
{
	char line[256] = "", *program, *cr;
	FILE *f = fopen(hook, "re");

	/* who may run it need not be able to read it */
	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	fclose(f);
	if (strncmp(line, "#!", 2))
		return 0;
	program = line + 2 + strspn(line + 2, " \t");
	program[strcspn(program, " \t\n")] = 0;
	if (!access(program, X_OK))
		return 0;
	cr = strchr(program, '\r');
	if (cr)
		*cr = 0;
	return refuse_file(why, c->file, "hook: %.100s asks for the interpreter \"%.100s\": %s", hook,
			   program, cr ? "its lines end with a carriage return: remove these" :
			   strerror(errno));
}

static int check_hook(struct config *c, char *why)
{
	const char *hook = c->hook.command;
	struct stat st;

	if (!hook)
		return refuse_file(why, c->file, "hook: missing: which program adapts?");
	if (*hook != '/')
		return refuse_file(why, c->file, "hook: \"%.100s\" must begin with /", hook);
	if (stat(hook, &st))
		return refuse_file(why, c->file, "hook: %.150s: %s", hook, strerror(errno));
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return refuse_file(why, c->file, "hook: %.150s is no program: chmod +x?", hook);
	return check_interpreter(c, hook, why);
}

static int check(struct config *c, char *why)
{
	if (!c->app[0])
		return refuse_file(why, c->file, "app: missing: which app?");
	if (check_hook(c, why) || check_user(c, why))
		return -1;
	if (c->collect.every & (c->collect.every - 1))
		return refuse_file(why, c->file, "collect_every: must be a power of two");
	if (c->watch.trial_ns / c->watch.block_ns > WATCH_BLOCKS)
		return refuse_file(why, c->file, "trial_s: at most %d times trial_block_s",
				   WATCH_BLOCKS);
	if (c->watch.trial_ns / c->watch.block_ns < c->watch.min_blocks)
		return refuse_file(why, c->file, "trial_s: at least %u (trial_min_blocks) times trial_block_s",
				   c->watch.min_blocks);
	return 0;
}

/* Who may write to it decides what runs, and what the kernel gets. */
static int check_owner(const char *file, const struct stat *st, char *why)
{
	if (st->st_uid && st->st_uid != geteuid())
		return refuse_file(why, file, "must belong to root: chown root");
	if (st->st_mode & 0022)
		return refuse_file(why, file, "others may write to it: chmod go-w");
	return 0;
}

static struct json_object *parse(const char *file, char *why)
{
	struct json_object *o;
	struct stat st;
	char err[200];
	size_t len;
	char *text;

	text = file_read(AT_FDCWD, file, 0, MAX_FILE, &st, &len, err, sizeof(err));
	if (!text) {
		refuse_file(why, file, "%s", err);
		return NULL;
	}
	if (check_owner(file, &st, why)) {
		free(text);
		return NULL;
	}
	o = json_parse_strictly(text, len, err, sizeof(err));
	free(text);
	if (o && json_object_object_get_ex(o, "layers", NULL))
		snprintf(err, sizeof(err), "this is JSON of a model, not lfd's configuration of an app");
	else if (o && json_object_is_type(o, json_type_object))
		return o;
	else if (o)
		snprintf(err, sizeof(err), "must be a JSON object");
	refuse_file(why, file, "%s", err);
	json_object_put(o);
	return NULL;
}

struct config *config_read(const char *file, char why[CONFIG_REASON])
{
	struct json_object *o = parse(file, why);
	struct config *c;
	unsigned int i;
	int ret = 0;

	if (!o)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->file = strdup(file);
	if (!c->file)
		abort();
	c->install = true;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].kind >= UINT)
			put_number(c, keys + i, keys[i].preset);
	json_object_object_foreach(o, name, value) {
		ret = take(c, name, value, why);
		if (ret)
			break;
	}
	json_object_put(o);
	if (!ret && !check(c, why))
		return c;
	config_free(c);
	return NULL;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	free(c->hook.command);
	free(c->hook.user);
	free(c->file);
	free(c);
}

static int is_config(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && !strcmp(d->d_name + len - 5, ".json");
}

int config_list(const char *dir, char ***files, char why[CONFIG_REASON])
{
	struct dirent **found;
	int n = scandir(dir, &found, is_config, alphasort), i;

	*files = NULL;
	if (n < 0)
		return errno == ENOENT ? 0 : refuse_file(why, dir, "%s", errno == ENOTDIR ?
			"a file, not a folder of them: give it without the option" : strerror(errno));
	*files = calloc(n + 1, sizeof(**files));
	if (!*files)
		abort();
	for (i = 0; i < n; i++) {
		if (asprintf(*files + i, "%s/%s", dir, found[i]->d_name) < 0)
			abort();
		free(found[i]);
	}
	free(found);
	return n;
}

void config_list_free(char **files, int n)
{
	while (n--)
		free(files[n]);
	free(files);
}

void config_describe(void (*print)(const char *line))
{
	char line[200], preset[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct key *k = keys + i;

		preset[0] = 0;
		if (k->kind >= UINT)
			snprintf(preset, sizeof(preset), " (%.10g)", k->preset);
		else if (k->kind == BOOL)
			snprintf(preset, sizeof(preset), " (true)");
		snprintf(line, sizeof(line), "%-25s %s%s", k->name, k->help, preset);
		print(line);
	}
}
