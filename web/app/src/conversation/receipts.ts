import type { MessageItem, Receipt, TimelineItem } from '@klatch/client';
import type { ReceiptSnapshot, Strings } from '@klatch/views';
import { personOf, type Known } from '../support/names';

const fewMembers = 12;
const mostFaces = 5;

/** How far one's last message came: the one place where receipts are shown. */
export function receiptOf(
  items: readonly TimelineItem[],
  receipts: readonly Receipt[],
  members: number,
  known: Known,
  strings: Strings,
): { key: string; receipt: ReceiptSnapshot } | null {
  const last = items.findLast((item) => item.type === 'message' && item.own && item.deleted === null);
  if (last?.type !== 'message' || last.seq === null) return null;
  return { key: last.key, receipt: stateOf(last, receipts, members, known, strings) };
}

function stateOf(
  message: MessageItem,
  receipts: readonly Receipt[],
  members: number,
  known: Known,
  strings: Strings,
): ReceiptSnapshot {
  const seq = message.seq ?? Infinity;
  const readers = receipts.filter((receipt) => receipt.read >= seq);
  if (readers.length === 0) {
    return receipts.some((receipt) => receipt.delivered >= seq) ? { type: 'delivered' } : { type: 'sent' };
  }
  if (members > fewMembers) return { type: 'read', faces: [], more: readers.length };
  const faces = readers.slice(0, mostFaces).map((reader) => personOf(reader.user, known, strings));
  return { type: 'read', faces, more: readers.length - faces.length };
}
