/**
 * Workload identity federation: the app trusts tokens that another platform issues to its jobs
 * (https://learn.microsoft.com/entra/workload-id/workload-identity-federation).
 */

import { Buffer } from "node:buffer";
import { generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { EntraError } from "./entra_error.ts";

/** What the app registration says of the tokens that it trusts. */
const TRUSTED = {
  iss: "https://token.actions.example",
  sub: "repo:contoso/reports:ref:refs/heads/main",
  aud: "api://AzureADTokenExchange",
} as const;

/** Numbers by the claim that differs (PROTOCOL 13.6c). */
const MISMATCHES = [["iss", "issuer", 700211], ["aud", "audience", 700212], [
  "sub",
  "subject",
  700213,
]] as const;

/** The federated credential of the app, and the platform that issues the tokens. */
export class FederatedCredential {
  #keys: { publicKey: KeyObject; privateKey: KeyObject } | undefined;

  /** A token as the platform issues it to a job, valid for ten minutes. */
  newToken(claims: Record<string, unknown> = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const text = [{ alg: "RS256", typ: "JWT", kid: "sandbox" }, {
      ...TRUSTED,
      jti: crypto.randomUUID(),
      nbf: now,
      exp: now + 600,
      ...claims,
    }].map(part).join(".");
    const { privateKey } = this.#keyPair();
    return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
  }

  /** Checks whom a token is for, and its signature; its time is checked as that of every assertion. @throws {EntraError} */
  check(claims: Record<string, unknown>, text: string, signature: string): void {
    for (const [claim, name, number] of MISMATCHES) {
      if (claims[claim] === TRUSTED[claim]) continue;
      throw failure(
        number,
        `No matching federated identity record found for presented assertion ${name} '${
          claims[claim]
        }'. Check ` +
          "your federated identity credential Subject, Audience and Issuer against the presented assertion. " +
          "https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
      );
    }
    const { publicKey } = this.#keyPair();
    if (verify("sha256", Buffer.from(text), publicKey, Buffer.from(signature, "base64url"))) return;
    throw failure(50013, "Assertion failed signature validation.");
  }

  #keyPair() {
    return this.#keys ??= generateKeyPairSync("rsa", { modulusLength: 2048 });
  }
}

function failure(number: number, message: string): EntraError {
  return new EntraError("invalid_client", number, message, { status: 401 });
}
