#!/usr/bin/env python3
"""A small Klatch client, written from docs/protocol/ alone, on Python's standard library.

    client.py URL sign-up NAME PASSWORD [INVITE]       make an account
    client.py URL channel NAME PASSWORD CHANNEL        begin a channel; prints its id
    client.py URL join    NAME PASSWORD CONVERSATION   join a channel
    client.py URL send    NAME PASSWORD CONVERSATION TEXT
    client.py URL tail    NAME PASSWORD [COUNT]        print what is said, and go on after every interruption

`tail` shows the whole of the protocol: hello, sync, events without holes, pages of history where there is too much to tell,
and coming back with what one has. One thread, no dependencies; wherever it says "rule", gateway.md does.
"""

import base64
import hashlib
import json
import os
import random
import socket
import ssl
import struct
import sys
import time
import urllib.error
import urllib.request
import uuid
from urllib.parse import urlsplit


def uuid7():
    """A UUIDv7: 48 bits of time, then chance. Ids of commands are made by their clients."""
    value = (time.time_ns() // 1_000_000) << 80 | random.getrandbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return str(uuid.UUID(int=value & ~(0b11 << 62) | 0b10 << 62))


class Problem(Exception):
    """Why something was refused; `slug` has a page in docs/problems/."""

    def __init__(self, problem):
        super().__init__(problem.get("detail") or problem["title"])
        self.slug = problem["type"].rsplit("/", 1)[-1]
        self.retry_after_s = problem.get("retry_after_ms", 1000) / 1000


class Rest:
    """The API under /api/v1, with an access token that is renewed when it has expired."""

    def __init__(self, url):
        self.url, self.access, self.refresh = url.rstrip("/"), None, None

    def call(self, method, path, body=None):
        try:
            return self.once(method, path, body)
        except Problem as problem:
            if problem.slug != "token_expired" or self.refresh is None:
                raise
            self.renew()
            return self.once(method, path, body)

    def once(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        if self.access:
            headers["Authorization"] = f"Bearer {self.access}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            raise Problem(json.load(error)) from None
        return json.loads(text) if text else None

    def sign_up(self, name, password, invite=None):
        self.keep(self.once("POST", "/accounts", {"name": name, "password": password, "invite": invite, "cookie": False}))

    def sign_in(self, name, password):
        self.keep(self.once("POST", "/sessions", {"name": name, "password": password, "cookie": False}))

    def renew(self):
        # Sent without the old access token, which says nothing any more.
        self.access = None
        self.keep(self.once("POST", "/sessions/refresh", {"refresh_token": self.refresh}))

    def keep(self, session):
        self.access, self.refresh = session["access_token"], session["refresh_token"]

    def command(self, conversation, command):
        """Sends a command until it is answered: always the same one, so it takes effect once."""
        new = {"id": uuid7(), "command": command}
        while True:
            try:
                return self.call("POST", f"/conversations/{conversation}/commands", new)
            except Problem as problem:
                if problem.slug not in ("unavailable", "storage_failed", "rate_limited", "stopping"):
                    raise
                time.sleep(problem.retry_after_s)
            except OSError:
                time.sleep(1)


class Closed(Exception):
    """The connection is gone; `code` says what to do (rule: Close codes)."""

    def __init__(self, code, reason=""):
        super().__init__(f"{code} {reason}")
        self.code = code


class WebSocket:
    """RFC 6455, the client's side, as far as the gateway needs it: text, ping, pong and close."""

    def __init__(self, url):
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        self.socket = socket.create_connection((parts.hostname, parts.port or (443 if secure else 80)), timeout=60)
        if secure:
            self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=parts.hostname)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /api/v1/gateway HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        status = self.stream.readline().split(b" ")
        headers = dict(line.decode().strip().lower().split(": ", 1) for line in iter(self.stream.readline, b"\r\n") if line)
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        accept = base64.b64encode(digest).decode()
        if status[1:2] != [b"101"] or headers.get("sec-websocket-accept") != accept.lower():
            raise Closed(1006, f"no WebSocket: {status}")

    def send(self, opcode, payload):
        size = len(payload)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 1 << 16:
            head += struct.pack("!BH", 0x80 | 126, size)
        else:
            head += struct.pack("!BQ", 0x80 | 127, size)
        mask = os.urandom(4)
        self.socket.sendall(head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)))

    def read(self, size):
        data = self.stream.read(size)
        if len(data) < size:
            raise Closed(1006, "cut off")
        return data

    def receive(self):
        """The next text message; pings are answered on the way."""
        message = b""
        while True:
            first, second = self.read(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", self.read(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", self.read(8))
            payload, opcode = self.read(size), first & 0xF
            if opcode == 8:
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise Closed(code, payload[2:].decode())
            if opcode == 9:
                self.send(10, payload)
            elif opcode in (0, 1):
                message += payload
                if first & 0x80:
                    return message.decode()

    def close(self):
        self.stream.close()
        self.socket.close()


class Tail:
    """Everything that is said in one's conversations, in order, without holes, each once."""

    def __init__(self, rest, show):
        self.rest, self.show = rest, show
        self.have = {}  # conversation → the last seq that was shown
        self.synced = False

    def run(self):
        attempt = 0
        while True:
            try:
                self.connect()
            except Closed as closed:
                if closed.code >= 4200:
                    raise
                if 4100 <= closed.code < 4200:
                    self.rest.renew()
            except (OSError, Problem) as error:
                print(f"away: {error}", file=sys.stderr)
            # Rule: min(30 s, 0.5 s × 2^attempt), times a factor between 0.5 and 1.
            attempt = 0 if self.synced else attempt + 1
            self.synced = False
            time.sleep(min(30, 0.5 * 2**attempt) * random.uniform(0.5, 1))

    def connect(self):
        socket = WebSocket(self.rest.url)
        say = lambda frame: socket.send(1, json.dumps(frame).encode())
        hear = lambda: json.loads(socket.receive())
        try:
            say({"type": "hello", "protocol": [1], "token": self.rest.access, "client": {"name": "client.py"}})
            ready = hear()
            assert ready["type"] == "ready", ready
            limit = ready["limits"]["have"]
            say({"type": "sync", "have": dict(list(self.have.items())[:limit])})
            while True:
                frame = hear()
                if frame["type"] == "conversations":
                    for item in frame["items"]:
                        self.conversation(item)
                    for gone in frame["gone"]:
                        self.have.pop(gone, None)
                    if frame["next"]:
                        say({"type": "sync", "have": dict(list(self.have.items())[:limit]), "after": frame["next"]})
                    elif not self.synced:
                        self.synced = True
                        print("listening", file=sys.stderr, flush=True)
                elif frame["type"] == "conversation":
                    self.conversation(frame["item"])
                elif frame["type"] == "events":
                    self.events(frame["conversation"], frame["events"])
                elif frame["type"] == "head":
                    for head in frame["heads"]:
                        self.fill(head["conversation"], head["seq"])
                elif frame["type"] == "error":
                    raise Problem(frame["problem"])
                # Rule: whatever else there is, now or later, is ignored.
        finally:
            socket.close()

    def conversation(self, item):
        """A conversation as a page of `sync` tells it: new ones begin at their head, others go on from what one has."""
        id, head = item["id"], item["head"]["seq"]
        if id not in self.have:
            self.have[id] = head
        elif item.get("events") is not None:
            self.events(id, item["events"])
        if self.have[id] < head:
            self.fill(id, head)

    def events(self, conversation, events):
        for event in events:
            last = self.have.setdefault(conversation, event["seq"] - 1)
            if event["seq"] > last + 1:
                self.fill(conversation, event["seq"] - 1)
                last = self.have[conversation]
            if event["seq"] == last + 1:
                self.have[conversation] = event["seq"]
                self.show(conversation, event)

    def fill(self, conversation, upto):
        """Rule: a hole is filled by pages of history. What one may not read is not there."""
        while self.have.get(conversation, upto) < upto:
            page = self.rest.call("GET", f"/conversations/{conversation}/events?after={self.have[conversation]}&limit=200")
            if not page["events"]:
                break
            # What one may not read any more, or never could, is passed over.
            self.have[conversation] = max(self.have[conversation], page["events"][0]["seq"] - 1)
            self.events(conversation, page["events"])


def show(conversation, event):
    body = event.get("body") or {}
    said = body.get("text", "(not supported here)") if event["kind"] == "sent" and body else f"({event['kind']})"
    print(f"{conversation} {event['seq']} {said}", flush=True)


def main(url, verb, name, password, *words):
    rest = Rest(url)
    if verb == "sign-up":
        return rest.sign_up(name, password, *words)
    rest.sign_in(name, password)
    if verb == "channel":
        print(rest.call("POST", "/conversations", {"id": uuid7(), "kind": "channel", "name": words[0]})["id"])
    elif verb == "join":
        rest.command(words[0], {"kind": "join"})
    elif verb == "send":
        print(rest.command(words[0], {"kind": "send", "body": {"type": "text", "text": words[1]}})["seq"])
    elif verb == "tail":
        left = int(words[0]) if words else -1

        def count(conversation, event):
            nonlocal left
            show(conversation, event)
            left -= 1
            if left == 0:
                sys.exit()

        Tail(rest, count).run()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Problem as problem:
        sys.exit(f"{problem.slug}: {problem}")
    except Closed as closed:
        sys.exit(f"closed: {closed}")
