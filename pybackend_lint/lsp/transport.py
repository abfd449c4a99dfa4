"""Messages over pipes: read, answered even when they make no sense, and the end of the session."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcMethodNotFound
from pygls.io_ import StdoutWriter
from pygls.protocol import LanguageServerProtocol, lsp_method

# A length, perhaps another field or two, and an empty line.
_HEADER = re.compile(
    rb"content-length:[ \t]*(\d{1,9})[ \t]*\r?\n(?:[\w-]+:[^\r\n]*\r?\n)*\r?\n", re.IGNORECASE
)
_LONGEST_HEADER = 1_000
_CHUNK = 65_536

_log = logging.getLogger(__name__)


class Protocol(LanguageServerProtocol):
    """The protocol with the answers that a client is owed in every state of the session.

    The texts of documents are kept by the server, not here.
    """

    ended: asyncio.Event
    initialized = False

    @property
    def was_shut_down(self) -> bool:
        """Whether the client has asked for the end of the session, as it must before `exit`."""
        return self._shutdown

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Start the session."""
        result = yield from super().lsp_initialize(params)
        self.initialized = True
        return result

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        """Give up the requests without an answer; giving one up changes the table, so a copy is walked."""
        for identity, future in list(self._request_futures.items()):
            if identity != self.msg_id:
                future.cancel()
        yield from super().lsp_shutdown(*args)

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: object) -> Generator[Any, Any, None]:
        """End the process."""
        self.ended.set()
        yield from ()

    # No generators: the library would keep something of each such message for ever.

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """A document is open."""
        self.fm.features[types.TEXT_DOCUMENT_DID_OPEN](params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """The text of a document is another one."""
        self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE](params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """A document is closed."""
        self.fm.features[types.TEXT_DOCUMENT_DID_CLOSE](params)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(self, params: types.ExecuteCommandParams) -> Any:  # type: ignore[override]
        """Run a command in the task of the request, which ends it when the request is cancelled."""
        handler, arguments, named = next(super().lsp_workspace__execute_command(params))
        return await handler(*arguments, **named)

    def receive(self, body: bytes) -> None:
        """Handle one message; whatever it is, the session goes on."""
        try:
            content = json.loads(body)
        except (ValueError, RecursionError) as error:
            self._refuse(None, -32700, f"not JSON: {error}")
            return
        if not isinstance(content, dict) or content.get("jsonrpc") != self.VERSION:
            self._refuse(None, -32600, "not a message of JSON-RPC 2.0")
            return
        identity, method = content.get("id"), content.get("method")
        if not (isinstance(identity, int | str | None) and isinstance(method, str | None)):
            self._refuse(None, -32600, "neither a request nor an answer")
            return
        if method is not None and identity is not None:
            if not self.initialized and method != types.INITIALIZE:
                self._refuse(identity, -32002, "the session has not begun")
                return
            if self.initialized and method == types.INITIALIZE:
                self._refuse(identity, -32600, "the session has begun already")
                return
            if self._shutdown:
                self._refuse(identity, -32600, "the session is over")
                return
        elif method is not None and not self.initialized and method != types.EXIT:
            return
        if method is not None and not self._is_known(method):
            if identity is not None:
                self._refuse(identity, JsonRpcMethodNotFound.CODE, f"there is no {method}")
            return
        try:
            message = self.structure_message(content)
        except JsonRpcException as error:
            if method is not None and identity is not None:
                self._refuse(identity, JsonRpcInvalidParams.CODE, f"wrong parameters for {method}")
            else:
                _log.warning("passed over %s: %s", method or "an answer", error)
            return
        self.handle_message(message)

    def _is_known(self, method: str) -> bool:
        return (
            method in self.fm.builtin_features or method in self.fm.features or method == types.CANCEL_REQUEST
        )

    def _refuse(self, identity: str | int | None, code: int, reason: str) -> None:
        _log.warning("refused a message: %s", reason)
        error = {"code": code, "message": reason}
        self._send_data({"jsonrpc": self.VERSION, "id": identity, "error": error})


class Framing:
    """Cuts a stream into the bodies of messages; what is no message is skipped up to the next header."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The bodies that are complete with one more chunk of the stream."""
        self._rest += chunk
        while (header := _HEADER.search(self._rest)) is not None:
            end = header.end() + int(header[1])
            if len(self._rest) < end:
                return
            body = bytes(self._rest[header.end() : end])
            del self._rest[:end]
            yield body
        del self._rest[:-_LONGEST_HEADER]


async def serve(protocol: Protocol, stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Handle messages until the client ends the session; the exit code that the specification asks for."""
    protocol.ended = asyncio.Event()
    protocol.set_writer(StdoutWriter(stdout))
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # on Windows
        loop.add_signal_handler(signal.SIGTERM, protocol.ended.set)

    def read() -> None:
        framing = Framing()
        # Not through a buffer: its lock would be held for ever when the process ends.
        descriptor = stdin.fileno()
        try:
            while chunk := os.read(descriptor, _CHUNK):
                for body in framing.feed(chunk):
                    loop.call_soon_threadsafe(protocol.receive, body)
            loop.call_soon_threadsafe(protocol.ended.set)
        except (OSError, RuntimeError):  # the stream or the loop is closed
            return

    threading.Thread(target=read, name="messages", daemon=True).start()
    await protocol.ended.wait()
    return 0 if protocol.was_shut_down else 1
