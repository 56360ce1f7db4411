/** Authorization codes, each bound to one app by its secret or PKCE verifier (RFC 6749, RFC 7636). */

import { createHash } from "node:crypto";
import type { Settings } from "../options.ts";
import type { Secrets } from "../secrets.ts";
import type { Application, User } from "../tenant/directory.ts";
import { type Authority, sameAuthority } from "./authorities.ts";
import type { Claims } from "./claims.ts";
import { EntraError } from "./entra_error.ts";
import type { ScopeRequest } from "./scopes.ts";
import { randomText } from "./tokens.ts";

/** What a code stands for. */
export interface CodeGrant {
  readonly authority: Authority;
  readonly client: Application;
  readonly redirectUri: string;
  readonly request: ScopeRequest;
  readonly claims: Claims;
  readonly nonce: string | undefined;
  /** SHA-256 of the verifier in base64url; undefined if an app with a credential sent none. */
  readonly challenge: string | undefined;
  readonly user: User;
}

/** What an app presents to redeem a code. */
export interface Redemption {
  readonly authority: Authority;
  readonly client: Application;
  readonly redirectUri: string;
  readonly verifier: string | null;
}

interface StoredCode {
  readonly grant: CodeGrant;
  readonly expires: number;
  redeemed: boolean;
}

export class AuthorizationCodes {
  readonly #settings: Settings;
  readonly #secrets: Secrets;
  readonly #codes = new Map<string, StoredCode>();

  constructor(settings: Settings, secrets: Secrets) {
    this.#settings = settings;
    this.#secrets = secrets;
  }

  issue(grant: CodeGrant): string {
    const code = this.#secrets.issue(`1.${randomText(400)}`);
    const expires = Date.now() + this.#settings.authorizationCodeLifeSeconds * 1000;
    this.#codes.set(code, { grant, expires, redeemed: false });
    return code;
  }

  /** Redeems a code once, before it expires, for the same app and redirect URI. @throws {EntraError} */
  redeem(code: string, by: Redemption): CodeGrant {
    const stored = this.#codes.get(code);
    if (stored === undefined || stored.grant.client !== by.client) {
      throw new EntraError("invalid_grant", 70000, "Provided grant is invalid or malformed.");
    }
    const { grant } = stored;
    if (!sameAuthority(grant.authority, by.authority)) {
      const message =
        "The provided authorization code is intended to use against other tenant, thus rejected.";
      throw new EntraError("invalid_grant", 700005, message);
    }
    if (stored.redeemed) {
      const message = "OAuth2 Authorization code was already redeemed, please retry with a new valid code " +
        "or use an existing refresh token.";
      throw new EntraError("invalid_grant", 54005, message);
    }
    // A failed attempt invalidates the code too.
    stored.redeemed = true;
    if (stored.expires <= Date.now()) {
      const message =
        "The provided authorization code or refresh token has expired due to inactivity. Send a " +
        "new interactive authorization request for this user and resource.";
      throw new EntraError("invalid_grant", 70008, message);
    }
    if (grant.redirectUri !== by.redirectUri) {
      const message = `The reply address '${by.redirectUri}' does not match the reply address ` +
        `'${grant.redirectUri}' provided when requesting Authorization code.`;
      throw new EntraError("invalid_grant", 500112, message);
    }
    checkVerifier(grant.challenge, by.verifier);
    return grant;
  }
}

function checkVerifier(challenge: string | undefined, verifier: string | null): void {
  if (challenge === undefined && verifier === null) return;
  const hash = createHash("sha256").update(verifier ?? "").digest("base64url");
  if (verifier !== null && /^[A-Za-z0-9._~-]{43,128}$/.test(verifier) && hash === challenge) return;
  const message =
    "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
  throw new EntraError("invalid_grant", 501481, message);
}
