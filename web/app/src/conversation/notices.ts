import type { KlatchEvent, NoticeItem } from '@klatch/client';
import type { Strings } from '@klatch/views';
import { personOf, type Known } from '../support/names';

const mostNames = 3;

/** What happened, in words; people who came or went one after the other share a line. */
export function noticeLines(items: readonly NoticeItem[], known: Known, strings: Strings): string[] {
  const lines: string[] = [];
  for (let at = 0; at < items.length;) {
    const event = items[at]?.event;
    if (!event) break;
    const alike = runOf(items, at);
    lines.push(lineOf(event, alike, known, strings));
    at += alike.length;
  }
  return lines;
}

type Personal = Extract<KlatchEvent, { kind: 'joined' | 'left' | 'removed' }>;

function isPersonal(event: KlatchEvent): event is Personal {
  return event.kind === 'joined' || event.kind === 'left' || event.kind === 'removed';
}

/** Who did the deed: a person who was added did not join by themselves. */
function deed(event: Personal): string {
  const byAnother = event.author !== event.user;
  return byAnother ? `${event.kind} by ${event.author}` : event.kind;
}

function runOf(items: readonly NoticeItem[], at: number): KlatchEvent[] {
  const first = items[at]?.event;
  if (!first) return [];
  if (!isPersonal(first)) return [first];
  const rest = items.slice(at).map((item) => item.event);
  const end = rest.findIndex((event) => !isPersonal(event) || deed(event) !== deed(first));
  return end < 0 ? rest : rest.slice(0, end);
}

function lineOf(event: KlatchEvent, alike: KlatchEvent[], known: Known, strings: Strings): string {
  const words = strings.notices;
  const author = personOf(event.author, known, strings).name;
  const namesOf = (users: string[], without?: string) =>
    users.filter((user) => user !== without).map((user) => personOf(user, known, strings).name);
  const names = fewNames(namesOf(alike.filter(isPersonal).map(({ user }) => user)), strings);
  switch (event.kind) {
    case 'created':
      return words.created(author, fewNames(namesOf(event.members, event.author), strings));
    case 'joined':
      return event.author === event.user ? words.joined(names) : words.added(author, names);
    case 'left':
      return words.left(names);
    case 'removed':
      return words.removed(author, names);
    case 'role_set':
      return words.role(author, personOf(event.user, known, strings).name, words.roleNames[event.role]);
    case 'changed':
      return changeLine(event, author, strings);
    default:
      return words.unsupported;
  }
}

function fewNames(users: string[], strings: Strings): string[] {
  const names = [...new Set(users)];
  if (names.length <= mostNames + 1) return names;
  return [...names.slice(0, mostNames), strings.notices.others(names.length - mostNames)];
}

function changeLine(
  event: Extract<KlatchEvent, { kind: 'changed' }>,
  author: string,
  strings: Strings,
): string {
  const words = strings.notices;
  if (event.name !== undefined) return words.renamed(author, event.name);
  if (event.topic !== undefined)
    return event.topic ? words.topic(author, event.topic) : words.topicCleared(author);
  if (event.history === undefined) return words.changed(author);
  return event.history === 'all' ? words.historyAll(author) : words.historySince(author);
}
