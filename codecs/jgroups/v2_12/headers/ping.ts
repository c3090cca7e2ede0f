/** Discovery's header: `type u8   bool + PingData   cluster name string?   ViewId?` (WIRE-3.6 section 15). */

import type { DiscoveryProtocol } from '../../headers.ts';
import { typeTable } from '../../type-table.ts';
import { optionalUtfSize, readOptionalUtf, writeOptionalUtf } from '../../utf.ts';
import type { HeaderCodec } from '../../v3_6/headers/header-codec.ts';
import {
  optionalSize,
  pingDataSize,
  readOptional,
  readPingData,
  readViewId,
  viewIdSize,
  writeOptional,
  writePingData,
  writeViewId,
} from '../group.ts';
import type { PingHeader212 } from '../headers.ts';
import { Magic36, ProtocolId36 } from '../ids.ts';

const types = typeTable({ GET_MBRS_REQ: 1, GET_MBRS_RSP: 2 });

function discovery(protocol: DiscoveryProtocol): HeaderCodec<PingHeader212> {
  const field = (name: string): string => `${protocol}.${name}`;
  const [typeField, dataField] = [field('type'), field('data')];
  const [clusterField, viewIdField] = [field('cluster'), field('view-id')];
  return {
    protocolId: ProtocolId36[protocol],
    magic: Magic36.PING,
    decode(reader) {
      const at = reader.offset;
      return {
        protocol,
        type: types.name(reader.u8(typeField), at, typeField),
        data: readOptional(reader, dataField, readPingData),
        cluster: readOptionalUtf(reader, clusterField),
        viewId: readOptional(reader, viewIdField, readViewId),
      };
    },
    size: ({ data, cluster, viewId }) =>
      1 + optionalSize(data, pingDataSize) + optionalUtfSize(cluster) + optionalSize(viewId, viewIdSize),
    encode(writer, { type, data, cluster, viewId }) {
      writer.u8(types.codes[type]);
      writeOptional(writer, data, dataField, writePingData);
      writeOptionalUtf(writer, cluster, clusterField);
      writeOptional(writer, viewId, viewIdField, writeViewId);
    },
  };
}

/** Those of the discovery protocols that 2.12 has. */
export const discoveryProtocols = {
  PING: discovery('PING'),
  MPING: discovery('MPING'),
  S3_PING: discovery('S3_PING'),
  FILE_PING: discovery('FILE_PING'),
  TCPPING: discovery('TCPPING'),
  TCPGOSSIP: discovery('TCPGOSSIP'),
  JDBC_PING: discovery('JDBC_PING'),
  BPING: discovery('BPING'),
} as const;
