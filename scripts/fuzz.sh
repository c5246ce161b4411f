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
	usage: fuzz.sh [models|quick|mutants|messages|equal|records] [SEED]
	default: models, messages, equal, records; seed 1
	  quick    models in less than a minute
	  mutants  breaks the engine in many ways; quick has to find each
	END
}

PROGRAMS=$BUILD/liteflow
SEED=${2:-1}

# models TARGET
models()
{
	make -s -C "$ROOT/liteflow/fuzz" BUILD="$BUILD" SEED="$SEED" "$1"
}

build()
{
	make -s -C "$ROOT/liteflow/fuzz/netlink" BUILD="$BUILD"
	"$ROOT/scripts/uml.sh" --debug --build-only
}

# part NAME: what is built runs in UML
part()
{
	local uml=("$ROOT/scripts/uml.sh" --debug --no-build --)

	case $1 in
	messages)
		"${uml[@]}" "$PROGRAMS/lf_nlfuzz" -n 1000000 -s "$SEED" \
			-c "$ROOT/liteflow/fuzz/corpus"
		;;
	equal) "${uml[@]}" "$PROGRAMS/lf_nlequal" -s "$SEED" ;;
	records) "${uml[@]}" "$ROOT/liteflow/fuzz/netlink/records" ;;
	esac
}

case ${1-all} in
models) models run ;;
quick) models quick ;;
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
-h | --help) usage ;;
*) usage >&2; exit 2 ;;
esac
