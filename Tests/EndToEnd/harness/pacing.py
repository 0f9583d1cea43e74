"""A sender of datagrams at a pace, in a process of its own: sendmmsg(2), so that 100,000 a second leave the machine something."""

import ctypes
import multiprocessing
import os
import socket
import time

SPAWN = multiprocessing.get_context("spawn")
TICK_SECONDS = 0.002
SOURCES = 8


class _Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Header(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class _Message(ctypes.Structure):
    _fields_ = [("header", _Header), ("length", ctypes.c_uint)]


def send_at_pace(address, line, rate, sent, stop, fault):
    """Sends `line` again and again from several ports, so that it reaches every socket of a group; counts in `sent`."""
    library = ctypes.CDLL(None, use_errno=True)
    text = ctypes.create_string_buffer(line, len(line))
    vector = _Vector(ctypes.addressof(text), len(line))
    messages = (_Message * 1024)()
    for message in messages:
        message.header.vectors = ctypes.pointer(vector)
        message.header.vector_count = 1
    sources = []
    for _ in range(SOURCES):
        source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        source.connect(address)
        sources.append(source)
    began = time.monotonic()
    turn = 0
    while not stop.is_set():
        due = int((time.monotonic() - began) * rate) - sent.value
        while due > 0:
            count = library.sendmmsg(sources[turn % SOURCES].fileno(), messages, min(due, 256), 0)
            turn += 1
            if count < 0:
                fault.value = f"sendmmsg: {os.strerror(ctypes.get_errno())}".encode()
                return
            sent.value += count
            due -= count
        time.sleep(TICK_SECONDS)


class PacedSender:
    """Datagrams at a pace for as long as the block lasts; `sent` is how many."""

    def __init__(self, address, line, rate):
        self._sent = SPAWN.Value("q", 0)
        self._stop = SPAWN.Event()
        self._fault = SPAWN.Array("c", 200)
        arguments = (address, line, rate, self._sent, self._stop, self._fault)
        self._process = SPAWN.Process(target=send_at_pace, args=arguments, daemon=True)

    @property
    def sent(self):
        return self._sent.value

    def __enter__(self):
        self._process.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._process.join(30)
        assert not self._fault.value and self._process.exitcode == 0, self._fault.value.decode()
