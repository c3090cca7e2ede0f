import { encodeFrame, type Frame } from '../../../codecs/tcp/v1/frame.ts';
import { FrameDecoder } from '../../../codecs/tcp/v1/frame-decoder.ts';
import type { Hello, Welcome } from '../../../codecs/tcp/v1/handshake.ts';
import { PREAMBLE } from '../../../codecs/tcp/v1/limits.ts';
import type { Stream } from '../../../src/protocol/environment.ts';
import { createMemberId, type MemberId } from '../../../src/protocol/member-id.ts';
import type { FakeNetwork } from './fake-network.ts';
import type { Member } from './members.ts';

/** A peer that says what the test wants it to. */
export class RawPeer {
  readonly frames: Frame[] = [];
  closed = false;
  readonly stream: Stream;
  readonly #decoder: FrameDecoder;

  constructor(stream: Stream, accepted: boolean) {
    this.stream = stream;
    this.#decoder = new FrameDecoder(accepted);
    this.#decoder.allowLargeFrames();
    stream.onData = (bytes) => {
      this.#decoder.push(bytes);
      for (let frame = this.#decoder.next(); frame !== null; frame = this.#decoder.next())
        this.frames.push(frame);
    };
    stream.onClose = () => {
      this.closed = true;
    };
  }

  send(...frames: Frame[]): void {
    for (const frame of frames) this.stream.write(encodeFrame(frame));
  }

  /** Those of one type. */
  of<Name extends Frame['type']>(type: Name): Extract<Frame, { type: Name }>[] {
    return this.frames.filter((frame): frame is Extract<Frame, { type: Name }> => frame.type === type);
  }
}

/** Connects to a member, and sends the preamble unless told otherwise. */
export function connectRaw(
  network: FakeNetwork,
  to: Member,
  preamble: Uint8Array = Uint8Array.from(PREAMBLE),
  from = '127.0.0.1',
): RawPeer {
  const { tcp } = network.listen(from, 0);
  if (tcp === null) throw new Error('no listener');
  const peer = new RawPeer(tcp.connect(to.id.host, to.id.port), false);
  network.run(5);
  peer.stream.write(preamble);
  return peer;
}

export const RAW_ID = createMemberId({
  host: '127.0.0.1',
  port: 9,
  uuid: 'a'.repeat(32),
  name: 'raw',
  version: 200,
});

export function hello(to: Member, changes: Partial<Hello> = {}): Hello {
  return {
    type: 'HELLO',
    minVersion: 1,
    maxVersion: 1,
    features: 0,
    peerKind: 1,
    cluster: 'test',
    sender: RAW_ID,
    recipientUuid: to.id.uuid,
    session: '5'.repeat(16),
    connId: 1,
    nextSeqno: 1,
    extensions: new Uint8Array(0),
    ...changes,
  };
}

export function welcome(acceptor: MemberId, changes: Partial<Welcome> = {}): Welcome {
  return {
    type: 'WELCOME',
    version: 1,
    features: 0,
    acceptor,
    lastSeqno: 0,
    maxFrameBytes: 1024 * 1024,
    extensions: new Uint8Array(0),
    ...changes,
  };
}

export const data = (seqno: number, payload: Uint8Array): Frame => ({
  type: 'DATA',
  seqno,
  flags: 0,
  payload,
});
