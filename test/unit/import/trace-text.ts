// Traces as the kernel would print them, of an AF_XDP application that says its frames' moves.

export interface TraceOptions {
  readonly packets: number;
  /** The kernel's receive and transmit probes are in it. Default true. */
  readonly probes?: boolean;
  /** Number of the packet after which its frame is put into FILL twice. */
  readonly doubleFill?: number;
  /** Number of the packet that the application reads as an old descriptor. */
  readonly stale?: number;
  readonly decimals?: 6 | 9;
  readonly line?: (event: TraceEvent) => string;
}

export interface TraceEvent {
  readonly comm: string;
  readonly tid: number;
  readonly cpu: number;
  readonly ns: number;
  readonly event: string;
  readonly body: string;
  readonly decimals: 6 | 9;
}

export const HEADER = `# tracer: nop
#
# entries-in-buffer/entries-written: 100/100   #P:2
#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
`;

const FRAMES = 32;

export function seconds(ns: number, decimals: 6 | 9): string {
  const digits = String(ns % 1e9).padStart(9, '0');
  return `${Math.floor(ns / 1e9)}.${digits.slice(0, decimals)}`;
}

/** A line as `trace` has it. */
export function ftraceLine({ comm, tid, cpu, ns, event, body, decimals }: TraceEvent): string {
  const cpuText = String(cpu).padStart(3, '0');
  return `${comm.padStart(16)}-${String(tid).padEnd(7)} [${cpuText}] d..1. ${seconds(ns, decimals)}: ${event}: ${body}`;
}

/** Lines in order of time: every packet comes in on `ingress` and leaves on `egress`. */
export function* traceLines(options: TraceOptions): Generator<string, void, undefined> {
  const { packets, probes = true, decimals = 6, line = ftraceLine } = options;
  let ns = 100_000_000_000;
  const app = { comm: 'forward-er q0', tid: 4242, cpu: 1, decimals };
  const say = (body: string) => line({ ...app, ns: (ns += 3000), event: 'tracing_mark_write', body });
  const probe = (event: string, body: string, cpu: number) =>
    line({ comm: 'iperf 2-3', tid: 77, cpu, ns: (ns += 3000), event, body, decimals });
  const chunk = (packet: number) => (packet % FRAMES) * 4096;
  const hex = (address: number) => `0x${address.toString(16)}`;
  for (let i = 0; i < FRAMES; i++) yield say(`ingress q:0 ${hex(chunk(i))} NEW -> FILL`);
  for (let i = 0; i < packets; i++) {
    const address = hex(chunk(i) + 256);
    const xs = 'xs=0xffff888101234400';
    if (probes)
      yield probe(
        '__xsk_rcv_zc_L7',
        `(__xsk_rcv_zc+0x9b/0x250) addr=${address} len=0x3c ${xs}`,
        (i >> 3) % 2,
      );
    const seen = i === options.stale ? hex(chunk(i + 9) + 256) : address;
    yield say(
      `ingress q:0 ${seen} FILL -> RX${i === options.stale ? `: expected ${address} remaining: [1100, 2100]` : ''}`,
    );
    if (i === options.stale) continue;
    yield say(`egress q:0 ${address} RX -> TX`);
    if (probes) yield probe('xp_raw_get_data', `(xp_raw_get_data+0x0/0x60) addr=${address}`, 1);
    yield say(`egress q:0 ${address} TX -> COMP`);
    yield say(`ingress q:0 ${hex(chunk(i))} COMP -> FILL`);
    if (i === options.doubleFill) yield say(`ingress q:0 ${hex(chunk(i))} FILL -> FILL`);
  }
}

export function traceText(options: TraceOptions): string {
  return `${HEADER}${[...traceLines(options)].join('\n')}\n`;
}
