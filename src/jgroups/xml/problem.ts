import { LocalProtocolError } from '../../protocol/errors.ts';

/** Where something stands in a file. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** The file asks for something that cannot be. Code `ERR_XML`. */
export function problem(place: Place, what: string): LocalProtocolError {
  return new LocalProtocolError('ERR_XML', `${describe(place)}: ${what}`);
}

export function describe({ file, line }: Place): string {
  return `${file}:${line}`;
}
