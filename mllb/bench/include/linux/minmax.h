/* SPDX-License-Identifier: GPL-2.0 */
/* ask.h has what is needed of the kernel's file of this name */
