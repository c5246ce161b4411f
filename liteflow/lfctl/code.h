/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model as C: the same arithmetic as the engine's, with everything that does not
 * depend on the inputs known to the compiler.
 */
#ifndef _LFCTL_CODE_H
#define _LFCTL_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/liteflow_engine.h>

enum code_for { CODE_MODULE, CODE_USER, CODE_BPF };

/**
 * struct code - what is written
 * @f: where to
 * @model: the model
 * @target: what the C is for
 * @name: of the files and the function
 * @prefix: of all other identifiers
 */
struct code {
	FILE *f;
	const struct lf_model *model;
	enum code_for target;
	const char *name;
	const char *prefix;
};

/* Bytes of activations, which lie on the stack: two layers' at a time. */
size_t code_stack(const struct lf_model *model);
/* Bytes of the tables, and about how many of code on x86-64. */
size_t code_table_bytes(const struct code *c);
size_t code_text_bytes(const struct code *c);
/* Is the model as data as fast, where it is asked rarely and caches are cold? */
bool code_data_as_good(const struct code *c);

/* As fprintf(), but "@" stands for what all identifiers begin with: code.c */
void code_put(const struct code *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Recurrent layers: codecell.c. Are the inputs of the first dense layer of 32 bits; is any
 * cell like this; blocks of rows, weights in all of them; room for new values of any cell.
 */
bool code_is_long(const struct lf_model *model);
bool code_cell_has(const struct lf_model *model, bool (*is)(const struct lf_cell *cell));
bool code_cell_narrow(const struct lf_cell *cell);
bool code_cell_curve(const struct lf_cell *cell);
bool code_cell_gated(const struct lf_cell *cell);
unsigned int code_cell_blocks(const struct lf_cell *cell);
size_t code_cell_weights(const struct lf_cell *cell);
unsigned int code_cell_room(const struct lf_model *model);
void code_put_cell_helpers(const struct code *c);
void code_put_cell(const struct code *c, unsigned int nth);
void code_put_front(const struct code *c);

/* Tables: codetable.c */
void code_put_cell_tables(const struct code *c, unsigned int nth);
void code_put_layer_tables(const struct code *c, unsigned int nth);
void code_put_tanh_table(const struct code *c);
void code_put_tanh_lines(const struct code *c);
/* Steps of the table until tanh is as great as it gets. */
unsigned int code_tanh_end(void);

/* Functions of the network, the last one of them NAME_run(): code.c */
void code_put_network(const struct code *c);

/* Text of anybody's in a comment, in a string: codefile.c */
void code_put_comment(FILE *f, const char *text);
void code_put_string(FILE *f, const char *text);

/* Whole files: codefile.c */
void code_put_user(const struct code *c, const char *about);
void code_put_user_header(const struct code *c, const char *about);
void code_put_module(const struct code *c, const char *about, const char *app);
void code_put_bpf(const struct code *c, const char *about);

/* Accumulators of a layer: one for two rows, or one for each if its sums are wide. */
static inline unsigned int code_sums(const struct lf_layer *layer)
{
	return layer->wide ? layer->n_out : (layer->n_out + 1U) / 2;
}

static inline bool code_is_curve(const struct lf_layer *layer)
{
	return layer->act == LITEFLOW_ACT_TANH || layer->act == LITEFLOW_ACT_SIGMOID;
}

/*
 * Sums of two rows are computed modulo 2^64, with what helps already in their biases. Not
 * in BPF: it has ten registers, too few for that.
 */
static inline bool code_is_modular(const struct code *c, const struct lf_layer *layer)
{
	return !layer->wide && c->target != CODE_BPF;
}

static inline const char *code_sum_type(const struct code *c, const struct lf_layer *layer)
{
	return code_is_modular(c, layer) ? "u64" : "s64";
}

/* Of these sums: is one multiplication made for two inputs of two rows? */
bool code_halves(const struct code *c, const struct lf_layer *layer);
/* And do the biases have half of what the shift of the layer takes away? */
bool code_rounds(const struct code *c, unsigned int nth);

/* Sums that are computed side by side, so that none waits for its multiplication. */
#define CODE_BLOCK	4

/*
 * An inner loop this long is unrolled as a whole, over inputs or pairs of them; how often
 * a longer one is.
 */
#define CODE_WHOLE		16
#define CODE_WHOLE_PAIRS	8
unsigned int code_unroll(unsigned int n, unsigned int whole);

/* So many inputs have constants in the code, more of them read a table. */
#define CODE_INPUTS	64

#endif /* _LFCTL_CODE_H */
