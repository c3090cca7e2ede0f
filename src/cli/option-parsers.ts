import { InvalidArgumentError } from 'commander';

/** Parsers for commander's options: what they throw is printed after the option's name and the argument. */

/** A whole number in [min, max]. `what` names it: 'number of members'. */
export function wholeNumber(what: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`give a ${what} from ${min} to ${max}`);
    }
    return value;
  };
}

/** A probability in [0, max], written as a decimal fraction. */
export function probability(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^(\d+(\.\d*)?|\.\d+)$/.test(text) || value > max) {
      throw new InvalidArgumentError(`give a probability from 0 to ${max}, such as 0.05`);
    }
    return value;
  };
}

/** One of the words. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) {
      throw new InvalidArgumentError(`give ${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`);
    }
    return word;
  };
}
