// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl save: write down what the kernel has, for the next boot. The kernel does
 * not hand out models, only their digests: the bytes come from the files that
 * are named, or were saved before.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <json-c/json.h>
#include "kernel.h"
#include "lfctl.h"
#include "model.h"
#include "saved.h"

struct save {
	struct lf *lf;
	const char *dir;
	const char *app;
	char **files;
	int n_files;
	struct json_object *apps;	/* all of them */
	struct json_object *list;	/* what was saved, for --json */
};

static bool is_active(const struct lf_model_info *slot)
{
	return slot->state == LITEFLOW_STATE_ACTIVE;
}

static bool is_compiled(const struct lf_model_info *slot)
{
	return slot->kind == LITEFLOW_KIND_COMPILED;
}

/* A model in memory, if the file has the one of this digest. */
static void *load_if(const char *path, const uint8_t *digest, size_t *len)
{
	uint8_t sum[LF_DIGEST_LEN];
	void *blob;

	if (access(path, R_OK))
		return NULL;
	blob = model_read(path, len);
	if (!blob)
		return NULL;
	if (!lf_digest(blob, *len, sum) && !memcmp(sum, digest, sizeof(sum)))
		return blob;
	free(blob);
	return NULL;
}

static void *find_model(const struct save *s, const char *path, const uint8_t *digest,
			size_t *len)
{
	struct saved_name name = { 0 };
	char file[PATH_LEN], entry[32];
	void *blob = NULL;
	int i;

	for (i = 0; i < s->n_files && !blob; i++)
		blob = load_if(s->files[i], digest, len);
	for (i = 0; i < 2 * LITEFLOW_SLOTS_MAX && !blob; i++) {
		name.slot = i / 2;
		name.active = i & 1;
		saved_format(&name, entry, sizeof(entry));
		if (join_path(file, path, entry))
			return NULL;
		blob = load_if(file, digest, len);
	}
	return blob;
}

static int save_bytes(const char *path, const struct saved_name *name, const void *data,
		      size_t len)
{
	char file[PATH_LEN], entry[32];

	saved_format(name, entry, sizeof(entry));
	if (join_path(file, path, entry))
		return EXIT_OTHER;
	return write_file(file, data, len);
}

struct loaded {
	void *data;
	size_t len;
};

/* Everything is read before anything is written: a failure changes nothing. */
static int load_slots(const struct save *s, const char *app, const char *path,
		      const struct lf_model_info *slots, struct loaded *loaded)
{
	char hex[2 * LF_DIGEST_LEN + 1];
	unsigned int i;

	for (i = 0; i < LITEFLOW_SLOTS_MAX; i++) {
		if (!slots[i].state)
			continue;
		if (is_compiled(slots + i)) {
			loaded[i].data = strdup(slots[i].name);
			loaded[i].len = strlen(slots[i].name);
		} else {
			loaded[i].data = find_model(s, path, slots[i].digest, &loaded[i].len);
		}
		if (loaded[i].data)
			continue;
		to_hex(slots[i].digest, LF_DIGEST_LEN, hex);
		return complain("app %s, slot %u: no file has the model %.16s... (%s): name it",
				app, i, hex, slots[i].name);
	}
	return 0;
}

/* What an earlier save left and this one did not write. */
static int remove_stale(const char *path, const struct lf_model_info *slots)
{
	char file[PATH_LEN];
	struct saved_name name;
	struct dirent *d;
	DIR *dir = opendir(path);
	int ret = 0;

	if (!dir)
		return complain("%s: %s", path, strerror(errno));
	while ((d = readdir(dir))) {
		const struct lf_model_info *slot;

		if (!saved_parse(d->d_name, &name))
			continue;
		slot = slots + name.slot;
		if (slot->state && is_active(slot) == name.active &&
		    is_compiled(slot) == name.compiled)
			continue;
		if (join_path(file, path, d->d_name))
			ret = EXIT_OTHER;
		else if (unlink(file))
			ret = complain("%s: %s", file, strerror(errno));
	}
	closedir(dir);
	return ret;
}

static int make_dirs(const char *dir, const char *path)
{
	char part[PATH_LEN];
	size_t len;

	if (snprintf(part, sizeof(part), "%s", dir) >= (int)sizeof(part))
		return complain("%.60s...: %s", dir, strerror(ENAMETOOLONG));
	for (len = 1; ; len++) {
		if (part[len] && part[len] != '/')
			continue;
		part[len] = 0;
		if (mkdir(part, 0755) && errno != EEXIST)
			return complain("%s: %s", part, strerror(errno));
		if (!dir[len])
			break;
		part[len] = '/';
	}
	if (mkdir(path, 0755) && errno != EEXIST)
		return complain("%s: %s", path, strerror(errno));
	return 0;
}

static int write_app(const char *path, struct json_object *app)
{
	char file[PATH_LEN];
	const char *text;

	if (join_path(file, path, SAVED_APP))
		return EXIT_OTHER;
	text = json_object_to_json_string_ext(app, JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	return write_file(file, text, strlen(text));
}

static void report(struct save *s, const char *app, const struct saved_name *name)
{
	struct json_object *o;
	char entry[32];

	saved_format(name, entry, sizeof(entry));
	if (!s->list) {
		printf("%s/%s/%s\n", s->dir, app, entry);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "app", json_object_new_string(app));
	json_object_object_add(o, "slot", json_object_new_int(name->slot));
	json_object_object_add(o, "file", json_object_new_string(entry));
	json_object_array_add(s->list, o);
}

static int save_slots(struct save *s, const char *app, const char *path,
		      const struct lf_model_info *slots, const struct loaded *loaded)
{
	struct saved_name name;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < LITEFLOW_SLOTS_MAX && !ret; i++) {
		if (!slots[i].state)
			continue;
		name.slot = i;
		name.active = is_active(slots + i);
		name.compiled = is_compiled(slots + i);
		ret = save_bytes(path, &name, loaded[i].data, loaded[i].len);
		if (!ret)
			report(s, app, &name);
	}
	return ret ? ret : remove_stale(path, slots);
}

static int save_app(struct save *s, struct json_object *o)
{
	struct json_object *name, *id, *user;
	struct lf_model_info slots[LITEFLOW_SLOTS_MAX];
	struct loaded loaded[LITEFLOW_SLOTS_MAX] = { { NULL, 0 } };
	bool any = false;
	const char *app;
	char path[PATH_LEN];
	unsigned int i;
	int ret;

	if (!json_object_object_get_ex(o, "app-name", &name) ||
	    !json_object_object_get_ex(o, "app-id", &id) ||
	    !json_object_object_get_ex(o, "user", &user))
		return 0;
	app = json_object_get_string(name);
	if (!saved_app_ok(app) || (s->app && strcmp(s->app, app) &&
				   strcmp(s->app, json_object_get_string(id))))
		return 0;
	ret = failed(s->lf, lf_get_slots(s->lf, json_object_get_string(id), slots), "%s", app);
	if (ret)
		return ret;
	for (i = 0; i < LITEFLOW_SLOTS_MAX; i++)
		any |= slots[i].state != 0;
	if (join_path(path, s->dir, app))
		return EXIT_OTHER;
	if (!any && !json_object_get_boolean(user) && access(path, F_OK))
		return 0;
	ret = load_slots(s, app, path, slots, loaded);
	if (!ret)
		ret = make_dirs(s->dir, path);
	if (!ret && json_object_get_boolean(user))
		ret = write_app(path, o);
	if (!ret)
		ret = save_slots(s, app, path, slots, loaded);
	for (i = 0; i < LITEFLOW_SLOTS_MAX; i++)
		free(loaded[i].data);
	return ret;
}

static int on_app(const struct lf_app_info *info, void *data)
{
	json_object_array_add(data, app_json(info));
	return 0;
}

static int save_all(struct save *s)
{
	size_t i;
	int ret;

	s->apps = json_object_new_array();
	ret = failed(s->lf, lf_for_each_app(s->lf, on_app, s->apps), "save");
	for (i = 0; !ret && i < json_object_array_length(s->apps); i++)
		ret = save_app(s, json_object_array_get_idx(s->apps, i));
	json_object_put(s->apps);
	return ret;
}

static error_t save_option(int key, char *arg, struct argp_state *state)
{
	struct save *s = state->input;

	switch (key) {
	case 'd':
		s->dir = arg;
		return 0;
	case 'a':
		s->app = arg;
		return 0;
	case ARGP_KEY_ARGS:
		s->files = state->argv + state->next;
		s->n_files = state->argc - state->next;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int cmd_save(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "directory", 'd', "DIR", 0, "write there (" SAVED_DIR ")", 0 },
		{ "app", 'a', "APP", 0, "save this app only", 0 },
		{ 0 }
	};
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = options, .parser = save_option, .children = children,
		.args_doc = "[FILE...]",
		.doc = "Save the apps that users added, and all models in slots, for lfctl "
			"restore. FILE...: the models, which the kernel does not reveal; "
			"required for those that were not saved before.",
	};
	struct save s = { .dir = SAVED_DIR };
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &s);
	ret = kernel_open(&s.lf, NULL);
	if (!ret) {
		if (opt_json)
			s.list = json_object_new_array();
		ret = save_all(&s);
		if (s.list)
			print_json(s.list);
	}
	lf_close(s.lf);
	return ret;
}
