// The two shell programs that run inside the lab: the initramfs's init, and the agent that runs commands.

import { basename, join } from 'node:path';

import { heartbeatSeconds } from './heartbeat.ts';
import { shellQuote } from './shell.ts';

export interface GuestSetup {
  readonly kernelVersion: string;
  /** `lib/modules/VERSION` as the host sees it. */
  readonly modulesDir: string;
  /** Boot modules as they are named in the initramfs, in load order. */
  readonly bootModules: readonly string[];
  /** Modules to load before the first command. */
  readonly modules: readonly string[];
  /** Host folders that the guest's own /tmp, /run or /dev would hide. */
  readonly expose: readonly string[];
  readonly slots: number;
}

export const hostTag = 'host';
export const shareTag = 'share';
export const guestShareDir = '/run/flightring-share';
/** virtio-serial port numbers (0 is reserved): control, then stdout and stderr of each slot. */
export const controlPort = 1;
export const stdoutPort = (slot: number): number => 2 + 2 * slot;
export const stderrPort = (slot: number): number => 3 + 2 * slot;

const guestDir = '/run/flightring';

/** PID 1 until switch_root: loads what 9p needs and builds the root out of the host's. */
export function initScript(setup: GuestSetup): string {
  const modulesTarget = join('/newroot/lib/modules', setup.kernelVersion);
  const insmods = setup.bootModules.map(
    (path) => `insmod /modules/${basename(path)} || die "module ${basename(path)}"`,
  );
  const exposed = setup.expose.map((dir, index) => `expose ${index} ${shellQuote(dir)}`);
  return `#!/bin/busybox sh
die() {
	echo "flightring lab: failed: $*" >/dev/console
	echo o >/proc/sysrq-trigger
	sleep 60
}
need() { "$@" || die "$*"; }
layered() {
	mkdir -p /layer/$1/upper /layer/$1/work "$3"
	need mount -t overlay -o lowerdir="$2",upperdir=/layer/$1/upper,workdir=/layer/$1/work overlay "$3"
}
expose() { [ -d "/host$2" ] && layered "expose-$1" "/host$2" "/newroot$2"; }

/bin/busybox mkdir -p /proc /sys /dev /host /layer /newroot
/bin/busybox mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
${insmods.join('\n')}

need mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose,access=any ${hostTag} /host
need mount -t tmpfs -o mode=755 layer /layer
layered root /host /newroot

need mount --move /dev /newroot/dev
mkdir -p /newroot/dev/pts /newroot/dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /newroot/dev/pts
mount -t tmpfs -o mode=1777 shm /newroot/dev/shm
ln -sf /proc/self/fd /newroot/dev/fd
ln -sf /proc/self/fd/0 /newroot/dev/stdin
ln -sf /proc/self/fd/1 /newroot/dev/stdout
ln -sf /proc/self/fd/2 /newroot/dev/stderr
need mount -t tmpfs -o mode=755 run /newroot/run
need mount -t tmpfs -o mode=1777 tmp /newroot/tmp
need mount -t proc proc /newroot/proc
need mount -t sysfs sysfs /newroot/sys
mount -t bpf -o mode=700 bpf /newroot/sys/fs/bpf
mount -t debugfs debugfs /newroot/sys/kernel/debug
mount -t tracefs tracefs /newroot/sys/kernel/tracing
mount -t securityfs securityfs /newroot/sys/kernel/security
mount -t cgroup2 cgroup2 /newroot/sys/fs/cgroup
${exposed.join('\n')}

mkdir -p ${modulesTarget}
need mount -o bind ${shellQuote(join('/host', setup.modulesDir))} ${modulesTarget}
mkdir -p /newroot${guestDir} /newroot${guestShareDir}
need mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=mmap,access=any ${shareTag} /newroot${guestShareDir}
cp /bin/busybox /agent /newroot${guestDir}/
# As PID 1, so that the kernel's own modprobe helper sees the new root too (kthreads share PID 1's fs_struct).
exec switch_root /newroot ${guestDir}/busybox sh ${guestDir}/agent
`;
}

/** PID 1 from then on: reaps orphans, and powers off when the agent or the host goes away. */
export function agentScript(setup: GuestSetup): string {
  const slots = Array.from({ length: setup.slots }, (_, slot) => slot);
  const lastPort = stderrPort(setup.slots - 1);
  const modprobe =
    setup.modules.length === 0 ? '' : `need /sbin/modprobe -a ${setup.modules.map(shellQuote).join(' ')}`;
  return `cd /
power_off() {
	echo o >/proc/sysrq-trigger
	sleep 60
}
need() {
	"$@" && return
	echo "flightring lab: failed: $*" >/dev/console
	power_off
}
hostname flightring-lab
# Held on, so that switching them never rewrites the branch in bpf_trace_run (docs/adr/0010-the-lab.md, "Standing still").
echo 1 >/proc/sys/kernel/bpf_stats_enabled
ifconfig lo up
${modprobe}
# The controller's number depends on the order in which PCI devices were found.
tries=0
until last=$(echo /dev/vport*p${lastPort}) && [ -c "$last" ]; do
	tries=$((tries + 1))
	[ $tries -gt 200 ] && need [ -c "$last" ]
	sleep 0.05
done
port=\${last%${lastPort}}
# Commands write into fifos that never end, so that a daemon left behind neither blocks nor is cut off.
for slot in ${slots.join(' ')}; do
	mkfifo ${guestDir}/$slot.out ${guestDir}/$slot.err
	cat <>${guestDir}/$slot.out >$port$((2 + 2 * slot)) &
	cat <>${guestDir}/$slot.err >$port$((3 + 2 * slot)) &
done

newline='
'
start() {
	(
		slot=$1 mark=$2
		shift 2
		exec 3>&-
		setsid /usr/bin/env -i --default-signal=INT,QUIT "$@" </dev/null >${guestDir}/$slot.out 2>${guestDir}/$slot.err &
		echo $! >${guestDir}/$slot.pid
		wait $!
		code=$?
		printf '\\036%s %d\\n' $mark $code >${guestDir}/$slot.out
		printf '\\036%s %d\\n' $mark $code >${guestDir}/$slot.err
	) &
}
stop() { kill -$2 -- -$(cat ${guestDir}/$1.pid); }
agent() {
	exec 3<>\${port}${controlPort}
	echo "ready $(uname -r)" >&3
	# The sleep is busybox's own: it must not wait for the host's files.
	while ${guestDir}/busybox sleep ${heartbeatSeconds}; do
		read -r up _ </proc/uptime
		read -r load </proc/loadavg
		echo "alive up $up s, load $load" >&3
	done &
	while IFS= read -r line <&3; do eval "$line"; done
	# End of file: the host has closed its end.
	power_off
}
agent &
# Returns only when every child has gone; meanwhile it reaps orphans.
while :; do wait; done
`;
}
