/** Users, sites and team of the tenant "contoso". Its GUIDs are the same in every run. */

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
import type { Author } from "./item.ts";

export const TENANT_ID = "7d3c1f52-9b8e-4a60-8c1d-2f5e6a7b8c90";
export const CLIENT_ID = "b1a7e2c4-5d3f-4e86-9a0b-c7d8e9f01234";
/** The client id of the app-only registration. */
export const APP_CLIENT_ID = "e4c0a9d2-7b16-4f58-a3e1-90d5c8b72f64";

const HOSTNAME = "contoso.sharepoint.com";
const MY_HOSTNAME = "contoso-my.sharepoint.com";
export const FOUNDED = new Date("2024-03-04T08:15:30Z");

const OTHER_TENANT = {
  tenantId: "3b9d5e71-0c42-4f6a-9d18-64e2a7c1f583",
  domains: ["northwindtraders.com", "northwindtraders.onmicrosoft.com"],
};

function workUser(
  key: User["key"],
  givenName: string,
  surname: string,
  jobTitle: string,
  office: string,
): User {
  return {
    key,
    id: fixedGuid(`user ${key}`),
    tenantId: TENANT_ID,
    home: undefined,
    displayName: `${givenName} ${surname}`,
    givenName,
    surname,
    userPrincipalName: `${givenName}${surname[0]}@contoso.com`,
    mail: `${givenName}${surname[0]}@contoso.com`,
    jobTitle,
    officeLocation: office,
    businessPhone: `+1 425 555 01${office.slice(-2)}`,
  };
}

/** Dana works at Northwind Traders and is a guest here: one user with two accounts (PROTOCOL 1). */
function guest(): User {
  const mail = "dana@northwindtraders.com";
  const common = { key: "dana", displayName: "Dana Lee", givenName: "Dana", surname: "Lee", mail } as const;
  const rest = { jobTitle: null, officeLocation: null, businessPhone: undefined };
  const home: User = {
    ...common,
    ...rest,
    id: fixedGuid("user dana at home"),
    tenantId: OTHER_TENANT.tenantId,
    home: undefined,
    userPrincipalName: mail,
  };
  return {
    ...common,
    ...rest,
    id: fixedGuid("user dana"),
    tenantId: TENANT_ID,
    home,
    userPrincipalName: "dana_northwindtraders.com#EXT#@contoso.onmicrosoft.com",
  };
}

/** A personal account; its id is its OneDrive's CID (unverified, PROTOCOL 1). */
function consumer(): User {
  return {
    key: "robin",
    id: PERSONAL_CID,
    tenantId: PERSONAL_TENANT_ID,
    home: undefined,
    displayName: "Robin Hale",
    givenName: "Robin",
    surname: "Hale",
    userPrincipalName: "robin.hale@outlook.com",
    mail: "robin.hale@outlook.com",
    jobTitle: null,
    officeLocation: null,
    businessPhone: undefined,
  };
}

/** A system drive that is listed for personal accounts but cannot be opened (PROTOCOL L2). */
export const PHANTOM_DRIVE_ID: string = driveId(
  fixedGuid("phantom"),
  fixedGuid("phantom web"),
  fixedGuid("phantom list"),
);

/** Has a leading zero, which the service sometimes drops (PROTOCOL N9). */
const PERSONAL_CID = "0a5f3c9e17d2b846";

function site(name: string, path: string, description: string, roles: ReadonlyMap<User, Role>): Site {
  return {
    hostname: HOSTNAME,
    path,
    siteGuid: fixedGuid(`site ${name}`),
    webGuid: fixedGuid(`web ${name}`),
    name: path === "" ? "" : name,
    displayName: name,
    description,
    created: FOUNDED,
    personal: false,
    roles,
    drives: [],
  };
}

function personalSite(owner: User): Site {
  const path = `/personal/${owner.userPrincipalName.toLowerCase().replaceAll(/[@.]/g, "_")}`;
  return {
    ...site(owner.displayName, path, "", new Map([[owner, "owner"]])),
    hostname: MY_HOSTNAME,
    name: path.slice(path.lastIndexOf("/") + 1),
    personal: true,
  };
}

/** What all drives have in common. */
interface DriveDefaults {
  readonly store: ContentStore;
  readonly olderForms: boolean;
}

function addDrive(
  at: Site,
  name: string,
  urlName: string,
  author: Author,
  { store, olderForms }: DriveDefaults,
): Drive {
  const owner = at.personal ? author.user : undefined;
  const profile = owner?.tenantId === PERSONAL_TENANT_ID ? "personal" : "business";
  const listGuid = fixedGuid(`list ${at.displayName} ${name}`);
  const drive = new Drive(
    { name, urlName, listGuid, site: at, owner, profile, olderForms, created: FOUNDED, author },
    store,
  );
  at.drives.push(drive);
  return drive;
}

/** The directory and its empty libraries, by the names that tests use. */
export function contoso(defaults: DriveDefaults): { directory: Directory; drives: Map<string, Drive> } {
  const adele = workUser("adele", "Adele", "Vance", "Retail Manager", "18/2111");
  const megan = workUser("megan", "Megan", "Bowen", "Marketing Manager", "12/1110");
  const dana = guest();
  const robin = consumer();
  const root = site("Contoso", "", "Home of all sites", new Map([[adele, "visitor"], [megan, "visitor"]]));
  const testTeam = site(
    "TestTeam",
    "/sites/TestTeam",
    "Files of the Test Team",
    new Map([[adele, "owner"], [megan, "member"], [dana, "visitor"]]),
  );
  // Adele may only read here: scope and the user's own rights both apply (PROTOCOL 13.5).
  const marketing = site(
    "Marketing",
    "/sites/Marketing",
    "Campaigns",
    new Map([[adele, "visitor"], [megan, "owner"]]),
  );
  const leads = site(
    "TestTeam-Leads",
    "/sites/TestTeam-Leads",
    "Files of a private channel",
    new Map([[adele, "owner"]]),
  );
  const adeleSite = personalSite(adele);
  const meganSite = personalSite(megan);
  // Not listed among the sites: a personal OneDrive uses the same code but has no site URL in Graph.
  const robinSite = {
    ...personalSite(robin),
    hostname: "my.microsoftpersonalcontent.com",
    path: `/personal/${robin.id}`,
  };
  const drives = new Map<string, Drive>([
    ["me", addDrive(adeleSite, "OneDrive", "Documents", { user: adele }, defaults)],
    ["megan", addDrive(meganSite, "OneDrive", "Documents", { user: megan }, defaults)],
    ["robin", addDrive(robinSite, "OneDrive", "Documents", { user: robin }, defaults)],
    ["Contoso", addDrive(root, "Documents", "Shared Documents", { user: megan }, defaults)],
    ["Documents", addDrive(testTeam, "Documents", "Shared Documents", { user: adele }, defaults)],
    ["Leads", addDrive(leads, "Documents", "Shared Documents", { user: adele }, defaults)],
    ["Archive", addDrive(testTeam, "Archive", "Archive", { user: adele }, defaults)],
    ["Marketing", addDrive(marketing, "Documents", "Shared Documents", { user: megan }, defaults)],
  ]);
  drives.set("adele", drives.get("me")!).set("TestTeam", drives.get("Documents")!);
  return {
    directory: {
      tenantId: TENANT_ID,
      domains: ["contoso.com", "contoso.onmicrosoft.com"],
      hostname: HOSTNAME,
      application: { id: CLIENT_ID, displayName: "graph-scripts" },
      otherTenant: OTHER_TENANT,
      users: [adele, megan, dana, robin],
      sites: [root, testTeam, leads, marketing, adeleSite, meganSite],
      teams: [testTeamOf(testTeam, [adele, megan], leads)],
    },
    drives,
  };
}

function testTeamOf(site: Site, members: readonly User[], leads: Site): Team {
  const channel = (displayName: string, description: string) => ({
    id: `19:${fixedGuid(`channel ${displayName}`).replaceAll("-", "")}@thread.tacv2`,
    displayName,
    description,
    created: FOUNDED,
  });
  return {
    id: fixedGuid("team Test Team"),
    displayName: "Test Team",
    description: "Where we try things out",
    members,
    site,
    channels: [
      channel("General", "Everything"),
      channel("Planning", "What comes next"),
      { ...channel("Leads", "A private channel"), site: leads },
    ],
  };
}
