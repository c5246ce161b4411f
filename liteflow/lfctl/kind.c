// SPDX-License-Identifier: GPL-2.0
/*
 * What a file is, by its content.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include "kind.h"

#define LOOKED_AT	4096	/* bytes in which a text shows what it is */

/* as in scripts/pylib/kinds.py, which test_kinds.py sees to */
static const struct {
	const char *magic;
	unsigned char len;
	unsigned char at;
	const char *what;
	const char *todo;
} known[] = {
	{ "TFL3", 4, 4, "a TFLite network", "lfc(1) makes a model of it" },
	{ "PK\3\4", 4, 0, "a zip file, as PyTorch's are",
	  "use liteflow.export(module, ...), or torch.onnx.export() and lfc(1)" },
	{ "\x89HDF", 4, 0, "an HDF5 file, as Keras' are",
	  "convert it to ONNX or TFLite, of which lfc(1) makes a model" },
	{ "LFHIST\r\n", 8, 0, "a segment of a history",
	  "lfctl history --csv prints the rows of the folder that it lies in" },
	{ "\xd4\xc3\xb2\xa1", 4, 0, "a capture of packets", "lemu-trace(1) reads it" },
	{ "\xa1\xb2\xc3\xd4", 4, 0, "a capture of packets", "lemu-trace(1) reads it" },
	{ "\x4d\x3c\xb2\xa1", 4, 0, "a capture of packets", "lemu-trace(1) reads it" },
	{ "\xa1\xb2\x3c\x4d", 4, 0, "a capture of packets", "lemu-trace(1) reads it" },
	{ "\n\r\r\n", 4, 0, "a capture of packets (pcapng)",
	  "editcap -F nsecpcap makes pcap of it, which lemu-trace(1) reads" },
	{ "\x1f\x8b", 2, 0, "compressed", "run gunzip first" },
	{ "\xfd" "7zXZ", 5, 0, "compressed", "run unxz first" },
	{ "\x28\xb5\x2f\xfd", 4, 0, "compressed", "run unzstd first" },
	{ "\x7f" "ELF", 4, 0, "a program", "give another file" },
};

static const char *const names[] = {
	[KIND_MODEL] = "a packed model", [KIND_JSON] = "JSON", [KIND_ROWS] = "rows of inputs",
};

static const char *skip_blanks(const char *data)
{
	if (!strncmp(data, "\xef\xbb\xbf", 3))
		data += 3;
	return data + strspn(data, " \t\r\n");
}

bool kind_is_json(const char *data)
{
	return *skip_blanks(data) == '{';
}

/* A message of protobuf: field 1, the version; then another field that a model has. */
static bool is_onnx(const char *data, size_t len)
{
	return len > 8 && data[0] == 8 && data[1] > 0 && data[1] < 32 &&
	       strchr("\x12\x1a\x22\x28\x32\x3a\x42", data[2]) && data[2];
}

/* Numbers in the first line that says something, or the header of lfctl collect. */
static bool is_rows(const char *data)
{
	const char *text = skip_blanks(data);
	size_t n;

	while (*text == '#') {
		text += strcspn(text, "\n");
		text += strspn(text, " \t\r\n");
	}
	if (!strncmp(text, "batch,kind,", 11))
		return true;
	n = strspn(text, "0123456789-+, \t\r");
	return n && (isdigit((unsigned char)*text) || *text == '-') && (!text[n] || text[n] == '\n');
}

/* @key within what is looked at; as a word of JSON it stands in quotes. */
static bool has_word(const char *data, const char *key)
{
	const char *found = strstr(data, key);

	return found && found - data < LOOKED_AT;
}

static int refuse_json(const char *data, enum kind wanted, struct reason *why)
{
	if (has_word(data, "\"liteflow-model\""))
		return refuse(why, "this is JSON of a model, not %s: lfctl model pack makes a packed "
			      "model of it", names[wanted]);
	if (wanted == KIND_ROWS)
		return 0;	/* lines of JSON, perhaps */
	if (has_word(data, "\"inputs\"") && has_word(data, "\"batch\""))
		return refuse(why, "this is JSON of collected rows, not %s", names[wanted]);
	return refuse(why, "this is JSON, not %s: lfctl model pack makes one of a model's JSON",
		      names[wanted]);
}

int kind_refuse(const char *data, size_t len, enum kind wanted, struct reason *why)
{
	size_t i;

	if (len >= 4 && !memcmp(data, "LFNN", 4))
		return wanted == KIND_MODEL ? 0 :
			refuse(why, "this is a packed model, not %s: lfctl model check shows it",
			       names[wanted]);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (len >= (size_t)known[i].at + known[i].len &&
		    !memcmp(data + known[i].at, known[i].magic, known[i].len))
			return refuse(why, "this is %s, not %s: %s", known[i].what, names[wanted],
				      known[i].todo);
	if (is_onnx(data, len))
		return refuse(why, "this is an ONNX network, not %s: lfc(1) makes a model of it",
			      names[wanted]);
	if (kind_is_json(data))
		return wanted == KIND_JSON ? 0 : refuse_json(data, wanted, why);
	if (wanted != KIND_ROWS && is_rows(data))
		return refuse(why, "these are rows of inputs, not %s: give %s", names[wanted],
			      wanted == KIND_MODEL ? "the model first" : "that file");
	return 0;
}

const char *kind_of_folder(const char *path)
{
	const char *told = "this is a folder, not a file";
	DIR *dir = opendir(path);
	struct dirent *entry;
	const char *end;

	while (dir && (entry = readdir(dir))) {
		end = strrchr(entry->d_name, '.');
		if (end && !strcmp(end, ".lfh"))
			told = "this is a folder with a history: lfctl history --csv prints its rows";
	}
	if (dir)
		closedir(dir);
	return told;
}
