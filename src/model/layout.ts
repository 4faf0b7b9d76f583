// What a record looks like in memory: field names, offsets and semantic types, generated from the compiler's BTF.

/** Semantic types; each is a typedef of bpf/types.bpf.h whose name survives in BTF. */
export const FIELD_TYPES = [
  'u8',
  'u16',
  'u32',
  'u64',
  's32',
  'ns',
  'tid',
  'pid',
  'ifindex',
  'netns',
  'object',
  'queue',
  'umem_addr',
  'bytes',
  'position',
  'errno',
  'portid',
  'nud',
  'family',
  'ip',
  'mac',
  'comm',
  'name',
  'text',
  'reason',
  'bits',
  'inum',
  'cookie',
  'pointer',
  'spi',
  'vni',
  'port',
  'proto',
  'count',
  'path',
  'packet',
] as const;

export type FieldType = (typeof FIELD_TYPES)[number];

export interface FieldLayout {
  readonly name: string;
  readonly type: FieldType;
  /** Bytes from the start of the record, head included. */
  readonly offset: number;
  readonly size: number;
}

export interface RecordLayout {
  /** For example `xsk_fill_submit`. */
  readonly kind: string;
  readonly number: number;
  /** The path it belongs to, for example `xsk`; the file in bpf/probes that declares it. */
  readonly path: string;
  /** Bytes of the record, head included. */
  readonly size: number;
  /** Slots it takes in the ring. */
  readonly slots: number;
  readonly fields: readonly FieldLayout[];
}
