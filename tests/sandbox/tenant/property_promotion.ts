/**
 * Property promotion: SharePoint writes list item properties into the documents of its libraries (PROTOCOL 10.2),
 * in each format's own way. Documents that it cannot parse stay unchanged.
 */

import { concat, readZip, writeZip, type ZipFile } from "./zip.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006";

/** The document with its properties; deterministic for a document and item. */
export function promoteProperties(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  guid: string,
): Uint8Array<ArrayBuffer> {
  const contentType = `0x0101${guid.replaceAll("-", "").toUpperCase()}`;
  if (/\.(doc|dot|xls|xlt|ppt|pps|pot)[xm]$/i.test(name)) return intoPackage(bytes, contentType);
  if (/\.pdf$/i.test(name)) return intoPdf(bytes, contentType);
  if (/\.(html?|aspx)$/i.test(name)) return intoHtml(bytes, contentType);
  return /\.jpe?g$/i.test(name) ? intoJpeg(bytes) : bytes;
}

/** Rewrites the whole package: adds properties and recompresses every part. */
function intoPackage(bytes: Uint8Array<ArrayBuffer>, contentType: string): Uint8Array<ArrayBuffer> {
  const files = readZip(bytes);
  if (!files?.some(({ name }) => name === "[Content_Types].xml")) return bytes;
  const properties = {
    "docProps/custom.xml": `<Properties xmlns="${OFFICE}/custom-properties">` +
      `<property fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}" pid="2" name="ContentTypeId">${contentType}</property></Properties>`,
    "customXml/item1.xml":
      `<FormTemplates xmlns="http://schemas.microsoft.com/sharepoint/v3/contenttype/forms"/>`,
    "customXml/itemProps1.xml":
      `<ds:datastoreItem xmlns:ds="${OFFICE}/customXml" ds:itemID="${contentType}"/>`,
    "customXml/_rels/item1.xml.rels": relationships(relationship("rId1", "customXmlProps", "itemProps1.xml")),
  };
  const kept = files.filter(({ name }) => !Object.hasOwn(properties, name)).map(({ name, data }): ZipFile => {
    if (name === "[Content_Types].xml") {
      const type = "application/vnd.openxmlformats-officedocument.custom-properties+xml";
      return insert(
        name,
        data,
        "</Types>",
        `<Override PartName="/docProps/custom.xml" ContentType="${type}"/>`,
      );
    }
    if (name !== "_rels/.rels") return { name, data };
    const added = relationship("rIdSp1", "custom-properties", "docProps/custom.xml") +
      relationship("rIdSp2", "customXml", "customXml/item1.xml");
    return insert(name, data, "</Relationships>", added);
  });
  const added = Object.entries(properties).map(([name, text]) => ({ name, data: encoder.encode(text) }));
  // Remains of replaced parts (ECMA-376-1, 9.1.7; seen in documents from libraries).
  const trash = { name: "[trash]/0000.dat", data: new Uint8Array(64) };
  return writeZip([trash, ...kept, ...added], "deflate");
}

/** An incremental update (ISO 32000-1, 7.5.6). */
function intoPdf(bytes: Uint8Array<ArrayBuffer>, contentType: string): Uint8Array<ArrayBuffer> {
  const former = /startxref\s+(\d+)\s+%%EOF\s*$/.exec(decoder.decode(bytes.subarray(-1024)))?.[1];
  if (former === undefined) return bytes;
  const object = `\n999 0 obj\n<< /ContentTypeId (${contentType}) >>\nendobj\n`;
  const table = `xref\n999 1\n${String(bytes.length + 1).padStart(10, "0")} 00000 n \n`;
  const trailer = `trailer\n<< /Size 1000 /Info 999 0 R /Prev ${former} >>\n`;
  const end = `startxref\n${bytes.length + object.length}\n%%EOF\n`;
  return concat([bytes, encoder.encode(object + table + trailer + end)]);
}

function intoHtml(bytes: Uint8Array<ArrayBuffer>, contentType: string): Uint8Array<ArrayBuffer> {
  const text = decoder.decode(bytes);
  const at = /<\/head>/i.exec(text)?.index ?? 0;
  const properties = "<!--[if gte mso 9]><xml><mso:CustomDocumentProperties>" +
    `<mso:ContentTypeId msdt:dt="string">${contentType}</mso:ContentTypeId>` +
    "</mso:CustomDocumentProperties></xml><![endif]-->";
  return encoder.encode(text.slice(0, at) + properties + text.slice(at));
}

/** Only images with EXIF data: the density changes, and the APP1 segment grows by 12 bytes (contrib#8903). */
function intoJpeg(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 2;
  while (at + 4 < bytes.length && view.getUint16(at) !== 0xffe1 && (view.getUint16(at) & 0xfff0) === 0xffe0) {
    at += 2 + view.getUint16(at + 2);
  }
  if (at + 4 >= bytes.length || view.getUint16(at) !== 0xffe1) return bytes;
  const end = at + 2 + view.getUint16(at + 2);
  const head = bytes.slice(0, end);
  new DataView(head.buffer).setUint16(at + 2, end - at - 2 + 12);
  return concat([head, new Uint8Array(12), bytes.subarray(end)]);
}

function insert(name: string, data: Uint8Array, before: string, text: string): ZipFile {
  return { name, data: encoder.encode(decoder.decode(data).replace(before, `${text}${before}`)) };
}

function relationships(inner: string): string {
  return `<Relationships xmlns="${PACKAGE}/relationships">${inner}</Relationships>`;
}

function relationship(id: string, type: string, target: string): string {
  return `<Relationship Id="${id}" Type="${OFFICE}/relationships/${type}" Target="${target}"/>`;
}
