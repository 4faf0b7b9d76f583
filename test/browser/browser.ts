// A real Chromium without a window, reports made from recordings, and what the pages tried and said.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { writeReport } from '../../src/page/write-report.ts';

export const SHOTS = join('build', 'reports');

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export async function startBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? CHROMIUM.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('these tests need Chromium: apt-get install chromium');
  mkdirSync(SHOTS, { recursive: true });
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

export interface OpenedReport {
  readonly page: Page;
  /** Addresses asked for besides the file itself. */
  readonly requests: string[];
  /** Errors, refusals by the policy, and whatever else went to the console. */
  readonly complaints: string[];
  /** From navigation to the first picture, ms. */
  readonly painted: number;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openReport(
  browser: Browser,
  recording: string,
  options: BrowserContextOptions = {},
): Promise<OpenedReport> {
  const folder = mkdtempSync(join(tmpdir(), 'flightring-report-'));
  const { path } = await writeReport(recording, join(folder, 'report.html'));
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const page = await context.newPage();
  const url = pathToFileURL(path).href;
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => {
    if (request.url() !== url) requests.push(request.url());
  });
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  const painted = await page.waitForFunction(() => document.documentElement.dataset['painted']);
  return {
    page,
    requests,
    complaints,
    painted: Number(await painted.jsonValue()),
    async [Symbol.asyncDispose]() {
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
