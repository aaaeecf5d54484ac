/** The layering of the project: arrows point down only (docs/architecture.md). */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^${from}/` },
  to: {
    path: '^(domain|store|aws|local|functions|host-agent|embedded|cli|infra|bench|test)/',
    pathNot: `^(${[from, ...allowed].join('|')})/`,
  },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-missing', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^aws-lambda$' } },
    only('domain-is-pure', 'domain', []),
    { name: 'domain-has-no-io', severity: 'error', from: { path: '^domain/' }, to: { dependencyTypes: ['core'] } },
    { name: 'domain-has-no-aws', severity: 'error', from: { path: '^domain/' }, to: { path: 'node_modules/@aws-sdk' } },
    only('store-knows-the-domain', 'store', ['domain']),
    only('aws-adapters-know-the-domain', 'aws', ['domain']),
    only('local-knows-the-domain', 'local', ['domain']),
    only('functions-and-agent-never-meet', 'functions', ['domain', 'store', 'aws']),
    only('agent-and-functions-never-meet', 'host-agent', ['domain', 'store', 'aws', 'local']),
    only('embedded-runs-the-functions', 'embedded', ['domain', 'store', 'aws', 'local', 'functions']),
    only('cli-composes', 'cli', ['domain', 'store', 'aws', 'local', 'embedded', 'host-agent']),
    only('infra-stands-alone', 'infra', ['domain']),
    {
      name: 'keys-live-in-store',
      comment: 'the only code that knows DynamoDB is store/; aws/ makes its client, embedded/ its table',
      severity: 'error',
      from: { pathNot: '^(store|aws|embedded|test|bench)/' },
      to: { path: 'node_modules/@aws-sdk/(client-dynamodb|lib-dynamodb)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(cdk\\.out|coverage|dist)' },
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
      conditionNames: ['import', 'node', 'default'],
    },
    tsPreCompilationDeps: true,
  },
};
