/** A headless Chromium, steered by the DevTools protocol over a pipe: no port is opened for it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The first browser that is installed, or null. */
export function findChromium(): string | null {
  return NAMES.find((name) => spawnSync(name, ['--version'], { timeout: 30_000 }).status === 0) ?? null;
}

// nothing of the browser's own business may reach a network either
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--host-resolver-rules=MAP * ~NOTFOUND',
  '--remote-debugging-pipe',
];

type Params = Readonly<Record<string, unknown>>;

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: Params;
  readonly error?: { readonly message: string };
}

export class Chromium {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #listeners = new Set<(method: string, params: Params) => void>();
  #nextId = 1;
  #rest = '';

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
    const input = process.stdio[4] as Readable;
    input.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    process.on('exit', () => this.#fail('the browser ended'));
  }

  static async start(program: string): Promise<Chromium> {
    const folder = await mkdtemp(join(tmpdir(), 'rollgate-chromium-'));
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] as const;
    const child = spawn(program, [...FLAGS, `--user-data-dir=${folder}`], { stdio: [...stdio] });
    return new Chromium(child, folder);
  }

  /** A new page, with what it logs and asks of the network. */
  async open(width: number, height: number, dark = false): Promise<Page> {
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, sessionId as string);
    for (const domain of ['Page', 'Network', 'Log', 'Runtime']) await page.call(`${domain}.enable`);
    const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
    await page.call('Emulation.setDeviceMetricsOverride', metrics);
    // they would take room that a phone does not give them
    await page.call('Emulation.setScrollbarsHidden', { hidden: true });
    const scheme = { name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' };
    await page.call('Emulation.setEmulatedMedia', { features: [scheme] });
    return page;
  }

  onEvent(listener: (method: string, params: Params) => void): void {
    this.#listeners.add(listener);
  }

  async call(method: string, params: Params = {}, sessionId?: string): Promise<Params> {
    const id = this.#nextId++;
    const output = this.#process.stdio[3] as Writable;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      output.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result ?? {};
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    if (this.#process.exitCode === null) {
      void this.call('Browser.close').catch(() => undefined);
      const late = setTimeout(() => this.#process.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(late);
    }
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #read(text: string): void {
    const parts = (this.#rest + text).split('\0');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) {
      const answer = JSON.parse(part) as Answer;
      if (answer.id !== undefined) {
        this.#waiting.get(answer.id)?.(answer);
        this.#waiting.delete(answer.id);
      } else if (answer.method !== undefined) {
        for (const listener of this.#listeners) listener(answer.method, answer.params ?? {});
      }
    }
  }

  #fail(message: string): void {
    for (const waiting of this.#waiting.values()) waiting({ error: { message } });
    this.#waiting.clear();
  }
}

export class Page {
  readonly #browser: Chromium;
  readonly #session: string;
  /** Addresses that the page asked for. */
  readonly requests: string[] = [];
  /** What stands on the console: violations of the policy, errors of the script. */
  readonly complaints: string[] = [];
  #onLoad: () => void = () => undefined;

  constructor(browser: Chromium, session: string) {
    this.#browser = browser;
    this.#session = session;
    browser.onEvent((method, params) => this.#handle(method, params));
  }

  call(method: string, params: Params = {}): Promise<Params> {
    return this.#browser.call(method, params, this.#session);
  }

  async load(url: string): Promise<void> {
    const loaded = new Promise<void>((resolve) => (this.#onLoad = resolve));
    await this.call('Page.navigate', { url });
    await loaded;
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.call('Runtime.evaluate', { expression, returnByValue: true });
    return (result as { readonly value?: unknown }).value;
  }

  /** As PNG, of the whole page or of what is in the window. */
  async screenshot(whole: boolean): Promise<Buffer> {
    const { data } = await this.call('Page.captureScreenshot', { captureBeyondViewport: whole });
    return Buffer.from(data as string, 'base64');
  }

  #handle(method: string, params: Params): void {
    switch (method) {
      case 'Page.loadEventFired':
        this.#onLoad();
        break;
      case 'Network.requestWillBeSent':
        this.requests.push((params['request'] as { readonly url: string }).url);
        break;
      case 'Log.entryAdded':
        this.complaints.push((params['entry'] as { readonly text: string }).text);
        break;
      case 'Runtime.exceptionThrown':
        this.complaints.push(JSON.stringify(params));
    }
  }
}
