// Pictures of every page, to be looked at; made only where KLATCH_PICTURES names a folder for them.
import { devices, type Page } from '@playwright/test';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { furnishCafe } from '../support/cafe';
import { messages, panel } from '../support/talk';
import { expect, test } from '../support/test';

const folder = process.env['KLATCH_PICTURES'] ?? '';
test.skip(folder === '', 'KLATCH_PICTURES is not set');

const { viewport, userAgent, deviceScaleFactor, isMobile, hasTouch } = devices['Pixel 7'];
const screens = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport, userAgent, deviceScaleFactor, isMobile, hasTouch },
};

async function take(page: Page, name: string): Promise<void> {
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
}

for (const screen of ['desktop', 'phone'] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`pictures, ${screen}, ${colorScheme}`, async ({ site, owner, people, stranger, watch }) => {
      test.setTimeout(180_000);
      await mkdir(folder, { recursive: true });
      const options = { ...screens[screen], colorScheme };
      const name = (what: string) => `${screen}-${colorScheme}-${what}`;
      const cafe = await furnishCafe(site, owner, watch);
      const page = await cafe.mara.open('/', options);
      await page.getByRole('link', { name: /beans/u }).waitFor();
      await take(page, name('home'));
      const places: [string, string][] = [
        ['channel', `/c/${cafe.roastery}`],
        ['direct', `/c/${cafe.direct}`],
        ['details', `/c/${cafe.roastery}?side=details`],
        ['members', `/c/${cafe.roastery}?side=members`],
        ['pins', `/c/${cafe.roastery}?side=pins`],
        ['person', `/c/${cafe.roastery}?side=person.${cafe.tomas.id}`],
      ];
      for (const [what, path] of places) {
        await page.goto(path);
        if (path.includes('side')) await panel(page).getByRole('button').nth(1).waitFor();
        else await messages(page).first().waitFor();
        await take(page, name(what));
      }
      await page.goto(`/c/${cafe.roastery}`);
      await messages(page).last().waitFor();
      for (const way of ['Write to a person', 'New group', 'New channel', 'Browse channels']) {
        if (screen === 'phone') await page.goto('/');
        await page.getByRole('button', { name: 'New conversation' }).click();
        await page.getByRole('menuitem', { name: way }).click();
        await page.getByRole('dialog', { name: way }).waitFor();
        await take(page, name(`dialog-${way.toLowerCase().replaceAll(' ', '-')}`));
        await page.keyboard.press('Escape');
      }
      await page.goto(`/c/${cafe.roastery}`);
      await messages(page).last().focus();
      await page.keyboard.press('Enter');
      await page.getByRole('menu').waitFor();
      await take(page, name('menu'));
      await page.keyboard.press('Escape');
      await page.keyboard.press('+');
      await page.getByRole('dialog', { name: 'Emoji' }).getByRole('button').nth(50).waitFor();
      await take(page, name('emoji'));
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+k');
      await page.getByRole('option').first().waitFor();
      await take(page, name('switcher'));
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keys' }).waitFor();
      await take(page, name('keys'));
      const settings = 'profile appearance notifications sessions password blocked account'.split(' ');
      for (const which of settings) {
        await page.goto(`/settings/${which}`);
        await page.getByRole('heading', { level: 1 }).last().waitFor();
        await take(page, name(`settings-${which}`));
      }
      const boss = await owner.open('/settings/invites', options);
      await boss.getByRole('button', { name: 'Make an invitation link' }).click();
      await boss.getByRole('textbox', { name: 'Link' }).waitFor();
      await take(boss, name('settings-invites'));
      await boss.goto('/settings/site');
      await boss.getByText('Who can sign up').waitFor();
      await take(boss, name('settings-site'));
      await boss.goto('/settings/people');
      await boss.getByText('@mara').waitFor();
      await take(boss, name('settings-people'));
      const [empty] = await people(`newcomer-${screen}-${colorScheme}`);
      const first = await empty.open('/', options);
      await first.getByText('Nobody talks yet').waitFor();
      await take(first, name('empty-home'));
      await first.goto(`/c/${await empty.channel(`quiet-${screen}-${colorScheme}`)}`);
      await first.getByText('Be the first').waitFor();
      await take(first, name('empty-channel'));
      await first.goto(`/c/${cafe.roastery}`);
      await first.getByRole('button', { name: 'Join this channel' }).waitFor();
      await take(first, name('door'));
      const guest = await stranger('/signin', options);
      for (const path of ['/signin', '/signup', '/claim#token=kc_x', '/reset#token=kr_x', '/nowhere']) {
        await guest.goto(path);
        await guest.getByRole('heading', { level: 1 }).waitFor();
        await take(guest, name(path.split('#')[0]?.slice(1) ?? ''));
      }
    });
  }
}

for (const [how, options] of [
  ['rtl', {}],
  ['rtl-phone', screens.phone],
  ['forced', { forcedColors: 'active' }],
] as const) {
  test(`pictures, ${how}`, async ({ site, owner, stranger, watch }) => {
    test.setTimeout(180_000);
    await mkdir(folder, { recursive: true });
    const cafe = await furnishCafe(site, owner, watch);
    const turn = async (page: Page) => {
      if (!how.startsWith('rtl')) return;
      await page.addInitScript(() => {
        document.addEventListener('DOMContentLoaded', () => (document.documentElement.dir = 'rtl'));
      });
    };
    const page = await cafe.mara.open('/signin', options);
    await turn(page);
    for (const [what, path] of [
      ['home', '/'],
      ['channel', `/c/${cafe.roastery}`],
      ['members', `/c/${cafe.roastery}?side=members`],
      ['appearance', '/settings/appearance'],
    ] as const) {
      await page.goto(path);
      const text = { home: 'Pick a conversation', members: '@mara', appearance: 'Density', channel: '' }[
        what
      ];
      if (text) await page.getByText(text).first().waitFor({ state: 'attached' });
      else await messages(page).first().waitFor();
      await take(page, `${how}-${what}`);
    }
    await page.goto(`/c/${cafe.roastery}`);
    await messages(page).last().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menu').waitFor();
    await take(page, `${how}-menu`);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('option').first().waitFor();
    await take(page, `${how}-switcher`);
    const guest = await stranger('/nowhere', options);
    await turn(guest);
    await guest.goto('/signin');
    await guest.getByRole('heading', { level: 1 }).waitFor();
    await take(guest, `${how}-signin`);
  });
}

test('the picture of the README', async ({ site, owner, watch }) => {
  const cafe = await furnishCafe(site, owner, watch);
  const screen = { viewport: { width: 1280, height: 920 }, colorScheme: 'light' } as const;
  const page = await cafe.mara.open('/signin', screen);
  await spreadTimes(page);
  await page.goto(`/c/${cafe.roastery}`);
  const there = await cafe.tomas.open(`/c/${cafe.roastery}`);
  await messages(page).last().waitFor();
  await there.getByRole('textbox', { name: /^Message to/u }).pressSequentially('Mm');
  await page.getByText('is typing').first().waitFor();
  await page.mouse.move(5, 5);
  await take(page, 'screenshot');
});

const minute = 60_000;

/** What was said within a second looks as if it were said within a day. */
async function spreadTimes(page: Page): Promise<void> {
  await page.route('**/events?**', async (route) => {
    const answer = await route.fetch();
    const history = (await answer.json()) as { events: { at: number; author: string }[] };
    let before = 2 * minute;
    for (const [index, event] of history.events.toReversed().entries()) {
      event.at -= before;
      before += index % 3 === 0 ? minute : 11 * minute;
    }
    await route.fulfill({ response: answer, json: history });
  });
  await page.routeWebSocket('**/gateway', (socket) => {
    const server = socket.connectToServer();
    server.onMessage((text) => {
      const frame = JSON.parse(String(text)) as { type: string; items: { last?: { at: number } }[] };
      if (frame.type === 'conversations') {
        for (const [index, { last }] of frame.items.entries()) if (last) last.at -= (2 + index * 23) * minute;
      }
      socket.send(JSON.stringify(frame));
    });
  });
}
