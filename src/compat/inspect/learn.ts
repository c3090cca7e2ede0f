/** What messages say of members: labels, names, versions. */
import type { MessageRecord } from '../record.ts';
import { fields, header, isFields, list, number, text } from './fields.ts';
import { hostPort, type Member, type Members } from './members.ts';
import { geodeViewFields } from './views.ts';
import { plain } from './words.ts';

const DISCOVERY = ['PING', 'MPING', 'TCPPING', 'TCPGOSSIP', 'BPING', 'FILE_PING', 'JDBC_PING'];

/** Of its sender. */
export function learnSender(sender: Member, record: MessageRecord, members: Members): void {
  const { ts, n, version, dest, from, transport } = record;
  members.sent(sender, record);
  // an XMIT_RSP may be sent by another; 2.12 sends multicasts from another port (WIRE-3.6 section 15)
  const retransmitted = header(record, 'NAKACK2', 'NAKACK')?.type === 'XMIT_RSP';
  if (transport === 'udp' && !retransmitted && (dest !== null || version.startsWith('3.'))) {
    members.relabel(sender, from, 1, ts, n);
  }
  const merge = header(record, 'MERGE3');
  const payload = header(record, ...DISCOVERY) === null ? null : record.payload;
  const data = payload?.kind === 'ping-data' ? payload.data : null;
  const physical = data?.physicalAddress?.kind === 'ip' ? { ...data.physicalAddress } : null;
  const said = physical ?? fields(merge, 'physicalAddress');
  const label = hostPort({ uuid: null, host: text(said, 'host'), port: number(said, 'port'), viewId: null });
  if (label !== null) members.relabel(sender, plain(label), 2, ts, n);
  const name = data?.logicalName ?? text(merge, 'logicalName');
  if (name !== null) sender.name = plain(name);
}

/** Of the members of a Geode view. */
export function learnView(record: MessageRecord, members: Members): void {
  for (const entry of list(geodeViewFields(record), 'members')) {
    if (!isFields(entry)) continue;
    const member = members.byId(text(entry, 'uuid') ?? '');
    if (member === undefined) continue;
    const name = text(entry, 'name');
    if (name !== null && name !== '') member.name = plain(name);
    if (!member.ordinalIsOwn) member.ordinal = number(entry, 'version');
  }
}
