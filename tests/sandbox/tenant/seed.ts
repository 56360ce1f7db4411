/** The initial contents of contoso's libraries. */

import type { ContentStore } from "./content_store.ts";
import type { User } from "./directory.ts";
import type { Drive } from "./drive.ts";
import { fixedGuid } from "./ids.ts";
import type { Author, Item } from "./item.ts";
import { nameKey } from "./names.ts";
import { docx, pdf, png, xlsx } from "./seed_documents.ts";

/** Adds seed items to one drive, as one author. */
class Seeder {
  readonly #drive: Drive;
  readonly #store: ContentStore;
  readonly #author: Author;
  #minutes = 0;

  constructor(drive: Drive, store: ContentStore, user: User) {
    this.#drive = drive;
    this.#store = store;
    this.#author = { user };
  }

  folder(path: string): Item {
    let folder = this.#drive.root;
    for (const name of path.split("/")) {
      folder = folder.children.get(nameKey(name)) ??
        this.#drive.add("folder", folder, name, this.#defaults(`${path} ${name}`));
    }
    return folder;
  }

  file(path: string, bytes: Uint8Array | string): Item {
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? this.#drive.root : this.folder(path.slice(0, slash));
    const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    const content = this.#store.putInPack(data);
    return this.#drive.add("file", parent, path.slice(slash + 1), { ...this.#defaults(path), content });
  }

  package(path: string): Item {
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? this.#drive.root : this.folder(path.slice(0, slash));
    return this.#drive.add("package", parent, path.slice(slash + 1), this.#defaults(path));
  }

  link(name: string, target: Item): Item {
    return this.#drive.add("link", this.#drive.root, name, { ...this.#defaults(name), target });
  }

  /** Fixed ids, and times a few minutes apart: listings are the same in every run. */
  #defaults(path: string): { author: Author; guid: string; at: Date } {
    const at = new Date(Date.UTC(2025, 9, 3, 7, 12, 9) + 37 * 60_000 * this.#minutes++);
    return { author: this.#author, guid: fixedGuid(`${this.#drive.id} ${path}`), at };
  }
}

/** Fills all libraries. */
export function seed(drives: ReadonlyMap<string, Drive>, users: readonly User[], store: ContentStore): void {
  const [adele, megan, , robin] = users as [User, User, User, User];
  seedTestTeam(new Seeder(drives.get("Documents")!, store, megan));
  const archive = new Seeder(drives.get("Archive")!, store, adele);
  archive.file("2024/Minutes 2024-12.txt", "The last meeting of the year was short.\n");
  archive.file("2024/Budget 2024.xlsx", xlsx(["Month", "Amount", "December", "1200"]));
  new Seeder(drives.get("Leads")!, store, adele).file("Leads/Salaries.txt", "Nobody else reads this.\n");
  const marketing = new Seeder(drives.get("Marketing")!, store, megan);
  const campaign = marketing.folder("Campaign 2026");
  marketing.file("Campaign 2026/Slogan.txt", "Files that arrive.\n");
  marketing.file("Logo.png", png());
  new Seeder(drives.get("Contoso")!, store, megan).file("Welcome.txt", "Welcome to Contoso.\n");
  const meganDrive = new Seeder(drives.get("megan")!, store, megan);
  meganDrive.file("Documents/Private notes.txt", "Only Megan reads this.\n");
  const robinDrive = new Seeder(drives.get("robin")!, store, robin);
  robinDrive.file("Documents/Shopping list.txt", "Bread, butter, cheese.\n");
  robinDrive.file("Pictures/Holiday.png", png());
  seedAdele(new Seeder(drives.get("me")!, store, adele), campaign);
  store.writePack();
}

function seedTestTeam(seeder: Seeder): void {
  seeder.file("General/Agenda.md", "# Agenda\n\n1. Numbers\n2. Plans\n");
  seeder.file("General/Budget 2026.xlsx", xlsx(["Month", "Amount", "January", "1250"]));
  seeder.file("General/Logo.png", png());
  seeder.file("General/Report.docx", docx("Quarterly report of the Test Team."));
  seeder.file("General/Minutes/Minutes 2025-10.pdf", pdf("Minutes of October 2025"));
  seeder.package("General/Team Notebook");
  for (let n = 1; n <= 1000; n++) {
    const number = String(n).padStart(4, "0");
    seeder.file(`Thousand/Note ${number}.txt`, `This is note ${number}.\n`);
  }
}

function seedAdele(seeder: Seeder, campaign: Item): void {
  seeder.file("Documents/Letter.docx", docx("Dear reader,"));
  seeder.file("Documents/Invoice 2025-10.pdf", pdf("Invoice 2025-10"));
  seeder.file("Documents/Grüße aus Köln.txt", "Viele Grüße vom Rhein.\n");
  seeder.file("Documents/Empty.txt", "");
  // Names that break clients that encode a path as a whole (PROTOCOL 3.2, N3 to N6).
  seeder.file("Documents/Awkward names/100% sure.txt", "percent\n");
  seeder.file("Documents/Awkward names/C# notes.txt", "hash\n");
  seeder.file("Documents/Awkward names/Q1+Q2.csv", "quarter,amount\nQ1,1\nQ2,2\n");
  seeder.file("Documents/Awkward names/Fish & Chips.txt", "ampersand\n");
  seeder.file("Documents/Awkward names/Megan's list.txt", "apostrophe\n");
  seeder.file("Documents/Awkward names/50%25 off.txt", "percent-encoded percent\n");
  seeder.file("Documents/Awkward names/a;b=c@d,e$f.txt", "sub-delimiters\n");
  seeder.file("Documents/Awkward names/#1/plan.txt", "a folder with a hash\n");
  seeder.file("Pictures/Square.png", png());
  seeder.package("Adele @ Work");
  seeder.link("Campaign 2026", campaign);
}
