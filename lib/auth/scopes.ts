/**
 * The delegated permissions that a run asks for: the least that suffice (PROTOCOL 13.5).
 *
 * @module
 */

/** What a connection is for. */
export type Access = "identity" | "read" | "write";

/** By the reach of a run: the user's own OneDrive, or all drives that the user may open. */
export const SCOPES: Record<Access, { own: readonly string[]; all: readonly string[] }> = {
  identity: { own: ["User.Read"], all: ["User.Read"] },
  read: { own: ["Files.Read"], all: ["Files.Read.All", "Sites.Read.All"] },
  write: { own: ["Files.ReadWrite"], all: ["Files.ReadWrite.All", "Sites.Read.All"] },
};

/** Why these permissions are needed, for the user who is asked for consent. */
export function purposeOf(access: Access, allDrives: boolean): string {
  const where = allDrives ? "files of sites and other drives" : "files of your OneDrive";
  return {
    identity: "to show who is signed in",
    read: `to read ${where}`,
    write: `to write ${where}`,
  }[access];
}
