// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const some = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });
const UNITS = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** 12,345,678: exact while it is short enough to be read, then 123 M. */
export function count(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (Math.abs(value) < 1e8) return Number.isInteger(value) || Math.abs(value) >= 1000 ? whole.format(value) : some.format(value);
  return compact(value);
}

/** 1.23 M: for axes and narrow places. */
export function compact(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  for (const [unit, letter] of UNITS) {
    if (size >= unit * 0.9995) return `${some.format(value / unit)} ${letter}`;
  }
  return size !== 0 && size < 0.001 ? value.toExponential(1) : some.format(value);
}

/** A rate: 0, 0.2, 3.4, 1,234. */
export function rate(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  if (Math.abs(value) >= 1e5) return compact(value);
  return Math.abs(value) >= 100 ? whole.format(value) : (Math.round(value * 10) / 10 || some.format(value)).toString();
}

/** A value in its unit: ms become µs, ms, s or min. */
export function quantity(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (unit !== "ms") return compact(value);
  if (value !== 0 && Math.abs(value) < 1) return `${some.format(value * 1000)} µs`;
  if (Math.abs(value) < 1000) return `${some.format(value)} ms`;
  if (Math.abs(value) < 120_000) return `${some.format(value / 1000)} s`;
  return `${some.format(value / 60_000)} min`;
}

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let place = 0;
  while (value >= 1024 && place < units.length - 1) {
    value /= 1024;
    place += 1;
  }
  return `${some.format(value)} ${units[place]}`;
}

/** 3 d 4 h, 12 min, 45 s. */
export function span(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  const [much, unit, little, rest] = seconds < 86_400
    ? [3600, "h", "min", Math.floor((seconds % 3600) / 60)] : [86_400, "d", "h", Math.floor((seconds % 86_400) / 3600)];
  return `${Math.floor(seconds / much)} ${unit}${rest ? ` ${rest} ${little}` : ""}`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric" });

/** The time of a bucket of `step` seconds that begins at `second`, as long as the bucket needs. */
export function time(second, step = 1) {
  const date = new Date(second * 1000);
  if (step < 60) return clockSeconds.format(date);
  return step < 3600 ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

/** A tick on an axis whose ticks are `step` seconds apart. */
export function tick(second, step) {
  const date = new Date(second * 1000);
  return step >= 86_400 ? day.format(date) : (step < 60 ? clockSeconds : clock).format(date);
}

/** What a series is called: its labels' values, the name of the label where it is not the one expected. */
export function labels(labels, expected) {
  const entries = Object.entries(labels);
  if (entries.length === 0) return "(no labels)";
  if (entries.length === 1 && entries[0][0] === expected) return entries[0][1];
  return entries.map(([name, value]) => `${name}=${value}`).join("  ");
}
