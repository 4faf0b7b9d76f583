// SPDX-License-Identifier: Apache-2.0
/* Sets marks by FLIGHTRING_MARK as an application would: a constant, a text made at run time, a long one. */
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include "../../native/flightring-mark.h"

int main(void)
{
	char text[16];

	FLIGHTRING_MARK("demo begins", 1);
	snprintf(text, sizeof(text), "step %d", 2);
	FLIGHTRING_MARK(text, UINT64_MAX);
	FLIGHTRING_MARK("a text that is longer than the thirty-nine bytes kept", -1);
	printf("%d\n", gettid());
	return 0;
}
