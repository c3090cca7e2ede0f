import { CodecError } from '../../codecs/bytes/errors.ts';
import { describeStreamMessage, GeodeStream } from '../../codecs/geode/index.ts';
import type { StreamMessage } from '../../codecs/geode/index.ts';
import { TcpFrameDecoder } from '../../codecs/jgroups/tcp-framing.ts';
import type { TcpFrameItem } from '../../codecs/jgroups/tcp-framing.ts';
import { appendDatagram, errorRecord, versionError } from './datagram-records.ts';
import type { Origin } from './decoded-message.ts';
import type { CaptureRecord } from './record.ts';
import type { RecordValues } from './record-values.ts';
import { RollgateFrames } from './rollgate-frames.ts';
import type { RollgateItem } from './rollgate-frames.ts';
import { RollgateRecords } from './rollgate-records.ts';
import type { SkipCounter } from './skip-counter.ts';
import { FIRST_BYTES, protocolOf } from './stream-protocol.ts';

const OTHER = 'TCP connections of other protocols';
const NOT_WHOLE = 'bytes of TCP messages that are not whole in the capture';
const NOT_CAPTURED = 'TCP bytes that were not captured';

/** One direction of a TCP connection. */
export class StreamReader {
  readonly id: number;
  /** The other direction, if it is known. */
  peer: StreamReader | null;
  hasEnded = false;
  readonly #fromStart: boolean;
  readonly #values: RecordValues;
  readonly #skipped: SkipCounter;
  /** First bytes, until they tell what it is. */
  #head: Buffer = Buffer.alloc(0);
  #protocol: 'undecided' | 'jgroups' | 'rollgate' | 'geode' | 'either' | 'foreign' = 'undecided';
  #jgroups: TcpFrameDecoder | null = null;
  #rollgate: RollgateFrames | null = null;
  #records: RollgateRecords | null = null;
  #geode: GeodeStream | null = null;
  /** Of the one message that a Geode stream has. */
  #geodeBytes = 0;
  #isCounted = false;
  /** The next bytes need not begin with a frame: the start of one is missing. */
  #mayBeRest: boolean;

  constructor(
    id: number,
    fromStart: boolean,
    peer: StreamReader | null,
    values: RecordValues,
    skipped: SkipCounter,
  ) {
    this.id = id;
    this.#fromStart = fromStart;
    this.#mayBeRest = !fromStart;
    this.peer = peer;
    if (peer !== null) peer.peer = this;
    this.#values = values;
    this.#skipped = skipped;
  }

  get isForeign(): boolean {
    return this.#protocol === 'foreign';
  }

  push(bytes: Buffer, origin: Origin, out: CaptureRecord[]): void {
    if (this.#protocol !== 'undecided') {
      this.#feed(bytes, origin, out);
      return;
    }
    this.#head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]);
    if (this.#head.length < FIRST_BYTES && this.peer?.answer === undefined) {
      this.#head = Buffer.from(this.#head); // a view would keep the file's chunk alive
      return;
    }
    this.#begin(false, origin, out);
  }

  gap(length: number, origin: Origin, out: CaptureRecord[]): void {
    if (this.#protocol === 'undecided') this.#begin(false, origin, out);
    if (this.#protocol === 'foreign') return;
    this.#skipped.add(NOT_CAPTURED, length);
    this.#mayBeRest = true;
    if (this.#jgroups !== null) this.#takeJGroups(this.#jgroups.gap(length), origin, out);
    if (this.#rollgate !== null)
      this.#takeRollgate((items) => this.#rollgate?.gap(length, items), origin, out);
    if (this.#geode !== null) this.#becomeForeign('Geode connections of which bytes are missing');
  }

  end(origin: Origin, out: CaptureRecord[]): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (this.#protocol === 'undecided' && this.#head.length > 0) this.#begin(true, origin, out);
    this.#mayBeRest = true;
    if (this.#jgroups !== null) this.#takeJGroups(this.#jgroups.end(), origin, out);
    if (this.#rollgate !== null) this.#takeRollgate((items) => this.#rollgate?.end(items), origin, out);
    if (this.#geode !== null) this.#takeGeode((stream) => stream.end(), 0, origin, out);
    if (this.#geode?.kind === 'unknown') this.#becomeForeign(OTHER);
    if (this.#protocol === 'either') this.#becomeForeign(OTHER);
    this.#jgroups = null;
    this.#rollgate = null;
  }

  /** What the other direction must be, if this one tells. */
  get answer(): 'jgroups' | 'rollgate' | 'geode' | undefined {
    switch (this.#protocol) {
      case 'jgroups':
      case 'rollgate':
      case 'geode':
        return this.#protocol;
      default:
        return undefined;
    }
  }

  // --- what it is ---

  #begin(ended: boolean, origin: Origin, out: CaptureRecord[]): void {
    const head = this.#head;
    this.#head = Buffer.alloc(0);
    const told = protocolOf(head, this.#fromStart);
    const protocol = told.protocol ?? this.peer?.answer;
    switch (protocol) {
      case 'foreign':
        if (told.version !== undefined) {
          out.push(errorRecord(origin, versionError(told.version, 4, 'hello.version')));
        }
        this.#becomeForeign(told.name);
        return;
      case 'jgroups':
        this.#protocol = 'jgroups';
        this.#jgroups = new TcpFrameDecoder({ fromStart: this.#fromStart });
        break;
      case 'rollgate':
        this.#becomeRollgate(new RollgateFrames(told.start ?? (this.#fromStart ? 'frames' : 'search')));
        break;
      case 'geode':
      case undefined:
        if (this.#tryGeode(head, ended, origin, out)) return;
        this.#becomeUnknown(told.name);
    }
    if (head.length > 0) this.#feed(head, origin, out);
  }

  #tryGeode(head: Buffer, ended: boolean, origin: Origin, out: CaptureRecord[]): boolean {
    const stream = new GeodeStream(this.peer?.geode ?? null);
    this.#geode = stream;
    this.#protocol = 'geode';
    this.#takeGeode(() => stream.push(head), head.length, origin, out);
    const { kind } = stream;
    if (kind === 'unknown' || (kind === null && ended && head.length > 1)) {
      this.#geode = null;
      return false;
    }
    return true;
  }

  get geode(): GeodeStream | null {
    return this.#geode;
  }

  /** In the middle of a connection it may still be one of those whose frames can be found. */
  #becomeUnknown(name: string): void {
    if (this.#fromStart) {
      this.#becomeForeign(name);
      return;
    }
    this.#protocol = 'either';
    this.#jgroups = new TcpFrameDecoder({ fromStart: false });
    this.#rollgate = new RollgateFrames('search');
  }

  #becomeRollgate(frames: RollgateFrames): void {
    this.#protocol = 'rollgate';
    this.#jgroups = null;
    this.#rollgate = frames;
    this.#records ??= new RollgateRecords(() => this.peer?.rollgate ?? null, this.#values.geode);
  }

  get rollgate(): RollgateRecords | null {
    return this.#records;
  }

  #becomeForeign(name: string): void {
    this.#protocol = 'foreign';
    this.#jgroups = null;
    this.#rollgate = null;
    this.#geode = null;
    if (!this.#isCounted && this.peer?.isCountedToo !== true) this.#skipped.add(name);
    this.#isCounted = true;
  }

  /** A connection is counted once. */
  get isCountedToo(): boolean {
    return this.#isCounted;
  }

  // --- bytes to records ---

  #feed(bytes: Buffer, origin: Origin, out: CaptureRecord[]): void {
    if (this.#jgroups !== null) this.#takeJGroups(this.#jgroups.push(bytes), origin, out);
    if (this.#rollgate !== null)
      this.#takeRollgate((items) => this.#rollgate?.push(bytes, items), origin, out);
    if (this.#geode !== null) this.#takeGeode((stream) => stream.push(bytes), bytes.length, origin, out);
    if (this.#geode?.kind === 'unknown') this.#becomeForeign(OTHER);
  }

  #takeJGroups(items: readonly TcpFrameItem[], origin: Origin, out: CaptureRecord[]): void {
    for (const item of items) {
      switch (item.kind) {
        case 'hello':
          break;
        case 'frame':
          if (this.#protocol === 'either') {
            this.#protocol = 'jgroups';
            this.#rollgate = null;
          }
          this.#mayBeRest = false;
          appendDatagram(item.bytes, origin, this.#values, out);
          break;
        case 'skipped':
          if (this.#mayBeRest) this.#skipped.add(NOT_WHOLE, item.length);
          else out.push(errorRecord(origin, noFrame(item.offset, item.length)));
          break;
        case 'foreign':
          this.#jgroups = null;
          if (this.#protocol === 'jgroups' && !this.#mayBeRest) {
            out.push(errorRecord(origin, noFrame(item.offset, 0)));
          }
          if (this.#rollgate === null) this.#becomeForeign(OTHER);
      }
    }
  }

  #takeRollgate(take: (items: RollgateItem[]) => void, origin: Origin, out: CaptureRecord[]): void {
    const items: RollgateItem[] = [];
    take(items);
    for (const item of items) {
      if (item.kind === 'foreign') {
        this.#rollgate = null;
        if (this.#jgroups === null) this.#becomeForeign(OTHER);
        continue;
      }
      if (this.#protocol === 'either' && this.#rollgate !== null) this.#becomeRollgate(this.#rollgate);
      if (item.kind === 'frame') out.push((this.#records as RollgateRecords).record(item.frame, origin));
      else if (item.kind === 'skipped') this.#skipped.add(NOT_WHOLE, item.length);
      else out.push(errorRecord(origin, item.error, item.offset));
    }
  }

  #takeGeode(
    take: (stream: GeodeStream) => StreamMessage | null,
    length: number,
    origin: Origin,
    out: CaptureRecord[],
  ): void {
    const stream = this.#geode;
    if (stream === null) return;
    this.#geodeBytes += length;
    try {
      const message = take(stream);
      if (message === null) return;
      const { kind, ...geode } = describeStreamMessage(message);
      const raw = { raw: kind as string, length: this.#geodeBytes, geode };
      out.push({ kind: 'raw', ...origin, ts: origin.sec + origin.nsec / 1e9, ...raw });
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      // what only began like a question of failure detection is another protocol
      if (stream.kind === 'locator') out.push(errorRecord(origin, error));
      else this.#becomeForeign(OTHER);
    }
  }
}

function noFrame(offset: number, length: number): CodecError {
  return new CodecError('ERR_VALUE', offset, 'frame', `${length} bytes are no frame`);
}
