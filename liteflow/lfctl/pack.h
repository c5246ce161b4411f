/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The writer: JSON of floating-point layers in, a model out.
 *
 * Link libpack.a of this directory, libliteflow.a, -ljson-c and -lm.
 */
#ifndef _LFCTL_PACK_H
#define _LFCTL_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/liteflow_model.h>

struct json_object;
struct lf_model;
struct net;
struct reason;

/*
 * A model whose outputs are off by more than this part of their span is refused.
 * The limit is a choice: a model that ignores its inputs and always answers the
 * middle of the span is off by half of it, and this is a tenth of that. Models
 * with sensible ranges are far below, the shipped ones below a hundredth.
 *
 * With argmax it is half of the answers that differ, see pack_estimate::seen.
 */
#define PACK_MAX_ERROR	0.05

/* Fewer rows say nothing of what is to come. */
#define PACK_MIN_ROWS	100

/* Random rows of a network that remembers come in sequences of so many. */
#define PACK_SEQUENCE	256

/* Of what a value was seen to move by, kept free beyond what was seen. */
#define PACK_MARGIN	0.25

/**
 * struct pack_data - rows of inputs that are like those to come
 * @n: number of rows; of the first three quarters the ranges are taken, the rest is
 *	held out
 * @rows: [n][inputs], the app's integers
 * @margin: as PACK_MARGIN
 */
struct pack_data {
	unsigned int n;
	const int32_t *rows;
	double margin;
};

/**
 * struct pack_error - how far a model is from double arithmetic
 * @rows: inputs tried
 * @max: greatest error of an output, the app's integer units
 * @mean: mean error of all outputs
 * @max_span: greatest error of an output as part of its span
 * @mean_span: mean error likewise
 * @differ: argmax: rows with another answer
 */
struct pack_error {
	unsigned int rows;
	double max;
	double mean;
	double max_span;
	double mean_span;
	unsigned int differ;
};

/**
 * struct pack_seen - what data said of a model; pairs are of the rows that the ranges
 *	were taken from, and of those held out
 * @decided: a layer has its range from the data; else they would have made it worse,
 *	or there was nothing to decide
 * @error: of the outputs
 * @clamped: inputs beyond their declared ranges
 * @layers: by layer, values of it and how many of them saturate
 */
struct pack_seen {
	bool decided;
	struct pack_error error[2];
	unsigned long long clamped;
	struct {
		unsigned long long values[2];
		unsigned long long saturated[2];
	} layers[LITEFLOW_MAX_LAYERS];
};

/**
 * struct pack_estimate - errors of the outputs, as parts of their span
 * @seen: greatest one on the rows of data, or without them on some random inputs;
 *	argmax: a tenth of the part of answers that differ
 * @anywhere: the same on some random inputs
 * @rms: expected; argmax: 0
 * @bound: none is above it; argmax: 0
 * @data: what the rows said
 */
struct pack_estimate {
	double seen;
	double anywhere;
	double rms;
	double bound;
	struct pack_seen data;
};

/**
 * struct pack_options - how to pack
 * @bits: of the sums: 32, 64 or 0: as the network says; if that says nothing, 32,
 *	and 64 for layers where that helps
 * @sigmas: see quant_make()
 * @data: rows that show which ranges occur; NULL: none are known
 * @max_error: refuse the model if the error is above; 0: PACK_MAX_ERROR
 * @force: pack it even then
 * @report: what was chosen, and the errors to expect; NULL: nobody wants to know
 * @estimate: result: errors to expect; NULL: not wanted
 */
struct pack_options {
	int bits;
	double sigmas;
	const struct pack_data *data;
	double max_error;
	bool force;
	FILE *report;
	struct pack_estimate *estimate;
};

/* Where check inputs are drawn. */
enum pack_draw {
	PACK_UNIFORM,	/* all of the ranges, evenly */
	PACK_NEAR_ZERO,	/* close to where the network sees zeroes, at many scales */
};

/* 0, or -1 with a reason in @err, one line. The caller frees *blob. */
int lf_pack(struct json_object *json, void **blob, size_t *len, char *err, size_t errlen);
int lf_pack_net(const struct net *net, const struct pack_options *opts, void **blob,
		size_t *len, char *err, size_t errlen);

/* "outputs are off by ...", from pack_estimate::seen */
void pack_describe_error(const struct net *net, double seen, struct reason *text);

/* A random row, and the next state of the generator. */
void pack_draw(const struct net *net, enum pack_draw draw, uint64_t *state, int32_t *in);

/*
 * Ask @model and @net the same @rows questions; the same @seed, the same ones. Those that
 * remember begin anew every PACK_SEQUENCE rows.
 */
int pack_compare(const struct net *net, const struct lf_model *model, enum pack_draw draw,
		 unsigned int rows, unsigned long long seed, struct pack_error *e);
/*
 * The same with given inputs, every @step-th of @n rows; all rows, and as one sequence,
 * if net and model remember.
 */
int pack_compare_rows(const struct net *net, const struct lf_model *model, const int32_t *in,
		      unsigned int n, unsigned int step, struct pack_error *e);
/* A number from [0, 1). */
double pack_random(uint64_t *state);

/*
 * JSON text to an object; also refuses what json-c lets pass, as keys twice.
 * text[len] has to be 0.
 */
struct json_object *json_parse_strictly(const char *text, size_t len, char *err, size_t errlen);

#endif /* _LFCTL_PACK_H */
