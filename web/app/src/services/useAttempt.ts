import { useStrings } from '@klatch/views';
import { useCallback } from 'react';
import { errorText } from '../support/problems';
import { useServices } from './services';

/** Runs what may be refused; says why where it was. Answers whether it worked. */
export function useAttempt(): (work: () => Promise<unknown>) => Promise<boolean> {
  const { ui } = useServices();
  const strings = useStrings();
  return useCallback(
    async (work) => {
      try {
        await work();
        return true;
      } catch (error) {
        ui.say(errorText(error, strings), 'problem');
        return false;
      }
    },
    [ui, strings],
  );
}
