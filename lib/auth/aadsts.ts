/**
 * Errors of the sign-in service: what they mean, who can fix them, and how
 * (https://learn.microsoft.com/entra/identity-platform/reference-error-codes, PROTOCOL 13.4).
 *
 * The OAuth `error` decides what happens; the AADSTS number only selects the wording, as Microsoft asks.
 *
 * @module
 */
import { type FailureKind, GraphError } from "../errors.ts";
import { redact, safeIdentifier } from "../http/redact.ts";

/** What is known about an error. */
export interface Explanation {
  kind: FailureKind;
  /** Who can fix it. */
  who: "you" | "app owner" | "administrator";
  why: string;
  /** What to do next; `undefined` where the answer is to sign in again, in the way that the program offers. */
  hint: string | undefined;
}

type Row = [codes: number[], kind: FailureKind, who: Explanation["who"], why: string, hint?: string];

const SECRETS = "App registrations > your app > Certificates & secrets";

// deno-fmt-ignore: one row a line, or two
const ROWS: readonly Row[] = [
  [[7000218], "refused", "app owner", "the app registration does not allow public client flows",
    "Entra admin center > App registrations > your app > Authentication > Settings: set Allow public client flows to Yes, save, then sign in again"],
  [[700025], "refused", "you", "the app is a public client, but a secret or certificate was sent",
    "remove the secret or certificate from the settings, or use the client id of the app registration that it belongs to"],
  [[50011, 500113], "refused", "app owner", "the app registration lacks the redirect address of the browser sign-in",
    "App registrations > your app > Authentication > Add a platform > Mobile and desktop applications: add http://localhost"],
  [[7000215], "refused", "app owner", "the client secret is not one of the app's",
    `${SECRETS}: make a new secret, and put its Value (not its Secret ID) into the file`],
  [[7000222], "refused", "app owner", "the client secret has expired",
    `${SECRETS}: make a new secret, and put its Value into the file`],
  [[700027, 700030], "refused", "app owner", "the certificate is not one of the app's, or has expired",
    `${SECRETS} > Certificates: upload its public part`],
  [[700024], "failed", "you", "the signature made with the certificate is not valid at this time",
    "correct the clock of this machine"],
  [[65001], "refused", "you", "the app lacks consent for this permission",
    "run the same command in a terminal and consent there; if the page asks for an administrator, ask yours to grant admin consent on the app's API permissions page"],
  [[65004], "refused", "you", "you declined the consent", "run it again and accept, if you trust the app"],
  [[90094, 90095], "refused", "administrator", "an administrator must consent to the app",
    "ask for admin consent: Entra admin center > Enterprise applications > the app > Permissions"],
  [[650052, 650056, 650057, 65005], "refused", "app owner", "the app registration lacks permissions on Microsoft Graph, or the service is not enabled",
    "App registrations > your app > API permissions: add the delegated Microsoft Graph permissions that the README lists"],
  [[50076, 50074, 50079, 50072, 50078], "signInNeeded", "you", "multi-factor authentication is needed, failed or must be set up"],
  [[50097, 53000, 53001, 50129, 50005, 50131], "refused", "administrator", "the organization requires a known or compliant device, which a device code cannot prove"],
  [[53003], "refused", "administrator", "a Conditional Access policy blocks this sign-in, perhaps one against device codes"],
  [[530032, 530035], "refused", "administrator", "a security policy of the organization blocks this sign-in",
    "ask your administrator, with the correlation id"],
  [[530034], "refused", "administrator", "delegated (partner) administration is blocked because of suspicious activity",
    "ask an administrator of your home tenant"],
  [[500021, 500022, 500212, 500213], "refused", "administrator", "tenant restrictions or cross-tenant access settings block this sign-in",
    "ask your administrator, or that of your network"],
  [[50034, 50020, 51004, 16000, 50014], "refused", "you", "the account is not in this tenant",
    "use another account, set GRAPH_TENANT_ID to the account's tenant, or ask to be invited as a guest"],
  [[50059, 50128, 90019], "usage", "you", "the request names no tenant", "set GRAPH_TENANT_ID to the tenant's id"],
  [[50057, 50053, 50055, 50126], "refused", "administrator", "the account is disabled or locked, or its password is wrong or expired",
    "fix it at https://mysignins.microsoft.com, or ask your administrator"],
  [[50105], "refused", "administrator", "the account is not assigned to the app",
    "Enterprise applications > the app > Users and groups: assign the account"],
  [[50194, 90130, 9002331, 9002332, 500200, 500208], "usage", "you", "the app does not accept accounts of this type",
    "use the tenant id of the app; organizations or consumers only where the registration allows them"],
  [[700016, 700011], "usage", "you", "the tenant does not know the app",
    "check GRAPH_CLIENT_ID, GRAPH_TENANT_ID and GRAPH_CLOUD against the app's Overview page"],
  [[90002, 900023], "usage", "you", "there is no such tenant",
    "check GRAPH_TENANT_ID; a tenant of a national cloud needs GRAPH_CLOUD as well"],
  [[90038], "usage", "you", "the tenant is in another national cloud", "set GRAPH_CLOUD to usgov, usdod or china"],
  [[70011], "usage", "you", "this account does not have one of the permissions that were asked for",
    "for a personal Microsoft account set GRAPH_TENANT_ID=consumers, since those have no sites; otherwise report it, with the correlation id"],
  [[70018, 70019, 70020], "signInNeeded", "you", "the code expired or was refused"],
  [[70016], "signInNeeded", "you", "the code is not approved yet"],
  [[50199], "signInNeeded", "you", "the confirmation page was not completed"],
  [[70008, 700082, 700084], "signInNeeded", "you", "the sign-in expired because it was not used for too long"],
  [[70043], "signInNeeded", "you", "the organization requires a new sign-in at regular intervals (sign-in frequency)"],
  [[50173, 50089, 50132, 50133, 70000], "signInNeeded", "you", "the sign-in was revoked"],
  [[9002313], "signInNeeded", "you", "the sign-in service cannot read the cached sign-in"],
  [[50196], "unavailable", "you", "the sign-in service received the same request too often", "wait some minutes, then run it again"],
  [[90033, 50033, 90024, 90006], "unavailable", "you", "the sign-in service is temporarily unavailable", "run the same command again"],
];

/** By AADSTS number. */
export const AADSTS: ReadonlyMap<number, Explanation> = new Map(
  ROWS.flatMap(([codes, kind, who, why, hint]) => codes.map((code) => [code, { kind, who, why, hint }])),
);

const DECLINED: Explanation = {
  kind: "refused",
  who: "you",
  why: "the sign-in was declined",
  hint: "run it again and approve, if you asked for it",
};
const SIGN_IN_AGAIN: Explanation = {
  kind: "signInNeeded",
  who: "you",
  why: "the sign-in is no longer valid",
  hint: undefined,
};

/** By OAuth error. RFC 8628 and Microsoft name two of them differently. */
const OAUTH_ERRORS: ReadonlyMap<unknown, Explanation> = new Map([
  ["authorization_declined", DECLINED],
  ["access_denied", DECLINED],
  ["expired_token", AADSTS.get(70020)!],
  ["code_expired", AADSTS.get(70020)!],
  ["bad_verification_code", AADSTS.get(70018)!],
  ["consent_required", AADSTS.get(65001)!],
  ["interaction_required", { ...SIGN_IN_AGAIN, why: "the service requires an interactive sign-in" }],
  ["invalid_grant", SIGN_IN_AGAIN],
  ["temporarily_unavailable", AADSTS.get(90033)!],
  ["slow_down", AADSTS.get(50196)!],
]);

/** Converts an error body of the sign-in service to a {@linkcode GraphError}. */
export function toSignInError(body: Record<string, unknown>, status?: number): GraphError {
  const description = String(body.error_description ?? "");
  const [number = Number(/AADSTS(\d+)/.exec(description)?.[1] ?? NaN)] = Array.isArray(body.error_codes)
    ? body.error_codes.map(Number)
    : [];
  const known = AADSTS.get(number) ?? OAUTH_ERRORS.get(body.suberror) ?? OAUTH_ERRORS.get(body.error);
  const { kind, who, why, hint } = known ?? unknownError(description || String(body.error));
  const error = safeIdentifier(body.error) ?? "unknownError";
  const suberror = safeIdentifier(body.suberror);
  const code = Number.isInteger(number) ? `AADSTS${number}` : error;
  return new GraphError(kind, `sign-in: ${why}`, {
    code,
    codes: [error, ...(suberror ? [suberror] : []), code],
    hint: hint === undefined || who === "you" ? hint : `${hint} (for the ${who})`,
    status,
    requestId: safeIdentifier(body.correlation_id, 64),
    date: toUtc(body.timestamp),
    claims: typeof body.claims === "string" ? body.claims : undefined,
  });
}

function unknownError(description: string): Explanation {
  const [firstLine = ""] = description.split(/\r?\n/);
  const why = `the sign-in service refused: ${redact(firstLine)}`;
  const hint =
    "look the code up at https://login.microsoftonline.com/error, or ask your administrator with the correlation id";
  return { kind: "failed", who: "administrator", why, hint };
}

function toUtc(timestamp: unknown): string | undefined {
  const ms = Date.parse(String(timestamp));
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
