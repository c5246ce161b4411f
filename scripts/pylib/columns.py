# SPDX-License-Identifier: GPL-2.0
"""Names of the columns of a recording, raw_TAG.csv; needs nothing but Python."""

# The original collector's 30 columns, then what the tracepoint adds.
ORIGINAL_COLUMNS = (
    "ts curr_pid pid src_cpu dst_cpu imbalance src_len src_numa_len "
    "src_preferred_len delta cpu_idle cpu_not_idle cpu_newly_idle same_node "
    "prefer_src prefer_dst delta_faults total_faults dst_len src_load dst_load "
    "nr_fails cache_nice_tries buddy_hot throttled p_running test_aggressive "
    "can_migrate pc_0 pc_1").split()
FURTHER_COLUMNS = (
    "stock model reason extra_fails numa_gate bits num0 num1 num2 num3 num4 "
    "sd_level sd_flags idle_policy pc_cpu pc_age ns checksum").split()

# Kernels without exploration have not these two: never flipped, certain.
EXPLORE_COLUMNS = {"flipped": 0, "propensity": 1000}

# What followed a decision; a recorder that does not look has none of them.
OUTCOME_COLUMNS = ("moved wait_ns back home_faults away_faults src_wait_ns "
                   "dst_wait_ns horizon_ns").split()
