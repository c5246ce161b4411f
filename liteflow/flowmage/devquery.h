/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device's receive-side scaling, by ethtool's ioctl: Linux 6.1 has no netlink for setting
 * keys, tables and fields.
 */
#ifndef _FLOWMAGE_DEVQUERY_H
#define _FLOWMAGE_DEVQUERY_H

#include "device.h"

struct ethtool_rxfh;

/*
 * SIOCETHTOOL on the interface @name with @data. 0, or -1 with errno. Tests put a device of
 * their own here.
 */
extern int (*device_ioctl)(const char *name, void *data);

/* A request for key and table of a device, to be freed; NULL: no memory. */
struct ethtool_rxfh *device_rxfh(const struct device *dev, uint32_t cmd);
/* Key, table and transform out of it and into it. */
void device_take_rxfh(const struct device *dev, struct ethtool_rxfh *r, struct rss *rss);
void device_fill_rxfh(const struct device *dev, struct ethtool_rxfh *r, const struct rss *rss);

/* Abilities and settings of dev->name. 0, or EXIT_OTHER: complained. */
int device_query(struct device *dev);

/* The settings alone. The same. */
int device_read(const struct device *dev, struct rss *rss);

/*
 * Put what differs from @now, fields first; to virtio_net key and table in any case, as its device
 * may have left them. What a driver ignores, this does not see: read again. The same.
 */
int device_write(const struct device *dev, const struct rss *now, const struct rss *rss);

/*
 * Set the key that is set, which changes nothing, but makes the device of virtio_net hash again
 * after an XDP program came or went. Devices of other drivers are left alone. The same.
 */
int device_renew(const char *name);

/*
 * Says on standard error what takes packets elsewhere: RPS and RFS, which use the whole hash, and
 * rules that send flows to queues. @sysfs: "/sys".
 */
void device_warn(const struct device *dev, const char *sysfs);

#endif /* _FLOWMAGE_DEVQUERY_H */
