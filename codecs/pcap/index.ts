/** Capture files: pcap and pcapng read down to UDP datagrams and TCP stream bytes, and pcapng written from them. */
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
export {
  addressBytes,
  maxSegmentBytes,
  maxUdpPayloadBytes,
  tcpPacketBytes,
  udpPacketBytes,
  writeTcpPacket,
  writeUdpPacket,
} from './packet-writer.ts';
export type { PacketEndpoint, PayloadEdit, TcpFields } from './packet-writer.ts';
export { PcapReader } from './pcap-reader.ts';
export {
  encodeInterface,
  encodeSection,
  encodeStatistics,
  packetBlockBytes,
  STATISTICS_BYTES,
  writePacketBlock,
} from './pcapng-writer.ts';
export type { SectionOptions } from './pcapng-writer.ts';
export type { BadRecord, CaptureRecord, Frame } from './record.ts';
export { TcpScript } from './tcp-script.ts';
export type { SegmentSink } from './tcp-script.ts';
