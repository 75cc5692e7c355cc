// Elements without a framework. Text is always text: nothing from the database is ever parsed as markup.
const SVG = "http://www.w3.org/2000/svg";

const fill = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (name === "value" && "value" in element) element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** New children in place of the old; the focus stays on the element of the same `data-key`. */
export const replace = (element, ...children) => {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  if (key) element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  return element;
};

export const page = () => document.querySelector("#page");

export const ready = (...children) => {
  replace(page(), ...children);
  page().setAttribute("aria-busy", "false");
};

/** A short message in the corner, read out too. */
export const toast = (text, { bad = false } = {}) => {
  const message = h("div", { class: bad ? "toast bad" : "toast" }, text);
  document.querySelector("#toasts").append(message);
  setTimeout(() => message.remove(), bad ? 9000 : 4000);
};

/** Runs an action of a button; what goes wrong is said, and the button waits for its end. */
export const attempt = async (button, action) => {
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    toast(error.message, { bad: true });
  } finally {
    button.disabled = false;
  }
};

export const button = (label, onclick, attributes = {}) => h("button", { type: "button", onclick, ...attributes }, label);

export const simulated = (is) => is && h("span", { class: "badge warn", title: "Not measured on silicon" }, "simulated");

/** Asks in a dialog; resolves to the form's fields, or to null. */
export const ask = ({ title, body, confirm, danger = false }) =>
  new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { "aria-label": title },
      h(
        "form",
        { method: "dialog" },
        h("h2", {}, title),
        body,
        h(
          "div",
          { class: "actions" },
          button("Cancel", () => dialog.close()),
          h("button", { type: "submit", value: "yes", class: danger ? "danger" : "primary" }, confirm),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      const fields = Object.fromEntries(new FormData(dialog.querySelector("form")));
      resolve(dialog.returnValue === "yes" ? fields : null);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
