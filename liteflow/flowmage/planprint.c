// SPDX-License-Identifier: GPL-2.0
/*
 * Plans in words.
 */
#include <stdio.h>
#include <string.h>
#include "flowmage.h"
#include "plan.h"

static const char *const way_words[WAYS] = {
	[WAY_NONE] = "no state depends on the steering",
	[WAY_KEY] = "a key and a table; the hashed fields stay",
	[WAY_FIELDS] = "other hashed fields, a key and a table",
	[WAY_XFRM] = "a transform of the device, a key and a table",
	[WAY_CONTEXTS] = "an RSS context with a key for IPv6, beside the one for IPv4",
	[WAY_CPUMAP] = "an XDP program that passes packets on to other CPUs",
	[WAY_SHARED] = "a key for some of the state; the rest stays shared, with locks",
};

static void print_key(const struct device *dev, const uint8_t *key)
{
	unsigned int i;

	for (i = 0; i < dev->key_len; i++)
		printf("%s%02x", i ? ":" : "", key[i]);
	printf("\n");
}

static void print_table(const struct device *dev, const char *what, const uint32_t *table)
{
	unsigned int i;

	printf("# %s: table%s", dev->name, what);
	for (i = 0; i < dev->table_len; i++)
		printf(" %u", table[i]);
	printf("\n");
}

void plan_print_commands(const struct device *dev, const struct rss *now, const struct rss *rss,
			 const struct context *context)
{
	unsigned int t;

	for (t = 0; t < FLOW_TYPES; t++)
		if (dev->fields_known && now->fields[t] != rss->fields[t])
			printf("ethtool -N %s rx-flow-hash %s %s\n", dev->name, flow_type_names[t],
			       device_fields_text(rss->fields[t]));
	if (now->xfrm != rss->xfrm)
		printf("ethtool -X %s xfrm %s\n", dev->name, hash_xfrm_names[rss->xfrm]);
	if (memcmp(now->key, rss->key, dev->key_len)) {
		printf("ethtool -X %s hkey ", dev->name);
		print_key(dev, rss->key);
	}
	if (memcmp(now->table, rss->table, dev->table_len * sizeof(*rss->table)))
		print_table(dev, "", rss->table);
	if (!context->used)
		return;
	printf("ethtool -X %s context new hkey ", dev->name);
	print_key(dev, context->rss.key);
	print_table(dev, " of the context", context->rss.table);
	printf("ethtool -N %s flow-type ip6 context NEW\n", dev->name);
}

/* Are the hashed fields in the order that the specification has? Else ranks are not known. */
static bool standard(const struct solution *s, unsigned int d, enum packet_class class)
{
	uint8_t fields = s->hashed[d][packet_kinds[class].flow];

	return s->xfrm[d] == XFRM_NONE && (fields == HASH_ADDRESSES || fields == HASH_ALL);
}

static void print_device(const struct steer *st, const struct solution *s, unsigned int d)
{
	const struct device *dev = &st->devices[d];
	unsigned int class, t;

	printf("%s: %s, %u queues, a key of %u bytes, a table of %u\n", dev->name,
	       dev->driver[0] ? dev->driver : "a described device", dev->queues, dev->key_len,
	       dev->table_len);
	for (t = 0; t < FLOW_TYPES; t++)
		if (s->hashed[d][t] != dev->now.fields[t])
			printf("  %s hashes %s, now %s\n", flow_type_names[t],
			       device_fields_text(s->hashed[d][t]),
			       device_fields_text(dev->now.fields[t]));
	for (class = 0; class < PKT_CLASSES; class++)
		if (!(st->demand[d] >> class & 1))
			continue;
		else if (!standard(s, d, class))
			printf("  %s: spread as the device hashes these fields\n",
			       packet_kinds[class].name);
		else
			printf("  %s: %u of %u index bits vary\n", packet_kinds[class].name,
			       s->way == WAY_CONTEXTS && packet_kinds[class].ipv6 ?
			       s->ipv6.rank[d][class] : s->main.rank[d][class], st->index_bits[d]);
}

static void print_conflict(const struct steer *st, const struct solution *s)
{
	unsigned int i;

	printf("with one key per device there is no solution for all: %s\n", s->obstacle);
	printf("the smallest set that has none:\n");
	for (i = 0; i < st->n_units; i++)
		if (s->conflict[i])
			printf("  %s\n", st->units[i].name);
}

void plan_print(const struct steer *st, const struct solution *s)
{
	unsigned int i, d;

	printf("way: %s: %s\n", way_names[s->way], way_words[s->way]);
	if (s->any_conflict)
		print_conflict(st, s);
	for (i = 0; i < st->n_units; i++)
		printf("%s %s%s\n", s->on[i] ? "private" : "shared ", st->units[i].name,
		       s->on[i] ? "" : st->units[i].per_packet ? ": written by every packet" : "");
	for (i = 0; i < st->n_maps; i++)
		if (st->maps[i].shared && st->maps[i].state)
			printf("shared  %s: map %s: %s\n", st->maps[i].origin, st->maps[i].name,
			       st->maps[i].shared);
	if (s->way == WAY_NONE || s->way == WAY_CPUMAP)
		return;
	for (d = 0; d < st->n_devices; d++)
		print_device(st, s, d);
	printf("expected: the fullest queue gets %.3f times the mean, %s\n", s->main.fullest,
	       s->main.samples ? "of the capture" : "if all addresses are equally frequent");
}
