import type { KlatchClient, Timeline } from '@klatch/client';
import type { Sight } from '@klatch/views';
import { Disposables } from '../support/Disposables';

const restMs = 120;
/** Closer than this to what is loaded, the next page is enough; further away one begins anew around the place. */
const nearby = 150;

/** Makes of what is on the screen: what to load, what is read, and where the line of new messages stands. */
export class SightKeeper {
  atEnd = true;
  /** What was read when one came, or looked away. */
  unreadAfter: number | null;
  private sight: Sight | null = null;
  private asked = 0;
  /** Set back by hand: reading goes on only when one leaves and comes again. */
  private held = false;

  constructor(
    private readonly client: KlatchClient,
    private readonly conversation: string,
    private readonly timeline: Timeline,
    private readonly changed: () => void,
  ) {
    const item = client.conversations.get(conversation).get();
    this.unreadAfter = item && item.unread > 0 ? item.read.seq : null;
  }

  start(): () => void {
    const ends = new Disposables();
    const look = () => (isLooking() ? this.markRead() : this.lookedAway());
    for (const event of ['focus', 'blur']) {
      window.addEventListener(event, look);
      ends.track(() => window.removeEventListener(event, look));
    }
    document.addEventListener('visibilitychange', look);
    ends.track(() => document.removeEventListener('visibilitychange', look));
    ends.track(() => window.clearTimeout(this.asked));
    return () => ends.dispose();
  }

  seen(sight: Sight): void {
    this.sight = sight;
    const moved = this.atEnd !== sight.atEnd;
    this.atEnd = sight.atEnd;
    this.load(sight);
    if (isLooking()) this.markRead();
    if (moved) this.changed();
  }

  markUnread(seq: number): void {
    this.held = true;
    this.unreadAfter = seq - 1;
    this.client.conversations.markUnread(this.conversation, seq);
  }

  private markRead(): void {
    if (!this.sight || this.held || this.timeline.get().phase !== 'ready') return;
    const item = this.client.conversations.get(this.conversation).get();
    const seq = this.sight.atEnd ? Math.max(this.sight.last, item?.head.seq ?? 0) : this.sight.last;
    if (item && seq > item.read.seq) this.client.conversations.markRead(this.conversation, seq);
  }

  private lookedAway(): void {
    const item = this.client.conversations.get(this.conversation).get();
    if (item?.unread === 0 && !this.held) this.unreadAfter = item.head.seq;
  }

  private load(sight: Sight): void {
    window.clearTimeout(this.asked);
    const [gap] = sight.gaps;
    if (!gap) return;
    const { items, older, newer, phase } = this.timeline.get();
    const first = items.find((item) => item.seq !== null)?.seq ?? 0;
    const last = items.findLast((item) => item.seq !== null)?.seq ?? 0;
    const before = gap.to < first;
    const distance = before ? first - gap.near : gap.near - last;
    if (distance <= nearby && phase !== 'loading') {
      if (before && older === 'more') void this.timeline.loadOlder();
      if (!before && newer === 'more') void this.timeline.loadNewer();
      return;
    }
    if (distance > nearby) {
      this.asked = window.setTimeout(() => this.timeline.goTo({ at: 'seq', seq: gap.near }), restMs);
    }
  }
}

function isLooking(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}
