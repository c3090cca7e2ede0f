import tseslint from 'typescript-eslint';

/** Cores and codecs are pure: time and randomness are arguments, I/O belongs to src/io (DESIGN.md section 4). */
const pure = {
  'no-restricted-globals': [
    'error',
    ...[
      'Date',
      'setTimeout',
      'setInterval',
      'setImmediate',
      'queueMicrotask',
      'console',
      'process',
      'performance',
      'fetch',
    ],
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Math', property: 'random', message: 'Take an Rng argument.' },
  ],
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        { group: ['node:*', '!node:buffer'], message: 'Only src/io and the rooms above it know node.' },
      ],
    },
  ],
};

export default tseslint.config(
  { ignores: ['dist', 'build', 'coverage', 'node_modules', '**/*.cjs', 'eslint.config.js'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
    },
  },
  {
    files: [
      'codecs/**/*.ts',
      'src/protocol/**/*.ts',
      'src/jgroups/**/*.ts',
      'src/tcp/**/*.ts',
      'src/upgrade/**/*.ts',
    ],
    rules: pure,
  },
  {
    files: ['codecs/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: ':function[async=true]', message: 'Codecs are synchronous.' },
      ],
    },
  },
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
);
