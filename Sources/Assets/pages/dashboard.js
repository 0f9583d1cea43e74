// The dashboard: one stream of moments for all views, and the view that the address names.
//
//     #/                                          everything
//     #/metric/visit                              one metric
//     #/metric/visit?match=page:/promo&hours=24   some of its series

import { setText } from "./dom.js";
import { span } from "./format.js";
import { Losses } from "./ledger.js";
import { Live } from "./live.js";
import { Metric } from "./metric.js";
import { Overview } from "./overview.js";

const main = document.getElementById("main");
const state = document.getElementById("state");
const losses = new Losses(document.getElementById("losses"));
let view = null;
let moment = null;

function show() {
  const [path, query] = location.hash.slice(1).split("?");
  const parts = path.split("/").filter(Boolean).map(decode);
  view?.close();
  view = parts[0] === "metric" && parts[1] ? new Metric(parts[1], new URLSearchParams(query)) : new Overview();
  document.title = view.title;
  main.replaceChildren(view.element);
  if (moment) view.take(moment, null);
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function tell(name) {
  state.dataset.state = name;
  setText(state.children[1], { live: "Live", lost: "Reconnecting" }[name]);
  setText(state.children[2], name === "live" && moment ? `up ${span(moment.uptime_seconds)}` : "");
}

addEventListener("hashchange", () => {
  show();
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
});
show();
new Live({
  onstate: tell,
  onmoment: (next, before) => {
    moment = next;
    tell("live");
    losses.take(next);
    view.take(next, before);
  },
});
