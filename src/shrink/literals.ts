// Source text of plain objects as the formatter of this project would lay it out.

export type LiteralValue = string | number | bigint;

/** What a literal is given as: values are text already. */
export type Members = readonly (readonly [name: string, text: string])[];

const WIDTH = 110;

/** In single quotes unless it holds some, and of printable ASCII whatever it holds. */
export function quoteText(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (!escaped.includes("'")) return `'${escaped}'`;
  return escaped.includes('"') ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped}"`;
}

/** One line if it fits beside `around` other characters, else a line for each member. */
export function objectLiteral(members: Members, indent: string, around = 1): string {
  const parts = members.map(([name, text]) => `${name}: ${text}`);
  const line = `{ ${parts.join(', ')} }`;
  if (indent.length + line.length + around <= WIDTH) return line;
  return `{\n${parts.map((part) => `${indent}  ${part},\n`).join('')}${indent}}`;
}
