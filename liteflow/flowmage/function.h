/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stateful network function as the analysis describes it and the solver reads it: which
 * maps (tables, sets, meters) it keeps, and which bits of a packet each of their keys holds.
 * The JSON form is in function.schema.json; function.c reads and writes it.
 *
 * What a key says. A packet p that reaches an access has the state key K(p). Accesses of one
 * map share an entry if their keys are equal, so for every two keys A and B of a map that is
 * written (struct fm_map::keys, B may be A), whatever part of A and part of B lie at the same
 * bytes of the key must steer alike:
 *
 *	A(p) == B(q)  =>  queue(p) == queue(q)
 *
 * Only FM_PART_FIELD is injective: equal keys have equal bits there, in the field of A for p
 * and in the field of B for q. If A and B are mirror images (source and destination swapped)
 * that asks for a symmetric hash. A part of another kind promises nothing, and does no harm.
 */
#ifndef _FLOWMAGE_FUNCTION_H
#define _FLOWMAGE_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* Fields of a packet, and what the kernel knows of it. Addresses are of the outermost header. */
enum fm_field {
	FM_SRC_ADDR4,
	FM_DST_ADDR4,
	FM_SRC_ADDR6,
	FM_DST_ADDR6,
	FM_SRC_PORT,	/* of TCP, UDP, SCTP, UDP-Lite, DCCP; the protocol is known or in the key */
	FM_DST_PORT,
	FM_PROTOCOL,	/* IPv4's protocol or IPv6's first next header */
	FM_VLAN,	/* the outer tag's 16 bits: priority, DEI, VLAN identifier */
	FM_SRC_MAC,
	FM_DST_MAC,
	FM_ETHERTYPE,	/* behind the tags */
	FM_IFINDEX,	/* the ingress device */
	FM_RX_QUEUE,	/* the queue the packet came in on */
	FM_RX_HASH,	/* the device's hash */
	FM_BYTES,	/* other bytes of the packet: struct fm_slice::layer, ::offset, ::size */
	FM_FIELDS
};

/* Where FM_BYTES count from. */
enum fm_layer {
	FM_LAYER_FRAME,		/* the first byte of the frame */
	FM_LAYER_NETWORK,	/* the first byte of the IPv4 or IPv6 header */
	FM_LAYER_TRANSPORT,	/* the first byte behind it */
	FM_LAYER_UNKNOWN,	/* a place that was computed in a way not understood */
	FM_LAYERS
};

#define FM_FIELD_BYTES	16	/* the longest field; FM_BYTES in pieces of at most as many */

/**
 * struct fm_slice - some bits of a field
 * @field: which
 * @layer: FM_BYTES: where @offset counts from
 * @offset: FM_BYTES: first byte
 * @size: bytes of the field: fm_field_size(), or of the range
 * @mask: its bits that are meant, in the order of the wire; the first @size bytes count
 */
struct fm_slice {
	enum fm_field field;
	enum fm_layer layer;
	int offset;
	unsigned int size;
	uint8_t mask[FM_FIELD_BYTES];
};

enum fm_part_kind {
	FM_PART_CONST,		/* constant bytes */
	FM_PART_FIELD,		/* these bits of one field, each of them recoverable */
	FM_PART_FUNCTION,	/* a function (a hash, a sum) of these slices; not injective */
	FM_PART_UNKNOWN,	/* anything */
	FM_PART_KINDS
};

/**
 * struct fm_part - some consecutive bytes of a key
 * @kind: what is known of them
 * @at: first byte in the key
 * @size: how many
 * @order: FM_PART_FIELD: 0 if the bits lie as on the wire, 1 if the bytes are reversed, else a
 *	number that is equal for equal arrangements; parts of two keys are comparable if @at,
 *	@size, @order and the masks are equal
 * @slices: one for FM_PART_FIELD, any number for FM_PART_FUNCTION
 * @n_slices: how many
 * @bytes: FM_PART_CONST: the @size bytes; else NULL
 */
struct fm_part {
	enum fm_part_kind kind;
	unsigned int at;
	unsigned int size;
	uint32_t order;
	struct fm_slice *slices;
	unsigned int n_slices;
	uint8_t *bytes;
};

/**
 * struct fm_key - a key that some accesses of a map use
 * @parts: its bytes, in order and without a gap; none: every packet reaches the whole map
 * @n_parts: how many
 * @ethertype: of the packets that come here, behind the tags; -1: any
 * @protocol: their transport protocol; -1: any
 * @vlan_tags: their VLAN tags in the packet; -1: any number
 * @fragments: fragments of IP packets may come here, too: what is named a port is then other
 *	bytes, and devices leave ports out of a fragment's hash; do not steer by its ports
 * @read: entries are looked up
 * @written: entries are added, deleted or changed
 * @per_packet: ... by packets of a flow whose entry exists (else: by the first, or by those
 *	that carry SYN, FIN or RST)
 * @mirror: index of the key that is this one with source and destination swapped (may be its
 *	own); -1: none
 * @sites: where, for --explain: "prog:insn file:line: source" ..., in the order of the code
 * @n_sites: how many
 */
struct fm_key {
	struct fm_part *parts;
	unsigned int n_parts;
	int ethertype;
	int protocol;
	int vlan_tags;
	bool fragments;
	bool read;
	bool written;
	bool per_packet;
	int mirror;
	char **sites;
	unsigned int n_sites;
};

/* What a map means for the steering; in falling order of freedom. */
enum fm_class {
	FM_STATELESS,	/* of a function: it keeps nothing */
	FM_NOT_STATE,	/* devices, CPUs, sockets, programs, outputs to user space */
	FM_READ_ONLY,	/* this function only looks up */
	FM_PER_CPU,	/* each CPU has its own already */
	FM_PACKET_KEY,	/* written, and every key has a FM_PART_FIELD */
	FM_CONST_KEY,	/* written, under a key that does not depend on the packet: one for all */
	FM_SHARED,	/* written, and some key is not understood, not injective or none */
	FM_CLASSES
};

#define FM_RANKS	4

/**
 * struct fm_map - state of a function
 * @name: its name; of global data the section's
 * @type: as libbpf or nft calls it: "hash", "lru_hash", "array", "set", "conntrack" ...
 * @key_size: bytes
 * @value_size: bytes
 * @max_entries: how many
 * @class: see there
 * @per_cpu: each CPU has its own
 * @written: this function adds, deletes or changes entries
 * @written_elsewhere: another program of the file does
 * @per_packet: some write is per packet, see struct fm_key
 * @symmetric: keys come with their mirror images: both directions share an entry
 * @spin_lock: values hold a bpf_spin_lock
 * @timer: values hold a bpf_timer: its callback writes on whatever CPU armed it
 * @pinned: other processes or programs can open it by a path
 * @inner: a map of maps, or one of its inner maps: which one is not known
 * @rank: how dear it is to share, for what costs alike: 1 to FM_RANKS - 1; 0: not said
 * @pointers: values hold pointers, as far as that is known
 * @keys: the different keys
 * @n_keys: how many
 * @reasons: why the class is not better, one line each
 * @n_reasons: how many
 */
struct fm_map {
	char *name;
	char *type;
	unsigned int key_size;
	unsigned int value_size;
	unsigned int max_entries;
	enum fm_class class;
	bool per_cpu;
	bool written;
	bool written_elsewhere;
	bool per_packet;
	bool symmetric;
	bool spin_lock;
	bool timer;
	bool pinned;
	bool inner;
	unsigned int rank;
	bool pointers;
	struct fm_key *keys;
	unsigned int n_keys;
	char **reasons;
	unsigned int n_reasons;
};

/**
 * struct fm_function - a network function
 * @name: of the program, element or chain
 * @source: as the user named it: "bpf:FILE:PROG" ...
 * @hook: "xdp", "tc", "nft" ...
 * @class: the worst of its maps'; FM_STATELESS without maps
 * @complete: everything was followed; else some state may be missing and the function must
 *	count as shared, whatever its maps say
 * @maps: its state
 * @n_maps: how many
 * @rewrites: header bits that it changes before it passes the packet on
 * @n_rewrites: how many
 * @rewrites_unknown: it writes to places of the packet that were not understood, or moves
 *	the frame's beginning
 * @reasons: what was not understood, one line each
 * @n_reasons: how many
 * @steps: instructions interpreted
 * @advice: what a language model says beside that, a JSON object; NULL: it was not asked
 */
struct fm_function {
	char *name;
	char *source;
	char *hook;
	enum fm_class class;
	bool complete;
	struct fm_map *maps;
	unsigned int n_maps;
	struct fm_slice *rewrites;
	unsigned int n_rewrites;
	bool rewrites_unknown;
	char **reasons;
	unsigned int n_reasons;
	unsigned long steps;
	char *advice;
};

/* Names as in JSON: "src_addr4", "packet-key" ... */
extern const char *const fm_field_names[FM_FIELDS];
extern const char *const fm_layer_names[FM_LAYERS];
extern const char *const fm_class_names[FM_CLASSES];
extern const char *const fm_part_names[FM_PART_KINDS];

/* Bytes of a field; 0 for FM_BYTES. */
unsigned int fm_field_size(enum fm_field field);

/* The field with source and destination swapped; itself if it has no direction. */
enum fm_field fm_field_mirror(enum fm_field field);

/* May this map be kept per queue if the steering follows its keys? */
static inline bool fm_map_is_keyed(const struct fm_map *map)
{
	return map->class == FM_PACKET_KEY;
}

/*
 * A key as words: "src_addr4.dst_addr4/ffffff00", constant bytes left out; and fields joined by
 * blanks or dots. The caller frees them.
 */
char *fm_key_text(const struct fm_key *key);
char *fm_slices_text(const struct fm_slice *slice, unsigned int n);

/* The function as JSON: the caller puts it. */
struct json_object *fm_function_json(const struct fm_function *function);

/*
 * JSON to a function, all of it checked. On success 0; else -1 and one line in @why (of
 * @len bytes) that says which key is wrong; @function is then empty.
 */
int fm_function_parse(struct json_object *json, struct fm_function *function, char *why,
		      size_t len);

/* Free what these point to, not themselves. */
void fm_key_free(struct fm_key *key);
void fm_function_free(struct fm_function *function);

/**
 * struct fm_analysis - what "bpf:FILE" is
 * @functions: one per program
 * @n: how many
 */
struct fm_analysis {
	struct fm_function *functions;
	unsigned int n;
};

/*
 * Analyse the XDP and tc programs of a BPF object. @spec is what stands behind "bpf:", FILE or
 * FILE:PROG. 0; or -1 and one line in @why. With @explain the keys get their sites.
 */
int fm_analyse_bpf(const char *spec, bool explain, struct fm_analysis *result, char *why,
		   size_t len);
void fm_analysis_free(struct fm_analysis *result);

/* Is this "bpf:..." or another form that analyze takes? */
bool fm_is_spec(const char *spec);

/* Analyse it: as fm_analyse_bpf(); @why is empty if it has been complained already. */
int fm_analyse(const char *spec, bool explain, struct fm_analysis *result, char *why, size_t len);

#endif /* _FLOWMAGE_FUNCTION_H */
