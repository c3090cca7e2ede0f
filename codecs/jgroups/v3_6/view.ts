/**
 * Views (WIRE-3.6 section 7):
 *
 *     ViewId      creator address   id cvlong
 *     View        ViewId   members address-list
 *     MergeView   View   n short   n * { creator   id long   m short   m * member }
 *     DeltaView   ViewId   reference ViewId   left address-list   joined address-list
 *
 * A subview names its creator and members by a short, the index among the view's members; one that is not among
 * them by -1 and its address.
 */

import { CodecError } from '../../bytes/errors.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import { addressKey } from '../message.ts';
import type { Address, DeltaView, MergeView, View, ViewId } from '../message.ts';
import { addressSize, writeAddress } from './address.ts';
import { addressesSize, readCount, readMember, readMembers, writeAddresses } from './fields.ts';
import { compressedLongSize, readCompressedLong, writeCompressedLong } from './primitives.ts';

export function readViewId(reader: ByteReader, field: string): ViewId {
  return { creator: readMember(reader, field), id: readCompressedLong(reader, field) };
}

export function viewIdSize(viewId: ViewId): number {
  return addressSize(viewId.creator) + compressedLongSize(viewId.id);
}

export function writeViewId(writer: ByteWriter, viewId: ViewId, field: string): void {
  writeAddress(writer, viewId.creator, field);
  writeCompressedLong(writer, viewId.id, field);
}

export function readOptionalViewId(reader: ByteReader, field: string): ViewId | null {
  return reader.bool(field) ? readViewId(reader, field) : null;
}

export function optionalViewIdSize(viewId: ViewId | null): number {
  return viewId === null ? 1 : 1 + viewIdSize(viewId);
}

export function writeOptionalViewId(writer: ByteWriter, viewId: ViewId | null, field: string): void {
  writer.bool(viewId !== null);
  if (viewId !== null) writeViewId(writer, viewId, field);
}

export function readView(reader: ByteReader): View {
  return {
    kind: 'view',
    viewId: readViewId(reader, 'view.view-id'),
    members: readMembers(reader, 'view.members'),
  };
}

export function readMergeView(reader: ByteReader): MergeView {
  const { viewId, members } = readView(reader);
  return { kind: 'merge', viewId, members, subviews: readSubviews(reader, members) };
}

/** What a MergeView has behind its View. */
export function readSubviews(reader: ByteReader, members: readonly Address[]): View[] {
  const subviews: View[] = [];
  const count = readCount(reader, 'view.subviews');
  for (let i = 0; i < count; i++) {
    const creator = readIndexed(reader, members);
    const viewId = { creator, id: reader.safeU64('view.subview.id') };
    const inside: Address[] = [];
    const size = readCount(reader, 'view.subview.members');
    for (let j = 0; j < size; j++) inside.push(readIndexed(reader, members));
    subviews.push({ kind: 'view', viewId, members: inside });
  }
  return subviews;
}

function readIndexed(reader: ByteReader, members: readonly Address[]): Address {
  const at = reader.offset;
  const index = reader.i16('view.subview.member');
  if (index < 0) return readMember(reader, 'view.subview.member');
  const member = members[index];
  if (member !== undefined) return member;
  throw new CodecError('ERR_VALUE', at, 'view.subview.member', `there is no member ${index}`);
}

export function readDeltaView(reader: ByteReader): DeltaView {
  return {
    kind: 'delta',
    viewId: readViewId(reader, 'view.view-id'),
    refViewId: readViewId(reader, 'view.ref-view-id'),
    left: readMembers(reader, 'view.left'),
    joined: readMembers(reader, 'view.joined'),
  };
}

export function viewSize(view: View | MergeView | DeltaView): number {
  switch (view.kind) {
    case 'view':
      return viewIdSize(view.viewId) + addressesSize(view.members);
    case 'delta':
      return (
        viewIdSize(view.viewId) +
        viewIdSize(view.refViewId) +
        addressesSize(view.left) +
        addressesSize(view.joined)
      );
    case 'merge': {
      const indexes = indexesOf(view.members);
      const indexed = (member: Address): number =>
        2 + (indexes.has(addressKey(member)) ? 0 : addressSize(member));
      let size = viewIdSize(view.viewId) + addressesSize(view.members) + 2;
      for (const { viewId, members } of view.subviews) {
        size += indexed(viewId.creator) + 10;
        for (const member of members) size += indexed(member);
      }
      return size;
    }
  }
}

export function writeView(writer: ByteWriter, view: View | MergeView | DeltaView): void {
  writeViewId(writer, view.viewId, 'view.view-id');
  if (view.kind === 'delta') {
    writeViewId(writer, view.refViewId, 'view.ref-view-id');
    writeAddresses(writer, view.left, 'view.left');
    writeAddresses(writer, view.joined, 'view.joined');
    return;
  }
  writeAddresses(writer, view.members, 'view.members');
  if (view.kind === 'merge') writeSubviews(writer, view);
}

function writeSubviews(writer: ByteWriter, view: MergeView): void {
  const indexes = indexesOf(view.members);
  writer.i16(view.subviews.length, 'view.subviews');
  for (const { viewId, members } of view.subviews) {
    writeIndexed(writer, viewId.creator, indexes);
    writer.safeU64(viewId.id, 'view.subview.id');
    writer.i16(members.length, 'view.subview.members');
    for (const member of members) writeIndexed(writer, member, indexes);
  }
}

function writeIndexed(writer: ByteWriter, member: Address, indexes: ReadonlyMap<string, number>): void {
  const index = indexes.get(addressKey(member)) ?? -1;
  writer.i16(index, 'view.subview.member');
  if (index < 0) writeAddress(writer, member, 'view.subview.member');
}

/** The first place of each member, for Java takes the first that is equal. */
function indexesOf(members: readonly Address[]): Map<string, number> {
  const indexes = new Map<string, number>();
  for (const [index, member] of members.entries()) {
    const key = addressKey(member);
    if (!indexes.has(key)) indexes.set(key, index);
  }
  return indexes;
}
