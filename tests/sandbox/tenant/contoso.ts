/** The people, sites and team of the tenant "contoso". All GUIDs are the same in every run. */

import type { ContentStore } from "./content_store.ts";
import type { Directory, Role, Site, Team, User } from "./directory.ts";
import { Drive } from "./drive.ts";
import { fixedGuid } from "./ids.ts";
import type { Author } from "./item.ts";

export const TENANT_ID = "7d3c1f52-9b8e-4a60-8c1d-2f5e6a7b8c90";
export const CLIENT_ID = "b1a7e2c4-5d3f-4e86-9a0b-c7d8e9f01234";

const HOSTNAME = "contoso.sharepoint.com";
const MY_HOSTNAME = "contoso-my.sharepoint.com";
export const FOUNDED = new Date("2024-03-04T08:15:30Z");

function person(
  key: User["key"],
  givenName: string,
  surname: string,
  jobTitle: string,
  office: string,
): User {
  return {
    key,
    id: fixedGuid(`user ${key}`),
    displayName: `${givenName} ${surname}`,
    givenName,
    surname,
    userPrincipalName: `${givenName}${surname[0]}@contoso.com`,
    jobTitle,
    officeLocation: office,
    businessPhone: `+1 425 555 01${office.slice(-2)}`,
  };
}

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

function addDrive(at: Site, name: string, urlName: string, author: Author, store: ContentStore): Drive {
  const owner = at.personal ? author.user : undefined;
  const listGuid = fixedGuid(`list ${at.displayName} ${name}`);
  const drive = new Drive({ name, urlName, listGuid, site: at, owner, created: FOUNDED, author }, store);
  at.drives.push(drive);
  return drive;
}

/** The directory with its empty libraries, by the names tests use for them. */
export function contoso(store: ContentStore): { directory: Directory; drives: Map<string, Drive> } {
  const adele = person("adele", "Adele", "Vance", "Retail Manager", "18/2111");
  const megan = person("megan", "Megan", "Bowen", "Marketing Manager", "12/1110");
  const root = site("Contoso", "", "Home of all sites", new Map([[adele, "visitor"], [megan, "visitor"]]));
  const testTeam = site(
    "TestTeam",
    "/sites/TestTeam",
    "Files of the Test Team",
    new Map([[adele, "owner"], [megan, "member"]]),
  );
  // Adele may only read here: effective rights are scope and the person's own rights together (graph-protocol 13.5).
  const marketing = site(
    "Marketing",
    "/sites/Marketing",
    "Campaigns",
    new Map([[adele, "visitor"], [megan, "owner"]]),
  );
  const adeles = personalSite(adele);
  const megans = personalSite(megan);
  const drives = new Map<string, Drive>([
    ["me", addDrive(adeles, "OneDrive", "Documents", { user: adele }, store)],
    ["megan", addDrive(megans, "OneDrive", "Documents", { user: megan }, store)],
    ["Contoso", addDrive(root, "Documents", "Shared Documents", { user: megan }, store)],
    ["Documents", addDrive(testTeam, "Documents", "Shared Documents", { user: adele }, store)],
    ["Archive", addDrive(testTeam, "Archive", "Archive", { user: adele }, store)],
    ["Marketing", addDrive(marketing, "Documents", "Shared Documents", { user: megan }, store)],
  ]);
  drives.set("adele", drives.get("me")!).set("TestTeam", drives.get("Documents")!);
  return {
    directory: {
      tenantId: TENANT_ID,
      domains: ["contoso.com", "contoso.onmicrosoft.com"],
      hostname: HOSTNAME,
      application: { id: CLIENT_ID, displayName: "graph-scripts" },
      users: [adele, megan],
      sites: [root, testTeam, marketing, adeles, megans],
      teams: [testTeamOf(testTeam, [adele, megan])],
    },
    drives,
  };
}

function testTeamOf(site: Site, members: readonly User[]): Team {
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
    channels: [channel("General", "Everything"), channel("Planning", "What comes next")],
  };
}
