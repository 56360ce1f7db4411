/**
 * Selects one of the signed-in accounts. Several candidates are an error, never a guess.
 *
 * @module
 */
import { toSignInError } from "./aadsts.ts";
import type { CachedAccount } from "./cache_content.ts";
import { GraphError } from "../errors.ts";
import type { HttpClient } from "../http/client.ts";
import { GUID_PATTERN, isGuid, parseJsonObject } from "../json.ts";

/** The tenant of all personal Microsoft accounts. */
export const PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad";

/** A signed-in account, for display. */
export interface AccountInfo {
  userPrincipalName: string;
  displayName: string | null;
  /** Tenant of its tokens. */
  tenantId: string;
  /** Home tenant of a guest. */
  homeTenantId: string | null;
  kind: "work" | "personal";
  /** Whether a run with these settings uses it; `null` while the tenant of a domain is not known. */
  chosen: boolean | null;
}

/** Which account is wanted. */
export interface AccountSelector {
  /** Id, `common`, `organizations` or `consumers`; `undefined` for a domain that has not been resolved. */
  tenant: string | undefined;
  /** User name, of the setting `account`. */
  wanted: string | undefined;
}

/** MSAL's account ids are `user.tenant`. */
function getHomeTenantId({ homeAccountId, realm }: CachedAccount): string {
  return homeAccountId.split(".")[1] ?? realm;
}

/** Whether the tokens are those of a personal account: no SharePoint, no `Sites.*` (PROTOCOL 13.5). */
export function isPersonal({ realm }: CachedAccount): boolean {
  return realm.toLowerCase() === PERSONAL_TENANT;
}

/** Whether a tenant is given by its domain instead of its id. */
export function isDomain(tenant: string): boolean {
  return tenant.includes(".");
}

/** Whether only personal accounts match. */
export function isConsumers(tenant: string | undefined): boolean {
  return /^consumers$/i.test(tenant ?? "") || tenant?.toLowerCase() === PERSONAL_TENANT;
}

/** Whether the tokens of an account are those of a tenant. */
export function matchesTenant(account: CachedAccount, tenant: string): boolean {
  if (isConsumers(tenant)) return isPersonal(account);
  if (isGuid(tenant)) return account.realm.toLowerCase() === tenant.toLowerCase();
  // `common` and `organizations` sign a guest in at home, so a renewal would not bring tokens of the other tenant.
  const isAtHome = account.realm.toLowerCase() === getHomeTenantId(account).toLowerCase();
  return isAtHome && (/^common$/i.test(tenant) || !isPersonal(account));
}

/** Selects the one account that matches; throws `usage`, code `ambiguousAccount`, when there are several. */
export function selectAccount(
  accounts: readonly CachedAccount[],
  selector: AccountSelector,
): CachedAccount | undefined {
  const matches = accounts.filter((account) => isMeant(account, selector));
  if (matches.length <= 1) return matches[0];
  const message = `several accounts are signed in: ${namesOf(matches)}`;
  throw new GraphError("usage", message, { code: "ambiguousAccount" });
}

function isMeant(account: CachedAccount, { tenant, wanted }: AccountSelector): boolean {
  return tenant !== undefined && matchesTenant(account, tenant) &&
    (wanted === undefined || account.username.toLowerCase() === wanted.toLowerCase());
}

/** Selects the account to sign out, if any; throws `usage`, code `accountNotFound`, when only others are there. */
export function selectForSignOut(
  accounts: readonly CachedAccount[],
  selector: AccountSelector,
): CachedAccount[] {
  const account = selectAccount(accounts, selector);
  if (account) return [account];
  if (selector.wanted === undefined || accounts.length === 0) return [];
  const message = `${selector.wanted} is not signed in; signed in: ${namesOf(accounts)}`;
  throw new GraphError("usage", message, { code: "accountNotFound" });
}

/** The error where no matching account is signed in; it names those that are. */
export function notSignedInError(
  accounts: readonly CachedAccount[] = [],
  { tenant, wanted }: Partial<AccountSelector> = {},
): GraphError {
  const who = wanted === undefined || accounts.length === 0 ? "" : `${wanted} is `;
  const where = tenant === undefined ? "" : ` to ${tenant}`;
  const others = accounts.length === 0 ? "" : `${where}; signed in: ${namesOf(accounts)}`;
  const details = { code: "notSignedIn", subject: wanted };
  return new GraphError("signInNeeded", `${who}not signed in${others}`, details);
}

export function toAccountInfo(accounts: CachedAccount[], selector: AccountSelector): AccountInfo[] {
  const matches = accounts.filter((account) => isMeant(account, selector));
  return accounts.map((account) => {
    const home = getHomeTenantId(account);
    return {
      userPrincipalName: account.username,
      displayName: account.name ?? null,
      tenantId: account.realm,
      homeTenantId: home.toLowerCase() === account.realm.toLowerCase() ? null : home,
      kind: home.toLowerCase() === PERSONAL_TENANT ? "personal" : "work",
      chosen: selector.tenant === undefined ? null : matches.length === 1 && account === matches[0],
    };
  });
}

function namesOf(accounts: readonly CachedAccount[]): string {
  return [...new Set(accounts.map(({ username }) => username))].join(", ");
}

/**
 * Looks up the tenant id of a domain, without a sign-in (https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc).
 * A cached token names its tenant, but not the domains of that tenant.
 */
export async function resolveTenantId(
  domain: string,
  http: HttpClient,
  loginOrigin: string,
): Promise<string> {
  const url = `${loginOrigin}/${domain.toLowerCase()}/v2.0/.well-known/openid-configuration`;
  const response = await http.send({ method: "GET", url, retry: "idempotent" });
  const body = parseJsonObject(await response.text()) ?? {};
  if (typeof body.error === "string") throw toSignInError(body, response.status);
  const [, id] = ISSUER.exec(String(body.issuer ?? "")) ?? [];
  if (id) return id.toLowerCase();
  const { status } = response;
  const kind = status >= 500 || status === 429 ? "unavailable" : "failed";
  const hint = "set GRAPH_TENANT_ID to the tenant's id";
  const details = { code: "invalidAnswer", hint, status };
  throw new GraphError(kind, `sign-in: the service does not give the tenant id of ${domain}`, details);
}

const ISSUER = new RegExp(`/(${GUID_PATTERN})/v2\\.0/?$`, "i");
