// SPDX-License-Identifier: Apache-2.0
#ifndef REACH_H
#define REACH_H

#include <linux/bpf.h>
#include <stddef.h>

#define MAP_ABSENT 2001000000 /* from here on: calls in the place of maps that weren't made (libbpf.c) */

/* Marks in `reached` the instructions that can run: branches on what is constant after relocation are
 * decided. */
void reach(const struct bpf_insn *code, size_t count, char *reached);

#endif
