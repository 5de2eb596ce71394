// What makes a desk one's own: the width of the panes, and being told of what happens elsewhere.
import type { Page } from '@playwright/test';
import { composer, entry, message, panel, say, sidebar } from '../support/talk';
import { expect, test } from '../support/test';

const width = async (page: Page) => Math.round((await sidebar(page).boundingBox())?.width ?? 0);

test('panes are as wide as one drew them, also after a reload', async ({ people }) => {
  const [ada] = await people('ada');
  const desk = await ada.channel('desk');
  const page = await ada.open(`/c/${desk}?side=details`);
  const line = sidebar(page).getByRole('separator', { name: 'Width of the sidebar' });
  const before = await width(page);
  const box = await line.boundingBox();
  if (!box) throw new Error('there is no line');
  await page.mouse.move(box.x + box.width / 2, box.y + 300);
  await page.mouse.down();
  await page.mouse.move(before + 60, box.y + 320, { steps: 4 });
  await page.mouse.up();
  await expect.poll(() => width(page)).toBe(before + 60);
  await line.focus();
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => width(page)).toBe(before + 44);
  await expect(line).toHaveAttribute('aria-valuenow', String(before + 44));
  const other = panel(page).getByRole('separator', { name: 'Width of the side panel' });
  const wide = Number(await other.getAttribute('aria-valuenow'));
  await other.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(other).toHaveAttribute('aria-valuenow', String(wide + 16));
  await page.reload();
  await expect.poll(() => width(page)).toBe(before + 44);
  await expect(other).toHaveAttribute('aria-valuenow', String(wide + 16));
});

interface Told {
  title: string;
  body: string;
  press: () => void;
}

interface Desk {
  asked: number;
  told: Told[];
}

/** In place of the browser's own notifications, which nobody can see in a test. */
async function notifications(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const desk: Desk = { asked: 0, told: [] };
    let allowed = localStorage.getItem('test-allowed') === 'yes';
    class Shown {
      static get permission() {
        return allowed ? 'granted' : 'default';
      }
      static requestPermission() {
        desk.asked += 1;
        allowed = true;
        localStorage.setItem('test-allowed', 'yes');
        return Promise.resolve('granted');
      }
      onclick: (() => void) | null = null;
      constructor(title: string, { body }: { body: string }) {
        desk.told.push({ title, body, press: () => this.onclick?.() });
      }
      close() {}
    }
    Object.assign(window, { Notification: Shown, desk });
  });
}

const desk = (page: Page) =>
  page.evaluate(() => {
    const { asked, told } = (window as unknown as { desk: Desk }).desk;
    return { asked, told: told.map(({ title, body }) => ({ title, body })) };
  });

test('notifications are offered once one has written, and a press opens the message', async ({ people }) => {
  const [ben, cleo] = await people('ben', 'cleo');
  const [yard, shed] = [await ben.channel('yard', [cleo]), await ben.channel('shed', [cleo])];
  const page = await ben.open('/signin');
  await notifications(page);
  await page.goto(`/c/${yard}`);
  await composer(page).waitFor();
  const offer = page.getByRole('region', { name: 'Hear of new messages?' });
  await expect(offer).toHaveCount(0);
  expect((await desk(page)).asked, 'never on load').toBe(0);
  await say(page, 'Anybody here?');
  await offer.waitFor();
  expect((await desk(page)).asked, 'nor before a press').toBe(0);
  await offer.getByRole('button', { name: 'Yes, tell me' }).click();
  await expect(offer).toHaveCount(0);

  await cleo.say(yard, 'I am');
  await message(page, 'I am').waitFor();
  const found = await cleo.say(shed, 'The rake is **here**');
  await expect
    .poll(async () => (await desk(page)).told)
    .toEqual([{ title: 'Cleo · shed', body: 'The rake is here' }]);
  await page.evaluate(() => (window as unknown as { desk: Desk }).desk.told[0]?.press());
  await expect(page).toHaveURL(new RegExp(`/c/${shed}/m/${found}`, 'u'));
  await expect(message(page, 'The rake is here')).toBeInViewport();
  await expect(entry(page, /^shed$/u)).toBeVisible();
});
