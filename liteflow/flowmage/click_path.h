/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ways of packets through a flat Click file.
 */
#ifndef _FLOWMAGE_CLICK_PATH_H
#define _FLOWMAGE_CLICK_PATH_H

#include "click.h"
#include "click_facts.h"

/* Beside the fields of struct click_step::rewritten: a link header was taken away. */
#define CLICK_STRIPPED	(1u << 31)

/**
 * struct click_step - what is known of the packets that come to an element
 * @facts: of its class
 * @reached: from a receiver that counts
 * @rewritten: bit per enum fm_field that some element before it changes
 * @rewriter: one of those, or -1
 * @anything: that one may have changed anything
 * @lost: the element before it, from which on other CPUs may handle the packets; -1: none
 * @manager: the flow manager in front of it; -1: none
 * @managers: several are
 * @order: place in a list in which elements come behind those before them, loops aside
 */
struct click_step {
	struct click_facts *facts;
	bool reached;
	uint32_t rewritten;
	int rewriter;
	bool anything;
	int lost;
	int manager;
	bool managers;
	unsigned int order;
};

/*
 * Follow packets from the receiver of that name, or from all of them if it is NULL. The steps, one
 * for each element, to be freed; NULL: a line in @why.
 */
struct click_step *click_follow(const struct click_file *file, struct click_known *known,
				const char *receiver, char *why, size_t len);

/*
 * The elements that were reached, those with state and those that change packets, as
 * functions. @source: of all of them.
 */
int click_functions(const struct click_file *file, const struct click_step *steps,
		    const char *source, bool explain, struct fm_analysis *result);

/* Read and analyse FILE or FILE:RECEIVER: as fm_analyse_nft(). */
int fm_analyse_click(const char *spec, bool explain, struct fm_analysis *result, char *why,
		     size_t len);

#endif /* _FLOWMAGE_CLICK_PATH_H */
