// The report in a real browser: what is seen first, every way to move in it, paper, colours, hostile names, a million events.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundlePage } from '../../scripts/bundle.ts';
import { writeLargeRecording } from '../large-recording.ts';
import { pageFolder } from '../unit/page/pages.ts';
import { META, T0, VIOLATION } from '../unit/report/story.ts';
import { openReport, SHOTS, startBrowser } from './browser.ts';

const GOLDEN = 'recordings/double-fill.parquet';

let browser: Browser;

beforeAll(async () => {
  await bundlePage();
  browser = await startBrowser();
});

afterAll(() => browser.close());

/** The offsets on the axis, which tell what is in sight. */
async function ticks(page: Page): Promise<string[]> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return page.locator('.picture .tick').allTextContents();
}

/** Pixels of an image that differ from its first one, 0 to 1. */
async function inkOf(page: Page, png: Buffer): Promise<number> {
  const sheet = await page.context().browser()?.newPage();
  if (!sheet) throw new Error('the browser is gone');
  const share = await sheet.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const paint = canvas.getContext('2d');
    if (!paint) throw new Error('no canvas');
    paint.drawImage(image, 0, 0);
    const pixels = new Uint32Array(paint.getImageData(0, 0, image.width, image.height).data.buffer);
    let ink = 0;
    for (const pixel of pixels) if (pixel !== pixels[0]) ink++;
    return ink / pixels.length;
  }, png.toString('base64'));
  await sheet.close();
  return share;
}

describe('a frame that was put into FILL twice', () => {
  test.each(['light', 'dark'] as const)('is seen at once, %s', async (colorScheme) => {
    await using report = await openReport(browser, GOLDEN, { colorScheme });
    const { page } = report;
    expect(await page.locator('h1').textContent()).toContain('xsk.double-enqueue is violated');
    const labels = await page.locator('.picture .label').allTextContents();
    expect(labels.slice(0, 7)).toEqual([
      'FILL ring',
      'kernel, receiving',
      'RX ring',
      'application',
      'TX ring',
      'kernel, sending',
      'COMP ring',
    ]);
    expect(labels).toEqual(expect.arrayContaining(['CPU 0', 'CPU 1', 'CPU 2', 'xsk-forwarder-180']));
    expect(await page.locator('.picture .evidence').count()).toBe(2);
    expect(await page.locator('.picture .arrow').count()).toBe(1);
    expect(await page.locator('.picture .violation-line').count()).toBe(1);
    const box = await page.locator('.picture .evidence.bad').boundingBox();
    expect(box && box.x > 300 && box.x < 1380 && box.y < 900).toBe(true);
    expect(await page.locator('.sentence').textContent()).toContain('is in the FILL ring of outer q0');
    expect(await page.locator('.diagram .move.bad').count()).toBe(1);
    const shot = await page.screenshot({
      path: join(SHOTS, `double-fill-${colorScheme}.png`),
      fullPage: true,
    });
    expect(await inkOf(page, shot)).toBeGreaterThan(0.03);
    expect(report.complaints).toEqual([]);
    expect(report.requests).toEqual([]);
  });

  test('zooms by wheel, keys and buttons, and moves by drag and arrows', async () => {
    await using report = await openReport(browser, GOLDEN);
    const { page } = report;
    const first = await ticks(page);
    await page.mouse.move(800, 300);
    await page.mouse.wheel(0, -400);
    const wheeled = await ticks(page);
    expect(wheeled).not.toEqual(first);
    await page.keyboard.press('0');
    expect(await ticks(page)).toEqual(first);
    await page.getByRole('button', { name: 'Zoom in (+)' }).click();
    const near = await ticks(page);
    expect(near.length).toBeLessThan(first.length);
    await page.keyboard.press('-');
    expect(await ticks(page)).toEqual(first);
    await page.mouse.move(700, 330);
    await page.mouse.down();
    await page.mouse.move(500, 330, { steps: 5 });
    await page.mouse.up();
    const dragged = await ticks(page);
    expect(dragged).not.toEqual(first);
    await page.keyboard.press('0');
    await page.locator('.picture').focus();
    await page.keyboard.press('ArrowUp');
    const close = await ticks(page);
    await page.keyboard.press('ArrowLeft');
    expect(await ticks(page)).not.toEqual(close);
    await page.keyboard.press('ArrowRight');
    expect(await ticks(page)).toEqual(close);
    await page.keyboard.press('s');
    expect(await page.getByRole('button', { name: 'Spaced by time (s)' }).getAttribute('aria-pressed')).toBe(
      'true',
    );
    expect(await ticks(page)).not.toEqual(first);
    await page.screenshot({ path: join(SHOTS, 'double-fill-by-time.png') });
    await page.keyboard.press('a');
    await page.keyboard.press('v');
    expect(await page.locator('.picture .violation-line').count()).toBe(1);
    expect(report.complaints).toEqual([]);
  });

  test('two fingers pinch', async () => {
    await using report = await openReport(browser, GOLDEN, { hasTouch: true });
    const { page } = report;
    const first = await ticks(page);
    await page.locator('.picture').evaluate((picture) => {
      const { left, top } = picture.getBoundingClientRect();
      const send = (type: string, pointerId: number, x: number) =>
        picture.dispatchEvent(
          new PointerEvent(type, {
            pointerId,
            pointerType: 'touch',
            clientX: left + x,
            clientY: top + 150,
            bubbles: true,
            button: 0,
          }),
        );
      // A pointer made up by a script can't be captured.
      Object.assign(picture, { setPointerCapture() {}, hasPointerCapture: () => true });
      send('pointerdown', 1, 500);
      send('pointerdown', 2, 700);
      for (let i = 1; i <= 10; i++) {
        send('pointermove', 1, 500 - 15 * i);
        send('pointermove', 2, 700 + 15 * i);
      }
      send('pointerup', 1, 350);
      send('pointerup', 2, 850);
    });
    const pinched = await ticks(page);
    expect(pinched.length).toBeLessThan(first.length);
  });

  test('says all of an event to the pointer and to the keyboard', async () => {
    await using report = await openReport(browser, GOLDEN);
    const { page } = report;
    await page.locator('.picture .evidence circle').first().hover();
    const tip = page.locator('.tip');
    await tip.waitFor({ state: 'visible' });
    const text = (await tip.textContent()) ?? '';
    for (const words of [
      'xsk_fill_submit',
      '9.70 µs before the violation',
      'CPU 2',
      'xsk-forwarder, 180',
      'position378',
      'addr0xba000',
      'queue:2 (outer q0 netns 4098)',
    ])
      expect(text).toContain(words);
    await page.locator('.picture').focus();
    await page.keyboard.press('Tab');
    const focused = page.locator('.picture .evidence:focus');
    expect(await focused.getAttribute('aria-label')).toMatch(
      /^Event 1 of 2 behind the violation: xsk_fill_submit, /,
    );
    expect(await page.locator('.inspector').textContent()).toContain('position378');
    expect(await page.locator('[aria-live]').textContent()).toContain('9.70 µs before');
    await page.keyboard.press('n');
    expect(await page.locator('.inspector').textContent()).not.toContain('position378');
    await page.keyboard.press('p');
    expect(await page.locator('.inspector').textContent()).toContain('position378');
  });

  test('an object is searched for, and its events are gone through', async () => {
    await using report = await openReport(browser, GOLDEN);
    const { page } = report;
    await page.keyboard.press('/');
    await page.keyboard.type('frame 0xba000');
    await page.keyboard.press('Enter');
    expect(Number(await page.locator('.found').textContent())).toBeGreaterThan(3);
    expect(await page.locator('.inspector').textContent()).toContain('0xba000');
    expect(await page.locator('.picture .mark.hit').count()).toBeGreaterThan(0);
    expect(await page.locator('.picture .mark.dim').count()).toBeGreaterThan(0);
    await page.getByRole('searchbox').fill('no such thing');
    await page.getByText('none', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    expect(await page.locator('.picture .mark.dim').count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.classList.contains('picture'))).toBe(true);
  });

  test('the other violation is chosen, and keys are explained', async () => {
    await using report = await openReport(browser, GOLDEN);
    const { page } = report;
    await page.getByRole('combobox', { name: 'Violation' }).selectOption({ index: 1 });
    expect(await page.locator('h1').textContent()).toContain('xsk.ownership');
    expect(await page.locator('.sentence').textContent()).toContain('went from FILL to FILL');
    await page.keyboard.press('Escape');
    await page.locator('h1').click();
    await page.keyboard.press('[');
    expect(await page.locator('h1').textContent()).toContain('xsk.double-enqueue');
    await page.keyboard.press('?');
    const help = page.getByRole('dialog');
    expect(await help.isVisible()).toBe(true);
    await page.screenshot({ path: join(SHOTS, 'help.png') });
    await page.keyboard.press('Escape');
    expect(await help.isVisible()).toBe(false);
  });

  test('colours change at a key, and stay readable', async () => {
    await using report = await openReport(browser, GOLDEN, { colorScheme: 'light' });
    const { page } = report;
    const colour = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await colour();
    await page.keyboard.press('t');
    expect(await colour()).not.toBe(light);
    await page.getByRole('button', { name: /^Colours:/ }).click();
    expect(await colour()).toBe(light);
    for (const theme of ['light', 'dark']) {
      await page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme);
      expect(await poorContrasts(page)).toEqual([]);
    }
  });

  test('on paper there are the picture and the tables, in black on white, and no controls', async () => {
    await using report = await openReport(browser, GOLDEN, { colorScheme: 'dark' });
    const { page } = report;
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    for (const hidden of ['.tools', '.theme', '.inspector', '.choice select'])
      expect(await page.locator(hidden).first().isVisible(), hidden).toBe(false);
    for (const seen of ['.picture', '.sentence', '.diagram', '.evidence-table', '#coverage table'])
      expect(await page.locator(seen).first().isVisible(), seen).toBe(true);
    expect(await page.evaluate(() => getComputedStyle(document.body).color)).toBe('rgb(23, 32, 44)');
    const paper = await page.pdf({
      path: join(SHOTS, 'double-fill.pdf'),
      preferCSSPageSize: true,
      printBackground: false,
    });
    expect(paper.length).toBeGreaterThan(20_000);
    await page.screenshot({ path: join(SHOTS, 'double-fill-print.png'), fullPage: true });
  });

  test.each([360, 768])('nothing is cut off at a width of %i', async (width) => {
    await using report = await openReport(browser, GOLDEN, { viewport: { width, height: 800 } });
    const { page } = report;
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.screenshot({ path: join(SHOTS, `double-fill-${width}.png`), fullPage: true });
  });
});

/** Texts whose contrast with what lies behind them is below WCAG's 4.5. */
async function poorContrasts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const parse = (text: string) => (text.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (rgb: number[]) => {
      const [r = 0, g = 0, b = 0] = rgb.map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element: Element | null): number[] => {
      if (!element) return [255, 255, 255];
      const colour = parse(getComputedStyle(element).backgroundColor);
      return (colour[3] ?? 1) === 0 ? behind(element.parentElement) : colour.slice(0, 3);
    };
    const poor: string[] = [];
    for (const element of document.querySelectorAll(
      'h1, h2, p, dt, dd, th, td, li, button, code, summary, pre, .tick, .label, .title, .about',
    )) {
      if (!(element.textContent ?? '').trim() || !element.checkVisibility()) continue;
      if (element instanceof HTMLButtonElement && element.disabled) continue;
      const style = getComputedStyle(element);
      const text = parse(element instanceof SVGElement ? style.fill : style.color).slice(0, 3);
      const [a = 0, b = 0] = [luminance(text), luminance(behind(element))].sort((x, y) => y - x);
      if ((a + 0.05) / (b + 0.05) < 4.5)
        poor.push(`${element.tagName} ${element.className} ${element.textContent?.slice(0, 30)}`);
    }
    return poor;
  });
}

test('gaps are drawn as gaps and explained', async () => {
  using folder = pageFolder();
  await using report = await openReport(browser, folder.story());
  const { page } = report;
  await page.keyboard.press('a');
  expect(await page.locator('.picture .gap').count()).toBe(1);
  await page.locator('.picture .gap').hover();
  expect(await page.locator('.tip').textContent()).toContain('1234 events lost on CPU 1');
  expect(await page.locator('#window').textContent()).toContain(
    '1234 events overwritten before they were read',
  );
  await page.screenshot({ path: join(SHOTS, 'gap.png') });
});

test('names that are markup stay names', async () => {
  using folder = pageFolder();
  await using report = await openReport(browser, folder.hostile());
  const { page } = report;
  for (const mark of await page.locator('.picture .evidence > :first-child').all()) await mark.hover();
  await page.keyboard.press('/');
  await page.keyboard.type('<img');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => (window as { pwned?: number }).pwned)).toBeUndefined();
  expect(await page.locator('img, iframe, object').count()).toBe(0);
  expect(await page.locator('script').count()).toBe(2);
  expect(await page.locator('.sentence').textContent()).toContain('</script><script>window.pwned=1</script>');
  expect(await page.locator('.picture .label').allTextContents()).toContainEqual(
    expect.stringContaining('<img onerror=x>'),
  );
  expect(report.complaints).toEqual([]);
  expect(report.requests).toEqual([]);
});

test('words of any length stay within the page, and names are not changed', async () => {
  using folder = pageFolder();
  const long = 'x'.repeat(10_000);
  const file = folder.write('long', {
    notes: [long],
    threads: [{ tid: 4711, ts: 0, comm: long }],
    kernel: { ...META.kernel, release: long },
    violations: [{ ...VIOLATION, sentence: `eth0 ${long}`, object: long }],
  });
  await using report = await openReport(browser, file);
  const width = await report.page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(1400);
  expect(await report.page.locator('.sentence').textContent()).toMatch(/^eth0 x/);
});

test('the policy stops a script that somebody adds', async () => {
  await using report = await openReport(browser, GOLDEN);
  await report.page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.pwned = 1';
    document.body.append(script);
  });
  expect(await report.page.evaluate(() => (window as { pwned?: number }).pwned)).toBeUndefined();
  expect(report.complaints.join()).toContain('Content Security Policy');
});

test.each([
  ['no violation', { violations: [] }, undefined, 'No violation in this recording'],
  ['no event', { violations: [] }, [], 'The recording holds no event at all.'],
])('a recording with %s still is a report', async (name, changes, events, words) => {
  using folder = pageFolder();
  await using report = await openReport(browser, folder.write(name.replace(' ', '-'), changes, events));
  expect(await report.page.locator('main').textContent()).toContain(words);
  expect(report.complaints).toEqual([]);
});

test('where only gaps are left they are drawn, though their CPU has no event', async () => {
  using folder = pageFolder();
  const gap = { kind: 'gap', ts: T0, cpu: 1, lost: 99, reason: 1, until: T0 + 1_000_000 };
  const file = folder.write('only-gaps', { violations: [], freeze: null }, [gap]);
  await using report = await openReport(browser, file);
  const { page } = report;
  const box = await page.locator('.picture .gap').boundingBox();
  expect(box?.width).toBeGreaterThan(300);
  await page.locator('.picture .gap').hover();
  expect(await page.locator('.tip').textContent()).toContain('99 events lost on CPU 1');
  expect(report.complaints).toEqual([]);
});

test('the sign of the violation that is shown lies on top of those beside it', async () => {
  using folder = pageFolder();
  const near = { ...VIOLATION.at, ts: VIOLATION.at.ts + 1 };
  const file = folder.write('near', {
    violations: [VIOLATION, { ...VIOLATION, at: near, evidence: [near] }],
  });
  await using report = await openReport(browser, file);
  const signs = report.page.locator('.picture .stop.own, .picture .stop.other');
  expect(await signs.count()).toBe(2);
  expect(await signs.last().getAttribute('class')).toContain('own');
});

test('the event shown is that of the violation chosen, or none if it is not in the recording', async () => {
  using folder = pageFolder();
  const before = { cpu: 0, seq: 99_999, ts: T0 - 5000, kind: 'xsk_rx_write' };
  const lost = { ...VIOLATION, at: before, evidence: [before] };
  const file = folder.write('out-of-window', { violations: [VIOLATION, lost], outOfWindow: [lost] });
  await using report = await openReport(browser, file);
  const { page } = report;
  expect(await page.locator('.inspector').textContent()).toContain('xsk_rx_write');
  await page.keyboard.press(']');
  expect(await page.locator('.inspector').textContent()).toBe(
    'The event that broke it is not in this recording. Choose one in the picture to see all of it here.',
  );
  await page.keyboard.press('[');
  expect(await page.locator('.inspector').textContent()).toContain('xsk_rx_write');
  expect(report.complaints).toEqual([]);
});

test('a report of a million events opens within two seconds', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flightring-million-'));
  try {
    const file = join(folder, 'million.parquet');
    writeLargeRecording(file, 1_000_000);
    await using report = await openReport(browser, file);
    const { page } = report;
    expect(report.painted).toBeLessThan(2000);
    expect(await page.locator('#embedded').textContent()).toMatch(
      /of 1 000 000 events and records of the recording; 99\d \d{3} are left out/,
    );
    expect(await page.locator('.picture .evidence.bad').count()).toBe(1);
    await page.keyboard.press('s');
    await page.keyboard.press('a');
    await ticks(page);
    expect(await page.locator('.picture .density').count()).toBeGreaterThan(1);
    const shot = await page.screenshot({ path: join(SHOTS, 'million.png') });
    expect(await inkOf(page, shot)).toBeGreaterThan(0.03);
    expect(report.complaints).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
