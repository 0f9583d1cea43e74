// The books: what came, what became of it, and what was lost.

import { command, h, setText } from "./dom.js";
import { bytes, compact, count, rate } from "./format.js";

/** What each reason of refusal means to who sends. */
const REASONS = {
  empty_name: "no name before the colon", bad_name: "bytes in the name that are no text", no_value: "nothing after the name",
  bad_value: "no number, and no key either", bad_type: "a type that there is not", bad_rate: "a sample rate of zero or no number",
  bad_tags: "tags that cannot be read", bad_timestamp: "a time that is no whole number", too_long: "longer than 8 KiB",
  truncated: "cut off: the datagram was larger than the buffer", limit: "beyond the limit of series",
  refused_source: "a sender that is not allowed", malformed: "nothing that could be read",
};

const refusedIn = (ledger) => Object.values(ledger.lines_refused).reduce((sum, one) => sum + one, 0);

/** The alarm above everything: there if the kernel has dropped datagrams. */
export class Losses {
  #shown = false;
  #text = h("strong");
  #more = h("span");

  constructor(parent) {
    this.parent = parent;
  }

  take(moment) {
    const dropped = moment.ledger.datagrams_dropped;
    if (dropped === 0) {
      this.parent.replaceChildren();
      this.#shown = false;
      return;
    }
    const all = dropped + moment.ledger.datagrams_received;
    setText(this.#text, `${count(dropped)} ${dropped === 1 ? "datagram was" : "datagrams were"} lost in the kernel`);
    const share = (dropped / all) * 100;
    setText(this.#more, ` — ${share >= 0.01 ? share.toPrecision(2) : "less than 0.01"} % of what was sent`
      + (moment.dropped_per_second > 0 ? `, ${rate(moment.dropped_per_second)} a second now.` : ", none at the moment."));
    if (this.#shown) return;
    this.#shown = true;
    this.parent.replaceChildren(
      h("section", { class: "alarm", role: "alert", "aria-label": "Losses" },
        h("p", {}, this.#text, this.#more),
        h("p", { class: "small" }, "The receive buffer was full. Allow a larger one, and start again with ", h("code", {}, "--receive-buffer 32MiB"), ":"),
        command("sysctl -w net.core.rmem_max=33554432")));
  }
}

/** The books as a flow, from what was sent to what was counted. */
export class Ledger {
  #cells = {};
  #refused = h("ul", { class: "reasons" });
  #bar = h("div", { class: "share", role: "img" }, h("i", { class: "taken" }), h("i", { class: "refused" }), h("i", { class: "lost" }));
  #verdict = h("p", { class: "verdict" });

  constructor() {
    const cell = (key, label, tone = "") =>
      h("div", { class: `entry ${tone}`, "data-entry": key }, h("dt", {}, label), (this.#cells[key] = h("dd", {}, "–")));
    this.element = h("section", { class: "card ledger", "aria-labelledby": "ledger-title" },
      h("header", { class: "head" }, h("h2", { id: "ledger-title" }, "The books"), this.#verdict),
      h("dl", { class: "books" },
        cell("received", "Datagrams received"), cell("dropped", "Lost in the kernel", "loss"),
        cell("read", "Lines read"), cell("accepted", "Accepted"), cell("refused", "Refused", "refusal"), cell("bytes", "Bytes")),
      this.#bar, this.#refused);
  }

  take({ ledger }) {
    const refused = refusedIn(ledger);
    const dropped = ledger.datagrams_dropped;
    const values = {
      received: count(ledger.datagrams_received), dropped: count(dropped), read: count(ledger.lines_read),
      accepted: count(ledger.lines_accepted), refused: count(refused), bytes: bytes(ledger.bytes_received),
    };
    for (const [key, value] of Object.entries(values)) setText(this.#cells[key], value);
    this.element.classList.toggle("has-losses", dropped > 0);
    this.element.classList.toggle("has-refusals", refused > 0);
    setText(this.#verdict, dropped > 0 ? "Datagrams were lost" : refused > 0 ? "Nothing lost, some lines refused" : "Nothing lost, nothing refused");
    const all = Math.max(1, ledger.lines_read + dropped);
    const shares = [ledger.lines_accepted / all, refused / all, dropped / all];
    [...this.#bar.children].forEach((part, place) => part.style.setProperty("flex-grow", shares[place]));
    this.#bar.setAttribute("aria-label", `${count(ledger.lines_accepted)} accepted, ${count(refused)} refused, ${count(dropped)} lost`);
    const reasons = Object.entries(ledger.lines_refused).filter(([, lines]) => lines > 0).sort((a, b) => b[1] - a[1]);
    this.#refused.hidden = reasons.length === 0;
    this.#refused.replaceChildren(...reasons.map(([reason, lines]) =>
      h("li", {}, h("b", {}, compact(lines)), h("code", {}, reason), h("span", { class: "muted" }, REASONS[reason] ?? ""))));
  }
}

/** The lines refused last, with their senders, as `/status` tells them. */
export class Refusals {
  #rows = h("ol", { class: "refused-lines" });
  element = h("details", { class: "card", hidden: true }, h("summary", {}, h("h2", {}, "Lines refused last")), this.#rows);

  take(status) {
    const lines = (status.recent_refusals ?? []).slice(0, 12);
    this.element.hidden = lines.length === 0;
    this.#rows.replaceChildren(...lines.map((line) =>
      h("li", {}, h("code", {}, line.line), h("span", { class: "muted small" }, `${line.error} at byte ${line.at} · from ${line.sender}`))));
  }
}
