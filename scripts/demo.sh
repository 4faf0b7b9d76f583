#!/bin/sh
# The demo: sets up what is missing, builds, and records a real fault in the lab. Same options as scripts/setup.sh.
set -eu
cd "$(dirname "$0")/.."

for argument in "$@"; do
	if [ "$argument" = --print-only ]; then
		sh scripts/setup.sh --one-kernel "$@"
		echo "make -s -C test/workloads"
		echo "node_modules/.bin/tsx scripts/demo.ts"
		exit 0
	fi
done

# Nothing is silent for more than three seconds; but a question on a terminal is left alone.
beat() {
	waited=0
	while sleep 3 && kill -0 $$ 2>/dev/null; do
		waited=$((waited + 3))
		echo "demo:   … $waited s"
	done
}
beat=
case " $* " in *" --yes "* | *" -y "*) beat=yes ;; esac
[ -t 0 ] || beat=yes
if [ -n "$beat" ]; then
	beat &
	beat=$!
	trap 'kill $beat 2>/dev/null' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
fi
sh scripts/setup.sh --one-kernel "$@"
make -s -C test/workloads
if [ -n "$beat" ]; then
	kill $beat
	trap - EXIT INT TERM
fi
exec node_modules/.bin/tsx scripts/demo.ts
