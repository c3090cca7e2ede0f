import { fork } from 'node:child_process';
import { setImmediate as turn } from 'node:timers/promises';
const R = process.env.ROOT ?? '/work/main';
const { createNodeEnvironment } = await import(R + '/src/io/node-environment.ts');
const { TcpMessenger } = await import(R + '/src/tcp/tcp-messenger.ts');
const { createMemberId } = await import(R + '/src/protocol/member-id.ts');
const { createView } = await import(R + '/src/protocol/view.ts');
const size = Number(process.env.SIZE ?? 65536), count = Number(process.env.COUNT ?? 20000), dontBundle = process.env.ALONE === '1';
const rcv = Number(process.env.RCV ?? 0);
const role = process.argv[2] ?? 'send';
const opt: any = { environment: createNodeEnvironment(), cluster: 'AG', member: { name: role, version: 200 }, host: '127.0.0.1', ports: [0, 0] };
if (rcv && role === 'recv') opt.udpReceiveBufferBytes = rcv;
const m = new TcpMessenger(opt);
const self = await m.start();
const ids: any[] = [self];
const cpu = () => { const c = process.cpuUsage(); return c.user + c.system; };
if (role === 'recv') {
  let got = 0, c0 = 0, bad = 0; const t0 = 0;
  m.setDefaultHandler(({ payload }: any) => {
    if (Buffer.from(payload.buffer, payload.byteOffset, 4).readUInt32BE(0) !== got % 1000) bad++;
    if (++got % count === 0) { process.send!({ done: got, cpu: cpu() - c0, bad, counters: m.stats().stacks.tcp?.counters }); c0 = cpu(); }
  });
  process.on('message', (msg: any) => {
    if (msg.exit) process.exit(0);
    const peer = createMemberId(msg.id); m.installView(createView(1, [peer, self])); c0 = cpu(); process.send!({ ready: 1 });
  });
  process.send!({ id: { ...self } });
} else {
  const child = fork(process.argv[1]!, ['recv'], { execArgv: [...process.execArgv] });
  const wait = (k: string) => new Promise<any>((res) => { const h = (x: any) => { if (x[k] !== undefined) { child.off('message', h); res(x); } }; child.on('message', h); });
  const { id } = await wait('id'); const to = createMemberId(id);
  child.send({ id: { ...self } });
  await wait('ready');
  m.installView(createView(1, [self, to]));
  let wake = () => {}; m.setWritableHandler(() => wake());
  const msgs = Array.from({ length: 1000 }, (_, i) => { const payload = Buffer.alloc(size, i); payload.writeUInt32BE(i, 0); return { recipients: [to], payload, dontBundle }; });
  const runs = Number(process.env.RUNS ?? 3);
  for (let r = 0; r < runs; r++) {
    const done = wait('done'); const t = performance.now(), c = cpu();
    for (let s = 0; s < count;) { let w = true; const e = Math.min(count, s + 64); while (w && s < e) { w = m.send(msgs[s % 1000] as any).writable; s++; } if (w) await turn(); else await new Promise<void>((res) => (wake = res)); }
    const d = await done; const ms = performance.now() - t;
    const k = m.stats().stacks.tcp!.counters as any;
console.log(`${(count / ms).toFixed(1)}k msg/s ${(count * size / ms / 1000).toFixed(0)} MB/s send ${((cpu() - c) / count).toFixed(2)}us recv ${(d.cpu / count).toFixed(2)}us bad ${d.bad}`);
  }
  child.send({ exit: 1 }); process.exit(0);
}
