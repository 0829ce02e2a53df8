/**
 * Who may import whom. The tables of docs/design.md and of each package's README, as a check.
 * @type {import('dependency-cruiser').IConfiguration}
 */

/** Workspace packages that each package may import. */
const packageImports = {
  base: [],
  protocol: [],
  engine: ['base'],
  redis: ['base'],
  docker: ['base'],
  outbound: ['base'],
  mover: ['base', 'protocol', 'engine', 'redis', 'docker', 'outbound'],
  server: ['base', 'protocol', 'docker', 'outbound'],
  gate: ['base', 'protocol'],
  'data-server': ['base', 'protocol', 'engine'],
  cli: ['base', 'protocol', 'engine', 'mover'],
  console: ['protocol'],
};

/** Folders of one package, lowest first: each may import those before it, and its own. */
const layers = {
  engine: [
    ['format', 'crypto', 'chunker', 'filesystem'],
    ['backend'],
    ['pack', 'index'],
    ['workers'],
    ['repository'],
    ['snapshot', 'maintenance'],
    ['archive', 'staging'],
  ],
  server: [['config', 'secrets'], ['catalog'], ['http', 'runner'], ['features'], ['scheduler']],
};

const packageRules = Object.entries(packageImports).map(([name, allowed]) => ({
  name: `packages/${name} imports only: ${allowed.join(', ') || 'no other package'}`,
  severity: 'error',
  from: { path: `^packages/${name}/` },
  to: { path: '^packages/', pathNot: [name, ...allowed].map((other) => `^packages/${other}/`) },
}));

const layerRules = Object.entries(layers).flatMap(([name, order]) =>
  order.flatMap((folders, depth) => {
    const higher = order.slice(depth + 1).flat();
    if (higher.length === 0) return [];
    return [
      {
        name: `packages/${name}/src/{${folders}} imports no higher layer`,
        severity: 'error',
        from: { path: `^packages/${name}/src/(${folders.join('|')})/`, pathNot: '\\.test\\.ts$' },
        to: { path: `^packages/${name}/src/(${higher.join('|')})/` },
      },
    ];
  }),
);

module.exports = {
  forbidden: [
    ...packageRules,
    ...layerRules,
    {
      name: 'a package is imported by its name, not by a path into it',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'a feature sees no other feature’s store',
      severity: 'error',
      from: { path: '^packages/server/src/features/([^/]+)/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^packages/server/src/features/[^/]+/store\\.ts$',
        pathNot: '^packages/server/src/features/$1/',
      },
    },
    {
      name: 'testing is for tests',
      severity: 'error',
      from: { path: '^packages/', pathNot: '(\\.test\\.ts$|/testing/)' },
      to: { path: '/src/testing/' },
    },
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'every import resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'only declared dependencies',
      severity: 'error',
      from: { path: '^packages/', pathNot: '(\\.test\\.ts$|/testing/)' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
    combinedDependencies: false,
  },
};
