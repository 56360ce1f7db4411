/**
 * Checks of listings, single-request uploads and downloads.
 *
 * @module
 */
import { isJsonObject } from "../../lib/json.ts";
import { QuickXorHash } from "../../lib/transfer/quick_xor_hash.ts";
import { outcome, type Subject, textOf } from "./probe.ts";

const CONFLICT = "@microsoft.graph.conflictBehavior";
const URL_PROPERTY = "@microsoft.graph.downloadUrl";
const TEXT = "0123456789";

/** Uploads in one request. */
export async function checkSingleRequests({ probe, report }: Subject): Promise<void> {
  report.check("6a", "a new file", "201", outcome(await probe.put("single.bin", TEXT)));
  report.check("6a", "the same file", "200", outcome(await probe.put("single.bin", TEXT)));
  report.check(
    "6b",
    "the same file, fail",
    "409 nameAlreadyExists",
    outcome(
      await probe.put("single.bin", TEXT, `?${CONFLICT}=fail`),
    ),
  );
  const renamed = await probe.put("single.bin", TEXT, `?${CONFLICT}=rename`);
  const name = textOf(renamed, "name") === "single.bin" ? "the same name" : "another name";
  report.check("6b", "the same file, rename", "201, another name", `${outcome(renamed)}, ${name}`);
  const stale = await probe.put("single.bin", TEXT, "", {
    "if-match": '"{00000000-0000-0000-0000-000000000000},1"',
  });
  report.check("6c", "If-Match with another eTag", "412", String(stale.status));
  const untyped = await probe.graph("PUT", probe.file("untyped.bin", "content"), {
    bytes: new TextEncoder().encode(TEXT),
  });
  report.check("U19", "content without Content-Type", "400", String(untyped.status));
  const hash = hashOf((await probe.read(probe.file("single.bin"))).json);
  const own = new QuickXorHash();
  own.add(new TextEncoder().encode(TEXT), 0);
  const seen = hash === undefined ? "missing" : hash === own.digest() ? "equal" : "another hash";
  report.check("10a", "QuickXorHash", ["equal", "missing"], seen);
}

function hashOf({ file }: Readonly<Record<string, unknown>>): unknown {
  const hashes = isJsonObject(file) ? file.hashes : undefined;
  return isJsonObject(hashes) ? hashes.quickXorHash : undefined;
}

/** Listings: pages, selection, conditions. */
export async function checkListings({ probe, report }: Subject): Promise<void> {
  for (const name of ["first.bin", "second.bin"]) await probe.put(name, TEXT);
  const page = await probe.graph("GET", probe.folder("/children?$top=1"));
  const next = textOf(page, "@odata.nextLink");
  const count = Array.isArray(page.json.value) ? page.json.value.length : 0;
  report.check(
    "4.1a",
    "items of a page of one",
    "1, and a next page",
    `${count}, ${next === "" ? "no" : "and a"} next page`,
  );
  if (next !== "") report.check("4.1b", "the next page", "200", outcome(await probe.graph("GET", next)));
  const { json: { value: items } } = await probe.graph("GET", probe.folder("/children?$select=id,name"));
  const has = Array.isArray(items) && items.some((item) => isJsonObject(item) && URL_PROPERTY in item);
  report.check("4.1f", "download URLs without being selected", "no", has ? "yes" : "no");
  report.check(
    "4.1d",
    "order by name",
    "200",
    outcome(await probe.graph("GET", probe.folder("/children?$orderby=name"))),
  );
  report.check(
    "L8",
    "$skip",
    "400",
    String((await probe.graph("GET", probe.folder("/children?$skip=1"))).status),
  );
  const item = await probe.read(probe.file("first.bin"));
  const same = await probe.graph("GET", probe.file("first.bin"), {
    headers: { "if-none-match": textOf(item, "eTag") },
  });
  report.check("4.1h", "If-None-Match with the eTag", "304", String(same.status));
}

/** Downloads: redirects, ranges, folders. */
export async function checkDownloads({ connection, probe, report, isPersonal }: Subject): Promise<void> {
  await probe.put("download.bin", TEXT);
  await probe.read(probe.file("download.bin"));
  const redirect = await probe.graph("GET", probe.file("download.bin", "content"), {
    headers: { range: "bytes=0-1" },
  });
  const url = redirect.headers.get("location") ?? "";
  report.check("5a", "content", "302", String(redirect.status));
  const isKnown = connection.storage.accepts(url);
  report.check("15a", "the host of a download URL", "a known one", isKnown ? "a known one" : "another one");
  if (!isKnown) return;
  const range = (value: string, headers = {}) =>
    probe.storage("GET", url, { headers: { range: value, ...headers } });
  const part = await range("bytes=2-4");
  report.check(
    "5b",
    "a range",
    "206 with its bytes",
    `${part.status} with ${part.text === "234" ? "its" : "other"} bytes`,
  );
  report.check("5c", "a range beyond the end", "416", String((await range("bytes=100-")).status));
  const other = '"{00000000-0000-0000-0000-000000000000},1"';
  report.observe(
    "18a",
    "a range with If-Match of another eTag",
    String((await range("bytes=2-4", { "if-match": other })).status),
  );
  report.observe(
    "18a",
    "a range with If-Range of another eTag",
    String((await range("bytes=2-4", { "if-range": other })).status),
  );
  const folder = await probe.graph("GET", probe.folder("/content"));
  if (!isPersonal) report.check("5g", "content of a folder", "404", String(folder.status));
}
