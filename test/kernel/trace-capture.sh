#!/bin/sh
# In the lab: runs the forwarder with its markers under probes set through tracefs, and keeps the kernel's own text of it.
# usage: trace-capture.sh OUT NAME PACKETS BUFFER_KB [OPTIONS OF xsk-forwarder]
set -eu

out=$1
name=$2
packets=$3
buffer=$4
shift 4
here=$(dirname "$0")
built=$here/../../build/workloads
# In a namespace, ip netns exec mounts a /sys of its own, without tracefs.
trace=/run/flightring-tracefs

if [ ! -e "$trace/trace" ]; then
	mkdir -p "$trace"
	mount -t tracefs tracefs "$trace"
fi

# Offset of xdp_buff_xsk.orig_addr, in bytes, from the kernel's own types.
offset=$(bpftool btf dump file /sys/kernel/btf/vmlinux format raw |
	awk "/STRUCT 'xdp_buff_xsk'/ { found = 1 } found && /'orig_addr'/ { sub(/.*bits_offset=/, \"\"); print \$1 / 8; exit }")

echo 0 >"$trace/tracing_on"
echo 0 >"$trace/events/enable"
echo >"$trace/kprobe_events"
echo >"$trace/trace"
echo 1 >"$trace/options/record-tgid"
echo 1 >"$trace/options/irq-info"
echo "$buffer" >"$trace/buffer_size_kb"
echo "p:xsk_rcv __xsk_rcv_zc addr=+$offset(%si):x64 len=%dx:u32 xs=%di:x64" >>"$trace/kprobe_events"
echo 'p:xp_raw_get_data xp_raw_get_data addr=%si:x64' >>"$trace/kprobe_events"
echo 'r:rcv_done __xsk_rcv_zc result=$retval:s32' >>"$trace/kprobe_events"
# Where the compiler has kept it as a function.
echo 'p:xsk_flush xsk_flush xs=%di:x64' >>"$trace/kprobe_events" 2>/dev/null ||
	echo 'p:__xsk_map_flush __xsk_map_flush' >>"$trace/kprobe_events"
echo 1 >"$trace/events/kprobes/enable"

sh "$here/../workloads/veth-topology.sh" up
rm -f /tmp/capture-ready /tmp/capture-tally
echo 1 >"$trace/tracing_on"
ip netns exec fr-outer "$built/xsk-forwarder" --ready-file /tmp/capture-ready --ring-size 32 --queues 1 \
	--trace-marker "$trace/trace_marker" --stats "$@" >"$out/$name.stats" &
forwarder=$!
while [ ! -e /tmp/capture-ready ]; do
	kill -0 "$forwarder"
	sleep 0.1
done
ip netns exec fr-right "$built/udp-traffic" recv --tally-file /tmp/capture-tally >/dev/null &
receiver=$!
sleep 0.5
ip netns exec fr-left "$built/udp-traffic" send --to 10.77.0.2 --count "$packets" --rate 200 \
	--tally-file /tmp/capture-tally --window 16 >/dev/null
sleep 0.5
kill "$receiver"
kill "$forwarder"
wait "$forwarder" || true
echo 0 >"$trace/tracing_on"
echo 0 >"$trace/events/kprobes/enable"
sh "$here/../workloads/veth-topology.sh" down

cat "$trace/trace" >"$out/$name.trace.txt"
echo 0 >"$trace/options/irq-info"
echo 0 >"$trace/options/record-tgid"
cat "$trace/trace" >"$out/$name.bare.txt"
echo 1 >"$trace/options/irq-info"
# It takes out what it prints, and at the end waits for more.
timeout 3 cat "$trace/trace_pipe" >"$out/$name.trace_pipe.txt" || true
