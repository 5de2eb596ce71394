// Close codes of the gateway, in ranges: the code says what to do next, never the state of the socket alone.

export type CloseAdvice =
  /** Reconnect with back-off and resume. */
  | 'resume'
  /** The same, with a new access token. */
  | 'afresh'
  | 'signed-out'
  | 'account-closed'
  | 'version_unsupported'
  | 'abuse';

const final: Partial<Record<number, CloseAdvice>> = {
  4200: 'signed-out',
  4201: 'account-closed',
  4202: 'version_unsupported',
  4203: 'abuse',
};

export function closeAdvice(code: number): CloseAdvice {
  if (code >= 4100 && code < 4200) return 'afresh';
  // A code of the last range that came later than this client: "do not return", and only a newer client knows why.
  if (code >= 4200 && code < 4300) return final[code] ?? 'version_unsupported';
  return 'resume';
}
