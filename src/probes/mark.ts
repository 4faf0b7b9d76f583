// What the marks mean: states that applications set themselves.

import type { ProbePath } from '../model/probe.ts';

const path: ProbePath = {
  path: 'mark',
  title: 'marks that applications set',
  probes: [
    {
      name: 'mark_user',
      target: 'uprobe',
      writes: ['mark_set'],
      purpose: 'FLIGHTRING_MARK in the files of --mark, and "flightring mark"',
    },
  ],
  kinds: { mark_set: 'mark set by an application' },
  words: {},
  flags: {},
};

export default path;
