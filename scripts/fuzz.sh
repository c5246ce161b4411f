#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A million damaged models for LiteFlow's parser, in user space under libFuzzer, and
# generated ones of any shape, judged by arithmetic of their own in 128 bits;
# a million generated messages for its netlink family, in User Mode Linux with
# KASAN, lockdep and kmemleak; then kernel and user space on the same models, asked
# directly and as collected records tell it.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: fuzz.sh [--no-build] [models|mutants|messages|equal|records [SEED [COUNT]]]
	default: models, messages, equal, records; seed 1, a million of each
	  --no-build  use the debug kernel of UML and the programs that are there
	  models   COUNT for libFuzzer, and three tenths of that of any shape
	  mutants  break the engine in many ways; 60,000 shapes must find each
	END
}

PROGRAMS=$BUILD/liteflow
BUILD_IT=y
if [ "${1-}" = --no-build ]; then
	BUILD_IT=n
	shift
fi
SEED=${2:-1}
COUNT=${3:-1000000}

# models TARGET
models()
{
	make -s -C "$ROOT/liteflow/fuzz" BUILD="$BUILD" SEED="$SEED" RUNS="$COUNT" \
		SHAPES=$((COUNT * 3 / 10)) "$1"
}

build()
{
	[ $BUILD_IT = y ] || return 0
	make -s -C "$ROOT/liteflow/fuzz/netlink" BUILD="$BUILD"
	"$ROOT/scripts/uml.sh" --debug --build-only
}

# part NAME: what is built runs in UML
part()
{
	local uml=("$ROOT/scripts/uml.sh" --debug --no-build --)

	case $1 in
	messages)
		"${uml[@]}" "$PROGRAMS/lf_nlfuzz" -n "$COUNT" -s "$SEED" \
			-c "$ROOT/liteflow/fuzz/corpus"
		;;
	equal) "${uml[@]}" "$PROGRAMS/lf_nlequal" -s "$SEED" ;;
	records) "${uml[@]}" "$ROOT/liteflow/fuzz/netlink/records" ;;
	esac
}

case ${1-all} in
models) models run ;;
mutants) models mutants ;;
messages | equal | records)
	build
	part "$1"
	;;
all)
	models run
	build
	for name in messages equal records; do
		part "$name"
	done
	;;
-h | --help) show_help ;;
*) usage >&2; exit 2 ;;
esac
