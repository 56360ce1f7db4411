/** The user at the browser, for tests that do not use the pages. */

import { type Directory, type User, type UserKey, userNamed } from "../tenant/directory.ts";
import { approve, type Stop, stopError } from "./approval.ts";
import type { DeviceCode, DeviceCodes } from "./device_codes.ts";
import { EntraError } from "./entra_error.ts";

export class TestUser {
  /** The user's response to every new device code and sign-in page. */
  always: "approve" | "decline" | "ignore";
  /** The policy that blocks every sign-in, if any; see {@link TestUser.stopAt}. */
  stop: Stop | undefined;
  readonly #codes: DeviceCodes;
  readonly #directory: Directory;
  readonly #first: User;
  #as: UserKey | undefined;

  constructor(codes: DeviceCodes, directory: Directory, first: User, always: TestUser["always"]) {
    this.#codes = codes;
    this.#directory = directory;
    this.#first = first;
    this.always = always;
    codes.onIssue((code) => {
      if (this.always === "approve") this.#approveInBrowser(code);
      if (this.always === "decline") code.decision = { kind: "declined" };
    });
  }

  /** The account used by default. @default the one of `login_hint`, or the first of the tenant */
  get as(): UserKey {
    return this.#as ?? this.#first.key;
  }

  set as(key: UserKey) {
    this.#as = key;
  }

  /** Approves all pending and future sign-ins with this account. */
  signIn(as: UserKey): void {
    this.as = as;
    this.always = "approve";
    for (const code of this.#codes.open()) this.#approveInBrowser(code);
  }

  /** Blocks all sign-ins by a policy, such as 53003; undefined lifts it. */
  stopAt(number: number | undefined, seenBy: Stop["seenBy"] = "browser"): void {
    if (number !== undefined) stopError(number);
    this.stop = number === undefined ? undefined : { number, seenBy };
  }

  /**
   * Approves one pending code, or all. @throws {Error} when none is pending, or when the browser would show an
   * error
   */
  approve(userCode?: string, as: UserKey = this.as): void {
    for (const code of this.#waiting(userCode)) {
      code.decision = approve(this.#directory, code, this.#user(as), this.stop);
    }
  }

  /** Declines one pending code, or all. @throws {Error} when none is pending */
  decline(userCode?: string): void {
    for (const code of this.#waiting(userCode)) code.decision = { kind: "declined" };
  }

  /** Ignores sign-ins, so that codes expire. */
  ignore(): void {
    this.always = "ignore";
  }

  /** The account preselected on a page. */
  choose(loginHint: string | null): User {
    const hint = loginHint?.toLowerCase();
    const hinted = this.#directory.users.find(({ mail, userPrincipalName }) =>
      hint !== undefined && [mail.toLowerCase(), userPrincipalName.toLowerCase()].includes(hint)
    );
    return this.#as === undefined && hinted ? hinted : this.#user(this.as);
  }

  /** If the browser shows an error, the code stays open, as observed (PROTOCOL A3). */
  #approveInBrowser(code: DeviceCode): void {
    try {
      code.decision = approve(this.#directory, code, this.#user(this.as), this.stop);
    } catch (error) {
      if (!(error instanceof EntraError)) throw error;
    }
  }

  #waiting(userCode: string | undefined): DeviceCode[] {
    const code = userCode === undefined ? undefined : this.#codes.byUserCode(userCode);
    const codes = userCode === undefined ? this.#codes.open() : code ? [code] : [];
    if (codes.length === 0) throw new Error("no device code waits for a decision");
    return codes;
  }

  #user(key: UserKey): User {
    return userNamed(this.#directory, key);
  }
}
