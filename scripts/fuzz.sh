#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A million damaged models for LiteFlow's parser, in user space under libFuzzer;
# a million generated messages for its netlink family, in User Mode Linux with
# KASAN, lockdep and kmemleak; then kernel and user space on the same models, asked
# directly and as collected records tell it.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: fuzz.sh [models|messages|equal|records] [SEED]   default: all four, seed 1
	END
}

PROGRAMS=$BUILD/liteflow
SEED=${2:-1}

models()
{
	make -s -C "$ROOT/liteflow/fuzz" BUILD="$BUILD" RUNS=1000000 SEED="$SEED" run
}

# uml COMMAND...
uml()
{
	make -s -C "$ROOT/liteflow/fuzz/netlink" BUILD="$BUILD"
	"$ROOT/scripts/uml.sh" --debug -- "$@"
}

case ${1-all} in
models) models ;;
messages) uml "$PROGRAMS/lf_nlfuzz" -n 1000000 -s "$SEED" -c "$ROOT/liteflow/fuzz/corpus" ;;
equal) uml "$PROGRAMS/lf_nlequal" -s "$SEED" ;;
records) uml "$ROOT/liteflow/fuzz/netlink/records" ;;
all)
	models
	"$0" messages "$SEED"
	"$0" equal "$SEED"
	"$0" records
	;;
-h | --help) usage ;;
*) usage >&2; exit 2 ;;
esac
