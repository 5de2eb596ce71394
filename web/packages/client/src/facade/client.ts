// The facade over the engine: the parts of `KlatchClient`, each in a file of its own.
import type { KlatchClient } from '../contract/client';
import { accountApi } from './account';
import { conversationsApi } from './conversations';
import { type ClientOptions, Engine } from './engine';
import { messagesApi } from './messages';
import { peopleApi } from './people';
import { sessionApi } from './session';
import { siteApi } from './site';

export function createClient(options: ClientOptions): KlatchClient {
  const engine = new Engine(options);
  return {
    start: () => engine.start(),
    stop: () => engine.stop(),
    connection: engine.connection.state,
    tryNow: () => engine.connection.tryNow(),
    limits: engine.store.select((state) => state.limits),
    session: sessionApi(engine),
    account: accountApi(engine),
    site: siteApi(engine),
    people: peopleApi(engine),
    conversations: conversationsApi(engine),
    messages: messagesApi(engine),
    drafts: engine.drafts,
  };
}
