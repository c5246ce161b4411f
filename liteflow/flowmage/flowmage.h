/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the commands of flowmage share.
 */
#ifndef _FLOWMAGE_H
#define _FLOWMAGE_H

/* read_file(), write_file(), complain(), parse_number(), to_hex(), ARRAY_SIZE() */
#include "lfctl.h"

/* A command gets its own words: argv[0] is its full name. Its value is the exit status. */
int cmd_analyze(int argc, char **argv);
int cmd_solve(int argc, char **argv);
int cmd_apply(int argc, char **argv);
int cmd_device(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_rewrite(int argc, char **argv);

#endif /* _FLOWMAGE_H */
