/** Small valid documents: PDF, PNG and minimal Office files. */

import { writeZip } from "./zip.ts";

const encoder = new TextEncoder();

/** A PDF page with one line of text. */
export function pdf(text: string): Uint8Array {
  const stream = `BT /F1 18 Tf 72 720 Td (${text.replaceAll(/[()\\]/g, "\\$&")}) Tj ET`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R " +
    "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
  ];
  let body = "%PDF-1.4\n";
  const offsets: number[] = [];
  for (const [index, object] of objects.entries()) {
    offsets.push(body.length);
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  return encoder.encode(
    `${body}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}` +
      `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`,
  );
}

/** A gray square of 1 × 1 pixel. */
export function png(): Uint8Array {
  const text = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const FORMAT = "http://schemas.openxmlformats.org";
const MAIN_TYPE = "application/vnd.openxmlformats-officedocument";

/** A Word document with one paragraph. */
export function docx(text: string): Uint8Array {
  return officePackage(
    "word/document.xml",
    `${MAIN_TYPE}.wordprocessingml.document.main+xml`,
    `${XML}<w:document xmlns:w="${FORMAT}/wordprocessingml/2006/main">` +
      `<w:body><w:p><w:r><w:t>${escapeXml(text)}</w:t></w:r></w:p></w:body></w:document>`,
  );
}

/** A workbook with one sheet and one row. */
export function xlsx(cells: readonly string[]): Uint8Array {
  const row = cells.map((cell) => `<c t="inlineStr"><is><t>${escapeXml(cell)}</t></is></c>`).join("");
  const main = `${FORMAT}/spreadsheetml/2006/main`;
  return officePackage(
    "xl/workbook.xml",
    `${MAIN_TYPE}.spreadsheetml.sheet.main+xml`,
    `${XML}<workbook xmlns="${main}" xmlns:r="${OFFICE}">` +
      `<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    {
      "xl/_rels/workbook.xml.rels": relationships("worksheet", "worksheets/sheet1.xml"),
      "xl/worksheets/sheet1.xml":
        `${XML}<worksheet xmlns="${main}"><sheetData><row>${row}</row></sheetData></worksheet>`,
    },
    `<Override PartName="/xl/worksheets/sheet1.xml" ContentType="${MAIN_TYPE}.spreadsheetml.worksheet+xml"/>`,
  );
}

function officePackage(
  mainPart: string,
  mainType: string,
  content: string,
  parts: Record<string, string> = {},
  overrides = "",
): Uint8Array {
  const files = {
    "[Content_Types].xml": `${XML}<Types xmlns="${PACKAGE}/content-types">` +
      `<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
      `<Default Extension="xml" ContentType="application/xml"/>` +
      `<Override PartName="/${mainPart}" ContentType="${mainType}"/>${overrides}</Types>`,
    "_rels/.rels": relationships("officeDocument", mainPart),
    [mainPart]: content,
    ...parts,
  };
  return writeZip(Object.entries(files).map(([name, text]) => ({ name, data: encoder.encode(text) })));
}

function relationships(type: string, target: string): string {
  return `${XML}<Relationships xmlns="${PACKAGE}/relationships">` +
    `<Relationship Id="rId1" Type="${OFFICE}/${type}" Target="${target}"/></Relationships>`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
