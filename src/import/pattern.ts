// Regular expressions of a mapping, only those that can't take long on any line.

/** A text longer than this is matched as far as here. */
export const MATCHED_MAX = 1024;
/** Ways in which an expression may be tried on a text, each of which may read all of it: a bound on backtracking. */
const WAYS_MAX = 70_000;
const LENGTH_MAX = 1000;
const DEPTH_MAX = 20;

export class PatternError extends Error {
  /** Characters of the expression in front of what is wrong. */
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** Compiles an expression that must match from the text's beginning. Throws a PatternError. */
export function compilePattern(source: string): RegExp {
  if (source.length > LENGTH_MAX)
    throw new PatternError(`it is longer than ${LENGTH_MAX} characters`, LENGTH_MAX);
  const parser = new PatternParser(source);
  const ways = parser.parse();
  let compiled: RegExp;
  try {
    compiled = new RegExp(source, 'yu');
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new PatternError(words.replace(/^Invalid regular expression: .*: /s, ''), 0);
  }
  if (ways > WAYS_MAX)
    throw new PatternError(
      'some text would keep it busy for too long; bound its repetitions, as in \\w{1,15}',
      parser.busiest,
    );
  return compiled;
}

/** The named groups of the match, or null. */
export function matchPattern(pattern: RegExp, text: string): Readonly<Record<string, string>> | null {
  pattern.lastIndex = 0;
  const match = pattern.exec(text.length > MATCHED_MAX ? text.slice(0, MATCHED_MAX) : text);
  return match === null ? null : (match.groups ?? NO_GROUPS);
}

const NO_GROUPS: Readonly<Record<string, string>> = {};

/**
 * Counts the ways: alternatives add up, what follows multiplies, and a repetition multiplies by the number of its
 * lengths, or, of something that itself has ways, by those to the power of its count. A repeated character that can't be the
 * one that must follow has one length that fits, whatever the text.
 */
class PatternParser {
  readonly #source: string;
  #at = 0;
  /** Where the repetition with most lengths stands. */
  busiest = 0;
  #most = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): number {
    const ways = this.#alternatives(0);
    if (this.#at < this.#source.length) throw new PatternError('a ) without its (', this.#at);
    return ways;
  }

  #alternatives(depth: number): number {
    if (depth > DEPTH_MAX) throw new PatternError(`groups lie more than ${DEPTH_MAX} deep`, this.#at);
    let ways = this.#sequence(depth);
    while (this.#source[this.#at] === '|') {
      this.#at++;
      ways += this.#sequence(depth);
    }
    return ways;
  }

  #sequence(depth: number): number {
    let ways = 1;
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at] as string))
      ways *= this.#atomWithCount(depth);
    return ways;
  }

  #atomWithCount(depth: number): number {
    const start = this.#at;
    const isGroup = this.#source[start] === '(';
    const ways = this.#atom(depth);
    return this.#repeated(ways, isGroup ? null : this.#source.slice(start, this.#at));
  }

  #atom(depth: number): number {
    const source = this.#source;
    const start = this.#at;
    switch (source[start]) {
      case '\\':
        if (/[1-9k]/.test(source[start + 1] ?? ''))
          throw new PatternError('it refers back to a group, which a mapping may not', start);
        this.#at += 2;
        if (/[pPu]/.test(source[start + 1] ?? '') && source[this.#at] === '{') this.#skipTo('}', start);
        return 1;
      case '[':
        this.#class();
        return 1;
      case '(': {
        if (/^\(\?(=|!|<=|<!)/.test(source.slice(start, start + 4)))
          throw new PatternError('it looks ahead or behind, which a mapping may not', start);
        this.#at++;
        if (source[this.#at] === '?') {
          if (source[this.#at + 1] === '<') this.#skipTo('>', start);
          else if (source[this.#at + 1] === ':') this.#at += 2;
          else throw new PatternError('a group of this kind is not known', start);
        }
        const ways = this.#alternatives(depth + 1);
        if (source[this.#at] !== ')') throw new PatternError('a ( without its )', start);
        this.#at++;
        return ways;
      }
      default:
        this.#at++;
        return 1;
    }
  }

  #class(): void {
    const start = this.#at++;
    while (this.#at < this.#source.length && this.#source[this.#at] !== ']')
      this.#at += this.#source[this.#at] === '\\' ? 2 : 1;
    if (this.#at >= this.#source.length) throw new PatternError('a [ without its ]', start);
    this.#at++;
  }

  #skipTo(end: string, start: number): void {
    const at = this.#source.indexOf(end, this.#at);
    if (at < 0) throw new PatternError(`its ${end} is missing`, start);
    this.#at = at + 1;
  }

  /** `character`: what is repeated if it is one character. */
  #repeated(ways: number, character: string | null): number {
    const start = this.#at;
    const counts = this.#quantifier();
    if (counts === null) return ways;
    const [least, most] = counts;
    if (this.#source[this.#at] === '?') this.#at++;
    if (character !== null && this.#endsBefore(character)) return 1;
    const lengths = Math.max(1, most - least + 1);
    const product = ways > 1 ? Math.min(Number.MAX_VALUE, ways ** Math.max(1, most)) : lengths;
    if (product > this.#most) {
      this.#most = product;
      this.busiest = start;
    }
    return product;
  }

  /** Whether a literal must follow that is no such character. */
  #endsBefore(character: string): boolean {
    const source = this.#source;
    let at = this.#at;
    while (source[at] === ')') at++;
    if (at > this.#at && isQuantifier(source[at])) return false;
    const next = source[at];
    if (next === undefined || '\\^$.*+?()[]{}|'.includes(next)) return false;
    if (isQuantifier(source[at + 1])) return false;
    try {
      return !new RegExp(`^${character}$`, 'su').test(next);
    } catch {
      return false;
    }
  }

  #quantifier(): readonly [number, number] | null {
    const source = this.#source;
    const code = source[this.#at];
    if (code === '*' || code === '+' || code === '?') {
      this.#at++;
      return [code === '+' ? 1 : 0, code === '?' ? 1 : MATCHED_MAX];
    }
    if (code !== '{') return null;
    const found = /^\{(\d{1,6})(,(\d{0,6}))?\}/.exec(source.slice(this.#at, this.#at + 20));
    if (found === null) return null;
    this.#at += found[0].length;
    const least = Number(found[1]);
    const most = found[2] === undefined ? least : found[3] === '' ? MATCHED_MAX : Number(found[3]);
    return [least, most];
  }
}

function isQuantifier(char: string | undefined): boolean {
  return char !== undefined && '*+?{'.includes(char);
}
