// Elements from JavaScript. Text is always set as text: a page's name may hold anything.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "path", "line", "rect", "circle", "text", "title", "polyline"]);

/** An element: h("a", {class: "x", href: "#", onclick: f}, "text", child, …). Null children and attributes are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets a text only if it is another: a selection in it, and a screen reader's place, stay. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Brings the children of `parent` to one a key, in order; `make(key)` makes a new one, which must have `update(value)`. */
export function keyed(parent, entries, make) {
  const known = (parent.keyedRows ??= new Map());
  const wanted = new Set(entries.map(([key]) => key));
  for (const [key, row] of known) {
    if (!wanted.has(key)) {
      row.element.remove();
      known.delete(key);
    }
  }
  let place = parent.firstElementChild;
  for (const [key, value] of entries) {
    let row = known.get(key);
    if (!row) known.set(key, (row = make(key)));
    if (row.element === place) place = place.nextElementSibling;
    else parent.insertBefore(row.element, place);
    row.update(value);
  }
}

/** A line to copy. */
export function command(text) {
  const code = h("code", {}, text);
  const button = h("button", { type: "button", "aria-label": "Copy the command" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      // Without a secure context there is no clipboard: the text is selected instead.
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1600);
  });
  return h("div", { class: "command" }, code, button);
}
