#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The state file: complete, lawful, and in agreement with the configuration,
# the switch, the tracepoint and, where it was booted so, with the software
# events that stand in for a PMU.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=jc_lib.sh
. "$DIR/jc_lib.sh"

jc_init
ktap_set_plan 8

# is NAME REGEX: the state file has this line once, with such a value
is()
{
	local value

	value=$(jc_state "$1")
	if ! [[ $value =~ ^($2)$ ]]; then
		ktap_print_msg "$1 is '$value', expected once: $2"
		return 1
	fi
}

complete()
{
	local bad=0

	sed 's/^/# /' $JC_STATE
	is mode 'toggle|replace|test' || bad=1
	is enabled '0|1' || bad=1
	is arithmetic 'fixed|float' || bad=1
	is model '.+' || bad=1
	is model_from 'kernel|slot' || bad=1
	is model_checksum '0x[0-9a-f]{8}' || bad=1
	is guard 'not built|off|on|tripped' || bad=1
	is perf 'not built|off.*|hardware|software' || bad=1
	is sched_ext 'not built|inactive|active.*' || bad=1
	is clock_overhead_ns '[0-9]+' || bad=1
	is sample_every '[1-9][0-9]*' || bad=1
	return $bad
}

config()
{
	grep -qx "CONFIG_JC_SCHED_$1=y" "$JC_TMP/config"
}

as_configured()
{
	local bad=0

	zgrep '^CONFIG_JC_SCHED' /proc/config.gz > "$JC_TMP/config"
	config "${JC_MODE^^}" || { ktap_print_msg "mode is not the configured one"; bad=1; }
	if config FXDPT; then
		is arithmetic fixed || bad=1
	else
		is arithmetic float || bad=1
	fi
	if config PERF; then
		is perf 'off.*|hardware|software' || bad=1
	else
		is perf 'not built' || bad=1
	fi
	return $bad
}

follows_switch()
{
	local val

	for val in 1 0 1; do
		jc_switch $val || return 1
		is enabled $val || return 1
	done
}

perf_lines()
{
	local event

	for event in cycles branches; do
		case "$(jc_state perf)" in
		hardware | software)
			is "perf_$event" 'ok|on .+ of .+ CPUs.*|absent \(.+\)|multiplexed.*' ||
				return 1
			;;
		*)
			[ "$(jc_state "perf_$event")" != ok ] || return 1
			;;
		esac
	done
}

# on_events: keep what jc_events.awk says of events with the model on
on_events()
{
	[ "$JC_MODE" = replace ] || jc_switch 1
	jc_trace 1
	jc_burst -t "$(jc_ms 2500)"
	jc_trace 0
	jc_trace_keep "$JC_TMP/events" > "$JC_TMP/lost"
	jc_events "$JC_TMP/events" on 2000 > "$JC_TMP/awk"
	sed 's/^/# /' "$JC_TMP/awk"
}

same_checksum()
{
	(($(jc_get "$JC_TMP/awk" model_yes) + $(jc_get "$JC_TMP/awk" model_no) > 0)) &&
		! grep -q '^reasons: checksum' "$JC_TMP/awk"
}

# Sampled on a CPU that runs, so within seconds even if it is a slow one.
samples_move()
{
	local sampled

	sampled=$(jc_get "$JC_TMP/awk" pc_sampled)
	((sampled > 0 && $(jc_get "$JC_TMP/awk" pc_distinct) > 1 &&
	  $(jc_get "$JC_TMP/awk" pc_no_age) == 0 &&
	  $(jc_get "$JC_TMP/awk" pc_old) * 2 < sampled))
}

ksft_check "the file is complete and lawful" complete
if [ -r /proc/config.gz ]; then
	ksft_check "mode, arithmetic and perf are the configured ones" as_configured
else
	ktap_test_skip "mode, arithmetic and perf are the configured ones (no /proc/config.gz)"
fi
if [ "$JC_MODE" = replace ]; then
	ksft_check "enabled is always 1 in replace" is enabled 1
else
	ksft_check "enabled follows the switch" follows_switch
fi
ksft_check "perf events are accounted for" perf_lines
ksft_check "the checksum is not 0" is model_checksum '0x[0-9a-f]*[1-9a-f][0-9a-f]*'
if [ "$JC_NR_CPUS" = 1 ]; then
	ktap_test_skip "events carry the checksum of the state file (only one CPU: no decisions)"
elif jc_trace_open; then
	on_events
	ksft_check "events carry the checksum of the state file" same_checksum
else
	ktap_test_skip "events carry the checksum of the state file (no tracepoint)"
fi

if ! grep -qw jc_sched_perf=sw /proc/cmdline; then
	ktap_test_skip "software events are in use (booted without jc_sched_perf=sw)"
	ktap_test_skip "their samples move and are fresh (booted without jc_sched_perf=sw)"
elif [ "$(jc_state perf)" = "not built" ]; then
	ktap_test_skip "software events are in use (kernel without CONFIG_JC_SCHED_PERF)"
	ktap_test_skip "their samples move and are fresh (kernel without CONFIG_JC_SCHED_PERF)"
elif [ -z "$JC_TRACE" ]; then
	ksft_check "software events are in use" is perf software
	ktap_test_skip "their samples move and are fresh (no tracepoint)"
else
	ksft_check "software events are in use" is perf software
	ksft_check "their samples move and are fresh" samples_move
fi
ktap_finished
