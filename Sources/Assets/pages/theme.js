// The theme before the first paint: what was chosen here, else what the system prefers. Loaded without `defer` for that reason.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const apply = () => { root.dataset.theme = chosen() ?? (system.matches ? "dark" : "light"); };
  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-toggle-theme]")) return;
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    // What the system prefers anyway need not be remembered.
    try {
      if (next === (system.matches ? "dark" : "light")) localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch { /* Storage is refused: it holds for this page. */ }
    root.dataset.theme = next;
  });
})();
