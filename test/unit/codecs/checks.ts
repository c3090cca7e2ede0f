/** What every decoder must do with bytes that are not what they should be. */
import { readFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { CodecError } from '../../../codecs/bytes/errors.ts';
import type { CodecErrorCode } from '../../../codecs/bytes/errors.ts';

type Decode = (bytes: Buffer) => unknown;

export function rejects(t: ExecutionContext, decode: Decode, bytes: Buffer, code?: CodecErrorCode): void {
  const error = t.throws(() => decode(bytes), { instanceOf: CodecError }, bytes.toString('hex').slice(0, 80));
  if (code !== undefined) t.is(error.code, code, error.message);
  t.true(error.offset >= 0 && error.offset <= bytes.length, `offset ${error.offset} of ${bytes.length}`);
  t.not(error.field, '');
}

/** Cut off at any length it is an error, and so is a byte too many. */
export function rejectsOtherLengths(t: ExecutionContext, decode: Decode, bytes: Buffer): void {
  for (let length = 0; length < bytes.length; length++) {
    rejects(t, decode, bytes.subarray(0, length), length >= 3 ? 'ERR_TRUNCATED' : undefined);
  }
  rejects(t, decode, Buffer.concat([bytes, Buffer.from([0])]), 'ERR_TRAILING_BYTES');
}

/** Every byte of `bytes` set to interesting values in turn: an error of the codec, or a value; nothing else. */
export function survivesDamage(
  t: ExecutionContext,
  decode: Decode,
  encode: (value: never) => Buffer,
  bytes: Buffer,
): void {
  for (let at = 0; at < bytes.length; at++) {
    for (const byte of [0x00, 0x01, 0x7f, 0x80, 0xff, (bytes[at] as number) ^ 0x10]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = byte;
      let value: unknown;
      try {
        value = decode(damaged);
      } catch (error) {
        if (error instanceof CodecError) continue;
        t.fail(`byte ${at} = ${byte} of ${bytes.toString('hex')}: ${String(error)}`);
        return;
      }
      t.deepEqual(decode(encode(value as never)), value, `byte ${at} = ${byte}`);
    }
  }
}

/** Datagrams that JGroups' own classes wrote (java/*.java), by name. */
export function javaVectors(file: string): ReadonlyMap<string, Buffer> {
  const text = readFileSync(new URL(`java/${file}`, import.meta.url), 'utf8').trim();
  const pairs = text.split('\n').map((line): [string, Buffer] => {
    const [name = '', digits = ''] = line.split('\t');
    return [name, Buffer.from(digits, 'hex')];
  });
  return new Map(pairs);
}
