// The file around the data: nothing in it ends the element it is in, and its policy allows nothing but its own script.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { jsonForHtml, pageHtml } from '../../../src/page/html.ts';
import { HOSTILE, pageFolder, pageOf } from './pages.ts';

const ASSETS = { script: 'void 0;', style: 'body{margin:0}' };

test('JSON has no character that means something to HTML, and reads back the same', () => {
  const json = jsonForHtml({ [HOSTILE]: [HOSTILE, '\ud800'] });
  expect(json).not.toMatch(/[<>&\u2028\u2029]/);
  expect(JSON.parse(json)).toEqual({ [HOSTILE]: [HOSTILE, '\ud800'] });
});

test('a hostile recording adds no element', async () => {
  using folder = pageFolder();
  const html = pageHtml(await pageOf(folder.hostile()), ASSETS);
  expect(html.match(/<script/g)).toHaveLength(2);
  expect(html.match(/<\/script>/g)).toHaveLength(2);
  expect(html).not.toContain('<img');
  expect(html).not.toContain('<!--');
});

test('the policy names the hashes of exactly this script and style', async () => {
  using folder = pageFolder();
  const html = pageHtml(await pageOf(folder.story()), ASSETS);
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  expect(html).toContain(
    `content="default-src 'none'; script-src ${hash(ASSETS.script)}; style-src ${hash(ASSETS.style)}; base-uri 'none'; form-action 'none'"`,
  );
  expect(html).not.toMatch(/https?:\/\//);
});
