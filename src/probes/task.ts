// What the task probes mean: the names of threads.

import type { ProbePath } from '../model/probe.ts';

const path: ProbePath = {
  path: 'task',
  title: 'names of threads, joined to every event',
  probes: [
    { name: 'task_newtask', target: 'task_newtask', writes: ['task_comm'], purpose: 'names of new threads' },
    {
      name: 'task_rename',
      target: 'task_rename',
      writes: ['task_comm'],
      purpose: 'renamed threads and exec',
    },
    {
      name: 'task_switch',
      target: 'sched_switch',
      writes: [],
      onlyWith: 'xsk',
      purpose: 'who runs, kept at hand: without it every event costs a helper call more',
    },
    {
      name: 'task_exec',
      target: 'sched_process_exec',
      writes: [],
      onlyWith: 'xsk',
      purpose: 'who runs, after exec by a thread that was not the first',
    },
  ],
  kinds: { task_comm: 'thread named' },
  words: {},
  flags: {},
};

export default path;
