// SPDX-License-Identifier: GPL-2.0
/*
 * flowmage analyze: which state functions keep, and what keys it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "flowmage.h"
#include "function.h"
#include "jsonfile.h"
#include "llm/llm.h"
#include "tool.h"

struct options {
	bool json;
	bool explain;
	bool ask;
	const char *source;
	struct llm llm;
	char **spec;
	unsigned int n;
};

enum { OPT_LLM = 256, OPT_RUNS, OPT_SOURCE, OPT_TIMEOUT };

static const struct argp_option table[] = {
	{ "json", 'j', NULL, 0, "print a list of functions as JSON", 0 },
	{ "explain", 'e', NULL, 0, "tell which instructions and source lines made each key", 0 },
	{ "llm", OPT_LLM, NULL, 0,
	  "ask a language model, too; FLOWMAGE_LLM_URL, _MODEL and _KEY name it", 1 },
	{ "llm-runs", OPT_RUNS, "N", 0, "how often it is asked, for a vote (default 5)", 1 },
	{ "llm-source", OPT_SOURCE, "FILE", 0, "source text that it gets, without comments", 1 },
	{ "llm-timeout", OPT_TIMEOUT, "SECONDS", 0, "for one answer (default 120)", 1 },
	{ 0 }
};

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case 'e':
		o->explain = true;
		return 0;
	case OPT_LLM:
		o->ask = true;
		return 0;
	case OPT_RUNS:
		o->llm.runs = parse_number(state, "the number of runs", arg, 1, LLM_MAX_RUNS);
		return 0;
	case OPT_SOURCE:
		o->source = arg;
		return 0;
	case OPT_TIMEOUT:
		o->llm.seconds = parse_number(state, "the time", arg, 1, 3600);
		return 0;
	case ARGP_KEY_ARG:
		o->spec = realloc(o->spec, (o->n + 1) * sizeof(*o->spec));
		o->spec[o->n++] = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which function?");
		return 0;
	case ARGP_KEY_END:
		if (!o->ask && (o->source || o->llm.runs || o->llm.seconds))
			argp_error(state, "--llm-... go with --llm only");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char *written(const struct fm_map *m)
{
	return !m->written ? "-" : m->per_packet ? "packet" : "flow";
}

static void print_map(const struct fm_map *m, bool explain)
{
	unsigned int i, j;
	char *text;

	printf("  %-16s %-14s %-10s %-7s ", m->name, m->type, fm_class_names[m->class], written(m));
	for (i = 0; i < m->n_keys; i++) {
		text = fm_key_text(&m->keys[i]);
		printf("%s%s", i ? " | " : "", text);
		free(text);
	}
	printf("%s%s%s\n", m->n_keys ? "" : "-", m->symmetric ? " (symmetric)" : "",
	       m->written_elsewhere ? " (written by another program of the file)" : "");
	for (i = 0; i < m->n_reasons; i++)
		printf("    %s\n", m->reasons[i]);
	for (i = 0; explain && i < m->n_keys; i++) {
		text = fm_key_text(&m->keys[i]);
		printf("    %s:\n", text);
		free(text);
		for (j = 0; j < m->keys[i].n_sites; j++)
			printf("      %s\n", m->keys[i].sites[j]);
	}
}

/* What a model said, as lines: the JSON has all of it. */
static void print_advice(const char *text)
{
	struct json_object *o = json_tokener_parse(text), *v, *map;
	size_t i;

	printf("  advice of %s, %s of %s answers taken:", json_text(o, "model"),
	       json_object_get_string(json_object_object_get(o, "taken")),
	       json_object_get_string(json_object_object_get(o, "runs")));
	if (json_object_object_get_ex(o, "statefulness", &v))
		printf(" %s,", json_object_get_string(v));
	if (json_object_object_get_ex(o, "intensity", &v))
		printf(" %s,", json_object_get_string(v));
	if (json_object_object_get_ex(o, "pointer", &v))
		printf(" %s pointers,", json_object_get_boolean(v) ? "with" : "without");
	printf(" %s and %s tokens",
	       json_object_get_string(json_object_object_get(o, "prompt_tokens")),
	       json_object_get_string(json_object_object_get(o, "completion_tokens")));
	if (json_object_object_get_ex(o, "dollars", &v))
		printf(", $%.4f", json_object_get_double(v));
	putchar('\n');
	v = json_object_object_get(o, "maps");
	for (i = 0; i < json_object_array_length(v); i++) {
		map = json_object_array_get_idx(v, i);
		printf("    %s: %s: sharing costs %s\n", json_text(map, "map"),
		       json_text(map, "meaning"), json_text(map, "cost"));
	}
	v = json_object_object_get(o, "refused");
	for (i = 0; i < json_object_array_length(v); i++) {
		map = json_object_array_get_idx(v, i);
		printf("    refused %s: %s\n",
		       json_object_get_string(json_object_object_get(map, "runs")),
		       json_text(map, "reason"));
	}
	json_object_put(o);
}

static void print_function(const struct fm_function *f, bool explain)
{
	unsigned int i;
	char *text;

	printf("%s (%s): %s%s\n", f->source, f->hook, fm_class_names[f->class],
	       f->complete ? "" : ", not all of it understood");
	for (i = 0; i < f->n_maps; i++)
		print_map(&f->maps[i], explain);
	if (f->n_rewrites) {
		text = fm_slices_text(f->rewrites, f->n_rewrites);
		printf("  rewrites %s\n", text);
		free(text);
	}
	if (f->rewrites_unknown)
		printf("  rewrites the packet at places that are not known\n");
	for (i = 0; i < f->n_reasons; i++)
		printf("  %s\n", f->reasons[i]);
	if (f->advice)
		print_advice(f->advice);
}

static int analyse(const char *spec, struct options *o, struct json_object *list)
{
	struct fm_analysis result;
	/* a model sees the lines that reach the maps */
	bool sites = o->explain || o->ask;
	char why[600];
	unsigned int i;

	if (!fm_is_spec(spec))
		return complain("%s: not of the form bpf:FILE, bpf:FILE:PROGRAM, bpf:id:NUMBER, "
				"nft:FILE, nft:live or click:FILE", spec);
	if (fm_analyse(spec, sites, &result, why, sizeof(why)))
		return *why ? complain("%s", why) : EXIT_OTHER;
	for (i = 0; i < result.n; i++) {
		if (o->ask)
			llm_advise(&o->llm, &result.functions[i]);
		if (o->json)
			json_object_array_add(list, fm_function_json(&result.functions[i]));
		else
			print_function(&result.functions[i], o->explain);
	}
	fm_analysis_free(&result);
	return 0;
}

int cmd_analyze(int argc, char **argv)
{
	static const struct argp argp = {
		table, option, "FUNCTION...",
		"Find the state that functions keep and the header fields that key it.\v"
		"FUNCTION is bpf:FILE or bpf:FILE:PROGRAM: XDP and tc programs of a BPF object "
		"that was compiled with -g; bpf:id:NUMBER, a program that is loaded here; nft:FILE, "
		"what \"nft -j list ruleset\" printed; nft:live; click:FILE or "
		"click:FILE:RECEIVER, a configuration of Click. What "
		"is not understood is named and counts as shared. Advice of a model changes no key "
		"and no "
		"class; nothing is sent anywhere without --llm.",
		NULL, NULL, NULL
	};
	struct options o = { 0 };
	struct json_object *list = json_object_new_array();
	unsigned int i;
	int ret = 0;

	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_USAGE;
	o.llm.runs = o.llm.runs ? o.llm.runs : LLM_RUNS;
	o.llm.seconds = o.llm.seconds ? o.llm.seconds : LLM_SECONDS;
	if (o.ask)
		ret = llm_open(&o.llm, o.source);
	for (i = 0; i < o.n && !ret; i++)
		ret = analyse(o.spec[i], &o, list);
	if (!ret && o.json)
		puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
	if (o.ask)
		llm_close(&o.llm);
	free(o.spec);
	return ret ? EXIT_OTHER : 0;
}
