const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Markup that is safe to put into the page. Made by `markup` only, so that nothing gets in unescaped. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | readonly Markup[];

/** A template whose values are escaped, be they text or attributes; attributes have to be quoted. */
export function markup(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  const texts = withoutIndentation(strings);
  let text = texts[0] ?? '';
  values.forEach((value, i) => (text += partText(value) + (texts[i + 1] ?? '')));
  return new Markup(text);
}

const unindented = new WeakMap<TemplateStringsArray, readonly string[]>();

/** That of the source is of no use in the page. */
function withoutIndentation(strings: TemplateStringsArray): readonly string[] {
  const known = unindented.get(strings);
  if (known !== undefined) return known;
  const texts = strings.map((text) => text.replace(/\n\s+/g, '\n'));
  unindented.set(strings, texts);
  return texts;
}

export const NOTHING = new Markup('');

function partText(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(({ text }) => text).join('');
  return String(part).replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '');
}
