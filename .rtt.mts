import { fork } from 'node:child_process';
const R = '/work/main';
const { createNodeEnvironment } = await import(R + '/src/io/node-environment.ts');
const { TcpMessenger } = await import(R + '/src/tcp/tcp-messenger.ts');
const { createMemberId } = await import(R + '/src/protocol/member-id.ts');
const { createView } = await import(R + '/src/protocol/view.ts');
const role = process.argv[2] ?? 'send'; const N = Number(process.env.N ?? 20000);
const m = new TcpMessenger({ environment: createNodeEnvironment(), cluster: 'AG', member: { name: role, version: 200 }, host: '127.0.0.1', ports: [0, 0] } as any);
const self = await m.start();
const cpu = () => { const c = process.cpuUsage(); return c.user + c.system; };
const payload = Buffer.alloc(100);
if (role === 'recv') {
  let peer: any; let c0 = 0;
  m.setDefaultHandler(() => { m.send({ recipients: [peer], payload } as any); });
  process.on('message', (msg: any) => { if (msg.exit) process.exit(0); if (msg.cpu) { process.send!({ cpu: cpu() - c0 }); c0 = cpu(); return; } peer = createMemberId(msg.id); m.installView(createView(1, [peer, self])); process.send!({ ready: 1 }); });
  process.send!({ id: { ...self } });
} else {
  const child = fork(process.argv[1]!, ['recv'], { execArgv: [...process.execArgv] });
  const wait = (k: string) => new Promise<any>((res) => { const h = (x: any) => { if (x[k] !== undefined) { child.off('message', h); res(x); } }; child.on('message', h); });
  const { id } = await wait('id'); const to = createMemberId(id); child.send({ id: { ...self } }); await wait('ready');
  m.installView(createView(1, [self, to]));
  let done = () => {}; let t0 = 0, n = 0; const times: number[] = [];
  const one = () => { t0 = performance.now(); m.send({ recipients: [to], payload } as any); };
  m.setDefaultHandler(() => { times.push(performance.now() - t0); if (++n === N) done(); else one(); });
  for (let r = 0; r < 4; r++) { n = 0; times.length = 0; const c = cpu(); child.send({ cpu: 1 }); await wait('cpu'); one(); await new Promise<void>((res) => (done = res)); const mine = cpu() - c; child.send({ cpu: 1 }); const x = await wait('cpu'); times.sort((a, b) => a - b); console.log(`p50 ${(times[N >> 1]! * 1000).toFixed(1)}us p99 ${(times[Math.floor(N * 0.99)]! * 1000).toFixed(1)}us cpu ${(mine / N).toFixed(1)} + ${(x.cpu / N).toFixed(1)}`); }
  child.send({ exit: 1 }); process.exit(0);
}
