/** What {@link startSandbox} returns: the parts of a sandbox that tests use. */

import type { FaultRule } from "./faults.ts";
import type { FaultName } from "./known_faults.ts";
import type { Certificate } from "./login/certificate.ts";
import type { ChallengedRefresh } from "./login/claims.ts";
import type { Revocation } from "./login/tokens.ts";
import type { Service } from "./messages.ts";
import type { RequestRecord } from "./request_handler.ts";
import type { SessionInfo } from "./storage/upload_sessions.ts";
import type { UserKey } from "./tenant/directory.ts";
import type { Behavior, ItemInfo } from "./tenant/tenant.ts";

/** A running sandbox. */
export interface Sandbox extends AsyncDisposable {
  /** Takes the place of `https://login.microsoftonline.com`. */
  readonly loginOrigin: string;
  /** Takes the place of `https://graph.microsoft.com`. */
  readonly apiOrigin: string;
  /** Where upload and download URLs point. */
  readonly storageOrigin: string;
  /** The ports on 127.0.0.1, for a proxy that leads other names to them. */
  readonly ports: Readonly<Record<Service, number>>;
  /** The lines of a hosts file that lead to the sandbox, for the option `hostNames`. */
  readonly hostsLines: readonly string[];
  /** Environment variables with the origins, ids and names to use. */
  readonly env: Record<string, string>;
  /** All requests so far, in order of arrival. */
  readonly requests: RequestRecord[];
  /** The active fault rules. */
  readonly faults: FaultRule[];
  /**
   * Appends rules, and known faults by name.
   *
   * @throws {Error} for a fault that has to be an option of `startSandbox`
   */
  addFault(...faults: (FaultRule | FaultName)[]): void;
  /** Removes all rules; changes of the tenant's behavior stay. */
  clearFaults(): void;
  /** The user at the browser. */
  readonly user: SandboxUser;
  /** The state of the tenant. */
  readonly tenant: SandboxTenant;
  /** The app-only registration: its ids and credentials. */
  readonly app: SandboxApp;
  /** Issues an access token without a sign-in. */
  issueToken(options?: TokenOptions): string;
  /** Expires all access tokens, even during a transfer. */
  expireAccessTokens(): void;
  /**
   * Revokes all refresh tokens: the next refresh fails with this AADSTS number. `invalid_grant`: 50173 after a
   * password reset (the default), 70043 for a sign-in frequency policy, 700082 after 90 days of disuse.
   * `interaction_required` 50076 and `access_denied` 53003: a new policy.
   */
  revokeRefreshTokens(why?: Revocation): void;
  /**
   * Challenges all access and refresh tokens of clients that support challenges: Graph responds with 401 and
   * `claims` until it gets a token requested with these. With "interaction_required" the refresh is refused too,
   * and the user has to sign in again; with "all" all other clients are challenged as well.
   */
  challenge(refresh?: ChallengedRefresh, clients?: "capable" | "all"): void;
  /** Stops the listeners and deletes the sandbox's files. */
  close(): Promise<void>;
}

/** Options of {@link Sandbox.issueToken}. */
export interface TokenOptions {
  /** Whose token. @default "adele" */
  as?: UserKey;
  /** Delegated Graph scopes, or roles of an app-only token. @default all consented */
  scopes?: string[];
  /** An app-only token of {@link Sandbox.app}. @default false */
  appOnly?: boolean;
  /** A token of a client that supports challenges (`cp1`). @default false */
  challengeable?: boolean;
  /** How long it is valid. @default `tokenLifeSeconds` of the sandbox */
  lifeSeconds?: number;
}

/**
 * The files of the tenant. Drives go by id or by name: "me" or "adele", "megan" and "robin" (OneDrives), "Contoso" (the root
 * site), "TestTeam" or "Documents", "Archive", "Leads" and "Marketing" (libraries). Paths have no leading slash.
 */
export interface SandboxTenant {
  /** Behavior in which real services differ; tests may change it. */
  readonly behavior: Behavior;
  /** A drive by id or name. @throws {Error} when there is none */
  drive(name: string): SandboxDrive;
  /** The item at this path, or undefined. */
  find(drive: string, path: string): ItemInfo | undefined;
  /** The stored bytes of a file. */
  bytes(drive: string, path: string): Promise<Uint8Array>;
  /** SHA-256 of a file in hex, streamed. */
  sha256(drive: string, path: string): Promise<string>;
  /** Stores a file as another user; creates parent folders and replaces an existing file. */
  addFile(drive: string, path: string, bytes: Uint8Array | string): ItemInfo;
  /** Creates a folder and its parents. */
  addFolder(drive: string, path: string): ItemInfo;
  /** Deletes an item and its contents as another user. */
  remove(drive: string, path: string): void;
  /** Simulates the first visit of a channel's Files tab, which creates its folder. */
  openFilesTab(channel: string): void;
  /** The share link of an item. */
  shareLink(drive: string, path: string): string;
  /** Open upload sessions. */
  openSessions(): SessionInfo[];
  /** Expires all open upload sessions. */
  expireUploadSessions(): void;
  /** All tokens, codes and pre-authenticated URLs issued so far, for a test that looks for leaks. */
  secrets(): string[];
}

/** A document library or OneDrive. */
export interface SandboxDrive {
  /** The id in Graph. */
  readonly id: string;
  /** The address in the browser. */
  readonly webUrl: string;
  /** Capacity in bytes; tests lower it. */
  quotaBytes: number;
}

/** The user at the browser, for tests that do not use the sign-in pages. */
export interface SandboxUser {
  /** The account used by default. @default the one of `login_hint`, or "adele" */
  as: UserKey;
  /** The user's response to every new device code and sign-in page. */
  always: "approve" | "decline" | "ignore";
  /** Approves all pending and future sign-ins with this account. */
  signIn(as: UserKey): void;
  /** Approves one pending device code, or all. @throws {Error} when none is pending, or the browser would show an error */
  approve(userCode?: string, as?: UserKey): void;
  /** Declines one pending device code, or all. @throws {Error} when none is pending */
  decline(userCode?: string): void;
  /** Ignores sign-ins, so that codes expire. */
  ignore(): void;
  /** Blocks all sign-ins by a policy with this AADSTS number, such as 53003; undefined lifts it. */
  stopAt(number: number | undefined, seenBy?: "browser" | "app"): void;
}

/** The app registration for app-only sign-in; tests add credentials and change roles. */
export interface SandboxApp {
  /** The client id. */
  readonly clientId: string;
  /** A valid client secret. */
  readonly clientSecret: string;
  /** Consented application permissions. */
  roles: string[];
  /** Adds a client secret; a negative lifetime makes an expired one. @default two years */
  addSecret(lifeSeconds?: number): string;
  /** Registers a certificate (PEM). @throws when it is not a certificate */
  addCertificate(pem: string): void;
  /** Creates a certificate and registers it. */
  newCertificate(valid?: { from?: Date; until?: Date }): Certificate;
  /** A token of another platform that the app trusts, or not, with other claims. */
  newFederatedToken(claims?: Record<string, unknown>): string;
}
