import { composer, entry, message, panel, say } from '../support/talk';
import { expect, test } from '../support/test';

test('a channel is made, found, joined, and left', async ({ people }) => {
  const [ada, ben] = await people('ada', 'ben');
  const here = await ada.open();
  await here.getByRole('button', { name: 'New conversation' }).click();
  await here.getByRole('menuitem', { name: 'New channel' }).click();
  const make = here.getByRole('dialog', { name: 'New channel' });
  await make.getByRole('button', { name: 'Create' }).click();
  await expect(make.getByText('Give it a name')).toBeVisible();
  await make.getByRole('textbox', { name: 'Name' }).fill('bees');
  await make.getByRole('textbox', { name: 'What it is about' }).fill('Hives and honey');
  await make.getByRole('button', { name: 'Create' }).click();
  await say(here, 'The first swarm is out');

  const there = await ben.open();
  await there.getByRole('button', { name: 'Browse channels' }).first().click();
  const browse = there.getByRole('dialog', { name: 'Browse channels' });
  await browse.getByRole('searchbox', { name: 'Find a channel' }).fill('bee');
  await expect(browse.getByRole('listitem')).toContainText('Hives and honey');
  await browse.getByRole('button', { name: 'Join bees' }).click();
  await expect(message(there, 'The first swarm is out')).toBeVisible();
  await expect(here.getByText('Ben joined')).toBeVisible();

  await there.getByRole('button', { name: 'Details', exact: true }).click();
  await panel(there).getByRole('button', { name: 'Leave' }).click();
  await there.getByRole('dialog', { name: 'Leave bees?' }).getByRole('button', { name: 'Leave' }).click();
  await expect(entry(there, /^bees/u)).toHaveCount(0);
  await expect(here.getByText('Ben left')).toBeVisible();
});

test('a link to a channel one is not in leads to its door', async ({ people, watch }) => {
  watch.expect(/404.*\/channels\//u);
  const [pia, quinn] = await people('pia', 'quinn');
  const orchard = await pia.channel('orchard', [], { topic: 'Apples and pears' });
  await pia.say(orchard, 'The first ones are ripe');
  const lane = await pia.channel('lane', [quinn]);
  await pia.say(lane, 'See #orchard, and #nowhere');
  const here = await pia.open(`/c/${lane}`);
  await expect(message(here, 'See #orchard').getByRole('link')).toHaveText(['#orchard']);
  await message(here, 'See #orchard').getByRole('link', { name: '#orchard' }).click();
  await expect(message(here, 'The first ones are ripe')).toBeVisible();

  const there = await quinn.open(`/c/${orchard}`);
  await expect(there.getByRole('heading', { name: 'orchard' })).toBeVisible();
  await expect(there.getByText('1 member · Apples and pears')).toBeVisible();
  await there.getByRole('button', { name: 'Join this channel' }).click();
  await expect(message(there, 'The first ones are ripe')).toBeVisible();
  const hidden = await pia.group('cellar', []);
  await there.goto(`/c/${hidden}`);
  await expect(there.getByText('There is nothing here')).toBeVisible();
});

test('people are added, given roles, and removed', async ({ people }) => {
  const [cleo, dan, eve] = await people('cleo', 'dan', 'eve');
  const choir = await cleo.channel('choir');
  const here = await cleo.open(`/c/${choir}?side=members`);
  const there = await dan.open();
  await panel(here).getByRole('button', { name: 'Add people' }).click();
  const add = here.getByRole('dialog', { name: 'Add people to choir' });
  for (const name of ['dan', 'eve']) {
    await add.getByRole('combobox', { name: 'People' }).fill(name);
    await add.getByRole('option', { name: new RegExp(name, 'iu') }).click();
  }
  await add.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(panel(here).getByRole('listitem')).toHaveCount(3);
  await entry(there, /^choir/u).click();
  await expect(composer(there)).toBeVisible();

  await panel(here).getByRole('button', { name: 'Actions for Dan' }).click();
  await here.getByRole('menuitem', { name: 'Make moderator' }).click();
  await expect(there.getByText('Cleo made Dan a moderator')).toBeVisible();
  await expect(panel(here).getByRole('listitem').filter({ hasText: 'Dan' })).toContainText('Moderator');

  await there.getByRole('button', { name: 'Members', exact: true }).click();
  await panel(there).getByRole('button', { name: 'Actions for Eve' }).click();
  await there.getByRole('menuitem', { name: 'Remove from here' }).click();
  await there.getByRole('dialog', { name: 'Remove Eve?' }).getByRole('button', { name: 'Remove' }).click();
  await expect(here.getByText('Dan removed Eve')).toBeVisible();
  const gone = await eve.open(`/c/${choir}`);
  await expect(gone.getByRole('button', { name: 'Join this channel' })).toBeVisible();
});

test('name, topic and what newcomers read are changed for all', async ({ people }) => {
  const [fred, gina, hal] = await people('fred', 'gina', 'hal');
  const before = await fred.channel('befor', [gina]);
  await fred.say(before, 'Said before');
  const here = await fred.open(`/c/${before}?side=details`);
  const there = await gina.open(`/c/${before}`);
  await panel(here).getByRole('button', { name: 'Edit' }).click();
  await panel(here).getByRole('textbox', { name: 'Name' }).fill('before');
  await panel(here).getByRole('textbox', { name: 'Topic' }).fill('What was');
  await panel(here).getByRole('button', { name: 'Save' }).click();
  await expect(there.getByRole('heading', { level: 2, name: 'before', exact: true })).toBeVisible();
  await expect(there.getByText(/What was/u).first()).toBeVisible();
  await panel(here).getByRole('radio', { name: 'What is said after they join' }).click();
  await expect(there.getByText('Fred lets new members read what is said after they join')).toBeVisible();
  await hal.command(before, { kind: 'join' });
  await fred.say(before, 'Said after');
  const late = await hal.open(`/c/${before}`);
  await expect(message(late, 'Said after')).toBeVisible();
  await expect(message(late, 'Said before')).toHaveCount(0);
});

test('favourites stand first, and a muted conversation does not call', async ({ people }) => {
  const [ines, jo] = await people('ines', 'jo');
  const loud = await ines.channel('loud', [jo]);
  const page = await jo.open(`/c/${loud}?side=details`);
  await panel(page).getByRole('switch', { name: 'Favourite' }).click();
  await expect(page.getByRole('region', { name: 'Favourites' }).getByRole('link')).toHaveCount(1);
  await panel(page).getByRole('radio', { name: 'Nothing' }).click();
  await expect(entry(page, /^loud.*muted/u)).toBeVisible();
});

test('who is taken out while looking is told so', async ({ people, watch }) => {
  watch.expect(/404.*\/(channels|conversations)\//u);
  const [kim, lou] = await people('kim', 'lou');
  const den = await kim.group('den', [lou]);
  const page = await lou.open(`/c/${den}`);
  await composer(page).waitFor();
  await kim.command(den, { kind: 'remove', user: lou.id });
  await expect(page.getByText('There is nothing here')).toBeVisible();
  await expect(entry(page, /^den/u)).toHaveCount(0);
});
