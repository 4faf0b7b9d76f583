// The arrow rule: imports point left to right only, and foreign code is touched in named places (test/unit/structure.test.ts runs it).

/** The stages from left to right; a stage may import itself and whatever stands to its left. */
const STAGES = [
  ['model'],
  ['probes'],
  ['decode', 'generated'],
  ['source'],
  ['check'],
  ['invariants'],
  ['recording'],
  ['report'],
  ['pipeline.ts'],
  ['page', 'export', 'query', 'import', 'explain', 'diff', 'shrink', 'bulk'],
  ['lab'],
];

/** What composes the stages: nothing in a stage may import it. */
const COMPOSERS = ['record', 'cli', 'index.ts'];

const folder = (names) => `^src/(${names.map((name) => name.replace('.', '\\.')).join('|')})(/|$)`;

const arrows = STAGES.map((names, i) => ({
  name: `left-of-${names[0]}`,
  comment: `src/${names.join(' and src/')} may import only what stands to the left`,
  severity: 'error',
  // A scenario is a program that records inside the lab, and is composed of everything.
  from: { path: folder(names), pathNot: '^src/lab/scenario-' },
  // The index of invariants is generated, and by nature imports what is to its right; so may only those who use it.
  to: { path: folder([...STAGES.slice(i + 1).flat(), ...COMPOSERS]), pathNot: '^src/generated/' },
}));

module.exports = {
  forbidden: [
    ...arrows.map((rule) => (rule.name === 'left-of-decode' ? { ...rule, from: { ...rule.from, pathNot: '^src/generated/(invariants|probes|scenarios)\\.ts$' } } : rule)),
    {
      name: 'lab-alone',
      comment: 'the lab knows nothing of recordings',
      severity: 'error',
      from: { path: '^src/lab/', pathNot: '^src/lab/scenario-' },
      to: { path: '^src/', pathNot: '^src/(lab|model|generated)/' },
    },
    {
      name: 'record-below-cli',
      comment: 'the recorder is a library; the command line is built on it',
      severity: 'error',
      from: { path: '^src/(record/|pipeline\\.ts|index\\.ts)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'ffi-in-one-place',
      comment: 'only src/source/shim.ts calls native code',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/source/shim\\.ts$' },
      to: { path: 'node_modules/ffi-rs/' },
    },
    {
      name: 'parquet-in-the-recording-stage',
      comment: 'parquetjs-lite stays behind the writer and the reader',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/recording/' },
      to: { path: 'node_modules/parquetjs-lite/' },
    },
    {
      name: 'commander-in-the-command-line',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: 'node_modules/commander/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'no-tests-in-the-product',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'only-dependencies',
      comment: 'what the product imports must be installed with it',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
    detectJSDocImports: false,
  },
};
