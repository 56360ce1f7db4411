/** Makes directory and drives from the data of a tenant. Their ids are the same in every run. */

import type { ContentStore } from "./content_store.ts";
import {
  type Directory,
  PERSONAL_TENANT_ID,
  type Role,
  type Site,
  type Team,
  type User,
} from "./directory.ts";
import { Drive } from "./drive.ts";
import { driveId, fixedGuid } from "./ids.ts";
import type { Author, Item } from "./item.ts";
import { Seeder } from "./seeder.ts";
import {
  type FilesData,
  type PersonData,
  type SiteData,
  type TeamData,
  type TenantData,
  TenantDataError,
} from "./tenant_data.ts";

export const TENANT_ID = "7d3c1f52-9b8e-4a60-8c1d-2f5e6a7b8c90";
export const CLIENT_ID = "b1a7e2c4-5d3f-4e86-9a0b-c7d8e9f01234";
/** The client id of the app-only registration. */
export const APP_CLIENT_ID = "e4c0a9d2-7b16-4f58-a3e1-90d5c8b72f64";
const OTHER_TENANT_ID = "3b9d5e71-0c42-4f6a-9d18-64e2a7c1f583";
const FOUNDED = new Date("2024-03-04T08:15:30Z");
const DEFAULT_DOMAIN = "contoso.com";

/** A system drive that is listed for personal accounts but cannot be opened (PROTOCOL L2). */
export const PHANTOM_DRIVE_ID: string = driveId(
  fixedGuid("phantom"),
  fixedGuid("phantom web"),
  fixedGuid("phantom list"),
);

/** What all drives have in common. */
interface DriveDefaults {
  readonly store: ContentStore;
  readonly olderForms: boolean;
}

/** A tenant without requests so far. */
export interface BuiltTenant {
  directory: Directory;
  /**
   * By the names that tests use: OneDrives by person, and the first one also as "me"; libraries by site for the default one,
   * otherwise `Site/Library`; those of the first site that is not the root also by their own names, and that of a private
   * channel by the name of the channel.
   */
  drives: Map<string, Drive>;
}

/** @param data Checked already. @throws {TenantDataError} for a shortcut to nothing */
export function buildTenant(data: TenantData, defaults: DriveDefaults): BuiltTenant {
  const { domain = DEFAULT_DOMAIN, people, sites = {}, teams = {} } = data;
  const organization = domain.split(".")[0]!;
  const users = new Map(Object.entries(people).map(([key, person]) => [key, userOf(key, person, domain)]));
  const drives = new Map<string, Drive>();
  const seeds: { drive: Drive; files: FilesData }[] = [];
  const addDrive = (site: Site, author: User, name: string, files: FilesData, ...names: string[]) => {
    const drive = newDrive(site, name, { user: author }, defaults);
    for (const known of names) if (!drives.has(known)) drives.set(known, drive);
    seeds.push({ drive, files });
  };

  const personalSites: Site[] = [];
  for (const [key, { account, files = {} }] of Object.entries(people)) {
    if (account === "guest") continue;
    const user = users.get(key)!;
    const site = personalSite(user, organization);
    addDrive(site, user, "OneDrive", files, ...(drives.size === 0 ? ["me"] : []), key);
    if (account !== "personal") personalSites.push(site);
  }

  const built = new Map<string, Site>();
  const [firstSite] = Object.entries(sites).find(([, { path }]) => path !== "") ?? [];
  for (const [name, siteData] of Object.entries(sites)) {
    const site = siteOf(name, siteData, users, organization);
    built.set(name, site);
    const author = users.get(siteData.author ?? siteData.owners?.[0] ?? Object.keys(people)[0]!)!;
    for (const [library, files] of Object.entries(siteData.libraries ?? { Documents: {} })) {
      const isDefault = site.drives.length === 0;
      const names = [isDefault ? name : `${name}/${library}`, ...(name === firstSite ? [library] : [])];
      addDrive(site, author, library, files, ...names);
    }
  }
  for (const { channels = {} } of Object.values(teams)) {
    for (const [channel, { site }] of Object.entries(channels)) {
      if (site !== undefined && !drives.has(channel)) drives.set(channel, built.get(site)!.drives[0]!);
    }
  }

  const find = (path: string) => itemAt(path, built);
  // OneDrives last: their shortcuts lead to sites.
  seeds.sort((one, other) => Number(one.drive.info.site.personal) - Number(other.drive.info.site.personal));
  for (const { drive, files } of seeds) {
    new Seeder(drive, defaults.store, drive.info.author, find).add(files);
  }
  defaults.store.writePack();
  return {
    directory: {
      tenantId: TENANT_ID,
      domains: [domain, `${organization}.onmicrosoft.com`],
      hostname: `${organization}.sharepoint.com`,
      application: { id: CLIENT_ID, displayName: "graph-scripts" },
      otherTenant: { tenantId: OTHER_TENANT_ID, domains: domainsOfGuests(users.values()) },
      users: [...users.values()],
      sites: [...built.values(), ...personalSites],
      teams: Object.entries(teams).map(([name, team]) => teamOf(name, team, built)),
    },
    drives,
  };
}

function userOf(key: string, { name, account = "work", ...person }: PersonData, domain: string): User {
  const [givenName = "", ...surnames] = name.split(" ");
  const { mail = `${key}@${account === "personal" ? "outlook.com" : domain}`, office } = person;
  const common = {
    key,
    displayName: name,
    givenName,
    surname: surnames.join(" "),
    mail,
    jobTitle: person.jobTitle ?? null,
    officeLocation: office ?? null,
    businessPhone: office === undefined ? undefined : `+1 425 555 01${office.slice(-2)}`,
  };
  switch (account) {
    case "work":
      return {
        ...common,
        id: fixedGuid(`user ${key}`),
        tenantId: TENANT_ID,
        home: undefined,
        userPrincipalName: mail,
      };
    case "guest": { // one user with two accounts (PROTOCOL 1)
      const home: User = {
        ...common,
        id: fixedGuid(`user ${key} at home`),
        tenantId: OTHER_TENANT_ID,
        home: undefined,
        userPrincipalName: mail,
      };
      const userPrincipalName = `${mail.replace("@", "_")}#EXT#@${domain.split(".")[0]}.onmicrosoft.com`;
      return { ...common, id: fixedGuid(`user ${key}`), tenantId: TENANT_ID, home, userPrincipalName };
    }
    case "personal": // its id is its OneDrive's CID (unverified, PROTOCOL 1)
      return {
        ...common,
        id: person.cid ?? fixedGuid(`cid ${key}`).replaceAll("-", "").slice(0, 16),
        tenantId: PERSONAL_TENANT_ID,
        home: undefined,
        userPrincipalName: mail,
      };
  }
}

function domainsOfGuests(users: Iterable<User>): string[] {
  const domains = [...users].flatMap(({ home, mail }) => home ? [mail.split("@")[1]!] : []);
  return [...new Set(domains.flatMap((domain) => [domain, `${domain.split(".")[0]}.onmicrosoft.com`]))];
}

function siteOf(
  name: string,
  { path = `/sites/${name.replaceAll(" ", "")}`, description = "", ...data }: SiteData,
  users: ReadonlyMap<string, User>,
  organization: string,
): Site {
  const roles = new Map<User, Role>();
  for (const role of ["owner", "member", "visitor"] as const) {
    for (const user of (data[`${role}s`] ?? []).map((key) => users.get(key)!)) {
      if (!roles.has(user)) roles.set(user, role);
    }
  }
  return {
    ...newSite(name, path, `${organization}.sharepoint.com`, roles),
    name: path.split("/").at(-1)!,
    description,
  };
}

function newSite(displayName: string, path: string, hostname: string, roles: ReadonlyMap<User, Role>): Site {
  return {
    hostname,
    path,
    siteGuid: fixedGuid(`site ${displayName}`),
    webGuid: fixedGuid(`web ${displayName}`),
    name: path.split("/").at(-1)!,
    displayName,
    description: "",
    created: FOUNDED,
    personal: false,
    roles,
    drives: [],
  };
}

/** Of a personal account it has no URL in Graph, and is not listed. */
function personalSite(owner: User, organization: string): Site {
  const isPersonal = owner.tenantId === PERSONAL_TENANT_ID;
  const name = isPersonal ? owner.id : owner.userPrincipalName.toLowerCase().replaceAll(/[@.]/g, "_");
  const hostname = isPersonal ? "my.microsoftpersonalcontent.com" : `${organization}-my.sharepoint.com`;
  const site = newSite(owner.displayName, `/personal/${name}`, hostname, new Map([[owner, "owner"]]));
  return { ...site, personal: true };
}

function newDrive(site: Site, name: string, author: Author, { store, olderForms }: DriveDefaults): Drive {
  const owner = site.personal ? author.user : undefined;
  const profile = owner?.tenantId === PERSONAL_TENANT_ID ? "personal" : "business";
  const listGuid = fixedGuid(`list ${site.displayName} ${name}`);
  const urlNames: Record<string, string> = { OneDrive: "Documents", Documents: "Shared Documents" };
  const urlName = urlNames[name] ?? name;
  const drive = new Drive(
    { name, urlName, listGuid, site, owner, profile, olderForms, created: FOUNDED, author },
    store,
  );
  site.drives.push(drive);
  return drive;
}

function teamOf(name: string, data: TeamData, sites: ReadonlyMap<string, Site>): Team {
  const { description = "" } = data;
  const channels: TeamData["channels"] = { General: {}, ...data.channels };
  const site = sites.get(data.site)!;
  return {
    id: fixedGuid(`team ${name}`),
    displayName: name,
    description,
    members: [...site.roles].filter(([, role]) => role !== "visitor").map(([user]) => user),
    site,
    channels: Object.entries(channels).map(([channel, { description = "", site }]) => ({
      id: `19:${fixedGuid(`channel ${name} ${channel}`).replaceAll("-", "")}@thread.tacv2`,
      displayName: channel,
      description,
      created: FOUNDED,
      ...(site === undefined ? {} : { site: sites.get(site)! }),
    })),
  };
}

/** The item at `Site/Library/Folder/File`. */
function itemAt(path: string, sites: ReadonlyMap<string, Site>): Item {
  const [site, library, ...rest] = path.split("/");
  const drive = sites.get(site!)?.drives.find(({ info: { name } }) => name === library);
  const item = drive?.walk(rest).item;
  if (item === undefined) throw new TenantDataError(`there is no ${path} for a shortcut`);
  return item;
}
