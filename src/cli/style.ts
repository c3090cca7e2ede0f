import type { CliContext, OutputStream } from './context.ts';

const Sgr = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export type Tint = keyof typeof Sgr;

/** How text may look on a stream. */
export interface Style {
  /** The text in that colour, or as it is where colours are off. */
  readonly paint: (tint: Tint, text: string) => string;
  /** Signs beyond ASCII are shown. */
  readonly unicode: boolean;
}

export const PLAIN_STYLE: Style = { paint: (_tint, text) => text, unicode: false };

/**
 * Colours on a terminal, unless --no-color, NO_COLOR (https://no-color.org) or a dumb terminal say otherwise;
 * signs beyond ASCII where the locale has them.
 */
export function styleFor(
  stream: OutputStream,
  env: CliContext['env'],
  wantColor: boolean,
  platform: string = process.platform,
): Style {
  const color =
    wantColor && stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => (value ?? '') !== '') ?? '';
  return {
    paint: color ? paint : PLAIN_STYLE.paint,
    unicode: platform === 'win32' || /utf-?8/i.test(locale),
  };
}

function paint(tint: Tint, text: string): string {
  if (text === '') return '';
  const [on, off] = Sgr[tint];
  return `\u001B[${on}m${text}\u001B[${off}m`;
}
