import type { FaultRule } from "./faults.ts";
import type { FaultName } from "./known_faults.ts";
import type { TlsFiles } from "./http/listener.ts";
import type { LineShape } from "./http/shaped_line.ts";
import type { SignInAudience } from "./login/authorities.ts";

/** TLS of a sandbox. */
export interface TlsOptions extends TlsFiles {
  /**
   * Serves the service's own names (`login.microsoftonline.com`, `graph.microsoft.com`, `contoso.sharepoint.com` …) on
   * one port, and gives out only URLs with these. A hosts file or a proxy must lead clients to it.
   *
   * @default false
   */
  hostNames?: boolean;
  /** With `hostNames`: the port in URLs, if a proxy leads from there to the sandbox. @default the port it listens on */
  publicPort?: number;
}

/** Options of {@link startSandbox}. */
export interface SandboxOptions {
  /** The first of three consecutive ports; with `hostNames` the only one. @default free ones */
  port?: number;
  /** Listens with TLS, at `https://localhost` unless `hostNames`. @default plain http */
  tls?: TlsOptions;
  /** Delays all connections and limits their rate, as a line to a distant service does. @default none */
  line?: LineShape;
  /** Approves every device code immediately. @default false */
  approve?: boolean;
  /** Lifetime of access tokens. @default 3600 */
  tokenLifeSeconds?: number;
  /** Lifetime of download URLs. @default 3600 */
  downloadUrlLifeSeconds?: number;
  /** Lifetime of upload URLs, which fragments do not extend (PROTOCOL U6). @default 86400 */
  uploadUrlLifeSeconds?: number;
  /** Lifetime of an upload session after its creation and after each fragment. @default 900 */
  uploadSessionLifeSeconds?: number;
  /** `authorization_pending` responses before an approved code yields tokens. @default 1 */
  pendingPolls?: number;
  /** `interval` of the device code response; if above 0, faster polls get `slow_down`. @default 5 */
  pollIntervalSeconds?: number;
  /** Lifetime of device codes. @default 900 */
  deviceCodeLifeSeconds?: number;
  /** Delegated Graph scopes that are already consented. @default those of the five scripts */
  consented?: string[];
  /** "Allow public client flows" of the app registration (PROTOCOL A1). @default true */
  publicClientFlows?: boolean;
  /** Revokes used refresh tokens, which the real service does not. @default false */
  revokeOldRefreshTokens?: boolean;
  /** Which accounts may use the app: `signInAudience` of its manifest. @default "AzureADMyOrg", this tenant only */
  signInAudience?: SignInAudience;
  /**
   * Further redirect URIs of the app, beside `http://localhost` and the classic one of programs without a browser of their
   * own, `https://login.microsoftonline.com/common/oauth2/nativeclient`. The port of a loopback one is ignored.
   */
  redirectUris?: string[];
  /** Lifetime of authorization codes. @default 600 */
  authorizationCodeLifeSeconds?: number;
  /**
   * Lifetime of access tokens of clients that support challenges (`cp1`). @default `tokenLifeSeconds`, or else
   * 86400
   */
  challengeableTokenLifeSeconds?: number;
  /** Refresh tokens expire when unused for this long (AADSTS700082). @default 90 days */
  refreshTokenIdleSeconds?: number;
  /** A policy: refresh tokens expire this long after the sign-in (AADSTS70043, PROTOCOL A6). @default never */
  signInFrequencySeconds?: number;
  /** How far the services' clock is ahead of this machine's, in `Date` headers and tokens. @default 0 */
  clockOffsetSeconds?: number;
  /** Application permissions of the app-only registration. @default Files.ReadWrite.All and Sites.ReadWrite.All */
  appRoles?: string[];
  /**
   * Where the live service answered differently in earlier years, and perhaps still does for some accounts, answers that way:
   * ids, tags, times and ranges of personal OneDrives that are not migrated, encoded paths, errors.
   *
   * @default false
   */
  olderForms?: boolean;
  /** Storage ignores bearer tokens, as some front ends do, for older clients that send them (PROTOCOL U5). @default false */
  lenientStorage?: boolean;
  /** Known faults by name; see known_faults.ts. */
  fault?: readonly FaultName[];
  /** Scripted faults. */
  faults?: FaultRule[];
  /** A file for the request log: one JSON line per request. */
  logFile?: string;
  /** Folder that is made for the `GRAPH_SCRIPTS_HOME` of {@link Sandbox.env}. @default a temporary one */
  home?: string;
}

/** Options with their defaults filled in. */
export type Settings = Readonly<
  Required<
    Omit<SandboxOptions, "port" | "tls" | "line" | "approve" | "fault" | "faults" | "logFile" | "home">
  >
>;

const REDIRECT_URIS = [
  "http://localhost",
  "https://login.microsoftonline.com/common/oauth2/nativeclient",
];

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
    redirectUris: [...REDIRECT_URIS, ...options.redirectUris ?? []],
    authorizationCodeLifeSeconds: options.authorizationCodeLifeSeconds ?? 600,
    challengeableTokenLifeSeconds: options.challengeableTokenLifeSeconds ?? options.tokenLifeSeconds ??
      86_400,
    refreshTokenIdleSeconds: options.refreshTokenIdleSeconds ?? 90 * 86_400,
    signInFrequencySeconds: options.signInFrequencySeconds ?? Infinity,
    clockOffsetSeconds: options.clockOffsetSeconds ?? 0,
    olderForms: options.olderForms ?? false,
    lenientStorage: options.lenientStorage ?? false,
    appRoles: options.appRoles ?? ["Files.ReadWrite.All", "Sites.ReadWrite.All"],
  };
}
