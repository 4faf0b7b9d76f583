// A shrunk recording as a test case, to be put into test/unit/invariants.

import { NO_OBJECT, type ObjectEntry } from '../model/objects.ts';
import { CLOCK_ERROR_NS } from '../model/recording.ts';
import type { EventRef } from '../model/violation.ts';
import { eventMembers } from './event-spec.ts';
import {
  callStatement,
  constStatement,
  listStatement,
  type Members,
  objectLiteral,
  quoteText,
} from './literals.ts';
import { viewsOf } from './result.ts';
import { isSameEvent } from './same.ts';
import type { Shrunk } from './shrink.ts';

/** The source of a test that builds the events and objects anew and expects the violation, word for word. */
export function fixtureText({ invariant, violation, meta, batch }: Shrunk): string {
  const { name } = invariant;
  // Without it the checker takes that of a recorder.
  const { errorNs } = meta.clocks;
  const clockError = errorNs === CLOCK_ERROR_NS ? '' : `, ${errorNs}`;
  const from = quoteText(meta.shrunk?.from ?? '').slice(1, -1);
  const events: string[] = [];
  const places: Place[] = [];
  const nextSeq = new Map<number, number>();
  for (const event of viewsOf(batch)) {
    events.push(objectLiteral(eventMembers(event), '  '));
    // Tests number the events of each CPU from 1.
    const seq = nextSeq.get(event.cpu) ?? 1;
    nextSeq.set(event.cpu, seq + event.slots);
    places.push({ ref: event.ref(), text: `${event.cpu}:${seq} ${event.kind}` });
  }
  const evidence = violation.evidence.map((ref) => quoteText(textOf(ref, places)));
  return [
    `// ${name}: what it takes, shrunk from ${from}.`,
    '',
    `import { expect, it } from 'vitest';`,
    `import { Checker } from '../../../src/check/checker.ts';`,
    `import invariant from '../../../src/invariants/${name.replace('.', '/')}.ts';`,
    `import { createObjectTable } from '../../../src/report/objects.ts';`,
    `import { buildBatch, type EventSpec${meta.objects.length > 0 ? ', objectEntry' : ''} } from '../batch.ts';`,
    `import { evidenceOf } from '../invariants/setup.ts';`,
    '',
    ...listLines('const OBJECTS', meta.objects.map(objectText)),
    '',
    ...listLines('const EVENTS: readonly EventSpec[]', events),
    '',
    ...constStatement('OBJECT', quoteText(violation.object)),
    '',
    `it(${quoteText(`tells of it as in ${meta.shrunk?.from ?? 'the recording'}`)}, () => {`,
    `  const checker = new Checker([invariant], createObjectTable(OBJECTS)${clockError});`,
    '  checker.check(buildBatch(EVENTS));',
    `  const found = checker.violations.find(({ at, object }) => at.ts === ${violation.at.ts} && object === OBJECT);`,
    ...callStatement('expect(found?.sentence).toBe', quoteText(violation.sentence), '  '),
    ...listStatement('expect(evidenceOf(found)).toEqual', evidence, '  '),
    '});',
    '',
  ].join('\n');
}

interface Place {
  readonly ref: EventRef;
  readonly text: string;
}

function textOf(ref: EventRef, places: readonly Place[]): string {
  return places.find((place) => isSameEvent(place.ref, ref))?.text ?? '';
}

function listLines(head: string, items: readonly string[]): string[] {
  if (items.length === 0) return [`${head} = [];`];
  return [`${head} = [`, ...items.map((item) => `  ${item},`), '];'];
}

function objectText(entry: ObjectEntry): string {
  const call = `objectEntry(${entry.index}, `;
  return `${call}${objectLiteral(objectMembers(entry), '  ', call.length + 2)})`;
}

/** What differs from what tests fill in. */
function objectMembers(entry: ObjectEntry): Members {
  const { index: _, type, umem, parent, netns, comm, name, ...numbers } = entry;
  const ownUmem = type === 'umem' ? entry.index : NO_OBJECT;
  return [
    ['type', quoteText(type)],
    ...member('umem', umem !== ownUmem, String(umem)),
    ...member('parent', parent !== NO_OBJECT, String(parent)),
    ...member('netns', netns !== 0n, `${netns}n`),
    ...member('comm', comm !== '', quoteText(comm)),
    ...member('name', name !== '', quoteText(name)),
    ...Object.entries(numbers).flatMap(([key, value]) => member(key, value !== 0, String(value))),
  ];
}

function member(name: string, isTold: boolean, text: string): Members {
  return isTold ? [[name, text]] : [];
}
