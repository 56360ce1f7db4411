/** The state shared by the three services of a sandbox. */

import { AuthorizationCodes } from "./login/authorization_codes.ts";
import { Challenges } from "./login/claims.ts";
import { TestUser } from "./login/test_user.ts";
import { AppOnlyClient } from "./login/app_only_client.ts";
import { Tokens } from "./login/tokens.ts";
import { DeviceCodes } from "./login/device_codes.ts";
import { type SandboxOptions, type Settings, settingsFrom } from "./options.ts";
import { Secrets } from "./secrets.ts";
import { Copies } from "./storage/copies.ts";
import { UrlSigner } from "./storage/url_signer.ts";
import { UploadSessions } from "./storage/upload_sessions.ts";
import { APP_CLIENT_ID } from "./tenant/contoso.ts";
import type { Site, User } from "./tenant/directory.ts";
import type { SharingLink } from "./tenant/sharing_link.ts";
import { Tenant } from "./tenant/tenant.ts";

export interface Origins {
  readonly login: string;
  readonly graph: string;
  /** Of upload and download URLs of a site. */
  storage(site: Pick<Site, "hostname">): string;
}

export interface State {
  readonly settings: Settings;
  /** Graph scopes that are already consented. */
  readonly consented: Set<string>;
  readonly origins: Origins;
  readonly secrets: Secrets;
  readonly tenant: Tenant;
  readonly tokens: Tokens;
  readonly deviceCodes: DeviceCodes;
  readonly authorizationCodes: AuthorizationCodes;
  readonly challenges: Challenges;
  readonly user: TestUser;
  /** The account of the browser session, for `prompt=none`. */
  readonly browser: { user: User | undefined };
  /** The app-only registration. */
  readonly app: AppOnlyClient;
  readonly signer: UrlSigner;
  readonly sessions: UploadSessions;
  readonly copies: Copies;
  /** Share links that clients have created. */
  readonly links: SharingLink[];
}

/** The initial state; file contents are stored in `folder`. */
export function newState(options: SandboxOptions, origins: Origins, folder: string): State {
  const settings = settingsFrom(options);
  const secrets = new Secrets();
  const sessions = new UploadSessions(settings.uploadSessionLifeSeconds);
  const tenant = new Tenant(folder, secrets, sessions, settings.olderForms);
  const deviceCodes = new DeviceCodes(settings, secrets);
  return {
    settings,
    consented: new Set(settings.consented),
    origins,
    secrets,
    tenant,
    tokens: new Tokens(tenant.directory, origins.login, secrets, settings),
    deviceCodes,
    authorizationCodes: new AuthorizationCodes(settings, secrets),
    challenges: new Challenges(),
    user: new TestUser(deviceCodes, tenant.directory, options.approve === true ? "approve" : "ignore"),
    browser: { user: undefined },
    app: new AppOnlyClient(APP_CLIENT_ID, settings.appRoles, secrets),
    signer: new UrlSigner(secrets),
    sessions,
    copies: new Copies(),
    links: [],
  };
}
