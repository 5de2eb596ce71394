import { expectKept } from '../support/drafts';
import { act, composer, entry, expectSaid, log, message, say } from '../support/talk';
import { expect, test } from '../support/test';

test('two people talk, at once', async ({ people }) => {
  const [ada, ben] = await people('ada', 'ben');
  const tea = await ada.channel('tea', [ben]);
  const here = await ada.open(`/c/${tea}`);
  const there = await ben.open(`/c/${tea}`);
  await say(here, 'Is the kettle on?');
  await expect(message(there, 'Is the kettle on?')).toBeVisible();
  await say(there, 'Since five minutes');
  await say(there, 'Bring **biscuits**');
  const all = ['Is the kettle on?', 'Since five minutes', 'Bring biscuits'];
  await expectSaid(here, all);
  await expectSaid(there, all);
  await expect(composer(there)).toHaveValue('');
  await expect(entry(here, /^tea/u)).toHaveAttribute('aria-current', 'page');
});

test('one writes to a person: the conversation appears on both sides', async ({ people }) => {
  const [cleo, dan] = await people('cleo', 'dan');
  const here = await cleo.open();
  const there = await dan.open();
  await here.getByRole('button', { name: 'New conversation' }).click();
  await here.getByRole('menuitem', { name: 'Write to a person' }).click();
  await here.getByRole('combobox', { name: 'People' }).fill('dan');
  await here.getByRole('option', { name: /Dan/u }).click();
  await say(here, 'Just between us');
  await expect(entry(there, /^Cleo.*1 unread/u)).toBeVisible();
  await entry(there, /^Cleo/u).click();
  await expect(message(there, 'Just between us')).toBeVisible();
  await say(there, 'Of course');
  await expectSaid(here, ['Just between us', 'Of course']);
});

test('a group of three is made, and all of them talk', async ({ people }) => {
  const [eve, fred, gina] = await people('eve', 'fred', 'gina');
  const page = await eve.open();
  await page.getByRole('button', { name: 'New conversation' }).click();
  await page.getByRole('menuitem', { name: 'New group' }).click();
  const dialog = page.getByRole('dialog', { name: 'New group' });
  await dialog.getByRole('textbox', { name: 'Name of the group' }).fill('Surprise party');
  for (const name of ['fred', 'gina']) {
    await dialog.getByRole('combobox', { name: 'People' }).fill(name);
    await dialog.getByRole('option', { name: new RegExp(name, 'iu') }).click();
  }
  await dialog.getByRole('button', { name: 'Create' }).click();
  await say(page, 'Not a word to Hal');
  const others = [await fred.open(), await gina.open()];
  for (const other of others) {
    await entry(other, /^Surprise party/u).click();
    await expect(message(other, 'Not a word to Hal')).toBeVisible();
  }
  await expect(page.getByText('Eve added Fred and Gina')).toHaveCount(0);
});

test('/me and Markdown look as meant, and HTML is only text', async ({ people }) => {
  const [hal, ines] = await people('hal', 'ines');
  const lab = await hal.channel('lab', [ines]);
  const here = await hal.open(`/c/${lab}`);
  const there = await ines.open(`/c/${lab}`);
  await say(here, '/me opens the **airlock**');
  await expect(message(there, 'Hal opens the airlock')).toBeVisible();
  await expect(message(there, 'opens the airlock').locator('strong')).toHaveText('airlock');
  await say(here, 'See [the plan](https://example.org/plan) and `rm -rf`\n\n- one\n- two');
  const plan = message(there, 'See the plan');
  const link = plan.getByRole('link', { name: /the plan/u });
  await expect(link).toHaveAttribute('href', 'https://example.org/plan');
  await expect(link).toHaveAttribute('rel', /noopener noreferrer/u);
  await expect(plan.getByRole('listitem')).toHaveText(['one', 'two']);
  await expect(plan.locator('code')).toHaveText('rm -rf');
  await say(here, '<img src=x onerror=alert(1)><script>alert(2)</script>');
  await expect(message(there, '<img src=x onerror=alert(1)>')).toBeVisible();
  await expect(log(there).locator('img, script')).toHaveCount(0);
});

test('what one writes is previewed, and Shift and Enter begin a line', async ({ people }) => {
  const [jo] = await people('jo');
  const page = await jo.open(`/c/${await jo.channel('drafts')}`);
  await composer(page).fill('A *very* good idea');
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(page.getByRole('region', { name: 'As it will look' }).locator('em')).toHaveText('very');
  await page.getByRole('button', { name: 'Preview' }).click();
  await composer(page).press('End');
  await composer(page).press('Shift+Enter');
  await composer(page).pressSequentially('and a second line');
  await expect(composer(page)).toHaveValue('A *very* good idea\nand a second line');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(message(page, /A very good idea\s*and a second line/u)).toBeVisible();
});

test('a draft survives a reload, and is marked in the list', async ({ people }) => {
  const [kim, lou] = await people('kim', 'lou');
  const direct = await kim.direct(lou);
  const page = await kim.open(`/c/${direct}`);
  await composer(page).fill('Dear Lou, ');
  await expect(entry(page, /^Lou.*Draft/u)).toBeVisible();
  await expectKept(page, kim.id, direct, 'Dear Lou, ');
  await page.reload();
  await expect(composer(page)).toHaveValue('Dear Lou, ');
});

test('a message that is refused says why, and can be discarded', async ({ people }) => {
  const [mia, ned] = await people('mia', 'ned');
  const direct = await mia.direct(ned);
  const page = await ned.open(`/c/${direct}`);
  await expect(composer(page)).toBeVisible();
  await mia.rest('PUT', `/me/blocks/${ned.id}`);
  await say(page, 'Hello?');
  await expect(message(page, 'Hello?')).toContainText('Not sent: One of you has blocked the other.');
  await message(page, 'Hello?').getByRole('button', { name: 'Discard' }).click();
  await expect(message(page, 'Hello?')).toHaveCount(0);
  await mia.rest('DELETE', `/me/blocks/${ned.id}`);
  await say(page, 'Hello again');
  await act(page, 'Hello again', 'Copy link');
});
