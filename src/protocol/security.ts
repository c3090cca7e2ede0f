import type { MemberId } from './member-id.ts';

/**
 * What of TLS the rooms above the sockets know. `off`: plaintext only; `accept-both`: both, and TLS towards whoever
 * takes it; `required`: TLS only.
 */
export type TlsMode = 'off' | 'accept-both' | 'required';

/** A certificate, as far as it matters to a reader of logs and to `bindCertificateToName`. */
export interface CertificateSummary {
  /** The subject's attributes, such as `CN=server-1, O=Example`. */
  readonly subject: string;
  /** Common names, then DNS names and IP addresses of the subject's alternative names. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly serialNumber: string;
  /** SHA-256 of the certificate, hex with colons. */
  readonly fingerprint: string;
  /** ISO 8601, UTC. */
  readonly notAfter: string;
}

/** How one stream is protected. */
export interface StreamSecurity {
  /** Such as `TLSv1.3`. */
  readonly protocol: string;
  /** The suite's name in the standard (IANA). */
  readonly cipher: string;
  /** Null: the other side showed none. */
  readonly peerCertificate: CertificateSummary | null;
  /** Why the other side's certificate was not accepted; null: it was, or none is asked for. */
  readonly unauthorized: string | null;
}

/** Whether this certificate may be the member's. */
export type CertificateBinding = (certificate: CertificateSummary, member: MemberId) => boolean;

/** What streams of an environment are held to, and how it goes. */
export interface TlsPolicy {
  readonly mode: TlsMode;
  /** Null: any certificate that is trusted will do. */
  readonly binding: CertificateBinding | null;
  /** A connection came as far as WELCOME. @param security null: plaintext */
  handleOpened(security: StreamSecurity | null): void;
  /** Such a one has ended. */
  handleClosed(security: StreamSecurity | null): void;
  /** A connection was refused, by either side, for how it is protected. */
  handleRefused(why: TlsRefusal): void;
  stats(): TlsStats;
}

/** `plaintext`: it had to be TLS; `certificate`: there was none, or not one that is accepted. */
export type TlsRefusal = 'plaintext' | 'certificate';

export interface TlsStats {
  readonly mode: TlsMode;
  /** Our own; null only with mode `off`. */
  readonly certificate: CertificateSummary | null;
  /** Whole days until it expires, -1 from 24 hours after that on. */
  readonly daysLeft: number | null;
  /** Connections that are open now, of both directions; those that are still shaking hands do not count. */
  readonly connections: { readonly tls: number; readonly plaintext: number };
  /** Whether all of these are TLS; null: there is none. */
  readonly allEncrypted: boolean | null;
  /** TLS handshakes done since the start, of both directions. */
  readonly handshakes: number;
  /** Handshakes that failed, and connections that either side refused after it for a certificate. */
  readonly handshakeFailures: number;
  /** Connections without TLS since the start, of both directions, that the one who was connected to took. */
  readonly plaintextConnections: number;
  /** Connections without TLS that either side refused, since it takes nothing but TLS. */
  readonly plaintextRefused: number;
  /** Members that refused TLS, and connections that we refused since TLS is off here. */
  readonly refusals: number;
  /** How often certificates were read anew, and how often that failed and the old ones were kept. */
  readonly reloads: number;
  readonly reloadFailures: number;
  /** ISO 8601, UTC: when the certificates in use were read. */
  readonly loadedAt: string | null;
  /** Why the last reload failed; null if it did not. */
  readonly reloadError: string | null;
}

/** How a connection to or from a member is protected. */
export interface LinkSecurity {
  /** Such as `TLSv1.3`, or `none`. */
  readonly protocol: string;
  readonly cipher: string | null;
  /** The peer's. */
  readonly certificate: Pick<CertificateSummary, 'subject' | 'notAfter'> | null;
}

/** Each side opens the connection for its own messages; null: there is none now. */
export interface PeerTlsStats {
  readonly sending: LinkSecurity | null;
  readonly receiving: LinkSecurity | null;
}

/** @param security null: the stream is not protected */
export function describeLink(security: StreamSecurity | null): LinkSecurity {
  if (security === null) return { protocol: 'none', cipher: null, certificate: null };
  const { protocol, cipher, peerCertificate } = security;
  return {
    protocol,
    cipher,
    certificate: peerCertificate && {
      subject: peerCertificate.subject,
      notAfter: peerCertificate.notAfter,
    },
  };
}
