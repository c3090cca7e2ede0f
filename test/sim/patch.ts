export type Method = (this: object, ...args: unknown[]) => unknown;

/** A method of the real stack, replaced for as long as a test runs. @returns what takes it back */
export function patch(prototype: object, name: string, wrap: (original: Method) => Method): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  if (typeof descriptor?.value !== 'function') throw new Error(`${name} is no method any more`);
  const wrapped = wrap(descriptor.value as Method);
  Object.defineProperty(prototype, name, { ...descriptor, value: wrapped });
  return () => Object.defineProperty(prototype, name, descriptor);
}
