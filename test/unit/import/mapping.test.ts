// A mapping with an error is refused in one sentence, with line and column; expressions that could hang are refused, too.

import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/model/errors.ts';
import { locate } from '../../../src/import/locate.ts';
import { parseMapping } from '../../../src/import/mapping.ts';
import { loadMapping, MAPPINGS } from '../../../src/import/mappings.ts';
import { compilePattern, matchPattern } from '../../../src/import/pattern.ts';
import { readNumber } from '../../../src/import/encode.ts';

const RULE = '[[marker]]\ntext = "x"\nkind = "mark_set"\n';

function refusal(toml: string): string {
  try {
    parseMapping(toml, 'm.toml');
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  return 'accepted';
}

test.each(Object.keys(MAPPINGS))('%s is a mapping', (name) => {
  expect(loadMapping(name).events.length + loadMapping(name).markers.length).toBeGreaterThan(0);
});

describe('errors', () => {
  test.each([
    ['a = [', /^m\.toml:1:\d+: .+\.$/],
    ['', /^m\.toml:1:1: it has no \[\[event\]\] and no \[\[marker\]\]\.$/],
    [`igmore = ["x"]\n${RULE}`, /^m\.toml:1:1: there is no "igmore" here; did you mean ignore\?$/],
    ['[[event]]\nkind = "xsk_flush"\n', /^m\.toml:1:1: an event needs a name or a function\.$/],
    ['[[event]]\nname = "x"\n', /^m\.toml:1:1: its kind is missing\.$/],
    [
      `${RULE}\n[[event]]\nname = "x"\n  kind = "xsk_rx_wirte"\n`,
      /^m\.toml:7:3: there is no kind "xsk_rx_wirte"; did you mean xsk_rx_write\?$/,
    ],
    [
      `${RULE}fields = { valeu = "v" }\n`,
      /^m\.toml:4:12: mark_set has no field "valeu"; did you mean value\?$/,
    ],
    [
      `${RULE}[marker.fields]\nvalue = { form = "v" }\n`,
      /^m\.toml:5:11: there is no "form" here; did you mean from\?$/,
    ],
    [`${RULE}fields = { value = { from = "v", value = 1 } }\n`, /^m\.toml:4:12: a field has either "from"/],
    [`${RULE}fields = { value = { from = "v", unit = "µs" } }\n`, /there is no unit "µs"; did you mean ns/],
    [`[umem]\nchunk_size = 3000\n${RULE}`, /^m\.toml:2:1: chunk_size is a power of two/],
    [`[port]\nby = ["device", "que"]\n${RULE}`, /^m\.toml:2:1: "que" names no port; did you mean queue\?$/],
    ['[[marker]]\nkind = "mark_set"\n', /^m\.toml:1:1: a marker needs its text/],
    ['marker = 1\n', /^m\.toml:1:1: marker is a list of tables/],
    [
      `[[marker]]\ntext = '(a+)+b'\nkind = "mark_set"\n`,
      /^m\.toml:2:1: the regular expression can't be used: some text would keep it busy for too long; .* \(its character 5\)\.$/,
    ],
    [`[[marker]]\ntext = 'a(b'\nkind = "mark_set"\n`, /a \( without its \) \(its character 2\)\.$/],
  ])('%j', (toml, message) => {
    expect(refusal(toml)).toMatch(message);
  });

  test('a mapping that is not there', () => {
    expect(() => loadMapping('xsk-marker')).toThrow(/no mapping xsk-marker, .* did you mean xsk-markers\?/);
  });
});

describe('expressions', () => {
  test.each([
    '(a+)+',
    '(a|a)*',
    '(.*)*x',
    '.*.*.*',
    '.*a.*b',
    '(?:\\w+)* ',
    '(?:a{1,1000}){1,9}',
    '(a?){50}a{50}',
  ])('%s could take too long', (source) => {
    expect(() => compilePattern(source)).toThrow(/busy for too long/);
  });

  test.each(['\\1', '(?=a)', '(?<!a)', '[a', 'a)', '(?<n', '\\k<a>', '(?i:a)'])('%s is refused', (source) => {
    expect(() => compilePattern(source)).toThrow();
  });

  test('match from the beginning, with named groups', () => {
    const pattern = compilePattern('(?<device>\\w{1,15}) q:(?<queue>\\d+)');
    expect({ ...matchPattern(pattern, 'ingress q:12 more') }).toEqual({ device: 'ingress', queue: '12' });
    expect(matchPattern(pattern, ' ingress q:12')).toBeNull();
  });

  test('the worst that is allowed is quick', () => {
    const pattern = compilePattern('.{0,255}a.{0,255}b');
    const started = performance.now();
    for (let i = 0; i < 20; i++) expect(matchPattern(pattern, 'a'.repeat(100_000))).toBeNull();
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

test.each([
  ['0x10', 10, 16],
  ['10', 16, 16],
  ['-5', 10, -5],
  ['0xdeadbeefdeadbeef', 10, 0xdeadbeefdeadbeefn],
  ['ffff888101234400', 16, 0xffff888101234400n],
  ['', 10, null],
  ['0x', 10, null],
  ['1f', 10, null],
  ['1'.repeat(21), 10, null],
] as const)('the number %s in base %d', (text, base, number) => {
  expect(readNumber(text, base)).toBe(number);
});

test('places in TOML', () => {
  const toml = 'a = 1\n[[e]]\nk = 1\n[e.port]\n  d = 2\n[[e]]\nk = { x = { y = 3 } }\n';
  expect(locate(toml, ['e', 0, 'k'])).toEqual({ line: 3, column: 1 });
  expect(locate(toml, ['e', 0, 'port', 'd'])).toEqual({ line: 5, column: 3 });
  expect(locate(toml, ['e', 1, 'k', 'x', 'y'])).toEqual({ line: 7, column: 13 });
  expect(locate(toml, ['e', 1, 'nowhere'])).toEqual({ line: 6, column: 1 });
  expect(locate(toml, ['nowhere'])).toEqual({ line: 1, column: 1 });
});
