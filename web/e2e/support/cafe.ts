// A site with some life in it: made once, for pictures.
import type { Person, Site, Watch } from './test';

export interface Cafe {
  mara: Person;
  tomas: Person;
  roastery: string;
  direct: string;
}

const made = new WeakMap<Site, Cafe>();

export async function furnishCafe(site: Site, owner: Person, watch: Watch): Promise<Cafe> {
  const before = made.get(site);
  if (before) return { ...before, mara: before.mara.watchedBy(watch), tomas: before.tomas.watchedBy(watch) };
  await owner.rest('PATCH', '/site', { name: 'Copper Kettle' });
  const come = (name: string, display: string) => site.invited(name, watch, display);
  const mara = await come('mara', 'Mara Lindqvist');
  const tomas = await come('tomas', 'Tomás Rey');
  const ines = await come('ines', 'Inês Duarte');
  const jonah = await come('jonah', 'Jonah Field');
  const yuki = await come('yuki', 'Yuki Tanabe');
  await mara.rest('PATCH', '/me', { about: 'Opens at seven, so mostly awake by eight.' });
  await tomas.rest('PATCH', '/me', {
    about: 'Roasts on Tuesdays and Fridays. Please do not lean on the drum.',
  });
  const all = [mara, tomas, ines, jonah, yuki];
  const staff = all.filter((person) => person !== owner);

  const beans = await owner.channel('beans', staff, { topic: 'What arrives, what is left' });
  await yuki.say(beans, 'Twelve sacks from Huila are on the boat, eight from Sidama next week');
  const floor = await mara.channel('floor', staff, { topic: 'Shifts and swaps' });
  await jonah.say(floor, 'Can anybody take my Thursday? I have a concert');
  await ines.say(floor, 'I can, if you do my Sunday morning');
  await jonah.say(floor, 'Deal 🤝');
  const repairs = await mara.channel('repairs', staff);
  await ines.say(repairs, 'The left grinder squeaks again, I put a note on it');
  const party = await ines.group('Ten years party', [mara, yuki, jonah]);
  await yuki.say(party, 'The band said yes!');
  await ines.say(party, 'And the cake will be shaped like a moka pot, @mara', { mentions: [mara.id] });
  const direct = await mara.direct(ines);
  await ines.say(direct, 'Did the inspector find the cellar key?');
  await mara.say(direct, 'It was in the flour. Do not ask.');
  await ines.say(direct, 'I will ask every day');
  await mara.direct(yuki);
  const roastery = await talk({ mara, tomas, ines, jonah, yuki }, staff);
  await readAll(mara, [roastery, beans, direct]);
  await readAll(tomas, [roastery]);
  const cafe = { mara, tomas, roastery, direct };
  made.set(site, cafe);
  return cafe;
}

type Staff = Record<'mara' | 'tomas' | 'ines' | 'jonah' | 'yuki', Person>;

async function talk({ mara, tomas, ines, jonah, yuki }: Staff, staff: Person[]): Promise<string> {
  const room = await mara.channel('roastery', staff, { topic: 'Profiles, cuppings, and the drum' });
  const plan = await tomas.say(
    room,
    'New profile for the Huila, please try it:\n\n- charge at **195 °C**\n- first crack near 8:40\n- drop 70 seconds later',
  );
  await mara.command(room, { kind: 'pin', target: plan });
  await ines.say(room, 'Cupped it blind this morning. Plum, a bit of cocoa, very clean');
  const blind = await ines.say(room, 'I wrote it down here: https://notes.example/huila-42');
  await react(room, blind, '👏', mara, tomas, jonah);
  await react(room, blind, '☕', yuki);
  await jonah.say(room, 'As an espresso it runs fast. I went two clicks finer and got `1:2.1 in 29 s`');
  await tomas.say(room, 'Two clicks is what I would do too, @jonah', {
    mentions: [jonah.id],
    replies: [blind],
  });
  await yuki.command(room, {
    kind: 'send',
    body: { type: 'text', text: 'hides the last bag of Sidama behind the oat milk', emote: true },
  });
  const found = await mara.say(room, 'We all know that place, Yuki');
  await react(room, found, '😂', ines, jonah, tomas, yuki);
  const sold = await mara.say(
    room,
    'If nobody minds, it goes on the shelf on Friday — twenty bags to begin with',
  );
  await react(room, sold, '🎉', tomas, ines);
  await tomas.say(room, 'Labels are printed, bags are stamped');
  return room;
}

async function react(room: string, target: string, emoji: string, ...people: Person[]): Promise<void> {
  for (const person of people) await person.command(room, { kind: 'react', target, emoji });
}

async function readAll(person: Person, conversations: string[]): Promise<void> {
  for (const id of conversations) {
    const { head, read } = await person.rest<State>('GET', `/conversations/${id}`);
    const next = { seq: head.seq, version: read.version + 1 };
    await person.rest('PUT', `/conversations/${id}/cursor`, { read: next });
  }
}

interface State {
  head: { seq: number };
  read: { version: number };
}
