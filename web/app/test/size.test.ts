import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const limit = 200 * 1024;
const app = resolve(import.meta.dirname, '..');

/** What the browser must have before anything is seen: the page, and all that its tags and their static imports name. */
function firstLoad(out: string): Map<string, number> {
  const sizes = new Map<string, number>();
  const add = (file: string) => {
    if (sizes.has(file)) return;
    const text = readFileSync(join(out, file), 'utf8');
    sizes.set(file, gzipSync(text).length);
    if (!file.endsWith('.js')) return;
    for (const match of text.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/gu))
      add(`assets/${match[1] ?? ''}`);
  };
  add('index.html');
  const page = readFileSync(join(out, 'index.html'), 'utf8');
  for (const match of page.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/gu)) add(match[1] ?? '');
  return sizes;
}

describe('the built app', () => {
  const out = mkdtempSync(join(tmpdir(), 'klatch-size-'));
  beforeAll(async () => {
    // Else React's development build would be measured.
    vi.stubEnv('NODE_ENV', 'production');
    await build({
      root: app,
      configFile: join(app, 'vite.config.ts'),
      mode: 'production',
      logLevel: 'silent',
      build: { outDir: out },
    });
  }, 120_000);
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(out, { recursive: true, force: true });
  });

  it('loads at most 200 KB, gzipped, at first', () => {
    const sizes = firstLoad(out);
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    expect(sizes.size).toBeGreaterThan(2);
    expect(total, JSON.stringify([...sizes])).toBeLessThanOrEqual(limit);
  });

  it('has no inline script or style, as the content security policy demands', () => {
    const page = readFileSync(join(out, 'index.html'), 'utf8');
    expect(page).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>/u);
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=/u);
  });

  it('ships neither fixtures nor the gallery', () => {
    const files = readdirSync(join(out, 'assets')).join(' ');
    expect(files).not.toMatch(/Fake|gallery|stories/iu);
  });
});
