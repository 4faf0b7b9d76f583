/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FLIGHTRING_MARK(text, value): puts a state of the application into the timeline of
 * "flightring record --mark FILE". While nobody records it is one nop and the loading of two registers.
 * Nothing has to be linked.
 *
 *	FLIGHTRING_MARK("reload begins", generation);
 *
 * `text` is a C string of which the first 39 bytes are kept, `value` any integer.
 */
#ifndef FLIGHTRING_MARK_H
#define FLIGHTRING_MARK_H

#include <stdint.h>

/*
 * A probe note in the form that systemtap's sys/sdt.h writes (readelf -n shows it), so that perf and bpftrace
 * find the place, too. The arguments always lie where a function's first two do.
 */
/* clang-format off */
#define FLIGHTRING_NOTE(arguments)                                    \
	"990:	nop\n"                                                \
	"	.pushsection .note.stapsdt,\"?\",\"note\"\n"          \
	"	.balign 4\n"                                          \
	"	.4byte 992f-991f, 994f-993f, 3\n"                     \
	"991:	.asciz \"stapsdt\"\n"                                 \
	"992:	.balign 4\n"                                          \
	"993:	.8byte 990b\n"                                        \
	"	.8byte _.stapsdt.base\n"                              \
	"	.8byte 0\n"                                           \
	"	.asciz \"flightring\"\n"                              \
	"	.asciz \"mark\"\n"                                    \
	"	.asciz \"" arguments "\"\n"                           \
	"994:	.balign 4\n"                                          \
	"	.popsection\n"                                        \
	".ifndef _.stapsdt.base\n"                                    \
	"	.pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
	"	.weak _.stapsdt.base\n"                               \
	"	.hidden _.stapsdt.base\n"                             \
	"_.stapsdt.base:	.space 1\n"                           \
	"	.size _.stapsdt.base, 1\n"                            \
	"	.popsection\n"                                        \
	".endif\n"
/* clang-format on */

#if defined(__x86_64__)
#define FLIGHTRING_MARK(text, value)                                                                         \
	do {                                                                                                 \
		const char *flightring_text_ = (text);                                                       \
		uint64_t flightring_value_ = (uint64_t)(value);                                              \
		__asm__ __volatile__(FLIGHTRING_NOTE("8@%%rdi 8@%%rsi")                                      \
				     :                                                                       \
				     : "D"(flightring_text_), "S"(flightring_value_)                         \
				     : "memory");                                                            \
	} while (0)
#elif defined(__aarch64__)
#define FLIGHTRING_MARK(text, value)                                                                         \
	do {                                                                                                 \
		const char *flightring_first_ = (text);                                                      \
		uint64_t flightring_second_ = (uint64_t)(value);                                             \
		register const char *flightring_text_ __asm__("x0") = flightring_first_;                     \
		register uint64_t flightring_value_ __asm__("x1") = flightring_second_;                      \
		__asm__ __volatile__(FLIGHTRING_NOTE("8@x0 8@x1")                                            \
				     :                                                                       \
				     : "r"(flightring_text_), "r"(flightring_value_)                         \
				     : "memory");                                                            \
	} while (0)
#else
#error "FLIGHTRING_MARK is for x86-64 and aarch64"
#endif

#endif
