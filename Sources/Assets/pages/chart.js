// Charts over time as SVG, drawn at the size that they have on the page, so that text and hairlines stay what they are.

import { h, setText } from "./dom.js";
import { compact, count, tick, time } from "./format.js";

const STEPS = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800];
const BOTTOM = 22;
const TOP = 8;

/** The least of 1, 2, 2.5, 5 times a power of ten from which `parts` of them reach `most`. */
export function niceStep(most, parts) {
  const least = most / parts;
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= least * 0.9999);
}

/**
 * A chart of buckets of `step` seconds from `from` to `to`.
 * - kind "area" or "bars": a bucket has one value; "band": the quantiles, ascending, as [median, …, greatest], or null where nothing was timed.
 * - `format` writes a value, `names` name the quantiles.
 * Arrow keys and the pointer walk over the buckets.
 */
export class TimeChart {
  #label; #kind; #format; #axis; #names; #height; #data = null; #at = null; #width = 0;
  #svg = h("svg", { class: "plot", "aria-hidden": "true" });
  #tip = h("div", { class: "tip", hidden: true });
  #spoken = h("span", { class: "spoken", role: "status" });

  constructor({ label, kind = "area", tone = "accent", height = 180, format = count, axis = compact, names = [] }) {
    this.#label = label;
    this.#kind = kind;
    this.#format = format;
    this.#axis = axis;
    this.#names = names;
    this.#height = height;
    this.element = h(
      "figure", { class: `chart ${kind} tone-${tone}`, tabindex: "0", role: "group", "aria-label": label },
      this.#svg, this.#tip, this.#spoken);
    this.element.style.setProperty("--chart-height", `${height}px`);
    this.element.addEventListener("pointermove", (event) => this.#point(event));
    this.element.addEventListener("pointerleave", () => this.#show(null));
    this.element.addEventListener("blur", () => this.#show(null));
    this.element.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => {
      const width = Math.floor(this.element.clientWidth);
      if (width === this.#width) return;
      this.#width = width;
      this.#draw();
    }).observe(this.element);
  }

  /** @param data {from, to, step, values}: `values[i]` is the bucket that begins at `from + i * step`. */
  draw(data) {
    this.#data = data;
    this.#draw();
  }

  #draw() {
    const [data, width, height] = [this.#data, this.#width, this.#height];
    if (!data || width < 40) return;
    const tops = data.values.map((value) => (Array.isArray(value) ? value.at(-1) : value) ?? 0);
    const most = Math.max(...tops, 0);
    const parts = height < 110 ? 2 : 4;
    const unit = most > 0 ? niceStep(most, parts) : 1;
    const ceiling = most > 0 ? Math.ceil((most / unit) * 0.9999) * unit : parts;
    const marks = [];
    for (let mark = 0; mark <= ceiling * 1.0001; mark += unit) marks.push(mark);
    const left = 14 + Math.max(...marks.map((mark) => this.#axis(mark).length)) * 6.6;
    const plot = { left, right: width - 6, top: TOP, bottom: height - BOTTOM };
    const x = (second) => plot.left + ((second - data.from) / (data.to - data.from)) * (plot.right - plot.left);
    const y = (value) => plot.bottom - (Math.max(0, value) / ceiling) * (plot.bottom - plot.top);
    this.scale = { x, y, plot };
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.replaceChildren(
      ...marks.map((mark) => this.#rule(mark, y(mark), plot)),
      ...this.#times(x, plot),
      ...(this.#kind === "bars" ? this.#bars(x, y) : this.#kind === "band" ? this.#bands(x, y) : this.#area(x, y)),
      (this.cursor = h("line", { class: "cursor", y1: plot.top, y2: plot.bottom, visibility: "hidden" })));
    if (this.#at !== null) this.#show(Math.min(this.#at, data.values.length - 1));
  }

  #rule(mark, y, plot) {
    return h("g", { class: mark === 0 ? "rule base" : "rule" },
      h("line", { x1: plot.left, x2: plot.right, y1: y.toFixed(1), y2: y.toFixed(1) }),
      h("text", { x: plot.left - 8, y: (y + 4).toFixed(1), "text-anchor": "end" }, this.#axis(mark)));
  }

  /** Ticks at round local times, as many as there is room for. */
  #times(x, plot) {
    const { from, to } = this.#data;
    const room = Math.max(2, Math.floor((plot.right - plot.left) / 74));
    const step = STEPS.find((step) => (to - from) / step <= room) ?? STEPS.at(-1);
    const zone = new Date(from * 1000).getTimezoneOffset() * 60;
    const ticks = [];
    for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) {
      const text = tick(at, step);
      const half = text.length * 3.3;
      if (x(at) - half < plot.left - 10 || x(at) + half > plot.right + 6) continue;
      ticks.push(h("text", { class: "time", x: x(at).toFixed(1), y: this.#height - 5, "text-anchor": "middle" }, text));
    }
    return ticks;
  }

  #bars(x, y) {
    const { from, step, values } = this.#data;
    const wide = x(from + step) - x(from);
    const gap = wide > 4 ? Math.min(3, wide * 0.22) : 0;
    const corner = Math.min(2, Math.max(0, (wide - gap) / 3));
    return values.map((value, place) => {
      if (!(value > 0)) return null;
      const top = Math.min(y(value), y(0) - 1.5);
      const left = x(from + place * step) + gap / 2;
      const right = left + Math.max(0.8, wide - gap);
      const round = Math.min(corner, y(0) - top);
      return h("path", {
        class: place === values.length - 1 ? "bar open" : "bar",
        d: `M${left.toFixed(1)} ${y(0)}V${(top + round).toFixed(1)}q0 ${-round} ${round} ${-round}`
          + `H${(right - round).toFixed(1)}q${round} 0 ${round} ${round}V${y(0)}Z`,
      });
    }).filter(Boolean);
  }

  #area(x, y) {
    const { from, step, values } = this.#data;
    const points = values.map((value, place) => `${x(from + place * step).toFixed(1)} ${y(value ?? 0).toFixed(1)}`);
    if (points.length < 2) return [];
    const last = x(from + (values.length - 1) * step);
    return [
      h("path", { class: "fill", d: `M${x(from).toFixed(1)} ${y(0)}L${points.join("L")}L${last.toFixed(1)} ${y(0)}Z` }),
      h("path", { class: "stroke", d: `M${points.join("L")}` }),
      h("circle", { class: "now", cx: last.toFixed(1), cy: y(values.at(-1) ?? 0).toFixed(1), r: 3.2 }),
    ];
  }

  /** One band between each quantile and the next, and a line for the least; a gap where nothing was timed. */
  #bands(x, y) {
    const { from, step, values } = this.#data;
    const runs = [];
    values.forEach((value, place) => {
      if (!value) return;
      if (place === 0 || !values[place - 1]) runs.push([]);
      runs.at(-1).push([x(from + (place + 0.5) * step), value]);
    });
    return runs.flatMap((run) => {
      // One bucket alone is drawn as wide as it lasts.
      const wide = (x(from + step) - x(from)) / 2;
      const ends = run.length === 1 ? [[run[0][0] - wide, run[0][1]], [run[0][0] + wide, run[0][1]]] : run;
      const line = (rank) => ends.map(([at, value]) => `${at.toFixed(1)} ${y(value[rank] ?? 0).toFixed(1)}`);
      const bands = [];
      for (let rank = run[0][1].length - 1; rank > 0; rank -= 1) {
        bands.push(h("path", { class: `band-${Math.min(rank, 2)}`, d: `M${line(rank).join("L")}L${line(rank - 1).reverse().join("L")}Z` }));
      }
      return [...bands, h("path", { class: "stroke", d: `M${line(0).join("L")}` })];
    });
  }

  #point(event) {
    if (!this.#data || !this.scale) return;
    const { from, to, step, values } = this.#data;
    const { plot } = this.scale;
    const share = (event.clientX - this.element.getBoundingClientRect().left - plot.left) / (plot.right - plot.left);
    const place = (share * (to - from)) / step;
    this.#show(Math.max(0, Math.min(values.length - 1, this.#kind === "area" ? Math.round(place) : Math.floor(place))));
  }

  #key(event) {
    if (!this.#data) return;
    const last = this.#data.values.length - 1;
    const at = this.#at ?? last + 1;
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.#show(null);
    if (next === undefined) return;
    event.preventDefault();
    this.#show(Math.max(0, Math.min(last, next)));
    setText(this.#spoken, this.#tip.textContent);
  }

  #show(place) {
    this.#at = place;
    this.#tip.hidden = place === null;
    if (!this.scale) return;
    if (place === null) return this.cursor.setAttribute("visibility", "hidden");
    const { from, step, values } = this.#data;
    const at = from + place * step;
    const middle = this.scale.x(this.#kind === "area" ? at : at + step / 2);
    this.cursor.setAttribute("visibility", "visible");
    this.cursor.setAttribute("x1", middle.toFixed(1));
    this.cursor.setAttribute("x2", middle.toFixed(1));
    const value = values[place];
    const rows = Array.isArray(value)
      ? value.map((one, rank) => h("span", {}, `${this.#names[rank]} `, h("b", {}, this.#format(one)))).reverse()
      : [h("b", {}, value === null || value === undefined ? "–" : this.#format(value))];
    this.#tip.replaceChildren(...rows, h("span", { class: "when" }, ` ${time(at, step)}`));
    const half = this.#tip.offsetWidth / 2;
    this.#tip.style.left = `${Math.max(half, Math.min(this.#width - half, middle))}px`;
  }
}

/** A line of its own height without axes, for a row of a table. */
export class Sparkline {
  #path = h("path", { class: "stroke" });
  #fill = h("path", { class: "fill" });
  element = h("svg", { class: "spark", viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" }, this.#fill, this.#path);

  draw(values) {
    const most = Math.max(...values, 0);
    const wide = 100 / Math.max(1, values.length - 1);
    const points = values.map((value, place) => `${(place * wide).toFixed(2)} ${(22 - (most > 0 ? (value ?? 0) / most : 0) * 20).toFixed(2)}`);
    this.#path.setAttribute("d", points.length > 1 ? `M${points.join("L")}` : "");
    this.#fill.setAttribute("d", points.length > 1 ? `M0 22L${points.join("L")}L100 22Z` : "");
  }
}
