#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In User Mode Linux, as root: forks that fail in the middle of an address space, for want
# of memory. The kernel must take the half of a copy down again, and go on.
#
#	scripts/uml.sh --debug --no-build -- scripts/um-fork.sh

set -euo pipefail

grep -q 'User Mode Linux' /proc/cpuinfo || {
	echo "um-fork.sh: this is not User Mode Linux; its head says how to run it" >&2
	exit 2
}
echo 2 >/proc/sys/vm/overcommit_memory
/usr/bin/python3 -c '
import mmap, os, sys

def private(size):
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

with open("/proc/meminfo", encoding="ascii") as lines:
    limit = [int(line.split()[1]) for line in lines if line.startswith("CommitLimit")][0] << 10
# areas on both sides of the one that has no room twice
kept = [private(8192) for _ in range(20)] + [private(limit * 6 // 10)]
kept += [private(8192) for _ in range(20)]
failed = 0
for _ in range(20):
    try:
        pid = os.fork()
    except OSError:
        failed += 1
    else:
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)
print(f"{failed} of 20 forks failed")
sys.exit(failed != 20)
'
