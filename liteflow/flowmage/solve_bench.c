// SPDX-License-Identifier: GPL-2.0
/*
 * How long solving takes, over every set of fields, plain and symmetric, on one device and on
 * two with directions exchanged, for IPv4, IPv6 and both, all lengths of keys and tables.
 * Prints "fm_solve_max MS ms", of the processor's time; what has no solution counts, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "solve.h"

static const unsigned int key_lens[] = { 40, 52 };
static const unsigned int table_lens[] = { 128, 256, 512, 1024, 2048 };

static const enum fm_field fields[2][HASH_FIELDS] = {
	{ FM_SRC_ADDR4, FM_DST_ADDR4, FM_SRC_PORT, FM_DST_PORT },
	{ FM_SRC_ADDR6, FM_DST_ADDR6, FM_SRC_PORT, FM_DST_PORT },
};

/* One case, and what of it is longest. */
struct bench {
	unsigned int set;
	bool symmetric;
	unsigned int n_devices;
	unsigned int families;	/* bit 0: IPv4, bit 1: IPv6 */
	unsigned int key_len;
	unsigned int table_len;
};

struct parts {
	struct fm_part part[HASH_FIELDS + 1];
	struct fm_slice slice[HASH_FIELDS + 1];
};

/* The fields of the set in one order, then the protocol. */
static void make_key(const struct bench *b, bool ipv6, bool swap, struct parts *p,
		     struct fm_key *key)
{
	static const unsigned int sizes[2][HASH_FIELDS] = { { 4, 4, 2, 2 }, { 16, 16, 2, 2 } };
	unsigned int f, n = 0, at = 0;

	for (f = 0; f <= HASH_FIELDS; f++) {
		if (f < HASH_FIELDS && !(b->set & 1 << f))
			continue;
		p->slice[n] = (struct fm_slice){
			.field = f == HASH_FIELDS ? FM_PROTOCOL : fields[ipv6][f ^ swap],
			.size = f == HASH_FIELDS ? 1 : sizes[ipv6][f],
		};
		memset(p->slice[n].mask, 0xff, p->slice[n].size);
		p->part[n] = (struct fm_part){ .kind = FM_PART_FIELD, .at = at,
					       .size = p->slice[n].size, .slices = &p->slice[n],
					       .n_slices = 1 };
		at += p->slice[n++].size;
	}
	*key = (struct fm_key){ .parts = p->part, .n_parts = n, .ethertype = ipv6 ? 0x86dd : 0x800,
				.protocol = -1, .written = true, .per_packet = true, .mirror = -1 };
}

static int add(struct steer *st, const struct bench *b, bool ipv6)
{
	struct parts parts[2];
	struct fm_key keys[2];
	struct fm_map map = { .name = ipv6 ? "m6" : "m4", .type = "hash", .key_size = 37,
			      .class = FM_PACKET_KEY, .per_packet = true, .keys = keys };
	struct fm_function fn = { .name = "f", .source = "bench", .complete = true, .maps = &map,
				  .n_maps = 1 };
	struct steer_use use = { .function = &fn, .origin = "bench" };
	unsigned int d;

	for (d = 0; d < b->n_devices; d++) {
		make_key(b, ipv6, d, &parts[0], &keys[0]);
		make_key(b, ipv6, !d, &parts[1], &keys[1]);
		map.n_keys = b->symmetric ? 2 : 1;
		use.device = d;
		if (steer_add(st, &use))
			return -1;
	}
	return 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

/* Milliseconds, below 0: no memory. */
static double run(const struct bench *b, enum way *way)
{
	static struct device devices[2];
	static struct solution s;
	static const struct traffic none;
	struct steer st = { .devices = devices, .n_devices = b->n_devices };
	unsigned int d;
	double start = now(), took = -1;

	for (d = 0; d < b->n_devices; d++) {
		memset(&devices[d], 0, sizeof(devices[d]));
		devices[d].key_len = b->key_len;
		devices[d].table_len = b->table_len;
		devices[d].queues = 4;
		devices[d].toeplitz = true;
		devices[d].fields_known = true;
		memset(devices[d].now.fields, HASH_ALL, FLOW_TYPES);
		st.index_bits[d] = __builtin_ctz(b->table_len);
	}
	if ((b->families & 1 && add(&st, b, false)) || (b->families & 2 && add(&st, b, true)))
		return -1;
	if (!steer_finish(&st) && !solve(&st, &none, 1, &s))
		took = now() - start;
	*way = s.way;
	solution_free(&s);
	steer_free(&st);
	return took;
}

/* A line per case, for who wants all of them. */
static void tell(FILE *raw, const struct bench *b, double took, enum way way)
{
	unsigned int i;

	if (!raw)
		return;
	for (i = 0; i < HASH_FIELDS; i++)
		if (b->set >> i & 1)
			putc("sdfn"[i], raw);
	fprintf(raw, ",%d,%u,%s,%u,%u,%s,%.3f\n", b->symmetric, b->n_devices,
		b->families == 3 ? "both" : b->families == 2 ? "IPv6" : "IPv4", b->key_len,
		b->table_len, way_names[way], took);
}

/* solve_bench [FILE.csv] */
int main(int argc, char **argv)
{
	FILE *raw = argc > 1 ? fopen(argv[1], "w") : NULL;
	unsigned int k, t, solved[4] = { 0 }, all[4] = { 0 };
	struct bench b, longest = { 0 };
	double took, max = 0, sum = 0;
	enum way way;

	if (argc > 1 && !raw)
		return 1;
	if (raw)
		fputs("fields,symmetric,devices,families,key_bytes,table_entries,way,ms\n", raw);
	for (b.set = 1; b.set <= HASH_ALL; b.set++)
		for (b.symmetric = false; ; b.symmetric = true) {
			for (b.n_devices = 1; b.n_devices <= 2; b.n_devices++)
				for (b.families = 1; b.families <= 3; b.families++)
					for (k = 0; k < 2; k++)
						for (t = 0; t < 5; t++) {
							b.key_len = key_lens[k];
							b.table_len = table_lens[t];
							took = run(&b, &way);
							if (took < 0)
								return 1;
							tell(raw, &b, took, way);
							all[b.families]++;
							solved[b.families] += way == WAY_KEY;
							sum += took;
							if (took <= max)
								continue;
							max = took;
							longest = b;
						}
			if (b.symmetric)
				break;
		}
	fprintf(stderr, "solved by a key: %u of %u IPv4, %u of %u IPv6, %u of %u both; mean %.2f "
			"ms; longest: fields %x%s, %u device(s), families %u, key %u, table %u\n",
		solved[1], all[1], solved[2], all[2], solved[3], all[3],
		sum / (all[1] + all[2] + all[3]), longest.set,
		longest.symmetric ? ", symmetric" : "",
		longest.n_devices, longest.families, longest.key_len, longest.table_len);
	printf("fm_solve_max %.2f ms\n", max);
	return raw && fclose(raw);
}
