import { assert, assertEquals, assertMatch } from "../assert.ts";
import { childUrl, type ItemAddress, itemUrl } from "../../lib/drive/address.ts";
import { parseLocation, parseSite } from "../../lib/drive/location.ts";
import { nameProblem, pathNameProblem } from "../../lib/drive/names.ts";

const HOST = "contoso.sharepoint.com";

Deno.test("itemUrl() encodes each name, and no colon that marks the path (PROTOCOL 3.2a, N3)", () => {
  const driveId = "b!x-Y_z";
  const cases: [ItemAddress, string | undefined, string][] = [
    [{ driveId, path: [] }, undefined, "/drives/b!x-Y_z/root"],
    [{ driveId, path: [] }, "children", "/drives/b!x-Y_z/root/children"],
    [
      { driveId, path: ["a b", "#x", "100%", "+&;='.txt"] },
      undefined,
      "/drives/b!x-Y_z/root:/a%20b/%23x/100%25/%2B%26%3B%3D'.txt",
    ],
    [{ driveId, itemId: "01ABC" }, "content", "/drives/b!x-Y_z/items/01ABC/content"],
    [{ driveId: "a/b?c#d", itemId: "CID!123" }, undefined, "/drives/a%2Fb%3Fc%23d/items/CID!123"],
  ];
  for (const [address, relation, url] of cases) assertEquals(itemUrl(address, relation), url);
});

Deno.test("childUrl() addresses an item by its name in a folder (PROTOCOL N6)", () => {
  const driveId = "b!x";
  assertEquals(childUrl({ driveId, itemId: "01" }, "a#b", "content"), "/drives/b!x/items/01:/a%23b:/content");
  assertEquals(childUrl({ driveId, path: ["A"] }, "x", "content"), "/drives/b!x/root:/A/x:/content");
});

Deno.test("parseLocation() understands each form", () => {
  const site = (path: string) => ({ kind: "site", site: { host: HOST, path } });
  const cases: [string, unknown, string[], boolean][] = [
    ["", { kind: "default" }, [], true],
    ["/General//x.pdf", { kind: "default" }, ["General", "x.pdf"], false],
    ["General/", { kind: "default" }, ["General"], true],
    ["me:", { kind: "me" }, [], true],
    ["site:Team/a/b", site("sites/Team"), ["a", "b"], false],
    ["site:/teams/T/a", site("teams/T"), ["a"], false],
    ["site:Contoso.sharepoint.com/teams/T/a", site("teams/T"), ["a"], false],
    ["site:contoso.sharepoint.com/Shared Documents/a", site(""), ["Shared Documents", "a"], false],
    ["drive:Archive/a", { kind: "drive", drive: "Archive" }, ["a"], false],
    ["id:y", { kind: "item", driveId: undefined, itemId: "y" }, [], false],
    ["id:x/y", { kind: "item", driveId: "x", itemId: "y" }, [], false],
  ];
  for (const [text, base, path, folder] of cases) {
    assertEquals(parseLocation(text, HOST), { text, base, path, folder } as ReturnType<typeof parseLocation>);
  }
});

Deno.test("parseSite() takes a URL, a subsite, or a name with the default host", () => {
  assertEquals(parseSite(`https://${HOST}/sites/A/Sub/`), { host: HOST, path: "sites/A/Sub" });
  assertEquals(parseSite("A", "h.example"), { host: "h.example", path: "sites/A" });
});

Deno.test("nameProblem() rejects the names that the service rejects", () => {
  const legal = [
    "a#b",
    "50%",
    "x+y",
    "a;b",
    "it's",
    "console.txt",
    "com10",
    "näme",
    ".hidden",
    "a~$b",
    "forms",
  ];
  for (const name of legal) assertEquals(nameProblem(name), undefined, name);
  for (const name of ["", "com0.tar.gz", "LPT9", ".LOCK", "x\u0085y"]) {
    assert(nameProblem(name) !== undefined, name);
  }
  assertMatch(pathNameProblem("a:b") ?? "", /:/);
});
