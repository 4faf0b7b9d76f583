// Texts by number, so that columns of numbers can hold them.

/** Every text once; columns hold their numbers. */
export interface Strings {
  readonly list: string[];
  intern(text: string): number;
}

export function createStrings(): Strings {
  const list: string[] = [];
  const numbers = new Map<string, number>();
  return {
    list,
    intern(text) {
      const known = numbers.get(text);
      if (known !== undefined) return known;
      numbers.set(text, list.length);
      return list.push(text) - 1;
    },
  };
}
