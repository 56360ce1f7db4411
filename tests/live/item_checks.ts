/**
 * Checks of folders and items: ids, names, moves, copies, removal.
 *
 * @module
 */
import { isJsonObject } from "../../lib/json.ts";
import { copy } from "../../lib/manage/copy.ts";
import { outcome, type Reply, type Subject, textOf } from "./probe.ts";
import { formOf } from "./report.ts";

const GUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";
/** Personal drives that are not migrated have base64 of their own. */
const TAG_FORMS = { '"{GUID},n"': new RegExp(`^"(?:c:)?\\{${GUID}\\},\\d+"$`), "base64": /^a[\w-]+$/ };
const BUSINESS_ID = { "01 and base32": /^01[A-Z2-7]{32}$/ };
const PERSONAL_ID = {
  "CID!s and hex digits": /^[0-9A-F]{15,16}!s[0-9a-f]{32}$/,
  "CID!n": /^[0-9A-F]{15,16}!\d+$/,
};
const CONFLICT = "@microsoft.graph.conflictBehavior";

/** Folders are made, and made again. */
export async function checkFolders({ probe, report }: Subject): Promise<void> {
  const make = (behavior: string) =>
    probe.graph("POST", probe.folder("/children"), {
      json: { name: "folder", folder: {}, [CONFLICT]: behavior },
    });
  report.check("3.4b", "a new folder", "201", outcome(await make("fail")));
  report.check("3.4b", "the same folder, fail", "409 nameAlreadyExists", outcome(await make("fail")));
  report.check("3.4b", "the same folder, replace", "200", outcome(await make("replace")));
  report.check(
    "7.1d",
    "an upload session in a missing folder",
    "404 itemNotFound",
    outcome(
      await probe.graph("POST", `${probe.folder()}:/missing/file.bin:/createUploadSession`, { json: {} }),
    ),
  );
}

/** Ids and tags have the forms of their back end. */
export async function checkForms({ probe, report, isPersonal }: Subject): Promise<void> {
  await probe.put("forms.bin", "forms");
  const item = await probe.read(probe.file("forms.bin"));
  const ids = isPersonal ? PERSONAL_ID : BUSINESS_ID;
  const tags = isPersonal ? Object.keys(TAG_FORMS) : '"{GUID},n"';
  report.check(
    isPersonal ? "2.1d" : "2.1c",
    "the form of an item id",
    Object.keys(ids),
    formOf(item.json.id, ids),
  );
  report.check("2.1e", "the form of eTag", tags, formOf(item.json.eTag, TAG_FORMS));
  report.check("2.1e", "the form of cTag", tags, formOf(item.json.cTag, TAG_FORMS));
  report.check("4.1f", "a download URL with an item", "yes", downloadUrlOf(item) === "" ? "no" : "yes");
  report.check("8e", "a request id in the headers", "yes", item.headers.has("request-id") ? "yes" : "no");
  const none = await probe.graph("GET", probe.file("missing.bin"));
  report.check("9a", "a missing file", "404 itemNotFound", outcome(none));
  const { error } = none.json;
  report.observe("9b", "innerError in a 404", isJsonObject(error) && "innerError" in error ? "yes" : "no");
  report.check(
    "3.1b",
    "an empty path",
    "400",
    String((await probe.graph("GET", `${probe.folder()}:/:/children`)).status),
  );
  const wrong = `${probe.file("forms.bin")}/content`;
  report.check(
    "N1",
    "content without the second colon",
    "400",
    String(
      (await probe.graph("PUT", wrong, {
        bytes: new Uint8Array(1),
        headers: { "content-type": "text/plain" },
      })).status,
    ),
  );
}

/** A file is renamed, copied and removed. */
export async function checkChanges({ connection, probe, report, folder }: Subject): Promise<void> {
  await probe.put("taken.bin", "taken");
  await probe.put("change.bin", "change");
  const before = await probe.read(probe.file("change.bin"));
  const item = probe.item(textOf(before, "id"));
  const rename = (name: string) => probe.graph("PATCH", item, { json: { name } });
  report.check(
    "3.3c",
    "a name in another case, fail",
    "409 nameAlreadyExists",
    outcome(
      await probe.put("TAKEN.BIN", "other", `?${CONFLICT}=fail`),
    ),
  );
  report.check(
    "14a",
    "a rename to a taken name",
    "409 nameAlreadyExists",
    outcome(await rename("taken.bin")),
  );
  report.check("14a", "a rename", "200", outcome(await rename("changed.bin")));
  const after = await probe.read(item);
  report.check("10.2b", "eTag after a rename", "changed", compareTags(before, after, "eTag"));
  report.check("10.2b", "cTag after a rename", "same", compareTags(before, after, "cTag"));
  const copies = await probe.graph("POST", probe.folder("/children"), {
    json: { name: "copies", folder: {} },
  });
  const { driveId } = folder;
  const copied = await copy(
    connection,
    { driveId, id: textOf(after, "id"), path: "changed.bin" },
    { driveId, id: textOf(copies, "id"), path: "copies" },
  );
  report.check(
    "14b",
    "a copy",
    "the same name and size",
    copied.name === "changed.bin" && copied.size === 6 ? "the same name and size" : "another name or size",
  );
  report.check(
    "14e",
    "removal with another eTag",
    "412",
    String(
      (await probe.graph("DELETE", item, {
        headers: { "if-match": '"{00000000-0000-0000-0000-000000000000},1"' },
      })).status,
    ),
  );
  report.check("14e", "removal", "204", outcome(await probe.graph("DELETE", item)));
  report.check("14e", "the removed file", "404 itemNotFound", outcome(await probe.graph("GET", item)));
}

/** The times that a client sets, and how exactly they are kept. */
export async function checkTimes({ probe, report, isPersonal }: Subject): Promise<void> {
  const { json } = await probe.put("times.bin", "times");
  const sent = "2020-02-03T04:05:06.789Z";
  const { json: changed } = await probe.graph("PATCH", probe.item(String(json.id)), {
    json: { fileSystemInfo: { lastModifiedDateTime: sent } },
  });
  const kept = isJsonObject(changed.fileSystemInfo)
    ? String(changed.fileSystemInfo.lastModifiedDateTime)
    : "";
  report.check(
    "11a",
    "the time that the client sent",
    "kept",
    Date.parse(kept.slice(0, 19)) === Date.parse(sent.slice(0, 19)) ? "kept" : "changed",
  );
  const precision = Date.parse(kept) === Date.parse(sent) ? "fractions" : "whole seconds";
  report.check(
    "11b",
    "its precision",
    isPersonal ? ["whole seconds", "fractions"] : "whole seconds",
    precision,
  );
}

function compareTags(before: Reply, after: Reply, name: "eTag" | "cTag"): string {
  return textOf(before, name) === textOf(after, name) ? "same" : "changed";
}

function downloadUrlOf(item: Reply): string {
  return textOf(item, "@microsoft.graph.downloadUrl");
}
