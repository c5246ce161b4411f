// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl restore: install what was written down. What is there already stays, so
 * it can be run again at any time. One app's failure does not keep the others
 * from theirs.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include "kernel.h"
#include "lfctl.h"
#include "model.h"
#include "pack.h"
#include "saved.h"

#define MAX_APP_JSON	65536

struct restore {
	struct lf *lf;
	const char *dir;
	bool failed;
	struct json_object *list;
};

static void report(struct restore *r, const char *app, unsigned int slot, uint32_t version,
		   const char *what)
{
	struct json_object *o;

	if (!r->list) {
		printf("app %s, slot %u: ", app, slot);
		if (version)
			printf("version %u is ", version);
		printf("%s\n", what);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "app", json_object_new_string(app));
	json_object_object_add(o, "slot", json_object_new_int(slot));
	if (version)
		json_object_object_add(o, "version", json_object_new_int64(version));
	json_object_object_add(o, "result", json_object_new_string(what));
	json_object_array_add(r->list, o);
}

/* -- apps ---------------------------------------------------------------- */

static int64_t member_number(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_int))
		return -1;
	return json_object_get_int64(v);
}

static const char *member_string(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_string))
		return NULL;
	return json_object_get_string(v);
}

static int64_t member_named(struct json_object *o, const char *key, int (*number)(const char *))
{
	const char *s = member_string(o, key);

	return s ? number(s) : -1;
}

static int add_app(struct restore *r, const char *app, struct json_object *o)
{
	struct lf_app_desc desc = {
		.name = app,
		.id = member_number(o, "app-id"),
		.n_in = member_number(o, "n-in"),
		.n_out = member_number(o, "n-out"),
		.context = member_named(o, "context", lf_context_number),
		.policy = member_named(o, "policy", lf_policy_number),
		.at_limit = member_named(o, "at-limit", lf_at_limit_number),
		.n_slots = member_number(o, "n-slots"),
		.capability = member_named(o, "capability", lf_capability_number),
		.max_macs = member_number(o, "max-macs"),
		.max_bytes = member_number(o, "max-bytes"),
		.max_retired = member_number(o, "max-retired"),
		.max_state = member_number(o, "max-state"),
		.sample_shift = member_number(o, "sample-shift"),
		.units = member_string(o, "units"),
	};
	uint32_t number;
	char id[16];
	int ret;

	ret = failed(r->lf, lf_app_add(r->lf, &desc, &number), "app add");
	if (ret || desc.sample_shift < 0)
		return ret;
	snprintf(id, sizeof(id), "%u", number);
	return failed(r->lf, lf_app_set(r->lf, id, &desc), "%s", app);
}

/* Add the app that app.json describes. */
static int define_app(struct restore *r, const char *app, const char *path)
{
	char file[PATH_LEN], err[128] = "this is no JSON object";
	struct json_object *o;
	char *text;
	size_t len;
	int ret;

	if (join_path(file, path, SAVED_APP))
		return EXIT_OTHER;
	text = read_file(file, MAX_APP_JSON, &len);
	if (!text)
		return EXIT_OTHER;
	o = json_parse_strictly(text, len, err, sizeof(err));
	free(text);
	ret = json_object_is_type(o, json_type_object) ? add_app(r, app, o) :
		complain("%s: %s", file, err);
	json_object_put(o);
	return ret;
}

static bool has_definition(const char *path)
{
	char file[PATH_LEN];

	return !join_path(file, path, SAVED_APP) && !access(file, F_OK);
}

/* Number of the app as text, for what follows; the app is added if need be. */
static int find_app(struct restore *r, const char *app, const char *path, char id[16])
{
	struct lf_app_info info;
	int ret;

	ret = lf_app_get_by_name(r->lf, app, &info);
	if (ret == -ENOENT) {
		if (!has_definition(path))
			return complain("%s: there is no app %s: is its module loaded?", path, app);
		ret = define_app(r, app, path);
		if (ret)
			return ret;
		ret = lf_app_get_by_name(r->lf, app, &info);
	}
	snprintf(id, 16, "%u", info.id);
	lf_app_info_free(&info);
	return failed(r->lf, ret, "app %.32s", app);
}

static int slot_failed(const struct restore *r, int ret, const char *id, unsigned int slot)
{
	return failed(r->lf, ret, "app %.32s, slot %u", id, slot);
}

/* -- models -------------------------------------------------------------- */

static int install_compiled(struct restore *r, const char *id, const char *file,
			    const struct saved_name *name, const struct lf_model_info *has,
			    uint32_t *version)
{
	size_t len;
	char *text = read_file(file, LF_NAME_LEN, &len);
	int ret = 0;

	if (!text)
		return EXIT_OTHER;
	text[strcspn(text, "\r\n")] = 0;
	if (!has->state || has->kind != LITEFLOW_KIND_COMPILED || strcmp(has->name, text))
		ret = lf_install_compiled(r->lf, id, name->slot, text, version);
	free(text);
	return slot_failed(r, ret, id, name->slot);
}

static int install_data(struct restore *r, const char *id, const char *file,
			const struct saved_name *name, const struct lf_model_info *has,
			uint32_t *version)
{
	uint8_t digest[LF_DIGEST_LEN];
	size_t len;
	void *blob = model_read(file, &len);
	int ret = 0;

	if (!blob)
		return EXIT_OTHER;
	if (!has->has_digest || lf_digest(blob, len, digest) ||
	    memcmp(digest, has->digest, sizeof(digest)))
		ret = lf_install(r->lf, id, name->slot, blob, len, version);
	free(blob);
	return slot_failed(r, ret, id, name->slot);
}

static int install(struct restore *r, const char *app, const char *id, const char *path,
		   const char *entry, const struct lf_model_info *slots)
{
	const struct lf_model_info *has;
	struct saved_name name;
	uint32_t version = 0;
	char file[PATH_LEN];
	int ret;

	if (!saved_parse(entry, &name))
		return 0;
	has = slots + name.slot;
	if (join_path(file, path, entry))
		return EXIT_OTHER;
	ret = name.compiled ? install_compiled(r, id, file, &name, has, &version) :
			      install_data(r, id, file, &name, has, &version);
	if (!ret)
		report(r, app, name.slot, version, version ? "installed" : "already there");
	return ret;
}

static int activate(struct restore *r, const char *app, const char *id, unsigned int slot)
{
	struct lf_model_info now[LITEFLOW_SLOTS_MAX];
	uint32_t version;
	int ret;

	ret = failed(r->lf, lf_get_slots(r->lf, id, now), "%s", app);
	if (ret || now[slot].state == LITEFLOW_STATE_ACTIVE)
		return ret;
	ret = slot_failed(r, lf_activate(r->lf, id, slot, &version, NULL), id, slot);
	if (!ret)
		report(r, app, slot, version, "active");
	return ret;
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* All that is in the directory of one app. */
static int restore_app(struct restore *r, const char *app)
{
	struct lf_model_info slots[LITEFLOW_SLOTS_MAX];
	struct saved_name name;
	struct dirent **entry;
	int n, i, ret, active = -1;
	char path[PATH_LEN], id[16];

	if (join_path(path, r->dir, app))
		return EXIT_OTHER;
	n = scandir(path, &entry, visible, alphasort);
	if (n < 0)
		return errno == ENOTDIR ? 0 : complain("%s: %s", path, strerror(errno));
	ret = saved_app_ok(app) ? find_app(r, app, path, id) :
		complain("%s: this is no name of an app", path);
	if (!ret)
		ret = failed(r->lf, lf_get_slots(r->lf, id, slots), "%s", app);
	for (i = 0; i < n; i++) {
		if (!ret && saved_parse(entry[i]->d_name, &name)) {
			if (name.active && active >= 0)
				ret = complain("%s: more than one model is to be active", path);
			else if (name.active)
				active = name.slot;
		}
	}
	for (i = 0; i < n; i++) {
		if (!ret)
			ret = install(r, app, id, path, entry[i]->d_name, slots);
		free(entry[i]);
	}
	free(entry);
	if (!ret && active >= 0)
		ret = activate(r, app, id, active);
	return ret;
}

static int restore_all(struct restore *r)
{
	struct dirent **entry;
	int n, i;

	n = scandir(r->dir, &entry, visible, alphasort);
	if (n < 0)
		return complain("%s: %s", r->dir, strerror(errno));
	for (i = 0; i < n; i++) {
		if (restore_app(r, entry[i]->d_name))
			r->failed = true;
		free(entry[i]);
	}
	free(entry);
	return r->failed ? EXIT_OTHER : 0;
}

static error_t restore_option(int key, char *arg, struct argp_state *state)
{
	struct restore *r = state->input;

	if (key != 'd')
		return ARGP_ERR_UNKNOWN;
	r->dir = arg;
	return 0;
}

int cmd_restore(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "directory", 'd', "DIR", 0, "read from there (" SAVED_DIR ")", 0 },
		{ 0 }
	};
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = options, .parser = restore_option, .children = children,
		.doc = "Install and activate the models that lfctl save wrote, or that were put "
			"there by hand.",
	};
	struct restore r = { .dir = SAVED_DIR };
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &r);
	ret = kernel_open(&r.lf, NULL);
	if (!ret) {
		if (opt_json)
			r.list = json_object_new_array();
		ret = restore_all(&r);
		if (r.list)
			print_json(r.list);
	}
	lf_close(r.lf);
	return ret;
}
