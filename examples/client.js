// Counts visits and purchases from JavaScript, in browsers and in Node 18 or newer. No library, no cookie.
//
//     import { Footfall } from "./client.js";
//     const footfall = new Footfall("https://stats.example.com", "customer123");
//     footfall.visit(location.href);
//     await footfall.buy({ promotion: 67890, product: 11111, quantity: 2 });
//
// From a page of another origin the agent must allow it, or stand behind the page's own: examples/nginx.conf.

export class Footfall {
  /** @param base where the agent answers; @param user who visits: a text for visits, a whole number for purchases. */
  constructor(base, user) {
    this.base = base.replace(/\/$/, "");
    this.user = user;
  }

  /** Counts a visit of a page. `keepalive` lets it go out while the visitor is already leaving. Answers all visits so far. */
  async visit(url, more = {}) {
    return (await this.#post("/visit", { user_id: String(this.user), page_url: url, ...more })).visit_count;
  }

  /** Counts a purchase. Answers all purchases so far. */
  async buy({ promotion, product, quantity = 1 }) {
    const body = { user_id: Number(this.user), promotion_id: promotion, product_id: product, product_quantity: quantity };
    return (await this.#post("/buy", body)).buy_count;
  }

  /** Sends lines of any kind: counters, gauges, timers, sets. Answers how many were accepted, and which were refused. */
  async lines(...lines) {
    return this.#post("/lines", lines.join("\n"), "text/plain");
  }

  async #post(path, body, type = "application/json") {
    const text = type === "application/json" ? JSON.stringify(body) : body;
    const answer = await fetch(this.base + path, { method: "POST", headers: { "Content-Type": type }, body: text, keepalive: true });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}

// node examples/client.js http://127.0.0.1:8080
if (typeof process !== "undefined" && process.argv[1]?.endsWith("client.js")) {
  const footfall = new Footfall(process.argv[2] ?? "http://127.0.0.1:8080", 12345);
  console.log("visits:", await footfall.visit("https://shop.example/promo", { referrer: "https://search.example/" }));
  console.log("purchases:", await footfall.buy({ promotion: 67890, product: 11111, quantity: 2 }));
  console.log("lines:", await footfall.lines("visit:/promo|c", "render:12.5|ms"));
}
