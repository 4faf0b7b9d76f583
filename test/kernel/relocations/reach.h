// SPDX-License-Identifier: Apache-2.0
#ifndef REACH_H
#define REACH_H

#include <linux/bpf.h>
#include <stddef.h>

/* Marks in `reached` the instructions that can run: branches on what is constant after relocation are
 * decided. */
void reach(const struct bpf_insn *code, size_t count, char *reached);

#endif
