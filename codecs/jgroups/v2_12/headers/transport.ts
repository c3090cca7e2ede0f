/** TpHeader: `cluster UTF`, under the id of the transport itself (WIRE-3.6 section 15). */

import { readUtf, utfSize, writeUtf } from '../../utf.ts';
import type { HeaderCodec } from '../../v3_6/headers/header-codec.ts';
import type { TpHeader212, TransportName } from '../headers.ts';
import { Magic36, TransportId } from '../ids.ts';

function transport(name: TransportName): HeaderCodec<TpHeader212> {
  return {
    protocolId: TransportId[name],
    magic: Magic36.TP,
    decode: (reader) => ({ protocol: 'TP', transport: name, cluster: readUtf(reader, 'TP.cluster') }),
    size: (header) => utfSize(header.cluster),
    encode: (writer, header) => writeUtf(writer, header.cluster, 'TP.cluster'),
  };
}

export const transports: Readonly<Record<TransportName, HeaderCodec<TpHeader212>>> = {
  UDP: transport('UDP'),
  TCP: transport('TCP'),
  TCP_NIO: transport('TCP_NIO'),
  TUNNEL: transport('TUNNEL'),
};
