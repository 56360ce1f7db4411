/** The state shared by the three services of a sandbox. */

import { AuthorizationCodes } from "./login/authorization_codes.ts";
import { Challenges } from "./login/claims.ts";
import { TestUser } from "./login/test_user.ts";
import { AppOnlyClient } from "./login/app_only_client.ts";
import { Tokens } from "./login/tokens.ts";
import { DeviceCodes } from "./login/device_codes.ts";
import { type SandboxOptions, type Settings, settingsFrom } from "./options.ts";
import type { StateFolder } from "./saved/state_folder.ts";
import { Secrets } from "./secrets.ts";
import { Copies } from "./storage/copies.ts";
import { UrlSigner } from "./storage/url_signer.ts";
import { UploadSessions } from "./storage/upload_sessions.ts";
import { APP_CLIENT_ID } from "./tenant/build_tenant.ts";
import { ContentStore } from "./tenant/content_store.ts";
import { CONTOSO } from "./tenant/contoso.ts";
import { isPersonal, type Site, type User } from "./tenant/directory.ts";
import type { SharingLink } from "./tenant/sharing_link.ts";
import { Tenant } from "./tenant/tenant.ts";
import { TenantDataError, withoutFiles } from "./tenant/tenant_data.ts";

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
  /** Who signs in unless another is chosen. */
  readonly firstUser: User;
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

/** The initial state; file contents are stored in `folder`. @param kept Of an earlier run, whose contents are there */
export function newState(
  options: SandboxOptions,
  origins: Origins,
  folder: string,
  kept: StateFolder | undefined,
): State {
  const settings = settingsFrom(options);
  const secrets = new Secrets();
  const sessions = new UploadSessions(settings.uploadSessionLifeSeconds);
  const { tenant: data = CONTOSO } = options;
  const tenant = new Tenant(
    kept?.isFilled ? withoutFiles(data) : data,
    new ContentStore(folder, kept !== undefined),
    secrets,
    sessions,
    settings.olderForms,
  );
  const deviceCodes = new DeviceCodes(settings, secrets);
  const { users } = tenant.directory;
  const firstUser = users.find((user) => isPersonal(user) === (options.personal ?? false) && !user.home);
  if (firstUser === undefined) throw new TenantDataError("people: nobody has a personal account");
  const state: State = {
    settings,
    consented: new Set(settings.consented),
    origins,
    secrets,
    tenant,
    tokens: new Tokens(tenant.directory, origins.login, secrets, settings),
    deviceCodes,
    authorizationCodes: new AuthorizationCodes(settings, secrets),
    challenges: new Challenges(),
    user: new TestUser(
      deviceCodes,
      tenant.directory,
      firstUser,
      options.approve === true ? "approve" : "ignore",
    ),
    firstUser,
    browser: { user: undefined },
    app: new AppOnlyClient(APP_CLIENT_ID, settings.appRoles, secrets),
    signer: new UrlSigner(secrets),
    sessions,
    copies: new Copies(),
    links: [],
  };
  kept?.attach(state);
  return state;
}
