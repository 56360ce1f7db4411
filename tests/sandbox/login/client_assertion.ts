/**
 * Client assertions: a JWT proves that the app has the key of a certificate (RFC 7523), or that a platform runs it which the
 * app trusts.
 */

import { Buffer } from "node:buffer";
import { constants, verify } from "node:crypto";
import { EntraError } from "./entra_error.ts";
import type { AppOnlyClient, RegisteredCertificate } from "./app_only_client.ts";

type Json = Record<string, unknown>;

export interface AssertionRules {
  /** Accepted token endpoints. */
  readonly audiences: readonly string[];
  /** Server time in milliseconds since 1970. */
  readonly now: number;
}

/** Validates an assertion. It may be used repeatedly: MSAL reuses one for ten minutes. @throws {EntraError} */
export function checkAssertion(app: AppOnlyClient, assertion: string, rules: AssertionRules): void {
  const parts = assertion.split(".");
  const [head, body, signature] = parts as [string, string, string];
  if (parts.length !== 3) throw assertionError(50027, "JWT token is invalid or malformed.");
  const header = jsonOf(head);
  const claims = jsonOf(body);
  if (header["alg"] !== "RS256" && header["alg"] !== "PS256") {
    throw assertionError(
      5002738,
      `Invalid JWT token. '${header["alg"]}' is not a supported signature algorithm.`,
    );
  }
  const isOwn = claims["iss"] === app.id || "x5t" in header || "x5t#S256" in header;
  if (!isOwn) {
    app.federation.check(claims, `${head}.${body}`, signature);
    return checkTime(claims, rules.now);
  }
  const certificate = app.certificate(header["x5t"], header["x5t#S256"]);
  if (certificate === undefined) throw badSignature("The key was not found.", header, app);
  if (!isSigned(certificate, `${head}.${body}`, signature, header["alg"] === "PS256")) {
    throw badSignature(
      "The provided signature value did not match the expected signature value.",
      header,
      app,
    );
  }
  if (certificate.from > rules.now || certificate.until <= rules.now) {
    throw badSignature("The key used is expired.", header, app);
  }
  checkClaims(app, claims, rules);
}

function checkClaims(app: AppOnlyClient, claims: Json, { audiences, now }: AssertionRules): void {
  const { aud, iss, sub } = claims;
  if (iss !== sub || iss !== app.id) {
    throw assertionError(
      700021,
      "Client assertion application identifier doesn't match 'client_id' parameter.",
    );
  }
  if (typeof aud !== "string" || !audiences.includes(aud.toLowerCase())) {
    throw assertionError(700023, `Client assertion audience claim does not match Realm issuer.`);
  }
  checkTime(claims, now);
}

function checkTime({ exp, nbf, jti }: Json, now: number): void {
  if (typeof exp !== "number" || typeof jti !== "string" || jti === "") {
    throw assertionError(50027, "JWT token is invalid or malformed: 'exp' and 'jti' are required.");
  }
  const start = typeof nbf === "number" ? nbf * 1000 : -Infinity;
  if (start - CLOCK_TOLERANCE_MS > now || exp * 1000 + CLOCK_TOLERANCE_MS <= now) {
    const message = `Client assertion is not within its valid time range. Current time: ` +
      `${new Date(now).toISOString()}, expiry time of assertion ${new Date(exp * 1000).toISOString()}.`;
    throw assertionError(700024, message);
  }
}

/** Five minutes is the usual tolerance of such services. */
const CLOCK_TOLERANCE_MS = 300_000;

function isSigned(
  certificate: RegisteredCertificate,
  text: string,
  signature: string,
  pss: boolean,
): boolean {
  const key = pss
    ? {
      key: certificate.publicKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }
    : certificate.publicKey;
  return verify("sha256", Buffer.from(text), key, Buffer.from(signature, "base64url"));
}

function jsonOf(part: string): Json {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    if (typeof value === "object" && value !== null) return value as Json;
  } catch { /* reported below */ }
  throw assertionError(50027, "JWT token is invalid or malformed.");
}

function badSignature(reason: string, header: Json, app: AppOnlyClient): EntraError {
  const thumbprint = Buffer.from(String(header["x5t"] ?? header["x5t#S256"] ?? ""), "base64url").toString(
    "hex",
  );
  const message = `The certificate with identifier used to sign the client assertion is not registered on ` +
    `application. [Reason - ${reason}, Thumbprint of key used by client: '${thumbprint.toUpperCase()}', ` +
    `Please visit the Azure Portal for app '${app.id}'.]`;
  return assertionError(700027, message);
}

function assertionError(number: number, message: string): EntraError {
  return new EntraError("invalid_client", number, message, { status: 401 });
}
