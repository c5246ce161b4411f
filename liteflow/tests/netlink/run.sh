#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The netlink family's tests in a kernel with LiteFlow, as root; make them before:
#
#	make -C liteflow/tests/netlink
#	scripts/uml.sh --debug -- liteflow/tests/netlink/run.sh

set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD=${BUILD:-$here/../../../build}
LINUX=${LINUX:-$BUILD/linux}
failed=0

part()
{
	echo "# $1"
	shift
	"$@" || failed=1
}

part 'generated client' "$BUILD/liteflow/ynl_test"
part "liblf's client" "$BUILD/liteflow/client_test"
part 'the specification' "$here/spec_test.py" "$LINUX" \
	"$here/../../linux/Documentation/netlink/specs/liteflow.yaml"
exit $failed
