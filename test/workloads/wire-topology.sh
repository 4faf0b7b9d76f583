#!/bin/sh
# Puts the lab's network cards, two pairs joined back to back, into the places of veth-topology.sh's two veth pairs.
set -eu

usage() {
	echo "usage: wire-topology.sh up|down" >&2
	exit 2
}

[ $# -eq 1 ] || usage

# By their addresses, which the lab gave them (src/lab/qemu.ts).
outer_mac=02:f1:00:00:01:01
left_mac=02:f1:00:00:01:02
inner_mac=02:f1:00:00:02:01
right_mac=02:f1:00:00:02:02

# card MAC: its name in this namespace, where it comes back to a while after its own has gone.
card() {
	tries=0
	until found=$(grep -l "^$1\$" /sys/class/net/*/address); do
		tries=$((tries + 1))
		if [ $tries -gt 100 ]; then
			echo "wire-topology.sh: there is no card $1: the lab must have wires, and the module virtio_net" >&2
			exit 1
		fi
		sleep 0.1
	done
	basename "${found%/address}"
}

# place SIDE MAC
place() {
	device=$(card "$2")
	ip -batch - <<-COMMANDS
		netns add fr-$1
		link set dev $device netns fr-$1 name $1
	COMMANDS
}

# owned SIDE MAC: the forwarder's end. It takes packets that are addressed to the host behind it.
owned() {
	place "$1" "$2"
	ip -n "fr-$1" -batch - <<-COMMANDS
		link set dev $1 addrgenmode none
		link set dev $1 promisc on
		link set dev $1 up
	COMMANDS
}

# host SIDE MAC ADDRESS NEIGHBOUR NEIGHBOUR_MAC: the end where traffic is made or received.
host() {
	place "$1" "$2"
	ip -n "fr-$1" -batch - <<-COMMANDS
		link set dev $1 addrgenmode none
		link set dev $1 up
		address add $3/24 dev $1
		neighbour replace $4 lladdr $5 nud permanent dev $1
	COMMANDS
}

remove() {
	for side in left outer inner right; do
		if [ -e "/run/netns/fr-$side" ]; then
			ip netns delete "fr-$side"
		fi
	done
}

case $1 in
up)
	remove
	trap 'remove' EXIT
	owned outer "$outer_mac"
	host left "$left_mac" 10.77.0.1 10.77.0.2 "$right_mac"
	owned inner "$inner_mac"
	host right "$right_mac" 10.77.0.2 10.77.0.1 "$left_mac"
	trap - EXIT
	;;
down) remove ;;
*) usage ;;
esac
