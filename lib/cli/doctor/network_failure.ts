/**
 * Why a host cannot be reached, as Deno words it, and what helps.
 *
 * @module
 */
import type { GraphError } from "../../errors.ts";
import { type Check, type Diagnosis, fail, failWith } from "./finding.ts";

/** The first match counts: messages about proxies and certificates mention the connection too. */
const CAUSES: readonly [pattern: RegExp, cause: string, hint: string][] = [
  [
    /dns error|failed to lookup|name or service not known|no such host|nodename nor servname/i,
    "name",
    "your DNS does not know the name: check the network or VPN; if only a proxy knows it, set HTTPS_PROXY",
  ],
  [
    /certificate|UnknownIssuer|NotValidForName|CaUsedAsEndEntity|tls|handshake/i,
    "certificate",
    "if a company proxy inspects TLS, set DENO_TLS_CA_STORE=system, or DENO_CERT to its certificate file; check the clock too",
  ],
  [
    /proxy|tunnel|407/i,
    "proxy",
    "the proxy refuses it: check HTTPS_PROXY with its user name and password, and NO_PROXY",
  ],
  [
    /no answer within|no response within|timed out|timeout/i,
    "timeout",
    "a firewall may drop it: allow the host on TCP 443, or set HTTPS_PROXY",
  ],
  [
    /./,
    "connection",
    "a firewall or a proxy setting may be wrong: allow the host on TCP 443, and check HTTPS_PROXY and NO_PROXY",
  ],
];

/** The finding of a request that failed. */
export function failNetwork(check: Check, error: GraphError): Diagnosis {
  if (error.code !== "network") return failWith(check, error);
  const [, cause, hint] = CAUSES.find(([pattern]) => pattern.test(error.message))!;
  return fail(check, "unavailable", `${error.message} (${cause})`, hint);
}
