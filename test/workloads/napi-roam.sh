#!/bin/sh
# Has the forwarder's two devices polled by kernel threads (threaded NAPI), and moves those from CPU to CPU until it is ended.
set -eu

prefix=${1:-fr}
built=${FLIGHTRING_BUILT:-$(dirname "$0")/../../build/workloads}

for device in outer inner; do
	# sysfs shows the devices of the namespace it was mounted in; ip netns exec mounts it anew.
	ip netns exec "$prefix-$device" sh -c "echo 1 >/sys/class/net/$device/threaded"
done
exec "$built/napi-roam" 2000 outer inner
