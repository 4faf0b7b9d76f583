/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Marks that applications set: native/flightring-mark.h. */
#include "recorder.bpf.h"

RECORD(mark_set)
{
	struct fr_head head;
	fr_u64 value;
	fr_text text;
};

/* Sleepable, for the text may lie in a page that the application has never touched. */
SEC("?uprobe.s")
int mark_user__uprobe(struct pt_regs *ctx)
{
	const char *text = (const char *)PT_REGS_PARM1(ctx);
	struct rec_mark_set r = {};
	char byte;

	if (!fr_task_wanted())
		return 0;
	/* Both ends: the text may lie across two pages. The second may rightly fail. */
	bpf_copy_from_user(&byte, 1, text);
	bpf_copy_from_user(&byte, 1, text + sizeof(r.text.text) - 1);
	bpf_probe_read_user_str(r.text.text, sizeof(r.text.text), text);
	r.value = PT_REGS_PARM2(ctx);
	fr_write(mark_set, &r, 0);
	return 0;
}
