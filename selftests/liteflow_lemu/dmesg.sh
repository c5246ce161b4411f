#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's log since these tests began: no splat of any kind. Runs last.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=../liteflow/lf_lib.sh
. "$DIR/../liteflow/lf_lib.sh"
# shellcheck source=../kselftest/dmesg_clean.sh
. "$DIR/../kselftest/dmesg_clean.sh"

lf_init
dmesg_clean liteflow_lemu "$LF_TMP"
ktap_finished
