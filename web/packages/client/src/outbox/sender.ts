// Sends what waits: in each conversation in order, several at once, each naming the one before it. Until it is answered a
// command is simply sent again with the same id; the server sees to it that it takes effect once.
import { backoff } from '../backoff';
import type { Platform } from '../platform/platform';
import type { AcceptedFrame, ClientFrame, CommittedFrame, RejectedFrame } from '../protocol/frames';
import type { CommandId, ConversationId, Millis } from '../protocol/ids';
import type { Problem } from '../protocol/problem';
import { isOpen, type OutboxEntry } from './entry';
import { verdictOn } from './verdict';

export interface SenderPort {
  /** By conversation, in the order of sending. */
  entries(): ReadonlyMap<ConversationId, readonly OutboxEntry[]>;
  isOnline(): boolean;
  send(frame: ClientFrame): void;
  accepted(id: CommandId): void;
  committed(id: CommandId, seq: number): void;
  refused(id: CommandId, problem: Problem): void;
  /** Nothing is left to be done. */
  done(id: CommandId): void;
}

interface Lane {
  /** Sent on this connection and not answered, in order; `accepted` is no answer, but none is needed soon. */
  readonly inFlight: Map<CommandId, 'sent' | 'accepted'>;
  /** Something must be sent again: first every answer that is on its way is awaited, so that none is mistaken. */
  draining: boolean;
}

/** LIMIT: commands on their way at once. The server's own limits are higher. */
const inFlightMax = 16;
/** LIMIT: commands that the server keeps and has not decided, as while its storage is away. */
const acceptedMax = 500;
/** After so long without any answer, all that is on its way is sent again. */
const answerTimeoutMs = 20_000;

export class Sender {
  readonly #lanes = new Map<ConversationId, Lane>();
  #active = false;
  /** Null where nothing keeps us from sending. Ended by its timer, not by the clock: the two differ by a little. */
  #pausedUntil: Millis | null = null;
  #attempt = 0;
  /** Some command is not even understood, and nobody says which: one at a time until that is known. */
  #isCautious = false;
  #cancelPause: () => void = () => undefined;
  #cancelTimeout: () => void = () => undefined;

  constructor(
    private readonly platform: Pick<Platform, 'now' | 'after' | 'random'>,
    private readonly port: SenderPort,
  ) {}

  /** This tab is the one that sends. */
  activate(): void {
    this.#active = true;
    this.pump();
  }

  stop(): void {
    this.#active = false;
    this.#cancelPause();
    this.lost();
  }

  /** The connection went: nothing that is on its way will be answered. */
  lost(): void {
    this.#lanes.clear();
    this.#cancelTimeout();
  }

  /** Sends what may be sent now. Called whenever something about that has changed. */
  pump(): void {
    if (!this.#active || !this.port.isOnline() || this.#pausedUntil !== null) return;
    const under = this.inFlight();
    const sent = under.filter(({ state }) => state === 'sent').length;
    let room = Math.min(
      (this.#isCautious ? 1 : inFlightMax) - sent,
      inFlightMax + acceptedMax - under.length,
    );
    for (const [conversation, entries] of this.port.entries()) {
      const lane = this.lane(conversation);
      if (lane.draining) continue;
      for (const entry of entries) {
        if (room <= 0) return;
        if (!isOpen(entry) || lane.inFlight.has(entry.id)) continue;
        this.send(entry, lane);
        room -= 1;
      }
    }
  }

  /** The server keeps it: whatever becomes of it, it need not be sent again on this connection. */
  accepted(frame: AcceptedFrame): void {
    const lane = this.#lanes.get(frame.conversation);
    if (lane?.inFlight.has(frame.id) !== true) return;
    lane.inFlight.set(frame.id, 'accepted');
    this.#attempt = 0;
    this.#isCautious = false;
    this.expectAnswers();
    this.port.accepted(frame.id);
    this.pump();
  }

  /** False for what is not on its way from here, as an answer to what another connection sent. */
  answered(frame: CommittedFrame | RejectedFrame): boolean {
    const lane = this.#lanes.get(frame.conversation);
    if (lane?.inFlight.delete(frame.id) !== true) return false;
    this.expectAnswers();
    if (frame.type === 'committed') {
      this.#attempt = 0;
      this.#isCautious = false;
      this.port.committed(frame.id, frame.seq);
    } else {
      this.rejected(lane, frame.id, frame.problem);
    }
    if (lane.inFlight.size === 0) lane.draining = false;
    this.pump();
    return true;
  }

  /** A command frame was not taken, and the server could not say which: all that is on its way is sent again. */
  notTaken(problem: Problem): void {
    const [only, ...others] = this.inFlight().filter(({ state }) => state === 'sent');
    if (only && others.length === 0) {
      const { id, conversation } = only;
      this.answered({ type: 'rejected', id, conversation, problem });
      return;
    }
    this.lost();
    if (verdictOn(problem).verdict === 'later') {
      this.pause(problem.retry_after_ms);
    } else {
      this.#isCautious = true;
      this.pump();
    }
  }

  private rejected(lane: Lane, id: CommandId, problem: Problem): void {
    const verdict = verdictOn(problem);
    switch (verdict.verdict) {
      case 'again':
        lane.draining = true;
        return;
      case 'later':
        lane.draining = true;
        this.pause(verdict.waitMs);
        return;
      case 'done':
        this.port.done(id);
        return;
      case 'refused':
        this.port.refused(id, problem);
    }
  }

  private send(entry: OutboxEntry, lane: Lane): void {
    const { id, conversation, command, seen, at } = entry;
    const after = [...lane.inFlight.keys()].at(-1);
    lane.inFlight.set(id, 'sent');
    this.port.send({
      ...{ type: 'command', id, conversation, command, claimed_at: at },
      ...(seen === null ? {} : { seen }),
      ...(after === undefined ? {} : { after }),
    });
    this.expectAnswers();
  }

  private pause(toldMs: Millis | undefined): void {
    const now = this.platform.now();
    const until = now + (toldMs ?? backoff(this.#attempt++, this.platform.random));
    if (this.#pausedUntil !== null && this.#pausedUntil >= until) return;
    this.#pausedUntil = until;
    this.#cancelPause();
    this.#cancelPause = this.platform.after(until - now, () => {
      this.#pausedUntil = null;
      this.pump();
    });
  }

  private expectAnswers(): void {
    this.#cancelTimeout();
    if (!this.inFlight().some(({ state }) => state === 'sent')) return;
    this.#cancelTimeout = this.platform.after(answerTimeoutMs, () => {
      this.lost();
      this.pump();
    });
  }

  private inFlight(): { id: CommandId; conversation: ConversationId; state: 'sent' | 'accepted' }[] {
    return [...this.#lanes].flatMap(([conversation, lane]) =>
      [...lane.inFlight].map(([id, state]) => ({ id, conversation, state })),
    );
  }

  private lane(conversation: ConversationId): Lane {
    const lane = this.#lanes.get(conversation) ?? {
      inFlight: new Map<CommandId, 'sent' | 'accepted'>(),
      draining: false,
    };
    this.#lanes.set(conversation, lane);
    return lane;
  }
}
