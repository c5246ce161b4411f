/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text from anywhere, where only UTF-8 may go.
 */
#ifndef _LITEFLOW_UTF8_H
#define _LITEFLOW_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length of the UTF-8 character at @text, which ends with a zero byte; 0: it is none. */
static inline size_t utf8_len(const char *text)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;
	} forms[] = {
		{ 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 },
	};
	const unsigned char *s = (const unsigned char *)text;
	size_t n, i, count = sizeof(forms) / sizeof(*forms);
	uint32_t c;

	for (n = 0; n < count; n++)
		if ((*s & forms[n].mask) == forms[n].lead)
			break;
	if (n == count)
		return 0;
	c = *s & ~forms[n].mask;
	for (i = 1; i <= n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	/* the shortest form only, no surrogates, nothing beyond Unicode */
	if (c < forms[n].min || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	return n + 1;
}

/* Bytes of @text that are no UTF-8 become "?". */
static inline void utf8_mend(char *text)
{
	size_t n;

	for (; *text; text += n ? n : 1) {
		n = utf8_len(text);
		if (!n)
			*text = '?';
	}
}

#endif /* _LITEFLOW_UTF8_H */
