import { SaxesParser } from 'saxes';

import { type Place, problem } from './problem.ts';

/** JGroups' own files have up to 8 KiB, most of it comment. */
const MAX_XML_LENGTH = 256 * 1024;

export interface Attribute {
  readonly name: string;
  readonly value: string;
  readonly place: Place;
}

/** What stands for one protocol. */
export interface ProtocolElement {
  /** As written, such as `pbcast.NAKACK2`. */
  readonly written: string;
  /** As we call it: the last part, `NAKACK2`. */
  readonly name: string;
  readonly attributes: readonly Attribute[];
  /** Names of elements inside of it. */
  readonly children: readonly string[];
  readonly place: Place;
}

/** Where JGroups looks for protocols that are named without a package. */
const PACKAGES = /^(?:org\.jgroups\.protocols\.)?(?:pbcast\.)?/;
const GEODE_PACKAGE = /^org\.apache\.(?:geode|gemfire)\.(?:\w+\.)*/;

/**
 * The protocols of a JGroups XML file, from the bottom of the stack. No entity is expanded but those that XML brings
 * along; a document type is refused.
 * @throws {LocalProtocolError} `ERR_XML`
 */
export function readProtocolElements(text: string, file: string): ProtocolElement[] {
  if (text.length > MAX_XML_LENGTH) {
    throw problem({ file, line: 1 }, `${text.length} characters are over the limit of ${MAX_XML_LENGTH}`);
  }
  const elements: ProtocolElement[] = [];
  const open: string[] = [];
  let attributes: Attribute[] = [];
  let children: string[] = [];
  let place: Place = { file, line: 1 };
  const parser = new SaxesParser();
  const here = (): Place => ({ file, line: parser.line });
  parser.on('error', (error) => {
    throw problem(here(), `no well-formed XML: ${error.message.replace(/^\d+:\d+: /, '')}`);
  });
  parser.on('doctype', () => {
    throw problem(here(), 'a document type is not accepted');
  });
  parser.on('opentagstart', ({ name }) => {
    if (open.length === 0 && name.toLowerCase() !== 'config') {
      throw problem(here(), `a JGroups configuration is a <config>, not a <${name}>`);
    }
    if (open.length === 1) {
      attributes = [];
      children = [];
      place = here();
    } else if (open.length === 2) children.push(name);
    open.push(name);
  });
  parser.on('attribute', ({ name, value }) => {
    if (open.length === 2) attributes.push({ name, value, place: here() });
  });
  parser.on('closetag', ({ name }) => {
    open.pop();
    if (open.length !== 1) return;
    const short = name.replace(PACKAGES, '').replace(GEODE_PACKAGE, 'geode.');
    elements.push({ written: name, name: short, attributes, children, place });
  });
  parser.write(text.replace(/^\uFEFF/, '')).close();
  return elements;
}
