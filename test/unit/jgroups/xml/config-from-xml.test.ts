import test, { type ExecutionContext } from 'ava';

import { GEODE_MULTICAST_STACK, GEODE_STACK, UDP_XML_STACK } from '../../../../src/jgroups/config.ts';
import { jgroupsConfigFromXml, type JGroupsXmlOptions } from '../../../../src/jgroups/xml/config-from-xml.ts';
import { LocalProtocolError } from '../../../../src/protocol/errors.ts';
import { GEODE_LIKE, stackOf, UDP_LIKE } from './samples.ts';

function fails(t: ExecutionContext, text: string, message: RegExp, options: JGroupsXmlOptions = {}): void {
  const error = t.throws(() => jgroupsConfigFromXml(text, { file: 'a.xml', ...options }), {
    instanceOf: LocalProtocolError,
    code: 'ERR_XML',
  });
  t.regex(error.message, message);
}

const MULTICAST = { 'mcast-port': '10334', 'bind-address': '10.1.2.3' };

test("Geode's file with gemfire properties is Geode's stack", (t) => {
  const { config, socket, notRun, warnings } = jgroupsConfigFromXml(GEODE_LIKE, { gemfire: MULTICAST });
  const multicast = { address: '239.192.81.1', port: 10_334, ttl: 32, receiveBufferBytes: 1_048_576 };
  t.deepEqual(config, { ...GEODE_MULTICAST_STACK, multicast });
  t.deepEqual(socket, {
    host: '10.1.2.3',
    ports: [41_000, 61_000],
    udpReceiveBufferBytes: 1_048_576,
    udpSendBufferBytes: 65_535,
  });
  t.deepEqual(notRun, []);
  t.deepEqual(warnings, []);
});

test("Geode's properties change what Geode changes by them", (t) => {
  const gemfire = {
    ...MULTICAST,
    'mcast-address': '239.1.2.3',
    'mcast-ttl': '0',
    'mcast-flow-control': '20000, 0.5, 750',
    'membership-port-range': '42000-42010',
    'udp-fragment-size': '30000',
    'udp-recv-buffer-size': '200000',
  };
  const { config, socket } = jgroupsConfigFromXml(GEODE_LIKE, { gemfire });
  t.like(config, { maxCredits: 20_000, minThreshold: 0.5, maxBlockTimeMs: 750, fragSize: 30_000 });
  t.like(config.multicast, { address: '239.1.2.3', ttl: 0 });
  t.like(socket, { ports: [42_000, 42_010], udpReceiveBufferBytes: 200_000 });
  const off = jgroupsConfigFromXml(GEODE_LIKE.replace('ip_mcast="true"', 'ip_mcast="false"'), {
    gemfire: {},
  });
  t.is(off.config.multicast, 'unicasts');
  t.is(off.socket.udpReceiveBufferBytes, 65_535, 'Geode takes less where multicast is off');
  t.is(off.socket.host, undefined);
});

test('a placeholder without a value is an error that names it and its line; one in a comment is none', (t) => {
  fails(t, GEODE_LIKE, /^a\.xml:6: Geode's placeholders have no value: BIND_ADDR_SETTING, MEMBERSHIP_PORT_/);
  fails(t, GEODE_LIKE, /^a\.xml:26: .*: FC_THRESHOLD; give them/, {
    gemfire: MULTICAST,
    placeholders: { FC_THRESHOLD: undefined } as never,
  });
  const { config, socket } = jgroupsConfigFromXml(GEODE_LIKE, {
    gemfire: MULTICAST,
    placeholders: { FC_MAX_CREDITS: 5_000, BIND_ADDR_SETTING: '::1', MCAST_ADDRESS: 'ff0e::1' },
  });
  t.is(config.maxCredits, 5_000);
  t.is(socket.host, '::1');
  t.like(config.multicast, { address: 'ff0e::1' });
});

test("JGroups' udp.xml: defaults of its classes, its units, its properties, and what is not run", (t) => {
  const { config, socket, notRun, warnings } = jgroupsConfigFromXml(UDP_LIKE);
  const multicast = { address: '228.8.8.8', port: 45_588, ttl: 4, receiveBufferBytes: 500_000 };
  t.deepEqual(config, { ...UDP_XML_STACK, multicast });
  t.is(notRun.join(' '), 'PING MERGE3 FD_SOCK FD_ALL VERIFY_SUSPECT BARRIER GMS STATE_TRANSFER');
  t.deepEqual(warnings, []);
  t.deepEqual(socket, { ports: [0, 0], udpReceiveBufferBytes: 5_000_000, udpSendBufferBytes: 100_000 });
  const properties = {
    'jgroups.udp.mcast_port': '4711',
    'jgroups.udp.mcast_addr': '230.1.1.1',
    'jgroups.udp.ip_ttl': '9',
    'jgroups.bind_addr': '10.0.0.9',
  };
  const other = jgroupsConfigFromXml(UDP_LIKE, { properties });
  // as in JGroups, a system property only stands in where the file says nothing
  t.like(other.config.multicast, { address: '230.1.1.1', port: 4_711, ttl: 4 });
  t.is(other.socket.host, '10.0.0.9');
});

test('protocols with nothing said of them have the defaults of JGroups 3.6', (t) => {
  const text = stackOf(
    '<pbcast.NAKACK2/><UNICAST3/><pbcast.STABLE/><UFC/><MFC/><FRAG2/>',
    '<org.jgroups.protocols.UDP/>',
  );
  t.like(jgroupsConfigFromXml(text).config, {
    multicast: { address: '228.8.8.8', port: 7_600, ttl: 8, receiveBufferBytes: 500_000 },
    connExpiryTimeoutMs: 120_000,
    mcastXmitIntervalMs: 1_000,
    useMcastXmit: true,
    desiredAvgGossipMs: 20_000,
    stableMaxBytes: 2_000_000,
    maxCredits: 500_000,
    minThreshold: 0.4,
    maxBlockTimeMs: 500,
    maxXmitReqSize: 511_600,
  });
});

test('a stack without multicast has none; the rest is as without a file', (t) => {
  const text = stackOf('<UNICAST3 conn_expiry_timeout="0"/>\n<FRAG2 frag_size="1000"/>');
  t.deepEqual(jgroupsConfigFromXml(text).config, {
    ...GEODE_STACK,
    answersPings: false,
    ignoreDontBundle: true,
    protocols: ['UNICAST3', 'FRAG2'],
    fragSize: 1_000,
  });
});

test('every setting of ours can be given', (t) => {
  const text = stackOf(
    `<UNICAST3 xmit_interval="1" ack_threshold="2" conn_expiry_timeout="3" conn_close_timeout="4"
       max_retransmit_time="5" sync_min_interval="6" max_xmit_req_size="700"/>
     <pbcast.NAKACK2 xmit_interval="8" discard_delivered_msgs="false" resend_last_seqno="false"
       become_server_queue_size="9" max_xmit_req_size="600"/>
     <pbcast.STABLE desired_avg_gossip="10" max_bytes="11"/>
     <UFC max_credits="12000" min_credits="3K" max_block_time="13"/>
     <RSVP timeout="14" resend_interval="15"/>`,
    '<UDP max_bundle_size="1050" ignore_dont_bundle="false" ip_mcast="FALSE" bind_port="7800" port_range="10"/>',
  );
  const { config, socket } = jgroupsConfigFromXml(text);
  t.like(config, {
    multicast: 'unicasts',
    protocols: ['UNICAST3', 'NAKACK2', 'STABLE', 'UFC', 'RSVP'],
    maxBundleSize: 1_050,
    ignoreDontBundle: false,
    xmitIntervalMs: 1,
    ackThreshold: 2,
    connExpiryTimeoutMs: 3,
    connCloseTimeoutMs: 4,
    maxRetransmitTimeMs: 5,
    syncMinIntervalMs: 6,
    mcastXmitIntervalMs: 8,
    discardDeliveredMsgs: false,
    resendLastSeqnoMaxTimes: 0,
    becomeServerQueueSize: 9,
    desiredAvgGossipMs: 10,
    stableMaxBytes: 11,
    maxCredits: 12_000,
    minThreshold: 0.25,
    maxBlockTimeMs: 13,
    rsvpTimeoutMs: 14,
    rsvpResendIntervalMs: 15,
    maxXmitReqSize: 600,
  });
  t.deepEqual(socket.ports, [7_800, 7_810]);
  const small = stackOf('<UNICAST3 max_xmit_req_size="99999"/>', '<UDP max_bundle_size="1050"/>');
  t.is(jgroupsConfigFromXml(small).config.maxXmitReqSize, 8_000, 'no more than fit into a datagram');
});

test('units are decimal, as in JGroups', (t) => {
  const sizes = ['64K', '64kb', ' 0.5m ', '1G', '1500'].map((size) => {
    return jgroupsConfigFromXml(stackOf(`<UNICAST3/><UFC max_credits="${size}"/>`)).config.maxCredits;
  });
  t.deepEqual(sizes, [64_000, 64_000, 500_000, 1_000_000_000, 1_500]);
  for (const size of ['', 'many', '64 KiB', '1e3', '0x10', '1,000']) {
    fails(
      t,
      stackOf(`<UNICAST3/>\n<UFC max_credits="${size}"/>`),
      /^a\.xml:4: UFC max_credits=".*" is no number/,
    );
  }
});

test('properties: the first that is given, a default, or an error', (t) => {
  const text = stackOf('<UNICAST3 xmit_interval="${a, b:${c:7}0}"/>');
  const intervalOf = (properties: Record<string, string>): number =>
    jgroupsConfigFromXml(text.replace('${a, b:${c:7}0}', '${a, b:70}'), { properties }).config.xmitIntervalMs;
  t.is(intervalOf({}), 70);
  t.is(intervalOf({ b: '8' }), 8);
  t.is(intervalOf({ a: '${b}1', b: '8' }), 81);
  fails(
    t,
    text.replace('${a, b:${c:7}0}', '${a,b}'),
    /^a\.xml:3: UNICAST3 xmit_interval: no property of \$\{a,b\}/,
  );
  fails(t, text.replace('}0}"', '"'), /no closing \}/);
  fails(t, text.replace('${a, b:${c:7}0}', '${a}'), /without end/, { properties: { a: 'x${a}' } });
  const inherited = text.replace('${a, b:${c:7}0}', '${constructor}');
  fails(t, inherited, /no property of \$\{constructor\}/);
});

test('what members could not understand each other without is an error with its line', (t) => {
  const unicast = '<UNICAST3/>';
  fails(t, stackOf(`${unicast}\n<SEQUENCER/>`), /^a\.xml:4: the protocol SEQUENCER is not supported/);
  fails(
    t,
    stackOf('<SYM_ENCRYPT sym_version="AES"/>'),
    /^a\.xml:3: the protocol SYM_ENCRYPT is not supported/,
  );
  fails(t, stackOf('<pbcast.NAKACK/>'), /the protocol pbcast\.NAKACK is not supported/);
  fails(t, stackOf(unicast, '<TCP/>'), /^a\.xml:2: the protocol TCP is not supported/);
  fails(t, stackOf(unicast, '<PING/>'), /the first protocol must be UDP, not PING/);
  fails(t, stackOf(`${unicast}<UDP/>`), /UDP is a second transport/);
  fails(t, stackOf('<UNICAST3 id="7"/>'), /UNICAST3 id="7": other protocol ids/);
  fails(
    t,
    stackOf('<UNICAST3/><pbcast.NAKACK2/>\n<pbcast.STABLE send_stable_msgs_to_coord_only="false"/>'),
    /^a\.xml:4: .*gossip to all members is not supported/,
  );
  fails(t, stackOf(unicast, '<UDP\n external_addr="1.2.3.4"/>'), /^a\.xml:3: UDP external_addr/);
  fails(
    t,
    stackOf(`${unicast}<UFC max_credits="1"/><MFC max_credits="2"/>`),
    /MFC has maxCredits 2, another/,
  );
  fails(t, stackOf('<FRAG2/>'), /are without UNICAST3/);
  fails(t, stackOf('<UFC/><UNICAST3/>'), /UFC belongs above what is reliable/);
  fails(t, stackOf('<UNICAST3/><UNICAST3/>'), /twice/);
  fails(t, stackOf('<UNICAST3 xmit_interval="0"/>'), /xmitIntervalMs 0 is outside/);
  fails(
    t,
    stackOf('<UNICAST3/><pbcast.NAKACK2/><pbcast.STABLE/>', '<UDP mcast_addr="10.1.1.1"/>'),
    /'10\.1\.1\.1' is no multicast address/,
  );
});

test('an attribute that JGroups has not is an error; one that changes little a warning', (t) => {
  fails(
    t,
    stackOf('<UNICAST3\n  xmit_intervall="500"/>'),
    /^a\.xml:4: UNICAST3 xmit_intervall: JGroups 3\.6 has no/,
  );
  fails(t, stackOf('<UNICAST3 constructor="1"/>'), /has no such attribute/);
  fails(t, stackOf('<UNICAST3 thread_pool.enabled="true"/>'), /has no such attribute/);
  const text = stackOf(
    '<UNICAST3 stats="false" level="trace"/>\n<pbcast.NAKACK2 xmit_from_random_member="true"/><pbcast.STABLE/>',
    '<UDP ip_mcast="yes" receive_on_all_interfaces="true" bind_addr="match-interface:eth.*"/>',
  );
  const { warnings, config, socket } = jgroupsConfigFromXml(text, { file: 'a.xml' });
  t.deepEqual(warnings, [
    'a.xml:2: UDP ip_mcast="yes": neither true nor false; JGroups takes it for false',
    'a.xml:2: UDP receive_on_all_interfaces="true": the group is heard on the interface of host alone',
    'a.xml:4: pbcast.NAKACK2 xmit_from_random_member="true": we ask the original sender alone',
    'a.xml:2: bind_addr="match-interface:eth.*" is no IP address: give the messenger\'s host yourself',
  ]);
  t.is(config.multicast, 'unicasts');
  t.is(socket.host, undefined);
});

test('what is no such file is an error with its line', (t) => {
  fails(t, '', /a\.xml:1: no well-formed XML/);
  fails(t, '<config/>', /it has no protocols/);
  fails(t, 'UDP(mcast_port=1):PING', /no well-formed XML/);
  fails(t, '<beans><UDP/></beans>', /a JGroups configuration is a <config>, not a <beans>/);
  fails(t, '<config>\n<UDP>\n</config>', /^a\.xml:3: no well-formed XML/);
  fails(t, '<config><UDP tos="1" tos="2"/></config>', /no well-formed XML.*duplicate/i);
  fails(t, stackOf('<UNICAST3><x/></UNICAST3>'), /UNICAST3 has no elements such as <x>/);
  fails(
    t,
    '<!DOCTYPE config [<!ENTITY a "aaaa">]>\n<config><UDP/></config>',
    /a document type is not accepted/,
  );
  fails(t, stackOf('<UNICAST3 name="&a;"/>'), /no well-formed XML.*entity/);
  fails(t, `<config>${' '.repeat(300_000)}</config>`, /characters are over the limit/);
});
