"""Plain senders: what a program without a client library does."""

import contextlib
import socket


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextlib.contextmanager
def udp_to(address):
    """A connected datagram socket."""
    with socket.socket(family_of(address[0]), socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        yield sender


def send_datagrams(address, *payloads):
    """Sends each payload as one datagram, to a host and port or to the path of a unix socket."""
    family = socket.AF_UNIX if isinstance(address, str) else family_of(address[0])
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        for payload in payloads:
            sender.send(payload)


def open_stream(address, seconds=10):
    """A connected stream socket, to a host and port or to the path of a unix socket."""
    family = socket.AF_UNIX if isinstance(address, str) else family_of(address[0])
    stream = socket.socket(family, socket.SOCK_STREAM)
    stream.settimeout(seconds)
    stream.connect(address)
    return stream


def send_stream(address, *pieces):
    """Sends the pieces one after the other over one stream, ends it, and waits until the other side has closed it too."""
    with open_stream(address) as stream:
        if stream.family != socket.AF_UNIX:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            stream.sendall(piece)
        stream.shutdown(socket.SHUT_WR)
        assert stream.recv(1) == b"", "an agent never answers a stream of lines"


def is_closed(stream):
    """Whether the other side has closed it, within a while."""
    stream.settimeout(10)
    try:
        return stream.recv(1) == b""
    except ConnectionResetError:
        return True
