#!/bin/sh
# Two VTEPs in namespaces of their own, an encrypted overlay and one in the clear between them: healthy use with rekeying, or one fault.
set -eu

usage() {
	echo "usage: xfrm-churn.sh healthy|cleartext|in-use-delete|self|dangling-policy|rotation-race|double|missing-state [--prefix P] [--keep] [--key HEX]" >&2
	exit 2
}

[ $# -ge 1 ] || usage
mode=$1
shift
prefix=frx
keep=
# Of no secret: hmac(sha1) under the null cipher, the one pair that needs no random numbers of an emulated machine.
key=0x666c69676874726900112233445566778899aabb
while [ $# -gt 0 ]; do
	case $1 in
	--keep) keep=1 ;;
	--prefix | --key)
		[ $# -ge 2 ] || usage
		case $1 in
		--prefix) prefix=$2 ;;
		--key) key=$2 ;;
		esac
		shift
		;;
	*) usage ;;
	esac
	shift
done

a=$prefix-a
b=$prefix-b
vtep_a=10.79.0.1
vtep_b=10.79.0.2
vni=42
clear_vni=43
# In health a mark tells which overlay is to be encrypted; faults are of policies that cover both.
mark=
ping_mark=
if [ "$mode" = healthy ]; then
	mark='mark 0x10 mask 0xff'
	ping_mark='-m 16'
fi

remove() {
	for space in "$a" "$b"; do
		if [ -e "/run/netns/$space" ]; then
			ip netns delete "$space"
		fi
	done
}

# end NETNS DEVICE OWN PEER NUMBER PEER_NUMBER: one VTEP, both overlays with their static entries.
end() {
	ip -n "$1" -batch - <<-COMMANDS
		link set lo up
		link set dev $2 addrgenmode none
		address add $3/24 dev $2
		link set dev $2 up
		link add vx$vni address 02:f1:00:00:42:0$5 type vxlan id $vni dstport 4789 local $3 dev $2 nolearning
		link add vx$clear_vni address 02:f1:00:00:43:0$5 type vxlan id $clear_vni dstport 4789 local $3 dev $2 nolearning
		link set dev vx$vni addrgenmode none
		link set dev vx$clear_vni addrgenmode none
		address add 10.80.42.$5/24 dev vx$vni
		address add 10.80.43.$5/24 dev vx$clear_vni
		link set dev vx$vni up
		link set dev vx$clear_vni up
		neighbour replace 10.80.42.$6 lladdr 02:f1:00:00:42:0$6 nud permanent dev vx$vni
		neighbour replace 10.80.43.$6 lladdr 02:f1:00:00:43:0$6 nud permanent dev vx$clear_vni
	COMMANDS
	bridge -n "$1" -batch - <<-COMMANDS
		fdb append 02:f1:00:00:42:0$6 dev vx$vni dst $4
		fdb append 02:f1:00:00:43:0$6 dev vx$clear_vni dst $4
	COMMANDS
}

build() {
	ip -batch - <<-COMMANDS
		netns add $a
		netns add $b
		link add xa netns $a type veth peer name xb netns $b
	COMMANDS
	end "$a" xa $vtep_a $vtep_b 1 2
	end "$b" xb $vtep_b $vtep_a 2 1
}

state() {
	echo "xfrm state $1 src $2 dst $3 proto esp spi $4 reqid $5 mode transport auth hmac(sha1) $key enc ecb(cipher_null) \"\""
}

# policy VERB SRC DST SPI REQID MARK: what goes from one VTEP to the other is to be encrypted.
policy() {
	echo "xfrm policy $1 src $2/32 dst $3/32 proto udp dport 4789 dir out $6 tmpl src $2 dst $3 proto esp spi $4 reqid $5 mode transport"
}

# Each end gets its states first and its policy last.
encrypt() {
	{
		state add $vtep_a $vtep_b 0x1001 1
		state add $vtep_b $vtep_a 0x2001 2
		policy add $vtep_b $vtep_a 0x2001 2 ''
	} | ip -n "$b" -batch -
	{
		state add $vtep_b $vtep_a 0x2001 2
		state add $vtep_a $vtep_b 0x1001 1
		policy add $vtep_a $vtep_b 0x1001 1 "$mark"
	} | ip -n "$a" -batch -
}

# The receiver knows the new key before the sender uses it, and forgets the old one after.
rekey() {
	state add $vtep_a $vtep_b 0x1002 1 | ip -n "$b" -batch -
	{
		state add $vtep_a $vtep_b 0x1002 1
		policy update $vtep_a $vtep_b 0x1002 1 "$mark"
		echo "xfrm state delete src $vtep_a dst $vtep_b proto esp spi 0x1001"
	} | ip -n "$a" -batch -
	pass
	echo "xfrm state delete src $vtep_a dst $vtep_b proto esp spi 0x1001" | ip -n "$b" -batch -
}

pass() {
	# shellcheck disable=SC2086
	ip netns exec "$a" ping $ping_mark -c 2 -i 0.2 -W 10 -q 10.80.42.2 >/dev/null || {
		echo "xfrm-churn.sh: no answer through the encrypted overlay" >&2
		exit 1
	}
}

pass_clear() {
	ip netns exec "$a" ping -c 1 -W 10 -q 10.80.43.2 >/dev/null || {
		echo "xfrm-churn.sh: no answer through the clear overlay" >&2
		exit 1
	}
}

# The peer leaves: first nothing points at it any more, then its encryption goes.
leave() {
	bridge -n "$a" -batch - <<-COMMANDS
		fdb delete 02:f1:00:00:42:02 dev vx$vni dst $vtep_b
		fdb delete 02:f1:00:00:43:02 dev vx$clear_vni dst $vtep_b
	COMMANDS
	ip -n "$a" -batch - <<-COMMANDS
		xfrm policy delete src $vtep_a/32 dst $vtep_b/32 proto udp dport 4789 dir out $mark
		xfrm state delete src $vtep_a dst $vtep_b proto esp spi 0x1002
		xfrm state delete src $vtep_b dst $vtep_a proto esp spi 0x2001
	COMMANDS
}

fault() {
	printf '{"fault":"xfrm-%s","netns":"%s","src":"%s","dst":"%s","vni":%s%s}\n' "$mode" "$a" "$vtep_a" "$vtep_b" "$vni" "$1"
}

remove
[ "$keep" ] || trap remove EXIT
build
encrypt
[ "$mode" = rotation-race ] || pass
case $mode in
healthy)
	pass_clear
	rekey
	pass
	pass_clear
	leave
	;;
cleartext)
	fault ',"spi":"0x1001"'
	ip -n "$a" -batch - <<-COMMANDS
		xfrm policy delete src $vtep_a/32 dst $vtep_b/32 proto udp dport 4789 dir out
		xfrm state delete src $vtep_a dst $vtep_b proto esp spi 0x1001
	COMMANDS
	ip netns exec "$a" ping -c 2 -i 0.2 -W 1 -q 10.80.42.2 >/dev/null || true
	;;
in-use-delete)
	fault ',"spi":"0x1001"'
	echo "xfrm state delete src $vtep_a dst $vtep_b proto esp spi 0x1001" | ip -n "$a" -batch -
	;;
self)
	fault ',"spi":"0x3001"'
	state add $vtep_a $vtep_a 0x3001 3 | ip -n "$a" -batch -
	;;
dangling-policy)
	fault ',"spi":"0x9999"'
	policy update $vtep_a $vtep_b 0x9999 1 "$mark" | ip -n "$a" -batch -
	sleep 5.5
	state add $vtep_a 10.79.0.9 0x4001 4 | ip -n "$a" -batch -
	;;
double)
	fault ',"spi":"0x1001"'
	state add $vtep_a $vtep_b 0x1001 1 | ip -n "$a" -force -batch - 2>/dev/null || true
	ip -n "$a" -force -batch - 2>/dev/null <<-COMMANDS || true
		xfrm state delete src $vtep_a dst $vtep_b proto esp spi 0x7777
	COMMANDS
	;;
missing-state)
	ip -n "$b" xfrm state delete src $vtep_a dst $vtep_b proto esp spi 0x1001
	ip netns exec "$a" ping -c 2 -i 0.2 -W 1 -q 10.80.42.2 >/dev/null || true
	;;
rotation-race)
	ip netns exec "$a" "${FLIGHTRING_BUILT:?names the folder of xfrm-race}/xfrm-race" $vtep_a $vtep_b
	;;
*) usage ;;
esac
