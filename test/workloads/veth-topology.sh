#!/bin/sh
# Builds or removes the four namespaces and two veth pairs the forwarder sits between: left-outer ... inner-right.
set -eu

usage() {
	echo "usage: veth-topology.sh up|down [--queues Q] [--same-ifindex N] [--prefix P]" >&2
	exit 2
}

[ $# -ge 1 ] || usage
action=$1
shift
queues=2
ifindex=
prefix=fr
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || usage
	case $1 in
	--queues) queues=$2 ;;
	--same-ifindex) ifindex=$2 ;;
	--prefix) prefix=$2 ;;
	*) usage ;;
	esac
	shift 2
done
case $queues$ifindex in *[!0-9]*) usage ;; esac

left_mac=02:f1:00:00:00:01
right_mac=02:f1:00:00:00:02

remove() {
	for side in left outer inner right; do
		if ip netns list | grep -q "^$prefix-$side\( \|$\)"; then
			ip netns delete "$prefix-$side"
		fi
	done
}

# pair OWNED END MAC: the forwarder's device with its queues, and the end where traffic is made or received.
pair() {
	ip -n "$prefix-$1" link add name "$1" ${ifindex:+index "$ifindex"} numtxqueues "$queues" numrxqueues "$queues" \
		type veth peer name "$2" address "$3" netns "$prefix-$2" numtxqueues "$queues" numrxqueues "$queues"
	ip -n "$prefix-$1" link set "$1" up
	ip -n "$prefix-$2" link set "$2" up
}

# Checksums must be complete before a packet enters AF_XDP: nothing behind it would fill them in.
plain_offloads() {
	if command -v ethtool >/dev/null; then
		ip netns exec "$prefix-$1" ethtool -K "$1" tx off gro off gso off tso off >/dev/null 2>&1 || true
	else
		echo "veth-topology.sh: no ethtool: UDP checksums stay offloaded and packets arrive broken" >&2
	fi
}

address() {
	ip -n "$prefix-$1" address add "$2/24" dev "$1"
	ip -n "$prefix-$1" neighbour replace "$3" lladdr "$4" nud permanent dev "$1"
}

build() {
	for side in left outer inner right; do
		ip netns add "$prefix-$side"
		ip netns exec "$prefix-$side" sh -c '
			echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
			echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6' 2>/dev/null || true
		ip -n "$prefix-$side" link set lo up
	done
	pair outer left "$left_mac"
	pair inner right "$right_mac"
	for side in left outer inner right; do
		plain_offloads "$side"
	done
	address left 10.77.0.1 10.77.0.2 "$right_mac"
	address right 10.77.0.2 10.77.0.1 "$left_mac"
}

case $action in
up)
	remove
	trap 'remove' EXIT
	build
	trap - EXIT
	;;
down) remove ;;
*) usage ;;
esac
