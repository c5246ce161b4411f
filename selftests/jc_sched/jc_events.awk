# SPDX-License-Identifier: GPL-2.0
#
# Checks lines of the tracepoint jc_sched:jc_sched_decision.
#
#   awk -v mode=toggle|replace|test -v model=on|off -v checksum=HEX \
#       -v cost=MIGRATION_COST_NS -v explore=PERMILLE -f THIS FILE
#
# Prints "group: what is wrong: line" for the first of each kind, how often it
# was wrong, and at the end "name value" lines with what was seen. The groups
# are "fields" (names, order, numbers), "reasons" (who decided, and whether the
# final answer follows from it) and "features" (columns against the network's
# inputs, and the stock answer against the rule over these inputs).

BEGIN {
	nr_names = split("ts curr_pid pid src_cpu dst_cpu imbalance src_len " \
		"src_numa_len src_preferred_len delta cpu_idle cpu_not_idle " \
		"cpu_newly_idle same_node prefer_src prefer_dst delta_faults " \
		"total_faults dst_len src_load dst_load nr_fails " \
		"cache_nice_tries buddy_hot throttled p_running " \
		"test_aggressive can_migrate pc_0 pc_1 " \
		"stock model reason extra_fails numa_gate bits " \
		"num0 num1 num2 num3 num4 sd_level sd_flags idle_policy " \
		"pc_cpu pc_age ns checksum flipped propensity migration_type",
		names, " ")
	nr_flags = split("cpu_idle cpu_not_idle cpu_newly_idle same_node " \
		"prefer_src prefer_dst buddy_hot throttled p_running " \
		"test_aggressive can_migrate extra_fails numa_gate " \
		"idle_policy flipped", flags, " ")
	is_hex["bits"] = is_hex["sd_flags"] = is_hex["checksum"] = 1
	is_text["bits"] = is_text["sd_flags"] = is_text["checksum"] = 1
	is_text["reason"] = is_text["pc_0"] = is_text["pc_1"] = 1
	checksum = plain_hex(checksum)
	cost += 0
	explore += 0
	flipped = unforced = 0
	events = reruns = rule_wrong = 0
	reasons["rule"] = reasons["model"] = 0
	reasons["forced"] = reasons["fallback"] = 0
	yes["stock"] = no["stock"] = yes["model"] = no["model"] = 0
	both = accepted = distinct = pc_sampled = pc_old = pc_no_age = 0
}

function plain_hex(s)
{
	s = tolower(s)
	sub(/^0x/, "", s)
	sub(/^0+/, "", s)
	return s == "" ? "0" : s
}

function from_hex(s,    i, n)
{
	s = plain_hex(s)
	for (i = 1; i <= length(s); i++)
		n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return n
}

function wrong(group, what)
{
	if (!bad[group ": " what]++)
		print group ": " what ": " line
}

function need(ok, group, what)
{
	if (!ok)
		wrong(group, what)
}

function bit(k)
{
	return int(bits / 2 ^ k) % 2
}

# Puts the fields into v[]; returns 0 if the line cannot be used further.
function parse(    i, n, parts, name, value, eq)
{
	line = $0
	if (!sub(/^.*jc_sched_decision: */, "", line)) {
		wrong("fields", "not an event")
		return 0
	}
	n = split(line, parts, " ")
	if (n < nr_names) {
		wrong("fields", "only " n " of " nr_names " fields")
		return 0
	}
	for (i = 1; i <= n; i++) {
		eq = index(parts[i], "=")
		name = substr(parts[i], 1, eq - 1)
		value = substr(parts[i], eq + 1)
		if (i <= nr_names && name != names[i]) {
			wrong("fields", "field " i " is not " names[i])
			return 0
		}
		if (name == "reason")
			need(value in reasons, "fields", "unknown reason")
		else if (name in is_hex)
			need(value ~ /^(0x)?[0-9a-f]+$/, "fields",
			     name " is not hexadecimal")
		else if (i <= nr_names)
			need(value ~ /^-?[0-9]+$/, "fields",
			     name " is not a number")
		# As text: 64 bits do not fit into awk's numbers.
		v[name] = name in is_text ? value : value + 0
	}
	for (i = 1; i <= nr_flags; i++)
		need(v[flags[i]] == 0 || v[flags[i]] == 1, "fields",
		     flags[i] " is not 0 or 1")
	for (i in yes)
		need(v[i] == 0 || v[i] == 1 || v[i] == -1, "fields",
		     i " is not 0, 1 or -1")
	return 1
}

# What the hook may see at all: everything else was filtered out before it.
function check_plain()
{
	need(v["src_cpu"] != v["dst_cpu"], "fields", "src_cpu is dst_cpu")
	need(v["src_cpu"] >= 0 && v["dst_cpu"] >= 0, "fields", "negative CPU")
	need(v["pid"] > 0, "fields", "pid is not positive")
	need(v["throttled"] == 0, "fields", "a throttled task was asked about")
	need(v["p_running"] == 0, "fields", "a running task was asked about")
	need(v["test_aggressive"] == 1, "fields", "not a decision")
	need(v["ts"] > 0, "fields", "no time stamp")
	need(v["ns"] >= 0, "fields", "negative duration")
}

function check_reason(    extra, propensity)
{
	extra = v["extra_fails"]
	need(extra == (v["nr_fails"] > v["cache_nice_tries"]),
	     "reasons", "extra_fails does not follow from nr_fails")

	if (v["reason"] == "forced") {
		need(v["can_migrate"] == 1, "reasons", "forced, but stays")
		need(extra, "reasons", "forced without too many failures")
		# Where the rule was asked, it decides.
		need((v["stock"] != -1 ? v["stock"] : v["model"]) == 0,
		     "reasons", "forced, but nobody refused")
	} else if (v["reason"] == "model") {
		need(v["model"] != -1, "reasons", "model, but not asked")
		need(v["can_migrate"] == v["model"] || extra, "reasons",
		     "model, but the answer is another")
	} else {
		need(v["stock"] != -1, "reasons", "rule, but not asked")
		need(v["can_migrate"] == (v["flipped"] ? !v["stock"] : v["stock"]) ||
		     extra, "reasons", "rule, but the answer is another")
	}
	need(!v["flipped"] || (!extra && mode == "test"), "reasons",
	     "flipped, but forced or not a test")
	propensity = extra ? 1000 : 1000 - explore
	if (v["flipped"])
		propensity = explore
	need(v["propensity"] == propensity, "reasons",
	     "the propensity is another")
	need(v["can_migrate"] == 1 || !extra, "reasons",
	     "too many failures, but stays")
	need(v["stock"] != -1 || v["model"] != -1, "reasons", "nobody asked")

	if (model == "off" || mode == "test")
		need(v["reason"] == "rule" || v["reason"] == "forced",
		     "reasons", "not the rule's decision")
	else
		need(v["reason"] != "rule", "reasons",
		     "the rule's decision with the model on")
	if (model == "off") {
		need(v["model"] == -1, "reasons", "model asked while off")
	} else if (mode == "test") {
		need(v["stock"] != -1, "reasons", "test: rule not asked")
	} else {
		need(v["stock"] == -1 || v["model"] == -1, "reasons",
		     "both asked outside of test")
	}
	if (v["model"] != -1)
		need(plain_hex(v["checksum"]) == checksum, "reasons",
		     "checksum is not the one of the state file")
}

# The rule of 6.12 over the features; extra_fails comes after it.
function rule(    hot, gate)
{
	gate = v["num4"] != 0
	hot = bit(1) || bit(9)
	if (gate && bit(6))
		return bit(0) ? 0 : !hot
	if (bit(7))
		return 1
	if (gate && !bit(2))
		return v["num4"] > 0
	return !hot
}

function check_features(    gate)
{
	bits = from_hex(v["bits"])
	gate = v["numa_gate"] == 1
	need(bits < 1024, "features", "more than ten bits")
	need(bit(2) + bit(3) + bit(4) == 1, "features",
	     "not exactly one kind of idle")
	need(bit(2) == v["cpu_idle"] && bit(3) == v["cpu_not_idle"] &&
	     bit(4) == v["cpu_newly_idle"], "features",
	     "idle bits are not the columns")
	need(bit(5) == v["same_node"], "features", "bit same_node")
	need(bit(6) == v["prefer_src"], "features", "bit prefer_src")
	need(bit(7) == v["prefer_dst"], "features", "bit prefer_dst")
	need(bit(8) == v["extra_fails"], "features", "bit extra_fails")
	need(bit(0) == (v["prefer_src"] == 1 &&
			v["src_len"] > v["src_preferred_len"]),
	     "features", "bit src_non_pref")
	# What core scheduling does to it does not happen in these tests.
	need(!bit(1) || cost <= 0 || v["delta"] < cost, "features",
	     "bit delta_hot, but it ran long ago")
	# task_hot() may decide before it looks: then both bits are 0.
	need(bit(9) <= v["buddy_hot"], "features", "bit buddy_hot")
	need(bit(9) == v["buddy_hot"] || !bit(1), "features",
	     "cold at once, but hot")
	need(!v["idle_policy"] || !(bit(1) || bit(9)), "features",
	     "a SCHED_IDLE task is hot")

	need(v["num0"] == v["src_len"] - 2, "features", "num0 is not src_len - 2")
	need(v["num1"] == v["src_load"] || v["src_load"] > 2147483647,
	     "features", "num1 is not src_load")
	need(v["num2"] == v["dst_load"] || v["dst_load"] > 2147483647,
	     "features", "num2 is not dst_load")
	need(v["num3"] == v["dst_len"], "features", "num3 is not dst_len")
	if (gate) {
		need(v["num4"] % 2 != 0, "features", "num4 is not odd")
		need(v["num4"] == 2 * v["delta_faults"] + 1, "features",
		     "num4 is not 2 * delta_faults + 1")
		need(!v["same_node"], "features", "gate open within a node")
		need(!(v["prefer_src"] && v["prefer_dst"]), "features",
		     "two preferred nodes")
	} else {
		need(v["num4"] == 0, "features", "num4 behind a closed gate")
		need(!v["prefer_src"] && !v["prefer_dst"], "features",
		     "preferred node behind a closed gate")
		need(v["delta_faults"] == 0, "features",
		     "delta_faults behind a closed gate")
	}
	if (v["stock"] != -1) {
		reruns++
		if (v["stock"] != rule())
			rule_wrong++
	}
}

{
	if (!parse())
		next
	events++
	check_plain()
	check_reason()
	check_features()
	reasons[v["reason"]]++
	accepted += v["can_migrate"]
	for (who in yes) {
		yes[who] += v[who] == 1
		no[who] += v[who] == 0
	}
	unforced += !v["extra_fails"]
	flipped += v["flipped"]
	both += v["stock"] != -1 && v["model"] != -1
	pcs[v["pc_0"] " " v["pc_1"]]
	if (v["pc_cpu"] >= 0) {
		pc_sampled++
		pc_old += v["pc_age"] > 4e9
		pc_no_age += v["pc_age"] < 0
	}
}

END {
	# Another CPU may change a group's faults between gathering and rule; of a few
	# decisions, one or two are no share.
	if (rule_wrong > 3 && rule_wrong * 100 > reruns)
		print "features: the stock answer is not the rule's: " \
			rule_wrong " of " reruns " times"
	for (what in bad)
		print what ": " bad[what] " times"
	printf "events %d\naccepted %d\nboth %d\n", events, accepted, both
	for (who in yes)
		printf "%s_yes %d\n%s_no %d\n", who, yes[who], who, no[who]
	for (reason in reasons)
		printf "reason_%s %d\n", reason, reasons[reason]
	for (pc in pcs)
		distinct++
	printf "pc_distinct %d\npc_sampled %d\npc_old %d\npc_no_age %d\n",
		distinct, pc_sampled, pc_old, pc_no_age
	printf "unforced %d\nflipped %d\n", unforced, flipped
	printf "reruns %d\nrule_wrong %d\n", reruns, rule_wrong
}
