/**
 * AUTH's header (JGroups 3.6.14, AuthHeader): `bool present   class magic short   [-1: class name UTF]   body`. Each
 * class of token has a body of its own; a class that is not known cannot be skipped, as with headers.
 */

import { CodecError } from '../../../bytes/errors.ts';
import type { ByteReader } from '../../../bytes/reader.ts';
import type { AuthHeader, AuthToken } from '../../message.ts';
import { optionalUtfSize, readOptionalUtf, readUtf, utfSize, writeOptionalUtf, writeUtf } from '../../utf.ts';
import { optionalBytesSize, readOptionalBytes, writeOptionalBytes } from '../fields.ts';
import { Magic, ProtocolId, TokenMagic } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

interface TokenClass {
  readonly className: string;
  /** -1: the class goes by its name. */
  readonly magic: number;
  readonly body: 'text' | 'bytes' | 'none';
}

const TOKENS: readonly TokenClass[] = [
  { className: 'org.jgroups.auth.SimpleToken', magic: TokenMagic.SimpleToken, body: 'text' },
  {
    className: 'org.jgroups.auth.FixedMembershipToken',
    magic: TokenMagic.FixedMembershipToken,
    body: 'text',
  },
  { className: 'org.jgroups.auth.MD5Token', magic: TokenMagic.MD5Token, body: 'text' },
  { className: 'org.jgroups.auth.X509Token', magic: TokenMagic.X509Token, body: 'bytes' },
  { className: 'org.jgroups.auth.Krb5Token', magic: -1, body: 'text' },
  { className: 'org.jgroups.auth.RegexMembership', magic: -1, body: 'none' },
  { className: 'org.jgroups.auth.DemoToken', magic: -1, body: 'none' },
];

const byMagic = new Map(TOKENS.filter(({ magic }) => magic >= 0).map((token) => [token.magic, token]));
const byName = new Map(TOKENS.map((token) => [token.className, token]));

function decodeToken(reader: ByteReader): AuthToken {
  const at = reader.offset;
  const magic = reader.i16('AUTH.token-class');
  const named = magic === -1 ? readUtf(reader, 'AUTH.token-class') : null;
  const token = named === null ? byMagic.get(magic) : byName.get(named);
  if (token === undefined || (named !== null && token.magic !== -1)) {
    const detail = `the token's class ${named ?? magic} is unknown`;
    throw new CodecError('ERR_UNKNOWN_HEADER', at, 'AUTH.token-class', detail);
  }
  const { className } = token;
  switch (token.body) {
    case 'text':
      return { className, value: readOptionalUtf(reader, 'AUTH.token') };
    case 'bytes':
      return { className, value: readOptionalBytes(reader, 'AUTH.token') };
    case 'none':
      return { className, value: null };
  }
}

function classOf(token: AuthToken): TokenClass {
  const known = byName.get(token.className);
  if (known !== undefined) return known;
  throw new CodecError('ERR_VALUE', 0, 'AUTH.token-class', `'${token.className}' is unknown`);
}

function tokenSize(token: AuthToken): number {
  const { magic, body } = classOf(token);
  const named = 2 + (magic === -1 ? utfSize(token.className) : 0);
  if (body === 'none') return named;
  return named + (body === 'text' ? optionalUtfSize(token.value) : optionalBytesSize(token.value));
}

export const auth: HeaderCodec<AuthHeader> = {
  protocolId: ProtocolId.AUTH,
  magic: Magic.AUTH,
  decode(reader) {
    return { protocol: 'AUTH', token: reader.bool('AUTH.present') ? decodeToken(reader) : null };
  },
  size: (header) => 1 + (header.token === null ? 0 : tokenSize(header.token)),
  encode(writer, { token }) {
    writer.bool(token !== null);
    if (token === null) return;
    const { magic, body } = classOf(token);
    writer.i16(magic);
    if (magic === -1) writeUtf(writer, token.className, 'AUTH.token-class');
    if (body === 'text') writeOptionalUtf(writer, token.value, 'AUTH.token');
    if (body === 'bytes') writeOptionalBytes(writer, token.value, 'AUTH.token');
  },
};
