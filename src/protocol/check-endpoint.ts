import { canonicalIp, isIpLiteral } from '../../codecs/bytes/ip.ts';
import { LocalProtocolError } from './errors.ts';

const WILDCARDS: readonly string[] = ['0.0.0.0', canonicalIp('::'), canonicalIp('::ffff:0:0')];

/**
 * The address that a member binds is the one that it tells the others.
 * @throws {LocalProtocolError} `ERR_HOST` unless they can reach it there
 */
export function checkHost(host: unknown): void {
  const text = String(host);
  if (isIpLiteral(text)) {
    if (!WILDCARDS.includes(canonicalIp(text))) return;
    throw hostError(
      `${text} stands for every interface, and cannot be told to peers; name the address at which they reach this member`,
    );
  }
  const [address = '', zone] = text.split('%');
  if (zone !== undefined && isIpLiteral(address))
    throw hostError(`${text}: an address with a zone cannot be told to peers`);
  throw hostError(`'${text}' is no IP address; host names are not resolved`);
}

/** @throws {LocalProtocolError} `ERR_PORTS` for what is no range */
export function checkPorts(ports: unknown): void {
  if (!Array.isArray(ports) || ports.length !== 2) {
    const one = Number.isInteger(ports) ? `; for one port, [${String(ports)}, ${String(ports)}]` : '';
    throw portsError(`ports must be the first and the last one to try, such as [41000, 61000]${one}`);
  }
  const [first, last] = ports as readonly unknown[];
  if (isPort(first) && isPort(last) && first <= last && (first > 0 || last === 0)) return;
  throw portsError(`${String(first)}-${String(last)} is no range of ports (1..65535, or 0-0 for any)`);
}

function isPort(port: unknown): port is number {
  return Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535;
}

function hostError(message: string): LocalProtocolError {
  return new LocalProtocolError('ERR_HOST', message);
}

function portsError(message: string): LocalProtocolError {
  return new LocalProtocolError('ERR_PORTS', message);
}
