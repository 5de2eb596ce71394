import {
  ComposerView,
  ConversationHeaderView,
  EmojiPicker,
  TimelineView,
  TypingView,
  useStrings,
  type Side as HeaderSide,
} from '@klatch/views';
import { useEffect, useMemo, useState } from 'react';
import { paths, type Side } from '../router/route';
import { useServices } from '../services/services';
import { useReadable } from '../support/useReadable';
import { ComposerModel } from './ComposerModel';
import { messageActions } from './messageActions';
import { TimelineModel } from './TimelineModel';
import { useHeader } from './useHeader';
import { useTyping } from './useTyping';

interface Props {
  conversation: string;
  message: string | null;
  side: Side | null;
}

/** One conversation: remade for each, by its key. */
export function ConversationPage({ conversation, message, side }: Props) {
  const services = useServices();
  const strings = useStrings();
  const [{ timeline, composer }] = useState(() => {
    const made = new TimelineModel(services, conversation, strings, message);
    return { timeline: made, composer: new ComposerModel(services, conversation, strings, made) };
  });
  useEffect(() => timeline.start(), [timeline]);
  useEffect(() => composer.start(), [composer]);
  useOpen(conversation);
  useShownMessage(timeline, message);

  const [picking, setPicking] = useState<{ id: string; anchor: HTMLElement } | null>(null);
  const actions = useMemo(() => {
    const pickEmoji = (id: string, anchor: HTMLElement) => setPicking({ id, anchor });
    return {
      ...messageActions({ services, conversation, timeline, composer, strings, pickEmoji }),
      seen: timeline.seen,
      toLatest: timeline.toLatest,
      toDate: (ms: number) => timeline.goTo({ at: 'date', ms }, true),
      reload: timeline.reload,
    };
  }, [services, conversation, timeline, composer, strings]);
  const snapshot = useReadable(timeline.snapshot);
  return (
    <>
      <Header conversation={conversation} side={side} />
      <TimelineView snapshot={snapshot} actions={actions} />
      <Typing conversation={conversation} />
      <Composer model={composer} />
      {picking && (
        <EmojiPicker
          anchor={picking.anchor}
          recent={snapshot.recentEmoji}
          onPick={(emoji) => actions.react(picking.id, emoji, true)}
          onClose={() => setPicking(null)}
        />
      )}
    </>
  );
}

function Header({ conversation, side }: { conversation: string; side: Side | null }) {
  const { router } = useServices();
  const snapshot = useHeader(conversation, side);
  if (!snapshot) return null;
  const show = (panel: HeaderSide) =>
    router.go(paths.conversation(conversation, snapshot.side === panel ? null : { panel }));
  return (
    <ConversationHeaderView snapshot={snapshot} actions={{ show, back: () => router.go(paths.home()) }} />
  );
}

function Composer({ model }: { model: ComposerModel }) {
  const snapshot = useReadable(model.snapshot);
  return <ComposerView snapshot={snapshot} actions={model} />;
}

function Typing({ conversation }: { conversation: string }) {
  return <TypingView names={useTyping(conversation)} />;
}

function useOpen(conversation: string) {
  const { client } = useServices();
  useEffect(() => {
    client.conversations.open([conversation]);
    const members = client.conversations.get(conversation).get()?.members ?? 0;
    // Asking for the members of a small conversation is what makes their receipts known.
    if (members > 0 && members <= 50) void client.conversations.members(conversation).catch(() => undefined);
    return () => client.conversations.open([]);
  }, [client, conversation]);
}

/** A link to a message of the conversation that is open already leads there. */
function useShownMessage(timeline: TimelineModel, message: string | null) {
  const [first] = useState(message);
  useEffect(() => {
    if (message !== null && message !== first) timeline.showMessage(message);
  }, [timeline, message, first]);
}
