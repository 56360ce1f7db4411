/**
 * Sign-in prompts and notices on a terminal, for snippets.
 *
 * @module
 */
import { deviceCodeText } from "../auth/interaction.ts";
import type { ConnectOptions } from "../connect.ts";
import { denoHost, type Host, writeText } from "./host.ts";
import { printableLines } from "./output.ts";

/**
 * Callbacks for `connect()`: notices go to standard error, and so does the instruction to sign in where standard error is a
 * terminal. Without a terminal a missing sign-in stays an error.
 *
 * @param host Where to print. @default the process itself
 */
export function onTerminal(
  host: Pick<Host, "stderr"> = denoHost,
): Pick<ConnectOptions, "notice" | "showAddress" | "showDeviceCode"> {
  const print = (...lines: string[]) => writeText(host.stderr, printableLines(lines));
  const notice = (text: string) => print(text);
  if (!host.stderr.isTerminal()) return { notice };
  return {
    notice,
    showDeviceCode: (code) => print(...deviceCodeText(code, Date.now()).split("\n")),
    showAddress: (address) => print("To sign in, open this address in a browser of this machine:", address),
  };
}
