import { glimpses } from '../support/glimpses';
import { password } from '../support/Site';
import { entry, panel } from '../support/talk';
import { expect, test } from '../support/test';

test('signing in and out, and a wrong password', async ({ people, stranger, watch }) => {
  watch.expect(/403.*\/sessions\)/u);
  const [ada] = await people('ada');
  const page = await stranger('/settings/profile');
  await expect(page).toHaveURL(/\/signin$/u);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('Write your name')).toBeVisible();
  await page.getByRole('textbox', { name: 'Name' }).fill('ada');
  await page.getByRole('textbox', { name: 'Password' }).fill('not this one');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toHaveText('This name and password do not belong together.');
  await page.getByRole('textbox', { name: 'Password' }).fill(ada.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Profile' })).toBeVisible();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: /Your menu/u }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByText('You are signed out.')).toBeVisible();
  await page.reload();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('a profile is changed, and others see it at once', async ({ people }) => {
  const [ben, cleo] = await people('ben', 'cleo');
  await ben.direct(cleo);
  const there = await cleo.open();
  const here = await ben.open('/settings/profile');
  await here.getByRole('textbox', { name: 'Shown as' }).fill('Benjamin');
  await here.getByRole('textbox', { name: 'About you' }).fill('Roasts on Tuesdays');
  await here.getByRole('button', { name: 'Save' }).click();
  await entry(there, /^Benjamin/u).click();
  await there.goto(`/?side=person.${ben.id}`);
  await expect(panel(there).getByText('Roasts on Tuesdays')).toBeVisible();
});

test('a device is signed out from another one', async ({ people }) => {
  const [dan] = await people('dan');
  const away = await dan.open();
  await away.getByRole('heading', { name: 'Hello, Dan' }).waitFor();
  const here = await dan.open('/settings/sessions');
  await expect(here.getByText('This device', { exact: true })).toBeVisible();
  const devices = here.getByRole('main').getByRole('listitem');
  await expect(devices).toHaveCount(3);
  await here.getByRole('button', { name: 'Sign out Chromium on Linux' }).click();
  await expect(devices).toHaveCount(2);
  await expect(away.getByText('Your session has ended. Sign in again.')).toBeVisible();
  await here.reload();
  await expect(here.getByText('This device', { exact: true })).toBeVisible();
});

test('a new password ends the other sessions', async ({ people }) => {
  const [eve] = await people('eve');
  const away = await eve.open();
  await away.getByRole('heading', { name: 'Hello, Eve' }).waitFor();
  const here = await eve.open('/settings/password');
  await here.getByRole('textbox', { name: 'Current password' }).fill(password);
  await here.getByRole('textbox', { name: 'New password' }).fill('another short sentence');
  const told = await glimpses(here, '[data-tone]');
  await here.getByRole('button', { name: 'Change password' }).click();
  await expect.poll(told).toContainEqual(expect.stringContaining('Your password is changed'));
  await expect(away.getByText('Your session has ended. Sign in again.')).toBeVisible();
  await away.getByRole('textbox', { name: 'Name' }).fill('eve');
  await away.getByRole('textbox', { name: 'Password' }).fill('another short sentence');
  await away.getByRole('button', { name: 'Sign in' }).click();
  await expect(away.getByRole('heading', { name: 'Hello, Eve' })).toBeVisible();
});

test('the theme is chosen, and kept', async ({ people }) => {
  const [fred] = await people('fred');
  const page = await fred.open('/settings/appearance');
  const background = () =>
    page.evaluate(() => {
      const red = Number(/\d+/u.exec(getComputedStyle(document.documentElement).backgroundColor));
      return red < 128 ? 'dark' : 'light';
    });
  expect(await background()).toBe('light');
  await page.getByRole('radio', { name: 'Dark' }).check();
  await expect.poll(background).toBe('dark');
  await page.reload();
  await expect(page.getByRole('radio', { name: 'Dark' })).toBeChecked();
  expect(await background()).toBe('dark');
});

test('an owner helps who has lost the password', async ({ owner, people, stranger }) => {
  const [gina] = await people('gina');
  const away = await gina.open();
  await away.getByRole('heading', { name: 'Hello, Gina' }).waitFor();
  const page = await owner.open(`/?side=person.${gina.id}`);
  await panel(page).getByRole('button', { name: 'Make a password link' }).click();
  const link = await panel(page).getByRole('textbox').inputValue();
  const lost = await stranger(link);
  await lost.getByRole('textbox', { name: 'New password' }).fill('found it under the mat');
  await lost.getByRole('button', { name: 'Choose a new password' }).click();
  await expect(lost.getByText('Your password is changed. Sign in with it.')).toBeVisible();
  await expect(away.getByText('Your session has ended. Sign in again.')).toBeVisible();
  await lost.getByRole('link', { name: 'Sign in' }).click();
  await lost.getByRole('textbox', { name: 'Name' }).fill('gina');
  await lost.getByRole('textbox', { name: 'Password' }).fill('found it under the mat');
  await lost.getByRole('button', { name: 'Sign in' }).click();
  await expect(lost.getByRole('heading', { name: 'Hello, Gina' })).toBeVisible();
});

test('an owner makes others owners, and one always remains', async ({ owner, people, watch }) => {
  watch.expect(/409.*\/users\//u);
  const [kim] = await people('kim');
  const there = await kim.open('/settings/profile');
  await expect(there.getByRole('link', { name: 'People', exact: true })).toHaveCount(0);
  const page = await owner.open('/settings/people');
  await page.getByRole('searchbox', { name: 'Find people by name' }).fill('kim');
  const row = page.getByRole('main').getByRole('listitem').filter({ hasText: '@kim' });
  await row.getByRole('button', { name: 'Actions for Kim' }).click();
  await page.getByRole('menuitem', { name: 'Make owner of the site' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make owner of the site' }).click();
  await expect(row).toContainText('Owner');
  await expect(there.getByRole('link', { name: 'People', exact: true })).toBeVisible();
  await row.getByRole('button', { name: 'Actions for Kim' }).click();
  await page.getByRole('menuitem', { name: 'No longer owner of the site' }).click();
  await expect(row).not.toContainText('Owner');
  await page.getByRole('searchbox').fill('olga');
  await page.getByRole('button', { name: 'Actions for Olga Owner' }).click();
  await page.getByRole('menuitem', { name: 'No longer owner of the site' }).click();
  await expect(page.getByText('make somebody else an owner first')).toBeVisible();
});

test('an account is closed for good', async ({ people }) => {
  const [hal, ines] = await people('hal', 'ines');
  const direct = await hal.direct(ines);
  await hal.say(direct, 'Farewell');
  const there = await ines.open(`/c/${direct}`);
  await there.getByText('Farewell').first().waitFor();
  const page = await hal.open('/settings/account');
  await page.getByRole('textbox', { name: /Your password/u }).fill(password);
  await page.getByRole('button', { name: 'Close my account for good' }).click();
  await expect(page.getByText('Your account is closed.')).toBeVisible();
  await there.reload();
  await expect(there.getByText('its author has closed the account')).toBeVisible();
});
