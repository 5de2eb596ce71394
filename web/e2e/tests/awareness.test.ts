import { act, composer, entry, log, message, messages, panel, say } from '../support/talk';
import { expect, test } from '../support/test';

test('one sees who is typing, until they stop', async ({ people }) => {
  const [ada, ben] = await people('ada', 'ben');
  const tea = await ada.channel('tea', [ben]);
  const here = await ada.open(`/c/${tea}`);
  const there = await ben.open(`/c/${tea}`);
  await composer(here).waitFor();
  await composer(there).pressSequentially('Hm');
  await expect(here.getByText('Ben is typing…')).toBeVisible();
  await composer(there).fill('');
  await expect(here.getByText('Ben is typing…')).toHaveCount(0);
});

test('one sees who is here, away, and gone', async ({ people }) => {
  const [cleo, dan] = await people('cleo', 'dan');
  await cleo.direct(dan);
  const here = await cleo.open();
  await expect(entry(here, /^Dan.*Offline/u)).toBeVisible();
  const there = await dan.open();
  await expect(entry(here, /^Dan.*Online/u)).toBeVisible();
  await there.getByRole('button', { name: /Your menu/u }).click();
  await there.getByRole('menuitem', { name: 'Set yourself away' }).click();
  await expect(entry(here, /^Dan.*Away/u)).toBeVisible();
  await there.close();
  await expect(entry(here, /^Dan.*Offline/u)).toBeVisible();
});

test('one sees how far a message came: sent, delivered, read', async ({ people }) => {
  const [eve, fred] = await people('eve', 'fred');
  const direct = await eve.direct(fred);
  const here = await eve.open(`/c/${direct}`);
  await say(here, 'Have you seen this?');
  await expect(message(here, 'Have you seen this?')).toContainText('Sent');
  const there = await fred.open();
  await expect(message(here, 'Have you seen this?')).toContainText('Delivered');
  await entry(there, /^Eve/u).click();
  await expect(message(here, 'Have you seen this?')).toContainText('Read by Fred');
});

test('a line shows where reading stopped, and one comes back there', async ({ people }) => {
  const [gina, hal] = await people('gina', 'hal');
  const hall = await gina.channel('hall', [hal]);
  const yard = await gina.channel('yard', [hal]);
  await gina.say(hall, 'Old news');
  const page = await hal.open(`/c/${hall}`);
  await message(page, 'Old news').waitFor();
  await expect(entry(page, /^hall$/u)).toBeVisible();
  await entry(page, /^yard/u).click();
  await expect(page).toHaveURL(new RegExp(yard, 'u'));
  for (let at = 1; at <= 60; at += 1) await gina.say(hall, `News ${at}`);
  await expect(entry(page, /^hall.*60 unread/u)).toBeVisible();
  await expect(page).toHaveTitle(/^\(60\)/u);
  await entry(page, /^hall/u).click();
  const line = log(page).getByRole('separator', { name: 'New messages' });
  await expect(line).toBeInViewport();
  await expect(messages(page).filter({ hasText: /News 1$/u })).toBeInViewport();
  await expect(message(page, 'News 60')).not.toBeInViewport();
  await page.getByRole('button', { name: /^Jump to latest/u }).click();
  await expect(message(page, 'News 60')).toBeInViewport();
  await expect(entry(page, /^hall$/u)).toBeVisible();
});

test('marked as unread, a message waits on all devices', async ({ people }) => {
  const [ines, jo] = await people('ines', 'jo');
  const shelf = await ines.channel('shelf', [jo]);
  for (const text of ['One', 'Two', 'Three']) await ines.say(shelf, text);
  const here = await jo.open(`/c/${shelf}`);
  const there = await jo.open();
  await message(here, 'Three').waitFor();
  await expect(entry(there, /^shelf$/u)).toBeVisible();
  await act(here, 'Two', 'Mark as unread from here');
  await expect(entry(there, /^shelf.*2 unread/u)).toBeVisible();
  await expect(log(here).getByRole('separator', { name: 'New messages' })).toBeVisible();
  await entry(there, /^shelf/u).click();
  await expect(entry(there, /^shelf$/u)).toBeVisible();
});

test('who is blocked is folded away, and comes back', async ({ people }) => {
  const [kim, lou] = await people('kim', 'lou');
  const room = await kim.channel('room', [lou]);
  await lou.say(room, 'Nonsense');
  const page = await kim.open(`/c/${room}`);
  await message(page, 'Nonsense').getByRole('button', { name: 'Lou' }).click();
  await panel(page).getByRole('button', { name: 'Block' }).click();
  await page.getByRole('dialog', { name: 'Block Lou?' }).getByRole('button', { name: 'Block' }).click();
  const folded = message(page, 'Message of a person you blocked');
  await expect(folded).toBeVisible();
  await expect(message(page, 'Nonsense')).toHaveCount(0);
  await folded.getByRole('button', { name: 'Show' }).click();
  await expect(message(page, 'Nonsense')).toBeVisible();
  await page.goto('/settings/blocked');
  await page.getByRole('button', { name: 'Unblock Lou' }).click();
  await expect(page.getByText('You have blocked nobody.')).toBeVisible();
});
