#!/bin/sh
# Two hosts in namespaces of their own, and each kind of packet that IPsec drops with a reason of its own.
set -eu

if [ $# -ne 0 ]; then
	echo "usage: xfrm-drops.sh" >&2
	exit 2
fi

here=frd-here
there=frd-there
own=10.81.0.1
peer=10.81.0.2
# Of no secret, as in xfrm-churn.sh.
algorithms='auth hmac(sha1) 0x666c69676874726900112233445566778899aabb enc ecb(cipher_null) ""'

remove() {
	for space in "$here" "$there"; do
		if [ -e "/run/netns/$space" ]; then
			ip netns delete "$space"
		fi
	done
}

# end NETNS DEVICE NUMBER
end() {
	ip -n "$1" -batch - <<-COMMANDS
		link set lo up
		link set dev $2 addrgenmode none
		address add 10.81.0.$3/24 dev $2
		address add fd81::$3/64 dev $2 nodad
		link set dev $2 up
	COMMANDS
}

build() {
	ip -batch - <<-COMMANDS
		netns add $here
		netns add $there
		link add da netns $here type veth peer name db netns $there
	COMMANDS
	end "$here" da 1
	end "$there" db 2
}

odd() {
	ip netns exec "$here" "$FLIGHTRING_BUILT/odd-packets" "$@"
}

# What comes in: for a state that isn't there, again, with a wrong check value, and with an address nobody vouches for.
receive() {
	ip -n "$there" -batch - <<-COMMANDS
		xfrm state add src $own dst $peer proto esp spi 0x5001 reqid 5 replay-window 32 mode transport $algorithms
		xfrm state update src $own dst $peer proto esp spi 0x5001 reqid 5 replay-window 32 mode transport $algorithms
	COMMANDS
	odd esp "$peer" 0x5999 1
	odd esp "$peer" 0x5001 0
	odd esp "$peer" 0x5001 1
	odd home-address fd81::2 fd81::99
}

# What goes out: of a state whose sequence numbers are used up.
send() {
	ip -n "$here" -batch - <<-COMMANDS
		xfrm state add src $own dst $peer proto esp spi 0x6001 reqid 6 replay-window 32 replay-oseq 0xffffffff mode transport $algorithms
		xfrm policy add src $own/32 dst $peer/32 proto icmp dir out tmpl src $own dst $peer proto esp spi 0x6001 reqid 6 mode transport
	COMMANDS
	ip netns exec "$here" ping -c 1 -W 1 -q "$peer" >/dev/null || true
	ip -n "$here" -batch - <<-COMMANDS
		xfrm policy delete src $own/32 dst $peer/32 proto icmp dir out
		xfrm state delete src $own dst $peer proto esp spi 0x6001
	COMMANDS
}

remove
trap remove EXIT
build
receive
send
