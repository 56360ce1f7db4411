/**
 * How uploads through a session end, in words, where the service's own do not tell a person what to do.
 *
 * @module
 */
import { commandName } from "../cli/hints.ts";
import { GraphError } from "../errors.ts";

/** The error of an upload that can be gone on with: how much is there, and how to go on. */
export function incompleteUploadError(
  failure: GraphError,
  thereBytes: number,
  totalBytes: number,
  /** Whether the session will have ended by the time that the service asks to wait for. */
  willBeOver: boolean,
): GraphError {
  const share = Math.floor(thereBytes / totalBytes * 100);
  const where = `${thereBytes} of ${totalBytes} bytes (${share} %) are there`;
  return failure.withMessage(
    `${failure.message}; ${where}`,
    willBeOver ? {} : { hint: "run the same command again within 15 minutes to go on from there" },
  );
}

/** The session is gone, and a second one as well (PROTOCOL U7). @param what What was tried. */
export function sessionLostError(failure: GraphError, what: string): GraphError {
  return failure.withMessage(`${what}: the service lost its session, and the next one, too`, {
    kind: "unavailable",
    code: "sessionLost",
    hint:
      "somebody may have the file open, or the service still works on its last version; try again in some minutes",
  });
}

/** Nobody has the name, and it cannot be had. */
export function blockedNameError(failure: GraphError, what: string): GraphError {
  return failure.withMessage(
    `${what}: the name is blocked: an upload of it is not finished, or it is a OneNote notebook`,
    {
      kind: "conflict",
      hint:
        "an unfinished upload ends by itself, 15 minutes after its last fragment; then run the same command again",
    },
  );
}

/** All bytes were sent, and the file cannot be found. */
export function notCommittedError(what: string, mayHaveOtherName: boolean): GraphError {
  const renamed = mayHaveOtherName ? " under this name; it may have got another" : "";
  return new GraphError(
    "unavailable",
    `${what}: the service took all bytes, but shows no such file${renamed}`,
    {
      code: "notCommitted",
      hint: `look with ${commandName("ls")} in a minute; if it is not there, run the same command again`,
    },
  );
}

/** The session's position does not move (PROTOCOL U8), or makes no sense. */
export function stuckError(what: string, furthest: number): GraphError {
  return new GraphError("unavailable", `${what}: the session does not advance beyond byte ${furthest}`, {
    code: "sessionStuck",
    hint: "run the same command again",
  });
}

/** Whether the same session can be gone on with later. */
export function isResumable({ kind, code }: GraphError): boolean {
  return kind === "interrupted" ||
    (kind === "unavailable" && code !== "sessionStuck" && code !== "sessionLost");
}
