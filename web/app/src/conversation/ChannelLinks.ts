import type { ConversationItem, KlatchClient } from '@klatch/client';
import type { ChannelLink } from '@klatch/views';
import { paths } from '../router/route';

/** The channels one is in, as links: the same object while none came, went or was renamed. */
export class ChannelLinks {
  private list: readonly ConversationItem[] = [];
  private kept: readonly ChannelLink[] = [];

  constructor(private readonly client: KlatchClient) {}

  links(): readonly ChannelLink[] {
    const list = this.client.conversations.list.get();
    if (list === this.list) return this.kept;
    this.list = list;
    const links = list
      .filter(({ kind, name }) => kind === 'channel' && name !== '')
      .map(({ id, name }) => ({ name, href: paths.conversation(id) }))
      .sort((one, other) => (one.href < other.href ? -1 : 1));
    const same = links.length === this.kept.length && links.every((link, at) => isSame(link, this.kept[at]));
    if (!same) this.kept = links;
    return this.kept;
  }
}

function isSame(one: ChannelLink, other: ChannelLink | undefined): boolean {
  return one.name === other?.name && one.href === other.href;
}
