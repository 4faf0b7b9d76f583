// SPDX-License-Identifier: Apache-2.0
/*
 * Checks every CO-RE relocation of a BPF object against another kernel's BTF, without booting that kernel:
 *
 *   relocations OBJECT VMLINUX [MODULE]
 *
 * VMLINUX and MODULE are files with BTF, bare or in an ELF section. libbpf relocates all programs by it. Each
 * is then replaced by a program that does nothing, so that the running kernel judges none of them. Prints a
 * line for each program, "program NAME TARGET" with TARGET 1 if that kernel has its function or tracepoint,
 * and a line for each fault, "fault PROGRAM SENTENCE":
 *   - a relocation without a target in an instruction that can be reached, which that kernel would refuse;
 *   - a field that is read wider than that kernel has it, or read whole where it is a bit-field.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "reach.h"

#define PROGRAMS_MAX 1024
#define NOTES_MAX 4096
#define BAD_RELOCATION                                                                                       \
	195896080 /* the call that libbpf (relo_core.c) leaves in the place of one without a target */

static struct btf *kernel;
static const struct btf *own;

static struct {
	struct bpf_program *program;
	struct bpf_insn *code; /* as compiled */
	size_t count;
} programs[PROGRAMS_MAX];
static int program_count;

/* A field of a program: one without a target, by instruction; one read whole although it has another form;
 * one read as a bit-field, that is in whatever form it has. */
struct note {
	char program[128], field[128], form[64];
	size_t at;
};
struct notes {
	struct note list[NOTES_MAX];
	int count;
};
static struct notes poisoned, whole, adapted;

static char wanted[512]; /* The relocation under way, in libbpf's words. */
static char
    warning[1024]; /* libbpf's last: of maps that weren't made there are many, which mean nothing here. */

static char path[] = "/tmp/flightring-btf-XXXXXX"; /* libbpf takes a kernel's BTF by its path */

static void fail(const char *what)
{
	unlink(path);
	fprintf(stderr, "relocations: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void *room(size_t bytes)
{
	void *memory = calloc(1, bytes);

	if (!memory)
		fail("memory");
	return memory;
}

/* Follows an access such as "0:5:1" from a type to a member: its bytes, or 0 if it is a structure. */
static long long size_at(const struct btf *btf, int id, const char *access, int *bits)
{
	const struct btf_type *type;

	*bits = 0;
	for (access = strchr(access, ':'); access; access = strchr(access + 1, ':')) {
		unsigned index = strtoul(access + 1, 0, 10);

		id = btf__resolve_type(btf, id);
		type = btf__type_by_id(btf, id);
		if (!type)
			return 0;
		*bits = 0;
		if (btf_is_array(type)) {
			id = btf_array(type)->type;
			continue;
		}
		if (!btf_is_composite(type) || index >= btf_vlen(type))
			return 0;
		*bits = btf_member_bitfield_size(type, index);
		id = btf_members(type)[index].type;
	}
	type = btf__type_by_id(btf, btf__resolve_type(btf, id));
	return type && !btf_is_composite(type) ? btf__resolve_size(btf, id) : 0;
}

/* Takes "... [24] struct net_device.reg_state (0:5 @ offset 36)" apart. */
static int read_spec(const char *text, int *id, char *name, char *access)
{
	const char *at = strstr(text, " [");

	return at && sscanf(at, " [%d] %127[^(](%63[0-9:]", id, name, access) == 3;
}

static struct note *note(struct notes *notes, const char *program)
{
	struct note *one = &notes->list[notes->count];
	const char *field = strstr(wanted, "] ");

	if (++notes->count > NOTES_MAX) {
		errno = E2BIG;
		fail("relocations");
	}
	snprintf(one->program, sizeof(one->program), "%s", program);
	snprintf(one->field, sizeof(one->field), "%.*s", field ? (int)strcspn(field + 2, "(") - 1 : 0,
		 field ? field + 2 : "");
	return one;
}

/* `found` is where a program will look for what is wanted. */
static void compare(const char *program, const char *found)
{
	char name[128], access[64], target[64];
	int id, target_id, bits, target_bits;
	long long size, target_size;

	if (strstr(wanted, "<lshift_u64>"))
		note(&adapted, program);
	if (!strstr(wanted, "<byte_off>") || !read_spec(wanted, &id, name, access) ||
	    !read_spec(found, &target_id, name, target))
		return;
	size = size_at(own, id, access, &bits);
	target_size = size_at(kernel, target_id, target, &target_bits);
	if (target_bits)
		snprintf(note(&whole, program)->form, 64, "a bit-field of %d bits", target_bits);
	else if (target_size && size > target_size)
		snprintf(note(&whole, program)->form, 64, "%lld bytes, not %lld", target_size, size);
}

static int hear(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[1024], program[128];
	int number, at = 0;
	size_t instruction;

	vsnprintf(line, sizeof(line), format, args);
	if (level == LIBBPF_WARN)
		snprintf(warning, sizeof(warning), "%s", line);
	if (sscanf(line, "libbpf: prog '%127[^']': relo #%d: %n", program, &number, &at) < 2 || !at)
		return 0;
	if (line[at] == '<')
		snprintf(wanted, sizeof(wanted), "%s", line + at);
	else if (!strncmp(line + at, "matching candidate", 18))
		compare(program, line + at);
	else if (sscanf(line + at, "substituting insn #%zu", &instruction) == 1)
		note(&poisoned, program)->at = instruction;
	return 0;
}

static const char *field_at(const char *program, size_t at)
{
	for (int i = 0; i < poisoned.count; i++)
		if (poisoned.list[i].at == at && !strcmp(poisoned.list[i].program, program))
			return poisoned.list[i].field;
	return "a field that a function of it reads";
}

static int times(const struct notes *notes, const struct note *one)
{
	int times = 0;

	for (int i = 0; i < notes->count; i++)
		times += !strcmp(notes->list[i].program, one->program) &&
			 !strcmp(notes->list[i].field, one->field);
	return times;
}

/* A read as a bit-field looks for the field's place once, as a plain one does, and once for the bits to its
 * left. */
static int is_adapted(const struct note *read)
{
	return times(&whole, read) <= times(&adapted, read);
}

/* Gives back the loads of maps' addresses, in whose place libbpf left calls. */
static void restore_maps(struct bpf_program *program, struct bpf_insn *code, size_t count)
{
	const struct bpf_insn *compiled = 0;
	size_t known = 0;

	for (int i = 0; i < program_count; i++)
		if (programs[i].program == program) {
			compiled = programs[i].code;
			known = programs[i].count;
		}
	for (size_t i = 0; i + 1 < count; i++) {
		if (code[i].code != (BPF_JMP | BPF_CALL) || code[i].src_reg || code[i].imm < MAP_ABSENT)
			continue;
		/* Of functions that were appended the compiled form isn't at hand. */
		if (i >= known)
			continue;
		code[i] = (struct bpf_insn){.code = BPF_LD | BPF_IMM | BPF_DW,
					    .dst_reg = compiled[i].dst_reg,
					    .src_reg = BPF_PSEUDO_MAP_FD};
		code[++i] = (struct bpf_insn){};
	}
}

/* libbpf calls this when the kernel is to be given the program. */
static int judge(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	static struct bpf_insn nothing[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	const char *name = bpf_program__name(program);
	size_t count = bpf_program__insn_cnt(program);
	struct bpf_insn *code = room(count * sizeof(*code));
	char *reached = room(count);

	(void)cookie;
	/* These speak of the instructions that were there. */
	options->func_info_cnt = options->line_info_cnt = 0;
	memcpy(code, bpf_program__insns(program), count * sizeof(*code));
	restore_maps(program, code, count);
	reach(code, count, reached);
	for (size_t i = 0; i < count; i++)
		if (reached[i] && code[i].code == (BPF_JMP | BPF_CALL) && code[i].imm == BAD_RELOCATION)
			printf("fault %s no matching targets for %s\n", name, field_at(name, i));
	free(reached);
	free(code);
	return bpf_program__set_insns(program, nothing, 2);
}

static int has_target(const char *section)
{
	const char *target = strchr(section, '/');
	char name[256];

	if (!target)
		return 1;
	if (!strncmp(section, "raw_tp", 6)) {
		snprintf(name, sizeof(name), "btf_trace_%s", target + 1);
		return btf__find_by_name_kind(kernel, name, BTF_KIND_TYPEDEF) > 0;
	}
	return btf__find_by_name_kind(kernel, target + 1, BTF_KIND_FUNC) > 0;
}

/* A module's types go on with the numbers and strings of vmlinux's: one after the other they are one BTF. */
static struct btf *merge(const struct btf *base, const struct btf *module)
{
	uint32_t size, more_size;
	const char *first = btf__raw_data(base, &size), *second = btf__raw_data(module, &more_size);
	const struct btf_header *one = (const void *)first, *two = (const void *)second;
	struct btf_header head = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(head)};
	struct btf *whole;
	char *all, *at;

	head.type_len = head.str_off = one->type_len + two->type_len;
	head.str_len = one->str_len + two->str_len;
	at = all = room(sizeof(head) + head.type_len + head.str_len);
	at = mempcpy(at, &head, sizeof(head));
	at = mempcpy(at, first + one->hdr_len + one->type_off, one->type_len);
	at = mempcpy(at, second + two->hdr_len + two->type_off, two->type_len);
	at = mempcpy(at, first + one->hdr_len + one->str_off, one->str_len);
	at = mempcpy(at, second + two->hdr_len + two->str_off, two->str_len);
	whole = btf__new(all, at - all);
	free(all);
	return whole;
}

static void read_kernel(const char *vmlinux, const char *module)
{
	struct btf *more;

	kernel = btf__parse(vmlinux, 0);
	if (!kernel)
		fail(vmlinux);
	if (!module)
		return;
	more = btf__parse_split(module, kernel);
	kernel = more ? merge(kernel, more) : 0;
	if (!kernel)
		fail(module);
}

static void write_kernel(void)
{
	uint32_t size;
	const void *data = btf__raw_data(kernel, &size);
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd))
		fail(path);
}

/* Takes a program's loading out of libbpf's hands. */
static void take_over(const char *section)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, handler, .prog_prepare_load_fn = judge);

	if (libbpf_register_prog_handler(section, BPF_PROG_TYPE_SOCKET_FILTER, 0, &handler) < 0)
		fail(section);
}

static void list_programs(struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		size_t count = bpf_program__insn_cnt(program), bytes = count * sizeof(struct bpf_insn);

		if (program_count == PROGRAMS_MAX) {
			errno = E2BIG;
			fail("programs");
		}
		programs[program_count].program = program;
		programs[program_count].count = count;
		programs[program_count++].code = memcpy(room(bytes), bpf_program__insns(program), bytes);
		bpf_program__set_autoload(program, true);
		printf("program %s %d\n", bpf_program__name(program),
		       has_target(bpf_program__section_name(program)));
	}
}

int main(int argc, char **argv)
{
	static const char *const sections[] = {"fentry+", "fexit+",    "kprobe+", "kretprobe+",
					       "uprobe+", "uprobe.s+", "raw_tp+"};
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = path);
	struct bpf_object *object;
	struct bpf_map *map;
	int err;

	if (argc != 3 && argc != 4) {
		fputs("usage: relocations OBJECT VMLINUX [MODULE]\n", stderr);
		return 2;
	}
	libbpf_set_print(hear);
	read_kernel(argv[2], argv[3]);
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		take_over(sections[i]);
	write_kernel();
	object = bpf_object__open_file(argv[1], &options);
	if (!object)
		fail(argv[1]);
	own = bpf_object__btf(object);
	bpf_object__for_each_map(map, object) bpf_map__set_autocreate(map, false);
	list_programs(object);
	err = bpf_object__load(object);
	unlink(path);
	if (err) {
		fprintf(stderr, "relocations: %s", warning);
		return 2;
	}
	for (int i = 0; i < whole.count; i++)
		if (!is_adapted(&whole.list[i]))
			printf("fault %s %s is read whole, and has %s\n", whole.list[i].program,
			       whole.list[i].field, whole.list[i].form);
	bpf_object__close(object);
	return 0;
}
