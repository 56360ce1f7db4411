/** Access, refresh and id tokens of the sandbox, and what each of them stands for. */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { Secrets } from "../secrets.ts";
import type { Directory, User } from "../tenant/directory.ts";
import { EntraError } from "./entra_error.ts";
import type { ScopeRequest } from "./scopes.ts";

/** What an access token allows. */
export interface AccessGrant {
  readonly user: User;
  readonly scopes: ReadonlySet<string>;
  expires: number;
  /** What a client asked for by the `claims` parameter. */
  readonly claims: string | undefined;
}

/** What a refresh token stands for. */
export interface RefreshGrant {
  readonly user: User;
  readonly request: ScopeRequest;
  revoked: boolean;
}

export class Tokens {
  readonly #directory: Directory;
  readonly #issuer: string;
  readonly #secrets: Secrets;
  readonly #access = new Map<string, AccessGrant>();
  readonly #refresh = new Map<string, RefreshGrant>();
  /** Set while continuous access evaluation wants other tokens than those it has given out (graph-protocol 9.1). */
  challenge: { readonly claims: string; readonly needsPerson: boolean } | undefined;

  constructor(directory: Directory, loginOrigin: string, secrets: Secrets) {
    this.#directory = directory;
    this.#issuer = `${loginOrigin}/${directory.tenantId}/v2.0`;
    this.#secrets = secrets;
  }

  /** A new access token. It looks like a JWT of about 1.5 kB; clients must treat it as opaque. */
  issueAccess(user: User, scopes: readonly string[], lifeSeconds: number, claims?: string): string {
    const now = Math.floor(Date.now() / 1000);
    const token = this.#jwt({ typ: "JWT", nonce: randomText(32), alg: "RS256", x5t: KEY_ID, kid: KEY_ID }, {
      aud: "00000003-0000-0000-c000-000000000000",
      iss: `https://sts.windows.net/${this.#directory.tenantId}/`,
      iat: now,
      nbf: now,
      exp: now + Math.ceil(lifeSeconds),
      acct: 0,
      acr: "1",
      aio: randomText(90),
      amr: ["pwd", "mfa"],
      app_displayname: this.#directory.application.displayName,
      appid: this.#directory.application.id,
      appidacr: "0",
      idtyp: "user",
      ipaddr: "127.0.0.1",
      ...this.#person(user),
      rh: `1.${randomText(48)}`,
      scp: scopes.join(" "),
      unique_name: user.userPrincipalName,
      upn: user.userPrincipalName,
      uti: randomText(16),
      wids: ["b79fbf4d-3ef9-4689-8143-76b194e85509"],
      xms_idrel: "1 28",
      xms_tcdt: 1709540130,
    });
    const expires = Date.now() + lifeSeconds * 1000;
    this.#access.set(token, { user, scopes: new Set(scopes), expires, claims });
    return token;
  }

  /** A new refresh token. */
  issueRefresh(user: User, request: ScopeRequest): string {
    const token = this.#secrets.issue(`1.${randomText(750)}`);
    this.#refresh.set(token, { user, request, revoked: false });
    return token;
  }

  /** An id_token, which is what MSAL makes its account of. */
  issueId(user: User): string {
    const now = Math.floor(Date.now() / 1000);
    return this.#jwt({ typ: "JWT", alg: "RS256", kid: KEY_ID }, {
      aud: this.#directory.application.id,
      iss: this.#issuer,
      iat: now,
      nbf: now,
      exp: now + 3600,
      preferred_username: user.userPrincipalName,
      rh: `1.${randomText(48)}`,
      uti: randomText(16),
      ...this.#person(user),
    });
  }

  /** The grant behind an access token, or undefined for one never issued. */
  access(token: string): AccessGrant | undefined {
    return this.#access.get(token);
  }

  /** @throws {EntraError} when the refresh token was never issued or is revoked */
  refresh(token: string): RefreshGrant {
    const grant = this.#refresh.get(token);
    if (grant === undefined) {
      throw new EntraError("invalid_grant", 70000, "Provided grant is invalid or malformed.", {
        suberror: "bad_token",
      });
    }
    if (grant.revoked) {
      const message = "The provided grant has expired due to it being revoked, a fresh auth token is needed.";
      throw new EntraError("invalid_grant", 50173, message, { suberror: "bad_token" });
    }
    return grant;
  }

  /** Wants other tokens from now on. */
  demandClaims(needsPerson: boolean): void {
    const nbf = { essential: true, value: String(Math.floor(Date.now() / 1000)) };
    this.challenge = { claims: JSON.stringify({ access_token: { nbf } }), needsPerson };
  }

  /** Whether a `claims` parameter, to which clients may have added their capabilities, answers the challenge. */
  answersChallenge(claims: string | undefined): boolean {
    const { challenge } = this;
    if (challenge === undefined) return true;
    const nbf = (text: string) => JSON.parse(text)?.access_token?.nbf?.value;
    try {
      return claims !== undefined && nbf(claims) === nbf(challenge.claims);
    } catch {
      return false; // a client that sends something else than JSON has not answered
    }
  }

  /** Lets all access tokens expire now. */
  expireAccess(): void {
    for (const grant of this.#access.values()) grant.expires = 0;
  }

  /** Revokes all refresh tokens, as a password reset does. */
  revokeRefresh(): void {
    for (const grant of this.#refresh.values()) grant.revoked = true;
  }

  #person(user: User): Record<string, string> {
    return {
      name: user.displayName,
      oid: user.id,
      sub: Buffer.from(`${user.id}${this.#directory.application.id}`).toString("base64url").slice(0, 43),
      tid: this.#directory.tenantId,
      ver: "2.0",
    };
  }

  /** The signature is noise: clients of Graph cannot check it (the service says so) and MSAL does not. */
  #jwt(header: unknown, payload: unknown): string {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    return this.#secrets.issue(`${part(header)}.${part(payload)}.${randomBytes(256).toString("base64url")}`);
  }
}

const KEY_ID = "c2FuZGJveC1rZXktb2YtY29udG9zbw";

/** Random base64url text of this length. */
export function randomText(length: number): string {
  return randomBytes(length).toString("base64url").slice(0, length);
}
