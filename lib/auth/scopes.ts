/**
 * The delegated permissions that a run asks for: the fewest that suffice (PROTOCOL 13.5).
 *
 * @module
 */

/** What a connection is for. */
export type Access = "identity" | "read" | "write";

/** By reach: the user's own OneDrive, or all drives that the user may open. */
export const SCOPES: Record<Access, { own: readonly string[]; all: readonly string[] }> = {
  identity: { own: ["User.Read"], all: ["User.Read"] },
  read: { own: ["Files.Read"], all: ["Files.Read.All", "Sites.Read.All"] },
  write: { own: ["Files.ReadWrite"], all: ["Files.ReadWrite.All", "Sites.Read.All"] },
};

/** Why these permissions are needed, for the user who is asked for consent. */
export function purposeOf(access: Access, allDrives: boolean): string {
  if (access === "identity") return "to show who is signed in";
  return `to ${access} ${allDrives ? "files of sites and other drives" : "files of your OneDrive"}`;
}
