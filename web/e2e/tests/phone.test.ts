import { devices, type Page } from '@playwright/test';
import { composer, entry, message, panel } from '../support/talk';
import { expect, test } from '../support/test';

const { viewport, userAgent, deviceScaleFactor, isMobile, hasTouch } = devices['Pixel 7'];
const phone = { viewport, userAgent, deviceScaleFactor, isMobile, hasTouch };

test('on a phone one pane at a time: list, conversation, details, and back', async ({ people }) => {
  const [ada, ben] = await people('ada', 'ben');
  const tea = await ada.channel('tea', [ben]);
  await ben.say(tea, 'On my way');
  const page = await ada.open('/', phone);
  await expect(entry(page, /^tea/u)).toBeVisible();
  await expectNoSideways(page);
  await entry(page, /^tea/u).tap();
  await expect(message(page, 'On my way')).toBeInViewport();
  await expect(entry(page, /^tea/u)).not.toBeInViewport();
  await expectNoSideways(page);
  await composer(page).fill('Line one');
  await composer(page).press('Enter');
  await composer(page).pressSequentially('line two');
  await expect(composer(page)).toHaveValue('Line one\nline two');
  await page.getByRole('button', { name: 'Send' }).tap();
  await expect(message(page, /Line one\s*line two/u)).toBeVisible();

  await holdOn(page, 'On my way');
  await expect(page.getByRole('menuitem', { name: 'Reply' })).toBeVisible();
  await page.getByRole('menuitem', { name: 'Reply' }).tap();
  await expect(page.getByText('Answering Ben')).toBeVisible();
  await page.getByRole('button', { name: 'Do not answer this one' }).tap();

  await page.getByRole('button', { name: 'Details', exact: true }).tap();
  await expect(panel(page).getByRole('heading', { name: 'Details' })).toBeInViewport();
  await expect(composer(page)).not.toBeInViewport();
  await expectNoSideways(page);
  await page.goBack();
  await expect(composer(page)).toBeInViewport();
  await page.getByRole('button', { name: 'Back' }).tap();
  await expect(entry(page, /^tea/u)).toBeInViewport();
});

test('on a phone settings are a list that leads to its pages', async ({ people }) => {
  const [cleo] = await people('cleo');
  const page = await cleo.open('/settings', phone);
  await page.getByRole('link', { name: 'Appearance' }).tap();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await expectNoSideways(page);
  await page.getByRole('button', { name: 'Settings' }).tap();
  await expect(page.getByRole('link', { name: 'Appearance' })).toBeInViewport();
});

test('on a phone what is to be touched is large enough', async ({ people }) => {
  const [dan, eve] = await people('dan', 'eve');
  const room = await dan.channel('room', [eve]);
  await eve.say(room, 'Hello');
  const page = await dan.open('/', phone);
  await entry(page, /^room/u).waitFor();
  expect(await small(page)).toEqual([]);
  await entry(page, /^room/u).tap();
  await message(page, 'Hello').waitFor();
  expect(await small(page)).toEqual([]);
});

async function holdOn(page: Page, text: string): Promise<void> {
  const box = await message(page, text).boundingBox();
  if (!box) throw new Error(`${text} is not to be seen`);
  const devtools = await page.context().newCDPSession(page);
  const touchPoints = [{ x: box.x + box.width / 2, y: box.y + box.height / 2 }];
  await devtools.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints });
  await page.getByRole('menu').waitFor();
  await devtools.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
}

async function expectNoSideways(page: Page): Promise<void> {
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(beyond, 'nothing is wider than the screen').toBeLessThanOrEqual(0);
}

/** Buttons and links under 44 px in height, but for those in running text. */
async function small(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    for (const element of document.querySelectorAll<HTMLElement>('button, a[href], input, textarea')) {
      const { height, width } = element.getBoundingClientRect();
      const isShown = element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
      if (!isShown || width < 2 || element.closest('article') || element.matches('a[href^="#"]')) continue;
      if (height < 43.5) found.push(`${element.ariaLabel ?? element.textContent}: ${height}`);
    }
    return found;
  });
}
