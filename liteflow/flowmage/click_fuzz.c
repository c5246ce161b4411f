// SPDX-License-Identifier: GPL-2.0
/*
 * Damaged configurations of Click, to be run under AddressSanitizer.
 *
 *	click_fuzz COUNT SEED FILE...
 *
 * Each of COUNT texts is one of the files with bytes flipped, cut out, doubled and put in from
 * another file. A text is parsed; if it is understood, every element gets an argument more, the
 * result is parsed again, and has to be what the first one was but for that.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "click.h"
#include "click_edit.h"
#include "flowmage.h"

bool opt_json;	/* util.c wants it */

static uint64_t state;

static uint64_t draw(uint64_t below)
{
	/* xorshift64 */
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? state % below : 0;
}

struct text {
	char *bytes;
	size_t n;
};

static void put(struct text *t, size_t at, size_t old, const char *bytes, size_t n)
{
	char *made = malloc(t->n - old + n + 1);

	memcpy(made, t->bytes, at);
	memcpy(made + at, bytes, n);
	memcpy(made + at + n, t->bytes + at + old, t->n - at - old);
	t->n += n - old;
	made[t->n] = 0;
	free(t->bytes);
	t->bytes = made;
}

static void damage(struct text *t, const struct text *other)
{
	static const char *const words[] = {
		"{", "}", "(", ")", "[", "]", "->", "=>", "::", "||", "...", "|", ",", ";", "$a",
		"${", "\"", "'", "/*", "//", "\\<", "elementclass", "input", "output", "define(",
		"require(", "[0-", "[65535]", "@", "\n#", "~>", "__REST__ $r |", "X ", " X{}",
	};
	size_t at = draw(t->n + 1), n = draw(40), from = draw(other->n + 1);
	const char *word;
	char c;

	if (n > t->n - at)
		n = t->n - at;
	switch (draw(5)) {
	case 0:
		c = draw(256);
		put(t, at, n > 0, &c, 1);
		break;
	case 1:
		put(t, at, n, "", 0);
		break;
	case 2:
		put(t, draw(t->n + 1), 0, other->bytes + from,
		    draw(other->n - from + 1));
		break;
	default:
		word = words[draw(ARRAY_SIZE(words))];
		put(t, at, 0, word, strlen(word));
	}
}

static void __attribute__((noreturn)) bad(const struct text *t, const char *why)
{
	fprintf(stderr, "%s, for\n%s\n", why, t->bytes);
	abort();
}

static void one(const struct text *t, unsigned long *good)
{
	struct click_file file, again;
	char why[300] = "", *made, *dump;

	if (click_parse(&file, "fuzz", t->bytes, t->n, why, sizeof(why))) {
		if (strncmp(why, "fuzz:", 5) || strchr(why, '\n'))
			bad(t, why);
		click_free(&file);
		return;
	}
	++*good;
	made = click_edit_check(&file, why, sizeof(why));
	if (!made && strstr(why, "is no word")) {
		click_free(&file);
		return;
	}
	if (!made)
		bad(t, why);
	if (click_parse(&again, "again", made, strlen(made), why, sizeof(why)))
		bad(t, why);
	dump = click_dump(&again);
	free(dump);
	click_free(&again);
	free(made);
	click_free(&file);
}

int main(int argc, char **argv)
{
	unsigned long count, i, good = 0;
	struct text *files, t;
	int n = argc - 3, k;

	if (n < 1)
		return EXIT_USAGE;
	count = strtoul(argv[1], NULL, 0);
	state = strtoull(argv[2], NULL, 0) * 2654435761u + 1;
	files = calloc(n, sizeof(*files));
	for (k = 0; k < n; k++) {
		files[k].bytes = read_file(argv[3 + k], CLICK_MAX_FILE, &files[k].n);
		if (!files[k].bytes)
			exit(EXIT_OTHER);
	}
	for (i = 0; i < count; i++) {
		const struct text *from = &files[draw(n)];

		t = (struct text){ malloc(from->n + 1), from->n };
		memcpy(t.bytes, from->bytes, from->n);
		t.bytes[t.n] = 0;
		for (k = draw(4); k >= 0; k--)
			damage(&t, &files[draw(n)]);
		one(&t, &good);
		free(t.bytes);
	}
	printf("%lu texts, %lu understood\n", count, good);
	for (k = 0; k < n; k++)
		free(files[k].bytes);
	free(files);
	return 0;
}
