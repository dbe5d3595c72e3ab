// Writes DER, for certificates and answers that no other program would make.

function value(tag, ...parts) {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length = Buffer.from(content.length.toString(16).padStart(content.length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

export const sequence = (...parts) => value(0x30, ...parts);
export const set = (...parts) => value(0x31, ...parts);
export const explicit = (n, ...parts) => value(0xa0 | n, ...parts);
export const integer = (n) => value(0x02, Buffer.from([n]));
export const bitString = (bytes) => value(0x03, Buffer.from([0]), bytes);
export const octets = (bytes) => value(0x04, bytes);
export const utf8String = (text) => value(0x0c, Buffer.from(text));
export const time = (text) => value(0x18, Buffer.from(text));

export function oid(text) {
  const [first, second, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const septets = [part % 128];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) septets.unshift(0x80 | left % 128);
    return septets;
  });
  return value(0x06, Buffer.from(bytes));
}
