// Source text of plain objects as the formatter of this project would lay it out.

/** What a literal is given as: values are text already. */
export type Members = readonly (readonly [name: string, text: string])[];

const WIDTH = 110;

/** In the quotes that take fewer escapes, and of printable ASCII whatever it holds. */
export function quoteText(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const quote = escaped.split("'").length > escaped.split('"').length ? '"' : "'";
  return quote + escaped.replaceAll(quote, `\\${quote}`) + quote;
}

/** One line if it fits beside `around` other characters, else a line for each member. */
export function objectLiteral(members: Members, indent: string, around = 1): string {
  const parts = members.map(([name, text]) => `${name}: ${text}`);
  const line = `{ ${parts.join(', ')} }`;
  if (indent.length + line.length + around <= WIDTH) return line;
  return `{\n${parts.map((part) => `${indent}  ${part},\n`).join('')}${indent}}`;
}

/** `head(…);`, its only argument on a line of its own if it is too long. */
export function callStatement(head: string, argument: string, indent: string): string[] {
  const line = `${indent}${head}(${argument});`;
  return line.length <= WIDTH ? [line] : [`${indent}${head}(`, `${indent}  ${argument},`, `${indent});`];
}

/** `head([…]);`, an item to a line if they are too long for one. */
export function listStatement(head: string, items: readonly string[], indent: string): string[] {
  const line = `${indent}${head}([${items.join(', ')}]);`;
  if (line.length <= WIDTH) return [line];
  return [`${indent}${head}([`, ...items.map((item) => `${indent}  ${item},`), `${indent}]);`];
}

/** `const NAME = value;`, the value on a line of its own if it is too long. */
export function constStatement(name: string, value: string): string[] {
  const line = `const ${name} = ${value};`;
  return line.length <= WIDTH ? [line] : [`const ${name} =`, `  ${value};`];
}
