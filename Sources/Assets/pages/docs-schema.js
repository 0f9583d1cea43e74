// JSON Schema (draft 2020-12, as OpenAPI 3.1 uses it) as something to read, and examples made from it.

import { h } from "./dom.js";

/** Deepest level that is followed: schemas may hold themselves. */
const DEEPEST = 8;

/** Follows `$ref` within the document. */
export class Resolver {
  constructor(document) {
    this.document = document;
  }

  /** What a reference leads to, with what stands beside it on top; anything else as it is. */
  resolve(thing, left = DEEPEST) {
    if (typeof thing?.$ref !== "string" || left === 0) return thing;
    const target = this.resolve(this.#find(thing.$ref), left - 1);
    if (target === undefined) return { description: `\`${thing.$ref}\` is not in this document` };
    const { $ref, ...beside } = thing;
    return typeof target === "object" ? { ...target, ...beside } : target;
  }

  /** JSON Pointer (RFC 6901) in a fragment. */
  #find(reference) {
    if (!reference.startsWith("#")) return undefined;
    return reference.slice(1).split("/").filter(Boolean).reduce(
      (at, part) => at?.[decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")], this.document);
  }
}

/** The name of what a reference leads to, if it is a schema of the document's own. */
const nameOf = (schema) => schema?.$ref?.match(/^#\/components\/schemas\/(.+)$/)?.[1];

/** `string (date-time)`, `array of integer`, `Visit | null`: a type in a few words. */
export function typeName(given, resolver, left = 4) {
  const name = nameOf(given);
  if (name) return name;
  const schema = resolver.resolve(given);
  if (schema === true || schema === undefined) return "anything";
  if (schema === false) return "nothing";
  if (left === 0) return "…";
  const of = (one) => typeName(one, resolver, left - 1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  for (const [key, sign] of [["oneOf", " | "], ["anyOf", " | "], ["allOf", " & "]]) {
    if (schema[key]) return [...new Set(schema[key].map(of))].join(sign);
  }
  const types = [schema.type ?? (schema.properties ? "object" : schema.items ? "array" : schema.enum ? "one of" : "anything")].flat();
  return types.map((type) => {
    if (type === "array") return `array of ${schema.items ? of(schema.items) : "anything"}`;
    if (type === "object" && typeof schema.additionalProperties === "object") return `object of ${of(schema.additionalProperties)}`;
    return schema.format && type !== "null" ? `${type} (${schema.format})` : type;
  }).join(" | ");
}

const BOUNDS = [
  ["minimum", "at least"], ["exclusiveMinimum", "more than"], ["maximum", "at most"], ["exclusiveMaximum", "less than"], ["multipleOf", "a multiple of"],
  ["minLength", "at least", "characters"], ["maxLength", "at most", "characters"], ["pattern", "fits"], ["minItems", "at least", "items"],
  ["maxItems", "at most", "items"], ["minProperties", "at least", "members"], ["maxProperties", "at most", "members"],
];

/** What a value is held to, beyond its type. */
function limits(schema) {
  const found = BOUNDS.filter(([key]) => schema[key] !== undefined).map(([key, words, unit]) => [words, " ", h("code", {}, String(schema[key])), unit ? ` ${unit}` : ""]);
  if (schema.uniqueItems) found.push("each once");
  if (schema.default !== undefined) found.push(["default ", h("code", {}, JSON.stringify(schema.default))]);
  if (schema.enum) found.push(["one of ", schema.enum.map((one, place) => [place ? ", " : "", h("code", {}, JSON.stringify(one))])]);
  const example = schema.examples?.[0] ?? schema.example;
  if (example !== undefined && typeof example !== "object") found.push(["as in ", h("code", {}, JSON.stringify(example))]);
  return found.length ? h("p", { class: "limits" }, found.map((one, place) => [place ? " · " : "", one])) : null;
}

/** All members of an object, those of `allOf` among them. */
function members(schema, resolver, left = DEEPEST) {
  const found = new Map();
  const needed = new Set(schema.required ?? []);
  for (const part of left > 0 ? (schema.allOf ?? []) : []) {
    const inner = members(resolver.resolve(part), resolver, left - 1);
    for (const [name, one] of inner.found) found.set(name, one);
    for (const name of inner.needed) needed.add(name);
  }
  for (const [name, one] of Object.entries(schema.properties ?? {})) found.set(name, one);
  return { found, needed };
}

/** A schema as a list of its members, each with its type, its bounds and, to be opened, its own members. */
export function schemaView(given, resolver, { isInline = false, isOpen = false, left = DEEPEST } = {}) {
  const schema = resolver.resolve(given);
  if (typeof schema !== "object" || schema === null || left === 0) return null;
  if (isInline) return limits(schema);
  const parts = [];
  const { found, needed } = members(schema, resolver);
  if (found.size) {
    parts.push(h("ul", { class: "members" }, [...found].map(([name, one]) => memberView(name, one, needed.has(name), resolver, left))));
  }
  for (const key of ["oneOf", "anyOf"]) {
    const choices = (schema[key] ?? []).filter((one) => resolver.resolve(one)?.type !== "null");
    if (!choices.some((one) => isDeep(one, resolver))) continue;
    parts.push(h("p", { class: "limits" }, key === "oneOf" ? "One of these:" : "Any of these:"),
      choices.map((one) => nested(typeName(one, resolver), one, resolver, left, isOpen)));
  }
  if (schema.items && isDeep(schema.items, resolver)) parts.push(nested("each item", schema.items, resolver, left, isOpen || !found.size));
  for (const [place, one] of (schema.prefixItems ?? []).entries()) if (isDeep(one, resolver)) parts.push(nested(`item ${place}`, one, resolver, left, false));
  const other = schema.additionalProperties;
  if (typeof other === "object" && isDeep(other, resolver)) parts.push(nested(found.size ? "each other member" : "each member", other, resolver, left, isOpen || !found.size));
  if (!parts.length) return h("div", {}, h("p", { class: "type" }, typeName(given, resolver)), limits(schema));
  return h("div", { class: "schema-view" }, parts, found.size ? null : limits(schema));
}

function memberView(name, given, isNeeded, resolver, left) {
  const schema = resolver.resolve(given);
  const plain = typeof schema === "object" && schema !== null ? schema : {};
  const text = plain.description ?? plain.title;
  return h("li", {},
    h("p", {}, h("code", { class: "name" }, name), h("span", { class: "type" }, typeName(given, resolver)), isNeeded ? h("span", { class: "needed" }, "needed") : null,
      plain.deprecated ? h("em", {}, "deprecated") : null, plain.readOnly ? h("em", {}, "read only") : null),
    text ? h("p", { class: "small about" }, plainText(text)) : null, limits(plain),
    isDeep(given, resolver) ? nested("its members", given, resolver, left, false) : null);
}

/** Something to open: built when it is, since schemas may hold themselves. */
function nested(title, schema, resolver, left, isOpen) {
  const detail = h("details", { class: "nested", open: isOpen }, h("summary", {}, title));
  const fill = () => {
    if (detail.open && detail.childElementCount === 1) detail.append(schemaView(schema, resolver, { left: left - 1 }) ?? h("p", { class: "limits" }, "and so on"));
  };
  detail.addEventListener("toggle", fill);
  if (isOpen && left > 1) fill();
  return detail;
}

/** Whether there is more to show than a type and its bounds. */
function isDeep(given, resolver, left = 4) {
  const schema = resolver.resolve(given);
  if (typeof schema !== "object" || schema === null || left === 0) return false;
  if (schema.properties) return true;
  const inner = [schema.items, schema.additionalProperties, ...(schema.oneOf ?? []), ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  return inner.some((one) => one && isDeep(one, resolver, left - 1));
}

const plainText = (text) => text.replace(/[`*]/g, "");

/** An example of a body as text: the document's own, else one made from its schema. Null where nothing can be said. */
export function example(media, resolver) {
  const named = Object.values(media?.examples ?? {}).map((one) => resolver.resolve(one)?.value).find((one) => one !== undefined);
  const given = media?.example ?? named ?? (media?.schema ? made(media.schema, resolver) : undefined);
  if (given === undefined || given === null) return null;
  return typeof given === "string" ? given : JSON.stringify(given, null, 2);
}

/** A value that fits a schema. Where a schema holds itself the value ends. */
export function made(given, resolver, left = DEEPEST, within = []) {
  if (within.includes(given?.$ref)) return null;
  if (given?.$ref) within = [...within, given.$ref];
  const schema = resolver.resolve(given);
  if (typeof schema !== "object" || schema === null || left === 0) return null;
  if (schema.const !== undefined) return schema.const;
  const own = schema.examples?.[0] ?? schema.example ?? schema.default ?? schema.enum?.[0];
  if (own !== undefined) return own;
  const of = (one) => made(one, resolver, left - 1, within);
  const choice = schema.oneOf ?? schema.anyOf;
  if (choice) return of(choice.find((one) => resolver.resolve(one)?.type !== "null") ?? choice[0]);
  const { found } = members(schema, resolver);
  if (found.size) return Object.fromEntries([...found].map(([name, one]) => [name, of(one)]));
  const type = [schema.type].flat().find((one) => one !== "null");
  const text = { "date-time": "2026-01-31T12:00:00Z", date: "2026-01-31", uri: "https://shop.example/promo", ipv4: "192.0.2.1", uuid: "00000000-0000-4000-8000-000000000000" };
  switch (type) {
    case "object": return typeof schema.additionalProperties === "object" ? { name: of(schema.additionalProperties) } : {};
    case "array": return within.includes(schema.items?.$ref) || !schema.items ? [] : [of(schema.items)];
    case "integer": case "number": return schema.minimum ?? (schema.exclusiveMinimum !== undefined ? schema.exclusiveMinimum + 1 : 0);
    case "boolean": return true;
    case "string": return text[schema.format] ?? "text";
    default: return null;
  }
}
