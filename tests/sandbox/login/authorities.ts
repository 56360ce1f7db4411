/** The tenant segment of a sign-in URL, and the accounts that it admits (PROTOCOL 13.1 and 13.4). */

import type { Settings } from "../options.ts";
import { type Directory, isPersonal, PERSONAL_TENANT_ID, type User } from "../tenant/directory.ts";
import { EntraError } from "./entra_error.ts";

/** Values of `signInAudience` in an app's manifest. */
export const SIGN_IN_AUDIENCES: readonly SignInAudience[] = [
  "AzureADMyOrg",
  "AzureADMultipleOrgs",
  "AzureADandPersonalMicrosoftAccount",
  "PersonalMicrosoftAccount",
];

/** Accounts that an app registration accepts: this tenant's, any organization's, also or only personal ones. */
export type SignInAudience =
  | "AzureADMyOrg"
  | "AzureADMultipleOrgs"
  | "AzureADandPersonalMicrosoftAccount"
  | "PersonalMicrosoftAccount";

/** One tenant, or one of the three multi-tenant names. */
export type Authority =
  | { readonly kind: "common" | "organizations" | "consumers" }
  | { readonly kind: "tenant"; readonly tenantId: string };

/** Parses the tenant segment. @throws {EntraError} 90002 for an unknown tenant, 900023 for what is no name of one */
export function authorityOf(directory: Directory, segment: string): Authority {
  const name = segment.toLowerCase();
  if (name === "common" || name === "organizations" || name === "consumers") return { kind: name };
  if (name === PERSONAL_TENANT_ID) return { kind: "consumers" };
  const tenants = [directory, directory.otherTenant];
  const tenant = tenants.find(({ tenantId, domains }) => tenantId === name || domains.includes(name));
  if (tenant) return { kind: "tenant", tenantId: tenant.tenantId };
  if (!/[.-]/.test(name)) {
    const message =
      `Specified tenant identifier '${segment}' is neither a valid DNS name, nor a valid external domain.`;
    throw new EntraError("invalid_request", 900023, message);
  }
  const message =
    `Tenant '${segment}' not found. Check to make sure you have the correct tenant ID and are ` +
    "signing into the correct cloud. Check with your subscription administrator.";
  throw new EntraError("invalid_request", 90002, message);
}

export function sameAuthority(one: Authority, other: Authority): boolean {
  if (one.kind !== "tenant" || other.kind !== "tenant") return one.kind === other.kind;
  return one.tenantId === other.tenantId;
}

/** The tenant in the issuer of tokens; `{tenantid}` where it depends on the account. */
export function issuerTenant(authority: Authority): string {
  if (authority.kind === "tenant") return authority.tenantId;
  return authority.kind === "consumers" ? PERSONAL_TENANT_ID : "{tenantid}";
}

/** Checks that the app may be used with this authority. @throws {EntraError} 50194, 9002331, 9002332, 700016 */
export function checkAudience(directory: Directory, settings: Settings, authority: Authority): void {
  const { id, displayName } = directory.application;
  const { kind } = authority;
  if (settings.signInAudience === "PersonalMicrosoftAccount") {
    if (kind === "consumers") return;
    const message = `Application '${id}'(${displayName}) is configured for use by Microsoft Account users ` +
      "only. Please use the /consumers endpoint to serve this request.";
    throw new EntraError("invalid_request", 9002331, message);
  }
  if (kind === "consumers" && settings.signInAudience !== "AzureADandPersonalMicrosoftAccount") {
    const message = `Application '${id}'(${displayName}) is configured for use by Azure Active Directory ` +
      "users only. Please do not use the /consumers endpoint to serve this request.";
    throw new EntraError("invalid_request", 9002332, message);
  }
  if (settings.signInAudience !== "AzureADMyOrg") return;
  if (kind === "common" || kind === "organizations") {
    const message = `Application '${id}'(${displayName}) is not configured as a multi-tenant application. ` +
      `Usage of the /${kind} endpoint is not supported for such apps. Use a tenant-specific endpoint.`;
    throw new EntraError("invalid_request", 50194, message);
  }
  if (kind === "tenant" && authority.tenantId !== directory.tenantId) {
    throw unknownApplication(id, authority.tenantId);
  }
}

/** AADSTS700016 */
export function unknownApplication(clientId: string, tenantId: string): EntraError {
  const message = `Application with identifier '${clientId}' was not found in the directory '${tenantId}'.`;
  return new EntraError("unauthorized_client", 700016, message);
}

/**
 * The user's account under this authority: the guest account in another tenant, otherwise the home account.
 *
 * @throws {EntraError} 50020 or 500200 when there is none
 */
export function accountAt(directory: Directory, authority: Authority, user: User): User {
  const home = user.home ?? user;
  const personal = isPersonal(home);
  const { kind } = authority;
  if (kind === "common" || (personal ? kind === "consumers" : kind === "organizations")) return home;
  if (kind === "tenant") {
    if (home.tenantId === authority.tenantId) return home;
    const guest = directory.users.find((user) => user.home === home && user.tenantId === authority.tenantId);
    if (guest) return guest;
  }
  if (personal) {
    const message = `User account '${home.userPrincipalName}' is a personal Microsoft account. Personal ` +
      "Microsoft accounts are not supported for this application unless explicitly invited to an organization.";
    throw new EntraError("invalid_grant", 500200, message);
  }
  const message = `User account '${home.userPrincipalName}' from identity provider ` +
    `'https://sts.windows.net/${home.tenantId}/' does not exist in this tenant and cannot access the ` +
    `application '${directory.application.id}'(${directory.application.displayName}) in that tenant.`;
  throw new EntraError("invalid_grant", 50020, message);
}
