/** Whose fault it is decides the class. Codes are stable, texts are not. */

/** The caller broke a rule of the API. */
export class LocalProtocolError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'LocalProtocolError';
    this.code = code;
  }
}

/** A peer broke the rules of the wire or of a protocol's state. */
export class RemoteProtocolError extends Error {
  readonly code: string;
  /** Who sent it, as `host:port`. */
  readonly peer: string;
  constructor(code: string, peer: string, message: string) {
    super(message);
    this.name = 'RemoteProtocolError';
    this.code = code;
    this.peer = peer;
  }
}

/** A socket failed; `code` is node's (`EADDRINUSE`, `ECONNRESET`, ...). */
export class TransportError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TransportError';
    this.code = code;
  }
}

/** Our own bug: never swallowed. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvariantError';
  }
}
