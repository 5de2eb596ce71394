import { glimpses } from '../support/glimpses';
import { password } from '../support/Site';
import { expect, test } from '../support/test';

test('the first day: the site is claimed, somebody is invited, and comes', async ({
  site,
  stranger,
  watch,
}) => {
  watch.expect(/403.*\/accounts\)/u);
  const page = await stranger(`/claim#token=${site.server.claim ?? ''}`);
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('zoe');
  await page.getByRole('textbox', { name: 'Shown as' }).fill('Zoe Zander');
  await page.getByRole('textbox', { name: 'Password' }).fill('short');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByText('Use at least 8 characters')).toBeVisible();
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('heading', { name: 'Hello, Zoe Zander' })).toBeVisible();
  expect(page.url(), 'the token is gone from the address').not.toContain('token');

  await page.getByRole('button', { name: /Your menu/u }).click();
  await page.getByRole('menuitem', { name: 'Invite people' }).click();
  await page.getByRole('button', { name: 'Make an invitation link' }).click();
  const link = await page.getByRole('textbox', { name: 'Link' }).inputValue();

  const guest = await stranger(link);
  await guest.getByRole('textbox', { name: 'Name', exact: true }).fill('yan');
  await guest.getByRole('textbox', { name: 'Password' }).fill(password);
  await guest.getByRole('button', { name: 'Create account' }).click();
  await expect(guest.getByRole('heading', { name: 'Hello, yan' })).toBeVisible();

  const late = await stranger(link);
  await late.getByRole('textbox', { name: 'Name', exact: true }).fill('xia');
  await late.getByRole('textbox', { name: 'Password' }).fill(password);
  await late.getByRole('button', { name: 'Create account' }).click();
  await expect(late.getByRole('alert')).toHaveText(/invitation is used up/u);
  await page.getByRole('link', { name: 'Site' }).click();
  await page.getByRole('textbox', { name: 'Name of the site' }).fill('The Roastery');
  const told = await glimpses(page, '[data-tone]');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(told).toContainEqual(expect.stringContaining('Saved'));
  await late.goto('/signin');
  await expect(late.getByRole('heading', { name: 'Sign in to The Roastery' })).toBeVisible();
});
