/**
 * Checks of upload sessions and their fragments.
 *
 * @module
 */
import { outcome, type Reply, type Subject, textOf } from "./probe.ts";
import { fieldsOf, formOf } from "./report.ts";

const CONFLICT = "@microsoft.graph.conflictBehavior";
const FRAGMENT_BYTES = 327_680;
const TOTAL_BYTES = 2 * FRAGMENT_BYTES + 1000;
const RANGE_FORMS = { "n-": /^\d+-$/, "n-m": /^\d+-\d+$/ };

/** A session on its way, with its requests. */
class LiveSession {
  readonly url: string;
  readonly #probe: Subject["probe"];

  constructor(probe: Subject["probe"], created: Reply) {
    this.#probe = probe;
    this.url = textOf(created, "uploadUrl");
  }

  send(start: number, bytes: number, total = TOTAL_BYTES): Promise<Reply> {
    return this.#probe.storage("PUT", this.url, {
      bytes: new Uint8Array(bytes).fill(start % 251),
      headers: { "content-range": `bytes ${start}-${start + bytes - 1}/${total}` },
    });
  }

  request(method: "GET" | "POST" | "DELETE"): Promise<Reply> {
    return this.#probe.storage(method, this.url);
  }
}

async function create(
  { probe }: Subject,
  name: string,
  body: object = {},
): Promise<{ reply: Reply; session: LiveSession }> {
  const reply = await probe.graph("POST", probe.file(name, "createUploadSession"), { json: body });
  return { reply, session: new LiveSession(probe, reply) };
}

/** A session from its creation to the file, with fragments that come twice or too early. */
export async function checkSession(subject: Subject): Promise<void> {
  const { connection, report, isPersonal } = subject;
  const { reply, session } = await create(subject, "session.bin", { item: { [CONFLICT]: "fail" } });
  report.check("7.1a", "a new session", "200", outcome(reply));
  const isKnown = connection.storage.accepts(session.url);
  report.check("15a", "the host of an upload URL", "a known one", isKnown ? "a known one" : "another one");
  if (!isKnown) return;
  if (!isPersonal) checkBusinessSession(subject, reply, session.url);
  const second = await create(subject, "session.bin", { item: { [CONFLICT]: "replace" } });
  report.check(
    "U9",
    "a second session of the file",
    isPersonal ? ["200"] : "409 nameAlreadyExists",
    outcome(second.reply),
  );
  if (second.session.url !== "") await second.session.request("DELETE");
  const first = await session.send(0, FRAGMENT_BYTES);
  report.check("7.3a", "a fragment", "202", outcome(first));
  report.observe("18b", "properties of a 202", fieldsOf(first.json));
  report.check(
    "7.3b",
    "the form of its ranges",
    isPersonal ? Object.keys(RANGE_FORMS) : "n-",
    rangeForm(first),
  );
  report.check("7.3b", "the next byte", String(FRAGMENT_BYTES), nextByte(first));
  report.check("7.3a", "the status of a session", "200", outcome(await session.request("GET")));
  const twice = await session.send(0, FRAGMENT_BYTES);
  report.check("U8", "a fragment that comes twice", "416", String(twice.status));
  report.observe("18b", "a 416", `${outcome(twice)}; properties: ${fieldsOf(twice.json)}`);
  report.check(
    "7.3a",
    "a fragment that comes too early",
    "416",
    String((await session.send(2 * FRAGMENT_BYTES, 1000)).status),
  );
  report.check(
    "U8",
    "the next byte after both",
    String(FRAGMENT_BYTES),
    nextByte(await session.request("GET")),
  );
  await session.send(FRAGMENT_BYTES, FRAGMENT_BYTES);
  const last = await session.send(2 * FRAGMENT_BYTES, 1000);
  report.check("7.3a", "the last fragment", "201", outcome(last));
  report.check("7.3a", "the size of the file", String(TOTAL_BYTES), String(last.json.size));
  if (!isPersonal) {
    const names = session.url.includes(textOf(last, "id")) ? "the file" : "something else";
    report.check("7.1e", "what the upload URL names by its id", "the file", names);
  }
  report.check(
    "7.2b",
    "the status of a finished session",
    "404 itemNotFound",
    outcome(await session.request("GET")),
  );
}

function checkBusinessSession({ report }: Subject, created: Reply, url: string): void {
  const query = new URL(url).searchParams;
  const missing = ["guid", "overwrite", "rename", "tempauth"].filter((name) => !query.has(name));
  report.check("7.1e", "missing parameters of an upload URL", "none", missing.join(", ") || "none");
  const minutes = (Date.parse(textOf(created, "expirationDateTime")) -
    Date.parse(created.headers.get("date") ?? "")) / 60_000;
  report.check("7.2a", "the life of a session in minutes", "15", String(Math.round(minutes)));
}

/** Sessions that replace, are cancelled, are committed later, or break a rule. */
export async function checkOtherSessions(subject: Subject): Promise<void> {
  const { probe, report, isPersonal } = subject;
  const small = (session: LiveSession) => session.send(0, 1000, 1000);
  await probe.put("replaced.bin", "old");
  const replacing = await create(subject, "replaced.bin");
  report.check(
    "U1",
    "a session without a conflict behavior, taken name",
    "200",
    outcome(await small(replacing.session)),
  );

  const { session: cancelled } = await create(subject, "cancelled.bin");
  await cancelled.send(0, FRAGMENT_BYTES);
  report.check("7.3a", "cancellation", "204", outcome(await cancelled.request("DELETE")));
  report.check(
    "7.2b",
    "the status of a cancelled session",
    "404 itemNotFound",
    outcome(await cancelled.request("GET")),
  );

  const { session: deferred } = await create(subject, "deferred.bin", { item: {}, deferCommit: true });
  const last = await small(deferred);
  report.check("7.3g", "the last fragment with deferCommit", "202", outcome(last));
  report.observe("7.3g", "properties of that 202", fieldsOf(last.json));
  report.check("7.3g", "the commit", "201", outcome(await deferred.request("POST")));

  const { session: misaligned } = await create(subject, "misaligned.bin");
  report.check("U14", "a fragment of 1000 bytes", "202", outcome(await misaligned.send(0, 1000, 2000)));
  const end = await misaligned.send(1000, 1000, 2000);
  report.check(
    "U14",
    "the last fragment after it",
    "an error",
    end.status >= 400 ? "an error" : outcome(end),
  );
  await misaligned.request("DELETE");

  const outside = await create(subject, "replaced.bin", { [CONFLICT]: "fail" });
  report.check(
    "U2",
    "a conflict behavior outside item, taken name",
    "200",
    outcome(await small(outside.session)),
  );
  const renamed = await create(subject, "name.bin", { item: { name: "other.bin" } });
  report.check("U25", "a session with another name in its body", "400", String(renamed.reply.status));
  const unnamed = await probe.graph("POST", probe.folder("/createUploadSession"), { json: {} });
  report.check("U26", "a session without a name", "400", String(unnamed.status));
  if (isPersonal) return;
  const described = await create(subject, "described.bin", { item: { description: "text" } });
  report.check("U4", "a session with a description", "400", String(described.reply.status));
}

function rangeOf({ json }: Reply): unknown {
  return Array.isArray(json.nextExpectedRanges) ? json.nextExpectedRanges[0] : undefined;
}

function rangeForm(reply: Reply): string {
  return formOf(rangeOf(reply), RANGE_FORMS);
}

function nextByte(reply: Reply): string {
  return /^(\d+)-/.exec(String(rangeOf(reply)))?.[1] ?? "none";
}
