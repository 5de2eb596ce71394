// What people see and do in a conversation, by role and name.
import { expect, type Locator, type Page } from '@playwright/test';

export const log = (page: Page): Locator => page.getByRole('log');
export const composer = (page: Page): Locator => page.getByRole('textbox', { name: /^Message to / });
export const messages = (page: Page): Locator => log(page).getByRole('article');
export const message = (page: Page, text: string | RegExp): Locator =>
  messages(page).filter({ hasText: text });
export const sidebar = (page: Page): Locator => page.getByRole('navigation', { name: 'Conversations' });
export const entry = (page: Page, name: string | RegExp): Locator =>
  sidebar(page).getByRole('link', { name });
export const panel = (page: Page): Locator => page.getByRole('complementary', { name: 'Side panel' });

/** Writes and presses Enter. */
export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press('Enter');
}

/** Chooses from the menu of a message. */
export async function act(page: Page, text: string | RegExp, action: string): Promise<void> {
  await message(page, text).hover();
  await message(page, text).getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

/** What was said, in order, without who and when. */
export async function said(page: Page): Promise<string[]> {
  return log(page)
    .getByRole('article')
    .evaluateAll((rows) => rows.map((row) => (row.querySelector('[class*=body]') ?? row).textContent.trim()));
}

/** Waits until exactly this was said. */
export async function expectSaid(page: Page, texts: string[]): Promise<void> {
  await expect.poll(() => said(page)).toEqual(texts);
}
