/**
 * What stands between this machine and the service by its settings: proxies and certificates (PROTOCOL A8). Deno's
 * `fetch` reads these variables by itself; they are read here to be told only.
 *
 * @module
 */
import { type Diagnosis, ok, warn } from "./finding.ts";

const PROXIES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
const LISTS = ["NO_PROXY", "no_proxy"];
const CERTIFICATES = ["DENO_TLS_CA_STORE", "DENO_CERT"];

/** Tells the proxy and certificate variables in force, without credentials. */
export function checkProxy(env: (name: string) => string | undefined): Diagnosis {
  const names = [...PROXIES, ...LISTS, ...CERTIFICATES];
  const found: string[] = [];
  const unclear: string[] = [];
  const unread: string[] = [];
  for (const name of names) {
    let value: string | undefined;
    try {
      value = env(name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      unread.push(name);
      continue;
    }
    if (!value || found.some((said) => said.toLowerCase().startsWith(`${name.toLowerCase()}=`))) continue;
    const shown = PROXIES.includes(name) ? withoutCredentials(value) : value;
    if (shown === undefined) unclear.push(name);
    else found.push(`${name}=${shown}`);
  }
  if (unread.length > 0) {
    return warn(
      "proxy",
      `not known: this program may not read ${unread.join(", ")}; fetch heeds them all the same`,
      `run it with --allow-env=${unread.join(",")} as well`,
    );
  }
  if (unclear.length > 0) {
    return warn(
      "proxy",
      `${unclear.join(" and ")}: not the address of a proxy`,
      "write it like http://proxy:8080",
    );
  }
  return ok("proxy", found.join(", ") || "no proxy; certificates of Deno's own list");
}

/** `undefined` for what is no address. */
function withoutCredentials(proxy: string): string | undefined {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  if (!URL.canParse(address)) return undefined;
  const { protocol, host, username, password } = new URL(address);
  return `${protocol}//${host}${username || password ? " (with credentials)" : ""}`;
}
