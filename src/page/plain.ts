// Text of a recording as text on a page: bounded, and without what would steer a terminal or turn a line around.

/** Controls, marks that are not seen or that turn the direction of text around, and separators of lines. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const LENGTH_MAX = 400;

export function plain(text: string, most = LENGTH_MAX): string {
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return cut.replace(UNSEEN, (char) => {
    const code = char.codePointAt(0) as number;
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Text numbers for texts that come again and again. */
export class Strings {
  readonly texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  of(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.texts.push(plain(text)) - 1;
    this.#numbers.set(text, number);
    return number;
  }
}
