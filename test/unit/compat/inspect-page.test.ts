import { createHash } from 'node:crypto';

import test from 'ava';

import { markup, Markup } from '../../../src/compat/inspect/html/escape.ts';
import { renderPage } from '../../../src/compat/inspect/html/page.ts';
import { Story } from './inspect-records.ts';

const HOSTILE = `"><script src=//x>alert(1)</script><b>'&\u202E`;

function page(): string {
  const story = new Story()
    .data(0, 'A', 'B', 1, { cluster: HOSTILE })
    .data(0.1, 'A', 'B', 2, { version: HOSTILE })
    .ask(1, 'B', 'A', 1)
    .data(1.1, 'A', 'B', 1, { above: [{ protocol: HOSTILE, type: HOSTILE }] })
    .data(1.2, 'A', 'B', 3, { geode: { class: HOSTILE, fields: { rejection: HOSTILE } } })
    .data(1.3, 'A', 'B', 4, { geode: { class: 'JoinResponse', fields: { rejection: HOSTILE } } });
  return renderPage(story.inspect().inspection, '1.2.3');
}

test('nothing that a capture names becomes markup', (t) => {
  const text = page();
  t.false(text.includes('<script src'));
  t.false(text.includes('<b>&#39;'));
  t.true(text.includes('&lt;script src=//x&gt;'));
  t.false(text.includes('\u202E'), 'nor does it turn the direction of the text');
  t.is(text.split('<script').length, 2);
});

test('the policy allows the script and the style that stand in the page, and nothing else', (t) => {
  const text = page();
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(text)?.[1]?.replaceAll('&#39;', "'") ?? '';
  for (const tag of ['script', 'style']) {
    const inside = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(inside).digest('base64');
    t.true(policy.includes(`${tag}-src 'sha256-${hash}'`), tag);
  }
  t.true(policy.startsWith("default-src 'none';"));
  t.notRegex(text, /\son[a-z]+=|style="|javascript:|https?:\/\//i);
});

test('every link in the page has its place', (t) => {
  const text = page();
  const ids = new Set(Array.from(text.matchAll(/\sid="([^"]+)"/g), ([, id]) => id));
  const links = Array.from(text.matchAll(/href="#([^"]+)"/g), ([, id]) => id);
  t.true(links.length > 3);
  for (const link of links) t.true(ids.has(link), link);
  t.is(ids.size, Array.from(text.matchAll(/\sid="([^"]+)"/g)).length, 'no id stands twice');
});

test('a page of an empty capture is a page too', (t) => {
  const text = renderPage(new Story().inspect().inspection, '1.2.3');
  t.true(text.includes('There is no JGroups message in this capture.'));
});

test('markup escapes texts and attributes, and takes markup as it is', (t) => {
  const inner = markup`<i>${'<&>'}</i>`;
  t.is(
    markup`<p title="${`"'`}">${inner}${[inner, inner]}${3}</p>`.text,
    '<p title="&quot;&#39;"><i>&lt;&amp;&gt;</i><i>&lt;&amp;&gt;</i><i>&lt;&amp;&gt;</i>3</p>',
  );
  t.is(new Markup('<br>').text, '<br>');
});
