import type { Page } from '@playwright/test';
import { composer, entry, log, message, said } from '../support/talk';
import { expect, test, type Person } from '../support/test';
import { Wire } from '../support/Wire';

// Small enough to be met by two hundred messages, and high enough to let them through in a few seconds.
test.use({ config: { KLATCH_LIMITS__COMMANDS_BURST: '30', KLATCH_LIMITS__COMMANDS_PER_MINUTE: '1500' } });

const count = 200;
const typed = Array.from({ length: count }, (_, index) => `Message ${index + 1}`);

/** What the server holds, in its order. */
async function held(person: Person, conversation: string): Promise<string[]> {
  interface Page {
    events: { kind: string; body?: { text: string } }[];
  }
  const { events } = await person.rest<Page>('GET', `/conversations/${conversation}/events?limit=500`);
  return events.flatMap(({ kind, body }) => (kind === 'sent' && body ? [body.text] : []));
}

async function hold(person: Person, conversation: string, least: number): Promise<void> {
  await expect
    .poll(async () => (await held(person, conversation)).length, { timeout: 60_000, intervals: [50] })
    .toBeGreaterThanOrEqual(least);
}

/** As fast as one can type: every message through the composer. */
async function type(page: Page): Promise<void> {
  for (const text of typed) {
    await composer(page).fill(text);
    await composer(page).press('Enter');
  }
}

test('200 messages written offline go through a rate limit, a reconnection and a killed server, as typed', async ({
  people,
  site,
  watch,
}) => {
  test.slow();
  watch.expect(/ERR_|50[23]|WebSocket connection/u);
  const [ada, ben] = await people('ada', 'ben');
  const post = await ada.channel('post', [ben]);
  const wire = await Wire.to(site.url);
  const page = await ada.open(`/c/${post}`, { baseURL: wire.url });
  await composer(page).waitFor();
  await page.context().setOffline(true);
  await wire.cut();
  await type(page);
  await expect(message(page, typed.at(-1) ?? '')).toContainText('Waits for the connection');
  expect(await held(ben, post)).toEqual([]);

  await wire.mend();
  await page.context().setOffline(false);
  await hold(ben, post, 20);
  await wire.cut();
  await wire.mend();
  await hold(ben, post, 80);
  await site.server.kill();
  await site.server.start();
  await hold(ben, post, count);
  expect(await held(ben, post)).toEqual(typed);

  const there = await ben.open();
  await expect(entry(there, /^post.*200 unread/u)).toBeVisible();
  await expect(message(page, typed.at(-1) ?? '')).not.toContainText('Waits');
  await expect(log(page).getByText('Not sent')).toHaveCount(0);
  expect((await said(page)).at(-1)).toBe(typed.at(-1));
  await wire.cut();
});
