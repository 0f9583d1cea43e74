// Everything at a glance: visits now, by minute, hour and week; top pages, visitors, purchases, timers, books, metrics.

import { TimeChart } from "./chart.js";
import { command, h, setText } from "./dom.js";
import { count, rate } from "./format.js";
import { Ledger, Refusals } from "./ledger.js";
import { MetricTable, TimerGrid, TopList, linkTo } from "./lists.js";
import { Buckets, every } from "./live.js";
import { get, isTimer, metric, metricsOf, points } from "./stats.js";

/**
 * What is remembered of the visits, for all the time that the page is open: by second, minute and hour. The program's last hour begins with
 * a minute, so it has 61.
 */
const visits = { second: new Buckets(1, 600), minute: new Buckets(60, 61), hour: new Buckets(3600, 24), week: new Buckets(3600, 168) };

export class Overview {
  title = "Footfall";
  #ends = [];
  #moment = null;
  #isEmpty = null;
  /** The last hour's visits when they were asked for, and all of them then. */
  #recent = null;
  #now = h("span", { class: "figure" }, "–");
  #total = h("b", {}, "–");
  #tiles = {};
  #charts = {
    second: new TimeChart({ label: "Visits by second, the last ten minutes", height: 220 }),
    minute: new TimeChart({ label: "Visits by minute, the last hour", kind: "bars", height: 150 }),
    hour: new TimeChart({ label: "Visits by hour, the last day", kind: "bars", height: 150 }),
    week: new TimeChart({ label: "Visits by hour, the last week", kind: "bars", height: 150 }),
  };
  #sums = { minute: h("span", { class: "sum" }), hour: h("span", { class: "sum" }), week: h("span", { class: "sum" }) };
  #pages = new TopList("visit", "page");
  #promotions = new TopList("buy", "promotion", "buy");
  #timers = new TimerGrid();
  #ledger = new Ledger();
  #refusals = new Refusals();
  #metrics = new MetricTable();
  #welcome = h("div");
  #numbers = h("div", { class: "stack" });

  constructor() {
    this.#fill();
    this.element = h("div", { class: "stack" }, h("h1", { class: "spoken" }, "Overview"), this.#welcome, this.#numbers, this.#ledger.element,
      this.#refusals.element);
  }

  close() {
    for (const end of this.#ends) end();
    this.#ends = [];
  }

  /** Takes a message of `/events`; `before` is the one before it, if it tells a difference. */
  take(moment, before) {
    this.#moment = moment;
    if (before) spread(before, moment);
    this.#arrange(moment.total_visits === 0 && moment.ledger.lines_read === 0);
    this.#ledger.take(moment);
    setText(this.#now, rate(moment.visits_per_second));
    setText(this.#total, count(moment.total_visits));
    if (this.#recent) setText(this.#tiles.visits.value, count(this.#recent.visits + moment.total_visits - this.#recent.total));
    setText(this.#tiles.lines.value, rate(moment.lines_per_second));
    setText(this.#tiles.lines.note, `${count(moment.series)} series of ${count(moment.metrics)} ${moment.metrics === 1 ? "metric" : "metrics"}`);
    setText(this.#tiles.buys.note, `${count(moment.total_buys)} since the start`);
    // A program that has just begun has no ten minutes to show.
    const seconds = Math.round(Math.min(600, Math.max(60, moment.uptime_seconds)));
    this.#charts.second.draw(visits.second.window(moment.second - 1, seconds));
    for (const name of ["minute", "hour", "week"]) {
      const window = visits[name].window(moment.second);
      this.#charts[name].draw(window);
      setText(this.#sums[name], count(Math.round(window.values.reduce((sum, one) => sum + one, 0))));
    }
    this.#pages.takeMoment(moment);
  }

  /** Shows the first minute's help, or the numbers and what asks for them. */
  #arrange(isEmpty) {
    if (this.#isEmpty === isEmpty) return;
    this.#isEmpty = isEmpty;
    this.#numbers.hidden = isEmpty;
    this.#welcome.hidden = !isEmpty;
    this.close();
    if (isEmpty) this.#ends = [every(30, () => this.#greet())];
    else this.#ends = [every(5, () => this.#ask()), every(60, () => this.#remember()), every(15, async () => this.#refusals.take(await get("/status")))];
  }

  async #greet() {
    const line = firstLine((await get("/status")).listeners.map((one) => one.name));
    this.#welcome.replaceChildren(
      h("section", { class: "card welcome" },
        h("h2", {}, "Nothing has come yet"),
        h("p", { class: "lead" }, "Send a visit, and it shows here within a second:"),
        command(line),
        h("p", { class: "muted small" }, "Any statsd client will do, too: ", h("code", {}, "incr(\"visit:page1\")"), ". ",
          h("a", { href: "/docs" }, "The API"), " takes visits and purchases over HTTP."),
        h("p", { class: "waiting" }, h("i"), "Waiting for the first line")));
  }

  /** What the program knows of the last hour. */
  async #ask() {
    const stats = await get("/stats", { timeframe_hours: 1, limit: 50 });
    const metrics = metricsOf(stats);
    const has = (name) => metrics.some((one) => one.name === name && one.type === "counter");
    this.#recent = { visits: stats.recent_visits ?? this.#sum("minute"), total: stats.total_visits };
    setText(this.#tiles.visits.value, count(this.#recent.visits));
    setText(this.#tiles.visitors.value, count(stats.unique_visitors));
    setText(this.#tiles.buys.value, count(stats.n_recent_buys ?? stats.total_buys));
    this.#metrics.take(metrics, stats.metrics_known);
    const top = { timeframe_hours: 1, by: "recent", top: 10, top_points: 10 };
    if (this.#moment.total_visits > 0) this.#pages.take(await metric("visit", top, "counter"));
    this.#promotions.element.hidden = !has("buy");
    if (has("buy")) this.#promotions.take(await metric("buy", { ...top, top: 6 }, "counter"));
    await this.#timers.take(metrics.filter((one) => isTimer(one.type)).slice(0, 4));
  }

  /** The program's memory of the visits takes the place of the page's own. */
  async #remember() {
    if (this.#moment.total_visits === 0) return;
    const windows = [["second", 0.15], ["minute", 1], ["hour", 24], ["week", 168]];
    for (const [name, hours] of windows) {
      const known = points(await metric("visit", { timeframe_hours: hours, top: 0 }, "counter"));
      if (known.length) visits[name].seed(known);
    }
  }

  #sum(name) {
    return Math.round(visits[name].window(this.#moment.second).values.reduce((sum, one) => sum + one, 0));
  }

  #fill() {
    const chart = (name, title, note) => h("section", { class: "card" },
      h("header", { class: "head" }, h("h2", {}, title, h("small", {}, note)), this.#sums[name]), this.#charts[name].element);
    this.#numbers.append(
      h("section", { class: "card hero", "aria-labelledby": "now-title" },
        h("div", { class: "now" },
          h("h2", { id: "now-title" }, "Visits now"),
          h("p", {}, this.#now, h("span", { class: "unit" }, "a second")),
          h("p", { class: "muted" }, this.#total, " since the start"),
          h("a", { class: "more", href: linkTo("visit") }, "Look closer")),
        this.#charts.second.element),
      h("div", { class: "tiles" },
        this.#tile("visits", "Visits", "last hour"), this.#tile("visitors", "Unique visitors", "last hour"),
        this.#tile("buys", "Purchases", "last hour", "buy"), this.#tile("lines", "Lines a second", "")),
      h("div", { class: "three" },
        chart("minute", "By minute", "last hour"), chart("hour", "By hour", "last day"), chart("week", "The week", "by hour")),
      h("div", { class: "two" },
        h("section", { class: "card", "aria-labelledby": "pages-title" },
          h("header", { class: "head" }, h("h2", { id: "pages-title" }, "Top pages", h("small", {}, "last hour"))), this.#pages.element),
        h("div", { class: "stack" }, this.#promotionsCard(), this.#metricsCard())),
      this.#timers.element);
  }

  #promotionsCard() {
    const card = h("section", { class: "card", "aria-labelledby": "buys-title" },
      h("header", { class: "head" }, h("h2", { id: "buys-title" }, "Purchases", h("small", {}, "by promotion"))), this.#promotions.element,
      h("p", { class: "muted small none" }, "None yet: ", h("code", {}, "POST /buy"), " counts one."));
    return card;
  }

  #metricsCard() {
    return h("section", { class: "card", "aria-labelledby": "metrics-title" },
      h("header", { class: "head" }, h("h2", { id: "metrics-title" }, "Metrics", h("small", {}, "the busiest"))), this.#metrics.element);
  }

  #tile(key, label, note, tone = "") {
    const tile = { value: h("dd", {}, "–"), note: h("small", {}, note) };
    this.#tiles[key] = tile;
    return h("dl", { class: `card tile ${tone}`, "data-tile": key }, h("dt", {}, label), tile.value, tile.note);
  }
}

/** Puts what was counted between two moments into the seconds between them. */
function spread(before, moment) {
  const more = moment.total_visits - before.total_visits;
  if (!(more > 0)) return;
  const seconds = Math.max(1, Math.round(moment.second - before.second));
  for (let back = 0; back < seconds; back += 1) {
    for (const buckets of Object.values(visits)) buckets.add(moment.second - back, more / seconds);
  }
}

/** How to send a visit to these listeners. */
function firstLine(listeners) {
  const [, host, port] = listeners.map((name) => name.match(/^udp:(.*):(\d+)$/)).find(Boolean) ?? [];
  if (!port) return `curl -X POST ${location.origin}/visit`;
  // Whoever hears all addresses hears the one that this page came from.
  const target = ["0.0.0.0", "[::]"].includes(host) ? location.hostname : host;
  return `echo "visit:page1|c" | nc -u -q0 ${target.replace(/[[\]]/g, "")} ${port}`;
}
