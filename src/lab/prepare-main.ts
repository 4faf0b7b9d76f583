// Fills the lab's cache with the kernel that is named, or this release's; says nothing when there is nothing to do.

import { FlightringError } from '../model/errors.ts';
import { chooseEmulator } from './emulator.ts';
import { prepareLab } from './prepare.ts';

try {
  let made = false;
  const [, , wanted] = process.argv;
  const onProgress = (message: string): void => {
    made = true;
    console.error(`lab: ${message}`);
  };
  const kernel = await prepareLab(
    wanted === undefined ? { asListed: true, onProgress } : { kernel: wanted, onProgress },
  );
  await chooseEmulator(onProgress);
  if (made) console.error(`lab: ${kernel.version} is ready in ${kernel.dir}`);
} catch (error) {
  if (!(error instanceof FlightringError)) throw error;
  console.error(`lab: ${error.message}`);
  process.exitCode = error.exitCode;
}
