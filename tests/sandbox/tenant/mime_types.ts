/** The server derives `file.mimeType` from the extension, whatever Content-Type was sent (PROTOCOL 6). */

const OFFICE = "application/vnd.openxmlformats-officedocument";

const BY_EXTENSION: Record<string, string> = {
  csv: "text/csv",
  docx: `${OFFICE}.wordprocessingml.document`,
  gif: "image/gif",
  gz: "application/gzip",
  html: "text/html",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  json: "application/json",
  md: "text/markdown",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  pptx: `${OFFICE}.presentationml.presentation`,
  txt: "text/plain",
  xlsx: `${OFFICE}.spreadsheetml.sheet`,
  xml: "application/xml",
  zip: "application/zip",
};

/** The MIME type that the service reports for a file name. */
export function mimeType(name: string): string {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return BY_EXTENSION[extension] ?? "application/octet-stream";
}
