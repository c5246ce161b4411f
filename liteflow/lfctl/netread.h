/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What net.c and netcell.c read JSON with; each refuses with a reason, and @where says
 * which part of the text it is about.
 */
#ifndef _LFCTL_NETREAD_H
#define _LFCTL_NETREAD_H

#include <stdbool.h>
#include <json-c/json.h>
#include "net.h"

/* The object at @key, of that type; NULL: it is not there. */
struct json_object *net_member(struct json_object *from, const char *where, const char *key,
			       enum json_type type, struct reason *why);
int net_known_keys(struct json_object *o, const char *where, const char *const *keys,
		   struct reason *why);
/* A number at @key; @value stays as it is if the key is missing and @optional. */
int net_number(struct json_object *from, const char *where, const char *key, bool optional,
	       double *value, struct reason *why);
/* Numbers of a JSON array, exactly @n of them. */
int net_numbers(struct json_object *list, const char *where, unsigned int n, double *out,
		struct reason *why);

/* netcell.c: is this the object of a recurrent layer; the @nth layer, into net::cells. */
bool net_is_cell(struct json_object *o);
int net_read_cell(struct json_object *o, unsigned int nth, unsigned int n_in, struct net *net,
		  struct reason *why);
void net_free_cell(struct net_cell *cell);

#endif /* _LFCTL_NETREAD_H */
