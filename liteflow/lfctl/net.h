/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A network of floating-point layers, as read from JSON.
 */
#ifndef _LFCTL_NET_H
#define _LFCTL_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/liteflow_model.h>

struct json_object;

/* No number of a network is larger: their squares and products stay finite. */
#define NET_MAX_NUMBER	1e30
#define NET_LEAST_STEP	1e-30	/* units and scales */

/* Where the reason of a refusal goes: one line. */
struct reason {
	char *buf;
	size_t len;
};

/* Fills in the reason, cut to its length; always -1. */
int refuse(struct reason *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * struct net_io - an input or an output
 * @name: its name
 * @unit: what the app's integer 1 means
 * @lo: least value
 * @hi: greatest value
 * @offset: the network sees (value - offset) * scale, or makes it if this is an output
 * @scale: see there; of an output above 0, see net_fold_outputs()
 * @ilo: @lo in the app's integers
 * @ihi: @hi in the app's integers
 */
struct net_io {
	char name[LITEFLOW_NAME_LEN];
	double unit;
	double lo;
	double hi;
	double offset;
	double scale;
	int32_t ilo;
	int32_t ihi;
};

struct net_layer {
	int act;
	unsigned int n_in;
	unsigned int n_out;
	double *w;	/* [n_out][n_in] */
	double *b;	/* [n_out] */
};

/**
 * struct net_cell - a recurrent layer, its parameters as PyTorch has them
 * @type: LITEFLOW_LAYER_RNN, GRU or LSTM
 * @act: of an RNN: LITEFLOW_ACT_RELU or LITEFLOW_ACT_TANH
 * @n_in: inputs
 * @n: units
 * @state_bits: 16 or 32
 * @state_max: the largest value that a ReLU's state or an LSTM's cell keeps; 0: not told
 * @w_x: [gates * n][n_in]
 * @w_h: [gates * n][n]
 * @b_x: [gates * n]
 * @b_h: [gates * n]
 */
struct net_cell {
	int type;
	int act;
	unsigned int n_in;
	unsigned int n;
	int state_bits;
	double state_max;
	double *w_x;
	double *w_h;
	double *b_x;
	double *b_h;
};

/**
 * struct net - a network
 * @name: its name
 * @units: tag of the units
 * @provenance: text, NULL: none
 * @bits: of the sums, as pack_options::bits
 * @has_checksum: @checksum was told
 * @checksum: liteflow_blob_header::crc of the model that this text becomes
 * @n_in: inputs
 * @n_out: outputs
 * @n_layers: dense layers
 * @n_cells: recurrent layers, which come before those
 * @state_len: values of state, as liteflow_blob_header::state_len
 * @in: the inputs
 * @out: the outputs
 * @layers: the dense layers
 * @cells: the recurrent layers
 */
struct net {
	char name[LITEFLOW_NAME_LEN];
	char units[LITEFLOW_NAME_LEN];
	char *provenance;
	int bits;
	bool has_checksum;
	uint32_t checksum;
	unsigned int n_in;
	unsigned int n_out;
	unsigned int n_layers;
	unsigned int n_cells;
	unsigned int state_len;
	struct net_io *in;
	struct net_io *out;
	struct net_layer layers[LITEFLOW_MAX_LAYERS];
	struct net_cell cells[LITEFLOW_MAX_RECURRENT];
};

const char *act_name(int act);

struct net *net_read(struct json_object *json, struct reason *why);
void net_free(struct net *net);

/*
 * Moves into the last layer what its arithmetic can do better than a factor and an
 * integer behind it: the sign of an output's scale, the fraction of its offset.
 */
int net_fold_outputs(struct net *net, struct reason *why);

static inline unsigned int net_gates(const struct net_cell *cell)
{
	return cell->type == LITEFLOW_LAYER_RNN ? 1 : cell->type == LITEFLOW_LAYER_GRU ? 3 : 4;
}

/*
 * What the network answers, in the app's integer units but not rounded. @state: of a
 * network that remembers: net::state_len values, and then the next ones.
 */
void net_run(const struct net *net, const int32_t *in, double *state, double *out);

/*
 * The same in parts: what the network sees of a row, what the dense layers see, and what
 * one of them makes of it.
 */
void net_see(const struct net *net, const int32_t *in, double *x);
void net_front(const struct net *net, const int32_t *in, double *state, double *x);
double net_sum(const struct net_layer *layer, unsigned int row, const double *x);
double net_activate(int act, double sum);

#endif /* _LFCTL_NET_H */
