// Renders the OpenAPI 3.1 document of this program. Nothing here knows what is in it.

import { h } from "./dom.js";
import { Resolver, example, schemaView, typeName } from "./docs-schema.js";
import { TryForm } from "./docs-try.js";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];
const main = document.getElementById("main");
const contents = document.getElementById("contents");

/** The little of Markdown that descriptions use: paragraphs, lists, `code`, **bold** and [links](…). */
export function prose(text, classes = "prose") {
  if (!text) return null;
  const blocks = text.trim().split(/\n\s*\n/);
  return h("div", { class: classes }, blocks.map((block) => {
    const lines = block.split("\n");
    if (lines.every((line) => /^\s*[-*] /.test(line))) {
      return h("ul", {}, lines.map((line) => h("li", {}, inline(line.replace(/^\s*[-*] /, "")))));
    }
    if (/^```/.test(lines[0])) return h("pre", {}, lines.filter((line) => !/^```/.test(line)).join("\n"));
    return h("p", {}, inline(lines.join(" ").replace(/^#+ /, "")));
  }));
}

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/).map((part) => {
    if (/^`.+`$/.test(part)) return h("code", {}, part.slice(1, -1));
    if (/^\*\*.+\*\*$/.test(part)) return h("strong", {}, part.slice(2, -2));
    const link = part.match(/^\[(.+)\]\(((?:https?:\/|\/|#)\S*)\)$/);
    return link ? h("a", { href: link[2] }, link[1]) : part;
  });
}

/** Operations by their first tag, in the order that the document names tags, then of what comes. */
function groups(document, resolver) {
  const found = new Map((document.tags ?? []).map((tag) => [tag.name, { ...tag, operations: [] }]));
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    const resolved = resolver.resolve(item);
    for (const method of METHODS) {
      const operation = resolved[method];
      if (!operation) continue;
      const tag = operation.tags?.[0] ?? "Operations";
      if (!found.has(tag)) found.set(tag, { name: tag, operations: [] });
      found.get(tag).operations.push({ ...operation, path, method, parameters: merged(resolved.parameters, operation.parameters, resolver) });
    }
  }
  return [...found.values()].filter((group) => group.operations.length);
}

/** A path's parameters, and an operation's own in the place of those of the same name. */
function merged(shared = [], own = [], resolver) {
  const all = new Map();
  for (const one of [...shared, ...own].map((one) => resolver.resolve(one))) all.set(`${one.in} ${one.name}`, one);
  return [...all.values()];
}

const anchor = (...parts) => parts.join("-").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
const idOf = (operation) => anchor(operation.operationId ?? `${operation.method} ${operation.path}`);

/** /visits/{page} with a place to break a line after each slash, and its placeholders set apart. */
function pathView(path) {
  return path.split(/(\{[^}]+\}|\/)/).filter(Boolean).map((part) =>
    part === "/" ? ["/", h("wbr")] : part.startsWith("{") ? h("i", {}, part) : part);
}

function operationView(operation, resolver, document) {
  const id = idOf(operation);
  const body = resolver.resolve(operation.requestBody);
  const form = new TryForm(operation, body, resolver, document);
  const detail = h("details", { class: "operation", id, "data-method": operation.method },
    h("summary", {},
      h("span", { class: `method ${operation.method}` }, operation.method.toUpperCase()),
      h("code", { class: "path" }, pathView(operation.path)),
      h("span", { class: "summary" }, operation.summary ?? "", operation.deprecated ? h("em", {}, " deprecated") : null)));
  // What is not open is not built: a document of hundreds of operations opens at once.
  detail.addEventListener("toggle", () => {
    if (!detail.open || detail.childElementCount > 1) return;
    detail.append(h("div", { class: "inside" },
      h("div", { class: "told" }, prose(operation.description), parametersView(operation.parameters, resolver), bodyView(body, resolver),
        responsesView(operation.responses, resolver)),
      form.element));
  });
  return detail;
}

function parametersView(parameters, resolver) {
  if (!parameters.length) return null;
  return h("section", {}, h("h4", {}, "Parameters"), h("ul", { class: "members" }, parameters.map((one) => {
    const schema = resolver.resolve(one.schema ?? {});
    return h("li", {},
      h("p", {}, h("code", { class: "name" }, one.name), h("span", { class: "type" }, typeName(schema, resolver), ` · ${one.in}`),
        one.required ? h("span", { class: "needed" }, "needed") : null),
      prose(one.description ?? schema.description, "prose small"), schemaView(schema, resolver, { isInline: true }));
  })));
}

function bodyView(body, resolver) {
  if (!body?.content) return null;
  return h("section", {}, h("h4", {}, "Body", body.required ? h("span", { class: "needed" }, "needed") : null), prose(body.description),
    Object.entries(body.content).map(([type, media]) => mediaView(type, media, resolver)));
}

function mediaView(type, media, resolver) {
  const text = example(media, resolver);
  return h("div", { class: "media" }, h("p", { class: "type" }, type), media.schema ? schemaView(media.schema, resolver) : null,
    text === null ? null : h("pre", {}, text));
}

function responsesView(responses = {}, resolver) {
  return h("section", {}, h("h4", {}, "Answers"), Object.entries(responses).map(([code, one]) => {
    const response = resolver.resolve(one);
    const kind = code[0] === "2" ? "good" : code[0] === "d" ? "" : "bad";
    const content = Object.entries(response.content ?? {});
    const headers = Object.entries(response.headers ?? {});
    const head = [h("b", { class: `code ${kind}` }, code), h("span", {}, inline(response.description ?? ""))];
    if (!content.length && !headers.length) return h("div", { class: "answer bare" }, head);
    return h("details", { class: "answer" }, h("summary", {}, head),
      headers.length ? h("ul", { class: "members" }, headers.map(([name, header]) =>
        h("li", {}, h("p", {}, h("code", { class: "name" }, name), h("span", { class: "type" }, "header")),
          prose(resolver.resolve(header).description, "prose small")))) : null,
      content.map(([type, media]) => mediaView(type, media, resolver)));
  }));
}

function schemasView(document, resolver) {
  const schemas = Object.entries(document.components?.schemas ?? {});
  if (!schemas.length) return null;
  return h("section", { class: "group", id: "schemas" }, h("h2", {}, "Schemas"), h("div", { class: "card list" }, schemas.map(([name, schema]) =>
    h("details", { class: "operation schema", id: anchor("schema", name) }, h("summary", {}, h("code", { class: "path" }, name),
      h("span", { class: "summary" }, schema.title && schema.title !== name ? schema.title : typeName(schema, resolver))),
      h("div", { class: "inside single" }, h("div", { class: "told" }, prose(schema.description), schemaView(schema, resolver, { isOpen: true })))))));
}

function render(document) {
  const resolver = new Resolver(document);
  const all = groups(document, resolver);
  const info = document.info ?? {};
  globalThis.document.title = `${info.title ?? "API"} · API`;
  const filter = h("input", { type: "search", placeholder: "Filter", "aria-label": "Filter the operations", autocomplete: "off" });
  const links = h("nav", { "aria-label": "Operations" }, all.map((group) => h("div", {}, h("a", { class: "of-group", href: `#${anchor("tag", group.name)}` }, group.name),
    group.operations.map((one) => h("a", { href: `#${idOf(one)}` }, h("span", { class: `method ${one.method}` }, one.method.toUpperCase()), one.path)))));
  contents.replaceChildren(filter, links);
  main.replaceChildren(
    h("header", { class: "intro" },
      h("h1", {}, info.title ?? "API", h("small", {}, info.version ? `version ${info.version}` : "")),
      prose(info.summary, "prose lead"), prose(info.description),
      serversView(document.servers ?? [])),
    ...all.map((group) => h("section", { class: "group", id: anchor("tag", group.name) }, h("h2", {}, group.name), prose(group.description),
      h("div", { class: "card list" }, group.operations.map((one) => operationView(one, resolver, document))))),
    schemasView(document, resolver) ?? "");
  filter.addEventListener("input", () => narrow(filter.value.trim().toLowerCase()));
  addEventListener("hashchange", reveal);
  reveal();
}

/** Where the program answers, if that is elsewhere. */
function serversView(servers) {
  const urls = servers.map((one) => one.url).filter((url) => url !== "/");
  return urls.length ? h("p", { class: "muted small" }, "At ", urls.map((url) => h("code", {}, url, " "))) : null;
}

/** Leaves only what holds the words looked for. */
function narrow(text) {
  const fits = (element) => text.split(/\s+/).every((word) => element.textContent.toLowerCase().includes(word));
  for (const one of main.querySelectorAll(".operation")) one.hidden = !fits(one.firstElementChild);
  for (const one of contents.querySelectorAll("nav a:not(.of-group)")) one.hidden = !fits(one);
  for (const one of main.querySelectorAll(".group")) one.hidden = !one.querySelector(".operation:not([hidden])");
}

/** Opens what the address names. */
function reveal() {
  const wanted = globalThis.document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!wanted) return;
  if (wanted.tagName === "DETAILS") wanted.open = true;
  wanted.scrollIntoView({ block: "start" });
}

try {
  render(await (await fetch("/openapi.json")).json());
} catch (fault) {
  main.replaceChildren(h("p", { class: "fault" }, `The document could not be read: ${fault.message}`));
}
