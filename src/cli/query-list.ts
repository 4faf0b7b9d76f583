// What `query --list` prints: the ready-made questions, and the columns of every view.

import { VIEWS } from '../query/views.ts';
import { QUESTIONS } from '../query/questions/index.ts';
import type { Palette } from '../report/palette.ts';

const WIDTH = 110;

export function* questionLines(palette: Palette): Generator<string> {
  yield palette.head('Ready-made questions, for --ask:');
  const width = Math.max(...QUESTIONS.map(({ name }) => name.length));
  for (const { name, purpose, parameters } of QUESTIONS) {
    yield `  ${palette.bold(name.padEnd(width))}  ${purpose}`;
    for (const [parameter, { purpose: meaning, fallback }] of Object.entries(parameters))
      yield `  ${' '.repeat(width)}    --set ${parameter}=…  ${meaning}${fallback === null ? '' : ` (default ${fallback})`}`;
  }
  yield '';
  yield palette.head('Views and tables, and their columns:');
  for (const { name, says, columns } of VIEWS) {
    yield `  ${palette.bold(name)}: ${says}`;
    yield* wrap(columns, WIDTH - 6).map((line) => `      ${line}`);
  }
}

function wrap(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
