// The lint rules of the whole web workspace: typescript-eslint's strict, typed set, and the house's sizes.
import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/test-results/**',
      '**/playwright-report/**',
      '**/wire.ts',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Why: a function longer than a screen hides a second one; a file past 400 lines hides a second noun.
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'max-lines': ['error', 400],
    },
  },
  { files: ['**/*.tsx'], ...reactHooks.configs.flat.recommended },
  {
    // A test file's `describe` is one long function by nature.
    files: ['**/*.test.{ts,tsx}', '**/test/**'],
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    // Why: the library must run without a framework, and its logic without a browser: time and chance are passed in.
    files: ['packages/client/src/**/*.ts'],
    ignores: ['**/*.test.ts', 'packages/client/src/platform/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: ['react', 'react-dom', '@klatch/views*', '@klatch/app*'] },
      ],
      'no-restricted-globals': [
        'error',
        ...[
          'setTimeout',
          'setInterval',
          'WebSocket',
          'fetch',
          'navigator',
          'indexedDB',
          'window',
          'document',
        ].map((name) => ({ name, message: 'Ask the platform that is passed in (platform/).' })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time is passed in (platform/).' },
        { object: 'Math', property: 'random', message: 'Chance is passed in (platform/).' },
      ],
    },
  },
);
