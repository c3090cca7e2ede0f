import { isIpLiteral } from '../../../codecs/bytes/ip.ts';
import { LocalProtocolError } from '../../protocol/errors.ts';
import {
  GEODE_STACK,
  type JGroupsConfig,
  type MulticastGroup,
  type ProtocolName,
  resolveConfig,
} from '../config.ts';
import { type Attribute, type ProtocolElement, readProtocolElements } from './elements.ts';
import {
  fillPlaceholders,
  geodePlaceholders,
  type GemfireProperties,
  type Placeholders,
} from './placeholders.ts';
import { describe, type Place, problem } from './problem.ts';
import {
  COMMON,
  type Draft,
  NOT_RUN,
  type ProtocolRules,
  type Rule,
  RULES,
  SILENT,
  TRANSPORT_DEFAULTS,
  type TransportSettings,
} from './protocols.ts';
import { type Properties, readBoolean, readInteger, readNumber, substitute } from './values.ts';

export interface JGroupsXmlOptions {
  /** Values of `${name:default}`, and of the system properties that JGroups looks at, such as `jgroups.bind_addr`. */
  readonly properties?: Properties;
  /** Values of the words in capitals of Geode's own stack files; `BIND_ADDR_SETTING` is the address alone. */
  readonly placeholders?: Placeholders;
  /** A gemfire.properties file's: placeholders that are not given get what Geode would put there. */
  readonly gemfire?: GemfireProperties;
  /** For messages. */
  readonly file?: string;
}

export interface JGroupsXmlConfig {
  /** For the option `jgroups` of a messenger. The cluster's name is not in such a file. */
  readonly config: JGroupsConfig;
  /** What the file says of sockets, under the names of a messenger's options. */
  readonly socket: {
    readonly host?: string;
    readonly ports: readonly [number, number];
    readonly udpReceiveBufferBytes: number;
    readonly udpSendBufferBytes: number;
  };
  /** Protocols of the file that are not run here, from the bottom: the application brings the view. */
  readonly notRun: readonly string[];
  /** Of what is done otherwise than the file says, with file and line. Members understand each other all the same. */
  readonly warnings: readonly string[];
}

/** UDP's defaults for a group, by the kind of the host's address. */
const DEFAULT_GROUP = { ipv4: '228.8.8.8', ipv6: 'ff0e::8:8:8' };

/** What a retransmission request holds beside its seqnos, by JGroups' estimate. */
const XMIT_REQ_OVERHEAD_BYTES = 50;

/**
 * Settings of the legacy stack from a JGroups 3.6 XML file as it stands: Geode's two, JGroups' udp.xml, and others of
 * the same protocols. What members could not understand each other without is an error, as is what JGroups itself
 * would not take.
 * @param text of 256 KiB at most; a document type is refused, and no entity expanded
 * @throws {LocalProtocolError} `ERR_XML`, naming file and line
 */
export function jgroupsConfigFromXml(text: string, options: JGroupsXmlOptions = {}): JGroupsXmlConfig {
  const { file = 'JGroups XML', gemfire, properties = {} } = options;
  const fromGeode = gemfire === undefined ? {} : geodePlaceholders(gemfire);
  const filled = fillPlaceholders(text, { ...fromGeode, ...options.placeholders }, file);
  const elements = readProtocolElements(filled, file);
  const [bottom, ...others] = elements;
  if (bottom === undefined) throw problem({ file, line: 1 }, 'it has no protocols');
  const warnings: string[] = [];
  const transport = readTransport(bottom, properties, warnings);
  const notRun: string[] = [];
  const protocols: ProtocolName[] = [];
  const settings: Draft = {};
  for (const element of others) {
    const rules = rulesOf(element);
    if (NOT_RUN.has(element.name)) notRun.push(element.name);
    if (rules === null) continue;
    if (rules.protocol === null) throw problem(element.place, `${element.written} is a second transport`);
    merge(settings, readSettings(element, rules, properties, warnings), element);
    protocols.push(rules.protocol);
  }
  const config = resolve(settings, transport, protocols, file);
  return { config, socket: socketOf(transport, bottom.place, warnings), notRun, warnings };
}

function readTransport(
  element: ProtocolElement,
  properties: Properties,
  warnings: string[],
): TransportSettings {
  const rules = rulesOf(element);
  if (rules?.protocol !== null) {
    throw problem(element.place, `the first protocol must be UDP, not ${element.written}`);
  }
  return { ...TRANSPORT_DEFAULTS, ...readSettings(element, rules, properties, warnings) };
}

/** Null: it needs none. */
function rulesOf({ name, written, children, place }: ProtocolElement): ProtocolRules | null {
  if (SILENT.has(name) || NOT_RUN.has(name)) return null;
  const rules = RULES.get(name);
  if (rules === undefined) {
    throw problem(
      place,
      `the protocol ${written} is not supported: members that run it would not understand us`,
    );
  }
  if (children.length > 0) throw problem(place, `${written} has no elements such as <${children[0] ?? ''}>`);
  return rules;
}

function readSettings(
  element: ProtocolElement,
  rules: ProtocolRules,
  properties: Properties,
  warnings: string[],
): Draft {
  const settings: Draft = { ...rules.defaults };
  for (const attribute of withSystemProperties(element, rules, properties)) {
    const name = `${element.written} ${attribute.name}`;
    const rule = ruleOf(rules, attribute.name);
    if (rule === undefined) throw problem(attribute.place, `${name}: JGroups 3.6 has no such attribute`);
    const warn = (what: string): void =>
      void warnings.push(`${describe(attribute.place)}: ${name}="${attribute.value}": ${what}`);
    if (rule.kind !== 'local') apply(rule, substitute({ ...attribute, name }, properties), settings, warn);
  }
  return settings;
}

function ruleOf(rules: ProtocolRules, name: string): Rule | undefined {
  if (Object.hasOwn(rules.attributes, name)) return rules.attributes[name];
  if (Object.hasOwn(COMMON, name)) return COMMON[name];
  return rules.local?.test(name) === true ? { kind: 'local' } : undefined;
}

function withSystemProperties(
  { attributes, place }: ProtocolElement,
  { systemProperties = {} }: ProtocolRules,
  properties: Properties,
): readonly Attribute[] {
  const more: Attribute[] = [];
  for (const [name, property] of Object.entries(systemProperties)) {
    const isGiven = attributes.some((attribute) => attribute.name === name);
    const value = properties[property];
    if (!isGiven && value !== undefined) more.push({ name, value, place });
  }
  return [...attributes, ...more];
}

function apply(
  rule: Exclude<Rule, { kind: 'local' }>,
  attribute: Attribute,
  settings: Draft,
  warn: (what: string) => void,
): void {
  switch (rule.kind) {
    case 'number':
      // the only one that is no whole number
      settings[rule.key] = rule.key === 'minThreshold' ? readNumber(attribute) : readInteger(attribute);
      return;
    case 'boolean': {
      const value = readBoolean(attribute);
      if (value === null) warn('neither true nor false; JGroups takes it for false');
      settings[rule.key] = value ?? false;
      return;
    }
    case 'text':
      settings[rule.key] = attribute.value.trim();
      return;
    case 'fixed':
      if (attribute.value.trim().toLowerCase() === rule.value) return;
      if (rule.otherwise === 'warning') warn(rule.why);
      else throw problem(attribute.place, `${attribute.name}="${attribute.value}": ${rule.why}`);
      return;
    case 'warning':
      warn(rule.why);
      return;
    case 'error':
      throw problem(attribute.place, `${attribute.name}="${attribute.value}": ${rule.why}`);
  }
}

/** UFC and MFC have the same settings here. */
function merge(into: Draft, from: Draft, { written, place }: ProtocolElement): void {
  for (const key of Object.keys(from) as (keyof Draft)[]) {
    if (into[key] === undefined || into[key] === from[key]) continue;
    const what = `${written} has ${key} ${String(from[key])}, another protocol ${String(into[key])}`;
    throw problem(place, `${what}; here they can only be the same`);
  }
  Object.assign(into, from);
}

function resolve(
  settings: Draft,
  transport: TransportSettings,
  protocols: readonly ProtocolName[],
  file: string,
): JGroupsConfig {
  const own = Object.entries(settings).filter(([key]) => Object.hasOwn(GEODE_STACK, key));
  const { minCredits = 0, maxCredits = GEODE_STACK.maxCredits, resendLastSeqno = true } = settings;
  try {
    return resolveConfig({
      ...GEODE_STACK,
      ...(Object.fromEntries(own) as Partial<JGroupsConfig>),
      ...(minCredits > 0 ? { minThreshold: minCredits / maxCredits } : {}),
      ...(resendLastSeqno ? {} : { resendLastSeqnoMaxTimes: 0 }),
      maxXmitReqSize: maxXmitReqSize(settings, transport.maxBundleSize),
      maxBundleSize: transport.maxBundleSize,
      ignoreDontBundle: transport.ignoreDontBundle,
      answersPings: transport.answersPings,
      protocols,
      multicast: protocols.includes('NAKACK2') ? groupOf(transport) : null,
    });
  } catch (error) {
    if (!(error instanceof LocalProtocolError)) throw error;
    throw new LocalProtocolError('ERR_XML', `${file}: ${error.message}`);
  }
}

/** As many as fit into one datagram, as JGroups estimates it, and no more than either protocol allows. */
function maxXmitReqSize(settings: Draft, maxBundleSize: number): number {
  const { maxXmitReqSize: unicast = 0, mcastMaxXmitReqSize: multicast = 0 } = settings;
  const most = (maxBundleSize - XMIT_REQ_OVERHEAD_BYTES) * 8;
  return Math.min(most, ...[unicast, multicast].filter((size) => size > 0));
}

function groupOf(transport: TransportSettings): 'unicasts' | MulticastGroup {
  if (!transport.ipMcast) return 'unicasts';
  const { bindAddr, mcastAddr, mcastPort: port, ipTtl: ttl, mcastReceiveBufferBytes } = transport;
  const byDefault = bindAddr.includes(':') ? DEFAULT_GROUP.ipv6 : DEFAULT_GROUP.ipv4;
  const address = mcastAddr === '' ? byDefault : mcastAddr;
  return { address, port, ttl, receiveBufferBytes: mcastReceiveBufferBytes };
}

function socketOf(
  transport: TransportSettings,
  place: Place,
  warnings: string[],
): JGroupsXmlConfig['socket'] {
  const { bindAddr, bindPort, portRange, udpReceiveBufferBytes, udpSendBufferBytes } = transport;
  const isHost = isIpLiteral(bindAddr);
  if (!isHost && bindAddr !== '') {
    const what = `bind_addr="${bindAddr}" is no IP address: give the messenger's host yourself`;
    warnings.push(`${describe(place)}: ${what}`);
  }
  const last = Math.min(65_535, bindPort + portRange);
  return {
    ...(isHost ? { host: bindAddr } : {}),
    ports: bindPort === 0 ? [0, 0] : [bindPort, last],
    udpReceiveBufferBytes,
    udpSendBufferBytes,
  };
}
