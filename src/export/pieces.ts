// Text in pieces that are worth a write each.

const PIECE = 1 << 16;

/** The texts one after the other, as UTF-8. */
export function* inPieces(texts: Iterable<string>): Generator<Uint8Array, void, undefined> {
  let piece = '';
  for (const text of texts) {
    piece += text;
    if (piece.length < PIECE) continue;
    yield Buffer.from(piece, 'utf8');
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece, 'utf8');
}
