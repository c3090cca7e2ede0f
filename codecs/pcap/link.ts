/** Finds the network layer in a frame: link types of the tcpdump registry, and VLAN tags. */
import { CodecError, TruncatedError } from '../bytes/errors.ts';
import { MAX_VLAN_TAGS } from './limits.ts';

/** The link types that are read, by their LINKTYPE or (raw IP) old DLT numbers. */
export const LinkType = {
  NULL: 0,
  ETHERNET: 1,
  RAW_BSD: 12,
  RAW_OPENBSD: 14,
  RAW: 101,
  LOOP: 108,
  LINUX_SLL: 113,
  IPV4: 228,
  IPV6: 229,
  LINUX_SLL2: 276,
} as const;

export const EtherType = {
  IPV4: 0x0800,
  IPV6: 0x86dd,
  VLAN: 0x8100,
  QINQ: 0x88a8,
  QINQ_OLD: 0x9100,
} as const;

/** What is neither IP nor has an EtherType that says what it is. */
export const NO_ETHER_TYPE = -1;

export interface LinkPayload {
  readonly etherType: number;
  /** Where the network layer begins. */
  readonly offset: number;
}

/** Below this the field of an Ethernet header is a length (IEEE 802.3). */
const MIN_ETHER_TYPE = 0x600;

/** Null for a link type that is not read. */
export function linkPayload(linkType: number, bytes: Buffer): LinkPayload | null {
  switch (linkType) {
    case LinkType.ETHERNET:
      return afterEtherType(bytes, 12);
    case LinkType.LINUX_SLL:
      return afterCooked(bytes, 14, 16);
    case LinkType.LINUX_SLL2:
      return afterCooked(bytes, 0, 20);
    case LinkType.NULL:
    case LinkType.LOOP:
      need(bytes, 4, 'address family');
      return { etherType: familyEtherType(bytes, linkType === LinkType.LOOP), offset: 4 };
    case LinkType.RAW:
    case LinkType.RAW_BSD:
    case LinkType.RAW_OPENBSD:
      need(bytes, 1, 'IP version');
      return { etherType: versionEtherType((bytes[0] as number) >> 4), offset: 0 };
    case LinkType.IPV4:
      return { etherType: EtherType.IPV4, offset: 0 };
    case LinkType.IPV6:
      return { etherType: EtherType.IPV6, offset: 0 };
    default:
      return null;
  }
}

function need(bytes: Buffer, length: number, field: string): void {
  if (bytes.length < length) throw new TruncatedError(0, field, length, bytes.length);
}

/** @param at where the EtherType stands, or that of the first VLAN tag */
function afterEtherType(bytes: Buffer, at: number): LinkPayload {
  let offset = at;
  for (let tags = 0; ; tags++) {
    need(bytes, offset + 2, 'EtherType');
    const etherType = bytes.readUInt16BE(offset);
    if (!isTag(etherType)) {
      return { etherType: etherType < MIN_ETHER_TYPE ? NO_ETHER_TYPE : etherType, offset: offset + 2 };
    }
    if (tags === MAX_VLAN_TAGS) {
      throw new CodecError('ERR_LIMIT', offset, 'VLAN tags', `more than ${MAX_VLAN_TAGS}`);
    }
    offset += 4;
  }
}

/** Linux cooked capture: the protocol field stands apart from what it announces. */
function afterCooked(bytes: Buffer, protocolAt: number, headerBytes: number): LinkPayload {
  need(bytes, headerBytes, 'cooked header');
  const protocol = bytes.readUInt16BE(protocolAt);
  if (isTag(protocol)) return afterEtherType(bytes, headerBytes + 2);
  return { etherType: protocol < MIN_ETHER_TYPE ? NO_ETHER_TYPE : protocol, offset: headerBytes };
}

function isTag(etherType: number): boolean {
  return etherType === EtherType.VLAN || etherType === EtherType.QINQ || etherType === EtherType.QINQ_OLD;
}

function versionEtherType(version: number): number {
  if (version === 4) return EtherType.IPV4;
  return version === 6 ? EtherType.IPV6 : NO_ETHER_TYPE;
}

/**
 * The number of the address family that the capturing system uses: 2 is IPv4 everywhere, IPv6 is 10 on Linux,
 * 24, 28 or 30 on the BSDs. A loopback header has it in network order, a null header in the capturer's order, which
 * the file's byte order need not be; no family is above 65535, so the value tells.
 */
function familyEtherType(bytes: Buffer, networkOrder: boolean): number {
  const big = bytes.readUInt32BE(0);
  const family = networkOrder || big < 0x1_0000 ? big : bytes.readUInt32LE(0);
  if (family === 2) return EtherType.IPV4;
  return family === 10 || family === 24 || family === 28 || family === 30 ? EtherType.IPV6 : NO_ETHER_TYPE;
}
