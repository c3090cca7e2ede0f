/** The options of `createMessenger`. */
import type { NodeEnvironmentOptions } from './io/node-environment.ts';
import type { DelegatingMessengerOptions } from './upgrade/delegating-messenger.ts';

export interface CreateMessengerOptions
  extends
    Omit<DelegatingMessengerOptions, 'environment' | 'ports' | 'pendingTotal'>,
    Omit<NodeEnvironmentOptions, 'recorder'> {
  /** First and last membership port to try; 0,0 takes any free one. Default 41000 to 61000. */
  readonly ports?: readonly [number, number];
  /** Writes all that this member sends and receives, by UDP and by TCP, to a capture file. Default: nothing. */
  readonly record?: RecordOptions;
}

/**
 * A messenger's own traffic as a pcapng file (raw IP), from `start()` to `stop()`: every datagram, every byte of TCP,
 * both directions, with the time of day, for `rollgate decode`, Wireshark and others. The packets around the bytes are
 * made up, with TCP's handshakes and acknowledgements. It is recorded what the network was given: injected faults come
 * before. UDP that the kernel refuses, and TCP that a broken connection never got out, may be in it all the same.
 *
 * Recording never harms the messenger. If the file cannot be written, the disk is full or too slow, it is said once by
 * a warning, and recording stops or goes on with packets missing; their number stands at the end of the file.
 */
export interface RecordOptions {
  /** An existing file is overwritten. Readable by its owner only. One file for each messenger. */
  readonly file: string;
  /** The file grows no larger; 131072 (128 KiB) at least. Default 1 GiB. */
  readonly maxBytes?: number;
  /**
   * `stop` (the default): then nothing more is recorded. `rotate`: the file becomes `<file>.1`, in place of an earlier
   * one, and a new one begins.
   */
  readonly whenFull?: 'stop' | 'rotate';
  /**
   * `payloads`: what the application sends is overwritten by as many zeros, on both stacks. With it go all that is
   * inside of messages, Geode's credentials and public keys among them. What stays: addresses, ports, member ids and
   * names, the cluster's name, seqnos, flags, lengths, times, the seqnos and credits that UNICAST3 and flow control
   * ask for, and all frames of the TCP wire other than messages. A datagram with JGroups' AUTH header keeps
   * only its version; one that cannot be decoded its first 64 bytes; a TCP stream that is not ours loses all from
   * the first byte that does not fit. Default: nothing is redacted.
   */
  readonly redact?: 'payloads';
}
