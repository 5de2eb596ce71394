import type { Page } from '@playwright/test';
import { expectKept } from '../support/drafts';
import { composer, entry, expectSaid, message, messages, say } from '../support/talk';
import { expect, test } from '../support/test';
import { Wire } from '../support/Wire';

const calmLine = (page: Page) => page.getByRole('status').filter({ hasText: 'waits here and is sent later' });

test('without network a line says so, and what is written goes out once, in order', async ({
  people,
  watch,
}) => {
  watch.expect(/ERR_INTERNET_DISCONNECTED/u);
  const [ada, ben] = await people('ada', 'ben');
  const tea = await ada.channel('tea', [ben]);
  await ben.say(tea, 'Before');
  const here = await ada.open(`/c/${tea}`);
  const there = await ben.open(`/c/${tea}`);
  await message(here, 'Before').waitFor();
  await here.context().setOffline(true);
  await expect(calmLine(here)).toBeVisible();
  for (const text of ['One', 'Two', 'Three']) await say(here, text);
  await expect(message(here, 'Three')).toContainText('Waits for the connection');
  await ben.say(tea, 'Meanwhile');
  await here.context().setOffline(false);
  const all = ['Before', 'Meanwhile', 'One', 'Two', 'Three'];
  await expectSaid(there, all);
  await expectSaid(here, all);
  await expect(calmLine(here)).toHaveCount(0);
});

test('what was written without network survives the page', async ({ people, site, watch }) => {
  // The page may still be asking for something when its wire is cut.
  watch.expect(
    /ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection/u,
  );
  const [cleo, dan] = await people('cleo', 'dan');
  const den = await cleo.channel('den', [dan]);
  const wire = await Wire.to(site.url);
  const page = await cleo.open(`/c/${den}`, { baseURL: wire.url });
  const there = await dan.open(`/c/${den}`);
  const context = page.context();
  await composer(page).waitFor();
  await context.setOffline(true);
  await wire.cut();
  for (const text of ['First', 'Second', 'Third']) await say(page, text);
  await expect(calmLine(page)).toBeVisible();
  await expect(message(page, 'Third')).toContainText('Waits for the connection');
  await composer(page).fill('Half a thou');
  await expect(entry(page, /^den.*Draft/u)).toBeVisible();
  await expectKept(page, cleo.id, den, 'Half a thou');
  await page.close();
  await wire.mend();
  await context.setOffline(false);
  expect(await messages(there).count()).toBe(0);
  const again = await context.newPage();
  await again.goto(`/c/${den}`);
  await expectSaid(there, ['First', 'Second', 'Third']);
  await expectSaid(again, ['First', 'Second', 'Third']);
  await expect(message(again, 'Third')).not.toContainText('Waits');
  await expect(composer(again)).toHaveValue('Half a thou');
  await wire.cut();
});

test('the server is killed and comes back: neither hole nor double', async ({ people, site, watch }) => {
  test.slow();
  watch.expect(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|50[23]|WebSocket connection/u);
  const [eve, fred] = await people('eve', 'fred');
  const mill = await eve.channel('mill', [fred]);
  const here = await eve.open(`/c/${mill}`);
  const there = await fred.open(`/c/${mill}`);
  await say(here, 'Before');
  await message(there, 'Before').waitFor();
  const all = ['Before'];
  for (const round of [1, 2]) {
    // Some of these are answered, some not: all are to be there once.
    for (const text of ['one', 'two', 'three']) await say(here, `${text} of ${round}`);
    await site.server.kill();
    await say(here, `written into the dark ${round}`);
    await expect(message(here, `dark ${round}`)).toContainText('Waits for the connection');
    await site.server.start();
    await message(here, `dark ${round}`).waitFor();
    all.push(
      ...['one', 'two', 'three'].map((text) => `${text} of ${round}`),
      `written into the dark ${round}`,
    );
    await expect(message(there, `dark ${round}`)).toBeVisible();
  }
  await say(there, 'Welcome back');
  all.push('Welcome back');
  await expectSaid(here, all);
  await expectSaid(there, all);
  await here.reload();
  await expectSaid(here, all);
});

test('two tabs of one person agree, and leave together', async ({ people }) => {
  const [gina, hal] = await people('gina', 'hal');
  const loft = await gina.channel('loft', [hal]);
  const first = await gina.open(`/c/${loft}`);
  const second = await first.context().newPage();
  await second.goto('/');
  await hal.say(loft, 'Anybody up there?');
  await expect(message(first, 'Anybody up there?')).toBeVisible();
  await expect(entry(second, /^loft$/u)).toBeVisible();
  await entry(second, /^loft/u).click();
  await say(second, 'Only pigeons');
  await expectSaid(first, ['Anybody up there?', 'Only pigeons']);
  await composer(first).fill('A draft');
  await expect(composer(second)).toHaveValue('A draft');
  // Both get new tokens at the same time, again and again.
  for (const tabs of [1, 2, 3].map(() => [first, second])) await Promise.all(tabs.map((tab) => tab.reload()));
  await expectSaid(first, ['Anybody up there?', 'Only pigeons']);
  await expectSaid(second, ['Anybody up there?', 'Only pigeons']);
  await first.getByRole('button', { name: /Your menu/u }).click();
  await first.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(first.getByText('You are signed out.')).toBeVisible();
  await expect(second.getByRole('button', { name: 'Sign in' })).toBeVisible();
});
