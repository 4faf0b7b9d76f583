// Reads RFC 4180 literally: a second implementation for the tests.

/** Rows of cells; null for one with nothing in it, '' for an empty text. */
export function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  let at = 0;
  while (at < text.length) {
    let cell: string | null;
    if (text[at] === '"') {
      cell = '';
      for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
        if (at >= text.length) throw new Error('a quotation never ends');
        cell += text[at];
        if (text[at] === '"') at++;
      }
      at++;
    } else {
      const end = /[,\r]/g;
      end.lastIndex = at;
      const stop = end.exec(text)?.index ?? text.length;
      cell = stop === at ? null : text.slice(at, stop);
      if (cell?.includes('"') || cell?.includes('\n')) throw new Error(`a cell needs quotation: ${cell}`);
      at = stop;
    }
    row.push(cell);
    if (text[at] === ',') {
      at++;
      continue;
    }
    if (text.slice(at, at + 2) !== '\r\n') throw new Error(`a row ends with ${JSON.stringify(text[at])}`);
    rows.push(row);
    row = [];
    at += 2;
  }
  return rows;
}
