// Puts the page together: what broke in a line, the picture, and everything else below it.

import type { PageData } from '../model.ts';
import { attachKeys, attachPointer } from './controls.ts';
import { cpuName, Recording } from './data.ts';
import { eventDetails } from './details.ts';
import { button, h, s } from './dom.ts';
import { createHelp } from './help.ts';
import { legend } from './legend.ts';
import { Picture, pictureBox } from './picture.ts';
import { createSearch } from './search.ts';
import { furtherSection, recordingSections, violationList, violationSections } from './sections.ts';
import { formatCount, relationText } from './span.ts';
import { createThemeSwitch } from './theme.ts';

function start(): void {
  const text = document.getElementById('recording')?.textContent ?? 'null';
  const recording = new Recording(JSON.parse(text) as PageData);
  const { page } = recording;
  const root = document.getElementById('report') as HTMLElement;
  const details = h('div', { class: 'inspector', 'aria-label': 'The selected event', role: 'region' });
  const spoken = h('p', { class: 'unseen', 'aria-live': 'polite' });
  const about = h('div', { class: 'about-violation' });
  const further = h('div', { class: 'further' });
  const theme = createThemeSwitch();
  const help = createHelp();

  const picture: Picture = new Picture(recording, {
    onSelect(row) {
      const reference = picture.violation?.severity ?? 'first event';
      if (row < 0) {
        const words = picture.violation
          ? 'The event that broke it is not in this recording. Choose one in the picture to see all of it here.'
          : 'Choose an event in the picture to see all of it here.';
        details.replaceChildren(h('p', { class: 'quiet' }, words));
        return;
      }
      details.replaceChildren(eventDetails(recording, row, picture.zero, reference));
      const { kind, ts, cpu } = recording.event(row);
      spoken.textContent = `${kind.name}, ${kind.meaning}, ${relationText(ts - picture.zero, reference)}, ${cpuName(cpu)}`;
    },
    onChange: () => tools.update(),
  });
  const showEvent = (row: number) => {
    picture.select(row);
    picture.reveal(row);
    picture.element.scrollIntoView({ block: 'nearest' });
  };
  const showViolation = (index: number) => {
    const last = page.violations.length - 1;
    const wanted = Math.min(Math.max(index, 0), Math.max(0, last));
    picture.showViolation(wanted);
    about.replaceChildren(...violationSections(recording, wanted, showEvent));
    about.classList.toggle('pictured', about.querySelector('#states') !== null);
    further.replaceChildren(...furtherSection(recording, wanted));
    headline.replaceChildren(...headlineOf(recording, wanted, showViolation));
  };
  const headline = h('div', { class: 'headline' });
  const search = createSearch(picture);
  const tools = toolbar(picture, search.element, () => help.open());
  const tip = attachPointer(picture, showViolation);
  attachKeys(picture, {
    search: () => search.focus(),
    help: () => help.open(),
    theme: () => theme.next(),
    violation: (by) => showViolation(picture.violationIndex + by),
    escape: () => search.clear(),
  });

  root.append(
    h('header', {}, brand(), headline, theme.element),
    ...page.facts.troubles.map((trouble) => h('p', { class: 'trouble', role: 'alert' }, trouble)),
    h(
      'section',
      { class: 'card', 'aria-label': 'Picture' },
      tools.element,
      page.rows.length === 0 && page.gaps.length === 0
        ? h('p', { class: 'nothing' }, 'There is no event to draw.')
        : pictureBox(picture),
      legend(recording),
      details,
      spoken,
    ),
    about,
    ...[
      violationList(recording, (index) => {
        showViolation(index);
        scrollTo({ top: 0 });
      }),
    ].filter((list) => list !== null),
    ...recordingSections(recording, further),
    help.element,
    tip,
  );
  showViolation(0);
  if (page.violations.length === 0) picture.select(-1);
  picture.drawNow();
  new ResizeObserver(() => picture.draw()).observe(picture.element.parentElement ?? root);
  addEventListener('beforeprint', () => {
    for (const folded of root.querySelectorAll('details')) folded.open = true;
    picture.drawNow(true);
  });
  addEventListener('afterprint', () => picture.drawNow());
  // For whoever measures: the first picture is in the next frame.
  requestAnimationFrame(() => {
    document.documentElement.dataset['painted'] = String(Math.round(performance.now()));
  });
}

function brand(): HTMLElement {
  return h(
    'p',
    { class: 'brand' },
    s(
      'svg',
      { viewBox: '0 0 24 24', 'aria-hidden': 'true' },
      s('circle', {
        cx: 12,
        cy: 12,
        r: 8.5,
        pathLength: 100,
        'stroke-dasharray': '78 22',
        transform: 'rotate(-60 12 12)',
      }),
      s('circle', { class: 'dot', cx: 16.8, cy: 5, r: 2.6 }),
    ),
    'flightring',
  );
}

function headlineOf({ page }: Recording, index: number, onViolation: (index: number) => void): Node[] {
  const { violations, file, kernel } = page;
  const violation = violations[index];
  const where = h('p', { class: 'quiet' }, `${file} · Linux ${kernel.release}`);
  if (!violation)
    return [
      h(
        'h1',
        {},
        page.facts.troubles.length > 0
          ? 'No violation in what could be read'
          : 'No violation in this recording',
      ),
      where,
    ];
  const verb = violation.severity === 'violation' ? 'is violated' : 'warns';
  const title = h(
    'h1',
    {},
    h(
      'span',
      { class: `badge ${violation.severity}`, 'aria-hidden': 'true' },
      violation.severity === 'violation' ? '✕' : '!',
    ),
    h('span', { class: 'name' }, violation.invariant),
    ` ${verb}`,
  );
  if (violations.length < 2) return [title, where];
  const choice = h(
    'select',
    { 'aria-label': 'Violation' },
    ...violations.map((one, i) =>
      h(
        'option',
        { value: i, selected: i === index },
        `${i + 1} of ${violations.length}: ${one.invariant}, ${one.object}`,
      ),
    ),
  );
  choice.addEventListener('change', () => onViolation(Number(choice.value)));
  return [title, h('div', { class: 'choice' }, choice, where)];
}

function toolbar(
  picture: Picture,
  search: HTMLElement,
  help: () => void,
): { element: HTMLElement; update(): void } {
  const story = button('by events', 'Spaced by the events that matter (s)', () => picture.setScale('story'));
  const time = button('by time', 'Spaced by time (s)', () => picture.setScale('time'));
  const lanes = button(
    '',
    'All lanes, or those that matter (l)',
    () => picture.showAllLanes(!picture.allLanes),
    { class: 'lanes' },
  );
  const element = h(
    'div',
    { class: 'tools', role: 'toolbar', 'aria-label': 'The picture' },
    search,
    h('div', { class: 'group', role: 'group', 'aria-label': 'Spacing' }, story, time),
    h(
      'div',
      { class: 'group', role: 'group', 'aria-label': 'Zoom' },
      button('−', 'Zoom out (-)', () => picture.zoom(1 / 1.5)),
      button('+', 'Zoom in (+)', () => picture.zoom(1.5)),
      button('reset', 'The first view again (0)', () => picture.reset()),
      button('all', 'The whole recording (a)', () => picture.lookAtAll()),
    ),
    picture.violation &&
      button('✕ violation', 'To the violation (v)', () => picture.jumpToViolation(), {
        class: 'to-violation',
      }),
    lanes,
    button('?', 'Keys and signs (?)', help, { class: 'ask' }),
  );
  const update = () => {
    story.setAttribute('aria-pressed', String(picture.scaleName === 'story'));
    time.setAttribute('aria-pressed', String(picture.scaleName === 'time'));
    story.disabled = !picture.hasStory;
    lanes.hidden = picture.hiddenLanes === 0 && !picture.allLanes;
    lanes.textContent = picture.allLanes ? 'fewer lanes' : `${formatCount(picture.hiddenLanes)} more lanes`;
  };
  update();
  return { element, update };
}

start();
