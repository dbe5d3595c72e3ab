// Reads and writes the container, without checking anything: for making damaged ones.

import { core } from "../../core.mjs";

/** Entries of a ZIP in the form: `{ name, content }` in order. */
export function readZip(bytes) {
  const file = Buffer.from(bytes);
  const count = file.readUInt16LE(file.length - 12);
  let at = file.readUInt32LE(file.length - 6);
  const entries = [];
  for (let i = 0; i < count; i += 1) {
    const length = file.readUInt32LE(at + 24);
    const nameLength = file.readUInt16LE(at + 28);
    const name = file.toString("latin1", at + 46, at + 46 + nameLength);
    const start = file.readUInt32LE(at + 42) + 30 + nameLength;
    entries.push({ name, content: file.subarray(start, start + length) });
    at += 46 + nameLength;
  }
  return entries;
}

/** A ZIP in the form. `crc` of an entry, where there is one, is taken as it is. */
export function writeZip(entries) {
  const parts = [];
  const rows = [];
  let offset = 0;
  for (const { name, content, crc } of entries) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(10, 0);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc ?? core.crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    parts.push(Buffer.from("PK\x03\x04", "latin1"), common, Buffer.from(name), content);
    rows.push(Buffer.from("PK\x01\x02\x0a\x00", "latin1"), common, tail, Buffer.from(name));
    offset += 30 + name.length + content.length;
  }
  const directory = Buffer.concat(rows);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, directory, end]);
}
