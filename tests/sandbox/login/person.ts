/** The person at the browser, when a test plays that part instead of the device login page. */

import type { User } from "../tenant/directory.ts";
import type { DeviceCode, DeviceCodes } from "./device_codes.ts";

export class Person {
  /** What the person does with every new code. */
  always: "approve" | "decline" | "ignore";
  /** As whom the person signs in unless told otherwise. */
  as: User["key"] = "adele";
  readonly #codes: DeviceCodes;
  readonly #users: readonly User[];

  constructor(codes: DeviceCodes, users: readonly User[], always: Person["always"]) {
    this.#codes = codes;
    this.#users = users;
    this.always = always;
    codes.onIssue((code) => {
      if (this.always === "approve") code.decision = { kind: "approved", user: this.#user(this.as) };
      if (this.always === "decline") code.decision = { kind: "declined" };
    });
  }

  /** Approves one code, or all that wait. @throws {Error} when none waits */
  approve(userCode?: string, as: User["key"] = this.as): void {
    for (const code of this.#waiting(userCode)) code.decision = { kind: "approved", user: this.#user(as) };
  }

  /** Declines one code, or all that wait. @throws {Error} when none waits */
  decline(userCode?: string): void {
    for (const code of this.#waiting(userCode)) code.decision = { kind: "declined" };
  }

  /** From now on does nothing, so that codes expire. */
  ignore(): void {
    this.always = "ignore";
  }

  #waiting(userCode: string | undefined): DeviceCode[] {
    const code = userCode === undefined ? undefined : this.#codes.byUserCode(userCode);
    const codes = userCode === undefined ? this.#codes.open() : code ? [code] : [];
    if (codes.length === 0) throw new Error("no device code waits for a decision");
    return codes;
  }

  #user(key: User["key"]): User {
    return this.#users.find((user) => user.key === key)!;
  }
}
