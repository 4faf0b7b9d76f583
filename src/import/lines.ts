// Text in chunks as lines, in bounded memory whatever the text is.

/** What is longer is no line of a trace; the rest of it is passed over. */
export const MAX_LINE = 65_536;

/**
 * The lines of a chunk at a time, without their ends. One that is too long comes as its first MAX_LINE + 1 characters.
 * Bytes that are not UTF-8 become U+FFFD.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[], void> {
  let rest = '';
  for await (const chunk of chunks) {
    // Latin-1 keeps bytes apart whatever a chunk's end cuts through; few traces have more than ASCII.
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    const lines: string[] = [];
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      lines.push(toLine(rest + text.slice(from, Math.min(end, from + MAX_LINE + 2))));
      rest = '';
      from = end + 1;
    }
    if (rest.length <= MAX_LINE) rest += text.slice(from, from + MAX_LINE + 2);
    if (lines.length > 0) yield lines;
  }
  if (rest !== '') yield [toLine(rest)];
}

/** What web pages and chats make of the spaces of a trace that is copied from them; the kernel prints none of these. */
const WEB_SPACES = /[\u00a0\u2000-\u200a\u202f\u3000]/g;
const BEYOND_ASCII = /[^\0-\x7f]/;

function toLine(bytes: string): string {
  const cut = bytes.length > MAX_LINE ? bytes.slice(0, MAX_LINE + 1) : bytes;
  const line = cut.endsWith('\r') ? cut.slice(0, -1) : cut;
  return BEYOND_ASCII.test(line) && line.length <= MAX_LINE
    ? Buffer.from(line, 'latin1').toString('utf8').replaceAll(WEB_SPACES, ' ')
    : line;
}
