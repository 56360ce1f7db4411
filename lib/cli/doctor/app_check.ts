/**
 * The sign-in of an app by itself, as far as it is known without asking anybody.
 *
 * @module
 */
import { readAppCredential } from "../../auth/credentials.ts";
import { type CacheContent, findAppToken } from "../../auth/cache_content.ts";
import { CLOUDS } from "../../clouds.ts";
import { commandName } from "../hints.ts";
import { toGraphError } from "../../local/local_error.ts";
import { decodeClaims } from "../../auth/session.ts";
import type { AppCredentialSetting, Settings } from "../../settings.ts";
import { type Diagnosis, failure, ok, warn } from "./finding.ts";

/** Checks credential and cached token; whether Graph lets the app in, only a real run can tell. */
export async function checkApp(
  settings: Settings,
  credential: AppCredentialSetting,
  content: CacheContent | undefined,
  now: number,
): Promise<
  {
    diagnoses: Diagnosis[];
    tokenFor: () => { secret: string; scopes: readonly string[] } | undefined;
    scopes: readonly string[];
  }
> {
  const { clientId, tenantId, cloud } = settings;
  const { cacheEnvironment: environment, apiOrigin } = CLOUDS[cloud];
  const token = content && clientId && tenantId
    ? findAppToken(content, { clientId, environment, apiOrigin, tenantId }, now)
    : undefined;
  const { roles } = token ? decodeClaims(token.secret) : {};
  const scopes = Array.isArray(roles) ? roles.map(String) : [];
  const hint = `find out with: ${commandName("whoami")}`;
  return {
    diagnoses: [
      await account(credential, now),
      ok(
        "token",
        token ? "good for more than five minutes" : "none is good; the next script gets one by itself",
      ),
      scopes.length > 0 ? ok("scopes", scopes.join(" ")) : warn("scopes", "not known without a token", hint),
      ok("renewal", "an app signs in by itself each time; mind the day on which its credential expires"),
    ],
    tokenFor: () => token,
    scopes,
  };
}

async function account(credential: AppCredentialSetting, now: number): Promise<Diagnosis> {
  try {
    await readAppCredential(credential, now);
    return ok("account", `the app by itself, with the ${credential.kind} of ${credential.variable}`);
  } catch (error) {
    return failure("account", toGraphError(error));
  }
}
