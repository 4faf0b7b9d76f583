// Before any kernel test: what is tested is the built package, and the workloads that cause real events.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

export default function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  execFileSync('make', ['-s', '-C', 'test/workloads'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  execFileSync('make', ['-s', '-C', 'test/kernel'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}
