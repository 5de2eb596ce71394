import react from '@vitejs/plugin-react';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';

// The app: hashed files, no inline script, nothing from elsewhere. `--mode fake` runs it on fixtures, without a server.
export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  plugins: [react()],
  define: { __FAKE__: JSON.stringify(mode === 'fake') },
  build: {
    outDir: mode === 'fake' ? '/tmp/klatch-fake' : 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    ...(mode === 'fake' && {
      rolldownOptions: {
        input: ['index.html', 'gallery.html'].map((page) => resolve(import.meta.dirname, page)),
      },
    }),
  },
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8470', ws: true } } },
}));
