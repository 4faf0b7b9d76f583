// The page's script and style, bundled by `npm run build`.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../model/errors.ts';

export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

const SCRIPT = join('client', 'main.js');
const STYLE = join('client', 'page.css');

/** They lie beside this file when it is built, and in dist when it is run from source. */
export function readAssets(): PageAssets {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    for (const candidate of [folder, join(folder, 'dist', 'src', 'page')])
      if (existsSync(join(candidate, SCRIPT)))
        return {
          script: readFileSync(join(candidate, SCRIPT), 'utf8'),
          style: readFileSync(join(candidate, STYLE), 'utf8'),
        };
    const parent = dirname(folder);
    if (parent === folder)
      throw new UsageError('NOT_BUILT', 'The report\'s script is not built; run "npm run build" first.');
    folder = parent;
  }
}
