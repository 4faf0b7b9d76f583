// SPDX-License-Identifier: Apache-2.0
/* libbpf's own words about the call under way, by thread. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "recorder.h"

#define LOG_BYTES 16384

static __thread char log_text[LOG_BYTES];
static __thread size_t log_length;

static int keep_log(enum libbpf_print_level level, const char *format, va_list args)
{
	char *words;
	size_t length;

	if (level != LIBBPF_WARN)
		return 0;
	if (vasprintf(&words, format, args) < 0)
		return 0;
	/* A verifier's log is long, and its end says why. */
	length = strlen(words);
	if (length > sizeof(log_text) / 2)
		memmove(words, words + length - sizeof(log_text) / 2, sizeof(log_text) / 2 + 1);
	length = strlen(words);
	if (log_length + length >= sizeof(log_text)) {
		log_length = 0;
		log_text[0] = 0;
	}
	memcpy(log_text + log_length, words, length + 1);
	log_length += length;
	free(words);
	return 0;
}

void start_log(void)
{
	log_length = 0;
	log_text[0] = 0;
	libbpf_set_print(keep_log);
}

void give_log(char *text, uint32_t bytes)
{
	if (!text || !bytes)
		return;
	snprintf(text, bytes, "%s", log_text);
}
