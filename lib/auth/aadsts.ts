/**
 * Errors of the sign-in service: what they mean, and what to do
 * (https://learn.microsoft.com/entra/identity-platform/reference-error-codes, PROTOCOL 13.4).
 *
 * @module
 */
import { type FailureKind, GraphError } from "../errors.ts";
import { formatUtc } from "../format.ts";
import { redact, safeIdentifier } from "../http/redact.ts";

interface Explanation {
  kind: FailureKind;
  why: string;
  /** What to do next; `undefined` where the answer is to sign in again, in the way that the program offers. */
  hint?: string | undefined;
}

type Row = [codes: (number | string)[], kind: FailureKind, why: string, hint?: string];

const SECRETS = "App registrations > your app > Certificates & secrets";

// deno-fmt-ignore: one row a line, or two
const ROWS: readonly Row[] = [
  [[7000218], "refused", "the app registration does not allow public client flows",
    "Entra admin center > App registrations > your app > Authentication > Settings: set Allow public client flows to Yes, save, then sign in again"],
  [[700025], "refused", "the app is a public client, but a secret or certificate was sent",
    "remove the secret or certificate from the settings, or use the client id of the app registration that it belongs to"],
  [[50011, 500113], "refused", "the app registration lacks the redirect address of the browser sign-in",
    "App registrations > your app > Authentication > Add a platform > Mobile and desktop applications: add http://localhost"],
  [[7000215, 7000222], "refused", "the client secret is not one of the app's, or has expired",
    `${SECRETS}: make a new secret, and put its Value (not its Secret ID) into the file`],
  [[700027, 700030], "refused", "the certificate is not one of the app's, or has expired",
    `${SECRETS} > Certificates: upload its public part, or that of a new one`],
  [[700024], "failed", "the signature made with the certificate is not valid at this time", "correct the clock of this machine"],
  [[65001, "consent_required"], "refused", "the app lacks consent for this permission",
    "run the same command in a terminal and consent there; if the page asks for an administrator, ask yours to grant admin consent on the app's API permissions page"],
  [[65004, "authorization_declined", "access_denied"], "refused", "you declined the consent or the sign-in",
    "run it again and accept, if you trust the app"],
  [[90094, 90095], "refused", "an administrator must consent to the app",
    "ask for admin consent: Entra admin center > Enterprise applications > the app > Permissions"],
  [[650052, 650056, 650057, 65005], "refused", "the app registration lacks permissions on Microsoft Graph, or the service is not enabled",
    "App registrations > your app > API permissions: add the delegated Microsoft Graph permissions that the README lists"],
  [[50076, 50074, 50079, 50072, 50078], "signInNeeded", "multi-factor authentication is needed, failed or must be set up"],
  [["interaction_required"], "signInNeeded", "the service requires an interactive sign-in"],
  [[50097, 53000, 53001, 50129, 50005, 50131], "refused", "the organization requires a known or compliant device, which a device code cannot prove"],
  [[53003], "refused", "a Conditional Access policy blocks this sign-in, perhaps one against device codes"],
  [[530032, 530034, 530035, 500021, 500022, 500212, 500213], "refused", "a security policy of an organization blocks this sign-in",
    "ask your administrator, with the correlation id"],
  [[50034, 50020, 51004, 16000, 50014], "refused", "the account is not in this tenant",
    "use another account, set GRAPH_TENANT_ID to the account's tenant, or ask to be invited as a guest"],
  [[50059, 50128, 90019], "usage", "the request names no tenant", "set GRAPH_TENANT_ID to the tenant's id"],
  [[50057, 50053, 50055, 50126], "refused", "the account is disabled or locked, or its password is wrong or expired",
    "fix it at https://mysignins.microsoft.com, or ask your administrator"],
  [[50105], "refused", "the account is not assigned to the app",
    "ask your administrator to assign it: Enterprise applications > the app > Users and groups"],
  [[50194, 90130, 9002331, 9002332, 500200, 500208], "usage", "the app does not accept accounts of this type",
    "use the tenant id of the app; organizations or consumers only where the registration allows them"],
  [[700016, 700011], "usage", "the tenant does not know the app",
    "check GRAPH_CLIENT_ID, GRAPH_TENANT_ID and GRAPH_CLOUD against the app's Overview page"],
  [[90002, 900023, 90038], "usage", "there is no such tenant in this cloud",
    "check GRAPH_TENANT_ID; a tenant of a national cloud needs GRAPH_CLOUD (usgov, usdod or china) as well"],
  [[70011], "usage", "this account does not have one of the permissions that were asked for",
    "for a personal Microsoft account set GRAPH_TENANT_ID=consumers, since those have no sites; otherwise report it, with the correlation id"],
  [[70018, 70019, 70020, "expired_token", "code_expired", "bad_verification_code"], "signInNeeded", "the code expired or was refused"],
  [[70016, 50199], "signInNeeded", "the sign-in was not completed in the browser"],
  [[70008, 700082, 700084], "signInNeeded", "the sign-in expired because it was not used for too long"],
  [[70043], "signInNeeded", "the organization requires a new sign-in at regular intervals (sign-in frequency)"],
  [[50173, 50089, 50132, 50133, 70000], "signInNeeded", "the sign-in was revoked"],
  [["invalid_grant", 9002313], "signInNeeded", "the sign-in is no longer valid"],
  [[50196, "slow_down"], "unavailable", "the sign-in service received the same request too often", "wait some minutes, then run it again"],
  [[90033, 50033, 90024, 90006, "temporarily_unavailable"], "unavailable", "the sign-in service is temporarily unavailable", "run the same command again"],
];

/** By AADSTS number, or by OAuth error or suberror. RFC 8628 and Microsoft name two of them differently. */
export const AADSTS: ReadonlyMap<unknown, Explanation> = new Map(
  ROWS.flatMap(([codes, kind, why, hint]) => codes.map((code) => [code, { kind, why, hint }])),
);

/** Converts an error body of the sign-in service to a {@linkcode GraphError}. */
export function toSignInError(body: Record<string, unknown>, status?: number): GraphError {
  const description = String(body.error_description ?? "");
  const [number = Number(/AADSTS(\d+)/.exec(description)?.[1] ?? NaN)] = Array.isArray(body.error_codes)
    ? body.error_codes.map(Number)
    : [];
  const known = AADSTS.get(number) ?? AADSTS.get(body.suberror) ?? AADSTS.get(body.error);
  const [firstLine] = (description || String(body.error)).split(/\r?\n/);
  const { kind, why, hint } = known ??
    { kind: "failed", why: `the sign-in service refused: ${redact(firstLine!)}`, hint: LOOK_UP };
  const error = safeIdentifier(body.error) ?? "unknownError";
  const suberror = safeIdentifier(body.suberror);
  const code = Number.isInteger(number) ? `AADSTS${number}` : error;
  const ms = Date.parse(String(body.timestamp));
  return new GraphError(kind, `sign-in: ${why}`, {
    code,
    codes: [error, ...(suberror ? [suberror] : []), code],
    hint,
    status,
    requestId: safeIdentifier(body.correlation_id, 64),
    date: Number.isNaN(ms) ? undefined : formatUtc(ms),
    claims: typeof body.claims === "string" ? body.claims : undefined,
  });
}

const LOOK_UP =
  "look the code up at https://login.microsoftonline.com/error, or ask your administrator with the correlation id";
