// Starts a worker whose source is TypeScript: loaders of the main thread don't reach workers in Node 20.

import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.module);
