/**
 * What `fetch` says of proxies and certificates that do not work, in words that lead to the setting.
 *
 * @module
 */

/** Why there is no connection, and what to check. */
interface ConnectFailure {
  reason: string;
  /** `network` may pass with time; `proxyAuthentication` and `certificate` do not. */
  code: "network" | "proxyAuthentication" | "certificate";
  hint: string;
}

/** Explains a failure from Deno's own text, which has no code. */
export function explainFailure(text: string): ConnectFailure {
  const proxy = proxyInUse();
  const theProxy = proxy ? `the proxy ${proxy}` : "the proxy";
  if (text.includes("proxy authentication required")) {
    return {
      reason: `${theProxy} refused its user name and password`,
      code: "proxyAuthentication",
      hint:
        "check HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT, with special characters percent-encoded, such as %40 for @",
    };
  }
  if (text.includes("tunnel")) {
    return {
      reason: `${theProxy} does not connect to it (${text})`,
      code: "network",
      hint: "ask whoever runs the proxy to allow this host on port 443, or exclude the host with NO_PROXY",
    };
  }
  if (text.includes("opening CA file")) {
    return { reason: text, code: "certificate", hint: "check the path in DENO_CERT; it takes a PEM file" };
  }
  if (text.includes("invalid peer certificate")) {
    return {
      reason: text,
      code: "certificate",
      hint:
        "if your company inspects TLS, trust its certificate authority: export DENO_CERT=/path/ca.pem, or DENO_TLS_CA_STORE=system if this machine trusts it",
    };
  }
  return {
    reason: proxy ? `${text}; the proxy is ${proxy}` : text,
    code: "network",
    hint:
      "check the network; behind a proxy or a company certificate, see HTTPS_PROXY, NO_PROXY and DENO_TLS_CA_STORE=system",
  };
}

/** Host and port of the proxy, without credentials; `undefined` also where the program may not read the variables. */
function proxyInUse(): string | undefined {
  const isReadable = (variable: string) =>
    Deno.permissions.querySync({ name: "env", variable }).state === "granted";
  const value = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].filter(isReadable)
    .map((name) => Deno.env.get(name)).find(Boolean);
  return value && URL.parse(value.includes("://") ? value : `http://${value}`)?.host;
}
