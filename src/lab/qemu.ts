// Starts QEMU with its serial ports on inherited sockets, in a way that it never outlives this process.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { cpus } from 'node:os';

import { LabError } from '../model/errors.ts';
import { deferred } from './command.ts';
import { dataFolders } from './emulator.ts';
import { controlPort, hostTag, shareTag, stderrPort, stdoutPort } from './guest.ts';

export interface MachineOptions {
  /** The program, by name or path. */
  readonly emulator: string;
  readonly kernelImage: string;
  readonly initramfs: string;
  readonly shareDir: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly slots: number;
  /** Pairs of network cards, each joined back to back. */
  readonly wires: number;
  /** Removed by the supervisor once QEMU has gone. */
  readonly runDir: string;
  readonly extraKernelArguments: readonly string[];
}

export interface Machine {
  /** Of the shell that QEMU is a child of. */
  readonly pid: number | undefined;
  readonly console: Socket;
  /** QEMU's human monitor. */
  readonly monitor: Socket;
  readonly control: Socket;
  readonly stdout: readonly Socket[];
  readonly stderr: readonly Socket[];
  /** Settles when QEMU has gone, with what QEMU itself had to say. */
  readonly exited: Promise<string>;
  kill(): void;
}

const kernelArguments = [
  'console=ttyS0',
  'quiet',
  'panic=-1',
  'rdinit=/init',
  // Without tsc the emulated HPET serialises every clock read, and with it the vCPUs.
  'tsc=reliable',
  'clocksource=tsc',
  // Checks and probes of hardware that is not there, and guards against leaks that an emulated CPU has not.
  'no_timer_check',
  'i8042.noaux',
  'i8042.nokbd',
  'cryptomgr.notests',
  'mitigations=off',
  // For a guest that stands still (facts.ts): SysRq over the serial line, and a backtrace at a non-maskable interrupt.
  'sysrq_always_enabled',
  'unknown_nmi_panic',
];
// Debian's CONFIG_HZ.
const jiffiesPerSecond = 250;
// Starts a kernel in a third of SeaBIOS's time; comes with QEMU.
const quickFirmware = '/usr/share/qemu/qboot.rom';

const lifelineFd = 3;
const consoleFd = 4;
const controlFd = 5;
const monitorFd = 6;
const slotFd = (slot: number): number => 7 + 2 * slot;

/*
 * QEMU 7 cannot be told to die with its parent. So a shell holds one end of a socket whose other end only this process has:
 * when that closes, however this process ended, the shell kills QEMU and removes the run directory.
 */
const supervisor = `
run_dir=$1
shift
# What the shell says of a killed QEMU may find nobody listening.
trap '' PIPE
"$@" 3<&- &
qemu=$!
{ read -r _ <&3; kill -KILL $qemu; } >/dev/null 2>&1 &
lifeline=$!
wait $qemu
code=$?
kill $lifeline 2>/dev/null
rm -rf "$run_dir"
exit $code
`;

export function startMachine(options: MachineOptions): Machine {
  const pipes = Array.from({ length: slotFd(options.slots) }, (_, fd) => (fd === 0 ? 'ignore' : 'pipe'));
  // Its own session: Ctrl-C reaches this process only, which decides what becomes of the guest.
  const child = spawn('sh', ['-c', supervisor, 'flightring-lab', options.runDir, ...qemuCommand(options)], {
    stdio: pipes as ('ignore' | 'pipe')[],
    detached: true,
  });
  const exited = watchExit(child);
  const slots = Array.from({ length: options.slots }, (_, slot) => slot);
  return {
    pid: child.pid,
    console: socketAt(child, consoleFd),
    monitor: socketAt(child, monitorFd),
    control: socketAt(child, controlFd),
    stdout: slots.map((slot) => socketAt(child, slotFd(slot))),
    stderr: slots.map((slot) => socketAt(child, slotFd(slot) + 1)),
    exited,
    kill: () => void socketAt(child, lifelineFd).destroy(),
  };
}

function qemuCommand(options: MachineOptions): string[] {
  const ports = Array.from({ length: options.slots }, (_, slot) => [
    ...serialPort(stdoutPort(slot), slotFd(slot)),
    ...serialPort(stderrPort(slot), slotFd(slot) + 1),
  ]).flat();
  return [
    options.emulator,
    ...dataFolders(options.emulator),
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-no-reboot',
    '-name',
    'flightring-lab,debug-threads=on',
    '-machine',
    'q35,usb=off,vmport=off',
    '-accel',
    'tcg,thread=multi',
    '-cpu',
    'max',
    '-smp',
    String(options.cpus),
    '-m',
    `${options.memoryMiB}M`,
    '-kernel',
    options.kernelImage,
    '-initrd',
    options.initramfs,
    ...(existsSync(quickFirmware) ? ['-bios', quickFirmware] : []),
    '-append',
    [...kernelArguments, ...delayArguments(), ...options.extraKernelArguments].join(' '),
    '-chardev',
    `socket,id=console,fd=${consoleFd}`,
    '-serial',
    'chardev:console',
    '-chardev',
    `socket,id=monitor,fd=${monitorFd}`,
    '-mon',
    'chardev=monitor,mode=readline',
    '-device',
    'virtio-rng-pci',
    ...sharedFolder(hostTag, '/', 'readonly=on'),
    ...sharedFolder(shareTag, options.shareDir, 'writeout=immediate'),
    '-device',
    'virtio-serial-pci,max_ports=31',
    ...serialPort(controlPort, controlFd),
    ...ports,
    ...Array.from({ length: options.wires }, (_, wire) => wirePair(wire + 1)).flat(),
  ];
}

/**
 * Two cards on a hub that has no other port; their addresses say which is which: 02:f1:00:00:WIRE:END. AF_XDP goes
 * through this card without a copy if its driver maps memory for it, as with iommu_platform (docs/xsk-zerocopy.md).
 */
function wirePair(wire: number): string[] {
  return [1, 2].flatMap((end) => {
    const id = `wire${wire}end${end}`;
    const mac = `02:f1:00:00:${hexByte(wire)}:${hexByte(end)}`;
    return [
      '-netdev',
      `hubport,id=${id},hubid=${wire}`,
      '-device',
      `virtio-net-pci,disable-legacy=on,iommu_platform=on,romfile=,netdev=${id},mac=${mac}`,
    ];
  });
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

/** Half a second of delay loop calibration, known beforehand: the emulated TSC counts as the host's does. */
function delayArguments(): string[] {
  const megahertz = cpus()[0]?.speed ?? 0;
  return megahertz > 0 ? [`lpj=${Math.round((megahertz * 1e6) / jiffiesPerSecond)}`] : [];
}

function sharedFolder(tag: string, path: string, more: string): string[] {
  const escaped = path.replaceAll(',', ',,');
  return [
    '-fsdev',
    `local,id=${tag},path=${escaped},security_model=none,multidevs=remap,${more}`,
    '-device',
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
}

function serialPort(port: number, fd: number): string[] {
  return [
    '-chardev',
    `socket,id=port${port},fd=${fd}`,
    '-device',
    `virtserialport,nr=${port},chardev=port${port}`,
  ];
}

function socketAt(child: ChildProcess, fd: number): Socket {
  const stream = child.stdio[fd];
  if (!(stream instanceof Socket))
    throw new LabError('LAB_BOOT_FAILED', `QEMU was started without file descriptor ${fd}`);
  // A guest that dies resets its sockets; `exited` reports that once, for all of them.
  if (stream.listenerCount('error') === 0) stream.on('error', () => stream.destroy());
  return stream;
}

function watchExit(child: ChildProcess): Promise<string> {
  const { promise, resolve } = deferred<string>();
  let said = '';
  const listen = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-4_000);
  };
  child.stdout?.on('data', listen);
  child.stderr?.on('data', listen);
  child.on('error', (cause) => resolve(String(cause)));
  child.on('close', () => resolve(said.trim()));
  child.on('exit', () => child.stdio[lifelineFd]?.destroy());
  return promise;
}
