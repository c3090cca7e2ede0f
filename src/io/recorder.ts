import {
  addressBytes,
  encodeInterface,
  encodeSection,
  encodeStatistics,
  LinkType,
  maxSegmentBytes,
  maxUdpPayloadBytes,
  packetBlockBytes,
  type PacketEndpoint,
  type PayloadEdit,
  STATISTICS_BYTES,
  type TcpFields,
  tcpPacketBytes,
  TcpScript,
  udpPacketBytes,
  writePacketBlock,
  writeTcpPacket,
  writeUdpPacket,
} from '../../codecs/pcap/index.ts';
import { LocalProtocolError } from '../protocol/errors.ts';
import type { Logger } from '../protocol/logger.ts';
import { CaptureFile, type CaptureFileState } from './capture-file.ts';
import { WallClock } from './wall-clock.ts';

/** What a capture must not hold. What it is, only those who know the protocols can tell. */
export interface Redactor {
  /** What the file's comment says of it. */
  readonly comment: string;
  /** Overwrites in a copy of a datagram's payload what is not to be seen. */
  datagram(copy: Buffer): void;
  /**
   * The same for one direction of a TCP connection: is called with all its bytes, in order, in pieces of any size.
   * @param fromConnector the direction from the end that opened the connection
   */
  stream(fromConnector: boolean): (copy: Buffer) => void;
}

export interface RecorderOptions {
  readonly file: string;
  /** Default: 1 GiB. */
  readonly maxBytes?: number;
  /** Default: `stop`. */
  readonly whenFull?: 'stop' | 'rotate';
  readonly redactor?: Redactor;
}

export interface RecordingStats {
  readonly state: CaptureFileState;
  /** Packets in the file, those that were made up for TCP's handshakes included. */
  readonly packets: number;
  /** Not recorded: the disk was too slow, or recording has stopped. */
  readonly dropped: number;
  /** What no packet can hold: too long, or between addresses that are none. */
  readonly unrecordable: number;
}

/** A day of a quiet member, a minute of a busy one; nobody's disk is full of it. */
const DEFAULT_MAX_BYTES = 1024 * 1024 * 1024;

/** A file of less could hold no datagram of the largest size. */
const MIN_MAX_BYTES = 128 * 1024;

/** Addresses of hosts that are kept, so that they are parsed once. */
const MAX_REMEMBERED_HOSTS = 4_096;

/** Between the first sequence numbers of two connections: a prime, so that they do not come again soon. */
const START_SEQ_STEP = 0x0100_4b1d;

/** Turns what sockets sent and received into packets of a pcapng file. Never throws once it is made. */
export class Recorder {
  readonly #logger: Logger;
  readonly #fileName: string;
  readonly #file: CaptureFile;
  readonly #redactor: Redactor | null;
  readonly #clock = new WallClock();
  readonly #addresses = new Map<string, Uint8Array | null>();
  /** The other end of a datagram; one object for all. */
  readonly #remote: { address: Uint8Array; port: number } = { address: new Uint8Array(0), port: 0 };
  readonly #redactDatagram: PayloadEdit | undefined;
  #packets = 0;
  #dropped = 0;
  #unrecordable = 0;
  #startSeq = 1_000;
  /** Sockets and listeners that are open. */
  #users = 0;

  /** @throws {LocalProtocolError} `ERR_OPTIONS` */
  constructor(options: RecorderOptions, logger: Logger) {
    const { file, maxBytes = DEFAULT_MAX_BYTES, whenFull = 'stop', redactor = null } = options;
    checkOptions(file, maxBytes, whenFull);
    this.#logger = logger;
    this.#fileName = file;
    this.#redactor = redactor;
    this.#redactDatagram = redactor === null ? undefined : (copy) => redactor.datagram(copy);
    const head = this.#head();
    this.#file = new CaptureFile({
      file,
      maxBytes,
      whenFull,
      head: () => head,
      tail: () => encodeStatistics(this.#clock.micros(), this.#packets + this.#dropped, this.#dropped),
      tailBytes: STATISTICS_BYTES,
      logger,
    });
  }

  get stats(): RecordingStats {
    return {
      state: this.#file.state,
      packets: this.#packets,
      dropped: this.#dropped,
      unrecordable: this.#unrecordable,
    };
  }

  /** A socket or listener is open; the first one begins the recording. */
  acquire(): void {
    if (this.#users++ === 0) this.#file.begin();
  }

  /** It is closed; the last one ends the recording. Resolves when the file is written. */
  async release(): Promise<void> {
    if (--this.#users > 0) return;
    await this.#file.close();
    this.#logger.info(
      `${this.#fileName}: ${this.#packets} packets recorded, ${this.#dropped + this.#unrecordable} not`,
    );
  }

  /** An end of packets; null if the host is no IP literal. */
  endpoint(host: string, port: number): PacketEndpoint | null {
    const address = this.#address(host);
    return address === null ? null : { address, port };
  }

  datagram(outgoing: boolean, local: PacketEndpoint, host: string, port: number, bytes: Uint8Array): void {
    const address = this.#address(host);
    const { length } = local.address;
    if (address?.length !== length || bytes.length > maxUdpPayloadBytes(length) || !isPort(port)) {
      this.#unrecordable++;
      return;
    }
    const size = udpPacketBytes(length, bytes.length);
    const offset = this.#packet(outgoing, size);
    if (offset < 0) return;
    const remote = this.#remote;
    remote.address = address;
    remote.port = port;
    const [from, to] = outgoing ? [local, remote] : [remote, local];
    writeUdpPacket(this.#file.buffer, offset, from, to, bytes, this.#redactDatagram);
  }

  /** @param accepted the other end opened it. Null if it cannot be recorded. */
  stream(
    accepted: boolean,
    local: PacketEndpoint | null,
    remote: PacketEndpoint | null,
  ): StreamRecording | null {
    if (local === null || remote?.address.length !== local.address.length) {
      this.#unrecordable++;
      return null;
    }
    this.#startSeq = (this.#startSeq + START_SEQ_STEP) >>> 0;
    return new StreamRecording(this, accepted, local, remote, this.#startSeq, this.#redactor);
  }

  /** For `StreamRecording`. */
  segment(
    outgoing: boolean,
    from: PacketEndpoint,
    to: PacketEndpoint,
    fields: TcpFields,
    payload: Uint8Array,
    edit: PayloadEdit | undefined,
  ): void {
    const offset = this.#packet(outgoing, tcpPacketBytes(from.address.length, fields.flags, payload.length));
    if (offset >= 0) writeTcpPacket(this.#file.buffer, offset, from, to, fields, payload, edit);
    else if (this.#file.state === 'recording') edit?.(Buffer.from(payload)); // it must not lose its place
  }

  /** Returns where to write it in the file's buffer, or -1. */
  #packet(outgoing: boolean, packetBytes: number): number {
    const offset = this.#file.reserve(packetBlockBytes(packetBytes));
    if (offset < 0) {
      this.#dropped++;
      return -1;
    }
    this.#packets++;
    return writePacketBlock(this.#file.buffer, offset, packetBytes, this.#clock.micros(), outgoing);
  }

  #address(host: string): Uint8Array | null {
    const known = this.#addresses.get(host);
    if (known !== undefined) return known;
    if (this.#addresses.size >= MAX_REMEMBERED_HOSTS) this.#addresses.clear();
    const address = addressBytes(host);
    this.#addresses.set(host, address);
    return address;
  }

  #head(): Buffer {
    const comment =
      'Recorded by a rollgate member at its own sockets. UDP payloads and TCP bytes are as they were; the packets ' +
      `around them are made up. ${this.#redactor?.comment ?? 'Nothing is redacted.'}`;
    const section = encodeSection({ application: 'rollgate', comment });
    return Buffer.concat([section, encodeInterface(LinkType.RAW, 'rollgate')]);
  }
}

/** One TCP connection on its way into the file. */
export class StreamRecording {
  readonly #script: TcpScript;
  readonly #accepted: boolean;

  constructor(
    recorder: Recorder,
    accepted: boolean,
    local: PacketEndpoint,
    remote: PacketEndpoint,
    startSeq: number,
    redactor: Redactor | null,
  ) {
    this.#accepted = accepted;
    const editOut = redactor?.stream(!accepted);
    const editIn = redactor?.stream(accepted);
    this.#script = new TcpScript(
      (outgoing, fields, payload) => {
        if (outgoing) recorder.segment(true, local, remote, fields, payload, editOut);
        else recorder.segment(false, remote, local, fields, payload, editIn);
      },
      maxSegmentBytes(local.address.length),
      startSeq,
    );
  }

  open(): void {
    this.#script.open(!this.#accepted);
  }

  data(outgoing: boolean, bytes: Uint8Array): void {
    this.#script.data(outgoing, bytes);
  }

  /** No more of ours. */
  finish(): void {
    this.#script.finish(true);
  }

  /** @param error null for an orderly end */
  close(error: Error | null): void {
    if (error !== null) this.#script.reset(false);
    this.#script.finish(false);
    this.#script.finish(true);
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 0xffff;
}

function checkOptions(file: unknown, maxBytes: number, whenFull: unknown): void {
  if (typeof file !== 'string' || file === '')
    throw new LocalProtocolError('ERR_OPTIONS', 'record.file must name a file');
  if (!Number.isSafeInteger(maxBytes) || maxBytes < MIN_MAX_BYTES) {
    throw new LocalProtocolError(
      'ERR_OPTIONS',
      `record.maxBytes ${maxBytes} must be a whole number of bytes, at least ${MIN_MAX_BYTES}`,
    );
  }
  if (whenFull !== 'stop' && whenFull !== 'rotate')
    throw new LocalProtocolError('ERR_OPTIONS', "record.whenFull must be 'stop' or 'rotate'");
}
