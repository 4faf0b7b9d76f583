#!/bin/sh
# All tests, one kind after the other: those on a kernel and on the package want the machine for themselves.
set -eu
cd "$(dirname "$0")/.."
make -s -C test/workloads
npx vitest run --project unit --project property --project golden
npx vitest run --project browser
npx vitest run --project kernel
npx vitest run --project package
