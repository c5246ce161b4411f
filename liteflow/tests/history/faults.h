/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults in the way of a writer, instead of a disk that has them.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stddef.h>

/**
 * struct faults - what happens to the calls of liblf; 0: what always happens
 * @write_room: bytes that still can be written, unless @write_error is 0
 * @write_error: error number behind that
 * @write_most: a write does no more than so many bytes at once
 * @sync_error: error number of fdatasync()
 * @cut_error: error number of ftruncate()
 * @rename_error: error number of renameat()
 */
struct faults {
	size_t write_room;
	int write_error;
	size_t write_most;
	int sync_error;
	int cut_error;
	int rename_error;
};

extern struct faults faults;

#endif /* FAULTS_H */
