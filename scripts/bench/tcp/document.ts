import type { DocumentSpec } from '../harness/documents.ts';

export const TCP_DOCUMENT: DocumentSpec = {
  name: 'bench-tcp',
  title: 'How fast the TCP stack is',
  chartTitle: 'TCP stack: how far each target is reached',
  notesHeading: '## Notes',
  sidesNote: ``,
  introduction: ``,
};
