#!/bin/sh
# Forwarding entries of one overlay between two hosts, as namespaces: healthy traffic that is learned, or one MAC behind two VTEPs.
set -eu

usage() {
	echo "usage: vxlan-fdb.sh healthy|conflict|flap|moved-away" >&2
	exit 2
}

[ $# -eq 1 ] || usage
case $1 in healthy | conflict | flap | moved-away) ;; *) usage ;; esac

a=frv-a
b=frv-b
mac=02:f1:00:00:04:09
vtep=192.0.2.2
other=192.0.2.3

remove() {
	for space in "$a" "$b"; do
		if [ -e "/run/netns/$space" ]; then
			ip netns delete "$space"
		fi
	done
}

# Few commands in batches: each process costs a third of a second in an emulated guest.
build() {
	ip -batch - <<-COMMANDS
		netns add $a
		netns add $b
		link add va netns $a address 02:f1:00:00:04:a0 type veth peer name vb address 02:f1:00:00:04:b0 netns $b
	COMMANDS
	ip -n "$a" -batch - <<-COMMANDS
		address add 192.0.2.1/24 dev va
		link set va up
		link add vx0 address 02:f1:00:00:04:01 type vxlan id 77 dstport 4789 local 192.0.2.1 remote $vtep
		link set vx0 up
		address add 10.77.0.1/24 dev vx0
	COMMANDS
	ip -n "$b" -batch - <<-COMMANDS
		address add $vtep/24 dev vb
		address add $other/24 dev vb
		link set vb up
		link add vx0 address 02:f1:00:00:04:02 type vxlan id 77 dstport 4789 local $vtep remote 192.0.2.1
		link set vx0 up
		address add 10.77.0.2/24 dev vx0
	COMMANDS
}

fault() {
	printf '{"fault":"%s","mac":"%s","vtep":"%s","other_vtep":"%s","device":"vx0"}\n' "$1" "$mac" "$vtep" "$other"
}

remove
trap remove EXIT
build
case $1 in
healthy)
	ip netns exec "$a" ping -c 2 -i 0.3 -W 2 -q 10.77.0.2 >/dev/null
	# One process may move what it has placed, delete it, and place it anew.
	bridge -n "$a" -batch - <<-COMMANDS
		fdb add $mac dev vx0 dst $vtep self permanent
		fdb replace $mac dev vx0 dst $vtep self permanent
		fdb replace $mac dev vx0 dst $other self permanent
		fdb delete $mac dev vx0 dst $other self
		fdb add $mac dev vx0 dst $vtep self permanent
		fdb append 00:00:00:00:00:00 dev vx0 dst $other self permanent
		fdb delete $mac dev vx0 dst $vtep self
	COMMANDS
	;;
conflict)
	bridge -n "$a" fdb add "$mac" dev vx0 dst "$vtep" self permanent
	bridge -n "$a" fdb replace "$mac" dev vx0 dst "$other" self permanent
	fault conflict
	;;
flap)
	bridge -n "$a" -batch - <<-COMMANDS
		fdb add $mac dev vx0 dst $vtep self permanent
		fdb replace $mac dev vx0 dst $other self permanent
		fdb replace $mac dev vx0 dst $vtep self permanent
		fdb replace $mac dev vx0 dst $other self permanent
		fdb replace $mac dev vx0 dst $vtep self permanent
		fdb replace $mac dev vx0 dst $other self permanent
		fdb replace $mac dev vx0 dst $vtep self permanent
	COMMANDS
	fault flap
	;;
moved-away)
	# Packets come from where the MAC isn't, says its static entry: the kernel drops them (vxlan_snoop).
	mac=02:f1:00:00:04:02
	# It may have been learned already.
	bridge -n "$a" fdb replace "$mac" dev vx0 dst "$other" self permanent
	ip netns exec "$b" ping -c 2 -i 0.3 -W 1 -q 10.77.0.1 >/dev/null || true
	fault moved-away
	;;
esac
