/**
 * Random schedules of faults in requests and responses, single and combined.
 *
 * @module
 */
import fc from "npm:fast-check@4.10.2";
import { jpegFile, pdfFile, wordDocument } from "../upload/documents.ts";
import { pseudoRandomBytes } from "../test_env.ts";
import type { FaultRule } from "../sandbox/faults.ts";
import type { FileSpan, ServiceResponse } from "../sandbox/messages.ts";
import type { Behavior } from "../sandbox/tenant/tenant.ts";

/** The smallest fragment: 320 KiB. */
export const UNIT = 327_680;
const SIZES = [0, 1, UNIT - 1, UNIT, UNIT + 1, 2 * UNIT - 1, 2 * UNIT, 2 * UNIT + 1, 3 * UNIT + 1];
const STATUSES = [400, 401, 403, 404, 408, 409, 412, 416, 423, 429, 500, 502, 503, 504, 507, 509];
const HTML = "<html><body>The proxy is tired.</body></html>";
const WRONG_HASH = { file: { hashes: { quickXorHash: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" } } };
const GUID = "29CA0671-996C-4316-8B4F-50884ED599F8";

/** Content by file extension; documents are larger than the given size by their headers. */
export const CONTENTS = {
  bin: pseudoRandomBytes,
  docx: wordDocument,
  pdf: pdfFile,
  jpg: jpegFile,
};

/** A change to the body of a download, with a matching Content-Length. */
type BodyFault = "swapped" | "half" | "longer" | "page" | "busy";
/** One fault; {@linkcode ruleOf} turns it into a rule of the sandbox. */
export type Fault = FaultRule & { download?: BodyFault };

/** Faults of one request. */
const damage: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ status: fc.constantFrom(...STATUSES), when: fc.constantFrom("before", "after") }),
  fc.record({
    status: fc.constantFrom(429, 503),
    headers: fc.constantFrom({ "retry-after": "0" }, { "retry-after": "2" }),
  }),
  fc.record({
    status: fc.constantFrom(200, 202, 500, 503),
    body: fc.constantFrom("", HTML, "{}", '{"error":{"code":"x"}}'),
  }),
  fc.record({ drop: fc.constant(true as const), when: fc.constantFrom("before", "after") }),
  fc.record({ dropAfterBytes: fc.nat(400_000) }),
  fc.record({ truncateBodyTo: fc.nat(400) }),
  fc.record({ truncateBodyTo: fc.nat(2 * UNIT) }),
  fc.constant<Fault>({ hideHeaders: ["range"] }),
  fc.record({ delayMs: fc.nat(80), when: fc.constantFrom("before", "after") }),
);

/** Other bodies in place of the content, for long enough to be downloaded twice. */
const wrongBody: fc.Arbitrary<Fault> = fc.record({
  service: fc.constant("storage" as const),
  method: fc.constant("GET"),
  path: fc.constant("download.aspx"),
  download: fc.constantFrom<BodyFault>("swapped", "half", "longer", "page", "busy"),
  nth: fc.integer({ min: 1, max: 3 }),
  times: fc.integer({ min: 1, max: 4 }),
});

/** Wrong item properties: a hash, a size, or a version that seems to change during the transfer. */
const wrongInfo: fc.Arbitrary<Fault> = fc.record({
  service: fc.constantFrom("graph" as const, "storage" as const),
  method: fc.constantFrom("GET", "PUT"),
  path: fc.constantFrom("/drives/", "/upload"),
  patch: fc.constantFrom<Record<string, unknown>>(
    WRONG_HASH,
    { ...WRONG_HASH, size: 7 },
    { eTag: `"{${GUID}},9"`, cTag: `"c:{${GUID}},9"` },
    { cTag: `"c:{${GUID}},8"`, ...WRONG_HASH },
  ),
  nth: fc.integer({ min: 1, max: 4 }),
  times: fc.constantFrom(1, 2, 3, "always" as const),
});

const anywhere: fc.Arbitrary<Fault> = fc.tuple(
  damage,
  fc.record({
    service: fc.constantFrom("graph" as const, "storage" as const),
    method: fc.constantFrom("GET", "PUT", "POST"),
    nth: fc.integer({ min: 1, max: 4 }),
    times: fc.integer({ min: 1, max: 3 }),
  }),
).map(([damage, where]) => ({ ...damage, ...where }));

/** One transfer and its faults. */
export const schedule = fc.record({
  size: fc.constantFrom(...SIZES),
  ending: fc.constantFrom(...Object.keys(CONTENTS) as (keyof typeof CONTENTS)[]),
  there: fc.boolean(),
  /** Whether SharePoint rewrites uploaded documents. */
  promotes: fc.boolean(),
  storedDamage: fc.oneof(
    { weight: 4, arbitrary: fc.constant("no" as const) },
    { weight: 1, arbitrary: fc.constantFrom<Behavior["storedDamage"]>("flipped-byte", "first-byte-only") },
  ),
  faults: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: anywhere },
      { weight: 2, arbitrary: wrongBody },
      { weight: 1, arbitrary: wrongInfo },
    ),
    { minLength: 1, maxLength: 4 },
  ),
});
/** See {@linkcode schedule}. */
export type Schedule = typeof schedule extends fc.Arbitrary<infer T> ? T : never;

/** Bodies that storage serves in place of the content. */
export interface OtherBodies {
  /** Another item of the same type, with its ETag. */
  swapped: { body: FileSpan; eTag: string };
  /** The content with extra bytes at its end. */
  longer: FileSpan;
}

/** Returns the sandbox rule of a fault. */
export function ruleOf({ download, ...rule }: Fault, others: OtherBodies): FaultRule {
  if (download === undefined) return rule;
  if (download === "page") return { ...rule, status: 200, body: HTML };
  if (download === "busy") return { ...rule, status: 200, body: "server busy" };
  return {
    ...rule,
    rewrite({ headers, body, ...response }: ServiceResponse): ServiceResponse {
      if (typeof body === "string") return { ...response, headers, body };
      const { "content-range": _, ...whole } = headers;
      if (download === "half") return { ...response, headers, body: { ...body, length: body.length >> 1 } };
      if (download === "longer") return { status: 200, headers: whole, body: others.longer };
      return { status: 200, headers: { ...whole, etag: others.swapped.eTag }, body: others.swapped.body };
    },
  };
}
