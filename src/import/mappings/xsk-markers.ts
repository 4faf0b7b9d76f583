// The mapping for AF_XDP: kernel receive, transmit and flush probes, and an application's markers of its frames' moves.

export default String.raw`# AF_XDP: probes in the kernel's receive, transmit and flush paths, and markers of an application that says of every frame
# from which ring it takes it and into which it puts it:
#
#     ingress q:1 0x16ce900 FILL -> RX
#
# Device and queue are those of the ring that the frame goes to; where the application believes it to come from is only
# shown to whoever reads the trace. A marker of FILL or TX must be written before the entry is
# published, or the kernel's event may come first.
description = "AF_XDP: receive, transmit and flush probes, and markers of a frame's moves"

# What else the application says of its frames, and events that only say who ran.
ignore = ["sched_*", "sched:*", "irq_*", "softirq_*", "irq:*", "napi_poll", "napi:*"]
ignore_markers = ['0x[0-9a-f]{1,16} \S{1,64}']

# The frames' size is learned: 4096 bytes, or 2048 if an address lies in the second half of such a chunk.
[umem]
chunk_size = "learn"
size = "learn"

# Markers name a socket by device and queue, probes by its address in the kernel. Which is which is learned from the
# frames that the kernel receives into one and the application gets from the other.
[port]
by = ["device", "queue"]
pointer = "xs"

# perf probe -a '__xsk_rcv_zc:7 addr len xs', or a kprobe event of that name or xsk_rcv.
[[event]]
name = ["__xsk_rcv_zc", "__xsk_rcv_zc_L*", "xsk_rcv"]
kind = "xsk_rx_write"
fields = { addr = "addr", len = "len" }

# perf probe -a 'xp_raw_get_data:0 addr': the kernel takes a packet from TX.
[[event]]
name = ["xp_raw_get_data", "xp_raw_get_data_L*"]
kind = "xsk_tx_take"
fields = { addr = "addr" }

# perf probe -a 'xsk_flush:0 xs'
[[event]]
name = ["xsk_flush", "xsk_flush_L*", "__xsk_map_flush"]
kind = "xsk_flush"

# The application saw an RX entry. If the trace has no receive into it, one is made up in front of it.
[[marker]]
text = '(?<device>[\w.:@-]{1,15}) q:(?<queue>\d{1,5}) (?<addr>0x[0-9a-fA-F]{1,16}) \w{1,16} (?:->|→) RX(?:$|[:\s])'
kind = "xsk_rx_publish"
fields = { addr = "addr" }

[[marker]]
text = '(?<device>[\w.:@-]{1,15}) q:(?<queue>\d{1,5}) (?<addr>0x[0-9a-fA-F]{1,16}) \w{1,16} (?:->|→) TX(?:$|[:\s])'
kind = "xsk_tx_submit"
fields = { addr = "addr" }

[[marker]]
text = '(?<device>[\w.:@-]{1,15}) q:(?<queue>\d{1,5}) (?<addr>0x[0-9a-fA-F]{1,16}) \w{1,16} (?:->|→) COMP(?:$|[:\s])'
kind = "xsk_comp_submit"
fields = { addr = "addr" }

[[marker]]
text = '(?<device>[\w.:@-]{1,15}) q:(?<queue>\d{1,5}) (?<addr>0x[0-9a-fA-F]{1,16}) \w{1,16} (?:->|→) FILL(?:$|[:\s])'
kind = "xsk_fill_submit"
fields = { addr = "addr" }
`;
