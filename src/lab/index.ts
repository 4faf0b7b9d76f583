// What the rest of flightring may use of the lab.

export { bootLab } from './boot.ts';
export type { BootOptions } from './boot.ts';
export type { LabKernel } from './cache.ts';
export { listKernels } from './kernels.ts';
export type { ListedKernel } from './kernels.ts';
export { Lab } from './lab.ts';
export { prepareLab } from './prepare.ts';
