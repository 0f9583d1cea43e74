"""Visitors and buyers of a promotion, for locust:

    locust -f examples/locustfile.py --headless --users 500 --spawn-rate 50 --run-time 60s --host http://127.0.0.1:8080

Each answer is held against what it must be; what differs counts as a failure. The counts that come back to one user only ever grow.
"""

import random

from locust import HttpUser, between, task

PAGES = ["https://ecommerce.com/promotion", "https://ecommerce.com/promotion/shoes", "https://ecommerce.com/promotion/hats", "https://ecommerce.com/"]
PROMOTIONS = [67890, 67891, 67892]


class Counting(HttpUser):
    """What visitors and buyers have in common."""

    abstract = True
    wait_time = between(0.5, 2)

    def on_start(self):
        self.number = random.randrange(1, 100_000)
        self.last = 0

    def count(self, path, body, key, words):
        """One POST; its answer must be a success with a count above the last, in number and in words."""
        with self.client.post(path, json=body, catch_response=True) as answer:
            if answer.status_code != 200:
                return answer.failure(f"status {answer.status_code}: {answer.text[:200]}")
            told = answer.json()
            count = told.get(key, 0)
            if told.get("success") is not True or told.get("message") != f"{words}: {count}":
                return answer.failure(f"not what was agreed: {answer.text[:200]}")
            if count <= self.last:
                return answer.failure(f"counted {count} after {self.last}")
            self.last = count

    def ask(self, path, *keys):
        with self.client.get(path, name=path.partition("?")[0], catch_response=True) as answer:
            missing = [key for key in keys if key not in answer.json()] if answer.status_code == 200 else ["status 200"]
            if missing:
                answer.failure(f"without {missing}: {answer.text[:200]}")


class Visitor(Counting):
    """Looks at pages of the promotion; sometimes at the numbers."""

    weight = 3

    @task(10)
    def visit(self):
        body = {"user_id": f"customer{self.number}", "page_url": random.choice(PAGES)}
        if random.random() < 0.3:
            body |= {"user_agent": "Mozilla/5.0", "ip_address": f"192.0.2.{self.number % 254 + 1}", "referrer": "https://search.example/"}
        self.count("/visit", body, "visit_count", "Visit logged successfully. Total visits")

    @task(1)
    def stats(self):
        hours = random.choice([0.5, 1.0, 24.0, 168.0])
        self.ask(f"/stats?timeframe_hours={hours}", "uptime_seconds", "uptime_formatted", "total_visits", "current_time", "server_status")

    @task(1)
    def health(self):
        self.ask("/health", "status")


class Buyer(Counting):
    """Buys what is in the promotion."""

    weight = 1

    @task(10)
    def buy(self):
        body = {
            "user_id": self.number,
            "promotion_id": random.choice(PROMOTIONS),
            "product_id": random.randrange(11111, 11131),
            "product_quantity": random.randint(1, 5),
        }
        self.count("/buy", body, "buy_count", "Buy logged successfully. Total buys")

    @task(1)
    def stats(self):
        self.ask("/stats", "total_buys", "server_status")
