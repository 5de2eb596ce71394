// What a screen reader is told of each page: to be read as one reads a picture, and compared each time.
import type { Page } from '@playwright/test';
import { furnish, outside, pages } from '../support/pages';
import { entry, panel } from '../support/talk';
import { expect, test } from '../support/test';

/** What is told apart from page to page; the sidebar is on all of them and stands with the first. */
function part(page: Page, path: string) {
  if (path === '/' || path === '/settings/appearance') return page.locator('body');
  return path.includes('?side=') ? panel(page) : page.getByRole('main');
}

test('a screen reader is told of the pages as intended', async ({ owner, people }) => {
  test.slow();
  const [ben] = await people('ben');
  const tea = await furnish(owner, ben);
  const page = await owner.open('/');
  for (const [path, shown] of pages(tea, ben)) {
    await page.goto(path);
    await shown(page).waitFor();
    if (path === '/' || path.startsWith('/c/')) await expect(entry(page, /^tea/u)).toBeVisible();
    const name = path.replace(/[^a-z]*(?:[\da-f]{8}-[\da-f-]*)/gu, '').replace(/[^a-z]+/gu, '-');
    await expect.soft(part(page, path), path).toMatchAriaSnapshot({ name: `in${name}.aria.yml` });
  }
});

test('and of those before one is in', async ({ stranger }) => {
  const page = await stranger('/');
  for (const [path, button] of outside) {
    await page.goto(path);
    const shown = page.getByRole('button', { name: button }).or(page.getByRole('link', { name: button }));
    await shown.first().waitFor();
    const name = path.replace(/=.*/u, '').replace(/[^a-z]+/gu, '-');
    await expect.soft(page.locator('body'), path).toMatchAriaSnapshot({ name: `out${name}.aria.yml` });
  }
});
