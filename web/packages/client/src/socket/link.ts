// One WebSocket, from opening to closing: says hello, waits for `ready`, notices when the other side has gone silent.
import type { Platform, Socket } from '../platform/platform';
import { decodeFrame } from '../protocol/decode';
import type { ClientFrame, ReadyFrame, ServerFrame } from '../protocol/frames';

export interface LinkEvents {
  ready(frame: ReadyFrame): void;
  frame(frame: ServerFrame): void;
  /** Once, at the end. The code is 1006 where nobody told one. */
  closed(code: number): void;
}

/** From opening to `ready`. */
const readyTimeoutMs = 15_000;
/** After so long without a frame we ask whether somebody is there, and wait so long for an answer. */
const quietMs = 20_000;
const pongTimeoutMs = 10_000;
/** The same where the browser says that the network has changed or gone: then the other side most likely has, too. */
const changedTimeoutMs = 4_000;

const closedWithoutCode = 1006;

export class Link {
  readonly #socket: Socket;
  #ready = false;
  #ended = false;
  #cancelTimer: () => void;

  constructor(
    private readonly platform: Platform,
    url: string,
    token: string,
    private readonly events: LinkEvents,
  ) {
    this.#cancelTimer = platform.after(readyTimeoutMs, () => this.end(closedWithoutCode));
    this.#socket = platform.openSocket(url, {
      opened: () => this.#socket.send(JSON.stringify(hello(token))),
      received: (text) => this.received(text),
      closed: (code) => this.end(code),
    });
  }

  send(frame: ClientFrame): void {
    if (this.#ready) this.#socket.send(JSON.stringify(frame));
  }

  /** Asks whether the other side is there still. */
  networkChanged(): void {
    this.probe(changedTimeoutMs);
  }

  close(): void {
    this.#ended = true;
    this.letGo();
  }

  private received(text: string): void {
    if (this.#ended) return;
    const frame = decodeFrame(text);
    this.watch(quietMs, () => this.probe(pongTimeoutMs));
    if (frame === null) return;
    if (frame.type === 'ready') {
      this.#ready = true;
      this.events.ready(frame);
    } else {
      this.events.frame(frame);
    }
  }

  private probe(patienceMs: number): void {
    if (!this.#ready) return;
    this.send({ type: 'ping' });
    this.watch(patienceMs, () => this.end(closedWithoutCode));
  }

  private watch(ms: number, then: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.platform.after(ms, then);
  }

  private end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.letGo();
    this.events.closed(code);
  }

  private letGo(): void {
    this.#ready = false;
    this.#cancelTimer();
    this.#socket.close();
  }
}

function hello(token: string): ClientFrame {
  const client = { name: 'klatch-web', version: '0.1.0' };
  return { type: 'hello', protocol: [1], token, client, capabilities: [] };
}
