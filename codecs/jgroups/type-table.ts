import { CodecError } from '../bytes/errors.ts';

/** The type numbers of a header class, by name and by number. */
export interface TypeTable<T extends string> {
  readonly codes: Readonly<Record<T, number>>;
  /** @throws {CodecError} `ERR_VALUE` for a number that is no type; `offset` and `field` say where it stood */
  name(code: number, offset: number, field: string): T;
}

export function typeTable<T extends string>(codes: Readonly<Record<T, number>>): TypeTable<T> {
  const names = new Map<number, T>();
  for (const name of Object.keys(codes) as T[]) names.set(codes[name], name);
  return {
    codes,
    name(code, offset, field) {
      const name = names.get(code);
      if (name === undefined) throw new CodecError('ERR_VALUE', offset, field, `type ${code} is unknown`);
      return name;
    },
  };
}
