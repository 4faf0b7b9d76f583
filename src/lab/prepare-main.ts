// Fills the lab's cache (scripts/setup.sh runs it); says nothing when there is nothing to do.

import { FlightringError } from '../model/errors.ts';
import { prepareLab } from './prepare.ts';

try {
  let made = false;
  const kernel = await prepareLab({
    onProgress: (message) => {
      made = true;
      console.error(`lab: ${message}`);
    },
  });
  if (made) console.error(`lab: ${kernel.version} is ready in ${kernel.dir}`);
} catch (error) {
  if (!(error instanceof FlightringError)) throw error;
  console.error(`lab: ${error.message}`);
  process.exitCode = error.exitCode;
}
