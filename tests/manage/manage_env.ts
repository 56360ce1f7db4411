/** A sandbox, and a connection of the library to it that may write. */

import { connect, type Connection } from "../../lib/connect.ts";
import { fastClock, startTestEnv, type TestEnv, type TestEnvOptions } from "../test_env.ts";

/** Waits take no time. */
export async function startManageEnv(
  options: TestEnvOptions = {},
): Promise<TestEnv & { connection: Connection; notices: string[]; requests: () => string[] }> {
  const env = await startTestEnv(options);
  const notices: string[] = [];
  const connection = await connect({
    access: "write",
    env: (name) => env.sandbox.env[name],
    http: fastClock(),
    notice: (text) => notices.push(text),
    showDeviceCode: () => {}, // approved at once
  });
  const before = env.sandbox.requests.length;
  /** Those that the connection has sent to Graph and storage. */
  const requests = () =>
    env.sandbox.requests.slice(before).filter(({ service }) => service !== "login")
      .map(({ method, path }) => `${method} ${path}`);
  return { ...env, connection, notices, requests };
}
