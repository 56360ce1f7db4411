/** `put-large` when fragments, sessions and commits fail (PROTOCOL 7.4 and 17.2, items 2 to 11). */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { assertWaited, type FaultEnv, faultTest, FOUR_FRAGMENTS, UNIT } from "../campaign/fault_env.ts";
import { fastClock, jsonLines } from "../test_env.ts";
import type { FaultName } from "../sandbox/mod.ts";

/** A fault test whose waits take no time. */
function fastFaultTest(name: FaultName, title: string, test: (env: FaultEnv) => Promise<void>): void {
  faultTest(name, title, test, { http: fastClock() });
}

/** Asserts that the upload succeeds, with the right bytes and no open session; returns the requests. */
async function succeeds(env: FaultEnv, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await env.upload(FOUR_FRAGMENTS, ...args);
  assertEquals(code, 0, stderr);
  const [result] = jsonLines(stdout);
  assertEquals([result!.verdict, result!.bytes, result!.result], ["verified", 4 * UNIT, "created"]);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), FOUR_FRAGMENTS);
  assertEquals(env.sandbox.tenant.openSessions(), []);
  return env.story();
}

/** Asserts that the upload fails and leaves neither file nor session; returns the requests. */
async function fails(env: FaultEnv, code: number, message: RegExp, ...args: string[]): Promise<string[]> {
  const ended = await env.upload(FOUR_FRAGMENTS, ...args);
  assertEquals(ended.code, code, ended.stderr);
  assertEquals(ended.stdout, "");
  assertMatch(ended.stderr, message);
  assertEquals(env.sandbox.tenant.find("Documents", "General/big.bin"), undefined);
  assertEquals(env.sandbox.tenant.openSessions(), []);
  return env.story();
}

const REST = ["send 2 202", "send 3 201"];
const BEGIN = ["create 200", "send 0 202"];

/** Faults from which an upload recovers, with all its requests. */
const RECOVERED: [FaultName, string, string[]][] = [
  [
    "fragment-stored-but-503",
    "put-large requests the session's status and does not resend the fragment",
    [...BEGIN, "send 1 503", "ask 200", ...REST],
  ],
  [
    "fragment-refused-with-503",
    "put-large requests the session's status and resends the fragment",
    [...BEGIN, "send 1 503", "ask 200", "send 1 202", ...REST],
  ],
  [
    "answer-lost",
    "put-large requests the session's status and does not resend the fragment",
    [...BEGIN, "send 1 cut", "ask 200", ...REST],
  ],
  [
    "connection-cut-in-body",
    "put-large requests the session's status and resends the fragment",
    [...BEGIN, "send 1 cut", "ask 200", "send 1 202", ...REST],
  ],
  [
    "fragment-overlap",
    "put-large moves to the next expected byte and does not resend the fragment",
    [...BEGIN, "send 1 416", "ask 200", ...REST],
  ],
  [
    "session-without-ranges",
    "put-large starts at the first byte when the session has no next expected ranges",
    [...BEGIN, "send 1 202", ...REST],
  ],
];

for (const [name, title, story] of RECOVERED) {
  fastFaultTest(name, title, async (env) => assertEquals(await succeeds(env), story));
}

for (const name of ["fragment-stored-but-503", "fragment-refused-with-503"] as const) {
  faultTest(name, "put-large waits exactly as long as Retry-After asks", async (env) => {
    await succeeds(env);
    assertWaited(env.gapsMs()[0], 1000);
  });
}

faultTest("token-expires-in-upload", "put-large requests no token while it sends fragments", async (env) => {
  const story = await succeeds(env);
  assertEquals(story.slice(story.indexOf("create 200")), [...BEGIN, "send 1 202", ...REST]);
}, { signIn: true });

faultTest(
  "connection-cut-in-body",
  "put-large waits half a second to one second before the first retry",
  async (env) => {
    await succeeds(env);
    assertWaited(env.gapsMs()[0], 500, 1000);
  },
);

faultTest("connection-cut-part-kept", "put-large resumes in the middle of a fragment", async (env) => {
  const story = await succeeds(env);
  assertEquals(story.slice(0, 4), [...BEGIN, "send 1 cut", "ask 200"]);
  assertEquals(story[4], `send from ${UNIT + 163_840} 202`);
  assertEquals(story.at(-1)?.endsWith(" 201"), true);
  assertEquals(new Set(story).size, story.length, "a fragment was sent twice");
});

faultTest(
  "session-stuck",
  "put-large fails after two rounds and cancels the session (exit code 8)",
  async (env) => {
    const story = await fails(env, 8, /"sessionStuck".*stuck at byte 327680/);
    assertEquals(story.filter((word) => word.startsWith("send 1")).length, 3);
    assertEquals(story.at(-1), "cancel 204");
  },
);

faultTest(
  "session-lost-once",
  "put-large pauses before it creates a new session, and uses its URL",
  async (env) => {
    const story = await succeeds(env);
    assertEquals(story.filter((word) => !word.startsWith("cancel")), [
      ...["create 200", "send 0 404"],
      ...["create 200", "send 0 202", "send 1 202", "send 2 202", "send 3 201"],
    ]);
    const [lost, created] = env.requests().filter(({ fault, path }, index, all) =>
      fault || (path.includes("createUploadSession") && all.slice(0, index).some(({ fault }) => fault))
    );
    assert(Date.parse(created!.at) - Date.parse(lost!.at) >= 1_999, "no pause");
  },
);

fastFaultTest(
  "session-lost-once",
  "put-large keeps the old version of an Office file until the upload is committed",
  async (env) => {
    const file = await env.file("Report.docx", FOUR_FRAGMENTS);
    const { code, stdout, stderr } = await env.run("put-large", "--json", file, "General/");
    assertEquals(code, 0, stderr);
    assertEquals(jsonLines(stdout)[0]!.result, "replaced");
    assertMatch(stderr, /the upload session ended \(HTTP 404\); starting over with a new one/);
    assertEquals(await env.sandbox.tenant.bytes("Documents", "General/Report.docx"), FOUR_FRAGMENTS);
  },
);

fastFaultTest(
  "session-lost-twice",
  "put-large --conflict fail creates no third session (exit code 8)",
  async (env) => {
    const story = await fails(
      env,
      8,
      /the service lost two upload sessions in a row/,
      "--conflict",
      "fail",
    );
    assertEquals(story.filter((word) => word.startsWith("create")).length, 2);
  },
);

fastFaultTest(
  "session-lost-twice",
  "put-large sends a file that may be replaced in one request",
  async (env) => {
    const { code, stderr } = await env.upload(FOUR_FRAGMENTS);
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /loses its upload sessions; sending it in one request/);
    assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), FOUR_FRAGMENTS);
  },
);

fastFaultTest("session-lost-twice", "put-large does not report a missing file", async (env) => {
  const { stderr } = await env.upload(FOUR_FRAGMENTS);
  assertEquals(/it does not exist, or you may not see it/.test(stderr), false, stderr);
});

for (const [name, status] of [["upload-url-expired", 401], ["upload-url-forbidden", 403]] as const) {
  fastFaultTest(name, "put-large restarts with a new session and no new token", async (env) => {
    const story = await succeeds(env);
    assertEquals(story.filter((word) => !/^(cancel|look up)/.test(word)), [
      ...["create 200", "send 0 202", `send 1 ${status}`],
      ...["create 200", "send 0 202", "send 1 202", "send 2 202", "send 3 201"],
    ]);
    assert(
      env.requests().every(({ service, headers }) =>
        service !== "storage" || headers["authorization"] === undefined
      ),
      "a token went to storage",
    );
  });
}

fastFaultTest(
  "upload-url-forbidden-always",
  "put-large reports a missing permission (exit code 5)",
  async (env) => {
    const story = await fails(env, 5, /no permission/);
    assertEquals(story.filter((word) => word.startsWith("create")).length, 2);
  },
);

for (
  const name of [
    "commit-says-500",
    "commit-says-404",
    "commit-answer-lost",
    "commit-empty-ranges",
    "empty-answer-at-commit",
  ] as const
) {
  fastFaultTest(name, "put-large finds the committed file and resends nothing", async (env) => {
    const story = await succeeds(env);
    const sent = story.filter((word) => word.startsWith("send"));
    assertEquals(sent.map((word) => word.slice(0, 6)), ["send 0", "send 1", "send 2", "send 3"]);
    assertEquals(story.filter((word) => word.startsWith("create")), ["create 200"]);
    assertMatch(story.at(-1)!, /^look up 200/);
  });
}

faultTest(
  "name-taken-at-commit",
  "put-large --conflict fail keeps the other file (exit code 6)",
  async (env) => {
    const { code, stdout, stderr } = await env.upload(FOUR_FRAGMENTS, "--conflict", "fail");
    assertEquals([code, stdout], [6, ""]);
    assertMatch(stderr, /"nameAlreadyExists".*already exists/);
    const theirs = await env.sandbox.tenant.bytes("Documents", "General/big.bin");
    assertEquals(new TextDecoder().decode(theirs), "another writer's");
    assertEquals(env.sandbox.tenant.openSessions(), []);
    assertEquals(env.story().filter((word) => word.startsWith("send")).length, 4);
  },
);

faultTest("name-taken-at-commit", "put-large --conflict rename keeps both files", async (env) => {
  const { code, stdout, stderr } = await env.upload(FOUR_FRAGMENTS, "--conflict", "rename");
  assertEquals(code, 0, stderr);
  const [result] = jsonLines(stdout);
  assertEquals(result!.result, "renamed");
  assertEquals(await env.sandbox.tenant.bytes("Documents", result!.path as string), FOUR_FRAGMENTS);
  const theirs = await env.sandbox.tenant.bytes("Documents", "General/big.bin");
  assertEquals(new TextDecoder().decode(theirs), "another writer's");
});

faultTest(
  "leftover-session",
  "put-large reports how long a session blocks the name, without retrying (exit code 6)",
  async (env) => {
    assertEquals(await fails(env, 6, /the name is blocked.*15 minutes/), ["create 409"]);
  },
);

faultTest("file-locked", "put-large reports a file that is open in Office (exit code 6)", async (env) => {
  assertEquals(await fails(env, 6, /"resourceLocked".*open in Office or checked out/), ["create 423"]);
});

faultTest(
  "file-locked",
  "put reports a file that is open in Office, and does not change it (exit code 6)",
  async (env) => {
    const before = await env.sandbox.tenant.bytes("Documents", "General/Report.docx");
    const { code, stderr } = await env.run("put", await env.file("Report.docx", "new"), "General/");
    assertEquals(code, 6);
    assertMatch(stderr, /open in Office or checked out; close it.*HTTP 423 resourceLocked, request-id/);
    assertEquals(env.story(), ["create 423"]);
    assertEquals(await env.sandbox.tenant.bytes("Documents", "General/Report.docx"), before);
  },
);

faultTest(
  "quota-reached",
  "put-large reports a full drive and cancels the session (exit code 9)",
  async (env) => {
    const story = await fails(env, 9, /"quotaLimitReached".*the drive is full/);
    assertEquals(story, [...BEGIN, "send 1 507", "cancel 204"]);
  },
);

faultTest("quota-reached", "put reports a full drive after one request (exit code 9)", async (env) => {
  const { code, stderr } = await env.run("put", await env.file("a.txt", "a"), "General/");
  assertEquals([code, env.story()], [9, ["put 507"]]);
  assertMatch(stderr, /the drive is full; free space/);
  assertEquals(env.sandbox.tenant.find("Documents", "General/a.txt"), undefined);
});

faultTest(
  "precondition-failed",
  "put-large reports a file that changed on the server (exit code 6)",
  async (env) => {
    const story = await fails(env, 6, /"entityTagDoesNotMatch".*changed on the server/);
    assertEquals(story, [...BEGIN, "send 1 412", "cancel 204"]);
  },
);

faultTest(
  "session-error-under-200",
  "put-large reports the error and sends nothing (exit code 1)",
  async (env) => {
    assertEquals(await fails(env, 1, /"notSupported".*The media type is not supported/), ["create 200"]);
  },
);

faultTest(
  "session-on-foreign-host",
  "put-large names the host and sends nothing there (exit code 5)",
  async (env) => {
    const ended = await env.upload(FOUR_FRAGMENTS);
    assertEquals(ended.code, 5);
    assertMatch(ended.stderr, /transfer link to https:\/\/uploads\.example.*nothing was sent there/);
    assertEquals(/tempauth/.test(ended.stderr), false, "the link was printed");
    assertEquals(env.story(), ["create 200"]);
  },
);
