/** What the three services of one sandbox share. */

import { AuthorizationCodes } from "./login/authorization_codes.ts";
import { Challenges } from "./login/claims.ts";
import { TestUser } from "./login/test_user.ts";
import { AppOnlyClient } from "./login/app_only_client.ts";
import { Tokens } from "./login/tokens.ts";
import { DeviceCodes } from "./login/device_codes.ts";
import { type SandboxOptions, type Settings, settingsFrom } from "./options.ts";
import { Secrets } from "./secrets.ts";
import { UrlSigner } from "./storage/url_signer.ts";
import { UploadSessions } from "./storage/upload_sessions.ts";
import { APP_CLIENT_ID } from "./tenant/contoso.ts";
import type { User } from "./tenant/directory.ts";
import { Tenant } from "./tenant/tenant.ts";

export interface Origins {
  readonly login: string;
  readonly graph: string;
  readonly storage: string;
}

export interface State {
  readonly settings: Settings;
  /** Graph scopes the app may have without asking the person again. */
  readonly consented: Set<string>;
  readonly origins: Origins;
  readonly secrets: Secrets;
  readonly tenant: Tenant;
  readonly tokens: Tokens;
  readonly deviceCodes: DeviceCodes;
  readonly authorizationCodes: AuthorizationCodes;
  readonly challenges: Challenges;
  readonly user: TestUser;
  /** Whose session the browser holds, for sign-ins that ask nobody. */
  readonly browser: { user: User | undefined };
  /** The app registration for unattended work. */
  readonly app: AppOnlyClient;
  readonly signer: UrlSigner;
  readonly sessions: UploadSessions;
}

/** The state of a new sandbox. `folder` gets the bytes of all files. */
export function newState(options: SandboxOptions, origins: Origins, folder: string): State {
  const settings = settingsFrom(options);
  const secrets = new Secrets();
  const sessions = new UploadSessions(settings.uploadSessionLifeSeconds);
  const tenant = new Tenant(folder, secrets, sessions);
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
  };
}
