/** How a sandbox can be set up. */

import type { FaultRule } from "./faults.ts";
import type { FaultName } from "./known_faults.ts";
import type { TlsFiles } from "./http/listener.ts";
import type { SignInAudience } from "./login/authorities.ts";
import type { Origins } from "./state.ts";

/** Options of {@link startSandbox}. */
export interface SandboxOptions {
  /** First of three consecutive ports. @default three free ones */
  port?: number;
  /**
   * Listens with TLS at `https://localhost`. With `origins` all addresses that the services give out are those, to which a
   * proxy must lead its clients.
   *
   * @default plain http
   */
  tls?: TlsFiles & { origins?: Origins };
  /** The person approves every device code at once. @default false */
  approve?: boolean;
  /** Life of access tokens. @default 3600 */
  tokenLifeSeconds?: number;
  /** Life of download URLs. @default 3600 */
  downloadUrlLifeSeconds?: number;
  /** Life of upload URLs, which no fragment prolongs (PROTOCOL U6). @default 86400 */
  uploadUrlLifeSeconds?: number;
  /** Life of an upload session from its creation and from every fragment. @default 900 */
  uploadSessionLifeSeconds?: number;
  /** `authorization_pending` answers before an approved code yields tokens. @default 1 */
  pendingPolls?: number;
  /** `interval` of the device code answer; above 0, faster polls are told to slow down. @default 5 */
  pollIntervalSeconds?: number;
  /** Life of device codes. @default 900 */
  deviceCodeLifeSeconds?: number;
  /** Delegated Graph scopes that need no question to the person. @default those of the five scripts */
  consented?: string[];
  /** The switch "Allow public client flows" of the app registration (PROTOCOL A1). @default true */
  publicClientFlows?: boolean;
  /** A used refresh token is dead; the service leaves it alive. @default false */
  revokeOldRefreshTokens?: boolean;
  /** Which accounts may use the app: `signInAudience` of its manifest. @default "AzureADMyOrg", this tenant only */
  signInAudience?: SignInAudience;
  /** Redirect addresses of the app; of a loopback one the port does not count. @default ["http://localhost"] */
  redirectUris?: string[];
  /** Life of authorization codes. @default 600 */
  authorizationCodeLifeSeconds?: number;
  /** Life of access tokens of clients that can be challenged (`cp1`). @default `tokenLifeSeconds`, or else 86400 */
  challengeableTokenLifeSeconds?: number;
  /** Refresh tokens not used for so long are dead (AADSTS700082). @default 90 days */
  refreshTokenIdleSeconds?: number;
  /** A policy: so long after the sign-in no refresh token works any more (AADSTS70043, PROTOCOL A6). @default never */
  signInFrequencySeconds?: number;
  /** How far the clock of the services is ahead of this machine's: `Date` headers and times in tokens. @default 0 */
  clockOffsetSeconds?: number;
  /** Application permissions of the app that works by itself. @default Files.ReadWrite.All and Sites.ReadWrite.All */
  appRoles?: string[];
  /** Known faults by their names; see known_faults.ts. */
  fault?: readonly FaultName[];
  /** Scripted faults. */
  faults?: FaultRule[];
  /** File that gets one JSON line a request. */
  logFile?: string;
}

/** Options with their defaults filled in. */
export type Settings = Readonly<
  Required<Omit<SandboxOptions, "port" | "tls" | "approve" | "fault" | "faults" | "logFile">>
>;

const CONSENTED = [
  "User.Read",
  "Files.Read",
  "Files.Read.All",
  "Files.ReadWrite",
  "Files.ReadWrite.All",
  "Sites.Read.All",
  "Sites.ReadWrite.All",
  "Team.ReadBasic.All",
  "Channel.ReadBasic.All",
];

/** Fills in the defaults. */
export function settingsFrom(options: SandboxOptions): Settings {
  return {
    tokenLifeSeconds: options.tokenLifeSeconds ?? 3600,
    downloadUrlLifeSeconds: options.downloadUrlLifeSeconds ?? 3600,
    uploadUrlLifeSeconds: options.uploadUrlLifeSeconds ?? 86_400,
    uploadSessionLifeSeconds: options.uploadSessionLifeSeconds ?? 900,
    pendingPolls: options.pendingPolls ?? 1,
    pollIntervalSeconds: options.pollIntervalSeconds ?? 5,
    deviceCodeLifeSeconds: options.deviceCodeLifeSeconds ?? 900,
    consented: options.consented ?? CONSENTED,
    publicClientFlows: options.publicClientFlows ?? true,
    revokeOldRefreshTokens: options.revokeOldRefreshTokens ?? false,
    signInAudience: options.signInAudience ?? "AzureADMyOrg",
    redirectUris: options.redirectUris ?? ["http://localhost"],
    authorizationCodeLifeSeconds: options.authorizationCodeLifeSeconds ?? 600,
    challengeableTokenLifeSeconds: options.challengeableTokenLifeSeconds ?? options.tokenLifeSeconds ??
      86_400,
    refreshTokenIdleSeconds: options.refreshTokenIdleSeconds ?? 90 * 86_400,
    signInFrequencySeconds: options.signInFrequencySeconds ?? Infinity,
    clockOffsetSeconds: options.clockOffsetSeconds ?? 0,
    appRoles: options.appRoles ?? ["Files.ReadWrite.All", "Sites.ReadWrite.All"],
  };
}
