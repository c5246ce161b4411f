#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The engine's tests that need no kernel. KTAP. run.sh FOLDER: where the programs
# are. SHARED_DATA: where aurora-liteflow/ is; without it that test is skipped.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?run.sh FOLDER}
data=${SHARED_DATA:-$here/../../../shared/data}
variables=$data/aurora-liteflow/variables.data-00000-of-00001
kernel=$here/../linux/kernel/liteflow
n=0 failed=0

result()
{
	n=$((n + 1))
	echo "$1 $n $2"
	if [ "$1" != ok ]; then
		failed=$((failed + 1))
	fi
}

# check NAME COMMAND...: what it says goes before the result
check()
{
	local name=$1

	shift
	if "$@" >"$out/said" 2>&1; then
		sed 's/^/# /' "$out/said"
		result ok "$name"
	else
		sed 's/^/# /' "$out/said"
		result "not ok" "$name"
	fi
}

# generated HEADER TOOL: the header is what the tool writes
generated()
{
	"$here/tools/$2" | diff - "$kernel/$1"
}

accuracy()
{
	"$@" >"$out/model.json" && "$out/accuracy" "$out/model.json"
}

echo "KTAP version 1"
echo "1..33"
check tanh_table.h generated tanh_table.h tanh-table
check tanh_golden.h generated tests/tanh_golden.h tanh-golden
for name in tanh digest-1000 digest-100000 memory damage; do
	check "$name" "$out/engine_test" "$name"
done
for name in tanh digest-1000 memory damage; do
	check "$name, sanitized" "$out/engine_test_san" "$name"
done
for name in queue digest-200 digest-1000 kinds damage limits; do
	check "recurrent, $name" "$out/recurrent_test" "$name"
done
for name in queue-short digest-200 kinds damage limits; do
	check "recurrent, $name, sanitized" "$out/recurrent_test_san" "$name"
done
for seed in 1 2 3 4 5; do
	check "accuracy, random net $seed" accuracy "$here/aurora-like" "$seed"
done
if [ -f "$variables" ]; then
	check "accuracy, aurora" accuracy "$here/aurora-json" "$variables"
else
	result ok "accuracy, aurora # SKIP no $variables"
fi

# must fail: a net that is not what the reference computes
"$here/aurora-like" 1 >"$out/model.json"
"$out/accuracy" "$out/model.json" 0.00001 >/dev/null 2>&1 && status="not ok" || status=ok
result "$status" "accuracy sees an error of 0.001 %"

# 32 bits, and another compiler
if [ -x "$out/engine_test_arm" ]; then
	if command -v qemu-arm >/dev/null || command -v qemu-arm-static >/dev/null; then
		arm=$(command -v qemu-arm || command -v qemu-arm-static)
		check "digest-1000, 32-bit arm" "$arm" "$out/engine_test_arm" digest-1000
		check "recurrent, digest-200, 32-bit arm" "$arm" "$out/recurrent_test_arm" \
			digest-200
	else
		result ok "digest-1000, 32-bit arm # SKIP no qemu-user, but it compiles"
		result ok "recurrent, digest-200, 32-bit arm # SKIP no qemu-user, but it compiles"
	fi
else
	result ok "digest-1000, 32-bit arm # SKIP no libc6-dev-armel-cross"
	result ok "recurrent, digest-200, 32-bit arm # SKIP no libc6-dev-armel-cross"
fi
if [ -x "$out/engine_test_clang" ]; then
	check "digest-1000, clang" "$out/engine_test_clang" digest-1000
	check "recurrent, digest-200, clang" "$out/recurrent_test_clang" digest-200
else
	result ok "digest-1000, clang # SKIP no clang"
	result ok "recurrent, digest-200, clang # SKIP no clang"
fi

[ "$failed" = 0 ]
