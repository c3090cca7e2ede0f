/** Numbers of the 2.12 wire (WIRE-3.6 section 15). Most are those of 3.6. Append-only. */

export { Magic as Magic36, ProtocolId as ProtocolId36 } from '../v3_6/ids.ts';

/** TpHeader goes under the id of the transport itself. */
export const TransportId = { UDP: 21, TCP: 22, TCP_NIO: 23, TUNNEL: 24 } as const;

export const ProtocolId = { UNICAST: 12, NAKACK: 15 } as const;

export const Magic = { UNICAST: 21, NAKACK: 25 } as const;
