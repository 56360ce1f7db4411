/** What the three services of one sandbox share. */

import type { Tokens } from "./login/tokens.ts";
import type { DeviceCodes } from "./login/device_codes.ts";
import type { Settings } from "./options.ts";
import type { Secrets } from "./secrets.ts";
import type { UrlSigner } from "./storage/url_signer.ts";
import type { UploadSessions } from "./storage/upload_sessions.ts";
import type { Tenant } from "./tenant/tenant.ts";

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
  readonly signer: UrlSigner;
  readonly sessions: UploadSessions;
}
