// SPDX-License-Identifier: GPL-2.0
/*
 * flowmage - steering that lets stateful network functions run without sharing
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "flowmage.h"
#include "tool.h"

TOOL_ABOUT("flowmage");

bool opt_json;

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "analyze", cmd_analyze, "find the state of functions and what keys it" },
	{ "solve", cmd_solve, "find fields, key and table for a chain of functions" },
	{ "apply", cmd_apply, "put a plan on devices, or take it back" },
	{ "load", cmd_load, "load the programs of a plan, private maps per CPU" },
	{ "rewrite", cmd_rewrite, "put a plan into a configuration of Click" },
	{ "verify", cmd_verify, "count on which CPUs the packets of each state arrive" },
	{ "device", cmd_device, "describe a device, to solve elsewhere" },
};

static int usage(FILE *f)
{
	const struct command *c;

	fprintf(f, "usage: flowmage COMMAND [ARGUMENT...]\n");
	for (c = commands; c < commands + ARRAY_SIZE(commands); c++)
		fprintf(f, "  flowmage %-16s %s\n", c->name, c->help);
	fprintf(f, "  flowmage %-16s %s\n", "help [COMMAND]", "this, or the options of a command");
	if (f == stdout)
		fprintf(f, "\nReport bugs to %s.\n", TOOL_BUGS);
	return f == stdout ? 0 : EXIT_USAGE;
}

static const struct command *find(const char *name)
{
	const struct command *c;

	for (c = commands; c < commands + ARRAY_SIZE(commands); c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int no_command(const char *word)
{
	const char *words[ARRAY_SIZE(commands) + 2];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		words[i] = commands[i].name;
	words[i++] = "help";
	words[i] = NULL;
	fprintf(stderr, "flowmage: no command \"%s\"%s\n", word, tool_hint(word, words));
	return usage(stderr);
}

static int run(const struct command *c, int argc, char **argv)
{
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "flowmage %s", c->name);
	argv[0] = name;
	ret = c->run(argc, argv);
	if (fflush(stdout) || ferror(stdout))
		return complain("standard output: write error");
	return ret;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "-?");
}

/* "flowmage help solve" is "flowmage solve --help". */
static int help(int argc, char **argv)
{
	char *words[] = { NULL, "--help", NULL };
	const struct command *c;

	if (argc < 2)
		return usage(stdout);
	c = find(argv[1]);
	return c ? run(c, 2, words) : no_command(argv[1]);
}

int main(int argc, char **argv)
{
	const struct command *c;

	complain_as = "flowmage";
	if (argc < 2)
		return usage(stderr);
	if (is_help(argv[1]))
		return usage(stdout);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return 0;
	}
	if (argv[1][0] == '-') {
		fprintf(stderr, "flowmage: unknown option %s\n", argv[1]);
		return usage(stderr);
	}
	if (!strcmp(argv[1], "help"))
		return help(argc - 1, argv + 1);
	c = find(argv[1]);
	return c ? run(c, argc - 1, argv + 1) : no_command(argv[1]);
}
