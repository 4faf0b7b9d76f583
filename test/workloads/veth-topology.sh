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
if [ "$action" = up ] && ! command -v ethtool >/dev/null; then
	echo "veth-topology.sh: ethtool is not installed; without it checksums stay offloaded and packets arrive broken" >&2
	exit 2
fi

left_mac=02:f1:00:00:00:01
right_mac=02:f1:00:00:00:02

remove() {
	for side in left outer inner right; do
		if [ -e "/run/netns/$prefix-$side" ]; then
			ip netns delete "$prefix-$side"
		fi
	done
}

# owned END PEER PEER_MAC IFINDEX: the forwarder's end of a pair, with its queues. No link-local addresses: they only chatter.
owned() {
	ip -n "$prefix-$1" -batch - <<-COMMANDS
		link add name $1 index ${ifindex:-$4} numtxqueues $queues numrxqueues $queues type veth peer name $2 address $3 netns $prefix-$2 numtxqueues $queues numrxqueues $queues
		link set dev $1 addrgenmode none
		link set dev $1 up
	COMMANDS
}

# host END ADDRESS NEIGHBOUR NEIGHBOUR_MAC: the end where traffic is made or received.
host() {
	ip -n "$prefix-$1" -batch - <<-COMMANDS
		link set dev $1 addrgenmode none
		link set dev $1 up
		address add $2/24 dev $1
		neighbour replace $3 lladdr $4 nud permanent dev $1
	COMMANDS
	# Checksums must be complete before a packet enters AF_XDP: nothing behind it would fill them in.
	ip netns exec "$prefix-$1" ethtool -K "$1" tx off gso off tso off >/dev/null
}

# Few commands in batches: each process costs a third of a second in an emulated guest.
build() {
	ip -batch - <<-COMMANDS
		netns add $prefix-left
		netns add $prefix-outer
		netns add $prefix-inner
		netns add $prefix-right
	COMMANDS
	owned outer left "$left_mac" 11
	owned inner right "$right_mac" 12
	host left 10.77.0.1 10.77.0.2 "$right_mac"
	host right 10.77.0.2 10.77.0.1 "$left_mac"
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
