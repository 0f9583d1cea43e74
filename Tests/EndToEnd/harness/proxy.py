"""A way to a server that can be cut: a proxy of TCP on one thread, which hands on what comes and ends a connection after so many bytes."""

import contextlib
import selectors
import socket
import struct
import threading

# SO_LINGER of no time: what is closed is reset, and what was on its way is lost (socket(7)).
RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on a free port and connects each that comes to the server's.

    `cut_after(n)`: the connection over which the n-th byte from now goes to the server, all of them counted together, is cut behind that
    byte, on both sides.
    """

    def __init__(self, port):
        self.cuts = 0
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._left = None
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._bell, self._ringer = socket.socketpair()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def cut_after(self, count):
        with self._lock:
            self._left = count

    def close(self):
        self._ringer.close()
        self._thread.join(10)

    def _run(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._bell:
                    for other in list(self._selector.get_map().values()):
                        other.fileobj.close()
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj.fileno() >= 0:
                    self._hand_on(key.fileobj, *key.data)

    def _accept(self):
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(self._server, 2)
        except OSError:
            self._reset(client)
            return
        for one, other, is_client in ((client, server, True), (server, client, False)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # A side that takes nothing for so long is cut off: the thread is everybody's.
            one.settimeout(10)
            self._selector.register(one, selectors.EVENT_READ, (other, is_client))

    def _hand_on(self, source, other, is_client):
        try:
            data = source.recv(65536)
            cut = self._take(len(data)) if is_client else None
            other.sendall(data[:cut])
        except OSError:
            data, cut = b"", None
        if data and cut is None:
            return
        if cut is not None:
            self.cuts += 1
        for side in (source, other):
            self._selector.unregister(side)
            self._reset(side)

    def _take(self, count):
        """Where to cut within so many bytes, if anywhere."""
        with self._lock:
            if self._left is None:
                return None
            if self._left > count:
                self._left -= count
                return None
            cut, self._left = self._left, None
            return cut

    @staticmethod
    def _reset(side):
        with contextlib.suppress(OSError):
            side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        side.close()
