/** Values as JGroups 3.6 reads them (its Util.substituteVariable, readBytesInteger and parseBoolean). */
import type { Attribute } from './elements.ts';
import { problem } from './problem.ts';

export type Properties = Readonly<Record<string, string>>;

/** A property's value may name others. */
const MAX_SUBSTITUTIONS = 32;

/** Decimal, though JGroups itself writes "64K" where it means 65,536 elsewhere. */
const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

/** The attribute with each `${a,b:default}` replaced by the first property that is there. */
export function substitute(attribute: Attribute, properties: Properties): Attribute {
  let { value } = attribute;
  for (let count = 0; value.includes('${'); count++) {
    const start = value.indexOf('${');
    const end = value.indexOf('}', start);
    if (end < 0) throw problem(attribute.place, `${attribute.name}="${value}" has no closing }`);
    if (count === MAX_SUBSTITUTIONS) {
      throw problem(attribute.place, `${attribute.name}: its properties name each other without end`);
    }
    const found = lookUp(value.slice(start + 2, end), properties);
    if (found === null) {
      const what = `no property of ${value.slice(start, end + 1)} is given, and it has no default`;
      throw problem(attribute.place, `${attribute.name}: ${what}`);
    }
    value = value.slice(0, start) + found + value.slice(end + 1);
  }
  return { ...attribute, value };
}

function lookUp(text: string, properties: Properties): string | null {
  const colon = text.indexOf(':');
  const names = (colon < 0 ? text : text.slice(0, colon)).split(',').map((name) => name.trim());
  const given = names.find((name) => Object.hasOwn(properties, name));
  if (given !== undefined) return properties[given] as string;
  return colon < 0 ? null : text.slice(colon + 1).trim();
}

/** @throws {LocalProtocolError} `ERR_XML` */
export function readNumber({ name, value, place }: Attribute): number {
  const match = /^(-?\d+(?:\.\d+)?|-?\.\d+)\s*([kmg]?)b?$/i.exec(value.trim());
  if (match === null)
    throw problem(place, `${name}="${value}" is no number, nor one with a unit such as 64K or 5M`);
  return Number(match[1]) * (FACTORS[(match[2] as string).toLowerCase()] as number);
}

/** As `readNumber`, cut to a whole one, as JGroups does. */
export function readInteger(attribute: Attribute): number {
  return Math.trunc(readNumber(attribute));
}

/** Whatever is not `true` is false; null if it is not `false` either. */
export function readBoolean({ value }: Attribute): boolean | null {
  const text = value.trim().toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : null;
}
