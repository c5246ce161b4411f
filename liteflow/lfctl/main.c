// SPDX-License-Identifier: GPL-2.0
/*
 * lfctl - LiteFlow's apps and models from the command line
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lfctl.h"
#include "tool.h"

TOOL_ABOUT("lfctl");

bool opt_json;

struct command {
	const char *group;
	const char *name;	/* NULL: the group's only one */
	int (*run)(int argc, char **argv);
	const char *help;
};

static const struct command commands[] = {
	{ "app", "list", cmd_app_list, "list the apps" },
	{ "app", "show", cmd_app_show, "show an app" },
	{ "app", "add", cmd_app_add, "add an app" },
	{ "app", "del", cmd_app_del, "delete an app that was added" },
	{ "app", "set", cmd_app_set, "change an app's policy and limits" },
	{ "model", "show", cmd_model_show, "show the models of the apps" },
	{ "model", "install", cmd_model_install, "put a model into a slot" },
	{ "model", "activate", cmd_model_activate, "make a slot's model active" },
	{ "model", "rollback", cmd_model_rollback, "return to the previous model" },
	{ "model", "remove", cmd_model_remove, "empty a slot" },
	{ "model", "pack", cmd_model_pack, "make a model from JSON" },
	{ "model", "check", cmd_model_check, "check a model's file and describe it" },
	{ "model", "run", cmd_model_run, "compute the answers of a model's file" },
	{ "model", "diff", cmd_model_diff, "compare the answers of two models" },
	{ "model", "c", cmd_model_c, "write a model as C" },
	{ "stats", NULL, cmd_stats, "show queries and the time they take" },
	{ "collect", NULL, cmd_collect, "collect training data" },
	{ "eval", NULL, cmd_eval, "let the kernel compute a model's answers" },
	{ "monitor", NULL, cmd_monitor, "show changes as they happen" },
	{ "flows", NULL, cmd_flows, "show the connections that a model paces" },
	{ "top", NULL, cmd_top, "watch the apps" },
	{ "history", NULL, cmd_history, "show records that were kept on disk" },
	{ "save", NULL, cmd_save, "save apps and models for the next boot" },
	{ "restore", NULL, cmd_restore, "install what was saved" },
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
	fprintf(f, "  lfctl %-18s %s\n", "help [COMMAND]", "this, or the options of a command");
	if (f == stdout)
		fprintf(f, "\nReport bugs to %s.\n", TOOL_BUGS);
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

/* What could have been meant: commands, or those of a group. */
static const char *hint(const char *group, const char *word)
{
	const char *words[ARRAY_SIZE(commands) + 2], **w = words;
	const struct command *c;

	for (c = commands; c < commands + ARRAY_SIZE(commands); c++)
		if (!group)
			*w++ = c->group;
		else if (c->name && !strcmp(c->group, group))
			*w++ = c->name;
	*w++ = "help";
	*w = NULL;
	return tool_hint(word, words);
}

static int no_command(int argc, char **argv)
{
	const char *group = argv[1];

	if (!is_group(group)) {
		fprintf(stderr, "lfctl: no command \"%s\"%s\n", group, hint(NULL, group));
		return usage(stderr, NULL);
	}
	if (argc < 3)
		fprintf(stderr, "lfctl: %s: which command?\n", group);
	else
		fprintf(stderr, "lfctl: %s: no command \"%s\"%s\n", group, argv[2],
			hint(group, argv[2]));
	return usage(stderr, group);
}

static int run(const struct command *c, int argc, char **argv)
{
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "lfctl %s%s%s", c->group, c->name ? " " : "",
		 c->name ? c->name : "");
	argv[0] = name;
	ret = c->run(argc, argv);
	if (fflush(stdout) || ferror(stdout))
		return complain("standard output: write error");
	return ret;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "-?") ||
	       !strcmp(word, "help");
}

/* "lfctl help model pack" is "lfctl model pack --help". */
static int help(int argc, char **argv)
{
	char *words[] = { NULL, "--help", NULL };
	const struct command *c;

	if (argc < 2)
		return usage(stdout, NULL);
	c = find(argv[1], argc > 2 ? argv[2] : NULL);
	if (c)
		return run(c, 2, words);
	if (argc == 2 && is_group(argv[1]))
		return usage(stdout, argv[1]);
	return no_command(argc, argv);
}

int main(int argc, char **argv)
{
	const struct command *c;
	int skip;

	for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
		if (!strcmp(argv[1], "--json") || !strcmp(argv[1], "-j")) {
			opt_json = true;
		} else if (is_help(argv[1])) {
			return usage(stdout, NULL);
		} else if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
			puts(argp_program_version);
			return 0;
		} else {
			fprintf(stderr, "lfctl: unknown option %s\n", argv[1]);
			return usage(stderr, NULL);
		}
	}
	if (argc < 2)
		return usage(stderr, NULL);
	if (!strcmp(argv[1], "help"))
		return help(argc - 1, argv + 1);
	c = find(argv[1], argc > 2 ? argv[2] : NULL);
	if (!c) {
		if (is_group(argv[1]) && argc > 2 && is_help(argv[2]))
			return usage(stdout, argv[1]);
		return no_command(argc, argv);
	}
	skip = c->name ? 2 : 1;
	return run(c, argc - skip, argv + skip);
}
