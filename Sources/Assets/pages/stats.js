// What the program is asked over HTTP, and how its answers are read. It is asked for the top of everything, never for all.

export async function get(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined && one !== "") query.append(name, one);
  }
  const answer = await fetch(query.size ? `${path}?${query}` : path, { headers: { Accept: "application/json" } });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new TypeError(`${path}: ${answer.status}`);
  return answer.json();
}

/** One metric; of several kinds that share a name, the one of `type`, else the first. Null if there is none. */
export async function metric(name, parameters, type) {
  const answer = await get(`/stats/${encodeURIComponent(name)}`, parameters);
  if (!answer?.types) return answer && (!type || answer.type === type) ? answer : null;
  const found = type ? answer.types.find((one) => one.type === type) : answer.types[0];
  return found ? { ...answer, ...found } : null;
}

/** The metrics of `/stats` as a list of {name, type, …}, kinds that share a name one by one. */
export function metricsOf(stats) {
  return Object.entries(stats.metrics ?? {}).flatMap(([name, metric]) =>
    (metric.types ?? [metric]).map((one) => ({ name, ...one })));
}

/** The points of an answer as [[second, value], …]; empty where it has none. */
export function points(answer) {
  return (answer?.history?.points ?? []).map(([second, value]) => [second, value]);
}

/** The quantiles of an answer by step, as {from, to, step, values} of a chart: each step's ascending, or null where nothing was timed. */
export function quantileWindow(answer) {
  const { start, step, quantiles } = answer?.quantile_history ?? { quantiles: {} };
  const rows = Object.entries(quantiles).sort(([one], [other]) => one - other).map(([, row]) => row);
  if (!rows.length) return null;
  const values = rows[0].map((_, place) => (rows.every((row) => row[place] !== null) ? rows.map((row) => row[place]) : null));
  return { from: start, to: start + values.length * step, step, values };
}

export const isTimer = (type) => type === "timer" || type === "histogram" || type === "distribution";
