import { BrowseChannelsView, cleanName } from '@klatch/views';
import { useCallback, useState } from 'react';
import { paths } from '../router/route';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';
import { usePaged } from '../support/usePaged';

export function Browse({ onClose }: { onClose: () => void }) {
  const { client, router, ui } = useServices();
  const attempt = useAttempt();
  const [query, setQuery] = useState('');
  const load = useCallback(
    (after: string | undefined) =>
      client.conversations.channels(query, { limit: 50, ...(after && { after }) }),
    [client, query],
  );
  const page = usePaged(query, load);
  const open = (id: string) => {
    onClose();
    router.go(paths.conversation(id));
  };
  return (
    <BrowseChannelsView
      snapshot={{
        query,
        channels: page.items.map((channel) => ({ ...channel, name: cleanName(channel.name) })),
        loading: page.loading,
        more: page.more,
      }}
      actions={{
        search: setQuery,
        more: page.loadMore,
        join: (id) => void attempt(() => client.conversations.join(id)).then((worked) => worked && open(id)),
        open,
        create: () => ui.dialog.set({ type: 'create', kind: 'channel' }),
        close: onClose,
      }}
    />
  );
}
