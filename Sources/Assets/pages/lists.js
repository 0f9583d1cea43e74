// Lists of what there is most of: series with sparklines, timers with their quantiles, metrics.

import { Sparkline, TimeChart } from "./chart.js";
import { h, keyed, setText } from "./dom.js";
import { compact, count, labels, quantity } from "./format.js";
import { Buckets } from "./live.js";
import { metric, points, quantileWindow } from "./stats.js";

/** The address of a metric's own view, of all its series or of those that fit. */
export function linkTo(name, match = null) {
  const query = match ? `?${new URLSearchParams(match.map((one) => ["match", one]))}` : "";
  return `#/metric/${encodeURIComponent(name)}${query}`;
}

/** A pattern for one text. There is no way to write a star that stands for itself: `?`, any one character, comes next to it. */
export const literal = (text) => text.replaceAll("*", "?");

/** The series of a counter with the most counts: name, sparkline, recent and total, a bar for the share of the first. */
export class TopList {
  #known = new Map();
  #hasRecent = false;

  constructor(name, label, tone = "") {
    this.name = name;
    this.label = label;
    this.element = h("ol", { class: `top ${tone}` });
  }

  /** An answer of `/stats/{metric}`. */
  take(answer) {
    const top = answer?.top ?? [];
    this.#hasRecent = top.some((one) => one.recent !== undefined);
    this.element.classList.toggle("totals", this.#hasRecent);
    const most = Math.max(1, ...top.map((one) => one.recent ?? one.value));
    this.#draw(top.map((one) => ({ ...one, share: (one.recent ?? one.value) / most })));
  }

  /** A message of `/events`: new totals, and what the sparklines grow by. */
  takeMoment(moment) {
    for (const one of moment.top) {
      const key = JSON.stringify(one.labels);
      const known = this.#known.get(key) ?? { value: one.value, buckets: new Buckets(5, 60) };
      known.buckets.add(moment.second, Math.max(0, one.value - known.value));
      known.value = one.value;
      this.#known.set(key, known);
    }
    this.second = moment.second;
    if (!this.#hasRecent) this.take({ top: moment.top });
  }

  #draw(top) {
    keyed(this.element, top.map((one) => [JSON.stringify(one.labels), one]), () => this.#row());
  }

  #row() {
    const [name, recent, total] = [h("a"), h("b", { class: "recent" }), h("span", { class: "total" })];
    const spark = new Sparkline();
    const share = h("i", { class: "share-bar" });
    const element = h("li", {}, share, name, spark.element, recent, total);
    return {
      element,
      update: (one) => {
        const text = labels(one.labels, this.label);
        setText(name, text);
        name.title = text;
        name.href = linkTo(this.name, Object.entries(one.labels).map(([label, value]) => `${label}:${literal(value)}`));
        setText(recent, count(one.recent ?? one.value));
        setText(total, one.recent === undefined ? "" : `of ${compact(one.value)}`);
        share.style.width = `${Math.max(0, one.share) * 100}%`;
        const known = points(one).map(([, value]) => value);
        const own = this.#known.get(JSON.stringify(one.labels));
        spark.draw(known.length > 1 ? known : own ? own.buckets.window(this.second).values : []);
      },
    };
  }
}

/** A few timers, each with its quantiles now and as bands over time. */
export class TimerGrid {
  element = h("div", { class: "timers" });

  /** Asks for each of `metrics` what it is now. */
  async take(metrics) {
    const answers = [];
    for (const { name, type } of metrics) {
      const answer = await metric(name, { timeframe_hours: 1, top: 0 }, type);
      if (answer) answers.push([`${type} ${name}`, { ...answer, name }]);
    }
    keyed(this.element, answers, () => this.#card());
  }

  #card() {
    const chart = new QuantileChart(150);
    const [name, figures] = [h("a"), h("dl", { class: "quantiles" })];
    const element = h("section", { class: "card timer" }, h("header", { class: "head" }, h("h2", {}, name), h("small", { class: "muted" })),
      figures, chart.element);
    return {
      element,
      update: (answer) => {
        setText(name, answer.name);
        name.href = linkTo(answer.name);
        setText(element.querySelector("small"), `${count(answer.recent ?? answer.count)} in the last hour`);
        writeQuantiles(figures, answer);
        chart.take(answer);
      },
    };
  }
}

/** Writes an answer's quantiles into a list of terms. */
export function writeQuantiles(list, answer) {
  const shares = Object.entries(answer.quantiles ?? {});
  list.replaceChildren(...shares.map(([share, value]) =>
    h("div", {}, h("dt", {}, rank(share)), h("dd", {}, quantity(value, answer.unit)))));
}

/** 0.95 is p95, 0.999 is p99.9. */
export const rank = (share) => `p${+(share * 100).toFixed(3)}`;

/** The quantiles of each minute or hour as bands. */
export class QuantileChart {
  #chart = null;
  element = h("div");

  constructor(height) {
    this.height = height;
  }

  take(answer) {
    const window = quantileWindow(answer);
    this.element.hidden = !window;
    if (!window) return;
    const shares = Object.keys(answer.quantiles).sort((one, other) => one - other);
    this.#chart ??= this.#make(answer, shares.map(rank));
    this.#chart.draw(window);
  }

  #make({ name, unit }, names) {
    const chart = new TimeChart({
      label: `Quantiles of ${name}`, kind: "band", tone: "timer", height: this.height, names, format: (value) => quantity(value, unit),
      axis: (value) => quantity(value, unit),
    });
    this.element.append(chart.element);
    return chart;
  }
}

/** The busiest metrics, each a link to its own view. */
export class MetricTable {
  #body = h("tbody");
  #more = h("p", { class: "muted small" });
  element = h("div", {}, h("table", { class: "metrics" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Name"), h("th", { scope: "col" }, "Type"), h("th", { scope: "col", class: "number" }, "Total"),
      h("th", { scope: "col", class: "number" }, "Series"))), this.#body), this.#more);

  take(metrics, known) {
    keyed(this.#body, metrics.slice(0, 12).map((one) => [`${one.type} ${one.name}`, one]), () => this.#row());
    setText(this.#more, known > 12 ? `and ${count(known - Math.min(12, metrics.length))} more` : "");
  }

  #row() {
    const [name, type, total, series] = [h("a"), h("td", { class: "muted" }), h("td", { class: "number" }), h("td", { class: "number" })];
    return {
      element: h("tr", {}, h("th", { scope: "row" }, name), type, total, series),
      update: (one) => {
        setText(name, one.name);
        name.href = linkTo(one.name);
        setText(type, one.type.replace("_", " "));
        setText(total, one.total === undefined ? "" : count(one.total));
        setText(series, count(one.series));
      },
    };
  }
}
