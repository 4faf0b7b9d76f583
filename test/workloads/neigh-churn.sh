#!/bin/sh
# Makes neighbour events in two namespaces of its own: healthy activity, or one entry's MAC replaced by another's.
set -eu

usage() {
	echo "usage: neigh-churn.sh healthy|conflict|deleted-after-conflict [--rounds N] [--pause S] [--prefix P] [--keep]" >&2
	exit 2
}

[ $# -ge 1 ] || usage
mode=$1
shift
rounds=5
pause=0
prefix=frn
keep=
while [ $# -gt 0 ]; do
	case $1 in
	--keep)
		keep=1
		shift
		continue
		;;
	--rounds | --pause | --prefix) [ $# -ge 2 ] || usage ;;
	*) usage ;;
	esac
	case $1 in
	--rounds) rounds=$2 ;;
	--pause) pause=$2 ;;
	--prefix) prefix=$2 ;;
	esac
	shift 2
done
case $mode in healthy | conflict | deleted-after-conflict) ;; *) usage ;; esac
case $rounds in '' | *[!0-9]*) usage ;; esac

a=$prefix-a
b=$prefix-b
peer=10.78.0.2
overlay=10.78.0.50
mac_first=02:f1:00:00:01:01
mac_second=02:f1:00:00:01:02

remove() {
	for space in "$a" "$b"; do
		if [ -e "/run/netns/$space" ]; then
			ip netns delete "$space"
		fi
	done
}

build() {
	ip netns add "$a"
	ip netns add "$b"
	ip -n "$a" link add name na type veth peer name nb netns "$b"
	ip -n "$a" address add 10.78.0.1/24 dev na
	ip -n "$b" address add "$peer/24" dev nb
	ip -n "$a" link set na up
	ip -n "$b" link set nb up
}

# The kernel resolves the peer by ARP: create, incomplete, reachable.
resolve() {
	if command -v ping >/dev/null; then
		ip netns exec "$a" ping -c 1 -W 2 -q "$peer" >/dev/null || true
	else
		ip -n "$a" neighbour replace "$peer" dev na use nud none || true
		sleep 0.2
	fi
}

# One address, one MAC, whatever the state it is in: nothing here contradicts anything.
healthy_round() {
	resolve
	ip -n "$a" neighbour add "$overlay" lladdr "$mac_first" nud permanent dev na
	ip -n "$a" neighbour replace "$overlay" lladdr "$mac_first" nud permanent dev na
	ip -n "$a" neighbour change "$overlay" lladdr "$mac_first" nud stale dev na
	ip -n "$a" neighbour delete "$overlay" dev na
	ip -n "$a" neighbour flush dev na
	sleep "$pause"
}

# Two programmers claim one address: the second add is refused, the replace silently takes the entry over.
conflict() {
	ip -n "$a" neighbour replace "$overlay" lladdr "$mac_first" nud permanent dev na
	sleep "$pause"
	ip -n "$a" neighbour add "$overlay" lladdr "$mac_second" nud permanent dev na 2>/dev/null && {
		echo "neigh-churn.sh: the kernel accepted a second add of $overlay" >&2
		exit 1
	}
	ip -n "$a" neighbour replace "$overlay" lladdr "$mac_second" nud permanent dev na
	printf '{"fault":"neigh-conflict","netns":"%s","device":"na","ip":"%s","mac":"%s","other_mac":"%s"}\n' \
		"$a" "$overlay" "$mac_first" "$mac_second"
}

remove
[ "$keep" ] || trap remove EXIT
build
round=0
while [ "$round" -lt "$rounds" ]; do
	healthy_round
	round=$((round + 1))
done
case $mode in
conflict) conflict ;;
deleted-after-conflict)
	conflict
	ip -n "$a" neighbour delete "$overlay" dev na
	;;
esac
