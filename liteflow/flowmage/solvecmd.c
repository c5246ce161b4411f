// SPDX-License-Identifier: GPL-2.0
/*
 * flowmage solve
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "chain.h"
#include "devquery.h"
#include "flowmage.h"
#include "pcap.h"

enum { OPT_FRAGMENTS = 256, OPT_SAME, OPT_SEED, OPT_SYSFS };

#define MAX_WORDS	64

struct options {
	char *devices[STEER_DEVICES + 1];
	char *captures[MAX_WORDS];
	char *addresses[4];
	char *same[MAX_WORDS];
	char *functions[CHAIN_FUNCTIONS];
	unsigned int n_devices, n_captures, n_addresses, n_same, n_functions;
	const char *output;
	const char *program;
	const char *sysfs;
	bool fragments;
	uint64_t seed;
};

static const struct argp_option argp_options[] = {
	{ "device", 'd', "NAME[=FILE]", 0,
	  "a device that packets of the chain come in on; FILE describes one elsewhere", 0 },
	{ "output", 'o', "FILE", 0, "where the plan goes (for apply); - is standard output", 0 },
	{ "capture", 'c', "[DEVICE=]FILE", 0, "packets to spread evenly: a pcap file", 0 },
	{ "addresses", 'a', "src=PREFIX|dst=PREFIX", 0, "addresses that occur", 0 },
	{ "fragments", OPT_FRAGMENTS, "share|apart", 0,
	  "do fragments reach the state of their flow (share, the default), or none with ports",
	  0 },
	{ "same-map", OPT_SAME, "NAME", 0, "maps of this name are one, in whatever file", 0 },
	{ "program", 'p', "FILE", 0, "where the XDP program goes if one is needed", 0 },
	{ "seed", OPT_SEED, "N", 0, "of the keys that are drawn (default 1)", 0 },
	{ "sysfs", OPT_SYSFS, "DIR", OPTION_HIDDEN, "instead of /sys", 0 },
	{ 0 }
};

static void add_word(struct argp_state *state, char **words, unsigned int *n, unsigned int max,
		     char *arg)
{
	if (*n == max)
		argp_error(state, "'%s' is one too many", arg);
	words[(*n)++] = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		add_word(state, o->devices, &o->n_devices, STEER_DEVICES, arg);
		break;
	case 'o':
		o->output = arg;
		break;
	case 'c':
		add_word(state, o->captures, &o->n_captures, MAX_WORDS, arg);
		break;
	case 'a':
		add_word(state, o->addresses, &o->n_addresses, 4, arg);
		break;
	case 'p':
		o->program = arg;
		break;
	case OPT_FRAGMENTS:
		if (strcmp(arg, "share") && strcmp(arg, "apart"))
			argp_error(state, "--fragments is '%s': share or apart", arg);
		o->fragments = !strcmp(arg, "share");
		break;
	case OPT_SAME:
		add_word(state, o->same, &o->n_same, MAX_WORDS, arg);
		break;
	case OPT_SEED:
		o->seed = parse_number(state, "the seed", arg, 0, UINT64_MAX);
		break;
	case OPT_SYSFS:
		o->sysfs = arg;
		break;
	case ARGP_KEY_ARG:
		add_word(state, o->functions, &o->n_functions, CHAIN_FUNCTIONS, arg);
		break;
	case ARGP_KEY_END:
		if (!o->n_devices)
			argp_error(state, "which device? Name one with --device");
		if (!o->n_functions)
			argp_error(state, "which functions? Name the files of flowmage analyze");
		break;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = NULL;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "FUNCTION[@DEVICE[,DEVICE]]...",
	.doc = "Find hashed fields, a key and a table for each device, under which every CPU owns "
	       "the state of the packets that it gets.\vA FUNCTION is a file that flowmage analyze "
	       "--json wrote, FILE or FILE:NAME, or what it takes, bpf:FILE or bpf:FILE:PROGRAM. "
	       "They stand in the order in which packets of the first device meet them; @DEVICE says "
	       "whose "
	       "packets come there, if not all.",
	.children = children,
};

static int read_prefix(const char *arg, struct traffic *traffic)
{
	bool dst = !strncmp(arg, "dst=", 4);
	char address[64], *slash, *end;
	struct prefix p = { .given = true };
	unsigned long length, bits;
	bool ipv6;

	if (!dst && strncmp(arg, "src=", 4))
		return complain("--addresses %s: src=PREFIX or dst=PREFIX", arg);
	snprintf(address, sizeof(address), "%s", arg + 4);
	slash = strchr(address, '/');
	if (slash)
		*slash++ = 0;
	ipv6 = strchr(address, ':');
	if (inet_pton(ipv6 ? AF_INET6 : AF_INET, address, p.address) != 1)
		return complain("--addresses %s: \"%s\" is no address", arg, address);
	bits = ipv6 ? 128 : 32;
	length = slash ? strtoul(slash, &end, 10) : bits;
	if (slash && (!*slash || *end || *slash == '-' || length > bits))
		return complain("--addresses %s: a prefix has 0 to %lu bits", arg, bits);
	p.length = length;
	for (unsigned int bit = length; bit < 128; bit++)
		p.address[bit / 8] &= ~(0x80 >> bit % 8);
	traffic->prefix[ipv6][dst] = p;
	return 0;
}

static int read_capture(const char *arg, const struct chain *chain, struct traffic *traffic)
{
	const char *file = strchr(arg, '=');
	unsigned int d;

	for (d = 0; file && d < chain->n_devices; d++)
		if (strlen(chain->devices[d].name) == (size_t)(file - arg) &&
		    !strncmp(arg, chain->devices[d].name, file - arg))
			return pcap_read(file + 1, d, traffic);
	return pcap_read(arg, -1, traffic);
}

static int read_all(const struct options *o, struct chain *chain, struct traffic *traffic,
		    struct steer *st)
{
	unsigned int i;

	for (i = 0; i < o->n_devices; i++)
		if (chain_add_device(chain, o->devices[i]))
			return EXIT_OTHER;
	for (i = 0; i < o->n_functions; i++)
		if (chain_add_functions(chain, o->functions[i]))
			return EXIT_OTHER;
	for (i = 0; i < o->n_addresses; i++)
		if (read_prefix(o->addresses[i], traffic))
			return EXIT_OTHER;
	for (i = 0; i < o->n_captures; i++)
		if (read_capture(o->captures[i], chain, traffic))
			return EXIT_OTHER;
	st->fragments = o->fragments;
	return chain_steer(chain, o->same, o->n_same, st);
}

static int write_program(const struct options *o, const struct steer *st,
			 const struct solution *s)
{
	char *text;
	int ret;

	if (s->way != WAY_CPUMAP || !o->program)
		return 0;
	text = software_source(st, &s->software, st->devices[0].queues);
	if (!text)
		return complain("out of memory");
	ret = write_file(o->program, text, strlen(text));
	free(text);
	return ret;
}

static int report(const struct options *o, const struct chain *chain, const struct steer *st,
		  const struct solution *s)
{
	struct json_object *plan;
	const char *text;
	int ret = 0;

	plan = plan_json(chain, st, s, o->program);
	if (!plan || write_program(o, st, s)) {
		json_object_put(plan);
		return EXIT_OTHER;
	}
	if (o->output) {
		text = json_object_to_json_string_ext(plan, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
		ret = write_file(o->output, text, strlen(text));
	}
	if (!ret && opt_json) {
		print_json(plan);
		return 0;
	}
	json_object_put(plan);
	if (!ret && !(o->output && !strcmp(o->output, "-"))) {
		plan_print(st, s);
		if (s->way == WAY_CPUMAP && !o->program)
			printf("write the program with --program FILE\n");
	}
	return ret;
}

int cmd_solve(int argc, char **argv)
{
	struct options o = { .fragments = true, .seed = 1, .sysfs = "/sys" };
	struct traffic traffic = { 0 };
	struct steer st = { 0 };
	struct chain *chain;
	struct solution *s;
	unsigned int d;
	int ret = EXIT_OTHER;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	chain = calloc(1, sizeof(*chain));
	s = calloc(1, sizeof(*s));
	if (!chain || !s) {
		complain("out of memory");
		goto out;
	}
	if (read_all(&o, chain, &traffic, &st))
		goto out;
	for (d = 0; d < chain->n_devices; d++)
		if (!chain->devices[d].file)
			device_warn(&chain->devices[d], o.sysfs);
	ret = solve(&st, &traffic, o.seed, s) ? complain("out of memory") :
						report(&o, chain, &st, s);
out:
	if (s)
		solution_free(s);
	free(s);
	steer_free(&st);
	if (chain)
		chain_free(chain);
	free(chain);
	free(traffic.samples);
	return ret;
}
