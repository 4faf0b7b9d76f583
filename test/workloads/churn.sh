#!/bin/sh
# A healthy day in miniature: everything this folder can do in good order, and neighbours by the thousand.
set -eu

usage() {
	echo "usage: churn.sh [--rounds N] [--neighbours N]   (default: 1, and \$FLIGHTRING_PACKETS or 1000 a round)" >&2
	exit 2
}

rounds=1
neighbours=${FLIGHTRING_PACKETS:-1000}
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || usage
	case $1 in
	--rounds) rounds=$2 ;;
	--neighbours) neighbours=$2 ;;
	*) usage ;;
	esac
	shift 2
done
case $rounds$neighbours in *[!0-9]*) usage ;; esac

here=${FLIGHTRING_WORKLOADS:-$(cd "$(dirname "$0")" && pwd)}
built=${FLIGHTRING_BUILT:-$here/../../build/workloads}
export FLIGHTRING_WORKLOADS=$here FLIGHTRING_BUILT=$built
space=frc
# Neighbours that come and go at once; an emulated machine's checker must keep up.
piece=500
ready=/tmp/flightring-churn-$$
tally=/tmp/flightring-churn-tally-$$

remove() {
	rm -f "$ready" "$tally"
	if [ -e "/run/netns/$space" ]; then
		ip netns delete "$space"
	fi
}

build() {
	ip netns add "$space"
	ip -n "$space" -batch - <<-COMMANDS
		link add va type veth peer name vb
		link set va up
		link set vb up
		address add 192.0.2.1/24 dev va
		link add vx type vxlan id 901 dstport 4789 local 192.0.2.1 dev va
		link set vx up
	COMMANDS
}

# lines FORMAT FIRST COUNT: one command for each number, as %d.%d of an address.
lines() {
	awk -v format="$1\n" -v first="$2" -v count="$3" 'BEGIN {
		for (i = first; i < first + count; i++) {
			high = int(i / 250) % 250; low = i % 250 + 1
			printf format, high, low, high, low
		}
	}'
}

# Neighbours of a plain device, and every tenth time peers of an overlay, whose forwarding entry outlives its neighbour entry.
neighbour_churn() {
	first=0
	while [ "$first" -lt "$neighbours" ]; do
		count=$((neighbours - first < piece ? neighbours - first : piece))
		lines "neighbour add 10.64.%d.%d lladdr 02:f1:00:05:%02x:%02x nud permanent dev va" "$first" "$count" |
			ip -n "$space" -batch -
		lines "neighbour replace 10.64.%d.%d lladdr 02:f1:00:05:%02x:%02x nud permanent dev va" "$first" "$count" |
			ip -n "$space" -batch -
		lines "neighbour delete 10.64.%d.%d dev va" "$first" "$count" | ip -n "$space" -batch -
		overlay_churn "$first" $((count / 10))
		first=$((first + count))
	done
}

overlay_churn() {
	fdb="02:f1:00:06:%02x:%02x dev vx dst 192.0.2.7"
	awk -v format="fdb add $fdb\n" -v first="$1" -v count="$2" 'BEGIN {
		for (i = first; i < first + count; i++) printf format, int(i / 250) % 250, i % 250 + 1
	}' | bridge -n "$space" -batch -
	lines "neighbour add 10.65.%d.%d lladdr 02:f1:00:06:%02x:%02x nud permanent dev vx" "$1" "$2" |
		ip -n "$space" -batch -
	lines "neighbour delete 10.65.%d.%d dev vx" "$1" "$2" | ip -n "$space" -batch -
	awk -v format="fdb delete $fdb\n" -v first="$1" -v count="$2" 'BEGIN {
		for (i = first; i < first + count; i++) printf format, int(i / 250) % 250, i % 250 + 1
	}' | bridge -n "$space" -batch -
}

forwarding() {
	sh "$here/veth-topology.sh" up
	ip netns exec fr-outer "$built/xsk-forwarder" --ready-file "$ready" --ring-size 2048 >/dev/null &
	while [ ! -e "$ready" ]; do sleep 0.1; done
	ip netns exec fr-right "$built/udp-traffic" recv --seconds 4 --tally-file "$tally" >/dev/null &
	receiver=$!
	ip netns exec fr-left "$built/udp-traffic" send --to 10.77.0.2 --count 400 --rate 400 \
		--tally-file "$tally" --window 256 >/dev/null
	wait "$receiver" || true
	kill "$(cat "$ready")"
	wait
	rm -f "$ready" "$tally"
	sh "$here/veth-topology.sh" down
}

say() {
	printf '{"round":%d,"did":"%s"}\n' "$round" "$1"
}

remove
trap remove EXIT
build
round=1
while [ "$round" -le "$rounds" ]; do
	neighbour_churn
	say neighbours
	"$built/netns-threads" healthy
	say threads
	sh "$here/sandbox.sh" healthy
	say sandbox
	sh "$here/vxlan-fdb.sh" healthy
	say forwarding-entries
	sh "$here/xfrm-churn.sh" healthy
	say rekeying
	"$built/overlay-driver" healthy
	say overlay
	"$built/socket-iterator" udp healthy
	"$built/socket-iterator" tcp healthy
	say iterators
	forwarding
	say af-xdp
	round=$((round + 1))
done
