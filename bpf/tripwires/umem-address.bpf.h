/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tripwire: a descriptor whose address can't be in its umem, or is a known poison, freezes the rings inside
 * the event. */
#ifndef FR_TRIPWIRE_UMEM_ADDRESS
#define FR_TRIPWIRE_UMEM_ADDRESS

#define FR_TRIPWIRE_POISON 0
#define FR_TRIPWIRE_OUT_OF_BOUNDS 1
#define FR_POISON 0xdeadbeefdeadbeefull
#define FR_UMEM_UNALIGNED 1 /* XDP_UMEM_UNALIGNED_CHUNK_FLAG: the offset is in bits 48 and up */

/* Number of the tripwire that this address breaks, or -1. */
static __always_inline int fr_umem_address_broken(__u64 addr, __u64 umem_size, __u32 umem_flags)
{
	if (addr == FR_POISON)
		return FR_TRIPWIRE_POISON;
	if (umem_flags & FR_UMEM_UNALIGNED)
		addr = (addr & ((1ull << 48) - 1)) + (addr >> 48);
	return addr >= umem_size ? FR_TRIPWIRE_OUT_OF_BOUNDS : -1;
}

#endif
