/** Discovery's header: `type u8   cluster name string?`; the payload is a PingData (WIRE-3.6 section 10). */

import type { DiscoveryProtocol, PingHeader } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { optionalUtfSize, readOptionalUtf, writeOptionalUtf } from '../../utf.ts';
import { Magic, ProtocolId } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

const types = typeTable({ GET_MBRS_REQ: 1, GET_MBRS_RSP: 2 });

function discovery(protocol: DiscoveryProtocol): HeaderCodec<PingHeader> {
  const [typeField, clusterField] = [`${protocol}.type`, `${protocol}.cluster`];
  return {
    protocolId: ProtocolId[protocol],
    magic: Magic.PING,
    decode(reader) {
      const at = reader.offset;
      const type = types.name(reader.u8(typeField), at, typeField);
      return { protocol, type, cluster: readOptionalUtf(reader, clusterField) };
    },
    size: (header) => 1 + optionalUtfSize(header.cluster),
    encode(writer, header) {
      writer.u8(types.codes[header.type]);
      writeOptionalUtf(writer, header.cluster, clusterField);
    },
  };
}

export const discoveryProtocols: Readonly<Record<DiscoveryProtocol, HeaderCodec<PingHeader>>> = {
  PING: discovery('PING'),
  MPING: discovery('MPING'),
  S3_PING: discovery('S3_PING'),
  FILE_PING: discovery('FILE_PING'),
  TCPPING: discovery('TCPPING'),
  TCPGOSSIP: discovery('TCPGOSSIP'),
  JDBC_PING: discovery('JDBC_PING'),
  BPING: discovery('BPING'),
  RACKSPACE_PING: discovery('RACKSPACE_PING'),
  SWIFT_PING: discovery('SWIFT_PING'),
  SHARED_LOOPBACK_PING: discovery('SHARED_LOOPBACK_PING'),
  GOOGLE_PING: discovery('GOOGLE_PING'),
};
