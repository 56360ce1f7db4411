/** People, sites, teams and the app registration of the tenant. */

import type { Drive } from "./drive.ts";

/** A person who can sign in. */
export interface User {
  /** What tests call the person. */
  readonly key: "adele" | "megan";
  readonly id: string;
  readonly displayName: string;
  readonly givenName: string;
  readonly surname: string;
  readonly userPrincipalName: string;
  readonly jobTitle: string;
  readonly officeLocation: string;
  readonly businessPhone: string;
}

/** What a person may do in a site. */
export type Role = "owner" | "member" | "visitor";

/** A SharePoint site with its libraries, the default one first. */
export interface Site {
  readonly hostname: string;
  /** Server-relative path; "" for the root site. */
  readonly path: string;
  readonly siteGuid: string;
  readonly webGuid: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly created: Date;
  /** Personal sites hold a OneDrive; search does not find them. */
  readonly personal: boolean;
  readonly roles: ReadonlyMap<User, Role>;
  readonly drives: Drive[];
}

export interface Channel {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  readonly created: Date;
}

/** A team is a group with a site; its channels are folders of the site's default library. */
export interface Team {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  readonly members: readonly User[];
  readonly site: Site;
  readonly channels: readonly Channel[];
}

/** The app registration the scripts sign in with: single-tenant, like the one a reader of the README makes. */
export interface Application {
  readonly id: string;
  readonly displayName: string;
}

export interface Directory {
  readonly tenantId: string;
  /** Domains that may stand for the tenant id in a URL. */
  readonly domains: readonly string[];
  readonly hostname: string;
  readonly application: Application;
  readonly users: readonly User[];
  readonly sites: readonly Site[];
  readonly teams: readonly Team[];
}

/** `host,siteCollectionGuid,webGuid` (graph-protocol 2.1). */
export function siteId(site: Site): string {
  return `${site.hostname},${site.siteGuid},${site.webGuid}`;
}

/** The address of a site in the browser. */
export function siteUrl(site: Site): string {
  return `https://${site.hostname}${site.path}`;
}
