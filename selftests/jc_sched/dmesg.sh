#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's log since these tests began: no splat of any kind. Runs last.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=jc_lib.sh
. "$DIR/jc_lib.sh"
# shellcheck source=../kselftest/dmesg_clean.sh
. "$DIR/../kselftest/dmesg_clean.sh"

jc_init
dmesg_clean jc_sched "$JC_TMP"
ktap_finished
