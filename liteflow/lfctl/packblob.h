/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a quantised network to the bytes of a model.
 */
#ifndef _LFCTL_PACKBLOB_H
#define _LFCTL_PACKBLOB_H

#include <stddef.h>
#include <stdint.h>

struct net;
struct quant;

size_t pack_blob_len(const struct net *net);
/* @blob: pack_blob_len() zero bytes; sealed with the checksum */
void pack_put_blob(const struct quant *q, uint8_t *blob, size_t len);

#endif /* _LFCTL_PACKBLOB_H */
