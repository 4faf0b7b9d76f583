#!/bin/sh
# A neighbour that is programmed before anything records, and overwritten with another MAC afterwards.
set -eu

space=frn-before
ip=10.78.1.50
mac=02:f1:00:00:02:01
other_mac=02:f1:00:00:02:02

case ${1:-} in
up)
	if [ -e "/run/netns/$space" ]; then
		ip netns delete "$space"
	fi
	ip netns add "$space"
	ip -n "$space" link add name na type veth peer name nb
	ip -n "$space" link set na up
	ip -n "$space" link set nb up
	ip -n "$space" neighbour add "$ip" lladdr "$mac" nud permanent dev na
	;;
overwrite)
	ip -n "$space" neighbour replace "$ip" lladdr "$other_mac" nud permanent dev na
	printf '{"fault":"neigh-conflict-before","netns":"%s","device":"na","ip":"%s","mac":"%s","other_mac":"%s"}\n' \
		"$space" "$ip" "$mac" "$other_mac"
	;;
down) ip netns delete "$space" ;;
*)
	echo "usage: neigh-before.sh up|overwrite|down" >&2
	exit 2
	;;
esac
