/** Flow control's header: one type byte; the amount of credits is the payload (WIRE-3.6 section 9). */

import { CodecError } from '../../../bytes/errors.ts';
import type { FcHeader } from '../../message.ts';
import { Magic, ProtocolId } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

const Type = { REPLENISH: 1, CREDIT_REQUEST: 2 } as const;

function flowControl(protocol: FcHeader['protocol']): HeaderCodec<FcHeader> {
  return {
    protocolId: ProtocolId[protocol],
    magic: Magic.FC,
    decode(reader) {
      const at = reader.offset;
      const type = reader.u8(`${protocol}.type`);
      if (type === Type.REPLENISH) return { protocol, type: 'REPLENISH' };
      if (type === Type.CREDIT_REQUEST) return { protocol, type: 'CREDIT_REQUEST' };
      throw new CodecError('ERR_VALUE', at, `${protocol}.type`, `type ${type} is unknown`);
    },
    size: () => 1,
    encode: (writer, header) => writer.u8(Type[header.type]),
  };
}

export const ufc = flowControl('UFC');
export const mfc = flowControl('MFC');
/** The older protocol FC, which put both kinds of credits under one id. */
export const fc = flowControl('FC');
