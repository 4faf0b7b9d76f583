// Text from recordings for a terminal: nothing in it may move the cursor, colour or rename anything.

const NAMED: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** Control characters, line separators and marks that change the direction of writing. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** On one line: control characters as escapes in the manner of JSON. */
export function printable(text: string): string {
  return text.replaceAll(CONTROLS, escape);
}

/** The same for text of several lines. */
export function printableText(text: string): string {
  return text.replaceAll(CONTROLS, (control) =>
    control === '\n' || control === '\t' ? control : escape(control),
  );
}

function escape(control: string): string {
  return NAMED[control] ?? `\\u${(control.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
