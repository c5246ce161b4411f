// SPDX-License-Identifier: GPL-2.0
/*
 * The solver against brute force: hashes so small that every key can be tried on every packet.
 * KTAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "solve.h"
#include "tap.h"

/* Addresses of 2 bits, ports of 1, a hash of 3: an input of 6 bits meets a key of 8. */
#define ADDRESS	2
#define PORT	1
#define WIDTH	3
#define INPUT	(2 * ADDRESS + 2 * PORT)
#define KEYS	256
#define PACKETS	(1 << INPUT)

static uint64_t chance = 7;

static unsigned int below(unsigned int n)
{
	return keysys_random(&chance) % n;
}

/* --- sums of bits ------------------------------------------------------------- */

#define VARS	10

static bool all_zero(const uint32_t *sums, unsigned int n, uint32_t bits)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (__builtin_parity(sums[i] & bits))
			return false;
	return true;
}

static bool system_agrees(void)
{
	unsigned int n = below(12), i, v, k, count = 0, vars[VARS + 2];
	uint32_t sums[12], keys, ever = 0, drawn;
	uint8_t bits[VARS];
	struct keysys sys;
	bool good = true;
	uint64_t form[1];

	if (keysys_init(&sys, VARS))
		return false;
	for (i = 0; i < n; i++) {
		sums[i] = 0;
		k = 1 + below(4);
		for (v = 0; v < k; v++) {
			vars[v] = below(VARS);
			sums[i] ^= 1u << vars[v];
		}
		keysys_add(&sys, vars, k);
	}
	good &= !keysys_close(&sys);
	for (keys = 0; keys < 1u << VARS; keys++)
		if (all_zero(sums, n, keys)) {
			count++;
			ever |= keys;
		}
	good &= count == 1u << keysys_freedom(&sys);
	for (v = 0; v < VARS; v++)
		good &= keysys_form(&sys, v, form) == (ever >> v & 1);
	for (i = 0; i < 20; i++) {
		keysys_draw(&sys, &chance, bits);
		for (v = 0, drawn = 0; v < VARS; v++)
			drawn |= (uint32_t)bits[v] << v;
		good &= all_zero(sums, n, drawn);
	}
	keysys_free(&sys);
	return good;
}

/* --- chains ------------------------------------------------------------------- */

/* A key as a list of fields; -1 is a byte that is not known. */
struct toy_key {
	unsigned int n;
	int field[4];
	uint8_t mask[4];
};

struct toy {
	struct device devices[2];
	unsigned int n_devices;
	struct toy_key keys[2][2];	/* [device][key] */
	unsigned int n_keys[2];
	unsigned int index_bits;
	bool ports;
	uint64_t states[2][2][PACKETS];
	uint8_t index[KEYS][PACKETS];
};

static uint8_t toy_bits(int field)
{
	return field <= HASH_DST ? ADDRESS : PORT;
}

static void draw_key(struct toy_key *key, unsigned int n)
{
	unsigned int i, k;
	bool again;

	key->n = n;
	for (i = 0; i < n; i++) {
		do {
			key->field[i] = below(6) ? (int)below(4) : -1;
			for (k = 0, again = false; k < i; k++)
				again |= key->field[i] >= 0 && key->field[k] == key->field[i];
		} while (again);
		key->mask[i] = 0xff << (8 - toy_bits(key->field[i]));
		if (key->field[i] >= 0 && key->field[i] <= HASH_DST && !below(4))
			key->mask[i] = 0x80;
	}
}

static void mirror_key(const struct toy_key *from, struct toy_key *to)
{
	unsigned int i;

	*to = *from;
	for (i = 0; i < to->n; i++)
		if (to->field[i] >= 0)
			to->field[i] ^= 1;
}

/* All state keys that a packet may have, a bit for each: what is not known is anything. */
static uint64_t toy_states(const struct toy_key *key, unsigned int packet)
{
	unsigned int i, value, bits, at, state = 0, known = 0, any;
	uint64_t set = 0;

	for (i = 0; i < key->n; i++) {
		state <<= 2;
		known <<= 2;
		if (key->field[i] < 0)
			continue;
		bits = toy_bits(key->field[i]);
		at = key->field[i] <= HASH_DST ? key->field[i] * ADDRESS :
			2 * ADDRESS + (key->field[i] - HASH_SPORT) * PORT;
		value = packet >> (INPUT - at - bits) & ((1u << bits) - 1);
		known |= key->mask[i] >> 6;
		state |= value << (2 - bits) & key->mask[i] >> 6;
	}
	for (any = 0; any < 1u << 2 * key->n; any++)
		set |= 1ULL << (state | (any & ~known));
	return set;
}

static unsigned int toy_index(const struct toy *t, unsigned int key, unsigned int packet)
{
	unsigned int hash = 0, i, b, inputs = t->ports ? INPUT : 2 * ADDRESS;

	for (i = 0; i < inputs; i++)
		for (b = 0; b < WIDTH; b++)
			if (packet >> (INPUT - 1 - i) & 1)
				hash ^= (key >> (7 - i - b) & 1) << (WIDTH - 1 - b);
	return hash & ((1u << t->index_bits) - 1);
}

static void draw_toy(struct toy *t)
{
	unsigned int d, k, p, n = 1 + below(3);

	memset(t, 0, sizeof(*t));
	t->n_devices = 1 + below(2);
	t->index_bits = 1 + below(2);
	t->ports = below(3);
	for (d = 0; d < t->n_devices; d++) {
		t->n_keys[d] = 1 + below(2);
		draw_key(&t->keys[d][0], n);
		if (d && below(2))
			mirror_key(&t->keys[0][0], &t->keys[d][0]);
		if (below(2))
			mirror_key(&t->keys[d][0], &t->keys[d][1]);
		else
			draw_key(&t->keys[d][1], n);
		for (k = 0; k < t->n_keys[d]; k++)
			for (p = 0; p < PACKETS; p++)
				t->states[d][k][p] = toy_states(&t->keys[d][k], p);
	}
	for (k = 0; k < KEYS; k++)
		for (p = 0; p < PACKETS; p++)
			t->index[k][p] = toy_index(t, k, p);
}

/* Does every state have one index under these keys? */
static bool toy_valid(const struct toy *t, const unsigned int *keys)
{
	uint64_t of_index[4] = { 0 }, seen = 0;
	unsigned int d, k, p, i;

	for (d = 0; d < t->n_devices; d++)
		for (p = 0; p < PACKETS; p++)
			for (k = 0; k < t->n_keys[d]; k++)
				of_index[t->index[keys[d]][p]] |= t->states[d][k][p];
	for (i = 0; i < 4; i++) {
		if (seen & of_index[i])
			return false;
		seen |= of_index[i];
	}
	return true;
}

static unsigned int toy_rank(const struct toy *t, unsigned int key)
{
	unsigned int seen = 0, p;

	for (p = 0; p < PACKETS; p++)
		seen |= 1u << t->index[key][p];
	return __builtin_ctz(__builtin_popcount(seen));
}

static void put_part(struct fm_part *part, struct fm_slice *slice, const struct toy_key *key,
		     unsigned int i)
{
	static const enum fm_field fields[] = {
		FM_SRC_ADDR4, FM_DST_ADDR4, FM_SRC_PORT, FM_DST_PORT,
	};

	*part = (struct fm_part){ .kind = FM_PART_UNKNOWN, .at = 4 * i, .size = 4 };
	if (key->field[i] < 0)
		return;
	*slice = (struct fm_slice){ .field = fields[key->field[i]] };
	slice->size = key->field[i] <= HASH_DST ? 4 : 2;
	slice->mask[0] = key->mask[i];
	part->kind = FM_PART_FIELD;
	part->size = slice->size;
	part->slices = slice;
	part->n_slices = 1;
}

static int toy_steer(const struct toy *t, struct steer *st)
{
	struct fm_slice slices[2][4];
	struct fm_part parts[2][4];
	struct fm_key keys[2];
	struct fm_map map = { .name = "m", .type = "hash", .key_size = 16, .class = FM_PACKET_KEY };
	struct fm_function fn = { .name = "f", .source = "toy", .complete = true, .maps = &map };
	struct steer_use use = { .function = &fn, .origin = "toy" };
	unsigned int d, k, i;

	fn.n_maps = 1;
	memset(st, 0, sizeof(*st));
	st->devices = (struct device *)t->devices;
	st->n_devices = t->n_devices;
	for (d = 0; d < t->n_devices; d++) {
		st->devices[d].key_len = 1;
		st->index_bits[d] = t->index_bits;
		memset(st->hashed[d], t->ports ? HASH_ALL : HASH_ADDRESSES, FLOW_TYPES);
		for (k = 0; k < t->n_keys[d]; k++) {
			for (i = 0; i < t->keys[d][k].n; i++)
				put_part(&parts[k][i], &slices[k][i], &t->keys[d][k], i);
			keys[k] = (struct fm_key){ .parts = parts[k], .n_parts = t->keys[d][k].n,
						   .ethertype = 0x800, .protocol = 6,
						   .written = true, .fragments = true,
						   .mirror = -1 };
		}
		map.keys = keys;
		map.n_keys = t->n_keys[d];
		use.device = d;
		if (steer_add(st, &use))
			return -1;
	}
	return steer_finish(st);
}

/* Number of valid keys, and the greatest rank that a class then has. */
static unsigned int brute(const struct toy *t, unsigned int rank[2])
{
	unsigned int keys[2] = { 0 }, count = 0, d, r;

	rank[0] = 0;
	rank[1] = 0;
	for (keys[0] = 0; keys[0] < KEYS; keys[0]++)
		for (keys[1] = 0; keys[1] < (t->n_devices > 1 ? KEYS : 1); keys[1]++) {
			if (!toy_valid(t, keys))
				continue;
			count++;
			for (d = 0; d < t->n_devices; d++) {
				r = toy_rank(t, keys[d]);
				if (r > rank[d])
					rank[d] = r;
			}
		}
	return count;
}

static unsigned int loose;	/* bounds above the greatest rank */
static unsigned int devices;
static unsigned int unsolvable;	/* that no key spreads */

static bool chain_agrees(void)
{
	unsigned int rank[2], count, bound, d, i, keys[2];
	uint8_t bits[17];
	struct keysys sys;
	struct steer st;
	static struct toy t;
	bool good = true;

	draw_toy(&t);
	if (toy_steer(&t, &st) || keysys_init(&sys, steer_base(&st, t.n_devices)))
		return false;
	good &= !steer_equations(&st, &sys);
	count = brute(&t, rank);
	good &= count == 1u << keysys_freedom(&sys);
	for (i = 0; i < 10; i++) {
		keysys_draw(&sys, &chance, bits);
		for (d = 0; d < t.n_devices; d++) {
			keys[d] = 0;
			for (unsigned int b = 0; b < 8; b++)
				keys[d] |= bits[d * 8 + b] << (7 - b);
		}
		good &= toy_valid(&t, keys);
	}
	for (d = 0; d < t.n_devices; d++) {
		bound = steer_rank_bound(&st, &sys, d, PKT_TCP4);
		good &= bound >= rank[d] && !bound == !rank[d];
		loose += bound > rank[d];
		unsolvable += !rank[d];
		devices++;
	}
	keysys_free(&sys);
	steer_free(&st);
	return good;
}

static void hash_examples(void)
{
	/* of the specification: destination 161.142.100.80:1766, source 66.9.149.187:2794 */
	static const uint8_t key[40] = {
		0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
		0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
		0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
	};
	static const uint8_t in[12] = { 66, 9, 149, 187, 161, 142, 100, 80, 0x0a, 0xea, 0x06,
					0xe6 };

	ok(toeplitz(key, 40, in, 12) == 0x51ccc178, "hash of addresses and ports");
	ok(toeplitz(key, 40, in, 8) == 0x323e8fc2, "hash of addresses");
}

int main(int argc, char **argv)
{
	unsigned int chains = argc > 1 ? atoi(argv[1]) : 150, i, good = 0;

	printf("TAP version 13\n");
	hash_examples();
	for (i = 0; i < 2000; i++)
		good += system_agrees();
	ok(good == 2000, "%u of 2000 systems have the solutions that brute force finds", good);
	hash_shape = (struct hash_shape){ { ADDRESS, ADDRESS }, PORT, WIDTH };
	for (i = 0, good = 0; i < chains; i++)
		good += chain_agrees();
	ok(good == chains, "%u of %u chains have the keys that brute force finds", good, chains);
	ok(unsolvable > 0 && unsolvable < devices, "%u of %u devices have no key that spreads",
	   unsolvable, devices);
	printf("# %u rank bounds are above the greatest rank\n", loose);
	return tap_end();
}
