"""A visit tracker as Python services write it: two routes of FastAPI, a count in memory, a lock. What Footfall's rates are held against.

    uvicorn --app-dir Tests/peers visit_tracker:app --port 8080 --workers 1

Of the ways to write it the one that answered most requests: coroutines with an asyncio.Lock (plain functions would go through a pool of
threads), and models as return types, which FastAPI turns into JSON without a detour. Each worker process has its own count: with two of
them the answers are no longer those of one tracker, which is in the peer's favour here.
"""

import asyncio
import time
from datetime import datetime, timezone

from fastapi import FastAPI
from pydantic import BaseModel


class Visits(BaseModel):
    visits: int


class Stats(BaseModel):
    uptime_seconds: float
    total_visits: int
    current_time: datetime


app = FastAPI(title="Visit tracker")
lock = asyncio.Lock()
started = time.monotonic()
visits = 0


@app.post("/visit")
async def visit() -> Visits:
    global visits
    async with lock:
        visits += 1
        return Visits(visits=visits)


@app.get("/stats")
async def stats() -> Stats:
    async with lock:
        total = visits
    return Stats(uptime_seconds=time.monotonic() - started, total_visits=total, current_time=datetime.now(timezone.utc))
