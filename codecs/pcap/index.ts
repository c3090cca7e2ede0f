/** Capture files: pcap and pcapng, down to UDP datagrams and TCP stream bytes. */
export { CaptureReader } from './capture-reader.ts';
export type { Endpoint } from './endpoint.ts';
export { seconds } from './item.ts';
export type {
  BrokenPacket,
  CaptureItem,
  ErrorItem,
  IncompleteItem,
  OtherItem,
  TcpEndItem,
  TcpEndReason,
  TcpGapItem,
  TcpItem,
  TcpStream,
  UdpItem,
} from './item.ts';
export { LinkType } from './link.ts';
export { PacketDecoder } from './packet-decoder.ts';
export { PcapReader } from './pcap-reader.ts';
export type { BadRecord, CaptureRecord, Frame } from './record.ts';
