/** Java's `.properties` format, as `java.util.Properties.load` documents it. */

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/** Later lines win. */
export function parseJavaProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of logicalLines(text)) {
    // the key ends at the first blank, '=' or ':' that no backslash stands before
    const match = /^((?:[^\\\s=:]|\\[\s\S])*)[ \t\f]*[=:]?[ \t\f]*([\s\S]*)$/.exec(line);
    if (match !== null) properties.set(unescape(match[1] ?? ''), unescape(match[2] ?? ''));
  }
  return properties;
}

/** Without comments and empty lines; a line that ends in an odd number of backslashes goes on in the next. */
function* logicalLines(text: string): Generator<string> {
  let begun: string | null = null;
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line = natural.replace(/^[ \t\f]+/, '');
    if (begun === null && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue;
    const whole: string = (begun ?? '') + line;
    const backslashes = /\\*$/.exec(whole)?.[0].length ?? 0;
    if (backslashes % 2 === 1) begun = whole.slice(0, -1);
    else {
      begun = null;
      yield whole;
    }
  }
  if (begun !== null) yield begun;
}

function unescape(text: string): string {
  return text.replaceAll(/\\(?:u([0-9A-Fa-f]{4})|([\s\S]))/g, (_match, hex?: string, character?: string) =>
    hex === undefined
      ? (ESCAPES[character ?? ''] ?? character ?? '')
      : String.fromCharCode(parseInt(hex, 16)),
  );
}
