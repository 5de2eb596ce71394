// The client is tested in plain Node: real sockets, a fake IndexedDB, and no browser.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'client',
    environment: 'node',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Longer than `until` waits, which says what it waited for.
    testTimeout: 60_000,
  },
});
