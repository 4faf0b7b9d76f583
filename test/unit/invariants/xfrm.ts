// Two VTEPs with SAs and policies between them, and a short way to say what was done with those.

import type { EventSpec } from '../batch.ts';
import { Story } from './setup.ts';

type Fields = Readonly<Record<string, number | bigint | string>>;

export const HERE = '10.0.0.1';
export const PEER = '10.0.0.2';
export const NETNS = 4097;
/** Requesters: one process each. */
export const AGENT = { tid: 101, pid: 100, portid: 4001 };
export const OTHER = { tid: 201, pid: 200, portid: 4002 };
export const KERNEL = { tid: 9, pid: 9, portid: 0 };
export const EXPIRED = 4;
export const REPLACED = 2;
const REQUEST = 1;
export const SECOND_NS = 1e9;

const STATE = {
  netns: NETNS,
  saddr: HERE,
  daddr: PEER,
  spi: 0x1001,
  proto: 50,
  reqid: 1,
  family: 2,
  state: 2,
};
const POLICY = {
  netns: NETNS,
  saddr: HERE,
  daddr: PEER,
  saddr_prefix: 32,
  daddr_prefix: 32,
  tmpl_saddr: HERE,
  tmpl_daddr: PEER,
  tmpl_spi: 0x1001,
  reqid: 1,
  proto: 50,
  sel_proto: 17,
  dport: 4789,
  family: 2,
  direction: 1,
  index: 1,
};

export class Overlay {
  readonly story = new Story();

  get events(): readonly EventSpec[] {
    return this.story.events;
  }

  on(cpu: number): this {
    this.story.on(cpu);
    return this;
  }
  after(ns: number): this {
    this.story.after(ns);
    return this;
  }
  say(kind: string, fields: Fields): this {
    this.story.say(kind, fields);
    return this;
  }
  gap(): this {
    this.story.gap();
    return this;
  }
  addState(spi = 0x1001, who: Fields = AGENT, more: Fields = {}): this {
    return this.say('xfrm_state_add', { ...STATE, ...who, spi, ...more });
  }
  deleteState(spi = 0x1001, who: Fields = AGENT, more: Fields = {}): this {
    return this.say('xfrm_state_delete', { ...STATE, ...who, spi, cause: REQUEST, ...more });
  }
  stateExists(spi = 0x1001): this {
    return this.say('xfrm_state_exists', { ...STATE, spi });
  }
  addPolicy(who: Fields = AGENT, more: Fields = {}): this {
    return this.say('xfrm_policy_add', { ...POLICY, ...who, ...more });
  }
  deletePolicy(who: Fields = AGENT, more: Fields = {}): this {
    return this.say('xfrm_policy_delete', { ...POLICY, ...who, cause: REQUEST, ...more });
  }
  policyExists(more: Fields = {}): this {
    return this.say('xfrm_policy_exists', { ...POLICY, ...more });
  }
  /** Packets of a VNI that a state encrypted. */
  encrypted(vni = 42, more: Fields = {}): this {
    return this.say('xfrm_traffic', { ...STATE, vni, has_vni: 1, direction: 1, packets: 1, ...more });
  }
  /** Packets of a VNI that left in the clear. */
  clear(vni = 42, more: Fields = {}): this {
    return this.say('xfrm_wire', {
      netns: NETNS,
      ifindex: 2,
      device: 'eth0',
      src: HERE,
      dst: PEER,
      dport: 4789,
      family: 2,
      vni,
      packets: 1,
      ...more,
    });
  }
  request(request: number, result: number, who: Fields = AGENT, more: Fields = {}): this {
    return this.say('xfrm_request', { ...STATE, ...who, request, result, ...more });
  }
}
