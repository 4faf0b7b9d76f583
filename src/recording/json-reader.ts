// Takes untrusted JSON apart, member by member, with the place of each in every error.

import { RecordingError } from '../model/errors.ts';

/** A value of the JSON and the place it was found at. */
export class JsonReader {
  readonly #value: unknown;
  readonly #place: string;
  readonly #leftOut: string[] | null;

  /** With `leftOut`, entries of lists that can't be read are left out and noted there: a newer version wrote them. */
  constructor(value: unknown, place: string, leftOut: string[] | null = null) {
    this.#value = value;
    this.#place = place;
    this.#leftOut = leftOut;
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
    const member = Object.hasOwn(members, key) ? members[key] : undefined;
    return new JsonReader(member, `${this.#place}.${key}`, this.#leftOut);
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

  /** Names of members other than these. */
  others(known: readonly string[]): string[] {
    return Object.keys(this.#members()).filter((key) => !known.includes(key));
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
    return this.#value.flatMap((entry: unknown, index) => {
      const place = `${this.#place}[${index}]`;
      try {
        return [read(new JsonReader(entry, place, this.#leftOut))];
      } catch (error) {
        if (this.#leftOut === null || !(error instanceof RecordingError)) throw error;
        this.#leftOut.push(place);
        return [];
      }
    });
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
