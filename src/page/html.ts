// One HTML file out of data, script and style: nothing is loaded, and nothing that the data says can become markup.

import { createHash } from 'node:crypto';
import type { PageAssets } from './assets.ts';
import type { PageData } from './model.ts';

export function pageHtml(data: PageData, { script, style }: PageAssets): string {
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    `<meta name="generator" content="flightring ${escapeText(data.flightring)}">`,
    `<title>${escapeText(titleOf(data))}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    '<noscript><p>This report draws itself with JavaScript, all of which is in this file; it loads nothing.</p></noscript>',
    '<main id="report"></main>',
    `<script type="application/json" id="recording">${jsonForHtml(data)}</script>`,
    `<script>${script}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function titleOf({ violations: [first], file }: PageData): string {
  return first ? `${first.invariant}: ${first.object} · ${file}` : `${file} · flightring`;
}

/** What a script or style element may hold is hashed as it stands between its tags. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
}

export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** JSON in which no `<` is left to begin a tag or a comment, and that is a JavaScript literal, too. */
export function jsonForHtml(data: unknown): string {
  return JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
