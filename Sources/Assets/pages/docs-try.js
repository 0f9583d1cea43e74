// A form that calls an operation and shows what came back.

import { command, h, setText } from "./dom.js";
import { example, made } from "./docs-schema.js";

/** Of an answer so many characters are shown. */
const MOST_SHOWN = 200_000;
/** A stream is listened to for so long, in milliseconds. */
const LISTENS = 3500;

export class TryForm {
  #fields = [];
  #type = null;
  #body = null;
  #token = null;
  #curl = command("");
  #status = h("p", { class: "status", role: "status" });
  #headers = h("details", { class: "nested" }, h("summary", {}, "Headers"), h("pre", { class: "answer-headers" }));
  #text = h("pre", { class: "answer-body", tabindex: "0", "aria-label": "Body of the answer" });
  #result = h("div", { class: "result", hidden: true }, this.#status, this.#headers, this.#text);

  constructor(operation, body, resolver, document) {
    this.operation = operation;
    this.id = `try-${operation.method}-${operation.path}`.replace(/[^a-z0-9]+/gi, "-");
    for (const parameter of operation.parameters) {
      if (parameter.in !== "cookie") this.#fields.push(this.#field(parameter, resolver));
    }
    const types = Object.entries(body?.content ?? {});
    if (types.length) this.#makeBody(types, resolver, !body.required);
    const isGuarded = (operation.security ?? document.security ?? []).some((one) => Object.keys(one).length > 0);
    if (isGuarded) this.#token = h("input", { id: `${this.id}-token`, autocomplete: "off", spellcheck: "false", placeholder: "if the program wants one" });
    const send = h("button", { class: "button primary", type: "submit" }, "Send");
    this.element = h("form", { class: "try", "aria-label": `Try ${operation.method.toUpperCase()} ${operation.path}` },
      h("h4", {}, "Try it"),
      this.#fields.map(({ label, input }) => h("div", { class: "field" }, label, input)),
      this.#type ? h("div", { class: "field" }, h("label", { for: `${this.id}-type` }, "Content-Type"), this.#type) : null,
      this.#body ? h("div", { class: "field" }, h("label", { for: `${this.id}-body` }, "Body"), this.#body) : null,
      this.#token ? h("div", { class: "field" }, h("label", { for: `${this.id}-token` }, "Bearer token"), this.#token) : null,
      h("div", { class: "act" }, send), this.#curl, this.#result);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(send);
    });
    for (const change of ["input", "change"]) this.element.addEventListener(change, () => this.#writeCommand());
    this.#writeCommand();
  }

  #field(parameter, resolver) {
    const schema = resolver.resolve(parameter.schema) ?? {};
    const isList = [schema.type].flat().includes("array");
    const choices = schema.enum ?? ([schema.type].flat().includes("boolean") ? [true, false] : null);
    const shown = parameter.example ?? Object.values(parameter.examples ?? {})[0]?.value ?? schema.examples?.[0] ?? schema.example;
    // What need not be there is not filled in: an example stands behind it.
    const given = parameter.required ? shown ?? made(schema, resolver) : undefined;
    const id = `${this.id}-${parameter.in}-${parameter.name}`;
    const shared = { id, name: parameter.name, required: Boolean(parameter.required) };
    let input;
    if (choices && !isList) {
      const offered = parameter.required ? choices : ["", ...choices];
      input = h("select", shared, offered.map((one) => h("option", { value: String(one), selected: one === given }, String(one))));
    } else if (isList) {
      input = h("textarea", { ...shared, rows: "2", placeholder: "one a line", spellcheck: "false" }, [given ?? []].flat().join("\n"));
    } else {
      input = h("input", { ...shared, value: given ?? "", placeholder: schema.default ?? shown ?? "", autocomplete: "off", spellcheck: "false" });
    }
    const label = h("label", { for: id }, parameter.name, parameter.required ? h("span", { class: "needed" }, "needed") : null);
    return { parameter, isList, input, label };
  }

  #makeBody(types, resolver, isOptional) {
    this.#body = h("textarea", { id: `${this.id}-body`, rows: "8", spellcheck: "false", required: !isOptional });
    const fill = (type) => {
      this.#body.value = example(types.find(([one]) => one === type)[1], resolver) ?? "";
      this.#body.rows = Math.min(14, Math.max(3, this.#body.value.split("\n").length));
    };
    this.#type = h("select", { id: `${this.id}-type` }, types.map(([type]) => h("option", {}, type)));
    this.#type.addEventListener("change", () => fill(this.#type.value));
    fill(types[0][0]);
  }

  /** Method, address, headers and body as they stand in the form. */
  #request() {
    let path = this.operation.path;
    const query = new URLSearchParams();
    const headers = {};
    for (const { parameter, isList, input } of this.#fields) {
      const values = isList ? input.value.split("\n").map((one) => one.trim()).filter(Boolean) : [input.value];
      for (const value of values) {
        if (parameter.in === "path") path = path.replaceAll(`{${parameter.name}}`, encodeURIComponent(value));
        else if (value === "" && !parameter.required) continue;
        else if (parameter.in === "query") query.append(parameter.name, value);
        else headers[parameter.name] = value;
      }
    }
    const body = this.#body?.value || undefined;
    if (body !== undefined) headers["Content-Type"] = this.#type.value;
    if (this.#token?.value) headers.Authorization = `Bearer ${this.#token.value}`;
    return { method: this.operation.method.toUpperCase(), path: query.size ? `${path}?${query}` : path, headers, body };
  }

  #writeCommand() {
    const { method, path, headers, body } = this.#request();
    const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
    const parts = ["curl", method === "GET" ? "" : method === "HEAD" ? "-I" : `-X ${method}`, quote(location.origin + path),
      ...Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`), body === undefined ? "" : `--data-binary ${quote(body)}`];
    setText(this.#curl.firstElementChild, parts.filter(Boolean).join(" "));
  }

  async #send(button) {
    const { method, path, headers, body } = this.#request();
    button.disabled = true;
    this.#result.hidden = false;
    this.#status.className = "status";
    setText(this.#status, "Waiting for the answer");
    const begin = performance.now();
    try {
      const stop = new AbortController();
      const answer = await fetch(path, { method, headers, body, signal: stop.signal });
      const took = performance.now() - begin;
      this.#status.className = `status ${answer.ok ? "good" : "bad"}`;
      setText(this.#status, `${answer.status} ${answer.statusText} in ${took < 10 ? took.toFixed(1) : Math.round(took)} ms`);
      setText(this.#headers.lastElementChild, [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n"));
      await this.#show(answer, stop);
    } catch (fault) {
      this.#status.className = "status bad";
      setText(this.#status, `No answer: ${fault.message}`);
      setText(this.#text, "");
    }
    button.disabled = false;
  }

  async #show(answer, stop) {
    const type = answer.headers.get("Content-Type") ?? "";
    let text = "";
    if (type.startsWith("text/event-stream")) {
      const timer = setTimeout(() => stop.abort(), LISTENS);
      try {
        for await (const piece of pieces(answer.body)) setText(this.#text, (text += piece).slice(0, MOST_SHOWN));
      } catch (fault) {
        // That is how listening ends.
        if (fault.name !== "AbortError") throw fault;
      }
      clearTimeout(timer);
      return;
    }
    text = await answer.text();
    if (type.includes("json")) text = pretty(text);
    setText(this.#text, text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}\n… ${text.length - MOST_SHOWN} characters more` : text || "(no body)");
  }
}

async function* pieces(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) yield value;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
