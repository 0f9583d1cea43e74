"""The five services that this program replaces: their documented calls in their order, with the answers that their callers read."""

import datetime
import re

import requests

from harness.calls import MOMENT, call, holds
from harness.sending import send_datagrams

VISIT = {"user_id": "customer123", "page_url": "https://ecommerce.com/promotion"}
BUY = {"user_id": 12345, "promotion_id": 67890, "product_id": 11111, "product_quantity": 5}


def test_the_visit_tracker(agent):
    for visits in range(1, 6):
        assert call(agent, "POST", "/visit") == {"visits": visits}
    stats = holds(call(agent, "GET", "/stats"), uptime_seconds=float, total_visits=int, current_time=str)
    assert stats["total_visits"] == 5 and MOMENT.fullmatch(stats["current_time"])
    assert "html" in requests.get(agent.url("/docs"), timeout=30).headers["Content-Type"]


def test_the_website_visit_counter(agent):
    for visits in range(1, 11):
        assert call(agent, "POST", "/visits/page1") == {"visits": visits, "served_via": "in_memory"}
    assert call(agent, "GET", "/visits/page1") == {"visits": 10, "served_via": "in_memory"}
    call(agent, "GET", "/health")


def test_the_visit_counter_service(agent):
    base = "/api/v1/counter"
    recorded = call(agent, "POST", f"{base}/visit/page1")
    assert MOMENT.fullmatch(recorded.pop("timestamp"))
    assert recorded == {"status": "success", "message": "Visit recorded for page page1", "page_id": "page1"}
    assert call(agent, "GET", f"{base}/visits/page1") == {"visits": 1, "served_via": "in_memory"}
    reset = {"status": "success", "message": "Counter reset for page page1", "page_id": "page1"}
    assert call(agent, "DELETE", f"{base}/visits/page1") == reset
    assert call(agent, "GET", f"{base}/visits/page1")["visits"] == 0
    for _ in range(10):
        call(agent, "POST", f"{base}/visit/page1")
    assert [call(agent, "GET", f"{base}/visits/page1")["visits"] for _ in range(5)] == [10] * 5
    for page in ("page2", "page3", "page4", "page5"):
        call(agent, "POST", f"{base}/visit/{page}")
        assert call(agent, "GET", f"{base}/visits/{page}")["visits"] == 1
    assert call(agent, "GET", f"{base}/visits/never", status=404) == {"detail": "Page not found"}
    metrics = holds(call(agent, "GET", f"{base}/metrics"), status=str, metrics=dict, redis_nodes=dict)
    assert metrics["status"] == "healthy" and "last_batch_write" in metrics
    holds(metrics["metrics"], cache_hits=int, cache_misses=int, cache_size=int, write_buffer_size=int)
    status = holds(call(agent, "GET", "/status"), status=str, uptime=str, total_requests=int, version=str, debug_mode=bool)
    assert status["status"] == "healthy" and re.fullmatch(r"\d+:\d\d:\d\d\.\d{6}", status["uptime"])
    holds(status["redis_status"], nodes=int, healthy_nodes=int, node_status=dict)
    holds(status["counter_status"], cache_size=int, write_buffer_size=int)


def test_the_promotion_visits(agent):
    for visits in range(1, 4):
        answer = call(agent, "POST", "/visit", json=VISIT)
        assert answer["success"] is True and answer["visit_count"] == visits
        assert answer["message"] == f"Visit logged successfully. Total visits: {visits}"
    optional = {"user_agent": "curl/7.88", "ip_address": "203.0.113.7", "referrer": "https://ecommerce.com/"}
    assert call(agent, "POST", "/visit", json=VISIT | optional)["visit_count"] == 4
    for query in ("", "?timeframe_hours=0.5", "?timeframe_hours=168.0"):
        stats = holds(
            call(agent, "GET", f"/stats{query}"),
            uptime_seconds=float,
            uptime_formatted=str,
            total_visits=int,
            current_time=str,
            server_status=str,
        )
        assert stats["total_visits"] == 4 and re.fullmatch(r"\d+h \d+m \d+s", stats["uptime_formatted"])
    call(agent, "GET", "/health")
    for page in ("/docs", "/redoc"):
        assert "html" in requests.get(agent.url(page), timeout=30).headers["Content-Type"]
    assert agent.scrape().value("visit_total", page="/promotion") == 4


def test_the_promotion_purchases(agent):
    for buys in range(1, 4):
        answer = call(agent, "POST", "/buy", json=BUY)
        assert answer == {"success": True, "buy_count": buys, "message": f"Buy logged successfully. Total buys: {buys}"}
    now = datetime.datetime.now(datetime.timezone.utc)
    for headers in ({"x-timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ")}, {"x-client-time": str(int(now.timestamp()))}):
        call(agent, "POST", "/buy", json=BUY, headers=headers)
    for query in ("?timeframe_hours=0.5", "?timeframe_hours=24.0", "?timeframe_hours=168.0"):
        stats = holds(call(agent, "GET", f"/stats{query}"), uptime_seconds=float, total_buys=int, server_status=str)
        assert stats["total_buys"] == 5 and stats["server_status"] == "healthy"
    health = holds(call(agent, "GET", "/health"), status=str, timestamp=str, uptime_seconds=float)
    assert health["status"] == "healthy" and MOMENT.fullmatch(health["timestamp"])
    index = holds(call(agent, "GET", "/"), message=str, version=str, endpoints=dict)
    assert {"POST /buy", "GET /stats", "GET /docs"} <= index["endpoints"].keys()
    assert all(isinstance(summary, str) and summary for summary in index["endpoints"].values())
    bad = call(agent, "POST", "/buy", status=422, json=BUY | {"product_quantity": 0, "user_id": "someone"})
    assert [(fault["type"], fault["loc"]) for fault in bad["detail"]] == [
        ("int_parsing", ["body", "user_id"]),
        ("greater_than", ["body", "product_quantity"]),
    ]
    assert "Not Found" in call(agent, "GET", "/nowhere", status=404)["detail"]
    assert agent.scrape().value("buy_quantity_total", promotion="67890", product="11111") == 25


def test_the_services_count_together_with_datagrams(agent):
    """What this program is for: one count, whichever way the visits come."""
    send_datagrams(agent.address("udp"), b"visit:page1|c\nvisit:page1:4|c")
    agent.wait_for_ledger("udp", 2)
    assert call(agent, "POST", "/visits/page1")["visits"] == 6
    assert call(agent, "POST", "/visit")["visits"] == 7
