#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lfctl's tests that need no kernel. KTAP.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD=${BUILD:-$here/../../build}

make -s -C "$here" BUILD="$BUILD" >&2
exec /usr/bin/python3 "$here/test_pack.py" "$BUILD/liteflow/lfctl"
