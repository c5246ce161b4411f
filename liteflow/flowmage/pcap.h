/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FLOWMAGE_PCAP_H
#define _FLOWMAGE_PCAP_H

#include "search.h"

/*
 * Adds the packets of a capture to the samples, those that devices would hash alike as one.
 * @device: index of the device they came in on; -1: any. 0, or EXIT_OTHER: complained.
 */
int pcap_read(const char *path, int device, struct traffic *traffic);

/* Which packet a frame is; false: no IP, or cut off. */
bool pcap_classify(const uint8_t *frame, size_t len, struct sample *s);

#endif /* _FLOWMAGE_PCAP_H */
