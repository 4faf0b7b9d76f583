#!/bin/sh
# Fails if what is generated differs from what is checked in: layouts, kind numbers, indexes.
set -eu
cd "$(dirname "$0")/.."
before=$(cat bpf/kinds.bpf.h src/generated/*.ts | sha256sum)
npx tsx scripts/generate.ts
after=$(cat bpf/kinds.bpf.h src/generated/*.ts | sha256sum)
if [ "$before" != "$after" ]; then
	echo "generated files were out of date: run \"npm run generate\" and commit the result" >&2
	exit 1
fi
