/**
 * Views, digests and what else 2.12's headers hold of the group (WIRE-3.6 section 15). `X?` is a bool, then X.
 *
 *     ViewId     creator address   id long
 *     View       ViewId?   members address-list   payload short + bytes
 *     MergeView  View   n short   n * { bool merge   View or MergeView }
 *     Digest     n short   n * { address   low long   highest delivered long   highest received long }
 *     JoinRsp    View?   Digest?   fail reason string?
 *     PingData   address   (bool, bool merge, View)?   ViewId?   server bool   name string?   physical address-list
 */

import { CodecError } from '../../bytes/errors.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import { optionalUtfSize, readOptionalUtf, writeOptionalUtf } from '../utf.ts';
import type { ViewId } from '../view.ts';
import {
  addressesSize,
  addressSize,
  checkCount,
  readAddress,
  readAddresses,
  readMember,
  writeAddress,
  writeAddresses,
} from './address.ts';
import type { Digest212, JoinRsp212, PingData212, View212 } from './headers.ts';
import { readLong, writeLong } from './primitives.ts';

/** A MergeView is made of views that were views, or MergeViews, before; deeper than this is a forgery. */
const MAX_MERGE_DEPTH = 8;

/** A value that may be absent. */
export function readOptional<T>(
  reader: ByteReader,
  field: string,
  read: (reader: ByteReader, field: string) => T,
): T | null {
  return reader.bool(field) ? read(reader, field) : null;
}

export function optionalSize<T>(value: T | null, size: (value: T) => number): number {
  return value === null ? 1 : 1 + size(value);
}

export function writeOptional<T>(
  writer: ByteWriter,
  value: T | null,
  field: string,
  write: (writer: ByteWriter, value: T, field: string) => void,
): void {
  writer.bool(value !== null);
  if (value !== null) write(writer, value, field);
}

// --- views -------------------------------------------------------------------------------------------------

export function readViewId(reader: ByteReader, field: string): ViewId {
  return { creator: readMember(reader, field), id: readLong(reader, field) };
}

export function viewIdSize(viewId: ViewId): number {
  return addressSize(viewId.creator) + 8;
}

export function writeViewId(writer: ByteWriter, viewId: ViewId, field: string): void {
  writeAddress(writer, viewId.creator, field);
  writeLong(writer, viewId.id, field);
}

export function readView(reader: ByteReader, field: string): View212 {
  const viewId = readOptional(reader, field, readViewId);
  const members = readAddresses(reader, field);
  const at = reader.offset;
  const length = reader.i16(field);
  if (length < 0) throw new CodecError('ERR_VALUE', at, field, `length ${length}`);
  return { viewId, members, payload: reader.hex(length, field), subviews: null };
}

export function readMergeView(reader: ByteReader, field: string, depth = 1): View212 {
  const at = reader.offset;
  if (depth > MAX_MERGE_DEPTH) throw new CodecError('ERR_LIMIT', at, field, `MergeViews ${depth} deep`);
  const view = readView(reader, field);
  const countAt = reader.offset;
  const count = checkCount(reader.i16(field), countAt, field);
  const subviews: View212[] = [];
  for (let i = 0; i < count; i++) {
    subviews.push(reader.bool(field) ? readMergeView(reader, field, depth + 1) : readView(reader, field));
  }
  return { ...view, subviews };
}

export function viewSize(view: View212): number {
  let size =
    optionalSize(view.viewId, viewIdSize) + addressesSize(view.members) + 2 + view.payload.length / 2;
  if (view.subviews === null) return size;
  size += 2;
  for (const subview of view.subviews) size += 1 + viewSize(subview);
  return size;
}

export function writeView(writer: ByteWriter, view: View212, field: string): void {
  writeOptional(writer, view.viewId, field, writeViewId);
  writeAddresses(writer, view.members, field);
  writer.i16(view.payload.length / 2, field);
  writer.hex(view.payload, field);
  if (view.subviews === null) return;
  writer.i16(view.subviews.length, field);
  for (const subview of view.subviews) {
    writer.bool(subview.subviews !== null);
    writeView(writer, subview, field);
  }
}

// --- digests -----------------------------------------------------------------------------------------------

export function readDigest(reader: ByteReader, field: string): Digest212 {
  const at = reader.offset;
  const count = checkCount(reader.i16(field), at, field);
  const digest: Digest212[number][] = [];
  for (let i = 0; i < count; i++) {
    digest.push({
      member: readMember(reader, field),
      low: readLong(reader, field),
      highestDelivered: readLong(reader, field),
      highestReceived: readLong(reader, field),
    });
  }
  return digest;
}

export function digestSize(digest: Digest212): number {
  let size = 2;
  for (const { member } of digest) size += addressSize(member) + 24;
  return size;
}

export function writeDigest(writer: ByteWriter, digest: Digest212, field: string): void {
  writer.i16(digest.length, field);
  for (const { member, low, highestDelivered, highestReceived } of digest) {
    writeAddress(writer, member, field);
    writeLong(writer, low, field);
    writeLong(writer, highestDelivered, field);
    writeLong(writer, highestReceived, field);
  }
}

// --- joining -----------------------------------------------------------------------------------------------

export function readJoinRsp(reader: ByteReader, field: string): JoinRsp212 {
  return {
    view: readOptional(reader, field, readView),
    digest: readOptional(reader, field, readDigest),
    failReason: readOptionalUtf(reader, field),
  };
}

export function joinRspSize(rsp: JoinRsp212): number {
  return (
    optionalSize(rsp.view, viewSize) + optionalSize(rsp.digest, digestSize) + optionalUtfSize(rsp.failReason)
  );
}

export function writeJoinRsp(writer: ByteWriter, rsp: JoinRsp212, field: string): void {
  writeOptional(writer, rsp.view, field, writeView);
  writeOptional(writer, rsp.digest, field, writeDigest);
  writeOptionalUtf(writer, rsp.failReason, field);
}

export function readPingData(reader: ByteReader, field: string): PingData212 {
  return {
    sender: readAddress(reader, field),
    view: readOptional(reader, field, readMarkedView),
    viewId: readOptional(reader, field, readViewId),
    server: reader.bool(field),
    logicalName: readOptionalUtf(reader, field),
    physicalAddresses: readAddresses(reader, field),
  };
}

/** A view behind a bool that says whether it is a MergeView. */
function readMarkedView(reader: ByteReader, field: string): View212 {
  return reader.bool(field) ? readMergeView(reader, field) : readView(reader, field);
}

export function pingDataSize(data: PingData212): number {
  return (
    addressSize(data.sender) +
    optionalSize(data.view, (view) => 1 + viewSize(view)) +
    optionalSize(data.viewId, viewIdSize) +
    1 +
    optionalUtfSize(data.logicalName) +
    addressesSize(data.physicalAddresses)
  );
}

export function writePingData(writer: ByteWriter, data: PingData212, field: string): void {
  writeAddress(writer, data.sender, field);
  writeOptional(writer, data.view, field, writeMarkedView);
  writeOptional(writer, data.viewId, field, writeViewId);
  writer.bool(data.server);
  writeOptionalUtf(writer, data.logicalName, field);
  writeAddresses(writer, data.physicalAddresses, field);
}

function writeMarkedView(writer: ByteWriter, view: View212, field: string): void {
  writer.bool(view.subviews !== null);
  writeView(writer, view, field);
}
