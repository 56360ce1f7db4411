/** The tenant that the sandbox has by default. */

import { docx, pdf, png, xlsx } from "./seed_documents.ts";
import type { FilesData, TenantData } from "./tenant_data.ts";

export const CONTOSO: TenantData = {
  people: {
    adele: {
      name: "Adele Vance",
      mail: "AdeleV@contoso.com",
      jobTitle: "Retail Manager",
      office: "18/2111",
      files: {
        "Documents/Letter.docx": docx("Dear reader,"),
        "Documents/Invoice 2025-10.pdf": pdf("Invoice 2025-10"),
        "Documents/Grüße aus Köln.txt": "Viele Grüße vom Rhein.\n",
        "Documents/Empty.txt": "",
        // Names that break clients that encode a path as a whole (PROTOCOL 3.2, N3 to N6).
        "Documents/Awkward names/100% sure.txt": "percent\n",
        "Documents/Awkward names/C# notes.txt": "hash\n",
        "Documents/Awkward names/Q1+Q2.csv": "quarter,amount\nQ1,1\nQ2,2\n",
        "Documents/Awkward names/Fish & Chips.txt": "ampersand\n",
        "Documents/Awkward names/Megan's list.txt": "apostrophe\n",
        "Documents/Awkward names/50%25 off.txt": "percent-encoded percent\n",
        "Documents/Awkward names/a;b=c@d,e$f.txt": "sub-delimiters\n",
        "Documents/Awkward names/#1/plan.txt": "a folder with a hash\n",
        "Pictures/Square.png": png(),
        "Adele @ Work": { notebook: true },
        "Campaign 2026": { shortcut: "Marketing/Documents/Campaign 2026" },
      },
    },
    megan: {
      name: "Megan Bowen",
      mail: "MeganB@contoso.com",
      jobTitle: "Marketing Manager",
      office: "12/1110",
      files: { "Documents/Private notes.txt": "Only Megan reads this.\n" },
    },
    dana: { name: "Dana Lee", account: "guest", mail: "dana@northwindtraders.com" },
    robin: {
      name: "Robin Hale",
      account: "personal",
      mail: "robin.hale@outlook.com",
      cid: "0a5f3c9e17d2b846", // has a leading zero, which the service sometimes drops (PROTOCOL N9)
      files: { "Documents/Shopping list.txt": "Bread, butter, cheese.\n", "Pictures/Holiday.png": png() },
    },
  },
  sites: {
    Contoso: {
      path: "",
      description: "Home of all sites",
      visitors: ["adele", "megan"],
      author: "megan",
      libraries: { Documents: { "Welcome.txt": "Welcome to Contoso.\n" } },
    },
    TestTeam: {
      description: "Files of the Test Team",
      owners: ["adele"],
      members: ["megan"],
      visitors: ["dana"],
      author: "megan",
      libraries: {
        Documents: {
          "General/Agenda.md": "# Agenda\n\n1. Numbers\n2. Plans\n",
          "General/Budget 2026.xlsx": xlsx(["Month", "Amount", "January", "1250"]),
          "General/Logo.png": png(),
          "General/Report.docx": docx("Quarterly report of the Test Team."),
          "General/Minutes/Minutes 2025-10.pdf": pdf("Minutes of October 2025"),
          "General/Team Notebook": { notebook: true },
          ...thousandNotes(),
        },
        Archive: {
          "2024/Minutes 2024-12.txt": "The last meeting of the year was short.\n",
          "2024/Budget 2024.xlsx": xlsx(["Month", "Amount", "December", "1200"]),
        },
      },
    },
    "TestTeam-Leads": {
      description: "Files of a private channel",
      owners: ["adele"],
      libraries: { Documents: { "Leads/Salaries.txt": "Nobody else reads this.\n" } },
    },
    // Adele may only read here: scope and the user's own rights both apply (PROTOCOL 13.5).
    Marketing: {
      description: "Campaigns",
      owners: ["megan"],
      visitors: ["adele"],
      libraries: {
        Documents: {
          "Campaign 2026/": null,
          "Campaign 2026/Slogan.txt": "Files that arrive.\n",
          "Logo.png": png(),
        },
      },
    },
  },
  teams: {
    "Test Team": {
      site: "TestTeam",
      description: "Where we try things out",
      channels: {
        General: { description: "Everything" },
        Planning: { description: "What comes next" },
        Leads: { description: "A private channel", site: "TestTeam-Leads" },
      },
    },
  },
};

function thousandNotes(): FilesData {
  const numbers = Array.from({ length: 1000 }, (_, index) => String(index + 1).padStart(4, "0"));
  return Object.fromEntries(
    numbers.map((number) => [`Thousand/Note ${number}.txt`, `This is note ${number}.\n`]),
  );
}
