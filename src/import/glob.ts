// Names with `*` for any characters, matched in the time it takes to read them.

export type Glob = (name: string) => boolean;

export function createGlob(glob: string): Glob {
  const [first = '', ...middle] = glob.split(/\*+/);
  const last = middle.pop();
  if (last === undefined) return (name) => name === first;
  return (name) => {
    if (!name.startsWith(first)) return false;
    let at = first.length;
    for (const part of middle) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return name.length - last.length >= at && name.endsWith(last);
  };
}
