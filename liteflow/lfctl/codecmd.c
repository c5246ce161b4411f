// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl model c: a model as C.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <json-c/json.h>
#include "code.h"
#include "lfctl.h"
#include "liblf.h"
#include "model.h"

/* Of the kernel's stack, and of the 512 bytes that BPF programs have in all. */
#define MODULE_STACK	512
#define BPF_STACK	256

enum { OPT_FOR = 256, OPT_NAME };

struct code_args {
	const char *file;
	const char *dir;
	const char *app;
	const char *name;
	int target;
};

static const struct argp_option code_options[] = {
	{ "output", 'o', "DIR", 0, "folder for the files; made if it is not there", 0 },
	{ "for", OPT_FOR, "TARGET", 0, "module: a kernel module with its Kbuild file; user: a "
	  "function for programs; bpf: a function for BPF programs", 0 },
	{ "name", OPT_NAME, "NAME", 0, "what files and functions are called (the model's name)", 0 },
	{ "app", 'a', "APP", 0, "module: the app that it is for, unless it is loaded with app=", 0 },
	{ 0 }
};

static error_t code_option(int key, char *arg, struct argp_state *state)
{
	static const char *const targets[] = {
		[CODE_MODULE] = "module", [CODE_USER] = "user", [CODE_BPF] = "bpf",
	};
	struct code_args *args = state->input;

	switch (key) {
	case 'o':
		args->dir = arg;
		return 0;
	case 'a':
		args->app = arg;
		return 0;
	case OPT_NAME:
		args->name = arg;
		return 0;
	case OPT_FOR:
		for (args->target = 0; args->target < (int)ARRAY_SIZE(targets); args->target++)
			if (!strcmp(arg, targets[args->target]))
				return 0;
		argp_error(state, "--for is \"%s\", must be module, user or bpf", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (args->file)
			argp_error(state, "one file at a time");
		args->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->file)
			argp_error(state, "which model?");
		if (!args->dir)
			argp_error(state, "where to? Give -o DIR");
		if (args->target < 0)
			argp_error(state, "what for? Give --for module, user or bpf");
		if (args->app && args->target != CODE_MODULE)
			argp_error(state, "--app goes with --for module only");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* A name that C and file systems take; of a model's name, what they do. */
static int identifier(const struct code_args *args, const struct lf_model *model, char *name)
{
	const char *from = args->name ? args->name : model->name;
	size_t n = 0;

	if (args->name && (strlen(from) >= LITEFLOW_NAME_LEN || isdigit(*from) ||
			   from[strspn(from, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_")] || !*from))
		return complain("--name is \"%.40s\", must be up to %d letters, digits and \"_\", the "
				"first no digit", from, LITEFLOW_NAME_LEN - 1);
	if (isdigit(*from))
		name[n++] = 'm';
	for (; *from && n < LITEFLOW_NAME_LEN - 1; from++)
		name[n++] = isalnum(*from) ? *from : '_';
	name[n] = 0;
	return 0;
}

static int fits(const struct code_args *args, const struct lf_model *model)
{
	size_t stack = code_stack(model);

	if (model->n_cells && args->target == CODE_MODULE)
		return complain("%s: it keeps %u values of state, which the kernel has no place for "
				"beside a compiled model: install the model as it is", args->file,
				model->state_len);
	if (model->n_cells && args->target == CODE_BPF)
		return complain("%s: it keeps %u values of state, from which the verifier cannot tell "
				"what the sums are: use a model without recurrent layers, or --for user",
				args->file, model->state_len);
	if (args->target == CODE_MODULE && stack > MODULE_STACK)
		return complain("%s: its layers need %zu bytes of the kernel's stack, at most %d are "
				"taken: install the model as it is, the engine has room for it",
				args->file, stack, MODULE_STACK);
	if (args->target == CODE_BPF && stack > BPF_STACK)
		return complain("%s: its layers need %zu bytes of stack, of a BPF program's 512 at "
				"most %d are taken: use narrower layers", args->file, stack, BPF_STACK);
	return 0;
}

typedef void (*put_fn)(const struct code *c, const char *about);

struct output {
	struct code code;
	const char *dir;
	const char *about;
	const char *app;
};

static void put_kbuild(const struct code *c, const char *about)
{
	(void)about;
	fprintf(c->f, "# SPDX-License-Identifier: GPL-2.0\n"
		"# make -C /lib/modules/$(uname -r)/build M=$PWD modules\n"
		"obj-m += %s.o\n", c->name);
}

/* All of a file, or none of it. */
static int write_one(const struct output *o, const char *name, put_fn put)
{
	struct code c = o->code;
	char path[PATH_LEN];
	size_t len = 0;
	char *text = NULL;
	int ret;

	if (join_path(path, o->dir, name))
		return EXIT_OTHER;
	c.f = open_memstream(&text, &len);
	if (!c.f)
		return complain("out of memory");
	if (put)
		put(&c, o->about);
	else
		code_put_module(&c, o->about, o->app);
	if (fclose(c.f)) {
		free(text);
		return complain("out of memory");
	}
	ret = write_file(path, text, len);
	free(text);
	return ret;
}

static int write_files(const struct output *o)
{
	char c_file[64], header[64];
	const char *name = o->code.name;
	int ret;

	snprintf(c_file, sizeof(c_file), "%s.c", name);
	snprintf(header, sizeof(header), "%s.h", name);
	switch (o->code.target) {
	case CODE_MODULE:
		ret = write_one(o, c_file, NULL);
		return ret ? ret : write_one(o, "Kbuild", put_kbuild);
	case CODE_USER:
		ret = write_one(o, c_file, code_put_user);
		return ret ? ret : write_one(o, header, code_put_user_header);
	default:
		snprintf(header, sizeof(header), "%s.bpf.h", name);
		return write_one(o, header, code_put_bpf);
	}
}

static void say(const struct output *o)
{
	const struct code *c = &o->code;
	const struct lf_model *m = c->model;
	struct json_object *json;

	if (opt_json) {
		json = json_object_new_object();
		json_object_object_add(json, "name", json_object_new_string(c->name));
		json_object_object_add(json, "macs", json_object_new_int64(m->macs));
		json_object_object_add(json, "table-bytes",
				       json_object_new_int64(code_table_bytes(c)));
		json_object_object_add(json, "code-bytes", json_object_new_int64(code_text_bytes(c)));
		json_object_object_add(json, "stack-bytes", json_object_new_int64(code_stack(m)));
		json_object_object_add(json, "data-as-good", json_object_new_boolean(code_data_as_good(c)));
		print_json(json);
		return;
	}
	printf("%s: %u multiply-adds, %zu bytes of tables, about %zu of code\n", c->name,
	       m->macs, code_table_bytes(c), code_text_bytes(c));
	if (c->target == CODE_MODULE && code_data_as_good(c))
		printf("asked rarely, the model as data is as good: with cold caches so much code is "
		       "slow to fetch\n");
}

int cmd_model_c(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = code_options, .parser = code_option, .args_doc = "FILE",
		.doc = "Write a model as C whose answers are those of the model, bit for bit.",
		.children = children,
	};
	struct code_args args = { .target = -1, .app = NULL };
	char name[LITEFLOW_NAME_LEN], digest[2 * LITEFLOW_DIGEST_LEN + 1];
	uint8_t sum[LF_DIGEST_LEN];
	struct lf_model *model;
	struct output o;
	struct lf_error err;
	size_t len;
	void *blob;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	blob = model_read(args.file, &len);
	if (!blob)
		return EXIT_OTHER;
	ret = lf_model_parse(blob, len, &model_limits, &model, &err);
	if (!ret && lf_digest(blob, len, sum)) {
		lf_model_free(model);
		snprintf(err.msg, sizeof(err.msg), "no SHA-256 can be computed");
		ret = -EIO;
	}
	free(blob);
	if (ret)
		return complain("%s: %s", args.file, err.msg[0] ? err.msg : "out of memory");
	to_hex(sum, LITEFLOW_DIGEST_LEN, digest);
	o = (struct output) {
		.code = { .model = model, .target = args.target, .name = name,
			  .prefix = args.target == CODE_BPF ? name : "nn" },
		.dir = args.dir, .about = digest, .app = args.app ? args.app : "",
	};
	ret = identifier(&args, model, name);
	if (!ret)
		ret = fits(&args, model);
	if (!ret && mkdir(args.dir, 0777) && errno != EEXIST)
		ret = complain("%s: %s", args.dir, strerror(errno));
	if (!ret)
		ret = write_files(&o);
	if (!ret)
		say(&o);
	lf_model_free(model);
	return ret;
}
