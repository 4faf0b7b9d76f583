// SPDX-License-Identifier: Apache-2.0
/*
 * Lets Debian's static libbpf and libelf go into a shared object. Both are compiled for executables: libelf
 * keeps its error number in executable-only thread-local storage (defining the three symbols of elf_error.o
 * here keeps that member out of the link), and libbpf reads stderr as a copied symbol (the Makefile renames
 * it to the one below).
 */
#include <stdio.h>

FILE *fr_stderr;
__attribute__((constructor)) static void set_stderr(void)
{
	fr_stderr = stderr;
}

static __thread int last_error;

void __libelf_seterrno(int value);
void __libelf_seterrno(int value)
{
	last_error = value;
}

int elf_errno(void);
int elf_errno(void)
{
	int value = last_error;

	last_error = 0;
	return value;
}

const char *elf_errmsg(int error);
const char *elf_errmsg(int error)
{
	return error ? "the object file is damaged" : "no error";
}
