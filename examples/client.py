#!/usr/bin/env python3
"""Counts visits and purchases from Python, with the standard library alone.

    footfall = Footfall("127.0.0.1", 8125)
    footfall.visit("/promo")                            a datagram: no waiting, no answer
    with footfall.timed("render"): ...
    footfall.buy(12345, promotion=67890, product=11111, quantity=2)    over HTTP: answers all purchases so far

Any statsd client does what the datagrams do here: `statsd.StatsClient(...).incr("visit:/promo")`.
"""

import json
import socket
import sys
import time
import urllib.request
from contextlib import contextmanager


class Footfall:
    def __init__(self, host="127.0.0.1", port=8125, http="http://127.0.0.1:8080"):
        self._address = (host, port)
        self._http = http.rstrip("/")
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        # A full buffer must not stop who counts.
        self._socket.setblocking(False)

    def send(self, *lines):
        """Sends lines in one datagram; what the kernel does not take is lost, as datagrams are."""
        try:
            self._socket.sendto("\n".join(lines).encode(), self._address)
        except BlockingIOError:
            pass

    def visit(self, page, count=1, user=None):
        """Counts visits of a page, and who it was."""
        # A tag holds any page; as a key (`visit:page1|c`) a page must not be a number.
        lines = [f"visit:{count}|c|#page:{page}"]
        if user is not None:
            lines.append(f"visit_users:{user}|s|#page:{page}")
        self.send(*lines)

    @contextmanager
    def timed(self, name):
        """Times what is done within, in milliseconds."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.send(f"{name}:{(time.perf_counter() - begin) * 1000:.3f}|ms")

    def buy(self, user, promotion, product, quantity=1):
        """Counts a purchase; answers all purchases so far."""
        body = {"user_id": user, "promotion_id": promotion, "product_id": product, "product_quantity": quantity}
        request = urllib.request.Request(
            f"{self._http}/buy", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)["buy_count"]


if __name__ == "__main__":
    # examples/client.py [HOST PORT URL]
    arguments = sys.argv[1:] or ["127.0.0.1", "8125", "http://127.0.0.1:8080"]
    footfall = Footfall(arguments[0], int(arguments[1]), arguments[2])
    with footfall.timed("render"):
        footfall.visit("/promo", user="alice")
    print("purchases:", footfall.buy(12345, promotion=67890, product=11111, quantity=2))
