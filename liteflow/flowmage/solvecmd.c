// SPDX-License-Identifier: GPL-2.0
#include "flowmage.h"

int cmd_solve(int argc, char **argv)
{
	(void)argc;
	return complain("%s: not built in", argv[0]);
}
