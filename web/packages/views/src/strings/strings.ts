import { createContext, use } from 'react';
import { en } from './en';

/** Every word the client says, by place. Another language is another object of this type. */
export type Strings = typeof en;

export const StringsContext = createContext<Strings>(en);

export function useStrings(): Strings {
  return use(StringsContext);
}
