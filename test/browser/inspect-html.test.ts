import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inflateSync } from 'node:zlib';

import test from 'ava';

import { CaptureRecords } from '../../src/compat/capture-records.ts';
import type { MessageRecord } from '../../src/compat/record.ts';
import { renderPage } from '../../src/compat/inspect/html/page.ts';
import { Inspector } from '../../src/compat/inspect/inspector.ts';
import { Chromium, findChromium, type Page } from './chromium.ts';

/**
 * The page of `rollgate inspect --html` in a real browser, from disk. ROLLGATE_REQUIRE_CHROMIUM=1: it is an error
 * that there is none. ROLLGATE_SCREENSHOTS=FOLDER keeps the pictures, for people to look at.
 */

const program = findChromium();
const required = process.env['ROLLGATE_REQUIRE_CHROMIUM'] === '1';
const inBrowser = program === null && !required ? test.serial.skip : test.serial;

const HOSTILE = '<img src=https://example.invalid/x onerror=alert(1)>';

/** A name in a capture is whatever its sender says. */
function renamed(record: MessageRecord): MessageRecord {
  const { kind, n, ts, transport, from, to, version, dest, src, flags, headers, length, payload } = record;
  const same = { kind, n, ts, transport, from, to, version, dest, src, flags, headers, length };
  return { ...same, sha256: null, payload: payload ?? null, cluster: HOSTILE };
}

async function lossPage(): Promise<string> {
  const file = fileURLToPath(
    new URL('../../compat-fixtures/3.6.14-decoded/loss/capture.pcap', import.meta.url),
  );
  const [capture, inspector] = [new CaptureRecords(), new Inspector()];
  for await (const chunk of createReadStream(file)) {
    for (const record of capture.push(chunk as Buffer)) {
      inspector.add(record.kind === 'message' ? renamed(record) : record);
    }
  }
  return renderPage(inspector.finish('loss.pcap', new Map([[HOSTILE, 1]])), '0.0.0');
}

/** Runs with a page loaded from disk, and checks that it asked nobody for anything and complained of nothing. */
async function withPage(
  size: readonly [number, number],
  dark: boolean,
  check: (page: Page, folder: string) => Promise<void>,
): Promise<{
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
  readonly url: string;
}> {
  if (program === null) throw new Error('chromium is missing: install the package chromium');
  const folder = await mkdtemp(join(tmpdir(), 'rollgate-page-'));
  const browser = await Chromium.start(program);
  try {
    const file = join(folder, 'story.html');
    await writeFile(file, await lossPage());
    const url = pathToFileURL(file).href;
    const page = await browser.open(...size, dark);
    await page.load(url);
    await check(page, folder);
    return { requests: page.requests, complaints: page.complaints, url };
  } finally {
    await browser.close();
    await rm(folder, { recursive: true });
  }
}

/** Different values among the bytes of a picture: one that is blank has very few. */
function shades(png: Buffer): number {
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  return new Set(inflateSync(Buffer.concat(data))).size;
}

for (const [name, size, dark] of [
  ['wide', [1280, 900], false],
  ['narrow-dark', [390, 844], true],
] as const) {
  inBrowser(`the page looks as it should, asks nobody, and fits: ${name}`, async (t) => {
    const { requests, complaints, url } = await withPage(size, dark, async (page, folder) => {
      const text = (await page.evaluate('document.body.innerText')) as string;
      for (const part of [
        '3 messages were lost on the way',
        'Timeline',
        'Anomalies',
        'Members and versions',
      ]) {
        t.true(text.includes(part), part);
      }
      t.true(text.includes('<img src=https'), 'a hostile name is text');
      t.is(await page.evaluate('document.images.length'), 0);
      t.is(await page.evaluate("document.querySelectorAll('.timeline rect').length > 5"), true);
      t.is(await page.evaluate("document.querySelectorAll('.sequence path.cross').length"), 3);
      const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      t.is(await page.evaluate(overflow), 0, 'nothing sticks out at the side');
      const background = (await page.evaluate('getComputedStyle(document.body).backgroundColor')) as string;
      t.is(background, dark ? 'rgb(18, 22, 28)' : 'rgb(246, 247, 249)', 'the style sheet is in force');
      const file = join(process.env['ROLLGATE_SCREENSHOTS'] ?? folder, `inspect-${name}.png`);
      const picture = await page.screenshot(true);
      await writeFile(file, picture);
      t.true((await stat(file)).size > 10_000);
      t.true(shades(picture) > 50);
    });
    t.deepEqual(requests, [url]);
    t.deepEqual(complaints, []);
  });
}

inBrowser('a link into a closed diagram opens it, and the buttons open and close all', async (t) => {
  const { complaints } = await withPage([1280, 900], false, async (page) => {
    const open = 'document.querySelectorAll("details[open]").length';
    await page.evaluate("document.getElementById('close').click()");
    t.is(await page.evaluate(open), 0);
    await page.evaluate("document.querySelector('.anomalies .what a').click()");
    // the event comes after the click has been handled
    await page.call('Runtime.evaluate', {
      expression: 'new Promise((done) => setTimeout(done, 100))',
      awaitPromise: true,
    });
    t.is(await page.evaluate(open), 1);
    t.true((await page.evaluate('location.hash')) !== '');
    await page.evaluate("document.getElementById('open').click()");
    t.is(await page.evaluate('document.querySelectorAll("details:not([open])").length'), 0);
  });
  t.deepEqual(complaints, []);
});
