// One metric's own view: its points over a time of choice, its top series, quantiles or distinct members, for all series or for those that match.

import { TimeChart } from "./chart.js";
import { command, h, keyed, setText } from "./dom.js";
import { count, labels, rate, span } from "./format.js";
import { QuantileChart, linkTo, literal, writeQuantiles } from "./lists.js";
import { Buckets, every } from "./live.js";
import { isTimer, metric, points } from "./stats.js";

/** Hours asked for, the step of the bars in seconds, and what the choice is called. Up to ten minutes, from the minute's begin, come by second. */
const RANGES = [
  { hours: 0.15, step: 5, name: "10 min", last: "10 min" }, { hours: 1, step: 60, name: "1 hour", last: "hour" }, { hours: 24, step: 1800, name: "1 day", last: "day" },
  { hours: 168, step: 3 * 3600, name: "1 week", last: "week" },
];

export class Metric {
  #ends = [];
  #figures = h("dl", { class: "figures" });
  #top = h("ol", { class: "top plain" });
  #quantiles = h("dl", { class: "quantiles" });
  #bands = new QuantileChart(200);
  #chart = null;
  #over = h("section", { class: "card over-time" });
  #place = h("div");
  #missing = h("p", { class: "muted missing", hidden: true }, "Nothing of this name and these labels has come yet.");

  constructor(name, query) {
    this.name = name;
    this.match = query.getAll("match");
    this.range = RANGES.find((range) => String(range.hours) === query.get("hours")) ?? RANGES[1];
    this.title = `${name} · Footfall`;
    this.element = this.#build();
    this.#ends = [every(this.range.hours < 1 ? 2 : 5, () => this.#ask())];
  }

  close() {
    for (const end of this.#ends) end();
  }

  /** Takes a message of `/events`, of which a single metric's view needs nothing. */
  take() {}

  /** The points as bars: counts in steps that can be told apart, distinct members as they came, since they cannot be added up. */
  #window(answer) {
    const known = points(answer);
    const { step } = answer.history;
    const last = known.at(-1)[0];
    if (answer.type === "set") return { from: known[0][0], to: last + step, step, values: known.map(([, value]) => value) };
    const wide = Math.max(step, this.range.step);
    const buckets = new Buckets(wide, Math.max(1, Math.floor((known.length * step) / wide)));
    buckets.seed(known);
    return buckets.window(last);
  }

  async #ask() {
    const answer = await metric(this.name, { timeframe_hours: this.range.hours, match: this.match, top: 20, by: "recent" });
    this.#missing.hidden = Boolean(answer);
    if (!answer) return;
    this.#writeFigures(answer);
    if (isTimer(answer.type)) {
      this.#place.hidden = false;
      writeQuantiles(this.#quantiles, answer);
      this.#bands.take({ ...answer, name: this.name });
    }
    // A gauge is what it is now: there are no points of it.
    this.#over.hidden = !answer.history;
    if (answer.history) {
      this.#chart ??= this.#makeChart(answer);
      this.#chart.draw(this.#window(answer));
    }
    const top = answer.top ?? [];
    const amount = (one) => one.recent ?? one.value ?? one.count ?? 0;
    const most = Math.max(1, ...top.map(amount));
    keyed(this.#top, top.map((one) => [JSON.stringify(one.labels), { ...one, share: amount(one) / most }]), () => this.#row(amount));
  }

  #writeFigures(answer) {
    const figures = [["type", answer.type.replace("_", " ")], ["series", count(answer.series)]];
    if (answer.total !== undefined) figures.unshift(["total", count(answer.total)]);
    if (answer.count !== undefined) figures.unshift(["timed", count(answer.count)]);
    if (answer.distinct !== undefined) figures.unshift(["distinct", count(answer.distinct)]);
    if (answer.recent !== undefined) figures.unshift([`last ${this.range.last}`, count(answer.recent)]);
    if (answer.rate !== undefined) figures.splice(1, 0, ["a second", rate(answer.rate)]);
    if (answer.window_seconds) figures.push(["window", span(answer.window_seconds)]);
    this.#figures.replaceChildren(...figures.map(([term, value]) => h("div", {}, h("dd", {}, value), h("dt", {}, term))));
  }

  #makeChart(answer) {
    const chart = new TimeChart({ label: `${this.name}, the last ${this.range.last}`, kind: "bars", height: 240,
      tone: isTimer(answer.type) ? "timer" : this.name === "buy" ? "buy" : "accent" });
    this.#over.append(chart.element);
    return chart;
  }

  #row(amount) {
    const [name, recent] = [h("a"), h("b", { class: "recent" })];
    const share = h("i", { class: "share-bar" });
    return {
      element: h("li", {}, share, name, recent),
      update: (one) => {
        setText(name, labels(one.labels));
        name.title = labels(one.labels);
        name.href = linkTo(this.name, Object.entries(one.labels).map(([label, value]) => `${label}:${literal(value)}`));
        setText(recent, count(amount(one)));
        share.style.width = `${Math.max(0, one.share) * 100}%`;
      },
    };
  }

  #build() {
    const field = h("input", { id: "match", name: "match", value: this.match.join(" "), placeholder: "page:/shop/*", autocomplete: "off", spellcheck: "false" });
    const form = h("form", { class: "filter" }, h("label", { for: "match" }, "Series that match"), field, h("button", { class: "button" }, "Show"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const wanted = field.value.split(/\s+/).filter((one) => one.includes(":"));
      location.hash = this.#address(wanted, this.range);
    });
    const ranges = h("div", { class: "ranges", role: "group", "aria-label": "Time shown" }, RANGES.map((range) =>
      h("a", { href: this.#address(this.match, range), "aria-current": range === this.range ? "true" : null }, range.name)));
    const query = new URLSearchParams([...this.match.map((one) => ["match", one]), ["timeframe_hours", this.range.hours]]);
    this.#over.append(h("header", { class: "head" }, h("h2", {}, "Over time"), ranges));
    this.#place.append(h("section", { class: "card timer" }, h("header", { class: "head" }, h("h2", {}, "Quantiles", h("small", {}, `last ${this.range.last}`))),
      this.#quantiles, this.#bands.element));
    this.#place.hidden = true;
    return h("div", { class: "stack" },
      h("nav", { class: "crumbs", "aria-label": "Where you are" }, h("a", { href: "#/" }, "Overview"), h("span", { "aria-hidden": "true" }, "/"),
        this.match.length ? h("a", { href: linkTo(this.name) }, this.name) : h("span", {}, this.name)),
      h("header", { class: "title" }, h("h1", {}, this.match.length ? this.match.map(matchView) : this.name), this.#figures),
      this.#missing,
      this.#over,
      this.#place,
      h("section", { class: "card" }, h("header", { class: "head" }, h("h2", {}, "Top series"), form), this.#top),
      h("section", { class: "card" }, h("h2", {}, "The same as JSON"),
        command(`curl '${location.origin}/stats/${encodeURIComponent(this.name)}?${query}'`)));
  }

  #address(match, range) {
    const query = new URLSearchParams(match.map((one) => ["match", one]));
    if (range !== RANGES[1]) query.set("hours", range.hours);
    return `#/metric/${encodeURIComponent(this.name)}${query.size ? `?${query}` : ""}`;
  }
}

/** page:/promo as a heading: the label stands back behind its value. */
function matchView(match) {
  const colon = match.indexOf(":");
  return [h("small", {}, match.slice(0, colon)), " ", match.slice(colon + 1), " "];
}
