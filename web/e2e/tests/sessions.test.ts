// Nobody is signed out by bad luck: whatever happens to the answer that brings the next token.
import type { Page } from '@playwright/test';
import { composer, expectSaid, say } from '../support/talk';
import { expect, test } from '../support/test';

const refreshes = '**/sessions/refresh';

/** The server renews the session, and its answer never comes: so often. */
async function loseAnswers(
  page: Page,
  times: number,
  meanwhile?: () => Promise<void>,
): Promise<() => number> {
  let lost = 0;
  await page.context().route(refreshes, async (route) => {
    if (lost >= times) return route.continue();
    lost += 1;
    await route.fetch();
    await meanwhile?.();
    await route.abort('connectionreset');
  });
  return () => lost;
}

test('two tabs renew at once, and answers are lost: nobody is signed out', async ({ people, watch }) => {
  watch.expect(/ERR_CONNECTION_RESET/u);
  const [ada] = await people('ada');
  const desk = await ada.channel('desk');
  const first = await ada.open(`/c/${desk}`);
  const second = await first.context().newPage();
  await second.goto(`/c/${desk}`);
  await composer(first).waitFor();
  await composer(second).waitFor();
  const lost = await loseAnswers(first, 2);
  await Promise.all([first.reload(), second.reload()]);
  await say(first, 'Still here');
  await say(second, 'So am I');
  for (const tab of [first, second]) await expectSaid(tab, ['Still here', 'So am I']);
  expect(lost()).toBe(2);
});

test('the server is killed between renewing and answering: nobody is signed out', async ({
  people,
  site,
  watch,
}) => {
  test.slow();
  watch.expect(/ERR_|50[23]|WebSocket connection/u);
  const [ben] = await people('ben');
  const mill = await ben.channel('mill');
  const first = await ben.open(`/c/${mill}`);
  const second = await first.context().newPage();
  await second.goto(`/c/${mill}`);
  await composer(second).waitFor();
  let reloads: Promise<unknown> = Promise.resolve();
  const lost = await loseAnswers(first, 1, async () => {
    // The faster tab renews while the other may still be asking for its page.
    await reloads;
    await site.server.kill();
    await site.server.start();
  });
  reloads = Promise.all([first.reload(), second.reload()]);
  await reloads;
  // A page is loaded before its session is renewed, and the server must come back for that.
  for (const tab of [first, second]) await composer(tab).waitFor({ timeout: 60_000 });
  await say(first, 'The wheel turns');
  for (const tab of [first, second]) await expectSaid(tab, ['The wheel turns']);
  expect(lost()).toBe(1);
});
