/**
 * Why a host could not be reached, as Deno words it, and what helps.
 *
 * @module
 */
import type { GraphError } from "../../errors.ts";
import { type Diagnosis, fail, failure } from "./finding.ts";

type Kind = "name" | "certificate" | "proxy" | "time-out" | "connection";

/** The first that matches counts: texts about proxies and certificates also speak of the connection. */
const KINDS: readonly [pattern: RegExp, kind: Kind, hint: string][] = [
  [
    /dns error|failed to lookup|name or service not known|no such host|nodename nor servname/i,
    "name",
    "the name is not known to your DNS: check the network or VPN; if only a proxy knows it, set HTTPS_PROXY",
  ],
  [
    /certificate|UnknownIssuer|NotValidForName|CaUsedAsEndEntity|tls|handshake/i,
    "certificate",
    "if a company proxy opens TLS, set DENO_TLS_CA_STORE=system, or DENO_CERT to the file of its certificate; check the clock too",
  ],
  [
    /proxy|tunnel|407/i,
    "proxy",
    "the proxy does not let it through: check HTTPS_PROXY with its user name and password, and NO_PROXY",
  ],
  [
    /no answer within|timed out|timeout/i,
    "time-out",
    "a firewall may drop it: allow the host on TCP 443, or set HTTPS_PROXY",
  ],
];
const CONNECTION =
  "a firewall or a proxy setting may be wrong: allow the host on TCP 443, and check HTTPS_PROXY and NO_PROXY";

/** The finding of a request that got no answer. */
export function networkFinding(check: string, error: GraphError): Diagnosis {
  if (error.code !== "network") return failure(check, error);
  const [, kind, hint] = KINDS.find(([pattern]) => pattern.test(error.message)) ??
    [null, "connection", CONNECTION];
  return fail(check, "unavailable", `${error.message} (${kind})`, hint);
}
