/**
 * Sockets that record what goes through them. They stand next to the real ones, inside of injected faults: what is
 * recorded is what the network was given and what it delivered.
 */
import type { PacketEndpoint } from '../../codecs/pcap/index.ts';
import type {
  BindOptions,
  DatagramSocket,
  PortPair,
  Stream,
  StreamListener,
} from '../protocol/environment.ts';
import type { StreamSecurity } from '../protocol/security.ts';
import type { NodeDatagramSocket } from './datagram-socket.ts';
import type { NodePortPair } from './port-pair.ts';
import type { Recorder, StreamRecording } from './recorder.ts';
import type { NodeStream } from './node-stream.ts';
import type { NodeStreamListener } from './stream.ts';

/** The same port, with a recorder in it. */
export function recordPortPair(
  pair: NodePortPair,
  recorder: Recorder,
  group: BindOptions['multicast'],
): PortPair {
  const { host, port, udp, tcp, multicast } = pair;
  const record = (socket: NodeDatagramSocket | null, local: PacketEndpoint | null): DatagramSocket | null =>
    socket === null || local === null ? socket : new RecordingDatagramSocket(socket, local, recorder);
  return {
    host,
    port,
    udp: record(udp, recorder.endpoint(host, port)),
    tcp: tcp === null ? null : new RecordingStreamListener(tcp, recorder),
    // what is heard there was sent to the group's address, not to ours
    multicast: group === undefined ? null : record(multicast, recorder.endpoint(group.address, group.port)),
  };
}

class RecordingDatagramSocket implements DatagramSocket {
  onDatagram: (bytes: Uint8Array, host: string, port: number) => void = () => undefined;
  readonly #inner: NodeDatagramSocket;
  readonly #local: PacketEndpoint;
  readonly #recorder: Recorder;
  #closing: Promise<void> | null = null;

  constructor(inner: NodeDatagramSocket, local: PacketEndpoint, recorder: Recorder) {
    this.#inner = inner;
    this.#local = local;
    this.#recorder = recorder;
    recorder.acquire();
    inner.onDatagram = (bytes, host, port) => {
      recorder.datagram(false, local, host, port, bytes);
      this.onDatagram(bytes, host, port);
    };
  }

  send(bytes: Uint8Array, host: string, port: number): void {
    if (this.#inner.send(bytes, host, port)) this.#recorder.datagram(true, this.#local, host, port, bytes);
  }

  close(): Promise<void> {
    this.#closing ??= this.#inner.close().then(() => this.#recorder.release());
    return this.#closing;
  }
}

class RecordingStreamListener implements StreamListener {
  readonly #inner: NodeStreamListener;
  readonly #recorder: Recorder;
  readonly #open = new Set<RecordingStream>();
  #closing: Promise<void> | null = null;

  constructor(inner: NodeStreamListener, recorder: Recorder) {
    this.#inner = inner;
    this.#recorder = recorder;
    recorder.acquire();
    inner.decorate = (stream, accepted) => {
      const recording = new RecordingStream(stream, accepted, recorder, (closed) =>
        this.#open.delete(closed),
      );
      this.#open.add(recording);
      return recording;
    };
  }

  get admits(): (host: string) => boolean {
    return this.#inner.admits;
  }

  set admits(handler: (host: string) => boolean) {
    this.#inner.admits = handler;
  }

  get onConnection(): (stream: Stream) => void {
    return this.#inner.onConnection;
  }

  set onConnection(handler: (stream: Stream) => void) {
    this.#inner.onConnection = handler;
  }

  connect(host: string, port: number, peer?: string): Stream {
    return this.#inner.connect(host, port, peer);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#inner.close();
    for (const stream of this.#open) stream.finishRecording(null); // some may not have heard of their end yet
    await this.#recorder.release();
  }
}

class RecordingStream implements Stream {
  onOpen: () => void = () => undefined;
  onData: (bytes: Uint8Array) => void = () => undefined;
  onDrain: () => void = () => undefined;
  onClose: (error: Error | null) => void = () => undefined;
  readonly #inner: NodeStream;
  readonly #recorder: Recorder;
  /** Null before it is open, when our own port is not known, and where it cannot be recorded. */
  #recording: StreamRecording | null = null;
  /** Written before it was open. */
  #early: Uint8Array[] = [];
  #opened = false;

  constructor(
    inner: NodeStream,
    accepted: boolean,
    recorder: Recorder,
    onFinished: (stream: RecordingStream) => void,
  ) {
    this.#inner = inner;
    this.#recorder = recorder;
    if (accepted) this.#begin(true);
    inner.onOpen = () => {
      this.#begin(false);
      this.onOpen();
    };
    inner.onData = (bytes) => {
      this.#recording?.data(false, bytes);
      this.onData(bytes);
    };
    inner.onDrain = () => this.onDrain();
    inner.onClose = (error) => {
      this.finishRecording(error);
      onFinished(this);
      this.onClose(error);
    };
  }

  get remoteHost(): string {
    return this.#inner.remoteHost;
  }

  get remotePort(): number {
    return this.#inner.remotePort;
  }

  get security(): StreamSecurity | null {
    return this.#inner.security;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#inner.writable) return false;
    if (this.#opened) this.#recording?.data(true, bytes);
    else this.#early.push(bytes);
    return this.#inner.write(bytes);
  }

  end(): void {
    this.#recording?.finish();
    this.#inner.end();
  }

  destroy(): void {
    this.#recording?.finish();
    this.#inner.destroy();
  }

  /** @param error null for an orderly end. Idempotent. */
  finishRecording(error: Error | null): void {
    this.#recording?.close(error);
    this.#recording = null;
  }

  #begin(accepted: boolean): void {
    if (this.#opened) return;
    this.#opened = true;
    const { localHost, localPort, remoteHost, remotePort } = this.#inner;
    const local = this.#recorder.endpoint(localHost, localPort);
    this.#recording = this.#recorder.stream(accepted, local, this.#recorder.endpoint(remoteHost, remotePort));
    this.#recording?.open();
    for (const bytes of this.#early) this.#recording?.data(true, bytes);
    this.#early = [];
  }
}
