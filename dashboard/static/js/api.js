// The HTTP API of this very site. Everything that changes something proves that it comes from our own page.
const PREFIX = "/api/v1";

/** What the server said was wrong: `detail` of its problem document, and the status. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export const address = (path, parameters = {}) => {
  const known = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(known).toString();
  return PREFIX + path + (query ? `?${query}` : "");
};

export const segment = (text) => encodeURIComponent(text);

export async function get(path, parameters, { signal } = {}) {
  return answer(await fetch(address(path, parameters), { headers: { Accept: "application/json" }, signal }));
}

export async function send(method, path, body) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const headers = { Accept: "application/json", "X-CSRF-Token": token };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return answer(await fetch(address(path), { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }));
}

async function answer(response) {
  if (response.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  const text = await response.text();
  const document = text && (response.headers.get("content-type") ?? "").includes("json") ? JSON.parse(text) : null;
  if (!response.ok) throw new Problem(response.status, document?.detail ?? `${response.status} ${response.statusText}`);
  return document;
}

/** Whether the visitor's token may do that: `operate` or `admin`. */
export const may = (scope) => {
  const scopes = ["read", "operate", "admin"];
  return scopes.indexOf(document.body.dataset.scope) >= scopes.indexOf(scope);
};
