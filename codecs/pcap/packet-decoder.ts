/** From frames to datagrams and stream bytes: link, IP, fragments, UDP, TCP. */
import { CodecError, TruncatedError } from '../bytes/errors.ts';
import { AddressBook } from './endpoint.ts';
import { IpReassembly } from './ip-reassembly.ts';
import { IpProtocol, parseIpv4, parseIpv6, skipExtensions } from './ip.ts';
import type { IpPacket } from './ip.ts';
import type { BrokenPacket, CaptureItem } from './item.ts';
import { EtherType, linkPayload, NO_ETHER_TYPE } from './link.ts';
import type { Frame } from './record.ts';
import { TcpReassembly } from './tcp-reassembly.ts';
import { parseTcp, parseUdp, UDP_HEADER_BYTES } from './transport.ts';

export class PacketDecoder {
  readonly #book = new AddressBook();
  readonly #fragments = new IpReassembly();
  readonly #tcp = new TcpReassembly();

  /** Appends to `out` what the frame says or completes. Never throws for what it holds. */
  decode(frame: Frame, out: CaptureItem[]): void {
    try {
      this.#link(frame, out);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      broken(frame, error, null, out);
    }
  }

  /** After the last frame: reports unfinished packets and streams. */
  end(out: CaptureItem[]): void {
    this.#fragments.end(out);
    this.#tcp.end(out);
  }

  #link(frame: Frame, out: CaptureItem[]): void {
    const { bytes, originalLength } = frame;
    const link = linkPayload(frame.linkType, bytes);
    if (link === null) {
      other(frame, `link type ${frame.linkType}`, out);
    } else if (link.etherType === EtherType.IPV4) {
      this.#ip(parseIpv4(bytes, link.offset, originalLength, this.#book), frame, out);
    } else if (link.etherType === EtherType.IPV6) {
      this.#ip(parseIpv6(bytes, link.offset, originalLength, this.#book), frame, out);
    } else {
      other(frame, etherTypeText(link.etherType), out);
    }
  }

  #ip(packet: IpPacket, frame: Frame, out: CaptureItem[]): void {
    if (packet.fragment === null) {
      this.#transport(packet, frame, out);
      return;
    }
    if (packet.missing > 0) {
      const here = packet.end - packet.start;
      throw new TruncatedError(packet.start, 'fragment', here + packet.missing, here);
    }
    const whole = this.#fragments.add(packet, packet.fragment, frame, out);
    if (whole === null) return;
    const inner = whole.version === 6 ? skipExtensions(whole) : whole;
    if (inner.fragment !== null) {
      throw new CodecError('ERR_VALUE', inner.start, 'fragment', 'is a fragment of a fragment');
    }
    this.#transport(inner, frame, out);
  }

  #transport(packet: IpPacket, frame: Frame, out: CaptureItem[]): void {
    const { n, sec, nsec } = frame;
    if (packet.protocol === IpProtocol.UDP) {
      const { srcPort, dstPort, start, end, missing } = parseUdp(packet);
      const from = this.#book.endpoint(packet.src, srcPort);
      const to = this.#book.endpoint(packet.dst, dstPort);
      const payload = packet.bytes.subarray(start, end);
      if (missing > 0) {
        const here = UDP_HEADER_BYTES + payload.length;
        const error = new TruncatedError(packet.start + 4, 'UDP length', here + missing, here);
        broken(frame, error, { transport: 'udp', from, to, payload }, out);
      } else {
        out.push({ kind: 'udp', n, sec, nsec, from, to, payload });
      }
    } else if (packet.protocol === IpProtocol.TCP) {
      const segment = parseTcp(packet);
      const from = this.#book.endpoint(packet.src, segment.srcPort);
      const to = this.#book.endpoint(packet.dst, segment.dstPort);
      this.#tcp.segment(from, to, segment, frame, out);
      if (segment.missing > 0) {
        const { payload, missing } = segment;
        const error = new TruncatedError(packet.end, 'TCP payload', payload.length + missing, payload.length);
        broken(frame, error, { transport: 'tcp', from, to, payload }, out);
      }
    } else {
      other(frame, `IP protocol ${packet.protocol}`, out);
    }
  }
}

/** An error of the packet: the capture's, if it kept only a part of the frame. */
function broken(frame: Frame, error: CodecError, packet: BrokenPacket | null, out: CaptureItem[]): void {
  const { n, sec, nsec } = frame;
  const cut = error instanceof TruncatedError && frame.bytes.length < frame.originalLength;
  out.push({ kind: 'error', n, sec, nsec, error, inFile: false, cut, fatal: false, packet });
}

function other({ n, sec, nsec }: Frame, what: string, out: CaptureItem[]): void {
  out.push({ kind: 'other', n, sec, nsec, what });
}

function etherTypeText(etherType: number): string {
  if (etherType === NO_ETHER_TYPE) return 'no EtherType';
  return `EtherType 0x${etherType.toString(16).padStart(4, '0')}`;
}
