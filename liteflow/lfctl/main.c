// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl - LiteFlow's apps and models from the command line
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lfctl.h"

bool opt_json;

struct command {
	const char *group;
	const char *name;	/* NULL: the group's only one */
	int (*run)(int argc, char **argv);
	const char *help;
};

static const struct command commands[] = {
	{ "app", "list", cmd_app_list, "list the apps" },
	{ "app", "show", cmd_app_show, "show one" },
	{ "app", "add", cmd_app_add, "add one" },
	{ "app", "del", cmd_app_del, "delete one that was added" },
	{ "app", "set", cmd_app_set, "change its policy and limits" },
	{ "model", "show", cmd_model_show, "show the models of the apps" },
	{ "model", "install", cmd_model_install, "put a model into a slot" },
	{ "model", "activate", cmd_model_activate, "from now on this one answers" },
	{ "model", "rollback", cmd_model_rollback, "back to the one that was active before" },
	{ "model", "remove", cmd_model_remove, "empty a slot" },
	{ "model", "pack", cmd_model_pack, "make a model from JSON" },
	{ "model", "check", cmd_model_check, "check a model's file, show what it is" },
	{ "model", "run", cmd_model_run, "let a model's file answer" },
	{ "stats", NULL, cmd_stats, "queries, and the time they take" },
	{ "collect", NULL, cmd_collect, "collect training data" },
	{ "eval", NULL, cmd_eval, "let a model of the kernel answer" },
	{ "monitor", NULL, cmd_monitor, "show what changes" },
	{ "flows", NULL, cmd_flows, "show the connections that a model paces" },
	{ "save", NULL, cmd_save, "write down apps and models for the next boot" },
	{ "restore", NULL, cmd_restore, "install what was written down" },
};

static void list(FILE *f, const char *group)
{
	const struct command *c;
	char name[40];

	for (c = commands; c < commands + ARRAY_SIZE(commands); c++) {
		if (group && strcmp(group, c->group))
			continue;
		snprintf(name, sizeof(name), "%s %s", c->group, c->name ? c->name : "");
		fprintf(f, "  lfctl %-18s %s\n", name, c->help);
	}
}

static int usage(FILE *f, const char *group)
{
	fprintf(f, "usage: lfctl [--json] COMMAND [ARGUMENT...]\n");
	list(f, group);
	fprintf(f, "lfctl COMMAND --help shows its options.\n");
	return f == stdout ? 0 : EXIT_USAGE;
}

static const struct command *find(const char *group, const char *name)
{
	const struct command *c;

	for (c = commands; c < commands + ARRAY_SIZE(commands); c++) {
		if (strcmp(c->group, group))
			continue;
		if (!c->name || (name && !strcmp(c->name, name)))
			return c;
	}
	return NULL;
}

static bool is_group(const char *word)
{
	const struct command *c;

	for (c = commands; c < commands + ARRAY_SIZE(commands); c++)
		if (!strcmp(c->group, word))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const struct command *c;
	char name[64];
	int skip, ret;

	argp_err_exit_status = EXIT_USAGE;
	for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
		if (!strcmp(argv[1], "--json") || !strcmp(argv[1], "-j")) {
			opt_json = true;
		} else if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
			return usage(stdout, NULL);
		} else {
			fprintf(stderr, "lfctl: unknown option %s\n", argv[1]);
			return usage(stderr, NULL);
		}
	}
	if (argc < 2)
		return usage(stderr, NULL);
	c = find(argv[1], argc > 2 ? argv[2] : NULL);
	if (!c) {
		if (is_group(argv[1]) && argc > 2 && !strcmp(argv[2], "--help"))
			return usage(stdout, argv[1]);
		if (is_group(argv[1]))
			fprintf(stderr, "lfctl: %s: %s\n", argv[1],
				argc > 2 ? "no such command" : "which command?");
		else
			fprintf(stderr, "lfctl: no command \"%s\"\n", argv[1]);
		return usage(stderr, is_group(argv[1]) ? argv[1] : NULL);
	}
	skip = c->name ? 2 : 1;
	snprintf(name, sizeof(name), "lfctl %s%s%s", c->group, c->name ? " " : "",
		 c->name ? c->name : "");
	argv[skip] = name;
	ret = c->run(argc - skip, argv + skip);
	if (fflush(stdout) || ferror(stdout))
		return complain("standard output: write error");
	return ret;
}
