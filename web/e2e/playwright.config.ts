import { defineConfig } from '@playwright/test';

// Debian's Chromium, one at a time: what is tried here is Klatch, not the machine. No test is tried twice.
export default defineConfig({
  testDir: 'tests',
  snapshotPathTemplate: '{testDir}/snapshots/{arg}{ext}',
  outputDir: 'test-results',
  workers: 1,
  retries: 0,
  forbidOnly: Boolean(process.env['CI']),
  // Limits, not measures: a busy machine is slow, and only what never comes is a fault.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  use: {
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    actionTimeout: 30_000,
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env['KLATCH_CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
