#!/bin/sh
# All tests, one kind after the other: those on a kernel and on the package want the machine for themselves.
# Usage: scripts/test.sh [--full]
# With --full, on all of Debian's kernels.
set -eu
cd "$(dirname "$0")/.."

full=no
case ${1:-} in
'') ;;
--full) full=yes ;;
*)
	echo "test: unknown option $1; the option is --full" >&2
	exit 2
	;;
esac

# Whatever way it ends.
print_times() {
	status=$?
	[ ! -s build/test-times.tsv ] || {
		echo "seconds, kind, test file:"
		sort -rn build/test-times.tsv
	}
	exit $status
}

make -s -C test/workloads
rm -f build/test-times.tsv
trap print_times EXIT
npx vitest run --project unit --project property --project golden
npx vitest run --project browser
if [ $full = yes ]; then
	FLIGHTRING_ALL_KERNELS=1 npx vitest run --project kernel
else
	npx vitest run --project kernel
fi
npx vitest run --project package
[ $full = no ] || npm run -s test:matrix
