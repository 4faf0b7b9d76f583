// What an event says behind its name: `(function+off/size) key=value key="a text" …`.

const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const EQUALS = 0x3d;
const SPACE = 0x20;
/** Values of one event; what is beyond is not looked at. */
const KEYS_MAX = 64;

/** The keys and values of one event; the same object is filled again and again. */
export class Body {
  readonly #keys: string[] = new Array<string>(KEYS_MAX).fill('');
  readonly #from = new Uint32Array(KEYS_MAX);
  readonly #to = new Uint32Array(KEYS_MAX);
  #count = 0;
  #text = '';
  /** The probed function, or '' where only an address or nothing is printed. */
  function = '';
  /** Of a return probe, where it returns to. */
  caller = '';

  read(text: string): void {
    this.#text = text;
    this.#count = 0;
    this.function = '';
    this.caller = '';
    let at = this.#readPlace(text);
    while (at < text.length && this.#count < KEYS_MAX) {
      if (text.charCodeAt(at) === SPACE) {
        at++;
        continue;
      }
      at = this.#readWord(text, at);
    }
  }

  /** The value of a key, or undefined. A text comes without its quotes. */
  get(key: string): string | undefined {
    for (let i = 0; i < this.#count; i++)
      if (this.#keys[i] === key) return this.#text.slice(this.#from[i], this.#to[i]);
    return undefined;
  }

  /** `(func+0x0/0x10)`, `(caller+0x1/0x2 <- func)`, `(ffffffff81234567)`. */
  #readPlace(text: string): number {
    if (text.charCodeAt(0) !== 0x28) return 0;
    const close = text.indexOf(')');
    if (close < 0 || close > 512) return 0;
    const inside = text.slice(1, close);
    const arrow = inside.indexOf(' <- ');
    const named = arrow < 0 ? inside : inside.slice(arrow + 4);
    if (arrow >= 0) this.caller = functionOf(inside.slice(0, arrow));
    this.function = functionOf(named);
    return close + 1;
  }

  /** One word: a key with its value, or something that is no key. */
  #readWord(text: string, start: number): number {
    let at = start;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === EQUALS || code === SPACE) break;
      at++;
    }
    if (text.charCodeAt(at) !== EQUALS || at === start) return at + 1;
    const key = text.slice(start, at);
    let from = at + 1;
    let to: number;
    let end: number;
    const first = text.charCodeAt(from);
    if (first === QUOTE) {
      from++;
      to = text.indexOf('"', from);
      if (to < 0) to = text.length;
      end = to + 1;
    } else {
      const stop = text.indexOf(first === OPEN_BRACE ? '}' : ' ', from);
      to = stop < 0 ? text.length : stop;
      end = to + 1;
    }
    this.#keys[this.#count] = key;
    this.#from[this.#count] = from;
    this.#to[this.#count++] = to;
    // perf puts commas between what a tracepoint prints.
    if (first !== QUOTE && text.charCodeAt(to - 1) === 0x2c) this.#to[this.#count - 1] = to - 1;
    return end;
  }
}

/** The name without offset and module: `__xsk_rcv_zc+0x9b/0x250 [module]`. */
function functionOf(place: string): string {
  const name = place.replace(/[+ ].*$/s, '');
  return /^(0x)?[0-9a-f]{6,16}$/.test(name) ? '' : name;
}
