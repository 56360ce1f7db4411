/** What a client of Microsoft Graph can do, in the words of the steps. */

import type { Sandbox, SandboxOptions } from "../sandbox/mod.ts";

/** What one client may use: its sandbox, a folder of its own, and its packages. */
export interface Workplace {
  readonly sandbox: Sandbox;
  /** An empty folder, which is also the home folder of the client. */
  readonly folder: string;
  /** The folder where its packages are installed. */
  readonly packages: string;
  /** Runs a program to its end; `onText` gets all that it has printed so far. @returns its standard output @throws {Error} with what it has printed */
  run(program: string, args: readonly string[], onText?: (text: string) => void): Promise<string>;
}

/** Packages that a client needs. */
export interface Packages {
  /** From Debian: the client and what only it needs. */
  readonly debian?: readonly string[];
  readonly npm?: readonly string[];
}

/** One client. Paths are relative to the drive; what is missing, the client cannot do. */
export interface Actions {
  signIn(): Promise<void>;
  /** Names in a folder. */
  list?(folder: string): Promise<string[]>;
  upload(local: string, path: string): Promise<void>;
  download(path: string, local: string): Promise<void>;
  /** Uploads the files of a local folder. */
  uploadFolder?(local: string, path: string): Promise<void>;
  remove?(path: string): Promise<void>;
  move?(from: string, to: string): Promise<void>;
  /** Names of what has changed since the last call. */
  changes?(): Promise<string[]>;
}

/** A client and how to come by it. */
export interface Client {
  readonly name: string;
  readonly packages: Packages;
  /** The forms of the service that it needs, where there are several. */
  readonly sandbox?: Pick<SandboxOptions, "lenientStorage" | "olderForms">;
  /** The drive that it works in, by the name that `Tenant.find` takes. */
  readonly drive: "me" | "Documents";
  /** Whether it resumes an upload, in the same run or the next. */
  readonly resumes: boolean;
  actions(workplace: Workplace): Actions;
}
