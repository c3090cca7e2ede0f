/**
 * IP multicast over node:dgram, as JGroups 3.6 uses it: one socket hears the group, the member's own socket sends to
 * it, so that a datagram's source is the member's address. Both stay on the interface that has the member's address.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

import { canonicalIp } from '../../codecs/bytes/ip.ts';
import type { BindOptions } from '../protocol/environment.ts';
import { LocalProtocolError, TransportError } from '../protocol/errors.ts';

export type Group = NonNullable<BindOptions['multicast']>;

/** Geode's mcast-ttl. */
const DEFAULT_TTL = 32;

/** Where a member's multicast goes and comes from. */
interface Interface {
  /** For a human. */
  readonly name: string;
  /** What node wants to be told. */
  readonly selector: string;
  /** To append to an IPv6 group address that is valid on one link only. */
  readonly zone: string;
}

/** @throws {LocalProtocolError} `ERR_MULTICAST` for a group of the other kind of address */
export function checkGroup(host: string, group: Group): void {
  if (isIPv6(host) === isIPv6(group.address)) return;
  throw new LocalProtocolError(
    'ERR_MULTICAST',
    `${host} cannot be a member of ${group.address}: one is IPv4, the other IPv6`,
  );
}

/** Datagrams that the socket sends to a group leave by its host's interface, and are heard on this machine, too. */
export function aimAtGroup(socket: Socket, host: string, group: Group): void {
  attempt('send to', host, group, () => {
    socket.setMulticastInterface(interfaceOf(host).selector);
    socket.setMulticastTTL(group.ttl ?? DEFAULT_TTL);
    socket.setMulticastLoopback(true);
  });
}

/** Binds a new socket to the group's port, which others on this machine share, and joins the group. */
export async function joinGroup(socket: Socket, host: string, group: Group): Promise<void> {
  const { selector, zone } = interfaceOf(host);
  // Linux lets a socket be bound to the group, so that it hears no other group on the same port (JGRP-777)
  const wildcard = isIPv6(host) ? '::' : '0.0.0.0';
  const address = process.platform === 'linux' ? group.address + zone : wildcard;
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => reject(explain('hear', host, group, error));
    socket.once('error', fail);
    socket.bind({ address, port: group.port, exclusive: true }, () => {
      socket.off('error', fail);
      resolve();
    });
  });
  attempt('join', host, group, () => socket.addMembership(group.address, selector));
}

/**
 * Finds out whether this machine has a way to the group: else each datagram would be lost on its own. Sends nothing.
 * @throws {TransportError} node's code, naming group and interface
 */
export async function checkRoute(host: string, group: Group): Promise<void> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', () => resolve()); // the host: those who bind it next will explain
      socket.bind({ address: host, port: 0, exclusive: true }, () => {
        const fail = (error: unknown): void => reject(explain('send to', host, group, error));
        socket.removeAllListeners('error').once('error', fail);
        try {
          socket.setMulticastInterface(interfaceOf(host).selector);
          socket.once('connect', resolve).connect(group.port, group.address);
        } catch (error) {
          fail(error);
        }
      });
    });
  } finally {
    socket.close();
  }
}

function attempt(what: string, host: string, group: Group, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw explain(what, host, group, error);
  }
}

function explain(what: string, host: string, group: Group, error: unknown): TransportError {
  const { code = 'EIO', message } = error as NodeJS.ErrnoException;
  const where = `cannot ${what} the multicast address ${group.address}:${group.port} on interface ${interfaceOf(host).name} (${host})`;
  const texts: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program has the port for itself alone',
    ENODEV: 'the interface cannot do multicast',
    EADDRNOTAVAIL: 'the interface cannot do multicast',
    ENETUNREACH:
      'this machine has no route for multicast there; add one, or choose a host on another interface',
    EHOSTUNREACH:
      'this machine has no route for multicast there; add one, or choose a host on another interface',
  };
  return new TransportError(code, `${where}: ${texts[code] ?? message}`, { cause: error });
}

/** IPv4 names an interface by its address, IPv6 by a zone. */
function interfaceOf(host: string): Interface {
  const wanted = canonicalIp(host);
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const own = addresses?.find(({ address }) => canonicalIp(address) === wanted);
    if (own === undefined) continue;
    if (own.family === 'IPv4') return { name, selector: host, zone: '' };
    const zone = process.platform === 'win32' ? `%${own.scopeid}` : `%${name}`;
    return { name, selector: `::${zone}`, zone };
  }
  return { name: 'unknown', selector: isIPv6(host) ? '::' : host, zone: '' };
}
