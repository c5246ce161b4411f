// SPDX-License-Identifier: GPL-2.0
/*
 * The kinds of functions that there are.
 */
#include <string.h>
#include "click_path.h"
#include "function.h"
#include "nft.h"

static const struct kind {
	const char *prefix;
	int (*analyse)(const char *spec, bool explain, struct fm_analysis *result, char *why,
		       size_t len);
} kinds[] = {
	{ "bpf:", fm_analyse_bpf },
	{ "nft:", fm_analyse_nft },
	{ "click:", fm_analyse_click },
};

static const struct kind *find(const char *spec)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strncmp(spec, kinds[i].prefix, strlen(kinds[i].prefix)))
			return &kinds[i];
	return NULL;
}

bool fm_is_spec(const char *spec)
{
	return find(spec);
}

int fm_analyse(const char *spec, bool explain, struct fm_analysis *result, char *why, size_t len)
{
	const struct kind *k = find(spec);

	return k->analyse(spec + strlen(k->prefix), explain, result, why, len);
}
