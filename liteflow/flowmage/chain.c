// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "chain.h"
#include "flowmage.h"

int chain_add_device(struct chain *chain, const char *arg)
{
	const char *file = strchr(arg, '=');
	struct device *dev = &chain->devices[chain->n_devices];
	char name[IFNAMSIZ + 1];
	unsigned int i;

	if (chain->n_devices == STEER_DEVICES)
		return complain("%s: more than %d devices", arg, STEER_DEVICES);
	snprintf(name, sizeof(name), "%.*s", file ? (int)(file - arg) : IFNAMSIZ, arg);
	for (i = 0; i < chain->n_devices; i++)
		if (!strcmp(name, chain->devices[i].name))
			return complain("%s: the device is there twice", name);
	if (device_load(dev, name, file ? file + 1 : NULL)) {
		device_free(dev);
		return EXIT_OTHER;
	}
	chain->n_devices++;
	if (!dev->toeplitz)
		return complain("%s: its hash is not Toeplitz's: no key can be computed", name);
	if (!device_index_bits(dev))
		return complain("%s: a table of %u entries: only powers of two are indexed by bits "
				"of the hash",
				name, dev->table_len);
	return 0;
}

static int find_devices(const struct chain *chain, const char *list, uint32_t *set)
{
	char *copy, *name, *rest = NULL;
	unsigned int d;
	int ret = 0;

	*set = 0;
	copy = strdup(list);
	for (name = strtok_r(copy, ",", &rest); name && !ret; name = strtok_r(NULL, ",", &rest)) {
		for (d = 0; d < chain->n_devices; d++)
			if (!strcmp(name, chain->devices[d].name))
				break;
		if (d == chain->n_devices)
			ret = complain("@%s: no --device of that name", name);
		else
			*set |= 1u << d;
	}
	free(copy);
	return !ret && !*set ? complain("@%s: which device?", list) : ret;
}

/* "bpf:FILE:PROG" without ":PROG"; programs that are loaded share maps by their numbers */
static char *origin_of(const struct fm_function *fn)
{
	const char *end = strrchr(fn->source, ':');
	char *origin = strdup(strncmp(fn->source, "bpf:id:", 7) ? fn->source : "bpf:id");

	if (origin && end && end - fn->source < (long)strlen(origin) &&
	    end > strchr(fn->source, ':') && !strcmp(end + 1, fn->name))
		origin[end - fn->source] = 0;
	return origin;
}

/* Takes what @fn points to. */
static int add_function(struct chain *chain, const char *path, uint32_t devices,
			struct fm_function *fn)
{
	struct chain_function *more;

	if (chain->n_functions == CHAIN_FUNCTIONS) {
		fm_function_free(fn);
		return complain("%s: more than %d functions in the chain", path, CHAIN_FUNCTIONS);
	}
	more = realloc(chain->functions, (chain->n_functions + 1) * sizeof(*more));
	if (!more) {
		fm_function_free(fn);
		return complain("out of memory");
	}
	chain->functions = more;
	more += chain->n_functions++;
	*more = (struct chain_function){ .path = strdup(path), .origin = origin_of(fn),
					 .function = *fn, .devices = devices };
	return more->path && more->origin ? 0 : complain("out of memory");
}

static int add_json(struct chain *chain, const char *path, const char *name, uint32_t devices,
		    struct json_object *o, const char *place, bool *found)
{
	struct fm_function fn;
	char why[200];

	if (fm_function_parse(o, &fn, why, sizeof(why)))
		return complain("%s%s: %s", path, place, why);
	if (name && strcmp(name, fn.name)) {
		fm_function_free(&fn);
		return 0;
	}
	*found = true;
	return add_function(chain, path, devices, &fn);
}

/* An element of a Click file that matters to nobody: there may be many. */
static bool is_idle(const struct fm_function *fn)
{
	return !strncmp(fn->hook, "click ", 6) && fn->complete && !fn->n_maps && !fn->n_rewrites &&
	       !fn->rewrites_unknown;
}

/* An object, rules or a configuration, as analyze takes them. */
static int add_object(struct chain *chain, const char *spec, uint32_t devices)
{
	struct fm_analysis result;
	struct fm_function *fn;
	char why[600], *path = plan_source_file(spec);
	unsigned int i;
	int ret = 0;

	if (fm_analyse(spec, false, &result, why, sizeof(why))) {
		free(path);
		return *why ? complain("%s", why) : EXIT_OTHER;
	}
	for (i = 0; i < result.n && !ret; i++) {
		/* on devices but the first, packets meet the functions in the opposite order */
		fn = &result.functions[devices & 1 || *spec != 'c' ? i : result.n - 1 - i];
		if (is_idle(fn))
			continue;
		ret = add_function(chain, path ? path : spec, devices, fn);
		memset(fn, 0, sizeof(*fn));
	}
	fm_analysis_free(&result);
	free(path);
	return ret;
}

/* A file is a list of functions, as analyze writes it, or one of them. */
static int add_file(struct chain *chain, const char *path, const char *name, uint32_t devices)
{
	struct json_object *o = json_read_any(path);
	bool found = false;
	char place[40];
	int ret = 0;
	size_t i;

	if (!o)
		return EXIT_OTHER;
	if (!json_object_is_type(o, json_type_array)) {
		ret = add_json(chain, path, name, devices, o, "", &found);
	} else {
		for (i = 0; i < json_object_array_length(o) && !ret; i++) {
			snprintf(place, sizeof(place), ": [%zu]", i);
			ret = add_json(chain, path, name, devices,
				       json_object_array_get_idx(o, i), place, &found);
		}
	}
	json_object_put(o);
	if (!ret && !found)
		ret = name ? complain("%s: no function \"%s\" in it", path, name) :
			     complain("%s: no function in it", path);
	return ret;
}

int chain_add_functions(struct chain *chain, const char *arg)
{
	uint32_t devices = (1u << chain->n_devices) - 1;
	char *path = strdup(arg), *at, *name = NULL;
	int ret = 0;

	if (!path)
		return complain("out of memory");
	at = access(path, F_OK) ? strrchr(path, '@') : NULL;
	if (at) {
		*at = 0;
		ret = find_devices(chain, at + 1, &devices);
	}
	if (fm_is_spec(path)) {
		ret = ret ? ret : add_object(chain, path, devices);
		free(path);
		return ret;
	}
	if (!ret && access(path, F_OK)) {
		name = strrchr(path, ':');
		if (name)
			*name++ = 0;
	}
	if (!ret)
		ret = add_file(chain, path, name, devices);
	free(path);
	return ret;
}

static int add_use(struct chain *chain, unsigned int number, unsigned int device,
		   const struct fm_function **before, unsigned int n_before, struct steer *st)
{
	const struct steer_use use = {
		.function = &chain->functions[number].function,
		.origin = chain->functions[number].origin,
		.number = number,
		.device = device,
		.before = before,
		.n_before = n_before,
	};

	return steer_add(st, &use);
}

int chain_steer(struct chain *chain, char *const *same, unsigned int n_same, struct steer *st)
{
	const struct fm_function *before[CHAIN_FUNCTIONS];
	unsigned int d, i, f, n;

	st->devices = chain->devices;
	st->n_devices = chain->n_devices;
	st->same = same;
	st->n_same = n_same;
	for (d = 0; d < chain->n_devices; d++) {
		st->index_bits[d] = device_index_bits(&chain->devices[d]);
		for (i = 0, n = 0; i < chain->n_functions; i++) {
			f = d ? chain->n_functions - 1 - i : i;
			if (!(chain->functions[f].devices >> d & 1))
				continue;
			if (add_use(chain, f, d, before, n, st))
				return complain("out of memory");
			before[n++] = &chain->functions[f].function;
		}
	}
	return steer_finish(st) ? complain("out of memory") : 0;
}

void chain_free(struct chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->n_devices; i++)
		device_free(&chain->devices[i]);
	for (i = 0; i < chain->n_functions; i++) {
		fm_function_free(&chain->functions[i].function);
		free(chain->functions[i].path);
		free(chain->functions[i].origin);
	}
	free(chain->functions);
	memset(chain, 0, sizeof(*chain));
}
