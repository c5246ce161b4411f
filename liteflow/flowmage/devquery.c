// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "context.h"
#include "devquery.h"
#include "flowmage.h"

static int real_ioctl(const char *name, void *data)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret, err;
	struct ifreq request = { .ifr_data = data };

	if (fd < 0)
		return -1;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	ret = ioctl(fd, SIOCETHTOOL, &request);
	err = errno;
	close(fd);
	errno = err;
	return ret < 0 ? -1 : 0;
}

int (*device_ioctl)(const char *name, void *data) = real_ioctl;

static const uint32_t ethtool_flow[FLOW_TYPES] = {
	[FLOW_TCP4] = TCP_V4_FLOW, [FLOW_UDP4] = UDP_V4_FLOW, [FLOW_SCTP4] = SCTP_V4_FLOW,
	[FLOW_IP4] = IPV4_FLOW, [FLOW_TCP6] = TCP_V6_FLOW, [FLOW_UDP6] = UDP_V6_FLOW,
	[FLOW_SCTP6] = SCTP_V6_FLOW, [FLOW_IP6] = IPV6_FLOW,
};

/* RXH_IP_SRC and what follows it are in the order of enum hash_field. */
#define RXH_SHIFT	4
_Static_assert(RXH_IP_SRC == 1 << RXH_SHIFT && RXH_IP_DST == 2 << RXH_SHIFT &&
	       RXH_L4_B_0_1 == 4 << RXH_SHIFT && RXH_L4_B_2_3 == 8 << RXH_SHIFT, "order of fields");

/*
 * Sets of fields that drivers take, which nobody can ask for: read in the drivers of 6.12.
 * Others are used as they are set.
 */
static const struct {
	const char *driver;
	const char *ports;	/* of TCP and UDP */
	const char *addresses;	/* of all else */
} driver_sets[] = {
	{ "virtio_net", "sd sdfn", "sd" },
	{ "bnxt_en", "sd sdfn", "sd" },
	{ "ice", "sd sdfn s d f n sf dn fn", "" },
	{ "i40e", "sd sdfn s d f n sf dn fn", "" },
	{ "mlx5_core", "sd sdfn s d f n sf dn fn", "" },
};

static bool has_ports(unsigned int t)
{
	return t == FLOW_TCP4 || t == FLOW_UDP4 || t == FLOW_TCP6 || t == FLOW_UDP6;
}

static void add_sets(struct device *dev, unsigned int t, const char *list)
{
	char text[64], *word, *rest = NULL;

	snprintf(text, sizeof(text), "%s", list);
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		dev->sets[t][dev->n_sets[t]++] = device_fields_parse(word);
}

static void know_driver(struct device *dev)
{
	unsigned int i, t;

	for (i = 0; i < ARRAY_SIZE(driver_sets); i++) {
		if (strcmp(driver_sets[i].driver, dev->driver))
			continue;
		for (t = 0; t < FLOW_TYPES; t++)
			if (t != FLOW_SCTP4 && t != FLOW_SCTP6)
				add_sets(dev, t, has_ports(t) ? driver_sets[i].ports :
								driver_sets[i].addresses);
	}
}

/*
 * virtio_net sends VQ_PAIRS_SET when an XDP program comes or goes after a table was set. By the
 * specification of virtio the device then steers by itself, without key and table; the driver
 * reports them as before. (In 6.12; where no table was set it sends key and table again.)
 */
static bool leaves_rss(const char *driver)
{
	return !strcmp(driver, "virtio_net");
}

struct ethtool_rxfh *device_rxfh(const struct device *dev, uint32_t cmd)
{
	struct ethtool_rxfh *r = calloc(1, sizeof(*r) + dev->table_len * sizeof(uint32_t) +
						   dev->key_len);

	if (!r)
		return NULL;
	r->cmd = cmd;
	r->indir_size = dev->table_len;
	r->key_size = dev->key_len;
	return r;
}

/* The transform lies behind the hash function, where headers before 6.8 reserve bytes. */
static uint8_t *rxfh_xfrm(struct ethtool_rxfh *r)
{
	return (uint8_t *)&r->hfunc + 1;
}

void device_take_rxfh(const struct device *dev, struct ethtool_rxfh *r, struct rss *rss)
{
	memcpy(rss->table, r->rss_config, dev->table_len * sizeof(uint32_t));
	memcpy(rss->key, r->rss_config + dev->table_len, dev->key_len);
	rss->xfrm = *rxfh_xfrm(r) == 0 ? XFRM_NONE : *rxfh_xfrm(r) == 1 ? XFRM_XOR :
		    *rxfh_xfrm(r) == 2 ? XFRM_OR_XOR : XFRM_UNKNOWN;
}

void device_fill_rxfh(const struct device *dev, struct ethtool_rxfh *r, const struct rss *rss)
{
	*rxfh_xfrm(r) = rss->xfrm;
	memcpy(r->rss_config, rss->table, dev->table_len * sizeof(uint32_t));
	memcpy(r->rss_config + dev->table_len, rss->key, dev->key_len);
}

static int read_key(const struct device *dev, struct rss *rss)
{
	struct ethtool_rxfh *r = device_rxfh(dev, ETHTOOL_GRSSH);
	int ret = 0;

	if (!r)
		return complain("out of memory");
	if (device_ioctl(dev->name, r)) {
		ret = complain("%s: reading key and table: %s", dev->name, strerror(errno));
	} else if (r->indir_size != dev->table_len || r->key_size != dev->key_len) {
		ret = complain("%s: the sizes of its key and table have changed", dev->name);
	} else {
		device_take_rxfh(dev, r, rss);
	}
	free(r);
	return ret;
}

/* false: this driver does not tell */
static bool read_fields(const struct device *dev, struct rss *rss)
{
	struct ethtool_rxnfc get;
	unsigned int t;
	bool known = false;

	for (t = 0; t < FLOW_TYPES; t++) {
		memset(&get, 0, sizeof(get));
		get.cmd = ETHTOOL_GRXFH;
		get.flow_type = ethtool_flow[t];
		rss->fields[t] = 0;
		if (device_ioctl(dev->name, &get))
			continue;
		known = true;
		rss->fields[t] = get.data >> RXH_SHIFT & HASH_ALL;
	}
	for (t = 0; t < FLOW_TYPES; t++) {
		if (!known)
			rss->fields[t] = has_ports(t) ? HASH_ALL : HASH_ADDRESSES;
		/* what has no hash of its own is hashed as the rest */
		else if ((t == FLOW_SCTP4 || t == FLOW_SCTP6) && !rss->fields[t])
			rss->fields[t] = rss->fields[t == FLOW_SCTP4 ? FLOW_IP4 : FLOW_IP6];
	}
	return known;
}

int device_read(const struct device *dev, struct rss *rss)
{
	memset(rss, 0, sizeof(*rss));
	read_fields(dev, rss);
	return read_key(dev, rss);
}

int device_query(struct device *dev)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_rxnfc rings = { .cmd = ETHTOOL_GRXRINGS };
	struct ethtool_rxfh sizes = { .cmd = ETHTOOL_GRSSH };

	if (device_ioctl(dev->name, &driver))
		return complain("%s: %s", dev->name, strerror(errno));
	snprintf(dev->driver, sizeof(dev->driver), "%s", driver.driver);
	if (device_ioctl(dev->name, &rings) || device_ioctl(dev->name, &sizes) ||
	    !sizes.indir_size || !sizes.key_size)
		return complain("%s: the device (driver %s) has no receive-side scaling that can "
				"be set",
				dev->name, dev->driver);
	if (sizes.key_size > DEVICE_MAX_KEY || sizes.indir_size > DEVICE_MAX_TABLE ||
	    rings.data > DEVICE_MAX_QUEUES || !rings.data)
		return complain("%s: a key of %u bytes, a table of %u and %llu queues are out of "
				"bounds",
				dev->name, sizes.key_size, sizes.indir_size,
				(unsigned long long)rings.data);
	dev->queues = rings.data;
	dev->key_len = sizes.key_size;
	dev->table_len = sizes.indir_size;
	/* drivers that do not tell the function have Toeplitz's: the only one before 4.1 */
	dev->toeplitz = !sizes.hfunc || sizes.hfunc & 1;
	memset(&dev->now, 0, sizeof(dev->now));
	dev->fields_known = read_fields(dev, &dev->now);
	dev->contexts = context_ability(dev->name);
	know_driver(dev);
	return read_key(dev, &dev->now);
}

static int write_fields(const struct device *dev, unsigned int t, uint8_t fields)
{
	struct ethtool_rxnfc set = {
		.cmd = ETHTOOL_SRXFH,
		.flow_type = ethtool_flow[t],
		.data = (uint64_t)fields << RXH_SHIFT,
	};

	if (!device_ioctl(dev->name, &set))
		return 0;
	return complain("%s: the fields %s for %s: %s", dev->name, device_fields_text(fields),
			flow_type_names[t], strerror(errno));
}

static int write_key(const struct device *dev, const struct rss *rss, bool table)
{
	struct ethtool_rxfh *r = device_rxfh(dev, ETHTOOL_SRSSH);
	int ret = 0;

	if (!r)
		return complain("out of memory");
	device_fill_rxfh(dev, r, rss);
	if (!table) {
		r->indir_size = ETH_RXFH_INDIR_NO_CHANGE;
		memcpy(r->rss_config, rss->key, dev->key_len);
	}
	if (device_ioctl(dev->name, r))
		ret = complain("%s: %s: %s", dev->name, table ? "key and table" : "its own key",
			       strerror(errno));
	free(r);
	return ret;
}

int device_write(const struct device *dev, const struct rss *now, const struct rss *rss)
{
	static const uint8_t order[FLOW_TYPES] = {
		FLOW_IP4, FLOW_IP6, FLOW_TCP4, FLOW_UDP4, FLOW_SCTP4, FLOW_TCP6, FLOW_UDP6,
		FLOW_SCTP6,
	};
	struct rss is = *now;
	unsigned int i, t;

	for (i = 0; i < FLOW_TYPES; i++) {
		t = order[i];
		if (!dev->fields_known || is.fields[t] == rss->fields[t])
			continue;
		if (write_fields(dev, t, rss->fields[t]))
			return EXIT_OTHER;
		/* virtio_net forgets the other types when it is told of "ip4" or "ip6" */
		if (t == FLOW_IP4 || t == FLOW_IP6)
			read_fields(dev, &is);
	}
	if (!leaves_rss(dev->driver) &&
	    !memcmp(now->key, rss->key, dev->key_len) && now->xfrm == rss->xfrm &&
	    !memcmp(now->table, rss->table, dev->table_len * sizeof(*rss->table)))
		return 0;
	return write_key(dev, rss, true);
}

int device_renew(const char *name)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_rxfh sizes = { .cmd = ETHTOOL_GRSSH };
	struct device *dev;
	int ret;

	if (device_ioctl(name, &driver) || !leaves_rss(driver.driver) ||
	    device_ioctl(name, &sizes) || !sizes.key_size || sizes.key_size > DEVICE_MAX_KEY ||
	    sizes.indir_size > DEVICE_MAX_TABLE)
		return 0;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return complain("out of memory");
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	dev->key_len = sizes.key_size;
	dev->table_len = sizes.indir_size;
	ret = read_key(dev, &dev->now);
	if (!ret)
		ret = write_key(dev, &dev->now, false);
	free(dev);
	return ret;
}

/* Is there anything but 0 in this file? */
static bool says_something(const char *path)
{
	FILE *f = fopen(path, "r");
	bool some = false;
	int c;

	if (!f)
		return false;
	while ((c = getc(f)) != EOF)
		some |= c != '0' && c != ',' && c != '\n';
	fclose(f);
	return some;
}

void device_warn(const struct device *dev, const char *sysfs)
{
	struct ethtool_rxnfc rules = { .cmd = ETHTOOL_GRXCLSRLCNT };
	bool rps = false, rfs = false;
	char path[PATH_LEN];
	unsigned int q;

	for (q = 0; q < dev->queues; q++) {
		snprintf(path, sizeof(path), "%s/class/net/%s/queues/rx-%u/rps_cpus", sysfs,
			 dev->name, q);
		rps |= says_something(path);
		snprintf(path, sizeof(path), "%s/class/net/%s/queues/rx-%u/rps_flow_cnt", sysfs,
			 dev->name, q);
		rfs |= says_something(path);
	}
	if (rps)
		complain("warning: %s: RPS spreads its packets anew, by the whole hash: write 0 to "
			 "rps_cpus",
			 dev->name);
	if (rfs)
		complain("warning: %s: RFS moves flows to other CPUs: write 0 to rps_flow_cnt",
			 dev->name);
	if (!device_ioctl(dev->name, &rules) && rules.rule_cnt)
		complain("warning: %s: %u rules send flows to queues of their own: ethtool -n %s",
			 dev->name, rules.rule_cnt, dev->name);
}
