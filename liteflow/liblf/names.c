// SPDX-License-Identifier: GPL-2.0
/*
 * Names of numbers: those of the family's YAML specification, which make-names
 * turns into names-gen.h, and those of capabilities. A number without a name is
 * newer than this library.
 */
#include <strings.h>
#include "netlink.h"

static const char *name_of(const char *const *names, unsigned int n, uint32_t number)
{
	return number < n && names[number] ? names[number] : "?";
}

static int number_of(const char *const *names, unsigned int n, const char *name)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (names[i] && !strcasecmp(names[i], name))
			return i;
	return -1;
}

#include "names-gen.h"

/* of linux/capability.h */
static const struct {
	const char *name;
	unsigned int number;
} capabilities[] = {
	{ "net_admin", 12 },
	{ "sys_admin", 21 },
};

const char *lf_capability_name(uint32_t number)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (capabilities[i].number == number)
			return capabilities[i].name;
	return "?";
}

int lf_capability_number(const char *name)
{
	unsigned int i;

	if (!strncasecmp(name, "cap_", 4))
		name += 4;
	for (i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (!strcasecmp(capabilities[i].name, name))
			return capabilities[i].number;
	return -1;
}
