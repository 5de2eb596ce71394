// One test run over all packages; each brings a vitest.config.ts of its own, with the environment it needs.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { projects: ['{packages/*,app}/vitest.config.ts'] },
});
