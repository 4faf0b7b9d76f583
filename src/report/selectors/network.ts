// What lies in a network: devices, their addresses, neighbours, forwarding entries and VNIs.

import type { ObjectTable } from '../../model/objects.ts';
import {
  AT_DEVICE,
  AT_NETNS,
  atDevice,
  atNetns,
  bigOf,
  type Concerns,
  type Device,
  IN_NETNS,
  IP,
  isOn,
  namesAddress,
  namesDevice,
  namesNetns,
  numberOf,
  type ObjectForm,
  someField,
  words,
} from './form.ts';

/** What a violation calls the device of a neighbour or of an entry. */
const ON_DEVICE = '(?: (?:on|of) (?:ifindex|device) ([0-9]+)(?: (?:in )?\\(?netns ([0-9]+)\\)?)?)';
const MAC = '((?:[0-9a-f]{2}:){5}[0-9a-f]{2})';

function deviceOf(found: RegExpExecArray, at: number): Device {
  return { ifindex: numberOf(found[at]), netns: bigOf(found[at + 1]) };
}

const NEIGHBOUR = words(`neighbour[: ]${IP}${AT_DEVICE}`);
const NEIGHBOUR_WORDS = words(`neighbour ${IP}${ON_DEVICE}`);

export const NEIGHBOUR_FORM: ObjectForm = {
  form: 'neighbour:IP[@IFINDEX[:NETNS]]',
  parse(text) {
    const found = NEIGHBOUR.exec(text) ?? NEIGHBOUR_WORDS.exec(text);
    if (!found) return undefined;
    const [ip, device] = [(found[1] as string).toLowerCase(), deviceOf(found, 2)];
    return {
      type: 'neighbour',
      text: `neighbour:${ip}${atDevice(device)}`,
      matcher: () => (event) =>
        event.field('ip') !== undefined && event.text('ip') === ip && isOn(event, device),
    };
  },
};

const FDB = words(`fdb[: ]${MAC}${AT_DEVICE}`);
const FDB_WORDS = words(`fdb ${MAC}${ON_DEVICE}`);

/** A flush of its device may end it; neighbours on the device may resolve to it. */
export const FDB_FORM: ObjectForm = {
  form: 'fdb:MAC[@IFINDEX[:NETNS]]',
  parse(text) {
    const found = FDB.exec(text) ?? FDB_WORDS.exec(text);
    if (!found) return undefined;
    const [mac, device] = [(found[1] as string).toLowerCase(), deviceOf(found, 2)];
    return {
      type: 'fdb',
      text: `fdb:${mac}${atDevice(device)}`,
      matcher: () => (event) =>
        isOn(event, device) &&
        (event.kind === 'vxlan_flush' || someField(event, 'mac', (name) => event.text(name) === mac)),
    };
  },
};

const VNI = words(`vni[: ]([0-9]+)(?:${AT_NETNS}|${IN_NETNS})`);

/** The namespace is that of the device or of its UDP socket: a device may have been moved. */
export const VNI_FORM: ObjectForm = {
  form: 'vni:N[@netns:N]',
  parse(text) {
    const found = VNI.exec(text);
    if (!found) return undefined;
    const [vni, netns] = [Number(found[1]), bigOf(found[2] ?? found[3])];
    return {
      type: 'vni',
      text: `vni:${vni}${atNetns(netns)}`,
      matcher: () => (event) =>
        event.field('vni') !== undefined &&
        (event.u32('vni') === vni || event.u32('remote_vni') === vni) &&
        (netns === null || namesNetns(event, netns)),
    };
  },
};

const DEVICE = words('device[: ]([0-9]+)(?::([0-9]+))?');
/** `eth0 (ifindex 5, netns 3)`. */
const DEVICE_WORDS = '(?:a device|\\S+) \\(ifindex ([0-9]+), netns ([0-9]+)\\)';
const NAMED_DEVICE = words(DEVICE_WORDS);

export const DEVICE_FORM: ObjectForm = {
  form: 'device:IFINDEX[:NETNS]',
  parse(text) {
    const found = DEVICE.exec(text) ?? NAMED_DEVICE.exec(text);
    if (!found) return undefined;
    const device = deviceOf(found, 1);
    return {
      type: 'device',
      text: `device:${atDevice(device).slice(1)}`,
      matcher: (objects) => matchDevice(device, objects),
    };
  },
};

function matchDevice(device: Device, objects: ObjectTable): Concerns {
  const parts = new Set<number>();
  for (let index = 0; index < objects.length; index++) {
    const entry = objects.get(index);
    if (entry?.ifindex === device.ifindex && (device.netns === null || entry.netns === device.netns))
      parts.add(index);
  }
  return (event) =>
    namesDevice(event, device) || (event.field('object') !== undefined && parts.has(event.u32('object')));
}

const ADDRESS = words(`address[: ]${IP}(?:,${IP})?(?:${AT_NETNS}|${AT_DEVICE})`);
const ADDRESS_OF_DEVICE = words(`${IP} of ${DEVICE_WORDS}`);
/** A bridge isn't the device that has the address; VTEPs are known by their addresses alone. */
const ADDRESS_BEHIND = words(`${IP} on bridge ifindex [0-9]+${IN_NETNS}`);
const VTEPS = words(`VTEPs? ${IP}(?: and ${IP})?${IN_NETNS}`);
const WIRE = words(`${IP} to ${IP}`);

export const ADDRESS_FORM: ObjectForm = {
  form: 'address:IP[,IP][@netns:N or @IFINDEX[:NETNS]]',
  parse(text) {
    const typed = ADDRESS.exec(text);
    if (typed) {
      const device = deviceOf(typed, 4);
      return address([typed[1], typed[2]], { ...device, netns: device.netns ?? bigOf(typed[3]) });
    }
    const ofDevice = ADDRESS_OF_DEVICE.exec(text);
    if (ofDevice) return address([ofDevice[1]], deviceOf(ofDevice, 2));
    const behind = ADDRESS_BEHIND.exec(text);
    if (behind) return address([behind[1]], { ifindex: null, netns: null });
    const vteps = VTEPS.exec(text) ?? WIRE.exec(text);
    if (vteps) return address([vteps[1], vteps[2]], { ifindex: null, netns: bigOf(vteps[3]) });
    return undefined;
  },
};

/** Events that speak of all these addresses. */
function address(given: readonly (string | undefined)[], device: Device): ReturnType<ObjectForm['parse']> {
  const ips = given.filter((ip) => ip !== undefined).map((ip) => ip.toLowerCase());
  return {
    type: 'address',
    text: `address:${ips.join(',')}${atDevice(device)}`,
    matcher: () => (event) =>
      ips.every((ip) => namesAddress(event, ip)) &&
      (device.ifindex === null
        ? device.netns === null || namesNetns(event, device.netns)
        : namesDevice(event, device)),
  };
}
