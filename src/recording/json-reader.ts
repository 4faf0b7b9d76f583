// Takes untrusted JSON apart, member by member, with the place of each in every error.

import { RecordingError } from '../model/errors.ts';

/** A value of the JSON and the place it was found at. */
export class JsonReader {
  readonly #value: unknown;
  readonly #place: string;

  constructor(value: unknown, place: string) {
    this.#value = value;
    this.#place = place;
  }

  #wrong(wanted: string): RecordingError {
    const found =
      this.#value === null ? 'null' : Array.isArray(this.#value) ? 'an array' : typeof this.#value;
    return new RecordingError(
      'BAD_META',
      `The description inside the recording is damaged: ${this.#place} should be ${wanted}, found ${found}.`,
    );
  }

  #members(): Record<string, unknown> {
    if (typeof this.#value !== 'object' || this.#value === null || Array.isArray(this.#value)) {
      throw this.#wrong('an object');
    }
    return this.#value as Record<string, unknown>;
  }

  get(key: string): JsonReader {
    const members = this.#members();
    return new JsonReader(Object.hasOwn(members, key) ? members[key] : undefined, `${this.#place}.${key}`);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#members(), key);
  }

  text(): string {
    if (typeof this.#value !== 'string') throw this.#wrong('text');
    return this.#value;
  }

  number(least = -Number.MAX_SAFE_INTEGER, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.#value;
    if (typeof value !== 'number' || !(value >= least && value <= most)) {
      throw this.#wrong(`a number from ${least} to ${most}`);
    }
    return value;
  }

  count(most = Number.MAX_SAFE_INTEGER): number {
    const value = this.number(0, most);
    if (!Number.isInteger(value)) throw this.#wrong('a whole number');
    return value;
  }

  u32(): number {
    return this.count(0xffff_ffff);
  }

  big(): bigint {
    const value = this.#value;
    if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) throw this.#wrong('a whole number as text');
    return BigInt.asUintN(64, BigInt(value));
  }

  absent(): boolean {
    return this.#value === undefined;
  }

  bool(): boolean {
    if (typeof this.#value !== 'boolean') throw this.#wrong('true or false');
    return this.#value;
  }

  oneOf<T extends string | number | null>(choices: readonly T[]): T {
    const found = choices.find((choice) => choice === this.#value);
    if (found === undefined) throw this.#wrong(`one of ${choices.join(', ')}`);
    return found;
  }

  orNull<T>(read: (reader: JsonReader) => T): T | null {
    return this.#value === null ? null : read(this);
  }

  list<T>(read: (reader: JsonReader) => T): T[] {
    if (!Array.isArray(this.#value)) throw this.#wrong('a list');
    return this.#value.map((entry, index) => read(new JsonReader(entry, `${this.#place}[${index}]`)));
  }

  /** Entries whose keys could reach an object's prototype are left out. */
  record<T>(read: (reader: JsonReader) => T): Record<string, T> {
    const result: Record<string, T> = {};
    for (const key of Object.keys(this.#members())) {
      if (key !== '__proto__' && key !== 'constructor' && key !== 'prototype')
        result[key] = read(this.get(key));
    }
    return result;
  }
}
