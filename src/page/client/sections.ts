// Everything under the picture: the sentence, the evidence, what the recording says of itself, and what is not in this file.

import type { PageViolation, Table } from '../model.ts';
import { cpuName, type Recording } from './data.ts';
import { definitions, secondsText, threadText } from './details.ts';
import { drawDiagram } from './diagram.ts';
import { button, type Child, h } from './dom.ts';
import { formatCount, offsetText, relationText } from './span.ts';

export function violationSections(
  recording: Recording,
  index: number,
  onEvent: (row: number) => void,
): HTMLElement[] {
  const violation = recording.page.violations[index];
  if (!violation) return [];
  const diagram = drawDiagram(violation);
  return [
    section(
      'what',
      violation.severity === 'violation' ? 'What broke' : 'What it warns of',
      h(
        'p',
        { class: 'sentence' },
        violation.sentence.endsWith('.') ? violation.sentence : `${violation.sentence}.`,
      ),
      violation.orderDependent &&
        h(
          'p',
          { class: 'caution' },
          'In the order recorded: the two events lie closer together than the clock can order.',
        ),
      violation.outOfWindow &&
        h(
          'p',
          { class: 'caution' },
          'Its history lies before the window: a replay of this recording can’t find it.',
        ),
      definitions([
        ['invariant', violation.invariant],
        ...(violation.claim ? ([['claims that', violation.claim]] as const) : []),
        ...(violation.source ? ([['by', violation.source]] as const) : []),
        ['object', violation.object],
        ['when', `${secondsText(recording.page.base + violation.at.ts)} s, ${cpuName(violation.at.cpu)}`],
      ]),
    ),
    ...(diagram ? [section('states', 'States and legal moves', diagram)] : []),
    section('evidence', 'The events behind it', evidenceTable(recording, violation, onEvent)),
  ];
}

function evidenceTable(
  recording: Recording,
  { evidence, at }: PageViolation,
  onEvent: (row: number) => void,
): HTMLElement {
  const rows = evidence.map((one, i) => {
    const event = one.row >= 0 ? recording.event(one.row) : undefined;
    const last = i === evidence.length - 1;
    const number = h('span', { class: last ? 'number bad' : 'number' }, last ? '✕' : String(i + 1));
    return h(
      'tr',
      { class: last ? 'offending' : null },
      h('td', {}, number),
      h('td', { class: 'right' }, offsetText(one.ts - at.ts)),
      h('td', {}, cpuName(one.cpu)),
      h('td', {}, event ? threadText(event) : '–'),
      h('td', {}, h('code', {}, one.kind), h('br'), h('span', { class: 'quiet' }, one.meaning)),
      h(
        'td',
        { class: 'fields' },
        ...(event
          ? event.fields.map(([name, text]) => h('span', {}, h('i', {}, name), ` ${text}`))
          : [h('span', {}, 'not in this recording: it lies before the window')]),
      ),
      h(
        'td',
        { class: 'no-print' },
        one.row >= 0 &&
          button('show', `Show event ${i + 1} in the picture`, () => onEvent(one.row), { class: 'small' }),
      ),
    );
  });
  return scrolled(
    'The events behind the violation',
    h(
      'table',
      { class: 'evidence-table' },
      h(
        'caption',
        { class: 'unseen' },
        'The events behind the violation, oldest first; the last one broke it',
      ),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...['', 'time', 'CPU', 'thread', 'event', 'fields'].map((name) => h('th', { scope: 'col' }, name)),
          h('th', { class: 'no-print' }, h('span', { class: 'unseen' }, 'in the picture')),
        ),
      ),
      h('tbody', {}, ...rows),
    ),
  );
}

export function violationList(
  recording: Recording,
  onViolation: (index: number) => void,
): HTMLElement | null {
  const { violations, violationsLeftOut } = recording.page;
  if (violations.length < 2) return null;
  const zero = violations[0]?.at.ts ?? 0;
  return section(
    'violations',
    `All ${formatCount(violations.length + violationsLeftOut)} violations and warnings`,
    h(
      'ol',
      { class: 'violations' },
      ...violations.map((violation, i) =>
        h(
          'li',
          {},
          button(violation.invariant, `Show ${violation.invariant}, number ${i + 1}`, () => onViolation(i), {
            class: violation.severity === 'violation' ? 'link bad' : 'link warn',
          }),
          h('span', { class: 'quiet' }, ` ${relationText(violation.at.ts - zero, 'first')} · `),
          violation.sentence,
        ),
      ),
    ),
    violationsLeftOut > 0 &&
      h('p', { class: 'quiet' }, `${formatCount(violationsLeftOut)} more are not in this file.`),
  );
}

/** The commands that lead on from a violation. */
export function furtherSection({ page }: Recording, index: number): HTMLElement[] {
  const violation = page.violations[index];
  return violation ? [section('next', 'Look further', h('pre', {}, violation.commands.join('\n')))] : [];
}

/** `further` is for `furtherSection`. */
export function recordingSections(recording: Recording, further: HTMLElement): HTMLElement[] {
  const { facts, embedded } = recording.page;
  const { losses, notes } = facts;
  return [
    section(
      'window',
      'Window, losses and gaps',
      ...facts.freeze.map((line) => h('p', {}, `${line.charAt(0).toUpperCase()}${line.slice(1)}.`)),
      losses.length === 0
        ? h('p', {}, 'Nothing was lost.')
        : h('ul', { class: 'losses' }, ...losses.map((line) => h('li', {}, line))),
      facts.window.rows.length > 0 && tableOf('What each ring held', facts.window),
    ),
    section('kernel', 'Kernel and recording', definitions(facts.summary)),
    section(
      'coverage',
      'Coverage',
      h('p', {}, facts.coverageSummary),
      facts.coverage.rows.length > 0 && folded('All probes', tableOf('Probes', facts.coverage)),
      facts.invariants.rows.length > 0 &&
        folded('What was checked live', tableOf('Invariants that ran live', facts.invariants)),
    ),
    section(
      'costs',
      'What recording cost',
      facts.costs.length > 0
        ? h('pre', {}, facts.costs.join('\n'))
        : h('p', { class: 'quiet' }, 'The recording does not say.'),
    ),
    ...(notes.length > 0
      ? [section('notes', 'Notes', h('ul', {}, ...notes.map((note) => h('li', {}, note))))]
      : []),
    leftOutSection(recording),
    further,
    h('p', { class: 'quiet end' }, embedded.of > 0 ? 'End of the report.' : ''),
  ];
}

function leftOutSection({ page: { embedded, gapsLeftOut } }: Recording): HTMLElement {
  const missing = embedded.of - embedded.events;
  return section(
    'embedded',
    'What this file holds',
    h(
      'p',
      {},
      missing === 0
        ? `All ${formatCount(embedded.of)} events and records of the recording.`
        : `${formatCount(embedded.events)} of ${formatCount(embedded.of)} events and records of the recording; ${formatCount(missing)} are left out. Embedded are:`,
    ),
    missing > 0 && h('ul', {}, ...embedded.rules.map((rule) => h('li', {}, rule))),
    embedded.leftOut.length > 0 && h('p', {}, 'Also left out:'),
    embedded.leftOut.length > 0 && h('ul', {}, ...embedded.leftOut.map((line) => h('li', {}, line))),
    gapsLeftOut > 0 && h('p', {}, `${formatCount(gapsLeftOut)} more gaps.`),
    embedded.kinds.length > 0 &&
      folded(
        'By kind of event',
        tableOf('Events by kind', {
          head: ['kind', 'in the recording', 'here', 'left out'],
          rows: embedded.kinds.map(({ kind, total, here }) => [
            kind,
            formatCount(total),
            formatCount(here),
            formatCount(total - here),
          ]),
          right: [1, 2, 3],
        }),
        missing > 0,
      ),
  );
}

function section(id: string, title: string, ...children: Child[]): HTMLElement {
  return h(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    h('h2', { id: `${id}-title` }, title),
    ...children,
  );
}

function folded(title: string, content: HTMLElement, open = false): HTMLElement {
  return h('details', { open }, h('summary', {}, title), content);
}

function tableOf(caption: string, { head, rows, right }: Table): HTMLElement {
  const cell = (column: number) => (right.includes(column) ? { class: 'right' } : {});
  return scrolled(
    caption,
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, caption),
      h('thead', {}, h('tr', {}, ...head.map((name, i) => h('th', { scope: 'col', ...cell(i) }, name)))),
      h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((text, i) => h('td', cell(i), text))))),
    ),
  );
}

/** A wide table moves in its own box, by keyboard as well. */
function scrolled(label: string, table: HTMLElement): HTMLElement {
  return h('div', { class: 'scrolled', tabindex: 0, role: 'region', 'aria-label': label }, table);
}
