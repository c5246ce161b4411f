// SPDX-License-Identifier: GPL-2.0
/*
 * Names of numbers: those of the family's YAML specification, which make-names
 * turns into names-gen.h, and those of capabilities. A number without a name is
 * newer than this program.
 */
#include <strings.h>
#include <json-c/json.h>
#include "netlink.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

static const char *name_of(const char *const *names, unsigned int n, const struct nlattr *attr)
{
	uint64_t v = nl_uint(attr);

	return attr && v < n && names[v] ? names[v] : "?";
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

const char *capability_name(const struct nlattr *attr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (capabilities[i].number == nl_uint(attr))
			return capabilities[i].name;
	return "?";
}

int capability_number(const char *name)
{
	unsigned int i;

	if (!strncasecmp(name, "cap_", 4))
		name += 4;
	for (i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (!strcasecmp(capabilities[i].name, name))
			return capabilities[i].number;
	return -1;
}

void json_put_uint(struct json_object *o, const char *key, const struct nlattr *attr)
{
	if (attr)
		json_object_object_add(o, key, json_object_new_uint64(nl_uint(attr)));
}

void json_put_string(struct json_object *o, const char *key, const struct nlattr *attr)
{
	if (attr)
		json_object_object_add(o, key, json_object_new_string(nl_string(attr)));
}
