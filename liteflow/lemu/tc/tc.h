/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tc of iproute2 exports to its plugins, as far as q_lemu.so uses it.
 *
 * No package has headers for plugins, so this declares the interface; it is that of
 * iproute2 5.0 and later. test_tc.py loads the plugin into the tc that is installed.
 */
#ifndef LEMU_TC_H
#define LEMU_TC_H

#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

/**
 * struct qdisc_util - a qdisc's part of tc
 * @next: of tc's list
 * @id: name of the qdisc
 * @parse_qopt: words of a command into a message; not 0: it failed and said why
 * @print_qopt: options of a message
 * @print_xstats: what TCA_XSTATS or TCA_STATS_APP holds
 * @parse_copt: as @parse_qopt, of classes
 * @print_copt: as @print_qopt, of classes
 * @has_block: for filter blocks
 */
struct qdisc_util {
	struct qdisc_util *next;
	const char *id;
	int (*parse_qopt)(struct qdisc_util *qu, int argc, char **argv, struct nlmsghdr *n,
			  const char *dev);
	int (*print_qopt)(struct qdisc_util *qu, FILE *f, struct rtattr *opt);
	int (*print_xstats)(struct qdisc_util *qu, FILE *f, struct rtattr *xstats);
	int (*parse_copt)(struct qdisc_util *qu, int argc, char **argv, struct nlmsghdr *n,
			  const char *dev);
	int (*print_copt)(struct qdisc_util *qu, FILE *f, struct rtattr *opt);
	int (*has_block)(struct qdisc_util *qu, struct rtattr *opt, bool *has);
};

enum output_type { PRINT_FP = 1, PRINT_JSON = 2, PRINT_ANY = 4 };
enum color_attr { COLOR_NONE = 6 };

/* messages */
int addattr_l(struct nlmsghdr *n, int maxlen, int type, const void *data, int len);
struct rtattr *addattr_nest(struct nlmsghdr *n, int maxlen, int type);
int addattr_nest_end(struct nlmsghdr *n, struct rtattr *nest);
int parse_rtattr_flags(struct rtattr *tb[], int max, struct rtattr *rta, int len,
		       unsigned short flags);

/* words of a command; 0, or not a number of that kind */
int get_rate64(__u64 *bytes_per_s, const char *word);
int get_size(unsigned int *bytes, const char *word);
int get_time64(__s64 *ns, const char *word);
int get_u32(__u32 *value, const char *word, int base);

/* text, JSON, or both; fmt is for text */
int print_color_string(enum output_type t, enum color_attr c, const char *key, const char *fmt,
		       const char *value);
int print_color_uint(enum output_type t, enum color_attr c, const char *key, const char *fmt,
		     unsigned int value);
int print_color_u64(enum output_type t, enum color_attr c, const char *key, const char *fmt,
		    __u64 value);
int print_color_bool(enum output_type t, enum color_attr c, const char *key, const char *fmt,
		     bool value);

#endif /* LEMU_TC_H */
