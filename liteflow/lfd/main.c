// SPDX-License-Identifier: GPL-2.0
/*
 * lfd - keeps the models of LiteFlow's apps adapted
 */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "config.h"
#include "daemon.h"
#include "status.h"
#include "tool.h"

TOOL_ABOUT("lfd");

#define RUN_DIR		"/run/liteflow"

struct args {
	struct daemon_dirs dirs;
	bool check;
	bool json;
	bool status;
	char **files;
	int n_files;
};

static error_t option(int key, char *arg, struct argp_state *state)
{
	static const char *const commands[] = { "status", NULL };
	struct args *args = state->input;

	switch (key) {
	case 'c':
		args->dirs.config = arg;
		return 0;
	case 's':
		args->dirs.state = arg;
		return 0;
	case 'r':
		args->dirs.run = arg;
		return 0;
	case 'C':
		args->check = true;
		return 0;
	case 'j':
		args->json = true;
		return 0;
	case ARGP_KEY_ARGS:
		args->files = state->argv + state->next;
		args->n_files = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (args->check || !args->n_files)
			return 0;
		if (args->n_files > 1 || strcmp(args->files[0], "status"))
			argp_error(state, "no command \"%s\"%s", args->files[0],
				   tool_hint(args->files[0], commands));
		args->status = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "check", 'C', NULL, 0, "read the configurations, say what is wrong, and end", 0 },
	{ "config", 'c', "DIR", 0, "configurations (" CONFIG_DIR ")", 0 },
	{ "state", 's', "DIR", 0, "what must last: state, history (" STATE_DIR ")", 0 },
	{ "run", 'r', "DIR", 0, "status and metrics (" RUN_DIR ")", 0 },
	{ "json", 'j', NULL, 0, "status as JSON", 0 },
	{ 0 }
};

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options, .parser = option,
		.args_doc = "\nstatus\n--check [FILE...]",
		.doc = "Keep the models of LiteFlow's apps adapted: collect records, let a "
			"program adapt, install what it hands back if that is needed, and return "
			"to the model before if it is worse. See lfd(8).",
	};
	struct args args = { .dirs = { CONFIG_DIR, STATE_DIR, RUN_DIR } };

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.check)
		return daemon_check(args.dirs.config, args.files, args.n_files);
	if (args.status)
		return status_print(args.dirs.run, args.json);
	return daemon_run(&args.dirs);
}
