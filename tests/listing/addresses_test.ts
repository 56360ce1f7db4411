/** Locations as users copy them from browsers, Teams and share links lead to the right item, with few requests. */

import { assertEquals, assertMatch } from "../assert.ts";
import { connect } from "../../lib/connect.ts";
import { getItem } from "../../lib/drive/items.ts";
import { parseLocation } from "../../lib/drive/location.ts";
import type { GraphError } from "../../lib/errors.ts";
import { type Sandbox, startSandbox, type UserKey } from "../sandbox/mod.ts";
import { startTestEnv, type TestEnv } from "../test_env.ts";
import { tenantOf } from "../sandbox/conformance/testing.ts";

const SITE = "https://contoso.sharepoint.com/sites/TestTeam";
const LIBRARY = `${SITE}/Shared%20Documents`;
const ADELE = "https://contoso-my.sharepoint.com/personal/adelev_contoso_com";
const MEGAN = "https://contoso-my.sharepoint.com/personal/meganb_contoso_com";
const CHANNEL = "team:Test Team/General";

/** A location, the drive of the sandbox and the path that it means, and the most requests that it takes. */
type Row = [location: string, drive: string, path: string, requests?: number];

function id(sandbox: Sandbox, drive: string, path: string): string {
  return sandbox.tenant.find(drive, path)!.id;
}

function guid(sandbox: Sandbox, drive: string, path: string): string {
  return /\{(.+)\}/.exec(sandbox.tenant.find(drive, path)!.eTag)![1]!;
}

/** Forms that work and school accounts meet. */
function workRows(sandbox: Sandbox): Row[] {
  const report = guid(sandbox, "Documents", "General/Report.docx");
  const driveId = sandbox.tenant.find("Documents", "General")!.driveId;
  const teamsFile = (url: string) =>
    `https://teams.microsoft.com/l/file/${report}?tenantId=x&fileType=docx&objectUrl=${
      encodeURIComponent(url)
    }`;
  const team = tenantOf(sandbox).directory.teams[0]!;
  const channel = (name: string) => {
    const { id } = team.channels.find(({ displayName }) => displayName === name)!;
    return `https://teams.microsoft.com/l/channel/${
      encodeURIComponent(id)
    }/${name}?groupId=${team.id}&tenantId=x`;
  };
  const awkward = "Documents/Awkward names";
  return [
    // paths in the default site
    ["General", "Documents", "General"],
    ["General/Report.docx", "Documents", "General/Report.docx"],
    ["/General/Report.docx", "Documents", "General/Report.docx"],
    ["general/report.DOCX", "Documents", "General/Report.docx"],
    ["General/Minutes/Minutes 2025-10.pdf", "Documents", "General/Minutes/Minutes 2025-10.pdf"],
    // me:
    ["me:Documents", "me", "Documents"],
    ["me:/Documents/Letter.docx", "me", "Documents/Letter.docx"],
    ["me:Documents/Grüße aus Köln.txt", "me", "Documents/Grüße aus Köln.txt"],
    [`me:${awkward}/100% sure.txt`, "me", `${awkward}/100% sure.txt`],
    [`me:${awkward}/C# notes.txt`, "me", `${awkward}/C# notes.txt`],
    [`me:${awkward}/50%25 off.txt`, "me", `${awkward}/50%25 off.txt`],
    // site:
    ["site:TestTeam/General", "Documents", "General"],
    ["site:TestTeam/Archive/2024", "Archive", "2024"],
    ["site:TestTeam/Shared Documents/General", "Documents", "General"],
    ["site:/sites/TestTeam/Documents/General", "Documents", "General"],
    ["site:contoso.sharepoint.com/sites/TestTeam/General/Agenda.md", "Documents", "General/Agenda.md"],
    ["site:CONTOSO.sharepoint.com/Sites/testteam/General", "Documents", "General"],
    ["site:https://contoso.sharepoint.com/sites/TestTeam/General", "Documents", "General"],
    ["site:contoso.sharepoint.com/Welcome.txt", "Contoso", "Welcome.txt"],
    ["site:Marketing/Campaign 2026", "Marketing", "Campaign 2026"],
    // drive: and id:
    ["drive:Archive/2024", "Archive", "2024"],
    ["drive:Shared Documents/General", "Documents", "General"],
    [`drive:${driveId}/General`, "Documents", "General"],
    [`id:${id(sandbox, "Documents", "General/Report.docx")}`, "Documents", "General/Report.docx"],
    [`id:${driveId}/${id(sandbox, "Documents", "General")}`, "Documents", "General"],
    // team:
    [CHANNEL, "Documents", "General"],
    [`${CHANNEL}/Report.docx`, "Documents", "General/Report.docx"],
    ["team:test team/general/Minutes/", "Documents", "General/Minutes"],
    ["team:Test Team/Leads", "Leads", "Leads"],
    ["team:Test Team/Leads/Salaries.txt", "Leads", "Leads/Salaries.txt"],
    // library views
    [
      `${LIBRARY}/Forms/AllItems.aspx?id=%2Fsites%2FTestTeam%2FShared%20Documents%2FGeneral`,
      "Documents",
      "General",
    ],
    [
      `${LIBRARY}/Forms/AllItems.aspx?id=%2Fsites%2FTestTeam%2FShared+Documents%2FGeneral&viewid=1`,
      "Documents",
      "General",
    ],
    [
      `${LIBRARY}/Forms/AllItems.aspx?RootFolder=%2Fsites%2FTestTeam%2FShared%20Documents%2FGeneral&FolderCTID=0x01`,
      "Documents",
      "General",
    ],
    [
      `${LIBRARY}/Forms/All%20Documents.aspx?ID=%2Fsites%2FTestTeam%2FShared%20Documents%2FGeneral%2FMinutes`,
      "Documents",
      "General/Minutes",
    ],
    [
      `${LIBRARY}/Forms/AllItems.aspx?id=%2Fsites%2FTestTeam%2FShared%20Documents%2FGeneral%2FAgenda%2Emd&parent=%2Fsites%2FTestTeam%2FShared%20Documents%2FGeneral`,
      "Documents",
      "General/Agenda.md",
    ],
    [`${SITE}/Archive/Forms/AllItems.aspx?id=%2Fsites%2FTestTeam%2FArchive%2F2024`, "Archive", "2024"],
    // plain addresses
    [`${LIBRARY}/General`, "Documents", "General"],
    [`${LIBRARY}/General/`, "Documents", "General"],
    [`${SITE}/Shared Documents/General/Report.docx`, "Documents", "General/Report.docx"],
    [`${LIBRARY}/General/Report.docx?web=1`, "Documents", "General/Report.docx"],
    [
      `${LIBRARY}/General/Report.docx?d=w${report.replaceAll("-", "")}&csf=1&web=1&e=AbCdEf`,
      "Documents",
      "General/Report.docx",
    ],
    [
      `${LIBRARY}/General/Minutes/Minutes%202025-10.pdf#page=2`,
      "Documents",
      "General/Minutes/Minutes 2025-10.pdf",
    ],
    [
      "HTTPS://Contoso.SharePoint.com/sites/testteam/shared%20documents/general/agenda.md",
      "Documents",
      "General/Agenda.md",
    ],
    [`${SITE}/Archive/2024/Budget%202024.xlsx`, "Archive", "2024/Budget 2024.xlsx"],
    ["https://contoso.sharepoint.com/Shared%20Documents/Welcome.txt", "Contoso", "Welcome.txt"],
    ["https://contoso.sharepoint.com/sites/Marketing/Shared%20Documents/Logo.png", "Marketing", "Logo.png"],
    // addresses of the r kind
    [
      "https://contoso.sharepoint.com/:f:/r/sites/TestTeam/Shared%20Documents/General?csf=1&web=1&e=x",
      "Documents",
      "General",
    ],
    [
      "https://contoso.sharepoint.com/:w:/r/sites/TestTeam/Shared%20Documents/General/Report.docx?d=w1&csf=1",
      "Documents",
      "General/Report.docx",
    ],
    [
      "https://contoso.sharepoint.com/:x:/r/sites/TestTeam/Archive/2024/Budget%202024.xlsx?csf=1",
      "Archive",
      "2024/Budget 2024.xlsx",
    ],
    [
      "https://contoso-my.sharepoint.com/:w:/r/personal/adelev_contoso_com/Documents/Documents/Letter.docx?csf=1",
      "me",
      "Documents/Letter.docx",
    ],
    // documents in the browser
    [
      `${SITE}/_layouts/15/Doc.aspx?sourcedoc=%7B${report}%7D&file=Report.docx&action=default&mobileredirect=true`,
      "Documents",
      "General/Report.docx",
    ],
    [`${SITE}/_layouts/15/doc2.aspx?sourcedoc=%7B${report}%7D`, "Documents", "General/Report.docx"],
    [
      `${SITE}/_layouts/15/WopiFrame.aspx?sourcedoc={${report}}&action=view`,
      "Documents",
      "General/Report.docx",
    ],
    [
      `${SITE}/_layouts/15/download.aspx?UniqueId=${report.toLowerCase()}`,
      "Documents",
      "General/Report.docx",
    ],
    // OneDrive in the browser
    [
      `${ADELE}/_layouts/15/onedrive.aspx?id=%2Fpersonal%2Fadelev%5Fcontoso%5Fcom%2FDocuments%2FDocuments`,
      "me",
      "Documents",
    ],
    [
      `${ADELE}/_layouts/15/onedrive.aspx?id=%2Fpersonal%2Fadelev%5Fcontoso%5Fcom%2FDocuments%2FPictures&view=0`,
      "me",
      "Pictures",
    ],
    [
      `${ADELE}/_layouts/15/onedrive.aspx?id=/personal/adelev_contoso_com/Documents/Documents/Letter.docx&parent=/personal/adelev_contoso_com/Documents/Documents`,
      "me",
      "Documents/Letter.docx",
    ],
    [`${ADELE}/Documents/Documents/Letter.docx`, "me", "Documents/Letter.docx"],
    [
      `${ADELE}/Documents/Documents/Gr%C3%BC%C3%9Fe%20aus%20K%C3%B6ln.txt`,
      "me",
      "Documents/Grüße aus Köln.txt",
    ],
    [`${ADELE}/Documents/${encodeURI(awkward)}/C%23%20notes.txt`, "me", `${awkward}/C# notes.txt`],
    [`${ADELE}/Documents/${encodeURI(awkward)}/50%2525%20off.txt`, "me", `${awkward}/50%25 off.txt`],
    [`${ADELE}/Documents/${encodeURI(awkward)}/Fish%20%26%20Chips.txt`, "me", `${awkward}/Fish & Chips.txt`],
    [`${ADELE}/Documents/${encodeURI(awkward)}/Q1%2BQ2.csv`, "me", `${awkward}/Q1+Q2.csv`],
    [`${ADELE}/Documents/${encodeURI(awkward)}/Megan's%20list.txt`, "me", `${awkward}/Megan's list.txt`],
    [
      `${ADELE}/Documents/Forms/All.aspx?id=%2Fpersonal%2Fadelev_contoso_com%2FDocuments%2FPictures`,
      "me",
      "Pictures",
    ],
    // share links
    [sandbox.tenant.shareLink("Documents", "General/Report.docx"), "Documents", "General/Report.docx"],
    [
      `${sandbox.tenant.shareLink("Documents", "General/Report.docx")}?e=4%3aAbCd&at=9`,
      "Documents",
      "General/Report.docx",
    ],
    [sandbox.tenant.shareLink("Documents", "General"), "Documents", "General"],
    [sandbox.tenant.shareLink("Archive", "2024/Budget 2024.xlsx"), "Archive", "2024/Budget 2024.xlsx"],
    [sandbox.tenant.shareLink("me", "Documents/Letter.docx"), "me", "Documents/Letter.docx"],
    [sandbox.tenant.shareLink("me", "Pictures"), "me", "Pictures"],
    // Teams
    [teamsFile(`${LIBRARY}/General/Report.docx`), "Documents", "General/Report.docx"],
    [teamsFile(`${SITE}/Shared Documents/General/Report.docx`), "Documents", "General/Report.docx"],
    [
      teamsFile(`${SITE}/Shared Documents/General/Report.docx`).replace(
        "teams.microsoft.com",
        "teams.cloud.microsoft",
      ),
      "Documents",
      "General/Report.docx",
    ],
    [channel("General"), "Documents", "General"],
    [channel("Leads"), "Leads", "Leads"],
  ];
}

/** Forms of a personal OneDrive. */
function personalRows(sandbox: Sandbox): Row[] {
  const list = id(sandbox, "robin", "Documents/Shopping list.txt");
  const { driveId } = sandbox.tenant.find("robin", "Documents")!;
  return [
    ["Documents/Shopping list.txt", "robin", "Documents/Shopping list.txt"],
    ["me:Pictures/Holiday.png", "robin", "Pictures/Holiday.png"],
    [`id:${list}`, "robin", "Documents/Shopping list.txt"],
    [`id:${driveId}/${list}`, "robin", "Documents/Shopping list.txt"],
    [
      `https://onedrive.live.com/?cid=${driveId}&id=${encodeURIComponent(list)}`,
      "robin",
      "Documents/Shopping list.txt",
    ],
    [
      `https://onedrive.live.com/?id=${encodeURIComponent(list)}&cid=${driveId}&parId=root&o=OneUp`,
      "robin",
      "Documents/Shopping list.txt",
    ],
    [
      `https://onedrive.live.com/edit.aspx?resid=${encodeURIComponent(list)}&ithint=file`,
      "robin",
      "Documents/Shopping list.txt",
    ],
    [
      `https://onedrive.live.com/personal/${driveId}/_layouts/15/doc.aspx?resid=${list}&cid=${driveId}`,
      "robin",
      "Documents/Shopping list.txt",
    ],
  ];
}

async function check(sandbox: Sandbox, rows: readonly Row[], as: UserKey, variables: Record<string, string>) {
  const scopes = ["Files.ReadWrite.All", "Sites.Read.All", "Team.ReadBasic.All", "Channel.ReadBasic.All"];
  const env: Record<string, string> = {
    ...variables,
    GRAPH_ACCESS_TOKEN: sandbox.issueToken({ as, scopes }),
  };
  for (const [location, drive, path] of rows) {
    const connection = await connect({ env: (name) => env[name] });
    const found = await getItem(connection, location).then(({ item }) => item.id, (error) => String(error));
    assertEquals([location, found], [location, id(sandbox, drive, path)]);
  }
}

Deno.test("locations that users copy lead to the right item", async () => {
  await using sandbox = await startSandbox();
  const rows = workRows(sandbox);
  await check(sandbox, rows, "adele", sandbox.env);
  const { GRAPH_SITE: _, GRAPH_SITE_HOST: __, ...personal } = sandbox.env;
  await check(sandbox, personalRows(sandbox), "robin", personal);
  assertEquals(rows.length + personalRows(sandbox).length >= 80, true, `${rows.length} rows`);
});

Deno.test("addresses that lead to no file are one clear error", async () => {
  await using sandbox = await startSandbox();
  const env: Record<string, string> = {
    ...sandbox.env,
    GRAPH_ACCESS_TOKEN: sandbox.issueToken({
      scopes: ["Files.ReadWrite.All", "Sites.Read.All", "Team.ReadBasic.All", "Channel.ReadBasic.All"],
    }),
  };
  const wrong: [location: string, exitCode: number, message: RegExp][] = [
    ["https://", 2, /not a valid URL/],
    [
      "https://fabrikam.sharepoint.com/sites/X/Shared%20Documents/a.txt",
      3,
      /fabrikam\.sharepoint\.com is not a host of this tenant/,
    ],
    [`${SITE}/SitePages/Home.aspx`, 2, /address of a page/],
    ["https://teams.microsoft.com/l/message/19:x@thread.tacv2/1", 2, /link of Teams to something else/],
    [`${SITE}/Nowhere/General`, 3, /has no library or subsite called Nowhere.*Shared Documents, Archive/],
    [`${LIBRARY}/General/None.txt`, 3, /does not exist/],
    ["https://contoso.sharepoint.com/:w:/s/TestTeam/EAAAAAAAAAAAAAAAAAAAAAAA?e=x", 5, /no permission/],
    [`${MEGAN}/Documents/Documents/Private%20notes.txt`, 5, /no permission/],
    ["team:Nobody/General", 3, /you are in no team called Nobody.*Test Team/],
    ["team:Test Team/Nothing", 3, /no channel called Nothing.*General/],
    ["team:Test Team/Planning", 3, /not ready/],
    ["team:", 2, /write team:TEAM\/CHANNEL\/PATH/],
    [`${LIBRARY}/General/a%3Ab.txt`, 2, /illegal name/],
    [`${LIBRARY}/General/a%2Fb.txt`, 2, /illegal name/],
    [`${LIBRARY}/${"x".repeat(401)}`, 2, /too long/],
  ];
  for (const [location, exitCode, message] of wrong) {
    const connection = await connect({ env: (name) => env[name] });
    const error = await getItem(connection, location).then(() => undefined, (error) => error as GraphError);
    assertMatch(`${error?.message}; ${error?.hint}`, message, location);
    assertEquals([location, error?.exitCode], [location, exitCode]);
  }
});

Deno.test("parseLocation() sends nothing and decodes each name once", () => {
  const { base, path, folder } = parseLocation(`${LIBRARY}/a%2520b/`);
  assertEquals([base, path, folder], [
    { kind: "web", host: "contoso.sharepoint.com" },
    ["sites", "TestTeam", "Shared Documents", "a%20b"],
    true,
  ]);
});

Deno.test("links and teams ask for their own permissions only when they are used", async () => {
  const consented = ["User.Read", "Files.Read", "Files.Read.All", "Sites.Read.All"];
  await using env = await startTestEnv({ consented });
  const link = env.sandbox.tenant.shareLink("Documents", "General/Report.docx");
  const scopesOf = async (...args: string[]) => {
    const before = env.sandbox.requests.length;
    assertEquals((await env.run("ls", ...args, "--prompt")).code, 0);
    const bodies = env.sandbox.requests.slice(before).filter(({ path }) => path.includes("/devicecode"));
    return bodies.length;
  };
  assertEquals(await scopesOf("General"), 0); // consented already
  assertEquals((await env.run("ls", link)).code, 5); // without a prompt
  assertEquals((await env.run("ls", CHANNEL)).code, 5);

  assertEquals((await env.run("whoami", "--for", "teams,links", "--prompt")).code, 0);
  for (const location of [link, CHANNEL, "General"]) {
    const { code, stderr } = await env.run("ls", location);
    assertEquals([location, code, stderr], [location, 0, ""]);
  }
});

Deno.test("files are transferred at addresses from browser, Teams and share links", async () => {
  await using env = await startTestEnv();
  await env.run("whoami", "--for", "teams,links", "--prompt");
  await env.file("new.txt", "new\n");
  const folder = env.sandbox.tenant.shareLink("Documents", "General/Minutes");
  for (
    const [target, path] of [
      [`${LIBRARY}/General/`, "General/new.txt"],
      [`${LIBRARY}/General/other.txt`, "General/other.txt"],
      [`${CHANNEL}/named.txt`, "General/named.txt"],
      [folder, "General/Minutes/new.txt"],
    ] as const
  ) {
    const { code, stderr } = await env.run("put", "new.txt", target, "--prompt");
    assertEquals([target, code, stderr], [target, 0, stderr]);
    assertEquals(env.sandbox.tenant.find("Documents", path)?.size, 4);
  }
  const { code, stderr } = await env.run("get", "-r", folder, "minutes");
  assertEquals(code, 0, stderr);
  assertEquals(await Deno.readTextFile(`${env.folder}/minutes/new.txt`), "new\n");
});

/** Requests of a listing, first with nothing remembered, then with what the first run has remembered. */
async function requestsOf(env: TestEnv, ...args: string[]): Promise<[cold: number, warm: number]> {
  const count = async () => {
    const before = env.sandbox.requests.length;
    const { code, stderr } = await env.run("ls", ...args);
    assertEquals([code, stderr], [0, ""], args.join(" "));
    return env.sandbox.requests.slice(before).filter(({ service }) => service === "graph").length;
  };
  await Deno.remove(`${env.sandbox.env.GRAPH_SCRIPTS_HOME}/places.json`).catch(() => {}); // nothing was remembered
  return [await count(), await count()];
}

Deno.test("a listing takes one request with what is remembered, and up to three more the first time", async () => {
  await using env = await startTestEnv();
  await env.run("whoami", "--for", "teams,links", "--prompt");
  const table: [location: string, cold: number][] = [
    ["", 3],
    ["General", 3],
    ["me:", 2],
    ["me:Documents", 2],
    ["drive:Archive/2024", 3],
    ["site:TestTeam/General", 4], // two of them at the same time
    [`${LIBRARY}/General`, 3],
    [`${LIBRARY}/Forms/AllItems.aspx?id=%2Fsites%2FTestTeam%2FShared%20Documents%2FGeneral`, 3],
    [`${ADELE}/Documents/Documents`, 2],
    [CHANNEL, 4],
    [env.sandbox.tenant.shareLink("Documents", "General"), 2],
  ];
  for (const [location, cold] of table) {
    assertEquals([location, ...await requestsOf(env, location)], [location, cold, 1]);
  }
});

Deno.test("a drive that is remembered and gone is looked up again", async () => {
  await using env = await startTestEnv();
  await env.run("ls", "General");
  const path = `${env.sandbox.env.GRAPH_SCRIPTS_HOME}/places.json`;
  const places = await Deno.readTextFile(path);
  const { driveId } = env.sandbox.tenant.find("Documents", "General")!;
  const gone = `b!${"x".repeat(64)}`;
  await Deno.writeTextFile(path, places.replaceAll(driveId, gone));

  const { code, stdout, stderr } = await env.run("ls", "--explain", "General");
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^Agenda\.md$/m);
  assertMatch(
    stderr,
    /TestTeam.*\(remembered\)\n[\s\S]*GET \/sites\/contoso\.sharepoint\.com:\/sites\/TestTeam: TestTeam \([^)]+\)\n/,
  );

  assertEquals(stderr.trim().split("\n").at(-1), `General is /drives/${driveId}/root:/General`);

  await Deno.writeTextFile(path, places.replaceAll(driveId, gone));
  await env.file("a.txt", "a");
  assertEquals((await env.run("put", "a.txt", "General/", "--prompt")).code, 0);
});
