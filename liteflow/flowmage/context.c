// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/ethtool.h>
#include <stdlib.h>
#include <string.h>
#include "context.h"
#include "devquery.h"
#include "flowmage.h"

#define MAX_IDS		64	/* that are looked through for one whose number is not known */
#define MAX_RULES	4096

#define IPV6_RULE	(IPV6_USER_FLOW | FLOW_RSS)

unsigned int context_ability(const char *name)
{
	struct ethtool_rxfh sizes = { .cmd = ETHTOOL_GRSSH, .rss_context = 1 };
	struct ethtool_rxnfc rules = { .cmd = ETHTOOL_GRXCLSRLCNT };

	/* drivers without contexts refuse the question, others say that this one is not there */
	return device_ioctl(name, &rules) ? 0 :
	       !device_ioctl(name, &sizes) || errno == ENOENT;
}

/* --- key and table ------------------------------------------------------------------ */

static bool read_context(const struct device *dev, uint32_t id, struct rss *rss)
{
	struct ethtool_rxfh *r = device_rxfh(dev, ETHTOOL_GRSSH);
	bool there;

	if (!r)
		return false;
	r->rss_context = id;
	memset(rss, 0, sizeof(*rss));
	/* a driver with one key for all contexts says so by a size of 0 */
	there = !device_ioctl(dev->name, r) && r->indir_size == dev->table_len &&
		r->key_size == dev->key_len;
	if (there)
		device_take_rxfh(dev, r, rss);
	free(r);
	return there;
}

static bool alike(const struct device *dev, const struct rss *a, const struct rss *b)
{
	return !memcmp(a->key, b->key, dev->key_len) && a->xfrm == b->xfrm &&
	       !memcmp(a->table, b->table, dev->table_len * sizeof(*a->table));
}

int context_find(const struct device *dev, struct context *c)
{
	struct rss *now = malloc(sizeof(*now));
	uint32_t id, first = c->id ? c->id : 1, last = c->id ? c->id : MAX_IDS;

	if (!now)
		return complain("out of memory");
	for (id = first; c->used && id <= last; id++)
		if (read_context(dev, id, now) && (c->id || alike(dev, now, &c->rss)))
			break;
	c->used = c->used && id <= last;
	if (c->used) {
		c->id = id;
		memcpy(c->rss.key, now->key, sizeof(now->key));
		memcpy(c->rss.table, now->table, sizeof(now->table));
		c->rss.xfrm = now->xfrm;
	}
	free(now);
	return 0;
}

static int write_context(const struct device *dev, uint32_t *id, const struct rss *rss)
{
	struct ethtool_rxfh *r = device_rxfh(dev, ETHTOOL_SRSSH);
	int ret = 0;

	if (!r)
		return complain("out of memory");
	r->rss_context = *id;
	device_fill_rxfh(dev, r, rss);
	if (device_ioctl(dev->name, r))
		ret = complain("%s: an RSS context: %s", dev->name, strerror(errno));
	else
		*id = r->rss_context;
	free(r);
	return ret;
}

int context_make(const struct device *dev, struct context *c)
{
	c->id = ETH_RXFH_CONTEXT_ALLOC;
	if (write_context(dev, &c->id, &c->rss)) {
		c->id = 0;
		return EXIT_OTHER;
	}
	if (c->id && c->id != ETH_RXFH_CONTEXT_ALLOC)
		return 0;
	c->id = 0;
	return complain("%s: it made an RSS context and does not say which", dev->name);
}

/* --- rules -------------------------------------------------------------------------- */

static struct ethtool_rxnfc *list_rules(const struct device *dev)
{
	struct ethtool_rxnfc count = { .cmd = ETHTOOL_GRXCLSRLCNT }, *list;

	if (device_ioctl(dev->name, &count) || count.rule_cnt > MAX_RULES)
		return NULL;
	list = calloc(1, sizeof(*list) + count.rule_cnt * sizeof(uint32_t));
	if (!list)
		return NULL;
	list->cmd = ETHTOOL_GRXCLSRLALL;
	list->rule_cnt = count.rule_cnt;
	if (!device_ioctl(dev->name, list) && list->rule_cnt <= count.rule_cnt)
		return list;
	free(list);
	return NULL;
}

/*
 * Rules that lead to a context: how many; -1: complained. With @remove they are taken away, and
 * *@plain counts those that are as this program makes them.
 */
static int rules_to(const struct device *dev, uint32_t id, bool remove, unsigned int *plain)
{
	struct ethtool_rxnfc *list = list_rules(dev), rule, gone;
	unsigned int i;
	int n = 0;

	*plain = 0;
	if (!list) {
		complain("%s: its rules for flows cannot be read: %s", dev->name, strerror(errno));
		return -1;
	}
	for (i = 0; i < list->rule_cnt && n >= 0; i++) {
		memset(&rule, 0, sizeof(rule));
		rule.cmd = ETHTOOL_GRXCLSRULE;
		rule.fs.location = list->rule_locs[i];
		if (device_ioctl(dev->name, &rule) || !(rule.fs.flow_type & FLOW_RSS) ||
		    rule.rss_context != id)
			continue;
		n++;
		*plain += rule.fs.flow_type == IPV6_RULE && !rule.fs.ring_cookie;
		memset(&gone, 0, sizeof(gone));
		gone.cmd = ETHTOOL_SRXCLSRLDEL;
		gone.fs.location = list->rule_locs[i];
		if (remove && device_ioctl(dev->name, &gone)) {
			complain("%s: the rule %u: %s", dev->name, list->rule_locs[i],
				 strerror(errno));
			n = -1;
		}
	}
	free(list);
	return n;
}

/* IPv6 goes to the context; of lowest priority where the driver leaves a choice. */
static int add_rule(const struct device *dev, uint32_t id)
{
	struct ethtool_rxnfc count = { .cmd = ETHTOOL_GRXCLSRLCNT };
	struct ethtool_rxnfc *list;
	struct ethtool_rxnfc rule = {
		.cmd = ETHTOOL_SRXCLSRLINS, .flow_type = IPV6_RULE, .rss_context = id,
		.fs = { .flow_type = IPV6_RULE, .location = RX_CLS_LOC_LAST },
	};
	uint32_t size;

	if (device_ioctl(dev->name, &count))
		return complain("%s: its rules for flows: %s", dev->name, strerror(errno));
	if (!(count.data & RX_CLS_LOC_SPECIAL)) {
		list = list_rules(dev);
		size = list ? list->data : 0;
		free(list);
		if (!size)
			return complain("%s: it does not tell where its rules for flows go",
					dev->name);
		rule.fs.location = size - 1;
	}
	if (!device_ioctl(dev->name, &rule))
		return 0;
	if (rule.fs.location == RX_CLS_LOC_LAST) {
		rule.fs.location = RX_CLS_LOC_ANY;
		if (!device_ioctl(dev->name, &rule))
			return 0;
	}
	return complain("%s: a rule for IPv6: %s%s", dev->name, strerror(errno),
			errno == EOPNOTSUPP ? ": ethtool -K DEVICE ntuple on may help" : "");
}

int context_set(const struct device *dev, const struct context *c)
{
	struct rss *now = malloc(sizeof(*now));
	uint32_t id = c->id;
	unsigned int plain;
	int ret = 0, n;

	if (!now)
		return complain("out of memory");
	if (!read_context(dev, id, now) || !alike(dev, now, &c->rss)) {
		ret = write_context(dev, &id, &c->rss);
		if (!ret && (!read_context(dev, id, now) || !alike(dev, now, &c->rss)))
			ret = complain("%s: RSS context %u has another key or table than it took",
				       dev->name, id);
	}
	free(now);
	if (ret)
		return ret;
	n = rules_to(dev, id, false, &plain);
	if (n < 0)
		return EXIT_OTHER;
	if (plain)
		return 0;
	if (add_rule(dev, id))
		return EXIT_OTHER;
	if (rules_to(dev, id, false, &plain) < 0)
		return EXIT_OTHER;
	return plain ? 0 : complain("%s: it took a rule for IPv6 and does not have it", dev->name);
}

int context_remove(const struct device *dev, uint32_t id)
{
	struct ethtool_rxfh gone = { .cmd = ETHTOOL_SRSSH, .rss_context = id };
	struct rss *now = malloc(sizeof(*now));
	unsigned int plain;
	int ret = 0;

	if (!now)
		return complain("out of memory");
	if (rules_to(dev, id, true, &plain) < 0 || rules_to(dev, id, false, &plain))
		ret = complain("%s: there are rules that lead to RSS context %u", dev->name, id);
	else if (device_ioctl(dev->name, &gone) && errno != ENOENT)
		ret = complain("%s: taking RSS context %u away: %s", dev->name, id,
			       strerror(errno));
	else if (read_context(dev, id, now))
		ret = complain("%s: it still has RSS context %u", dev->name, id);
	free(now);
	return ret;
}
