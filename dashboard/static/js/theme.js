// Before the first paint, and no module for that reason: which colour scheme somebody chose here.
(() => {
  const KEY = "paretofarm-theme";
  const root = document.documentElement;
  const read = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage may be forbidden; then the system's scheme is it
    }
  };
  const chosen = read();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  const change = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem(KEY, root.dataset.theme);
    } catch {
      // for this page only
    }
    dispatchEvent(new Event("themechange"));
  };

  addEventListener("DOMContentLoaded", () => {
    document.querySelector("#theme")?.addEventListener("click", change);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("themechange")));
  });
})();
