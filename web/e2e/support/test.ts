import {
  test as base,
  expect,
  type APIRequestContext,
  type BrowserContextOptions,
  type Page,
} from '@playwright/test';
import type { Person } from './Person';
import { startServer } from './Server';
import { Site } from './Site';
import { Watch } from './Watch';

interface Fixtures {
  /** The site that all tests of a file share; each brings people of its own. */
  site: Site;
  owner: Person;
  /** New people, by names nobody in the file has yet. */
  people: <Names extends string[]>(...names: Names) => Promise<{ [Index in keyof Names]: Person }>;
  /** A page of a browser nobody is signed in to. */
  stranger: (path: string, options?: BrowserContextOptions) => Promise<Page>;
  watch: Watch;
  /** How the server of a file differs from one without a configuration: `test.use({ config: … })`. */
  config: Record<string, string>;
}

/** The site of the file whose tests run. */
interface Keep {
  now: { file: string; site: Site } | undefined;
  request: APIRequestContext;
}

export const test = base.extend<Fixtures, { keep: Keep }>({
  keep: [
    async ({ playwright }, use) => {
      const keep: Keep = { now: undefined, request: await playwright.request.newContext() };
      await use(keep);
      await keep.now?.site.server.remove();
      await keep.request.dispose();
    },
    { scope: 'worker' },
  ],
  config: [{}, { option: true }],
  // A cluster takes its time to begin: that is not the test's.
  site: [
    async ({ keep, browser, config }, use, { file }) => {
      if (keep.now?.file !== file) {
        await keep.now?.site.server.remove();
        keep.now = undefined;
        keep.now = { file, site: new Site(await startServer(config), keep.request, browser) };
      }
      await use(keep.now.site);
    },
    { timeout: 120_000 },
  ],
  watch: async ({ viewport, locale, timezoneId }, use) => {
    const watch = new Watch({ viewport, locale, timezoneId });
    await use(watch);
    const { complaints } = watch;
    await watch.end();
    expect(complaints, 'no page has complained').toEqual([]);
  },
  owner: async ({ site, watch }, use) => use(await site.owner(watch)),
  people: async ({ site, watch }, use) => {
    await use(async (...names) => {
      const people: Person[] = [];
      for (const name of names) people.push(await site.invited(name, watch));
      return people as { [Index in keyof typeof names]: Person };
    });
  },
  stranger: async ({ site, browser, watch }, use) => {
    await use(async (path, options) => {
      const page = await watch.page(browser, site.url, options);
      await page.goto(path);
      return page;
    });
  },
});

export { expect };
export type { Person, Site, Watch };
