/**
 * What the sign-in service's errors mean, who can mend them, and how
 * (https://learn.microsoft.com/entra/identity-platform/reference-error-codes, PROTOCOL 13.4).
 * The OAuth `error` decides what happens; the AADSTS number only chooses the words, as Microsoft asks.
 *
 * @module
 */
import { commandName } from "../cli/hints.ts";
import { type FailureKind, GraphError } from "../errors.ts";
import { redact, safeIdentifier } from "../http/redact.ts";

/** An error body of the sign-in service. */
export interface EntraErrorBody {
  error: string;
  error_description?: string;
  error_codes?: number[];
  suberror?: string;
  correlation_id?: string;
  timestamp?: string;
  claims?: string;
}

/** What is known of a code. */
export interface Explanation {
  kind: FailureKind;
  why: string;
  /** Who can mend it. */
  who: "you" | "app owner" | "administrator";
  hint: string;
}

const WHOAMI = commandName("whoami");
const AGAIN = `sign in again with: ${WHOAMI}`;

function explain(
  kind: FailureKind,
  who: Explanation["who"],
  why: string,
  hint: string,
  codes: readonly number[],
): [number, Explanation][] {
  return codes.map((code) => [code, { kind, who, why, hint }]);
}

/** By AADSTS number. */
export const AADSTS: ReadonlyMap<number, Explanation> = new Map([
  ...explain(
    "refused",
    "app owner",
    "the app registration does not allow public client flows",
    "Entra admin center > App registrations > your app > Authentication > Settings: set Allow public client flows to Yes, save, then sign in again",
    [7000218],
  ),
  ...explain(
    "refused",
    "you",
    "the app is a public client, but a secret or certificate was sent",
    "take the secret or certificate out of the settings, or give the client id of the app registration that it belongs to",
    [700025],
  ),
  ...explain(
    "refused",
    "app owner",
    "the app registration does not know the way back from the browser",
    "App registrations > your app > Authentication > Add a platform > Mobile and desktop applications: add http://localhost",
    [50011, 500113],
  ),
  ...explain(
    "refused",
    "app owner",
    "the client secret is not one of the app's",
    "App registrations > your app > Certificates & secrets: make a new secret, and put its Value (not its Secret ID) into the file",
    [7000215],
  ),
  ...explain(
    "refused",
    "app owner",
    "the client secret has expired",
    "App registrations > your app > Certificates & secrets: make a new secret, and put its Value into the file",
    [7000222],
  ),
  ...explain(
    "refused",
    "app owner",
    "the certificate is not one of the app's",
    "App registrations > your app > Certificates & secrets > Certificates: upload its public part",
    [700027, 700030],
  ),
  ...explain(
    "failed",
    "you",
    "the certificate's proof is not valid at this time",
    "set the clock of this machine right",
    [700024],
  ),
  ...explain(
    "refused",
    "you",
    "nobody has consented to this permission for the app",
    `run the same command in a terminal and consent there; if the page wants an administrator, ask yours to grant admin consent on the app's API permissions page`,
    [65001],
  ),
  ...explain("refused", "you", "you declined the consent", "run it again and accept, if you trust the app", [
    65004,
  ]),
  ...explain(
    "refused",
    "administrator",
    "an administrator must consent to the app",
    "ask for admin consent: Entra admin center > Enterprise applications > the app > Permissions",
    [90094, 90095],
  ),
  ...explain(
    "refused",
    "app owner",
    "the app registration lacks the permissions on Microsoft Graph, or the service is not enabled",
    "App registrations > your app > API permissions: add the delegated Microsoft Graph permissions of the README",
    [650052, 650056, 650057, 65005],
  ),
  ...explain(
    "signInNeeded",
    "you",
    "multi-factor authentication is needed, failed or must be set up",
    `${AGAIN} and complete it in the browser`,
    [50076, 50074, 50079, 50072, 50078],
  ),
  ...explain(
    "refused",
    "administrator",
    "the organisation wants a known or compliant device, which a device code cannot prove",
    `try a browser of a managed device: ${WHOAMI} --sign-in browser; otherwise ask for an exception for this app`,
    [50097, 53000, 53001, 50129, 50005, 50131],
  ),
  ...explain(
    "refused",
    "administrator",
    "a Conditional Access policy blocks this sign-in; a policy against device code flow shows in the same way",
    `if it is against device codes, try: ${WHOAMI} --sign-in browser; otherwise ask your administrator to look at the sign-in log, tab Conditional Access, for the correlation id`,
    [53003],
  ),
  ...explain(
    "refused",
    "administrator",
    "a security policy of the organisation blocks this sign-in",
    "ask your administrator, with the correlation id",
    [530032, 530035],
  ),
  ...explain(
    "refused",
    "administrator",
    "delegated (partner) administration is blocked for suspicious activity",
    "ask an administrator of your home tenant",
    [530034],
  ),
  ...explain(
    "signInNeeded",
    "you",
    "the confirmation page was not completed",
    `${AGAIN} and press Continue in the browser`,
    [50199],
  ),
  ...explain(
    "refused",
    "you",
    "the account is not in this tenant",
    "use the right account or --tenant, or ask to be invited as a guest",
    [50034, 50020, 51004, 16000, 50014],
  ),
  ...explain(
    "usage",
    "you",
    "the request names no tenant",
    "set GRAPH_TENANT_ID to the tenant's id or domain",
    [50059, 50128, 90019],
  ),
  ...explain(
    "refused",
    "administrator",
    "the account is disabled or locked, or its password is wrong or expired",
    "mend it at https://mysignins.microsoft.com or ask your administrator",
    [50057, 50053, 50055, 50126],
  ),
  ...explain(
    "refused",
    "administrator",
    "the account is not assigned to the app",
    "Enterprise applications > the app > Users and groups: assign the account",
    [50105],
  ),
  ...explain(
    "usage",
    "you",
    "the app does not take accounts of this kind",
    "use the tenant id of the app; organizations or consumers only where the registration allows them",
    [50194, 90130, 9002331, 9002332, 500200, 500208],
  ),
  ...explain(
    "usage",
    "you",
    "the tenant does not know the app",
    "check GRAPH_CLIENT_ID, GRAPH_TENANT_ID and GRAPH_CLOUD against the app's Overview page",
    [700016, 700011],
  ),
  ...explain(
    "usage",
    "you",
    "there is no such tenant",
    "check GRAPH_TENANT_ID or --tenant; a tenant of a national cloud needs --cloud or GRAPH_CLOUD",
    [90002, 900023],
  ),
  ...explain(
    "usage",
    "you",
    "the tenant lives in another national cloud",
    "choose it with --cloud or GRAPH_CLOUD: usgov, usdod or china",
    [90038],
  ),
  ...explain(
    "signInNeeded",
    "you",
    "the code expired or was refused",
    `start again with: ${WHOAMI}; if the code was still fresh, a policy may forbid device codes: look for 53003 on the browser page`,
    [70018, 70019, 70020],
  ),
  ...explain(
    "signInNeeded",
    "you",
    "nobody has approved the code yet",
    `approve it in the browser, or start again with: ${WHOAMI}`,
    [70016],
  ),
  ...explain(
    "signInNeeded",
    "you",
    "the sign-in expired because it was not used for too long",
    `${AGAIN}; a daily run keeps it alive`,
    [70008, 700082, 700084],
  ),
  ...explain(
    "signInNeeded",
    "you",
    "the organisation demands a new sign-in every so often (sign-in frequency)",
    AGAIN,
    [70043],
  ),
  ...explain("signInNeeded", "you", "the sign-in service cannot read the cached sign-in", AGAIN, [9002313]),
  ...explain("signInNeeded", "you", "the sign-in was revoked", AGAIN, [50173, 50089, 50132, 50133, 70000]),
  ...explain(
    "failed",
    "app owner",
    "the service does not understand the permissions asked for",
    "report it, with the correlation id",
    [28002, 700022],
  ),
  ...explain(
    "usage",
    "you",
    "a permission that was asked for does not exist for this account",
    "with a personal Microsoft account set GRAPH_TENANT_ID=consumers, since those have no sites; otherwise report it, with the correlation id",
    [70011],
  ),
  ...explain(
    "refused",
    "administrator",
    "tenant restrictions or cross-tenant access settings block this sign-in",
    "ask your administrator or your network's",
    [500021, 500022, 500212, 500213],
  ),
  ...explain(
    "unavailable",
    "you",
    "the service saw the same request too often",
    "wait some minutes, then run it again",
    [50196],
  ),
  ...explain("unavailable", "you", "the sign-in service has a passing fault", "run the same command again", [
    90033,
    50033,
    90024,
    90006,
  ]),
]);

const BY_ERROR: Record<string, Explanation> = {
  authorization_declined: {
    kind: "refused",
    who: "you",
    why: "the sign-in was declined",
    hint: "run it again and approve, if it was you who asked",
  },
  expired_token: AADSTS.get(70020)!,
  bad_verification_code: AADSTS.get(70018)!,
  consent_required: AADSTS.get(65001)!,
  interaction_required: {
    kind: "signInNeeded",
    who: "you",
    why: "the service wants a person to sign in",
    hint: AGAIN,
  },
  invalid_grant: { kind: "signInNeeded", who: "you", why: "the sign-in is no longer valid", hint: AGAIN },
  temporarily_unavailable: AADSTS.get(90033)!,
  slow_down: AADSTS.get(50196)!,
};

const UNKNOWN: Explanation = {
  kind: "failed",
  who: "administrator",
  why: "the sign-in service refused",
  hint:
    "look the code up at https://login.microsoftonline.com/error, or ask your administrator with the correlation id",
};

/** RFC 8628 and Microsoft differ in the word. */
const SYNONYMS: Record<string, string> = {
  access_denied: "authorization_declined",
  code_expired: "expired_token",
};

function utc(timestamp: string | undefined): string | undefined {
  const ms = Date.parse(timestamp ?? "");
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** An error body of the sign-in service as a {@linkcode GraphError}. */
export function toSignInError(body: EntraErrorBody, status?: number): GraphError {
  const number = body.error_codes?.[0] ??
    Number(/AADSTS(\d+)/.exec(body.error_description ?? "")?.[1] ?? NaN);
  const known = AADSTS.get(number) ?? BY_ERROR[body.suberror ?? ""] ??
    BY_ERROR[SYNONYMS[body.error] ?? body.error];
  const { kind, who, why, hint } = known ?? UNKNOWN;
  const said = known ? "" : `: ${redact(String(body.error_description ?? body.error).split(/\r?\n/)[0]!)}`;
  const error = safeIdentifier(body.error) ?? "unknownError";
  const suberror = safeIdentifier(body.suberror);
  const code = Number.isInteger(number) ? `AADSTS${number}` : error;
  return new GraphError(kind, `sign-in: ${why}${said}`, {
    code,
    codes: [error, ...(suberror ? [suberror] : []), code],
    hint: who === "you" ? hint : `${hint} (for the ${who})`,
    status,
    requestId: safeIdentifier(body.correlation_id, 64),
    date: utc(body.timestamp),
    claims: body.claims,
  });
}
