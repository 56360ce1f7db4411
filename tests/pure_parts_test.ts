import { assert, assertEquals, assertMatch } from "./assert.ts";
import { AADSTS, toSignInError } from "../lib/auth/aadsts.ts";
import { childUrl, itemUrl } from "../lib/drive/address.ts";
import { GraphError } from "../lib/errors.ts";
import { parseLocation, parseSite } from "../lib/drive/location.ts";
import { nameProblem, pathNameProblem } from "../lib/drive/names.ts";
import { QuickXorHash } from "../lib/transfer/quick_xor_hash.ts";
import { parseClaimsChallenge, parseErrorBody } from "../lib/graph/errors.ts";
import { readSettings } from "../lib/settings.ts";
import { formatDuration, formatSize, parseSize } from "../lib/format.ts";
import { nextExpectedByte } from "../lib/upload/protocol.ts";
import { enrichedKind, ENRICHMENTS } from "../lib/transfer/enrichment.ts";
import { compareContent } from "../lib/transfer/verify.ts";
import { pseudoRandomBytes } from "./test_env.ts";

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function hashOf(bytes: Uint8Array, cut = bytes.length): string {
  const hash = new QuickXorHash();
  for (let at = 0; at < bytes.length; at += cut) hash.add(bytes.subarray(at, at + cut), at);
  return hash.digest();
}

Deno.test("QuickXorHash agrees with the published vectors", () => {
  const vectors: [string, string][] = [
    ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="],
    ["Sg==", "SgAAAAAAAAAAAAAAAQAAAAAAAAA="],
    ["tbQ=", "taAFAAAAAAAAAAAAAgAAAAAAAAA="],
    ["gQaybEqS/4UlDc8e4IJm", "gDCALNigBEn8oxAlZ8AzPAAOQZg="],
    ["2fuxhBJXtpWFe8dOfdGeHw==", "O9tHLAghgSvYohKFyMMxnNCHaHg="],
    ["T6LYJIfDh81JrAK309H2JMJTXis=", "zBTHrspn3mEcohlJdIUAbjGNaNg="],
    [
      "Mb7EGva2rEE5fENDL85P+BsapHEEjv2/siVhKjvAQe02feExVOQSkfmuYzU/kTF1MaKjPmKF/w+cbvwfdWL8aQ==",
      "n1anP5NfvD4XDYWIeRPW3ZkPv1Y=",
    ],
  ];
  for (const [input, hash] of vectors) assertEquals(hashOf(bytesOf(input)), hash);
  assertEquals(hashOf(new Uint8Array(256).map((_, i) => i)), "QkGEfSisZcA7k+FCh71r2dbCayY=");
  assertEquals(hashOf(new Uint8Array(161).fill(255)), "/wAAAAAAAAAAAAAAoQAAAAAAAAA=");
  assertEquals(hashOf(new Uint8Array(327_680).fill(65)), "AAAAAAAAAAAAAAAAAAAFAAAAAAA=");
  assertEquals(hashOf(new Uint8Array(1 << 20).map((_, i) => i % 251)), "pVcWCkWK/HTa4DMyE2B1A1Y9XyM=");
  assertEquals(hashOf(new TextEncoder().encode("Grüße, 世界 🌍")), "RZQzyHwSlk6UgQUgNAcuLHGOSjA=");
});

Deno.test("QuickXorHash does not depend on how, or in which order, the bytes come", () => {
  const bytes = pseudoRandomBytes(100_003);
  const whole = hashOf(bytes);
  for (const cut of [1, 3, 159, 160, 161, 4096, 65_537]) assertEquals(hashOf(bytes, cut), whole);
  const backwards = new QuickXorHash();
  for (let at = 99_000; at >= 0; at -= 1000) {
    backwards.add(bytes.subarray(at, Math.min(bytes.length, at + (at === 99_000 ? 1003 : 1000))), at);
  }
  assertEquals(backwards.digest(), hashOf(bytes.subarray(0, 100_003)));
});

Deno.test("URLs of items: each name encoded for itself, colons only where they mark the path", () => {
  const driveId = "b!x-Y_z";
  assertEquals(itemUrl({ driveId, path: [] }), "/drives/b!x-Y_z/root");
  assertEquals(itemUrl({ driveId, path: [] }, "children"), "/drives/b!x-Y_z/root/children");
  assertEquals(
    itemUrl({ driveId, path: ["a b", "#x", "100%", "+&;='.txt"] }),
    "/drives/b!x-Y_z/root:/a%20b/%23x/100%25/%2B%26%3B%3D'.txt",
  );
  assertEquals(itemUrl({ driveId, itemId: "01ABC" }, "content"), "/drives/b!x-Y_z/items/01ABC/content");
  assertEquals(itemUrl({ driveId: "a/b?c#d", itemId: "CID!123" }), "/drives/a%2Fb%3Fc%23d/items/CID!123");
  assertEquals(
    childUrl({ driveId, itemId: "01ABC" }, "a#b", "content"),
    "/drives/b!x-Y_z/items/01ABC:/a%23b:/content",
  );
  assertEquals(
    childUrl({ driveId, path: [] }, "x", "createUploadSession"),
    "/drives/b!x-Y_z/root:/x:/createUploadSession",
  );
});

Deno.test("locations are understood without asking anybody", () => {
  const parsed = (text: string) => {
    const { base, path, folder } = parseLocation(text, "contoso.sharepoint.com");
    return [base, path, folder];
  };
  assertEquals(parsed(""), [{ kind: "default" }, [], true]);
  assertEquals(parsed("/General//x.pdf"), [{ kind: "default" }, ["General", "x.pdf"], false]);
  assertEquals(parsed("General/"), [{ kind: "default" }, ["General"], true]);
  assertEquals(parsed("me:"), [{ kind: "me" }, [], true]);
  assertEquals(parsed("site:Team/a/b"), [
    { kind: "site", site: { host: "contoso.sharepoint.com", path: "sites/Team" } },
    ["a", "b"],
    false,
  ]);
  assertEquals(parsed("site:Contoso.sharepoint.com/teams/T/a"), [
    { kind: "site", site: { host: "contoso.sharepoint.com", path: "teams/T" } },
    ["a"],
    false,
  ]);
  assertEquals(parsed("site:contoso.sharepoint.com/Shared Documents/a"), [
    { kind: "site", site: { host: "contoso.sharepoint.com", path: "" } },
    ["Shared Documents", "a"],
    false,
  ]);
  assertEquals(parsed("id:x/y"), [{ kind: "item", driveId: "x", itemId: "y" }, [], false]);
  assertEquals(parseSite("https://contoso.sharepoint.com/sites/A/Sub/"), {
    host: "contoso.sharepoint.com",
    path: "sites/A/Sub",
  });
  assertEquals(parseSite("A", "h.example"), { host: "h.example", path: "sites/A" });
});

Deno.test("names are judged as the service judges them", () => {
  for (
    const name of [
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
    ]
  ) assertEquals(nameProblem(name), undefined, name);
  for (const name of ["", "com0.tar.gz", "LPT9", ".LOCK", "x\u0085y"]) {
    assert(nameProblem(name) !== undefined, name);
  }
  assertMatch(pathNameProblem("a:b") ?? "", /:/);
});

Deno.test("sizes and times as people write and read them", () => {
  assertEquals(["1", "320KiB", "10MiB", "10M", "10 mb", "1.5k"].map((text) => parseSize(text)), [
    1,
    327_680,
    10_485_760,
    10_485_760,
    10_000_000,
    1536,
  ]);
  assertEquals([0, 1023, 1024, 10_485_760, 5 * 1024 ** 3].map(formatSize), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "10 MiB",
    "5.0 GiB",
  ]);
  assertEquals([0, 5, 65, 3661].map(formatDuration), ["0:00", "0:05", "1:05", "1:01:01"]);
});

Deno.test("error bodies of every shape are read", () => {
  const graph = parseErrorBody(
    JSON.stringify({
      error: {
        code: "a",
        message: "m",
        innerError: { code: "b", innererror: { code: "c", "request-id": "r" } },
      },
    }),
  );
  assertEquals(graph, { codes: ["a", "b", "c"], message: "m", requestId: "r" });
  assertEquals(parseErrorBody("429 TOO MANY REQUESTS").message, "429 TOO MANY REQUESTS");
  assertEquals(parseErrorBody("<html><body>Length Required</body></html>").message, undefined);
  for (const odd of ["", "null", "[]", "3", '"x"', '{"error":"text"}', '{"error":{}}']) {
    assertEquals(parseErrorBody(odd).codes, []);
  }
});

Deno.test("claims of a challenge are decoded, padded or not, base64 or base64url", () => {
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1702682181"}}}';
  const header = (value: string) =>
    parseClaimsChallenge(
      new Headers({ "www-authenticate": `Bearer realm="", error="insufficient_claims", claims="${value}"` }),
    );
  assertEquals(header(btoa(claims)), claims);
  assertEquals(header(btoa(claims).replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_")), claims);
  assertEquals(header("!!"), undefined);
  assertEquals(parseClaimsChallenge(new Headers()), undefined);
});

Deno.test("every AADSTS code that is known says what happened, who can mend it, and how", () => {
  assert(AADSTS.size >= 70, `${AADSTS.size}`);
  for (const [number, { kind, why, who, hint }] of AADSTS) {
    const error = toSignInError({
      error: "invalid_grant",
      error_description: `AADSTS${number}: text`,
      error_codes: [number],
      correlation_id: "c",
    });
    assertEquals([error.kind, error.code, error.requestId], [kind, `AADSTS${number}`, "c"]);
    assert(error.message.includes(why) && error.hint?.includes(hint), `${number}`);
    assert(who === "you" || error.hint?.endsWith(`(for the ${who})`), `${number}`);
  }
  const unknown = toSignInError({
    error: "odd",
    error_description: "AADSTS999: nobody knows\r\nTrace ID: x",
    correlation_id: "c",
    timestamp: "2026-01-02 03:04:05Z",
  });
  assertEquals([unknown.code, unknown.message, unknown.date], [
    "AADSTS999",
    "sign-in: the sign-in service refused: AADSTS999: nobody knows",
    "2026-01-02T03:04:05Z",
  ]);
});

Deno.test("the next byte of a session is the smallest start of its ranges", () => {
  assertEquals(nextExpectedByte(["10-", "5-7"]), 5);
  assertEquals(nextExpectedByte(["5242880-1484144639"]), 5_242_880);
  assertEquals(nextExpectedByte(Array(200_000).fill("7-")), 7);
  assertEquals(nextExpectedByte(["0-"]), 0);
  assertEquals(nextExpectedByte([]), undefined);
  assertEquals(nextExpectedByte(["x"]), undefined);
});

Deno.test("compareContent() tells same, different and unknown content apart", () => {
  const local = { size: 3, hash: "h" };
  assertEquals(compareContent(local, { size: 3, hash: "h" }), "verified");
  assertEquals(compareContent(local, { size: 3, hash: null }), "unverified");
  assertEquals(compareContent(local, { size: 3, hash: "x" }), "different");
  assertEquals(compareContent(local, { size: 4, hash: null }), "different");
  assertEquals(compareContent(local, { size: 4, hash: "h" }), "different");
  assertEquals(compareContent({ size: 0, hash: "x" }, { size: 0, hash: null }), "verified");
});

Deno.test("the table says what the service may change, by type and kind of drive", () => {
  const table: [string, string, string | undefined, string | undefined][] = [
    ["a.DOCX", "documentLibrary", "office", "office"],
    ["a.xls", "documentLibrary", "office", "office"],
    ["a.docx", "business", undefined, undefined],
    ["a.docx", "personal", undefined, "office"],
    ["a.pdf", "documentLibrary", "pdf", "pdf"],
    ["a.pdf", "personal", undefined, "pdf"],
    ["a.jpeg", "documentLibrary", "jpeg", "jpeg"],
    ["a.jpg", "business", undefined, undefined],
    ["a.html", "documentLibrary", "html", "html"],
    ["a.aspx", "personal", undefined, undefined],
    ["a.heic", "documentLibrary", undefined, "heic"],
    ["a.HEIF", "business", undefined, "heic"],
    ["a.one", "business", undefined, "oneNote"],
    ["a.odt", "documentLibrary", undefined, undefined],
    ["a.zip", "documentLibrary", undefined, undefined],
    ["a.docx.bin", "documentLibrary", undefined, undefined],
    ["docx", "documentLibrary", undefined, undefined],
    ["a.docx", "", undefined, undefined],
  ];
  for (const [name, drive, upload, download] of table) {
    assertEquals(enrichedKind("uploads", name, drive), upload, `upload of ${name} to ${drive}`);
    assertEquals(enrichedKind("downloads", name, drive), download, `download of ${name} from ${drive}`);
  }
  for (const { source } of ENRICHMENTS) assertMatch(source, /\b(10\.2|D6) \(\S+#\d+/);
});

Deno.test("settings: flags win over environment; tokens of different clouds never share a file", async () => {
  const env: Record<string, string> = {
    GRAPH_SCRIPTS_HOME: "/nonexistent",
    GRAPH_CLIENT_ID: "b1a7e2c4-5d3f-4e86-9a0b-c7d8e9f01234",
    GRAPH_SITE: "env",
  };
  const read = (flags: Parameters<typeof readSettings>[0], more: Record<string, string> = {}) =>
    readSettings(flags, (name) => ({ ...env, ...more })[name]);
  assertEquals((await read({ site: "flag" })).site, "flag");
  assertEquals((await read({})).site, "env");
  const caches = new Set<string>();
  for (
    const more of [{}, { GRAPH_CLOUD: "usgov" }, { GRAPH_CLOUD: "usdod" }, { GRAPH_CLOUD: "china" }, {
      GRAPH_LOGIN_ORIGIN: "http://127.0.0.1:1",
    }, { GRAPH_LOGIN_ORIGIN: "http://127.0.0.1:2" }] as Record<string, string>[]
  ) {
    caches.add((await read({}, more)).tokenCache);
  }
  assertEquals(caches.size, 6);
  const error = await readSettings({}, () => undefined).catch((error) => error);
  assert(
    error instanceof GraphError && error.kind === "usage" && /no home folder/.test(error.message),
    String(error),
  );
});
