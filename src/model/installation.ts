// Where this package lies, and what is in it: the same from its sources as when it is built and bundled.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const FROM_SOURCE = import.meta.url.endsWith('.ts');

let root: string | undefined;

/** The folder of this package: the nearest above this file that has a package.json. */
export function packageRoot(): string {
  if (root !== undefined) return root;
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  root = folder;
  return folder;
}

/** The file of a program of its own, such as a thread's; `name` is its path in src without the ending. */
export function programUrl(name: string): URL {
  const path = FROM_SOURCE ? join('src', `${name}.ts`) : join('dist/src', `${name}.js`);
  return pathToFileURL(join(packageRoot(), path));
}
