// SPDX-License-Identifier: GPL-2.0
/*
 * Captures in the classic pcap format (draft-ietf-opsawg-pcap).
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "flowmage.h"
#include "pcap.h"

#define MAX_CAPTURE	((size_t)4 << 30)
#define MAX_PACKET	(1u << 18)

enum { LINK_ETHERNET = 1, LINK_RAW = 101, LINK_RAW_BSD = 12 };

struct file {
	const char *path;
	const uint8_t *data;
	size_t len;
	bool swap;
	unsigned int link;
};

static uint32_t get32(const struct file *f, size_t at)
{
	uint32_t v;

	memcpy(&v, f->data + at, sizeof(v));
	return f->swap ? __builtin_bswap32(v) : v;
}

static unsigned int get_be16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void set_ports(struct sample *s, const uint8_t *at, size_t len)
{
	if (len < 4)
		return;
	memcpy(s->field[HASH_SPORT], at, 2);
	memcpy(s->field[HASH_DPORT], at + 2, 2);
}

static bool classify_ip4(const uint8_t *ip, size_t len, struct sample *s)
{
	size_t head = len ? (ip[0] & 15) * 4 : 0;
	bool fragment;

	if (len < 20 || head < 20 || len < head)
		return false;
	memcpy(s->field[HASH_SRC], ip + 12, 4);
	memcpy(s->field[HASH_DST], ip + 16, 4);
	fragment = get_be16(ip + 6) & 0x3fff;
	switch (ip[9]) {
	case IPPROTO_TCP:
		s->class = fragment ? PKT_TCP4_FRAGMENT : PKT_TCP4;
		break;
	case IPPROTO_UDP:
		s->class = fragment ? PKT_UDP4_FRAGMENT : PKT_UDP4;
		break;
	case IPPROTO_SCTP:
		s->class = fragment ? PKT_OTHER4 : PKT_SCTP4;
		break;
	default:
		s->class = PKT_OTHER4;
		return true;
	}
	if (!fragment)
		set_ports(s, ip + head, len - head);
	return true;
}

static bool classify_ip6(const uint8_t *ip, size_t len, struct sample *s)
{
	if (len < 40)
		return false;
	memcpy(s->field[HASH_SRC], ip + 8, 16);
	memcpy(s->field[HASH_DST], ip + 24, 16);
	s->class = ip[6] == IPPROTO_TCP ? PKT_TCP6 : ip[6] == IPPROTO_UDP ? PKT_UDP6 :
		   ip[6] == IPPROTO_SCTP ? PKT_SCTP6 : PKT_OTHER6;
	if (s->class != PKT_OTHER6)
		set_ports(s, ip + 40, len - 40);
	return true;
}

static bool classify_ip(const uint8_t *ip, size_t len, struct sample *s)
{
	if (!len)
		return false;
	return ip[0] >> 4 == 4 ? classify_ip4(ip, len, s) :
	       ip[0] >> 4 == 6 ? classify_ip6(ip, len, s) : false;
}

bool pcap_classify(const uint8_t *frame, size_t len, struct sample *s)
{
	unsigned int type, tag;
	size_t at = 14;

	if (len < at)
		return false;
	type = get_be16(frame + 12);
	for (tag = 0; tag < 2 && (type == 0x8100 || type == 0x88a8) && len >= at + 4; tag++) {
		type = get_be16(frame + at + 2);
		at += 4;
	}
	if (type == 0x0800)
		return len > at && frame[at] >> 4 == 4 && classify_ip4(frame + at, len - at, s);
	return type == 0x86dd && len > at && classify_ip6(frame + at, len - at, s);
}

static int by_fields(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return memcmp(x->field, y->field, sizeof(x->field));
}

static void merge(struct traffic *t)
{
	size_t from, to = 0;

	if (!t->n)
		return;
	qsort(t->samples, t->n, sizeof(*t->samples), by_fields);
	for (from = 1; from < t->n; from++)
		if (by_fields(&t->samples[from], &t->samples[to]))
			t->samples[++to] = t->samples[from];
		else
			t->samples[to].count += t->samples[from].count;
	t->n = to + 1;
}

static int open_file(struct file *f)
{
	uint32_t magic;

	if (f->len < 24)
		return complain("%s: no capture: it ends in the header", f->path);
	memcpy(&magic, f->data, sizeof(magic));
	f->swap = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
	if (magic == 0x0a0d0d0a)
		return complain("%s: pcapng is not read: write it as pcap (editcap -F pcap)",
				f->path);
	if (!f->swap && magic != 0xa1b2c3d4 && magic != 0xa1b23c4d)
		return complain("%s: no capture: it begins with %08x", f->path, magic);
	f->link = get32(f, 20) & 0xffff;
	if (f->link != LINK_ETHERNET && f->link != LINK_RAW && f->link != LINK_RAW_BSD)
		return complain("%s: link type %u: only Ethernet (1) and raw IP (101) are read",
				f->path, f->link);
	return 0;
}

static int add(struct traffic *t, size_t *room, const struct sample *s)
{
	struct sample *more;

	if (t->n == *room) {
		/* of equal packets one is kept: most captures repeat themselves */
		merge(t);
		if (2 * t->n >= *room) {
			*room = *room ? 2 * *room : 4096;
			more = realloc(t->samples, *room * sizeof(*more));
			if (!more)
				return complain("out of memory");
			t->samples = more;
		}
	}
	t->samples[t->n++] = *s;
	return 0;
}

int pcap_read(const char *path, int device, struct traffic *traffic)
{
	struct file f = { .path = path };
	size_t at = 24, room = traffic->n, len;
	char *text = read_file(path, MAX_CAPTURE, &f.len);
	unsigned long packet = 0, known = 0;
	struct sample s;
	int ret;

	if (!text)
		return EXIT_OTHER;
	f.data = (const uint8_t *)text;
	ret = open_file(&f);
	while (!ret && at < f.len) {
		packet++;
		len = f.len - at >= 16 ? get32(&f, at + 8) : 0;
		if (f.len - at < 16 || len > MAX_PACKET || len > f.len - at - 16) {
			ret = complain("%s: packet %lu, at byte %zu, is cut off or damaged",
				       path, packet, at);
			break;
		}
		at += 16;
		memset(&s, 0, sizeof(s));
		s.device = device;
		s.count = 1;
		if (f.link == LINK_ETHERNET ? pcap_classify(f.data + at, len, &s) :
					      classify_ip(f.data + at, len, &s)) {
			ret = add(traffic, &room, &s);
			known++;
		}
		at += len;
	}
	free(text);
	merge(traffic);
	if (!ret && !known)
		ret = complain("%s: no IP packet in it", path);
	return ret;
}
