// link.advertised-too-early: silent through a forwarding port; a silent port and a missing carrier are told once, with the port.

import { describe, expect, it } from 'vitest';
import advertisedTooEarly from '../../../src/invariants/link/advertised-too-early.ts';
import { FORWARDING, LISTENING, Sandbox } from './link-setup.ts';
import { check, evidenceOf } from './setup.ts';

const EARLY =
  'thread 201 of process 200 advertised 172.31.0.2 at 02:f3:00:00:00:01 on eth0 (ifindex 3, netns 4099), 0.0 ms after it went up, but its bridge port vetha (ifindex 4, netns 4098) is LISTENING, not FORWARDING: nobody hears it';

describe('link.advertised-too-early', () => {
  it('is silent when the port forwards, when there is none, and when its state is not known', () => {
    const story = new Sandbox().up().port(FORWARDING).advertise().advertise();
    story.advertise({ port_state: 255, peer_ifindex: 0 }).advertise({ port_state: 254 });
    expect(check(advertisedTooEarly, [story.events]).sentences).toEqual([]);
  });

  it('tells of a port that listens, once however often it is repeated', () => {
    const story = new Sandbox().up().port(LISTENING);
    story.advertise({ port_state: LISTENING }).advertise({ port_state: LISTENING });
    story.port(FORWARDING).advertise();
    const { violations } = check(advertisedTooEarly, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([EARLY]);
    expect(violations[0]?.object).toBe('eth0 (ifindex 3, netns 4099)');
    expect(evidenceOf(violations[0])).toEqual(['0:1 link_up', '0:3 link_port_state', '0:5 link_advertise']);
  });

  it('tells again when it happens again', () => {
    const story = new Sandbox().advertise({ port_state: LISTENING }).advertise();
    story.advertise({ port_state: 4 });
    expect(check(advertisedTooEarly, [story.events]).sentences).toHaveLength(2);
  });

  it('tells of a missing carrier, and from whom it would come', () => {
    const story = new Sandbox().advertise({ carrier: 0, port_state: 0 });
    story.advertise({ carrier: 0, port_state: 255, peer_ifindex: 0, ip: '172.31.0.3' });
    const { sentences } = check(advertisedTooEarly, [story.events]);
    expect(sentences[0]).toContain(
      'but it has no carrier yet from vetha (ifindex 4, netns 4098): the packet is thrown away',
    );
    expect(sentences[1]).toContain('but it has no carrier yet: the packet is thrown away');
  });

  it('needs no history: after a gap it leaves out what it no longer knows', () => {
    const story = new Sandbox().up().port(LISTENING).gap().advertise({ port_state: LISTENING });
    const { violations, counts } = check(advertisedTooEarly, [story.events]);
    expect(violations[0]?.sentence).toBe(EARLY.replace(', 0.0 ms after it went up', ''));
    expect(evidenceOf(violations[0])).toHaveLength(1);
    expect(counts.unknown).toBe(2);
  });

  it('tells again of a device that went up anew, or has the number of one that is gone', () => {
    const story = new Sandbox()
      .up()
      .advertise({ port_state: LISTENING })
      .up()
      .advertise({ port_state: LISTENING });
    story.say('link_unregister', { netns: 4099, ifindex: 3 }).advertise({ port_state: LISTENING });
    expect(check(advertisedTooEarly, [story.events]).sentences).toHaveLength(3);
  });
});
