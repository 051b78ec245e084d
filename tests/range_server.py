"""A real HTTP server on this machine: it resumes, breaks off and refuses as told."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """What the server gives, and what it was asked.

    Parameters
    ----------
    data : bytes
        The file.
    etag : str
        Its mark; empty for none.
    break_after : int or None
        Close the connection after so many bytes of an answer.
    ranges : bool
        Whether the rest of a file can be asked for.
    """

    data: bytes
    etag: str = '"one"'
    break_after: int | None = None
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)


@contextmanager
def serving(served: Served) -> Iterator[str]:
    """Run the server; yields its address, without a slash at the end."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            served.asked.append(wanted)
            if self.path.startswith("/missing"):
                self.send_error(404)
                return
            start = 0
            same = self.headers.get("If-Range") in (None, served.etag)
            if wanted and served.ranges and same:
                start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])  # type: ignore[index]
                if start >= len(served.data):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(served.data)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206)
                last = len(served.data) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
            else:
                self.send_response(200)
            body = served.data[start:]
            self.send_header("Content-Length", str(len(body)))
            if served.etag:
                self.send_header("ETag", served.etag)
            self.end_headers()
            body = body[: served.break_after]
            self.wfile.write(body)
            served.sent.append(len(body))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
