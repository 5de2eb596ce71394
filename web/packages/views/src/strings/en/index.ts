import { auth } from './auth';
import { common, connection, problems } from './common';
import { composer } from './composer';
import { dialogs } from './dialogs';
import { emoji } from './emoji';
import { message, notices, timeline } from './conversation';
import { panel } from './panel';
import { settings } from './settings';
import { keys, sidebar, switcher } from './sidebar';

export const en = {
  auth,
  common,
  composer,
  connection,
  dialogs,
  emoji,
  keys,
  message,
  notices,
  panel,
  problems,
  settings,
  sidebar,
  switcher,
  timeline,
};
