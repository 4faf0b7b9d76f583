// The page's script and style, bundled by `npm run build`.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../model/errors.ts';
import { packageRoot } from '../model/installation.ts';

export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

export function readAssets(): PageAssets {
  const folder = join(packageRoot(), 'dist/src/page/client');
  if (!existsSync(folder))
    throw new UsageError('NOT_BUILT', 'The report\'s script is not built; run "npm run build" first.');
  return {
    script: readFileSync(join(folder, 'main.js'), 'utf8'),
    style: readFileSync(join(folder, 'page.css'), 'utf8'),
  };
}
