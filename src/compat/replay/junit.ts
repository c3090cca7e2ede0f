import type { CaptureResult, ReplayReport } from './result.ts';

interface Check {
  readonly name: string;
  /** Null: it held. */
  readonly failure: string | null;
  /** Why it was not made. */
  readonly skipped?: string;
}

/** The report as CI systems read it: a testcase for each capture and check. */
export function junitXml({ captures, unreadable }: ReplayReport): string {
  const cases = [
    ...captures.flatMap((capture) => checksOf(capture).map((check) => ({ capture: capture.name, check }))),
    ...unreadable.map(({ name, error }) => ({
      capture: name,
      check: { name: 'can be read', failure: error },
    })),
  ] satisfies { capture: string; check: Check }[];
  const count = (test: (check: Check) => boolean): number => cases.filter(({ check }) => test(check)).length;
  const failures = count(({ failure }) => failure !== null);
  const skipped = count((check) => check.skipped !== undefined);
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="rollgate replay" ${counts}>`,
    ...cases.map(({ capture, check }) => testcase(capture, check)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function checksOf(capture: CaptureResult): Check[] {
  const { datagrams, undecodable, reencodedIdentical, missing, extra, outOfOrder, replay, reason, replies } =
    capture;
  const different = datagrams - undecodable - reencodedIdentical;
  const wrong = replies?.wrong ?? [];
  const skipped = replay === 'decode-only' ? { skipped: reason ?? replay } : {};
  const { faults } = capture;
  const checks: Check[] = [
    { name: 'decodes', failure: undecodable > 0 ? `${undecodable} of ${datagrams} datagrams do not` : null },
    { name: 'encodes to the same bytes', failure: different > 0 ? `${different} datagrams do not` : null },
    {
      name: 'delivers what the members delivered',
      failure:
        missing + extra + outOfOrder > 0
          ? `${missing} missing, ${extra} extra, ${outOfOrder} out of order`
          : null,
      ...skipped,
    },
    {
      name: 'answers as the members did',
      failure: wrong.length > 0 ? wrong.join('\n') : null,
      ...skipped,
    },
  ];
  if (faults !== undefined) {
    checks.push({ name: 'repairs what faults damage', failure: faults.ok ? null : faults.verdict });
  }
  // what belongs to none of these, such as a damaged file
  if (!capture.ok && checks.every(({ failure }) => failure === null)) {
    checks.push({ name: 'is whole', failure: capture.problems.join('\n') });
  }
  return checks;
}

function testcase(capture: string, { name, failure, skipped }: Check): string {
  const start = `    <testcase classname="${escaped(capture)}" name="${escaped(name)}"`;
  if (failure !== null) return `${start}>\n      <failure message="${escaped(failure)}"/>\n    </testcase>`;
  if (skipped === undefined) return `${start}/>`;
  return `${start}>\n      <skipped message="${escaped(skipped)}"/>\n    </testcase>`;
}

/** XML has no way to write most control characters. */
const UNWRITABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

function escaped(text: string): string {
  return text.replace(UNWRITABLE, '?').replace(/[&<>"\n\r\t]/g, (char) => ENTITIES[char] ?? char);
}
