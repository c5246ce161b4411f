#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Check that every option that the fragments ask for survived into a .config.
set -euo pipefail
# shellcheck source=scripts/about.sh
. "$(dirname "$0")/about.sh"

usage() {
	cat <<-'END'
	Usage: config-check.sh FRAGMENT... DOTCONFIG
	Compare each CONFIG_ line of the fragments (a later fragment overrides an
	earlier one) with DOTCONFIG. Lists what was lost and exits 1; exits 0 if
	all survived, 2 on bad usage.
	END
}

case ${1-} in -h | --help) show_help ;; esac
if (($# < 2)); then
	usage >&2
	exit 2
fi
for f; do
	if [[ ! -r $f ]]; then
		echo "config-check.sh: cannot read $f" >&2
		exit 2
	fi
done

awk -v last="${*: -1}" '
	# Kconfig writes "n" as a comment; both spellings mean the same.
	function value() {
		sub(/[ \t\r]+$/, "")
		if ($0 ~ /^# CONFIG_[A-Za-z0-9_]+ is not set$/) {
			name = $2
			val = "n"
			return 1
		}
		if ($0 ~ /^CONFIG_[A-Za-z0-9_]+=/) {
			name = substr($0, 1, index($0, "=") - 1)
			val = substr($0, index($0, "=") + 1)
			return 1
		}
		return 0
	}
	FILENAME != last {
		if (value()) {
			if (!(name in want))
				order[++n] = name
			want[name] = val
			from[name] = FILENAME ":" FNR
		} else if ($0 ~ /CONFIG_/ && $0 !~ /^#/) {
			printf "config-check: %s:%d: not a configuration line: %s\n",
				FILENAME, FNR, $0
			bad++
		}
		next
	}
	value() { have[name] = val }
	END {
		for (i = 1; i <= n; i++) {
			o = order[i]
			got = (o in have) ? have[o] : "n"
			if (got != want[o]) {
				printf "config-check: %s: wanted %s=%s, got %s\n",
					from[o], o, want[o], got
				bad++
			}
		}
		if (bad) {
			printf "config-check: %d of %d options lost in %s: see their dependencies\n",
				bad, n, last
			exit 1
		}
	}
' "$@" >&2
