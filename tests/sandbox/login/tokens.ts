/** Access, refresh and id tokens, and their grants. */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { Settings } from "../options.ts";
import type { Secrets } from "../secrets.ts";
import { type Application, type Directory, isPersonal, type User } from "../tenant/directory.ts";
import { serverTime } from "./clock.ts";
import { EntraError } from "./entra_error.ts";
import type { ScopeRequest } from "./scopes.ts";

export interface AccessGrant {
  /** Undefined for app-only tokens. */
  readonly user: User | undefined;
  readonly application: Application;
  /** Delegated scopes, or the roles of an app-only token. */
  readonly scopes: ReadonlySet<string>;
  /** The challenge that this token satisfies; 0 without one. */
  readonly challengeTime: number;
  /** Whether the client supports challenges (`cp1`). */
  readonly challengeable: boolean;
  expires: number;
}

export type AccessStart = Omit<AccessGrant, "scopes" | "expires"> & {
  readonly scopes: readonly string[];
  readonly lifeSeconds: number;
};

export interface RefreshGrant {
  readonly user: User;
  readonly client: Application;
  readonly request: ScopeRequest;
  /** Time of the sign-in. */
  readonly signedIn: number;
  /** The last challenge that this sign-in satisfied. */
  readonly challengeTime: number;
}

/** Why a refresh token is rejected: an AADSTS number (PROTOCOL 13.3 and 13.4). */
export type Revocation = 50076 | 50173 | 53003 | 70043 | 700082;

const REVOCATIONS = {
  50076: {
    error: "interaction_required",
    suberror: "basic_action",
    message:
      "Due to a configuration change made by your administrator, you must use multi-factor authentication.",
  },
  50173: {
    error: "invalid_grant",
    suberror: "bad_token",
    message: "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
  },
  // Policies also apply later to sessions that began with a device code (CAF).
  53003: {
    error: "access_denied",
    suberror: undefined,
    message:
      "Access has been blocked by Conditional Access policies. The access policy does not allow token " +
      "issuance.",
  },
  70043: {
    error: "invalid_grant",
    suberror: "token_expired",
    message:
      "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.",
  },
  700082: {
    error: "invalid_grant",
    suberror: "token_expired",
    message: "The refresh token has expired due to inactivity. It was inactive for 90.00:00:00.",
  },
};

interface StoredRefreshToken {
  readonly grant: RefreshGrant;
  lastUsed: number;
  revoked: Revocation | undefined;
}

export class Tokens {
  readonly #directory: Directory;
  readonly #loginOrigin: string;
  readonly #secrets: Secrets;
  readonly #settings: Settings;
  readonly #access = new Map<string, AccessGrant>();
  readonly #refresh = new Map<string, StoredRefreshToken>();

  constructor(directory: Directory, loginOrigin: string, secrets: Secrets, settings: Settings) {
    this.#directory = directory;
    this.#loginOrigin = loginOrigin;
    this.#secrets = secrets;
    this.#settings = settings;
  }

  /**
   * An access token: for work accounts a JWT of about 1.5 kB, for personal ones an opaque string (PROTOCOL 13.3).
   * Clients must treat both as opaque.
   */
  issueAccess({ lifeSeconds, ...start }: AccessStart): string {
    const personal = start.user !== undefined && isPersonal(start.user);
    const token = personal
      ? this.#secrets.issue(`EwB${randomText(1200)}`)
      : this.#jwt({ typ: "JWT", nonce: randomText(32), alg: "RS256", x5t: KEY_ID, kid: KEY_ID }, {
        ...this.#accessClaims(start),
        ...this.#times(lifeSeconds),
      });
    const expires = Date.now() + lifeSeconds * 1000;
    this.#access.set(token, { ...start, scopes: new Set(start.scopes), expires });
    return token;
  }

  #accessClaims({ user, application, scopes, challengeable }: Omit<AccessStart, "lifeSeconds">) {
    const tenantId = user?.tenantId ?? this.#directory.tenantId;
    return {
      aud: "00000003-0000-0000-c000-000000000000",
      iss: `https://sts.windows.net/${tenantId}/`,
      aio: randomText(90),
      app_displayname: application.displayName,
      appid: application.id,
      appidacr: user ? "0" : "1",
      idtyp: user ? "user" : "app",
      rh: `1.${randomText(48)}`,
      uti: randomText(16),
      xms_idrel: "1 28",
      xms_tcdt: 1709540130,
      ...(challengeable ? { xms_cc: ["cp1"] } : {}),
      ...(user
        ? {
          acct: user.home ? 1 : 0,
          acr: "1",
          amr: ["pwd", "mfa"],
          ipaddr: "127.0.0.1",
          ...this.#userClaims(user),
          scp: scopes.join(" "),
          unique_name: user.userPrincipalName,
          upn: user.userPrincipalName,
          wids: ["b79fbf4d-3ef9-4689-8143-76b194e85509"],
        }
        : {
          ...(scopes.length === 0 ? {} : { roles: scopes }),
          tid: tenantId,
          ver: "2.0",
          wids: ["0997a1d0-0d1d-4acb-b408-d5ca73121e90"],
        }),
    };
  }

  issueRefresh(grant: RefreshGrant): string {
    const token = this.#secrets.issue(`1.${randomText(750)}`);
    this.#refresh.set(token, { grant, lastUsed: Date.now(), revoked: undefined });
    return token;
  }

  /** The id_token, from which MSAL derives its account. */
  issueId(user: User, client: Application, nonce: string | undefined): string {
    const { home } = user;
    return this.#jwt({ typ: "JWT", alg: "RS256", kid: KEY_ID }, {
      aud: client.id,
      iss: `${this.#loginOrigin}/${user.tenantId}/v2.0`,
      ...this.#times(3600),
      ...(nonce === undefined ? {} : { nonce }),
      ...(home ? { idp: `https://sts.windows.net/${home.tenantId}/` } : {}),
      preferred_username: home ? user.mail : user.userPrincipalName,
      rh: `1.${randomText(48)}`,
      uti: randomText(16),
      ...this.#userClaims(user),
    });
  }

  /** The grant of an access token, or undefined for one never issued. */
  access(token: string): AccessGrant | undefined {
    return this.#access.get(token);
  }

  /** @throws {EntraError} when the refresh token was not issued to this app, is revoked or is too old */
  refresh(token: string, client: Application): RefreshGrant {
    const stored = this.#refresh.get(token);
    // What does not look like one is rejected before it is looked up (PROTOCOL 13.4b).
    if (!/^\d\.[\w-]{20,}$/.test(token)) {
      throw new EntraError("invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.");
    }
    if (stored === undefined || stored.grant.client !== client) {
      throw new EntraError("invalid_grant", 70000, "Provided grant is invalid or malformed.", {
        suberror: "bad_token",
      });
    }
    const now = Date.now();
    const { refreshTokenIdleSeconds, signInFrequencySeconds } = this.#settings;
    if (now - stored.lastUsed >= refreshTokenIdleSeconds * 1000) stored.revoked ??= 700082;
    if (now - stored.grant.signedIn >= signInFrequencySeconds * 1000) stored.revoked ??= 70043;
    if (stored.revoked !== undefined) {
      const { error, message, suberror } = REVOCATIONS[stored.revoked];
      throw new EntraError(error, stored.revoked, message, suberror === undefined ? {} : { suberror });
    }
    stored.lastUsed = now;
    return stored.grant;
  }

  /** Revokes one refresh token. */
  retire(token: string): void {
    this.#refresh.get(token)!.revoked ??= 50173;
  }

  /** Expires all access tokens. */
  expireAccess(): void {
    for (const grant of this.#access.values()) grant.expires = 0;
  }

  /** Revokes all refresh tokens issued so far. */
  revokeRefresh(why: Revocation): void {
    for (const stored of this.#refresh.values()) stored.revoked ??= why;
  }

  #times(lifeSeconds: number): { iat: number; nbf: number; exp: number } {
    const now = Math.floor(serverTime(this.#settings) / 1000);
    return { iat: now, nbf: now, exp: now + Math.ceil(lifeSeconds) };
  }

  #userClaims(user: User): Record<string, string> {
    const { id } = this.#directory.application;
    return {
      name: user.displayName,
      oid: objectId(user),
      sub: Buffer.from(`${user.id}${id}`).toString("base64url").slice(0, 43),
      tid: user.tenantId,
      ver: "2.0",
    };
  }

  /** The signature is random: clients cannot verify Graph tokens, as the service says, and MSAL does not try. */
  #jwt(header: unknown, payload: unknown): string {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    return this.#secrets.issue(`${part(header)}.${part(payload)}.${randomBytes(256).toString("base64url")}`);
  }
}

const KEY_ID = "c2FuZGJveC1rZXktb2YtY29udG9zbw";

/** The account id as in tokens; that of a personal account is padded to a GUID. */
export function objectId(user: User): string {
  if (!isPersonal(user)) return user.id;
  return `00000000-0000-0000-${user.id.slice(0, 4)}-${user.id.slice(4)}`;
}

/** `client_info`: the home account, whichever tenant it is used in (MSALPY token_cache.py). */
export function clientInfo(user: User): string {
  const home = user.home ?? user;
  const info = { uid: objectId(home), utid: home.tenantId };
  return Buffer.from(JSON.stringify(info)).toString("base64url");
}

export function randomText(length: number): string {
  return randomBytes(length).toString("base64url").slice(0, length);
}
