import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import type { TlsOptions } from '../../src/security/options.ts';
import { Authority, type Identity, temporaryFolder } from './certificates.ts';
import {
  HOST,
  installView,
  logged,
  send,
  startMember,
  startPair,
  type TestMember,
  until,
} from './members.ts';

const authority = new Authority();

/** Options that name files, and what rewrites these. */
function files(t: ExecutionContext, identity: Identity): [TlsOptions, (identity: Identity) => void] {
  const folder = temporaryFolder(t);
  const key = join(folder, 'key.pem');
  const cert = join(folder, 'cert.pem');
  const write = (next: Identity): void => {
    writeFileSync(key, next.key);
    writeFileSync(cert, next.cert);
  };
  write(identity);
  return [{ mode: 'required', key, cert, ca: authority.cert, reload: { pollIntervalMs: 50 } }, write];
}

function shownBy(from: TestMember, to: TestMember): string | undefined {
  const peer = from.messenger.stats().peers.find(({ member }) => member.uuid === to.id.uuid);
  return peer?.tls?.sending?.certificate?.subject;
}

test.serial(
  'new certificates are used by new connections; the others stay, and nothing is lost',
  async (t) => {
    const [ofA, writeA] = files(t, authority.issue({ name: 'a, first' }));
    const [ofB, writeB] = files(t, authority.issue({ name: 'b, first' }));
    const [a, b] = await startPair(t, ofA, ofB);
    let sent = 0;
    const traffic = setInterval(() => {
      for (let count = 0; count < 20; count++) send(a, b, `${sent++}`);
    }, 5);
    t.teardown(() => clearInterval(traffic));
    t.true(await until(() => b.received.length > 100));
    t.is(shownBy(a, b), 'CN=b\\, first');

    writeA(authority.issue({ name: 'a, second' }));
    writeB(authority.issue({ name: 'b, second' }));
    const reloads = (member: TestMember): number => member.messenger.stats().tls?.reloads ?? 0;
    t.true(await until(() => reloads(a) > 0 && reloads(b) > 0), a.log.join('\n'));
    t.is(a.messenger.stats().tls?.certificate?.names[0], 'a, second');
    t.is(shownBy(a, b), 'CN=b\\, first', 'the connection that was open goes on');

    // a third member sees the new ones, from both sides
    const c = await startMember(t, 'c', { ...ofA, ...authority.issue({ name: 'c' }) });
    installView([a, b, c]);
    send(c, b, 'from c');
    send(b, c, 'from b');
    t.true((await c.messenger.flush(15_000)) && (await b.messenger.flush(15_000)), c.log.join('\n'));
    t.is(shownBy(c, b), 'CN=b\\, second');
    const [peer] = c.messenger.stats().peers.filter(({ member }) => member.uuid === b.id.uuid);
    t.is(peer?.tls?.receiving?.certificate?.subject, 'CN=b\\, second');

    clearInterval(traffic);
    t.true(await a.messenger.flush(15_000));
    const fromA = b.received.filter((text) => text !== 'from c');
    t.deepEqual(
      fromA,
      Array.from({ length: sent }, (_, index) => `${index}`),
    );
    t.is(a.messenger.stats().stacks.tcp?.counters['connectionsLost'], 0, a.log.join('\n'));
  },
);

test.serial(
  'bad files: the old certificates stay, which is said; good ones are taken after that',
  async (t) => {
    const [options, write] = files(t, authority.issue({ name: 'first' }));
    const member = await startMember(t, 'a', options);
    const stats = () => member.messenger.stats().tls;
    const [first, second] = [authority.issue({ name: 'x' }), authority.issue({ name: 'second' })];
    write({ key: first.key, cert: second.cert });
    t.true(await until(() => (stats()?.reloadFailures ?? 0) > 0));
    t.regex(stats()?.reloadError ?? '', /private key is not that of the certificate/);
    t.is(stats()?.certificate?.subject, 'CN=first');
    t.true(logged(member, /^error: TLS: certificates were read anew.*the old ones stay$/));

    write({ key: 'rubbish', cert: '' });
    t.true(await until(() => /not PEM/.test(stats()?.reloadError ?? '')), stats()?.reloadError ?? '');

    write(second);
    t.true(await until(() => stats()?.certificate?.subject === 'CN=second'));
    t.is(stats()?.reloadError, null);
  },
);

test.serial('SIGHUP: all members of the process, as long as they run', async (t) => {
  const listeners = process.listenerCount('SIGHUP');
  const identity = authority.issue({ name: 'first' });
  const [options, write] = files(t, identity);
  const quiet = { ...options, reload: { pollIntervalMs: 0 } };
  const members = [await startMember(t, 'a', quiet), await startMember(t, 'b', quiet)];
  const deaf = await startMember(t, 'c', { ...quiet, reload: { pollIntervalMs: 0, onSighup: false } });
  t.is(process.listenerCount('SIGHUP'), listeners + 1);
  write(authority.issue({ name: 'second' }));
  process.kill(process.pid, 'SIGHUP');
  const subject = ({ messenger }: TestMember) => messenger.stats().tls?.certificate?.subject;
  t.true(await until(() => members.every((member) => subject(member) === 'CN=second')));
  t.is(subject(deaf), 'CN=first');
  for (const { messenger } of [...members, deaf]) await messenger.stop();
  t.is(process.listenerCount('SIGHUP'), listeners);
});

test.serial('certificates are read anew while handshakes are under way: none fails', async (t) => {
  const [options] = files(t, authority.issue({ name: 'x' }));
  const hub = await startMember(t, 'hub', options);
  const others = await Promise.all(
    Array.from({ length: 8 }, (_, index) => startMember(t, `m${index}`, { ...options, ca: authority.cert })),
  );
  installView([hub, ...others]);
  for (const other of others) send(other, hub, HOST);
  for (let round = 0; round < 5; round++) process.emit('SIGHUP');
  for (const other of others) t.true(await other.messenger.flush(15_000), other.log.join('\n'));
  t.is(hub.received.length, others.length);
  t.is(hub.messenger.stats().tls?.handshakeFailures, 0);
});

test.serial(
  'a secret as Kubernetes mounts and replaces it: a symbolic link to a folder is renamed',
  async (t) => {
    const folder = temporaryFolder(t);
    const mount = (version: string, { key, cert }: Identity): void => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'tls.key'), key);
      writeFileSync(join(folder, version, 'tls.crt'), cert);
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    mount('..first', authority.issue({ name: 'first' }));
    for (const file of ['tls.key', 'tls.crt']) symlinkSync(join('..data', file), join(folder, file));
    const member = await startMember(t, 'a', {
      mode: 'required',
      key: join(folder, 'tls.key'),
      cert: join(folder, 'tls.crt'),
      ca: authority.cert,
      reload: { pollIntervalMs: 50 },
    });
    const stats = () => member.messenger.stats().tls;
    t.is(stats()?.certificate?.subject, 'CN=first');
    for (const version of ['second', 'third']) {
      mount(`..${version}`, authority.issue({ name: version }));
      t.true(await until(() => stats()?.certificate?.subject === `CN=${version}`), member.log.join('\n'));
      rmSync(join(folder, version === 'second' ? '..first' : '..second'), { recursive: true });
    }
    t.is(stats()?.reloadFailures, 0, member.log.join('\n'));
  },
);
