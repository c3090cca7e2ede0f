import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import type { Address } from './address.ts';

/** How a wire version writes addresses: what headers that did not change otherwise are built with. */
export interface AddressCodec {
  readAddress(reader: ByteReader, field: string): Address | null;
  addressSize(address: Address | null): number;
  writeAddress(writer: ByteWriter, address: Address | null, field: string): void;
  readAddresses(reader: ByteReader, field: string): Address[] | null;
  addressesSize(addresses: readonly Address[] | null): number;
  writeAddresses(writer: ByteWriter, addresses: readonly Address[] | null, field: string): void;
}
