// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/ethtool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "devquery.h"
#include "fakedev.h"
#include "flowmage.h"

struct fake *fakes;
struct fault *fault;

static const uint32_t flows[FLOW_TYPES] = {
	TCP_V4_FLOW, UDP_V4_FLOW, SCTP_V4_FLOW, IPV4_FLOW,
	TCP_V6_FLOW, UDP_V6_FLOW, SCTP_V6_FLOW, IPV6_FLOW,
};

static int flow_of(uint32_t type)
{
	unsigned int t;

	for (t = 0; t < FLOW_TYPES; t++)
		if (flows[t] == type)
			return t;
	return -1;
}

/* 1: do it; 0: do nothing and say that it was done; -1: refuse */
static int allowed(void)
{
	unsigned int n = ++fault->calls;

	if (n == fault->die_at || (fault->die_after && n == fault->die_after + 1))
		_exit(77);
	if (n >= fault->refuse_at && n <= fault->refuse_to) {
		errno = EINVAL;
		return -1;
	}
	return n != fault->ignore_at;
}

static int no(int error)
{
	errno = error;
	return -1;
}

/* Key and table of a second context; without a table it is taken away. */
static int context(struct fake *f, struct ethtool_rxfh *r, bool set)
{
	uint32_t id = r->rss_context;
	struct fake_context *c;
	unsigned int i;
	int go = 1;

	if (!f->n_contexts)
		return no(EOPNOTSUPP);
	if (set) {
		go = allowed();
		if (go < 0)
			return -1;
	}
	for (i = 0; id == ETH_RXFH_CONTEXT_ALLOC && i < f->n_contexts; i++)
		if (!f->context[i].used)
			id = i + 1;
	if (!id || id > f->n_contexts)
		return no(id == ETH_RXFH_CONTEXT_ALLOC ? ENOSPC : ENOENT);
	c = &f->context[id - 1];
	if (!c->used && r->rss_context != ETH_RXFH_CONTEXT_ALLOC)
		return no(ENOENT);
	if (!set) {
		if (!r->indir_size)
			return 0;
		memcpy(r->rss_config, c->table, sizeof(c->table));
		memcpy(r->rss_config + TABLE, c->key, KEY);
		return 0;
	}
	if (go && !r->indir_size) {
		for (i = 0; i < RULES; i++)
			if (f->rule[i].flow_type && f->rule[i].context == id)
				return no(EBUSY);
		memset(c, 0, sizeof(*c));
	} else if (go) {
		c->used = true;
		memcpy(c->table, r->rss_config, sizeof(c->table));
		memcpy(c->key, r->rss_config + TABLE, KEY);
	}
	r->rss_context = id;
	return 0;
}

static int rxfh(struct fake *f, struct ethtool_rxfh *r, bool set)
{
	int go;

	if (r->rss_context)
		return context(f, r, set);
	if (!set && !r->indir_size) {
		r->indir_size = TABLE;
		r->key_size = KEY;
		r->hfunc = 1;
		return 0;
	}
	if (!set) {
		memcpy(r->rss_config, f->table, sizeof(f->table));
		memcpy(r->rss_config + TABLE, f->key, KEY);
		return 0;
	}
	go = allowed();
	if (go > 0) {
		if (r->indir_size == TABLE)
			memcpy(f->table, r->rss_config, sizeof(f->table));
		memcpy(f->key, r->rss_config + (r->indir_size == TABLE ? TABLE : 0), KEY);
		f->left = false;
	}
	return go < 0 ? -1 : 0;
}

/* As virtio_net: one set for all or addresses; IPv4 and IPv6 make all of their family alike. */
static int rx_fields(struct fake *f, struct ethtool_rxnfc *r, bool set)
{
	int t = flow_of(r->flow_type), go;

	if (!set) {
		r->data = f->fields[t] << 4;
		return 0;
	}
	go = allowed();
	if (go < 0)
		return -1;
	if (!go)
		return 0;
	if (t == FLOW_IP4 || t == FLOW_IP6)
		memset(f->fields + t - 3, HASH_ADDRESSES, 4);
	f->fields[t] = r->data >> 4;
	return 0;
}

static unsigned int count_rules(const struct fake *f)
{
	unsigned int i, n = f->rules;

	for (i = 0; i < RULES; i++)
		n += f->rule[i].flow_type != 0;
	return n;
}

/* Rules that send flows to queues or contexts. */
static int flow_rules(struct fake *f, struct ethtool_rxnfc *r)
{
	struct fake_rule *rule = &f->rule[r->fs.location % RULES];
	unsigned int i, n = 0;
	int go;

	switch (r->cmd) {
	case ETHTOOL_GRXCLSRLCNT:
		r->rule_cnt = count_rules(f);
		r->data = RULES | (f->places ? 0 : RX_CLS_LOC_SPECIAL);
		return 0;
	case ETHTOOL_GRXCLSRLALL:
		if (r->rule_cnt < count_rules(f))
			return no(EMSGSIZE);
		for (i = 0; i < RULES; i++)
			if (f->rule[i].flow_type)
				r->rule_locs[n++] = i;
		r->rule_cnt = n;
		r->data = RULES;
		return 0;
	case ETHTOOL_GRXCLSRULE:
		if (!rule->flow_type)
			return no(ENOENT);
		r->fs.flow_type = rule->flow_type;
		r->fs.ring_cookie = rule->ring;
		r->rss_context = rule->context;
		return 0;
	case ETHTOOL_SRXCLSRLDEL:
		go = allowed();
		if (go > 0)
			memset(rule, 0, sizeof(*rule));
		return go < 0 ? -1 : 0;
	default:
		break;
	}
	if (r->fs.location & RX_CLS_LOC_SPECIAL) {
		/* of the special places it knows only "any" */
		if (f->places || r->fs.location != RX_CLS_LOC_ANY)
			return no(EINVAL);
		for (i = 0; i < RULES && f->rule[i].flow_type; i++)
			;
		rule = &f->rule[i];
	}
	go = allowed();
	if (go > 0)
		*rule = (struct fake_rule){ r->fs.flow_type, r->rss_context, r->fs.ring_cookie };
	return go < 0 ? -1 : 0;
}

static int fake_ioctl(const char *name, void *data)
{
	struct fake *f = fakes;

	while (f < fakes + 2 && strcmp(f->name, name))
		f++;
	if (f == fakes + 2) {
		errno = ENODEV;
		return -1;
	}
	switch (*(uint32_t *)data) {
	case ETHTOOL_GDRVINFO:
		strcpy(((struct ethtool_drvinfo *)data)->driver,
		       f->other ? "other" : "virtio_net");
		return 0;
	case ETHTOOL_GRXRINGS:
		((struct ethtool_rxnfc *)data)->data = f->queues;
		return 0;
	case ETHTOOL_GRXCLSRLCNT:
	case ETHTOOL_GRXCLSRLALL:
	case ETHTOOL_GRXCLSRULE:
	case ETHTOOL_SRXCLSRLDEL:
	case ETHTOOL_SRXCLSRLINS:
		return flow_rules(f, data);
	case ETHTOOL_GRSSH:
	case ETHTOOL_SRSSH:
		return rxfh(f, data, *(uint32_t *)data == ETHTOOL_SRSSH);
	case ETHTOOL_GRXFH:
	case ETHTOOL_SRXFH:
		return rx_fields(f, data, *(uint32_t *)data == ETHTOOL_SRXFH);
	}
	errno = EOPNOTSUPP;
	return -1;
}

void fake_reset(void)
{
	unsigned int d, i;

	memset(fault, 0, sizeof(*fault));
	for (d = 0; d < 2; d++) {
		memset(&fakes[d], 0, sizeof(fakes[d]));
		snprintf(fakes[d].name, IFNAMSIZ, "eth%u", d);
		fakes[d].queues = QUEUES;
		memset(fakes[d].key, 0x5a + d, KEY);
		for (i = 0; i < TABLE; i++)
			fakes[d].table[i] = i % QUEUES;
		memset(fakes[d].fields, HASH_ADDRESSES, FLOW_TYPES);
		fakes[d].fields[FLOW_IP4] = 0;
		fakes[d].fields[FLOW_SCTP4] = 0;
	}
}

/* A plan that changes fields, key and table of both devices. */
void make_plan(struct plan *plan, uint8_t mark)
{
	unsigned int d, i;

	memset(plan, 0, sizeof(*plan));
	plan->way = WAY_FIELDS;
	plan->n_devices = 2;
	for (d = 0; d < 2; d++) {
		if (device_load(&plan->devices[d], d ? "eth1" : "eth0", NULL))
			exit(1);
		plan_device_digest(&plan->devices[d], plan->digest[d]);
		plan->set[d] = plan->devices[d].now;
		memset(plan->set[d].key, mark + d, KEY);
		for (i = 0; i < TABLE; i++)
			plan->set[d].table[i] = (i + mark) / 3 % QUEUES;
		memset(plan->set[d].fields, HASH_ADDRESSES, FLOW_TYPES);
		plan->set[d].fields[FLOW_TCP4] = HASH_ALL;
		plan->set[d].fields[FLOW_UDP6] = HASH_ALL;
	}
}

bool has(const struct plan *plan)
{
	struct rss now;
	unsigned int d;

	for (d = 0; d < 2; d++)
		if (device_read(&plan->devices[d], &now) ||
		    !rss_equal(&plan->devices[d], &now, &plan->set[d]))
			return false;
	return true;
}

bool kept(const char *dir, const char *name)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	return !access(path, F_OK);
}

bool fake_is(const struct fake *before)
{
	return !memcmp(before, fakes, 2 * sizeof(*fakes));
}

void wipe(const char *dir)
{
	char path[PATH_LEN];
	unsigned int d;

	for (d = 0; d < 2; d++) {
		snprintf(path, sizeof(path), "%s/eth%u.json", dir, d);
		unlink(path);
	}
}

int fake_begin(void)
{
	fakes = mmap(NULL, 2 * sizeof(*fakes) + sizeof(*fault), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fakes == MAP_FAILED)
		return -1;
	fault = (void *)(fakes + 2);
	device_ioctl = fake_ioctl;
	fake_reset();
	return 0;
}
