// Text of a trace as it may be shown: nothing in it moves a terminal's cursor or turns its writing around.

const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/** At most `max` characters; what is not to be seen as \xNN or \u{NNNN}. */
export function escapeText(text: string, max = 160): string {
  const cut = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  return cut.replaceAll(UNSAFE, (char) => {
    const code = char.codePointAt(0) as number;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
