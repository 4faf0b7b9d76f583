#!/bin/sh
# Moves one end of a veth pair into a sandbox, configures and advertises it, and takes it back; or leaves something out.
set -eu

usage() {
	echo "usage: sandbox.sh healthy|recovered|early|no-carrier|stale-mac|stranded|sysctl|sysctl-route|rename-up|move-up|silent-reuse" >&2
	exit 2
}

[ $# -eq 1 ] || usage
mode=$1
case $mode in
healthy | recovered | early | no-carrier | stale-mac | stranded | sysctl | sysctl-route | rename-up | move-up | silent-reuse) ;;
*) usage ;;
esac

host=frs-host
box=frs-box
bridge=frs0
port=vetha
inner=vethb
device=eth0
ip4=172.31.0.2
ip6=fd31::2
first_mac=02:f3:00:00:00:01
second_mac=02:f3:00:00:00:02
# Longer than the limits of the invariants that wait (src/invariants/link).
limit=10.5

remove() {
	for space in "$box" "$host"; do
		if [ -e "/run/netns/$space" ]; then
			ip netns delete "$space"
		fi
	done
}

build() {
	ip -batch - <<-END
		netns add $host
		netns add $box
	END
	ip -n "$host" -batch - <<-END
		link add $bridge type bridge stp_state ${1:-0} forward_delay 400
		link set $bridge up
		link add neighbour type veth peer name beyond
		link set neighbour master $bridge up
		link set beyond up
	END
}

# What an engine does before anything is known of the sandbox.
create() {
	ip -n "$host" -batch - <<-END
		link add $port type veth peer name $inner
		link set $port master $bridge
		link set $port up
	END
}

# Moved, down, renamed; the order of an engine.
enter() {
	ip -n "$host" link set "$inner" netns "$box"
	ip -n "$box" -batch - <<-END
		link set $inner down
		link set $inner name $device
	END
}

configure() {
	ip -n "$box" -batch - <<-END
		link set $device address $1
		address add $ip4/24 dev $device
		address add $ip6/64 dev $device nodad
		link set $device up
		route add default via 172.31.0.1 dev $device
		route add default via fd31::1 dev $device
	END
}

leave() {
	ip -n "$box" -batch - <<-END
		link set $device down
		link set $device name $inner
		link set $inner netns $host
	END
}

destroy() {
	ip -n "$host" link delete "$port"
}

forwards() {
	ip -n "$host" -d link show dev "$port" | grep -q 'state forwarding priority'
}

# wait_until COMMAND ELSE: five seconds at most, and then ELSE says what is wrong.
wait_until() {
	tries=0
	until "$1"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ]; then
			echo "sandbox.sh: $2" >&2
			exit 3
		fi
		sleep 0.05
	done
}

wait_for_port() {
	wait_until forwards "the port of $port doesn't forward"
}

advertise() {
	ip netns exec "$box" "$FLIGHTRING_BUILT/advertise" --device "$device" "$@"
}

# Any later event tells an invariant that waits how late it is.
tick() {
	ip -n "$host" link set lo up
}

# round MAC [MORE]: one endpoint's whole life, with MORE in the midst of it.
round() {
	create
	enter
	configure "$1"
	wait_for_port
	advertise --ip "$ip4" --ip "$ip6"
	${2:-:}
	leave
	destroy
}

is_duplicate() {
	ip -n "$box" address show dev "$device" dadfailed | grep -q fd31::d0
}

# Addresses of IPv6 beside the endpoint's own: one that goes again, and one that another on the link has already.
other_addresses() {
	ip -n "$host" address add fd31::d0/64 dev beyond nodad
	ip -n "$box" -batch - <<-END
		address add fd31::a0/64 dev $device nodad
		route add fd98::/64 via fd31::1 dev $device
		route delete fd98::/64 via fd31::1 dev $device
		address delete fd31::a0/64 dev $device
		address add fd31::d0/64 dev $device
	END
	wait_until is_duplicate "nobody found that fd31::d0 is twice on the link"
}

say() {
	printf '{"fault":"%s","device":"%s","ip":"%s","mac":"%s","port":"%s"}\n' "$mode" "$device" "${2:-$ip4}" \
		"${1:-$first_mac}" "$port"
}

healthy() {
	build
	round "$first_mac"
	round "$second_mac" other_addresses
	tick
}

# Configuration fails, and the interface is taken back: nothing is left behind.
recovered() {
	build
	create
	enter
	! ip -n "$box" route add default via 172.31.0.1 dev "$device" 2>/dev/null
	leave
	destroy
	tick
}

# The port listens for other bridges first (IEEE 802.1D): nobody hears what comes before it forwards.
early() {
	build 1
	create
	enter
	configure "$first_mac"
	advertise --ip "$ip4" --fault early
}

# The other end is still down: there is no carrier, and the queue throws everything away.
no_carrier() {
	build
	create
	ip -n "$host" link set "$port" down
	enter
	configure "$first_mac"
	advertise --ip "$ip4" --fault no-carrier
}

# The MAC changes between repeats; the engine has read it before.
stale_mac() {
	build
	create
	enter
	configure "$first_mac"
	wait_for_port
	changed=$(mktemp -u)
	advertise --ip "$ip4" --until "$changed" --fault stale-mac &
	sleep 0.5
	ip -n "$box" link set "$device" address "$second_mac"
	touch "$changed"
	wait
	rm "$changed"
}

# The route is refused, the engine gives up, and nobody takes the interface back.
stranded() {
	build
	create
	enter
	ip -n "$box" -batch - <<-END
		link set $device address $first_mac
		address add $ip4/24 dev $device
		link set $device up
	END
	! ip -n "$box" route add default via 172.99.0.1 dev "$device" 2>/dev/null
	say
	sleep "$limit"
	tick
}

# A sysctl of the endpoint's takes the IPv6 address away; the engine doesn't look again.
switch_ipv6_off() {
	build
	create
	enter
	configure "$first_mac"
	wait_for_port
	ip netns exec "$box" sh -c "echo 1 >/proc/sys/net/ipv6/conf/$device/disable_ipv6"
}

sysctl() {
	switch_ipv6_off
	advertise --ip "$ip6" --fault sysctl
}

sysctl_route() {
	switch_ipv6_off
	say "$first_mac" "$ip6"
	# Refused: the device does no IPv6 any more.
	! ip -n "$box" route add fd99::/64 via fd31::1 dev "$device" 2>/dev/null
}

rename_up() {
	build
	create
	enter
	configure "$first_mac"
	say
	# Refused by kernels before 6.2.
	ip -n "$box" link set "$device" name eth1 2>/dev/null || true
}

move_up() {
	build
	create
	enter
	configure "$first_mac"
	say
	ip -n "$box" link set "$device" netns "$host"
}

# The address comes back with another MAC, and nobody is told.
silent_reuse() {
	build
	round "$first_mac"
	create
	enter
	configure "$second_mac"
	say "$second_mac"
	sleep "$limit"
	tick
}

remove
trap remove EXIT
case $mode in
no-carrier) no_carrier ;;
stale-mac) stale_mac ;;
sysctl-route) sysctl_route ;;
rename-up) rename_up ;;
move-up) move_up ;;
silent-reuse) silent_reuse ;;
*) "$mode" ;;
esac
