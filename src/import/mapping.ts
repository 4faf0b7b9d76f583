// A mapping: which events and markers of a trace are which events of flightring (docs/importing.md), read from TOML.

import { parse, TomlError } from 'smol-toml';
import { LAYOUTS } from '../generated/layouts.ts';
import { UsageError } from '../model/errors.ts';
import type { FieldType, FieldLayout, RecordLayout } from '../model/layout.ts';
import { nearest } from '../model/nearest.ts';
import { GAP_KIND, HEAD_BYTES } from '../model/slot.ts';
import { locate, type TomlPath } from './locate.ts';
import { compilePattern, PatternError } from './pattern.ts';

/** One field of the event that is made. */
export interface FieldRule {
  readonly field: FieldLayout;
  /** Name of the value in the trace; null for a constant. */
  readonly from: string | null;
  readonly constant: string | bigint | null;
  /** Base of numbers without `0x`. */
  readonly base: 10 | 16;
  readonly times: bigint;
  readonly plus: bigint;
  readonly mask: bigint | null;
  readonly words: ReadonlyMap<string, bigint>;
}

export interface Rule {
  /** Its number among the rules, events first. */
  readonly number: number;
  /** Names of events, with `*` for any characters; empty for a marker. */
  readonly names: readonly string[];
  readonly function: string | null;
  /** What the marker, or what follows the event's name, must begin with. */
  readonly text: RegExp | null;
  /** Values that must be there, as they are printed. */
  readonly when: readonly (readonly [string, string])[];
  readonly kind: RecordLayout;
  readonly fields: readonly FieldRule[];
  /** For what names the port: the value's name in this event. */
  readonly port: Readonly<Record<string, string>>;
  /** The trace says the position in the ring; otherwise it is counted. */
  readonly hasPosition: boolean;
}

export interface UmemRule {
  /** Bytes, or null to learn it from the addresses. */
  readonly chunkSize: number | null;
  readonly size: number | null;
  readonly headroom: number;
}

export interface PortRule {
  /** The values that name a socket and its queue. */
  readonly by: readonly string[];
  /** A value that names one as well, in other events: which it is, is learned. */
  readonly pointer: string | null;
}

export interface Mapping {
  readonly name: string;
  readonly description: string;
  readonly ignore: readonly string[];
  readonly ignoreMarkers: readonly RegExp[];
  readonly umem: UmemRule;
  readonly port: PortRule;
  readonly events: readonly Rule[];
  readonly markers: readonly Rule[];
}

/** Reads a mapping; `name` is its file, or what it is called. Throws a UsageError with line and column. */
export function parseMapping(source: string, name: string): Mapping {
  let toml: Record<string, unknown>;
  try {
    toml = parse(source, { integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const words = error.message.replace(/^Invalid TOML document: /, '').split('\n')[0] ?? '';
    throw new UsageError(
      'BAD_MAPPING',
      `${name}:${error.line}:${error.column}: ${words.replace(/\.?$/, '.')}`,
      {
        cause: error,
      },
    );
  }
  return new Reader(source, name).mapping(toml);
}

const TOP = ['description', 'ignore', 'ignore_markers', 'umem', 'port', 'event', 'marker'];
const UMEM = ['chunk_size', 'size', 'headroom'];
const PORT = ['by', 'pointer'];
const PORT_PARTS = ['device', 'queue', 'ifindex', 'netns'];
const EVENT = ['name', 'function', 'text', 'when', 'kind', 'fields', 'port'];
const MARKER = ['text', 'when', 'kind', 'fields', 'port'];
const FIELD = ['from', 'value', 'base', 'times', 'plus', 'mask', 'words', 'unit'];
const UNITS: Readonly<Record<string, bigint>> = { ns: 1n, us: 1000n, ms: 1_000_000n, s: 1_000_000_000n };
const RULES_MAX = 4096;
const MAX_BYTES = 2 ** 48;

type Table = Readonly<Record<string, unknown>>;

class Reader {
  readonly #source: string;
  readonly #name: string;

  constructor(source: string, name: string) {
    this.#source = source;
    this.#name = name;
  }

  mapping(toml: Table): Mapping {
    this.#keys(toml, TOP, []);
    const port = this.#port(this.#table(toml, 'port', []));
    const events = this.#tables(toml, 'event').map((rule, i) => this.#rule(rule, ['event', i], i, port));
    const markers = this.#tables(toml, 'marker').map((rule, i) =>
      this.#rule(rule, ['marker', i], events.length + i, port),
    );
    if (events.length + markers.length === 0) throw this.#error([], 'it has no [[event]] and no [[marker]]');
    if (events.length + markers.length > RULES_MAX)
      throw this.#error([], `it has more than ${RULES_MAX} events and markers`);
    return {
      name: this.#name,
      description: this.#text(toml, 'description', []) ?? '',
      ignore: this.#texts(toml, 'ignore', []),
      ignoreMarkers: this.#texts(toml, 'ignore_markers', []).map((text) =>
        this.#pattern(text, ['ignore_markers']),
      ),
      umem: this.#umem(this.#table(toml, 'umem', [])),
      port,
      events,
      markers,
    };
  }

  #umem(table: Table): UmemRule {
    this.#keys(table, UMEM, ['umem']);
    const bytes = (key: string): number | null => {
      const value = table[key] ?? 'learn';
      if (value === 'learn') return null;
      if (typeof value !== 'bigint' || value < 1n || value > MAX_BYTES)
        throw this.#error(['umem', key], `${key} is a number of bytes or "learn"`);
      return Number(value);
    };
    const chunkSize = bytes('chunk_size');
    if (chunkSize !== null && (chunkSize < 256 || chunkSize > 65536 || (chunkSize & (chunkSize - 1)) !== 0))
      throw this.#error(['umem', 'chunk_size'], 'chunk_size is a power of two from 256 to 65536');
    const headroom = table['headroom'] ?? 0n;
    if (typeof headroom !== 'bigint' || headroom < 0n || headroom > 65536n)
      throw this.#error(['umem', 'headroom'], 'headroom is a number of bytes up to 65536');
    return { chunkSize, size: bytes('size'), headroom: Number(headroom) };
  }

  #port(table: Table): PortRule {
    this.#keys(table, PORT, ['port']);
    const by = this.#texts(table, 'by', ['port']);
    for (const part of by)
      if (!PORT_PARTS.includes(part))
        throw this.#error(['port', 'by'], `"${part}" names no port; ${didYouMean(part, PORT_PARTS)}`);
    return { by, pointer: this.#text(table, 'pointer', ['port']) };
  }

  #rule(table: Table, path: TomlPath, number: number, port: PortRule): Rule {
    const isMarker = path[0] === 'marker';
    this.#keys(table, isMarker ? MARKER : EVENT, path);
    const names = isMarker ? [] : this.#texts(table, 'name', path);
    const probed = isMarker ? null : this.#text(table, 'function', path);
    const text = this.#text(table, 'text', path);
    if (isMarker && text === null) throw this.#error(path, 'a marker needs its text, a regular expression');
    if (!isMarker && names.length === 0 && probed === null)
      throw this.#error(path, 'an event needs a name or a function');
    const kindName = this.#text(table, 'kind', path);
    if (kindName === null) throw this.#error(path, 'its kind is missing');
    const kinds = LAYOUTS.filter(({ number }) => number !== GAP_KIND);
    const kind = kinds.find((layout) => layout.kind === kindName);
    if (kind === undefined) {
      const wrong = `there is no kind "${kindName}"; ${didYouMean(
        kindName,
        kinds.map((layout) => layout.kind),
      )}`;
      throw this.#error([...path, 'kind'], wrong);
    }
    const fields = Object.entries(this.#table(table, 'fields', path)).map(([field, value]) =>
      this.#field(kind, field, value, [...path, 'fields', field]),
    );
    const pattern = text === null ? null : this.#pattern(text, [...path, 'text']);
    const parts = this.#table(table, 'port', path);
    this.#keys(parts, [...PORT_PARTS, 'pointer'], [...path, 'port']);
    const named = Object.keys(parts).map((part) => [part, this.#text(parts, part, [...path, 'port']) ?? '']);
    return {
      number,
      names,
      function: probed,
      text: pattern,
      when: Object.entries(this.#table(table, 'when', path)).map(([key, value]) => {
        if (typeof value !== 'string' && typeof value !== 'bigint')
          throw this.#error([...path, 'when', key], 'a condition is a text or a whole number');
        return [key, String(value)] as const;
      }),
      kind,
      fields,
      port: {
        ...Object.fromEntries(port.by.map((part) => [part, part])),
        ...(port.pointer === null ? {} : { pointer: port.pointer }),
        ...Object.fromEntries(named),
      },
      hasPosition: fields.some(({ field }) => field.name === 'position'),
    };
  }

  #field(kind: RecordLayout, name: string, value: unknown, path: TomlPath): FieldRule {
    const known = kind.fields.filter(({ offset, type }) => offset >= HEAD_BYTES && type !== 'object');
    const field = known.find((candidate) => candidate.name === name);
    if (field === undefined) {
      const names = known.map((candidate) => candidate.name);
      throw this.#error(path, `${kind.kind} has no field "${name}"; ${didYouMean(name, names)}`);
    }
    const plain = { base: 10, times: 1n, plus: 0n, mask: null, words: new Map<string, bigint>() } as const;
    if (typeof value === 'string') return { ...plain, field, from: value, constant: null };
    const table = this.#asTable(value, path);
    this.#keys(table, FIELD, path);
    const from = this.#text(table, 'from', path);
    const constant = table['value'] ?? null;
    if ((from === null) === (constant === null))
      throw this.#error(path, 'a field has either "from", a name in the trace, or "value", a constant');
    if (constant !== null && typeof constant !== 'string' && typeof constant !== 'bigint')
      throw this.#error(path, 'a constant is a text or a whole number');
    const base = table['base'] ?? 10n;
    if (base !== 10n && base !== 16n) throw this.#error(path, 'base is 10 or 16');
    const unit = this.#text(table, 'unit', path) ?? 'ns';
    const unitNs = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (unitNs === undefined)
      throw this.#error(path, `there is no unit "${unit}"; ${didYouMean(unit, Object.keys(UNITS))}`);
    return {
      field,
      from,
      constant,
      base: base === 16n ? 16 : 10,
      times: this.#whole(table, 'times', path, 1n) * unitNs,
      plus: this.#whole(table, 'plus', path, 0n),
      mask: table['mask'] === undefined ? null : this.#whole(table, 'mask', path, 0n),
      words: new Map(
        Object.entries(this.#table(table, 'words', path)).map(([word, number]) => {
          if (typeof number !== 'bigint') throw this.#error(path, `the word "${word}" needs a whole number`);
          return [word, number] as const;
        }),
      ),
    };
  }

  #pattern(text: string, path: TomlPath): RegExp {
    try {
      return compilePattern(text);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      throw this.#error(
        path,
        `the regular expression can't be used: ${error.message} (its character ${error.at + 1})`,
      );
    }
  }

  #whole(table: Table, key: string, path: TomlPath, otherwise: bigint): bigint {
    const value = table[key] ?? otherwise;
    if (typeof value !== 'bigint') throw this.#error(path, `${key} is a whole number`);
    return value;
  }

  #text(table: Table, key: string, path: TomlPath): string | null {
    const value = table[key];
    if (value === undefined) return null;
    if (typeof value !== 'string') throw this.#error([...path, key], `${key} is a text`);
    return value;
  }

  /** A text or a list of texts. */
  #texts(table: Table, key: string, path: TomlPath): readonly string[] {
    const value = table[key] ?? [];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.map((item) => {
      if (typeof item !== 'string') throw this.#error([...path, key], `${key} is a text or a list of texts`);
      return item;
    });
  }

  #table(table: Table, key: string, path: TomlPath): Table {
    return table[key] === undefined ? {} : this.#asTable(table[key], [...path, key]);
  }

  #asTable(value: unknown, path: TomlPath): Table {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date)
      throw this.#error(path, `${path.at(-1)} is a table`);
    return value as Table;
  }

  #tables(table: Table, key: string): readonly Table[] {
    const value = table[key] ?? [];
    if (!Array.isArray(value)) throw this.#error([key], `${key} is a list of tables, [[${key}]]`);
    return value.map((item: unknown, i) => this.#asTable(item, [key, i]));
  }

  #keys(table: Table, known: readonly string[], path: TomlPath): void {
    for (const key of Object.keys(table))
      if (!known.includes(key))
        throw this.#error([...path, key], `there is no "${key}" here; ${didYouMean(key, known)}`);
  }

  #error(path: TomlPath, sentence: string): UsageError {
    const { line, column } = locate(this.#source, path);
    return new UsageError(
      'BAD_MAPPING',
      `${this.#name}:${line}:${column}: ${sentence}${sentence.endsWith('?') ? '' : '.'}`,
    );
  }
}

function didYouMean(word: string, known: readonly string[]): string {
  const best = nearest(word, known);
  return best === undefined ? 'there is none at all' : `did you mean ${best}?`;
}

/** Types whose values are texts; all others are numbers. */
export const TEXT_TYPES: ReadonlySet<FieldType> = new Set(['ip', 'mac', 'comm', 'name', 'text']);
