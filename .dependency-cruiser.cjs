/** Who may import whom (docs/architecture.md). */
const only = (name, allowed, comment) => ({
  name: `${name}-imports`,
  comment,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^(src|codecs)/', pathNot: `^(codecs/|src/(${[name, ...allowed].join('|')})/)` },
});
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: '\\.d\\.ts$' }, to: {} },
    {
      name: 'codecs-import-nothing',
      severity: 'error',
      from: { path: '^codecs/' },
      to: { pathNot: '^codecs/|^(node:)?buffer$' },
    },
    {
      name: 'codecs-wire-versions-are-apart',
      severity: 'error',
      from: { path: '^codecs/tcp/' },
      to: { path: '^codecs/jgroups/' },
    },
    only('protocol', [], 'what all cores share knows no stack'),
    only('jgroups', ['protocol'], 'the stacks never know each other'),
    only('tcp', ['protocol'], 'the stacks never know each other'),
    only('upgrade', ['protocol', 'jgroups', 'tcp'], 'joins two messengers behind the interface'),
    only('io', ['protocol', 'security'], 'io carries bytes, it knows no protocol'),
    only('security', ['protocol'], 'options, certificates and stores; sockets are of io'),
    only('compat', ['protocol', 'jgroups', 'tcp'], 'replay runs cores, never sockets'),
    only('peers', ['protocol'], 'real JVM peers, steered from outside'),
    only('recording', ['peers'], 'records real peers, which it starts and steers'),
    only(
      'rehearsal',
      ['protocol', 'jgroups', 'tcp', 'upgrade', 'io', 'peers'],
      'a rolling upgrade under traffic',
    ),
    {
      name: 'only-io-knows-sockets',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(io|gateway)/' },
      to: { path: '^(node:)?(dgram|net|tls|timers|timers/promises)$' },
    },
    {
      name: 'pure-rooms-know-no-node',
      severity: 'error',
      from: { path: '^src/(protocol|jgroups|tcp|upgrade)/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?buffer$' },
    },
    {
      name: 'only-cli-knows-commander-and-winston',
      severity: 'error',
      from: { path: '^(src|codecs)/', pathNot: '^src/cli/' },
      to: { path: 'node_modules/(commander|winston|log-update|cli-table3)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
};
