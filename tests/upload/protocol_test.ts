import { assertEquals } from "../assert.ts";
import { nextExpectedByte, nextStep, type SessionResponse } from "../../lib/upload/protocol.ts";

const ITEM = JSON.stringify({ id: "01A", name: "a.bin", parentReference: { driveId: "d" }, file: {} });
const RANGES = '{"nextExpectedRanges":["327680-"]}';
const NO_RANGES = '{"expirationDateTime":"2026-01-15T10:42:31Z"}';
const ALL_THERE = '{"nextExpectedRanges":[]}';
const PAGE = "<html>proxy</html>";

/** Request, status, body, previous request, and the expected next step with its data. */
type Row = [
  to: SessionResponse["to"],
  status: number,
  text: string,
  sent: { isComplete?: boolean },
  step: string,
];

const ROWS: Row[] = [
  // a fragment was stored
  ["fragment", 202, RANGES, {}, "advance 327680"],
  ["fragment", 202, ALL_THERE, { isComplete: true }, "advance undefined"],
  ["fragment", 202, NO_RANGES, {}, "query"],
  ["fragment", 202, PAGE, {}, "query"],
  // the upload is committed, or reported as committed
  ["fragment", 201, ITEM, { isComplete: true }, "committed created"],
  ["fragment", 200, ITEM, { isComplete: true }, "committed replaced"],
  ["fragment", 201, "", { isComplete: true }, "query"],
  ["fragment", 200, PAGE, {}, "query"],
  ["fragment", 200, ITEM.replace("a.bin", "b.bin"), { isComplete: true }, "query"],
  // the session returns its next expected byte
  ["query", 200, RANGES, {}, "advance 327680"],
  ["query", 200, ALL_THERE, { isComplete: true }, "advance undefined"],
  ["query", 200, NO_RANGES, {}, "advance undefined"],
  ["query", 200, PAGE, {}, "retry"],
  // wait, then request the status
  ["fragment", 408, "", {}, "retry"],
  ["fragment", 429, "", {}, "retry"],
  ["fragment", 500, "", { isComplete: true }, "retry"],
  ["query", 503, "", {}, "retry"],
  ["query", 416, "", {}, "retry"],
  // a successful response that no session sends
  ["fragment", 204, "", {}, "query"],
  ["fragment", 206, RANGES, { isComplete: true }, "query"],
  ["query", 204, "", {}, "retry"],
  // the fragment was already stored: request the status
  ["fragment", 416, "", {}, "query"],
  // the session is lost or its URL is refused
  ["fragment", 401, "", { isComplete: true }, "restart"],
  ["fragment", 403, "", {}, "restart"],
  ["fragment", 404, "", {}, "restart"],
  ["fragment", 404, "", { isComplete: true }, "lookUp"],
  ["query", 404, "", { isComplete: true }, "lookUp"],
  // permanent errors
  ["fragment", 400, "", {}, "fail"],
  ["fragment", 409, "", { isComplete: true }, "fail"],
  ["fragment", 412, "", {}, "fail"],
  ["fragment", 423, "", {}, "fail"],
  ["fragment", 507, "", {}, "fail"],
];

Deno.test("nextStep() maps each response to the step of PROTOCOL 7.4", () => {
  for (const [to, status, text, sent, expected] of ROWS) {
    const response = { to, status, text, isComplete: false, ...sent };
    const step = nextStep(response, { driveId: "d", name: "a.bin" });

    const detail = step.kind === "advance"
      ? ` ${step.nextByte}`
      : step.kind === "committed"
      ? step.created ? " created" : " replaced"
      : "";
    assertEquals(step.kind + detail, expected, `${to} ${status} ${text} ${JSON.stringify(sent)}`);
  }
});

Deno.test("nextExpectedByte() takes the smallest start of open and closed ranges", () => {
  const table: [string[], number | undefined][] = [
    [["327680-"], 327_680],
    [["5242880-1484144639"], 5_242_880],
    [["655360-", "327680-400000"], 327_680],
    [Array(200_000).fill("7-"), 7], // more than a call takes arguments
    [[], undefined],
    [["x", "-5"], undefined],
  ];
  for (const [ranges, expected] of table) assertEquals(nextExpectedByte(ranges), expected, String(ranges));
});
