/** What `put-large` does when fragments, sessions and commits go wrong (PROTOCOL 7.4 and 17.2, items 2 to 11). */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { assertWaited, type FaultEnv, faultTest, FOUR_FRAGMENTS, UNIT } from "../campaign/fault_env.ts";
import { jsonLines } from "../test_env.ts";
import type { FaultName } from "../sandbox/mod.ts";

/** The upload succeeds: the bytes are right and no session is left; returns what happened. */
async function succeeds(env: FaultEnv, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await env.upload(FOUR_FRAGMENTS, ...args);
  assertEquals(code, 0, stderr);
  const [result] = jsonLines(stdout);
  assertEquals([result!.verdict, result!.bytes, result!.result], ["verified", 4 * UNIT, "created"]);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), FOUR_FRAGMENTS);
  assertEquals(env.sandbox.tenant.openSessions(), []);
  return env.story();
}

/** The upload fails with this exit code and message, leaves no file and no session; returns what happened. */
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

/** What is mended, and how: the whole story each time. */
const MENDED: [FaultName, string, string[]][] = [
  [
    "fragment-stored-but-503",
    "the session is asked, and the fragment is not sent again",
    [...BEGIN, "send 1 503", "ask 200", ...REST],
  ],
  [
    "fragment-refused-with-503",
    "the session is asked, and the fragment is sent again",
    [...BEGIN, "send 1 503", "ask 200", "send 1 202", ...REST],
  ],
  [
    "answer-lost",
    "the session is asked, and the fragment is not sent again",
    [...BEGIN, "send 1 cut", "ask 200", ...REST],
  ],
  [
    "connection-cut-in-body",
    "the session is asked, and the fragment is sent again",
    [...BEGIN, "send 1 cut", "ask 200", "send 1 202", ...REST],
  ],
  [
    "fragment-overlap",
    "the session is asked and obeyed, and the fragment is not sent again",
    [...BEGIN, "send 1 416", "ask 200", ...REST],
  ],
  ["session-without-ranges", "the first byte is taken for the next", [...BEGIN, "send 1 202", ...REST]],
];

for (const [name, sentence, story] of MENDED) {
  faultTest(name, sentence, async (env) => assertEquals(await succeeds(env), story));
}

for (const name of ["fragment-stored-but-503", "fragment-refused-with-503"] as const) {
  faultTest(name, "Retry-After is obeyed to the second", async (env) => {
    await succeeds(env);
    assertWaited(env.gapsMs()[0], 1000);
  });
}

faultTest("token-expires-in-upload", "fragments need no token, and none is asked for", async (env) => {
  const story = await succeeds(env);
  assertEquals(story.slice(story.indexOf("create 200")), [...BEGIN, "send 1 202", ...REST]);
}, { signIn: true });

faultTest("connection-cut-in-body", "the first wait is half a second to one", async (env) => {
  await succeeds(env);
  assertWaited(env.gapsMs()[0], 500, 1000);
});

faultTest("connection-cut-part-kept", "the upload goes on in the middle of a fragment", async (env) => {
  const story = await succeeds(env);
  assertEquals(story.slice(0, 4), [...BEGIN, "send 1 cut", "ask 200"]);
  assertEquals(story[4], `send from ${UNIT + 163_840} 202`);
  assertEquals(story.at(-1)?.endsWith(" 201"), true);
  assertEquals(new Set(story).size, story.length, "something was sent twice");
});

faultTest(
  "session-stuck",
  "it is given up after two rounds: exit code 8, and the session is cancelled",
  async (env) => {
    const story = await fails(env, 8, /"sessionStuck".*stuck at byte 327680/);
    assertEquals(story.filter((word) => word.startsWith("send 1")).length, 3);
    assertEquals(story.at(-1), "cancel 204");
  },
);

faultTest("session-lost-once", "a new session is made after a pause, and its URL is used", async (env) => {
  const story = await succeeds(env);
  assertEquals(story.filter((word) => !word.startsWith("cancel")), [
    ...["create 200", "send 0 404"],
    ...["create 200", "send 0 202", "send 1 202", "send 2 202", "send 3 201"],
  ]);
  const [lost, created] = env.requests().filter(({ fault, path }, index, all) =>
    fault || (path.includes("createUploadSession") && all.slice(0, index).some(({ fault }) => fault))
  );
  assert(Date.parse(created!.at) - Date.parse(lost!.at) >= 1_999, "no pause");
});

faultTest(
  "session-lost-once",
  "an Office file that is replaced keeps its old version until the new one is there",
  async (env) => {
    const file = await env.file("Report.docx", FOUR_FRAGMENTS);
    const { code, stdout, stderr } = await env.struck("put-large", "--json", file, "General/");
    assertEquals(code, 0, stderr);
    assertEquals(jsonLines(stdout)[0]!.result, "replaced");
    assertMatch(stderr, /the upload session ended \(HTTP 404\); starting over with a new one/);
    assertEquals(await env.sandbox.tenant.bytes("Documents", "General/Report.docx"), FOUR_FRAGMENTS);
  },
);

faultTest(
  "session-lost-twice",
  "there is no third session, and --conflict fail ends with exit code 8",
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

faultTest("session-lost-twice", "a file that may be replaced goes in one request", async (env) => {
  const { code, stderr } = await env.upload(FOUR_FRAGMENTS);
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /loses its upload sessions; sending it in one request/);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), FOUR_FRAGMENTS);
});

faultTest("session-lost-twice", "it is not told as a file that does not exist", async (env) => {
  const { stderr } = await env.upload(FOUR_FRAGMENTS);
  assertEquals(/it does not exist, or you may not see it/.test(stderr), false, stderr);
});

for (const [name, status] of [["upload-url-expired", 401], ["upload-url-forbidden", 403]] as const) {
  faultTest(name, "one new session from the first byte, and no new token", async (env) => {
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

faultTest("upload-url-forbidden-always", "it is told as a matter of rights: exit code 5", async (env) => {
  const story = await fails(env, 5, /no permission/);
  assertEquals(story.filter((word) => word.startsWith("create")).length, 2);
});

for (
  const name of [
    "commit-says-500",
    "commit-says-404",
    "commit-answer-lost",
    "commit-empty-ranges",
    "empty-answer-at-commit",
  ] as const
) {
  faultTest(name, "the finished file is found, and nothing is sent again", async (env) => {
    const story = await succeeds(env);
    const sent = story.filter((word) => word.startsWith("send"));
    assertEquals(sent.map((word) => word.slice(0, 6)), ["send 0", "send 1", "send 2", "send 3"]);
    assertEquals(story.filter((word) => word.startsWith("create")), ["create 200"]);
    assertMatch(story.at(-1)!, /^look up 200/);
  });
}

faultTest("name-taken-at-commit", "under --conflict fail the other file stays: exit code 6", async (env) => {
  const { code, stdout, stderr } = await env.upload(FOUR_FRAGMENTS, "--conflict", "fail");
  assertEquals([code, stdout], [6, ""]);
  assertMatch(stderr, /"nameAlreadyExists".*already exists/);
  const theirs = await env.sandbox.tenant.bytes("Documents", "General/big.bin");
  assertEquals(new TextDecoder().decode(theirs), "another writer's");
  assertEquals(env.sandbox.tenant.openSessions(), []);
  assertEquals(env.story().filter((word) => word.startsWith("send")).length, 4);
});

faultTest("name-taken-at-commit", "under --conflict rename both files are kept", async (env) => {
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
  "it is told how long it blocks the name: exit code 6, without a loop",
  async (env) => {
    assertEquals(await fails(env, 6, /the name is blocked.*15 minutes/), ["create 409", "look up 404"]);
  },
);

faultTest(
  "leftover-session",
  "it is told as such under --conflict fail as well, for the name is free",
  async (env) => {
    assertEquals(await fails(env, 6, /the name is blocked.*15 minutes/, "--conflict", "fail"), [
      "create 409",
      "look up 404",
    ]);
  },
);

faultTest("file-locked", "put-large says that it is open in Office: exit code 6", async (env) => {
  assertEquals(await fails(env, 6, /"resourceLocked".*open in Office or checked out/), ["create 423"]);
});

faultTest("file-locked", "put says so as well, and the file stays as it was", async (env) => {
  const before = await env.sandbox.tenant.bytes("Documents", "General/Report.docx");
  const { code, stderr } = await env.struck("put", await env.file("Report.docx", "new"), "General/");
  assertEquals(code, 6);
  assertMatch(stderr, /open in Office or checked out; close it.*HTTP 423 resourceLocked, request-id/);
  assertEquals(env.story(), ["create 423"]);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/Report.docx"), before);
});

faultTest("quota-reached", "it is fatal, and the session is given up: exit code 9", async (env) => {
  const story = await fails(env, 9, /"quotaLimitReached".*the drive is full/);
  assertEquals(story, [...BEGIN, "send 1 507", "cancel 204"]);
});

faultTest("quota-reached", "put says so in its one request", async (env) => {
  const { code, stderr } = await env.struck("put", await env.file("a.txt", "a"), "General/");
  assertEquals([code, env.story()], [9, ["put 507"]]);
  assertMatch(stderr, /the drive is full; free space/);
  assertEquals(env.sandbox.tenant.find("Documents", "General/a.txt"), undefined);
});

faultTest("precondition-failed", "it is told as changed on the server: exit code 6", async (env) => {
  const story = await fails(env, 6, /"entityTagDoesNotMatch".*changed on the server/);
  assertEquals(story, [...BEGIN, "send 1 412", "cancel 204"]);
});

faultTest("session-error-under-200", "the error is told, and nothing is sent: exit code 1", async (env) => {
  assertEquals(await fails(env, 1, /"notSupported".*The media type is not supported/), ["create 200"]);
});

faultTest(
  "session-on-foreign-host",
  "the host is named, and nothing is sent there: exit code 5",
  async (env) => {
    const ended = await env.upload(FOUR_FRAGMENTS);
    assertEquals(ended.code, 5);
    assertMatch(ended.stderr, /transfer link to https:\/\/uploads\.example.*nothing was sent there/);
    assertEquals(/tempauth/.test(ended.stderr), false, "the link was printed");
    assertEquals(env.story(), ["create 200"]);
  },
);
