// SPDX-License-Identifier: GPL-2.0
/*
 * A model as C: the functions. They do what kernel/liteflow/engine.c does, whose
 * comments say why it is right.
 */
#include <stdarg.h>
#include <stdio.h>
#include "code.h"

/* Short, as it is on every line here. */
#define put	code_put

void code_put(const struct code *c, const char *fmt, ...)
{
	char text[4096], *p;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (p = text; *p; p++) {
		if (*p == '@')
			fputs(c->prefix, c->f);
		else
			fputc(*p, c->f);
	}
}

static bool any_layer(const struct lf_model *model, bool (*is)(const struct lf_layer *layer))
{
	unsigned int l;

	for (l = 0; l < model->n_layers; l++)
		if (is(&model->layers[l]))
			return true;
	return false;
}

static bool is_narrow(const struct lf_layer *layer)
{
	return !layer->wide;
}

static bool is_tanh(const struct lf_layer *layer)
{
	return layer->act == LITEFLOW_ACT_TANH;
}

static bool is_sigmoid(const struct lf_layer *layer)
{
	return layer->act == LITEFLOW_ACT_SIGMOID;
}

/* Without a rest, or as a whole: what is left over costs more than it saves. */
unsigned int code_unroll(unsigned int n, unsigned int whole)
{
	unsigned int by;

	if (n <= whole)
		return n;
	for (by = whole * 5 / 8; by >= whole * 3 / 8; by--)
		if (n % by == 0)
			return by;
	return whole / 2;
}

bool code_halves(const struct code *c, const struct lf_layer *layer)
{
	return code_is_modular(c, layer) && code_sums(layer) > 1 && layer->n_in > 1;
}

static bool any_halved(const struct code *c)
{
	unsigned int l;

	for (l = 0; l < c->model->n_layers; l++)
		if (code_halves(c, &c->model->layers[l]))
			return true;
	return false;
}

static const struct lf_layer *last_layer(const struct lf_model *model)
{
	return &model->layers[model->n_layers - 1];
}

/* -- helpers ------------------------------------------------------------------ */

/*
 * Without branches in BPF: each would double the paths that the verifier walks. The
 * compiler must not see through it, or it would branch. No two numbers here are
 * further apart than 2^63.
 */
static void put_extremes(const struct code *c)
{
	if (c->target != CODE_BPF) {
		put(c, "@_INLINE s64 @_min(s64 a, s64 b)\n"
		    "{\n"
		    "\treturn a < b ? a : b;\n"
		    "}\n\n"
		    "@_INLINE s64 @_max(s64 a, s64 b)\n"
		    "{\n"
		    "\treturn a > b ? a : b;\n"
		    "}\n\n");
		return;
	}
	put(c, "/* The number as it is; the compiler does not know which */\n"
	    "@_INLINE s64 @_hide(s64 v)\n"
	    "{\n"
	    "\tasm volatile(\"\" : \"+r\"(v));\n"
	    "\treturn v;\n"
	    "}\n\n"
	    "/* -1 if v < 0, else 0; no branch, as the verifier walks all ways */\n"
	    "@_INLINE s64 @_sign(s64 v)\n"
	    "{\n"
	    "\treturn @_hide(@_hide(v) >> 63);\n"
	    "}\n\n"
	    "@_INLINE s64 @_min(s64 a, s64 b)\n"
	    "{\n"
	    "\treturn b + ((a - b) & @_sign(a - b));\n"
	    "}\n\n"
	    "@_INLINE s64 @_max(s64 a, s64 b)\n"
	    "{\n"
	    "\treturn a - ((a - b) & @_sign(a - b));\n"
	    "}\n\n");
}

static void put_arithmetic(const struct code *c)
{
	put(c, "/* v / 2^shift, rounded to the nearest, halves up */\n"
	    "@_INLINE s64 @_rshift(s64 v, unsigned int shift)\n"
	    "{\n"
	    "\treturn (v + (1LL << shift >> 1)) >> shift;\n"
	    "}\n\n");
	put_extremes(c);
	put(c,
	    "/* How an input is seen, or an output made: integers of the app */\n"
	    "struct @_scale {\n"
	    "\ts32 lo, hi, offset, mult;\n"
	    "\tunsigned int shift;\n"
	    "};\n\n"
	    "@_INLINE s%d @_input(s32 in, const struct @_scale *s)\n"
	    "{\n"
	    "\tin = @_min(@_max(in, s->lo), s->hi);\n"
	    "\treturn @_rshift(((s64)in - s->offset) * s->mult, s->shift);\n"
	    "}\n\n"
	    "@_INLINE s32 @_output(s64 v, const struct @_scale *s)\n"
	    "{\n"
	    "\tv = @_rshift(v * s->mult, s->shift) + s->offset;\n"
	    "\treturn @_min(@_max(v, s->lo), s->hi);\n"
	    "}\n\n", c->model->n_cells ? 32 : 16);
}

/* Of layers whose sums are modular, see code.h. */
static void put_modular_halves(const struct code *c)
{
	put(c, "/*\n"
	    " * Two rows share an accumulator. Its lower half is the even row's sum and 2^31,\n"
	    " * which is in the bias: so it is never negative and borrows nothing from the\n"
	    " * upper half, the odd row's sum.\n"
	    " */\n"
	    "@_INLINE s64 @_lower(u64 acc)\n"
	    "{\n"
	    "\treturn (s64)(u32)acc - (1LL << 31);\n"
	    "}\n\n"
	    "@_INLINE s64 @_upper(u64 acc)\n"
	    "{\n"
	    "\treturn (s64)acc >> 32;\n"
	    "}\n\n");
}

static void put_halves(const struct code *c)
{
	put(c, "/*\n"
	    " * Two rows share an accumulator. The lower half is the even row's sum; if it is\n"
	    " * negative, it borrowed one from the upper half, the odd row's.\n"
	    " */\n"
	    "@_INLINE s64 @_even(s64 acc)\n"
	    "{\n"
	    "\treturn (s32)acc;\n"
	    "}\n\n"
	    "@_INLINE s64 @_odd(s64 acc)\n"
	    "{\n"
	    "\treturn (acc - (s32)acc) >> 32;\n"
	    "}\n\n");
}

static void put_products(const struct code *c)
{
	put(c, "/*\n"
	    " * Half the multiplications: for inputs u, v and weights a, b of theirs\n"
	    " *\n"
	    " *\tu * a + v * b = (u + b) * (v + a) - u * v - a * b\n"
	    " *\n"
	    " * (Winograd, A New Algorithm for Inner Product, 1968). This is the sum of all\n"
	    " * u * v, which no row changes; that of all a * b is in the bias. Unsigned numbers\n"
	    " * wrap, and the sum that comes out in the end needs no more than 64 bits.\n"
	    " */\n"
	    "@_INLINE u64 @_products(const s16 *x, unsigned int n)\n"
	    "{\n"
	    "\tu64 sum = 0;\n"
	    "\tunsigned int i;\n\n"
	    "\tfor (i = 0; i + 1 < n; i += 2)\n"
	    "\t\tsum += (u64)x[i] * (u64)x[i + 1];\n"
	    "\treturn sum;\n"
	    "}\n\n");
}

/* The engine's way: a small table, of which the verifier sees that no index leaves it. */
static void put_odd_tanh(const struct code *c)
{
	code_put_tanh_table(c);
	put(c, "/* Of an angle with %u bits after the point: interpolated, and odd */\n"
	    "@_INLINE s32 @_tanh(s64 angle)\n"
	    "{\n"
	    "\ts64 sign = angle >> 63;\n"
	    "\tu32 t = @_min((angle ^ sign) - sign, 0x%x);\n"
	    "\tconst u16 *p = &@_tanh_table[(@_hide(t) >> 8) & 511];\n"
	    "\ts32 part = t & 255;\n"
	    "\ts32 y = p[0];\n\n"
	    "\ty += ((p[1] - y) * part + 128) >> 8;\n"
	    "\treturn (y ^ (s32)sign) - (s32)sign;\n"
	    "}\n\n", LITEFLOW_TANH_IN_FRAC, (8 << LITEFLOW_TANH_IN_FRAC) - 1);
}

/* Lines instead of points, and both signs: more memory, fewer instructions. */
static void put_line_tanh(const struct code *c)
{
	unsigned int end = code_tanh_end();

	code_put_tanh_lines(c);
	put(c, "/* Of an angle with %u bits after the point */\n"
	    "@_INLINE s32 @_tanh(s64 angle)\n"
	    "{\n"
	    "\ts64 t = @_min(@_max(angle, -%u), %u);\n"
	    "\ts64 line = (t >> 8) + %u;\n\n"
	    "\treturn (@_tanh_base[line] + @_tanh_slope[line] * (s32)(t & 255)) >> 8;\n"
	    "}\n\n", LITEFLOW_TANH_IN_FRAC, end << 8, (end << 8) - 1, end);
}

/* Are so many lines looked up that it is quicker to fetch the likely ones at a time? */
static bool fetches_tanh(const struct code *c)
{
	unsigned int l, units = 0;

	for (l = 0; l < c->model->n_layers; l++)
		if (code_is_curve(&c->model->layers[l]))
			units += c->model->layers[l].n_out;
	return c->target != CODE_BPF && !c->model->n_cells && units >= 16;
}

/* Of the table, angles from -2 to 2. */
static void put_fetch(const struct code *c)
{
	unsigned int begin = code_tanh_end() - 128;

	put(c, "/* If caches are cold: the table's middle comes while inputs are quantised */\n"
	    "@_INLINE void @_fetch_tanh(void)\n"
	    "{\n"
	    "\tunsigned int i;\n\n"
	    "@_UNROLL(16)\n"
	    "\tfor (i = 0; i < 256; i += 64 / sizeof(s32))\n"
	    "\t\t__builtin_prefetch(&@_tanh_base[%u + i]);\n"
	    "@_UNROLL(8)\n"
	    "\tfor (i = 0; i < 256; i += 64 / sizeof(u16))\n"
	    "\t\t__builtin_prefetch(&@_tanh_slope[%u + i]);\n"
	    "}\n\n", begin, begin);
}

static void put_curves(const struct code *c)
{
	if (c->target == CODE_BPF)
		put_odd_tanh(c);
	else
		put_line_tanh(c);
	if (fetches_tanh(c))
		put_fetch(c);
	if (any_layer(c->model, is_sigmoid) || code_cell_has(c->model, code_cell_gated))
		put(c, "/* 1 / (1 + exp(-a)) = (1 + tanh(a / 2)) / 2 */\n"
		    "@_INLINE s32 @_sigmoid(s64 angle)\n"
		    "{\n"
		    "\treturn ((1 << %u) + @_tanh(angle)) >> 1;\n"
		    "}\n\n", LITEFLOW_TANH_OUT_FRAC);
}

static void put_clamp(const struct code *c)
{
	put(c, "/* What 16 bits hold; of a ReLU, from 0 on */\n"
	    "@_INLINE s16 @_clamp(s64 v, s64 least)\n"
	    "{\n"
	    "\treturn @_min(@_max(v, least), 32767);\n"
	    "}\n\n");
}

static bool is_clamped(const struct lf_model *model)
{
	unsigned int l;

	for (l = 0; l + 1 < model->n_layers; l++)
		if (!code_is_curve(&model->layers[l]))
			return true;
	return false;
}

static void put_helpers(const struct code *c)
{
	bool narrow = any_layer(c->model, is_narrow) || code_cell_has(c->model, code_cell_narrow);

	put(c, "#define @_INLINE\tstatic inline __attribute__((__always_inline__, __unused__))\n"
	    "#define @_PRAGMA(text)\t_Pragma(#text)\n"
	    "#ifdef __clang__\n"
	    "#define @_UNROLL(n)\t@_PRAGMA(clang loop unroll_count(n))\n"
	    "#else\n"
	    "#define @_UNROLL(n)\t@_PRAGMA(GCC unroll n)\n"
	    "#endif\n");
	if (c->target != CODE_BPF)
		put(c, "/* Written before it is read, so not to be set to zero before that */\n"
		    "#if __has_attribute(__uninitialized__)\n"
		    "#define @_UNSET\t__attribute__((__uninitialized__))\n"
		    "#else\n"
		    "#define @_UNSET\n"
		    "#endif\n");
	if (narrow)
		put(c, "/* Parameters of an even row and of the odd one behind it */\n"
		    "#define @_PAIR(even, odd)\t((odd) * (1LL << 32) + (even))\n");
	put(c, "\n");
	put_arithmetic(c);
	if (code_cell_has(c->model, code_cell_narrow) || (narrow && c->target == CODE_BPF))
		put_halves(c);
	if (any_layer(c->model, is_narrow) && c->target != CODE_BPF)
		put_modular_halves(c);
	if (any_halved(c))
		put_products(c);
	if (any_layer(c->model, is_tanh) || any_layer(c->model, is_sigmoid) ||
	    code_cell_has(c->model, code_cell_curve))
		put_curves(c);
	if (is_clamped(c->model))
		put_clamp(c);
	code_put_cell_helpers(c);
}

/* -- a layer ------------------------------------------------------------------ */

/* What a row's sum becomes: an activation, a value of the last layer. */
static void put_activation(const struct code *c, unsigned int nth, const char *sum)
{
	const struct lf_layer *layer = &c->model->layers[nth];
	bool last = nth + 1U == c->model->n_layers;
	char v[96];

	snprintf(v, sizeof(v), code_rounds(c, nth) ? "%s >> %u" : "@_rshift(%s, %u)", sum,
		 layer->shift);
	if (layer->act == LITEFLOW_ACT_TANH)
		put(c, "@_tanh(%s)", v);
	else if (layer->act == LITEFLOW_ACT_SIGMOID)
		put(c, "@_sigmoid(%s)", v);
	else if (!last)
		put(c, "@_clamp(%s, %s)", v, layer->act == LITEFLOW_ACT_RELU ? "0" : "-32768");
	else if (layer->act == LITEFLOW_ACT_RELU)
		put(c, "@_max(%s, 0)", sum);
	else
		put(c, "%s", sum);
}

static void put_row(const struct code *c, unsigned int nth, const char *at, const char *sum)
{
	const struct lf_layer *layer = &c->model->layers[nth];

	if (layer->act == LITEFLOW_ACT_ARGMAX) {
		put(c, "\t\t@_best(%s, %s, &most, &largest);\n", sum, at);
		return;
	}
	if (nth + 1U < c->model->n_layers) {
		put(c, "\t\ty[%s] = ", at);
		put_activation(c, nth, sum);
		put(c, ";\n");
		return;
	}
	put(c, "\t\ty[%s] = @_output(", at);
	put_activation(c, nth, sum);
	put(c, ", &@_outputs[%s]);\n", at);
}

/* The rows of sum @k of the block whose first row is @row; there are @rows in the layer. */
static void put_rows(const struct code *c, unsigned int nth, unsigned int k, bool odd)
{
	const struct lf_layer *layer = &c->model->layers[nth];
	char at[32], sum[64];

	snprintf(at, sizeof(at), "row + %u", layer->wide ? k : 2 * k);
	if (layer->wide) {
		snprintf(sum, sizeof(sum), "a%u", k);
		put_row(c, nth, at, sum);
		return;
	}
	snprintf(sum, sizeof(sum), code_is_modular(c, layer) ? "@_lower(a%u)" : "@_even(a%u)", k);
	put_row(c, nth, at, sum);
	if (!odd)
		return;
	snprintf(at, sizeof(at), "row + %u", 2 * k + 1);
	snprintf(sum, sizeof(sum), code_is_modular(c, layer) ? "@_upper(a%u)" : "@_odd(a%u)", k);
	put_row(c, nth, at, sum);
}

/* Two inputs at a time, and what is left of them. */
static void put_halved_loop(const struct code *c, const struct lf_layer *layer, unsigned int n)
{
	unsigned int k;

	put(c, "@_UNROLL(%u)\n\t\tfor (i = 0; i < %u; i += 2, weight += %u) {\n"
	    "\t\t\tu64 u = x[i], v = x[i + 1];\n\n",
	    code_unroll(layer->n_in / 2, CODE_WHOLE_PAIRS), layer->n_in & ~1U, 2 * n);
	for (k = 0; k < n; k++)
		put(c, "\t\t\ta%u += (u + weight[%u]) * (v + weight[%u]);\n", k, n + k, k);
	put(c, "\t\t}\n");
	if (!(layer->n_in & 1))
		return;
	for (k = 0; k < n; k++)
		put(c, "\t\ta%u += (u64)x[i] * weight[%u];\n", k, k);
	put(c, "\t\tweight += %u;\n", n);
}

static void put_loop(const struct code *c, const struct lf_layer *layer, unsigned int n)
{
	unsigned int k;

	put(c, "@_UNROLL(%u)\n\t\tfor (i = 0; i < %u; i++, weight += %u) {\n"
	    "\t\t\t%s v = x[i];\n\n", code_unroll(layer->n_in, CODE_WHOLE), layer->n_in, n,
	    code_sum_type(c, layer));
	for (k = 0; k < n; k++)
		put(c, "\t\t\ta%u += weight[%u] * v;\n", k, k);
	/* clang would load now, multiply much later, and spill everything meanwhile */
	if (c->target == CODE_BPF) {
		put(c, "\t\t\tasm volatile(\"\" : ");
		for (k = 0; k < n; k++)
			put(c, "\"+r\"(a%u)%s", k, k + 1 < n ? ", " : " : : \"memory\");\n");
	}
	put(c, "\t\t}\n");
}

/* @n sums side by side, in braces; the last one may have no odd row. */
static void put_block(const struct code *c, unsigned int nth, unsigned int n, bool odd)
{
	const struct lf_layer *layer = &c->model->layers[nth];
	bool halved = code_halves(c, layer);
	unsigned int k;

	put(c, "\t\t%s ", code_sum_type(c, layer));
	for (k = 0; k < n; k++)
		put(c, "a%u = bias[%u]%s%s", k, k, halved ? " - products" : "",
		    k + 1 == n ? ";\n\n" : halved && k % 2 ? ",\n\t\t    " : ", ");
	if (halved)
		put_halved_loop(c, layer, n);
	else
		put_loop(c, layer, n);
	for (k = 0; k < n; k++)
		put_rows(c, nth, k, k + 1 < n || odd);
}

static void put_best(const struct code *c)
{
	put(c, "/* The lowest index of the largest sum */\n"
	    "@_INLINE void @_best(s64 sum, s64 row, s64 *most, s64 *largest)\n"
	    "{\n"
	    "%s"
	    "\t*most = @_max(*most, sum);\n"
	    "}\n\n", c->target == CODE_BPF ?
	    "\t*largest += (row - *largest) & @_sign(*most - sum);\n" :
	    "\t*largest = sum > *most ? row : *largest;\n");
}

static void put_layer_comment(const struct code *c, unsigned int nth)
{
	static const char *const acts[] = { "none", "ReLU", "tanh", "sigmoid", "argmax" };
	const struct lf_layer *layer = &c->model->layers[nth];

	put(c, "/* -- layer %u: %u inputs, %u units, %s, %s -- */\n\n", nth, layer->n_in,
	    layer->n_out, acts[layer->act],
	    layer->wide ? "64-bit sums" : "32-bit sums, of two rows at a time");
}

static void put_layer(const struct code *c, unsigned int nth)
{
	const struct lf_layer *layer = &c->model->layers[nth];
	bool last = nth + 1U == c->model->n_layers, argmax = layer->act == LITEFLOW_ACT_ARGMAX;
	unsigned int step = layer->wide ? CODE_BLOCK : 2 * CODE_BLOCK;
	unsigned int full = code_sums(layer) / CODE_BLOCK, rest = code_sums(layer) % CODE_BLOCK;
	bool odd = layer->wide || !(layer->n_out & 1);

	/* of full blocks, the last one may lack its odd row: it is then no full one */
	if (full && !rest && !odd) {
		full--;
		rest = CODE_BLOCK;
	}
	put_layer_comment(c, nth);
	code_put_layer_tables(c, nth);
	put(c, "@_INLINE void @_layer%u(const %s *x, %s *y)\n"
	    "{\n"
	    "\tconst %s *weight = @_weight%u;\n"
	    "\tconst %s *bias = @_bias%u;\n"
	    "\tunsigned int row = 0, i;\n",
	    nth, !nth && code_is_long(c->model) ? "s32" : "s16", last ? "s32" : "s16",
	    layer->wide ? "s16" : "s64", nth, code_sum_type(c, layer), nth);
	if (code_halves(c, layer))
		put(c, "\tu64 products = @_products(x, %u);\n", layer->n_in);
	if (argmax)
		put(c, "\ts64 most = -(1LL << 62), largest = 0;\n");
	put(c, "\n");
	/* clang would hold the address of each element on its own */
	if (c->target == CODE_BPF)
		put(c, "\tasm volatile(\"\" : \"+r\"(weight), \"+r\"(bias));\n");
	if (full) {
		put(c, "%s\tfor (; row < %u; row += %u, bias += %u) {\n",
		    c->target == CODE_BPF ? "@_PRAGMA(clang loop unroll(disable))\n" : "", full * step,
		    step, CODE_BLOCK);
		put_block(c, nth, CODE_BLOCK, true);
		put(c, "\t}\n");
	}
	if (rest) {
		put(c, "\t{\n");
		put_block(c, nth, rest, odd);
		put(c, "\t}\n");
	}
	if (argmax)
		put(c, "\ty[0] = @_output(largest, &@_outputs[0]);\n");
	put(c, "}\n\n");
}

/* -- the network -------------------------------------------------------------- */

/* The least number has no literal of its own in C. */
static void put_number(const struct code *c, s32 v)
{
	if (v == INT32_MIN)
		put(c, "-2147483647 - 1, ");
	else
		put(c, "%d, ", v);
}

static void put_scales(const struct code *c, const char *what, const struct lf_scale *s,
		       const char (*names)[LITEFLOW_NAME_LEN], unsigned int n)
{
	unsigned int i;

	put(c, "/* lo, hi, offset, mult, shift */\n"
	    "static const struct @_scale @_%s[%u] = {\n", what, n);
	for (i = 0; i < n; i++, s++, names++) {
		put(c, "\t{ ");
		put_number(c, s->lo);
		put_number(c, s->hi);
		put_number(c, s->offset);
		put(c, "%d, %u },\t/* ", s->mult, s->shift);
		code_put_comment(c->f, *names);
		put(c, " */\n");
	}
	put(c, "};\n\n");
}

/* Layers take turns with two arrays: the widest of each turn. */
static unsigned int turn_width(const struct lf_model *model, unsigned int turn)
{
	unsigned int width = 0, l;

	if (!turn && !code_is_long(model))
		width = model->layers[0].n_in;
	for (l = 0; l + 1U < model->n_layers; l++)
		if ((l & 1) != turn && model->layers[l].n_out > width)
			width = model->layers[l].n_out;
	return width;
}

size_t code_stack(const struct lf_model *model)
{
	size_t stack = (turn_width(model, 0) + turn_width(model, 1)) * sizeof(s16);

	return model->n_cells ? stack + (model->n_in + code_cell_room(model)) * sizeof(s32) : stack;
}

/*
 * The arrays' addresses are hidden from clang: else it keeps activations in registers,
 * of which BPF has ten, and spills each as eight bytes in place of two.
 */
static void put_arrays(const struct code *c)
{
	unsigned int x = turn_width(c->model, 0), y = turn_width(c->model, 1);

	if (c->target != CODE_BPF) {
		put(c, "\ts16 x[%u] @_UNSET", x);
		if (y)
			put(c, ", y[%u] @_UNSET", y);
		put(c, ";\n");
		return;
	}
	put(c, "\ts16 array_x[%u], *x = array_x;\n", x);
	if (y)
		put(c, "\ts16 array_y[%u], *y = array_y;\n", y);
}

/* Of a model that remembers; only programs may have one. */
static void put_step(const struct code *c)
{
	const struct lf_model *m = c->model;
	unsigned int x = turn_width(m, 0), y = turn_width(m, 1), l;
	const char *from;

	put(c, "void %s_run(const s32 *in, s32 *out, s32 *state)\n{\n", c->name);
	if (x)
		put(c, "\ts16 x[%u] @_UNSET;\n", x);
	if (y)
		put(c, "\ts16 y[%u] @_UNSET;\n", y);
	put(c, "%s\ts32 seen[%u], next[%u];\n\tunsigned int i;\n\n@_UNROLL(%u)\n"
	    "\tfor (i = 0; i < %u; i++)\n\t\tseen[i] = @_input(in[i], &@_inputs[i]);\n",
	    code_is_long(m) ? "\tconst s32 *h;\n" : "", m->n_in, code_cell_room(m),
	    m->n_in <= CODE_INPUTS ? m->n_in : 1, m->n_in);
	code_put_front(c);
	for (l = 0; l < m->n_layers; l++) {
		from = !l && code_is_long(m) ? "h" : l & 1 ? "y" : "x";
		put(c, "\t@_layer%u(%s, %s);\n", l, from,
		    l + 1U == m->n_layers ? "out" : l & 1 ? "x" : "y");
	}
	put(c, "}\n");
}

static void put_run(const struct code *c)
{
	const struct lf_model *m = c->model;
	unsigned int l;

	put(c, "%s %s_run(const s32 *in, s32 *out)\n"
	    "{\n", c->target == CODE_BPF ? "@_INLINE void" : c->target == CODE_MODULE ?
	    "static void" : "void", c->name);
	put_arrays(c);
	put(c, "\tunsigned int i;\n\n");
	if (c->target == CODE_BPF)
		put(c, "\tasm volatile(\"\" : \"+r\"(x)%s : : \"memory\");\n",
		    turn_width(m, 1) ? ", \"+r\"(y)" : "");
	if (fetches_tanh(c))
		put(c, "\t@_fetch_tanh();\n");
	put(c, "@_UNROLL(%u)\n\tfor (i = 0; i < %u; i++)\n"
	    "\t\tx[i] = @_input(in[i], &@_inputs[i]);\n",
	    m->n_in <= CODE_INPUTS ? m->n_in : 1, m->n_in);
	for (l = 0; l < m->n_layers; l++)
		put(c, "\t@_layer%u(%s, %s);\n", l, l & 1 ? "y" : "x",
		    l + 1U == m->n_layers ? "out" : l & 1 ? "x" : "y");
	put(c, "}\n");
}

void code_put_network(const struct code *c)
{
	const struct lf_model *m = c->model;
	unsigned int l;

	put_helpers(c);
	if (last_layer(m)->act == LITEFLOW_ACT_ARGMAX)
		put_best(c);
	put_scales(c, "inputs", m->in, m->in_names, m->n_in);
	put_scales(c, "outputs", m->out, m->out_names, m->n_out);
	for (l = 0; l < m->n_cells; l++)
		code_put_cell(c, l);
	for (l = 0; l < m->n_layers; l++)
		put_layer(c, l);
	if (m->n_cells)
		put_step(c);
	else
		put_run(c);
}
