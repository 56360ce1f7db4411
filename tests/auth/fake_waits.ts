/**
 * An in-process sign-in that skips its waits.
 *
 * @module
 */
import { connect } from "../../lib/connect.ts";
import type { SessionInfo } from "../../lib/auth/session.ts";
import type { TestEnv } from "../test_env.ts";

/** A completed sign-in. */
export interface SignIn {
  info: SessionInfo;
  /** The codes shown to the user. */
  codes: string[];
  /** The requested waits, in milliseconds. */
  waits: number[];
}

/** Signs in with a device code, against the sandbox of a test. */
export async function signInWithoutWaiting(env: TestEnv): Promise<SignIn> {
  const codes: string[] = [];
  const waits: number[] = [];
  const { session } = await connect({
    access: "identity",
    env: (name) => env.sandbox.env[name],
    showDeviceCode: ({ userCode }) => codes.push(userCode),
    notice: () => {},
    http: {
      sleep: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
    },
  });
  await session.token();
  return { info: await session.info(), codes, waits };
}
