// Text that came from a recording, made fit for a terminal: what would move the cursor, change colours or direction is shown as its number.

/** C0 and C1 controls, line and paragraph separators, marks of direction, and halves of characters. */
const CONTROLS =
  /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;
/** The same, but for what lines of our own are made of: tabs, ends of lines, colours. */
const FOREIGN =
  // oxlint-disable-next-line no-control-regex
  /(?!\t|\n|\u001b\[[0-9;]*m)[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Most texts are of these characters only. */
const PLAIN = /^[ -~]*$/;

/** A name or sentence without anything that a terminal would obey: `\u001b` for an escape. */
export function printable(text: string): string {
  return PLAIN.test(text) ? text : text.replace(CONTROLS, asNumber);
}

/** A whole line of output: the last look, for what was put into it unseen. JSON stays JSON with the same meaning. */
export function printableLine(line: string): string {
  return PLAIN.test(line) ? line : line.replace(FOREIGN, asNumber);
}

/** JavaScript's own way to write it, which is also JSON's. */
function asNumber(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A copy of plain data in which every text is printable. */
export function printableAll<T>(value: T): T {
  return walk(value) as T;
}

function walk(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(walk);
  if (value instanceof Map) return new Map([...value].map(([key, entry]) => [walk(key), walk(entry)]));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [printable(key), walk(entry)]));
}
